"""Do the doors hold: words for every wrong turn, honest health, logs without contents, a clean end?"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request
from sqlalchemy import text
from structlog.testing import capture_logs

from bot.config import Config
from bot.config import Server as ServerSettings
from bot.core.reply import Message, Parcel
from bot.server import Persona, Server
from bot.server.visitors import Visitors
from storage import campaigns
from storage.database import downgrade
from tests.people import House
from tests.sites import Browser, Running, bind, link, new_id, next_event, running


@pytest.fixture
async def site(house: House) -> AsyncIterator[Running]:
    async with running(house) as site:
        yield site


async def get(site: Running, path: str) -> tuple[int, str, aiohttp.ClientResponse]:
    browser = await site.browser()
    async with browser.session.get(site.url + path, allow_redirects=False) as answer:
        return answer.status, await answer.text(), answer


# -- wrong turns ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/nowhere", "/static/../key", "/static/secret", "/p/1/chat", "/chat/x", "/l/"])
async def test_a_page_that_is_not_there_says_so_in_words(site: Running, path: str) -> None:
    status, page, _ = await get(site, path)
    assert status == 404
    assert "没有这个页面" in page


async def test_a_wrong_method_says_so_in_words(site: Running) -> None:
    browser = await site.browser()
    async with browser.session.post(site.url + "/chat", headers={"Origin": site.url}) as answer:
        assert answer.status == 405
        assert "GET" in answer.headers["Allow"]
        assert "不能这样打开" in await answer.text()


@pytest.mark.parametrize(
    ("origin", "status"), [("https://evil.example", 403), ("null", 403), (None, 403), ("same", 429)]
)
async def test_a_form_has_to_come_from_a_page_of_ours(
    house: House, site: Running, origin: str | None, status: int
) -> None:
    browser = await site.browser()
    await browser.open("/sign-in")
    for _ in range(10):
        await browser.submit("/sign-in", number="9")
        await browser.open("/sign-in")
    token = browser.found(r'name="token" value="([0-9a-f]+)"')
    headers = {} if origin is None else {"Origin": site.url if origin == "same" else origin}
    form = {"token": token, "number": "9"}
    async with browser.session.post(site.url + "/sign-in", data=form, headers=headers) as answer:
        assert answer.status == status


async def test_a_bug_of_ours_is_told_in_words_and_logged_without_contents(house: House, site: Running) -> None:
    async def broken(_request: web.Request) -> web.StreamResponse:
        raise ValueError("王芳的手机是13800000000")

    server = Server(house.app, site.writer)
    server.add_routes([web.get("/broken", broken)])
    url = await server.start("127.0.0.1", 0)
    browser = Browser(url, (await site.browser()).session)
    with capture_logs() as logs:
        page = await browser.open("/broken?secret=1")
    await server.stop()
    assert browser.status == 500
    assert "出错了" in page
    told = json.dumps(logs, ensure_ascii=False)
    assert "ValueError" in told
    assert "138" not in told
    assert "secret" not in told
    assert "王芳" not in told


# -- what every page wears ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/chat", "/sign-in", "/nowhere", "/healthz", "/static/chat.js", "/l/abc"])
async def test_every_answer_forbids_what_it_does_not_need(site: Running, path: str) -> None:
    _, _, answer = await get(site, path)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] in ("no-referrer", "same-origin")
    assert "aiohttp" not in answer.headers["Server"]


@pytest.mark.parametrize("path", ["/chat", "/sign-in"])
async def test_pages_hold_no_script_style_or_address_of_others(site: Running, path: str) -> None:
    _, page, answer = await get(site, path)
    assert " style=" not in page
    assert " onclick=" not in page
    assert "<style" not in page
    scripts = page.split("<script")[1:]
    assert all('src="/static/' in script or 'type="application/json"' in script for script in scripts)
    assert "http" not in page.replace("http://www.w3.org", "")
    assert answer.headers["Cache-Control"] == "no-store"


async def test_what_a_member_writes_never_becomes_markup(house: House, site: Running) -> None:
    bind(house, "王芳")
    browser = await site.browser()
    await browser.enter(link(house, "王芳"))
    await browser.say("</script><script>alert(1)</script>&amp;")
    page = await browser.open()
    assert "<script>alert" not in page
    assert browser.data["lines"][0]["text"] == "</script><script>alert(1)</script>&amp;"


# -- health -------------------------------------------------------------------------------------------------------


async def test_a_healthy_house_says_so(site: Running) -> None:
    assert (await get(site, "/healthz"))[0] == 200
    status, body, _ = await get(site, "/readyz")
    assert (status, json.loads(body)) == (200, {"ready": True})


async def test_a_house_that_cannot_write_is_alive_but_not_ready(site: Running) -> None:
    await site.writer.close()
    assert (await get(site, "/healthz"))[0] == 200
    status, body, _ = await get(site, "/readyz")
    assert (status, json.loads(body)) == (503, {"ready": False, "reason": "writer"})


async def test_a_house_whose_tables_are_not_ours_is_not_ready(house: House, site: Running) -> None:
    with house.app.database.write() as tx:
        tx.run(text("UPDATE alembic_version SET version_num = '0000'"))
    status, body, _ = await get(site, "/readyz")
    assert (status, json.loads(body)["reason"]) == (503, "migrations")


async def test_a_house_without_its_tables_is_not_ready(house: House, site: Running) -> None:
    downgrade(house.app.database.url, "base")
    status, body, _ = await get(site, "/readyz")
    assert (status, json.loads(body)["reason"]) == (503, "migrations")


async def test_a_part_that_joins_later_is_asked_too(site: Running) -> None:
    async def away() -> bool:
        raise ConnectionError

    site.server.add_check("queue", away)
    status, body, _ = await get(site, "/readyz")
    assert (status, json.loads(body)["reason"]) == (503, "queue")


async def test_the_numbers_count_events_and_deliveries(house: House, site: Running) -> None:
    bind(house, "王芳")
    browser = await site.browser()
    await browser.enter(link(house, "王芳"))
    sent = new_id()
    await browser.say("我的", sent)
    await browser.say("我的", sent)
    site.server.front.metrics.note("telegram", "answered")
    with house.app.database.write() as tx:
        campaigns.create(tx, house.now, "bound", 1, [house.ids["王芳"]], channel="web")
        campaigns.create(tx, house.now, "bound", 2, [house.ids["王芳"]], channel="web")
        campaigns.expand(tx, house.now)
    _, numbers, answer = await get(site, "/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    for line in (
        'tiexin_events_total{channel="web",outcome="answered"} 1.0',
        'tiexin_events_total{channel="web",outcome="again"} 1.0',
        'tiexin_events_total{channel="telegram",outcome="answered"} 1.0',
        'tiexin_handling_seconds_count{channel="web"} 2.0',
        'tiexin_deliveries{channel="web",state="queued"} 1.0',
        "tiexin_queue_depth 1.0",
        "tiexin_campaigns_waiting 1.0",
    ):
        assert line in numbers
    assert "王芳" not in numbers


# -- the log ------------------------------------------------------------------------------------------------------


async def test_the_log_tells_of_every_request_and_nothing_of_its_contents(house: House, site: Running) -> None:
    bind(house, "王芳")
    browser = await site.browser()
    with capture_logs() as logs:
        path = link(house, "王芳", "the-token")
        await browser.open(path + "?a=secret-question")
        await browser.enter(path)
        await browser.say("我家的秘密")
    requests = [(log["method"], log["route"], log["status"]) for log in logs if log["event"] == "request"]
    assert ("GET", "/l/{token}", 200) in requests
    assert ("POST", "/l/{token}", 303) in requests
    assert ("POST", "/chat/messages", 200) in requests
    told = json.dumps(logs, ensure_ascii=False)
    for secret in ("the-token", "secret-question", "秘密", browser.token):
        assert secret not in told


# -- the demonstration ----------------------------------------------------------------------------------------------


async def test_outside_the_demonstration_the_front_door_leads_to_the_chat(site: Running) -> None:
    status, _, answer = await get(site, "/")
    assert (status, answer.headers["Location"]) == (303, "/chat")


async def test_the_personas_are_shown_on_this_machine_alone(house: House) -> None:
    personas = [Persona("支部书记", "李书记", "第一支部", "the-token")]
    async with running(house, personas=personas, demo=True) as site:
        bind(house, "李书记")
        link(house, "李书记", "the-token", reusable=True)
        browser = await site.browser()
        assert "支部书记" in await browser.open("/")
        for headers in ({"Host": "evil.example"}, {"X-Forwarded-For": "203.0.113.5"}):
            async with browser.session.get(site.url + "/", headers=headers, allow_redirects=False) as answer:
                assert answer.status == 303
        form, headers = {"link": "the-token"}, {"Origin": site.url, "X-Forwarded-For": "203.0.113.5"}
        async with browser.session.post(site.url + "/l/the-token", data=form, headers=headers) as answer:
            assert answer.status == 410
        await browser.enter("/l/the-token")
        assert browser.path == f"/p/{house.ids['李书记']}/chat"


# -- where a request comes from ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("forwarded", "trusted", "place"),
    [
        ("203.0.113.5", "", "127.0.0.1"),
        ("203.0.113.5", "127.0.0.1", "203.0.113.5"),
        ("198.51.100.7, 203.0.113.5", "127.0.0.1", "203.0.113.5"),
        ("203.0.113.5, 10.0.0.2", "127.0.0.1, 10.0.0.0/8", "203.0.113.5"),
        ("2001:db8:1:2:3:4:5:6", "127.0.0.1", "2001:db8:1:2::/64"),
        ("nonsense", "127.0.0.1", "unknown"),
    ],
)
def test_a_place_is_what_a_trusted_proxy_says_and_nobody_else(
    house: House, forwarded: str, trusted: str, place: str
) -> None:
    networks = tuple(part.strip() for part in trusted.split(",") if part)
    config = Config(server=ServerSettings(trusted_proxies=networks))  # type: ignore[arg-type]  # parsed by it
    request = make_mocked_request("GET", "/", headers={"X-Forwarded-For": forwarded}).clone(remote="127.0.0.1")
    assert Visitors(config, house.app.house).place(request) == place


# -- the end --------------------------------------------------------------------------------------------------------


async def test_a_house_that_closes_lets_its_listeners_go(house: House, site: Running) -> None:
    bind(house, "王芳")
    browser = await site.browser()
    await browser.enter(link(house, "王芳"))
    async with browser.events() as stream:
        await site.server.channel.send(Parcel(1, f"p{house.ids['王芳']}", Message("再会")))
        assert (await next_event(stream))[1]["lines"][0]["text"] == "再会"
        await site.server.stop()
        assert (await next_event(stream))[0] == "closed"


async def test_a_house_that_closes_finishes_what_it_began(house: House, site: Running) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_request: web.Request) -> web.StreamResponse:
        begun.set()
        await go_on.wait()
        return web.Response(text="done")

    server = Server(house.app, site.writer)
    server.add_routes([web.get("/slow", slow)])
    browser = Browser(await server.start("127.0.0.1", 0), (await site.browser()).session)
    asking = asyncio.create_task(browser.open("/slow"))
    await begun.wait()
    stopping = asyncio.create_task(server.stop())
    go_on.set()
    assert await asking == "done"
    await stopping
