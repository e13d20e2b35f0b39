"""Does the web chat lose nothing, double nothing, and let in nobody else?"""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from sqlalchemy import select

from bot.core.reply import Key, Message, Undelivered
from handlers.binding import desk, sign_in
from storage import addresses, campaigns, people, web
from storage.addresses import Consent
from storage.audit import OPERATOR
from storage.campaigns import Campaign
from storage.web import WebMessage, WebSession
from tests.people import House
from tests.polls import open_poll, votes
from tests.sites import Browser, Running, bind, link, new_id, next_event, running


@pytest.fixture
async def site(house: House) -> AsyncIterator[Running]:
    async with running(house) as site:
        yield site


@pytest.fixture
async def site_on(house_on: House) -> AsyncIterator[Running]:
    """The same, once on SQLite and once on PostgreSQL."""
    async with running(house_on) as site:
        yield site


async def signed_in(site: Running, house: House, name: str, token: str = "") -> Browser:
    bind(house, name)
    browser = await site.browser()
    await browser.enter(link(house, name, token or new_id()))
    return browser


def texts(answer: dict[str, object]) -> list[str]:
    lines = answer["lines"]
    assert isinstance(lines, list)
    return [line["text"] for line in lines]


# -- saying and pressing ----------------------------------------------------------------------------------------


async def test_words_are_answered_and_stay_on_the_page(house: House, site: Running) -> None:
    wang = await signed_in(site, house, "王芳")
    answer = await wang.say("我的")
    mine, reply = answer["lines"]
    assert mine["mine"]
    assert mine["text"] == "我的"
    assert "王芳同志（1001）" in reply["text"]
    await wang.open()
    assert [line["text"] for line in wang.data["lines"]] == texts(answer)


async def test_a_message_sent_again_after_a_tunnel_is_the_same_lines_once(house_on: House, site_on: Running) -> None:
    wang = await signed_in(site_on, house_on, "王芳")
    sent = new_id()
    first = await wang.say("我的", sent)
    again = await wang.say("我的", sent)
    assert again["lines"] == first["lines"]
    await wang.open()
    assert len(wang.data["lines"]) == 2


async def test_a_tap_changes_the_message_it_stands_under(house: House, site: Running) -> None:
    poll = open_poll(house)
    wang = await signed_in(site, house, "王芳")
    asked = (await wang.say("投票"))["lines"][-1]
    answer = await wang.tap(asked, "孙明")
    assert [line["id"] for line in answer["lines"]] == [asked["id"]]
    assert answer["lines"][0]["text"].startswith("已记录：孙明")
    assert answer["lines"][0]["version"] > asked["version"]
    assert answer["toast"]
    assert votes(house, poll) == {house.ids["王芳"]: (2,)}


async def test_a_late_redelivery_of_a_tap_does_not_undo_a_newer_one(house_on: House, site_on: Running) -> None:
    poll = open_poll(house_on)
    wang = await signed_in(site_on, house_on, "王芳")
    asked = (await wang.say("投票"))["lines"][-1]
    sent = new_id()
    await wang.tap(asked, "孙明", sent)
    changed = await wang.tap(asked, "吴强")
    late = await wang.tap(asked, "孙明", sent)
    assert votes(house_on, poll) == {house_on.ids["王芳"]: (3,)}
    assert late["lines"] == changed["lines"]


async def test_a_button_with_an_answer_of_its_own_shows_what_was_pressed(house: House, site: Running) -> None:
    wang = await signed_in(site, house, "王芳")
    helped = (await wang.say("帮助"))["lines"][-1]
    mine, reply = (await wang.tap(helped, "我的"))["lines"]
    assert (mine["mine"], mine["text"]) == (True, "我的")
    assert "王芳同志" in reply["text"]


async def test_somebody_elses_line_cannot_be_pressed_or_changed(house: House, site: Running) -> None:
    open_poll(house)
    wang, sun = await signed_in(site, house, "王芳"), await signed_in(site, house, "孙明")
    asked = (await wang.say("投票"))["lines"][-1]
    await sun.tap(asked, "孙明")
    await wang.open()
    assert wang.data["lines"][-1] == asked


async def test_a_button_of_nowhere_is_answered(house: House, site: Running) -> None:
    wang = await signed_in(site, house, "王芳")
    answer = await wang.send({"id": new_id(), "press": "nonsense", "on": 10**17})
    assert len(answer["lines"]) == 1


async def test_half_a_character_breaks_nothing(house: House, site: Running) -> None:
    wang = await signed_in(site, house, "王芳")
    answer = await wang.send({"id": new_id(), "text": "\ud83d 你好\0"})
    assert answer["lines"][0]["text"] == "? 你好"


async def test_a_file_nobody_asked_for_gets_a_friendly_no(house: House, site: Running) -> None:
    wang = await signed_in(site, house, "王芳")
    status, answer = await upload(wang, b"1,2,3")
    assert status == 200
    assert answer["lines"][0]["text"] == "📎 名册.csv"
    assert len(answer["lines"]) == 2


async def upload(browser: Browser, content: bytes) -> tuple[int, dict[str, Any]]:
    form = aiohttp.FormData(quote_fields=False)  # as browsers do
    form.add_field("id", new_id())
    form.add_field("file", io.BytesIO(content), filename="名册.csv", content_type="text/csv")
    headers = {"Origin": browser.url, "X-Tiexin-Token": browser.token, "Accept": "application/json"}
    async with browser.session.post(browser.url + "/chat/file", data=form, headers=headers) as answer:
        return answer.status, await answer.json()


# -- what is refused --------------------------------------------------------------------------------------------


async def test_a_stranger_s_page_cannot_speak_for_a_member(house: House, site: Running) -> None:
    wang = await signed_in(site, house, "王芳")
    message = {"id": new_id(), "text": "投票"}
    await wang.send(message, status=403, Origin="https://evil.example")
    await wang.send(message, status=403, Origin="null")
    await wang.send(message, status=403, Origin=None)
    await wang.send(message, status=403, X_Tiexin_Token=None)
    await wang.send(message, status=403, X_Tiexin_Token="0" * 64)
    other = await signed_in(site, house, "孙明")
    await wang.send(message, status=403, X_Tiexin_Token=other.token)
    await wang.open()
    assert wang.data["lines"] == []


async def test_who_has_no_cookie_is_told_to_sign_in(site: Running) -> None:
    somebody = await site.browser()
    answer = await somebody.send({"id": new_id(), "text": "投票"}, status=401)
    assert "登录" in answer["error"]


@pytest.mark.parametrize(
    "value",
    [
        [], {}, {"id": 1, "text": "a"}, {"id": "d1", "text": "a"}, {"id": new_id()}, {"id": new_id(), "text": 5},
        {"id": new_id(), "press": 5}, {"id": new_id(), "press": "x", "text": "a"},
        {"id": new_id(), "press": "x", "on": "1"}, {"id": new_id(), "press": "x", "on": True},
        {"id": new_id(), "press": "x", "on": -1},
    ],
)  # fmt: skip
async def test_what_is_no_message_is_refused_in_words(house: House, site: Running, value: object) -> None:
    wang = await signed_in(site, house, "王芳")
    assert "没看懂" in (await wang.send(value, status=400))["error"]


async def test_truncated_json_is_refused_in_words(house: House, site: Running) -> None:
    wang = await signed_in(site, house, "王芳")
    headers = {"Origin": site.url, "X-Tiexin-Token": wang.token, "Content-Type": "application/json"}
    async with wang.session.post(site.url + "/chat/messages", data=b'{"id": "', headers=headers) as answer:
        assert answer.status == 400
        assert "没看懂" in (await answer.json())["error"]


async def test_a_message_of_a_hundred_kilobytes_is_too_large_and_a_file_of_as_much_is_not(
    house: House, site: Running
) -> None:
    wang = await signed_in(site, house, "王芳")
    answer = await wang.send({"id": new_id(), "text": "长" * 40_000}, status=413)
    assert "太大" in answer["error"]
    assert (await upload(wang, b"x" * 100_000))[0] == 200
    status, told = await upload(wang, b"x" * (10 * 1024 * 1024 + 1))
    assert status == 413
    assert "太大" in str(told["error"])


async def test_a_busy_house_asks_to_come_again(house: House, site: Running) -> None:
    wang = await signed_in(site, house, "王芳")
    await site.writer.close()
    answer = await wang.send({"id": new_id(), "text": "投票"}, status=503)
    assert wang.headers["Retry-After"] == "2"
    assert "忙" in answer["error"]


async def test_a_guest_who_talks_without_end_is_slowed_down(house: House, site: Running) -> None:
    guest = await site.browser()
    await guest.open()
    for _ in range(30):
        await guest.say("你好")
    await guest.send({"id": new_id(), "text": "你好"}, status=429)
    assert guest.headers["Retry-After"] == "5"
    house.later(seconds=10)
    await guest.say("你好")


# -- hearing ----------------------------------------------------------------------------------------------------


async def test_a_delivery_is_seen_at_once_and_only_once(house_on: House, site_on: Running) -> None:
    wang = await signed_in(site_on, house_on, "王芳")
    key = f"p{house_on.ids['王芳']}"
    async with wang.events() as stream:
        line = await site_on.server.channel.send(key, 7, Message("周五开会", ((Key("收到", "x"),),)))
        name, data, version = await next_event(stream)
        assert name == "message"
        assert [(str(one["id"]), one["text"]) for one in data["lines"]] == [(line, "周五开会")]
        assert await site_on.server.channel.send(key, 7, Message("周五开会")) == line
        await site_on.server.channel.revise(key, line, Message("周五开会（已收到）"))
        _, data, newer = await next_event(stream)
        assert [one["text"] for one in data["lines"]] == ["周五开会（已收到）"]
        assert data["lines"][0]["keys"] == []
        assert int(newer) > int(version)


async def test_a_browser_that_comes_back_hears_what_it_missed(house: House, site: Running) -> None:
    wang = await signed_in(site, house, "王芳")
    key = f"p{house.ids['王芳']}"
    await site.server.channel.send(key, 1, Message("一"))
    async with wang.events() as stream:
        _, _, seen = await next_event(stream)
    await site.server.channel.send(key, 2, Message("二"))
    async with wang.events(last=seen) as stream:
        _, data, _ = await next_event(stream)
    assert [one["text"] for one in data["lines"]] == ["二"]


async def test_what_another_process_writes_is_seen_too(house_on: House, site_on: Running) -> None:
    wang = await signed_in(site_on, house_on, "王芳")
    async with wang.events() as stream:
        with house_on.app.database.write() as tx:
            web.add_line(tx, house_on.now, f"p{house_on.ids['王芳']}", "d1", {"text": "别处写的", "keys": []})
        _, data, _ = await next_event(stream)
        assert data["lines"][0]["text"] == "别处写的"


async def test_nobody_hears_what_is_not_theirs(house: House, site: Running) -> None:
    wang, sun = await signed_in(site, house, "王芳"), await signed_in(site, house, "孙明")
    await site.server.channel.send(f"p{house.ids['王芳']}", 1, Message("给王芳"))
    await site.server.channel.send(f"p{house.ids['孙明']}", 2, Message("给孙明"))
    async with sun.events() as stream:
        _, data, _ = await next_event(stream)
    assert [one["text"] for one in data["lines"]] == ["给孙明"]
    await wang.open()
    assert [one["text"] for one in wang.data["lines"]] == ["给王芳"]


async def test_nothing_can_be_delivered_to_a_guest_or_while_the_house_is_busy(house: House, site: Running) -> None:
    with pytest.raises(Undelivered) as no:
        await site.server.channel.send("gabc", 1, Message("一"))
    assert no.value.permanent
    await site.writer.close()
    with pytest.raises(Undelivered) as busy:
        await site.server.channel.send("p1", 1, Message("一"))
    assert busy.value.retry_after == 2


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


async def test_english_readers_get_english_pages(house: House, site: Running) -> None:
    browser = await site.browser(**{"Accept-Language": "en-GB,en;q=0.9"})
    assert "binding code" in await browser.open()
    assert "Sign in by employee number" in await browser.open("/sign-in")
    assert "There is no such page" in await browser.open("/nowhere")
