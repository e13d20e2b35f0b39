"""Who is let into the web chat, how, and how is a session ended?"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import AsyncIterator
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from bot.cli.demo_people import PERSONAS
from bot.core.reply import Words
from bot.render import renderer
from bot.server.entrance import Persona
from handlers.binding import desk, sign_in
from storage import addresses, campaigns, people, web
from storage.addresses import Consent
from storage.audit import OPERATOR
from storage.campaigns import Campaign
from storage.web import WebMessage, WebSession
from tests.people import House
from tests.sites import Running, bind, link, new_id, next_event, running, signed_in, texts


@pytest.fixture
async def site(house: House) -> AsyncIterator[Running]:
    async with running(house) as site:
        yield site


@pytest.fixture
async def site_on(house_on: House) -> AsyncIterator[Running]:
    """The same, once on SQLite and once on PostgreSQL."""
    async with running(house_on) as site:
        yield site


# -- guests and binding codes --------------------------------------------------------------------------------------


def issue_code(house: House, name: str) -> str:
    with house.app.database.write() as tx:
        return desk.issue(tx, house.now, OPERATOR, people.get(tx, house.ids[name]))


async def test_a_guest_binds_by_a_code_and_finds_themselves_in_their_own_chat(
    house_on: House, site_on: Running
) -> None:
    guest = await site_on.browser()
    page = await guest.open()
    assert "绑定码" in page
    code = issue_code(house_on, "王芳")
    asked = (await guest.say(code))["lines"][-1]
    before = guest.data["chat"]
    bound = await guest.tap(asked, "同意")
    assert bound["chat"] != before
    assert "绑定好了" in texts(bound)[-1]
    await guest.open()
    assert not guest.data["guest"]
    assert [line["text"] for line in guest.data["lines"]] == texts(bound)
    assert "王芳同志" in texts(await guest.say("我的"))[-1]
    with house_on.app.database.read() as tx:
        assert tx.run(select(WebMessage.key).where(WebMessage.key.startswith("g"))).all() == []  # type: ignore[call-overload]  # columns


async def test_a_consent_sent_again_after_a_tunnel_gets_the_same_answer(house: House, site: Running) -> None:
    guest = await site.browser()
    await guest.open()
    asked = (await guest.say(issue_code(house, "王芳")))["lines"][-1]
    sent = new_id()
    first = await guest.tap(asked, "同意", sent)
    again = await guest.tap(asked, "同意", sent)
    assert again["lines"] == first["lines"]


async def test_opening_the_page_writes_nothing(house: House, site: Running) -> None:
    guest = await site.browser()
    await guest.open()
    with house.app.database.read() as tx:
        assert tx.run(select(WebSession.key)).all() == []  # type: ignore[call-overload]  # a column


async def test_what_a_guest_typed_is_gone_after_two_days_and_what_a_member_did_is_not(
    house: House, site: Running
) -> None:
    guest, wang = await site.browser(), await signed_in(site, house, "王芳")
    await guest.open()
    await guest.say("K7M2P-9QRST")
    await wang.say("我的")
    house.later(days=2, hours=1)
    house.tick()
    await guest.open()
    await wang.open()
    assert guest.data["lines"] == []
    assert len(wang.data["lines"]) == 2


# -- links ----------------------------------------------------------------------------------------------------------


async def test_looking_at_a_link_changes_nothing(house: House, site: Running) -> None:
    bind(house, "王芳")
    path = link(house, "王芳")
    browser = await site.browser()
    for _ in range(3):
        assert "以 王芳 的身份进入？" in await browser.open(path)
    await browser.enter(path)
    assert browser.path == "/chat"
    assert not browser.data["guest"]


async def test_a_link_opens_once(house_on: House, site_on: Running) -> None:
    bind(house_on, "王芳")
    path = link(house_on, "王芳")
    await (await site_on.browser()).enter(path)
    other = await site_on.browser()
    assert "已经用过" in await other.submit(path, link=path.removeprefix("/l/"))
    assert other.status == 410
    assert "已经用过" in await other.open(path)
    await other.open("/chat")
    assert other.data["guest"]


async def test_a_link_ends_with_its_time(house: House, site: Running) -> None:
    bind(house, "王芳")
    path = link(house, "王芳")
    house.later(minutes=15)
    browser = await site.browser()
    await browser.submit(path, link=path.removeprefix("/l/"))
    assert browser.status == 410


async def test_a_link_pressed_on_a_strangers_page_signs_nobody_in(house: House, site: Running) -> None:
    bind(house, "王芳")
    path = link(house, "王芳")
    browser = await site.browser()
    form = {"link": path.removeprefix("/l/")}
    for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
        async with browser.session.post(site.url + path, data=form, headers=headers) as answer:
            assert answer.status == 403
    await browser.enter(path)
    assert not browser.data["guest"]


async def test_a_reusable_link_is_good_only_in_the_demonstration(house: House, site: Running) -> None:
    bind(house, "王芳")
    path = link(house, "王芳", reusable=True)
    browser = await site.browser()
    await browser.submit(path, link=path.removeprefix("/l/"))
    assert browser.status == 410


async def test_who_enters_for_the_first_time_consents_first_and_the_old_chats_are_told(
    house: House, site: Running
) -> None:
    house.chat("王芳", "telegram")
    path = link(house, "王芳")
    browser = await site.browser()
    assert "同意并进入" in await browser.open(path)
    assert "同意并进入" in await browser.submit(path, link=path.removeprefix("/l/"))
    with house.app.database.read() as tx:
        assert [b.address.channel for b in addresses.of_person(tx, house.ids["王芳"])] == ["telegram"]
    await browser.enter(path, consent=True)
    assert not browser.data["guest"]
    with house.app.database.read() as tx:
        channels = [row.channel for row in tx.run(select(Consent.channel).order_by(Consent.id))]  # type: ignore[call-overload]  # columns
        kinds = [tuple(row) for row in tx.run(select(Campaign.kind, Campaign.channels))]  # type: ignore[call-overload]  # columns
    assert channels == ["telegram", "web"]
    assert kinds == [("bound", "telegram")]


async def test_a_persona_has_a_seat_of_its_own(house: House) -> None:
    async with running(house, demo=True) as site:
        browser = await site.browser()
        for name in ("王芳", "李书记"):
            bind(house, name)
            await browser.enter(link(house, name, reusable=True))
        for name in ("王芳", "李书记"):
            await browser.open(f"/p/{house.ids[name]}/chat")
            assert (
                f"{name}同志" in texts(await browser.say("我的"))[-1] or name in texts(await browser.say("我的"))[-1]
            )
        again = await site.browser()
        await again.enter(f"/l/token-of-{house.ids['王芳']}")
        assert again.path == f"/p/{house.ids['王芳']}/chat"
        other = await site.browser()
        await other.open(f"/p/{house.ids['王芳']}/chat")
        assert other.path in ("/", "/chat")
        assert other.data.get("guest", True)


# -- number and code ------------------------------------------------------------------------------------------------


def sent_code(house: House, name: str) -> str | None:
    """The code that the newest sign-in telling would say to somebody."""
    with house.app.database.read() as tx:
        told = campaigns.about(tx, "signin", house.ids[name])
        message = house.app.reception.compose(tx, house.now, told[-1], house.ids[name]) if told else None
    return "".join(c for c in message.text.split("，")[0] if c.isdecimal()) if message else None


async def test_a_code_sent_over_a_bound_chat_signs_in(house_on: House, site_on: Running) -> None:
    house_on.chat("王芳", "telegram")
    bind(house_on, "王芳")
    browser = await site_on.browser()
    await browser.open("/sign-in")
    assert "验证码已经发过去" in await browser.submit("/sign-in", number="1001")
    code = sent_code(house_on, "王芳")
    assert code
    assert len(code) == 6
    await browser.submit("/sign-in/code", number="1001", code=code)
    await browser.open()
    assert not browser.data["guest"]


async def test_a_code_leads_to_the_consent_where_the_web_chat_is_new(house: House, site: Running) -> None:
    house.chat("王芳", "telegram")
    browser = await site.browser()
    await browser.open("/sign-in")
    await browser.submit("/sign-in", number="1001")
    page = await browser.submit("/sign-in/code", number="1001", code=sent_code(house, "王芳") or "")
    assert "同意并进入" in page
    await browser.enter(browser.path, consent=True)
    assert not browser.data["guest"]


async def test_the_answer_is_the_same_for_numbers_that_nobody_has(house: House, site: Running) -> None:
    house.chat("王芳", "telegram")
    pages = []
    for number in ("1001", "1002", "9999"):
        browser = await site.browser()
        await browser.open("/sign-in")
        page = await browser.submit("/sign-in", number=number)
        token = browser.page.partition('name="token" value="')[2][:64]
        pages.append(page.replace(number, "NUMBER").replace(token, "TOKEN"))
    assert pages[0] == pages[1] == pages[2]
    assert sent_code(house, "李书记") is None


async def test_five_wrong_codes_and_the_right_one_is_worthless(house_on: House, site_on: Running) -> None:
    house_on.chat("王芳", "telegram")
    browser = await site_on.browser()
    await browser.open("/sign-in")
    await browser.submit("/sign-in", number="1001")
    code = sent_code(house_on, "王芳") or ""
    wrong = "000000" if code != "000000" else "000001"
    for _ in range(sign_in.TRIES):
        assert "验证码不对" in await browser.submit("/sign-in/code", number="1001", code=wrong)
    assert "验证码不对" in await browser.submit("/sign-in/code", number="1001", code=code)


async def test_a_code_ends_after_ten_minutes_and_is_not_sent_late(house: House, site: Running) -> None:
    house.chat("王芳", "telegram")
    browser = await site.browser()
    await browser.open("/sign-in")
    await browser.submit("/sign-in", number="1001")
    code = sent_code(house, "王芳") or ""
    house.later(minutes=10)
    assert sent_code(house, "王芳") is None
    assert "验证码不对" in await browser.submit("/sign-in/code", number="1001", code=code)


async def test_nobody_is_pestered_with_codes(house: House, site: Running) -> None:
    house.chat("王芳", "telegram")
    browser = await site.browser()
    await browser.open("/sign-in")
    for _ in range(10):
        assert "验证码已经发过去" in await browser.submit("/sign-in", number="1001")
        await browser.open("/sign-in")
    with house.app.database.read() as tx:
        assert len(campaigns.about(tx, "signin", house.ids["王芳"])) == 3
    assert "太频繁" in await browser.submit("/sign-in", number="1001")
    assert browser.status == 429


# -- ending a session --------------------------------------------------------------------------------------------


async def test_signing_out_ends_the_session_and_tells_the_open_page(house: House, site: Running) -> None:
    wang = await signed_in(site, house, "王芳")
    async with wang.events() as stream:
        await wang.open("/chat/sessions")
        await wang.submit("/chat/sign-out")
        assert (await next_event(stream))[0] == "ended"
    assert wang.path == "/sign-in"
    await wang.send({"id": new_id(), "text": "我的"}, status=403)  # the page belongs to nobody any more
    await wang.open()
    assert wang.data["guest"]


async def test_a_lost_browser_is_signed_out_from_another(house: House, site: Running) -> None:
    lost, here = await signed_in(site, house, "王芳"), await signed_in(site, house, "王芳")
    page = await here.open("/chat/sessions")
    assert "就是这里" in page
    handle = page.partition('action="/chat/sessions"')[2].partition('name="session" value="')[2][:16]
    async with lost.events() as stream:
        await here.submit("/chat/sessions", session=handle)
        assert (await next_event(stream))[0] == "ended"
    await lost.send({"id": new_id(), "text": "我的"}, status=401)
    assert "王芳同志" in texts(await here.say("我的"))[-1]


async def test_nobody_ends_somebody_elses_session(house: House, site: Running) -> None:
    wang, sun = await signed_in(site, house, "王芳"), await signed_in(site, house, "孙明")
    page = await wang.open("/chat/sessions")
    handle = page.partition('name="session" value="')[2][:16]
    await sun.open("/chat/sessions")
    await sun.submit("/chat/sessions", session=handle)
    assert "王芳同志" in texts(await wang.say("我的"))[-1]


async def test_letting_the_web_chat_go_ends_every_session(house: House, site: Running) -> None:
    wang, other = await signed_in(site, house, "王芳"), await signed_in(site, house, "王芳")
    listed = (await wang.say("解绑"))["lines"][-1]
    asked = (await wang.tap(listed, "网页聊天"))["lines"][-1]
    done = await wang.tap(asked, "确定")
    assert done["ended"]
    assert "已解除" in texts(done)[-1]
    await other.send({"id": new_id(), "text": "我的"}, status=401)


async def test_a_session_ends_after_thirty_days_and_when_somebody_leaves(house: House, site: Running) -> None:
    wang, sun = await signed_in(site, house, "王芳"), await signed_in(site, house, "孙明")
    with house.app.database.write() as tx:
        people.change(tx, house.ids["孙明"], left_on=house.now.date())
    await sun.send({"id": new_id(), "text": "我的"}, status=401)
    house.later(days=30)
    await wang.send({"id": new_id(), "text": "我的"}, status=401)


async def test_the_cookie_is_kept_from_scripts_and_from_plain_connections(house: House) -> None:
    for public, name in (("http://tiexin.example", "tiexin"), ("https://tiexin.example", "__Host-tiexin")):
        async with running(house, public_url=public) as site:
            browser = await site.browser()
            await browser.open()
            cookie = browser.headers["Set-Cookie"]
            assert cookie.startswith(f"{name}=")
            assert "HttpOnly" in cookie
            assert "SameSite=Lax" in cookie
            assert ("Secure" in cookie) == public.startswith("https")
            with house.app.database.read() as tx:
                value = cookie.partition("=")[2].partition(";")[0]
                assert web.session(tx, value.encode(), house.now) is None


def test_the_personas_of_the_demonstration_speak_english_to_an_english_visitor() -> None:
    def say(what: str, **values: object) -> str:
        return speaking.say(Words(f"web.{what}", values), "en")

    speaking = renderer(ZoneInfo("Asia/Shanghai"))
    named = [Persona(one.role, "NAME", one.line, "TOKEN") for one in PERSONAS]
    page = speaking.page("personas.html", "en", say=say, house="HOUSE", urls=defaultdict(str), personas=named)
    assert page.count('class="face"') == len(PERSONAS)
    assert re.findall("[\u4e00-\u9fff]+", page) == []


async def test_english_readers_get_english_pages(house: House, site: Running) -> None:
    browser = await site.browser(**{"Accept-Language": "en-GB,en;q=0.9"})
    assert "binding code" in await browser.open()
    assert "Sign in by employee number" in await browser.open("/sign-in")
    assert "There is no such page" in await browser.open("/nowhere")
