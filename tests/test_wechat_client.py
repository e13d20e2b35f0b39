"""Calls to WeChat's API: one token for everybody, one retry, and nothing secret in what goes wrong?"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
import requests
from aiohttp import web
from wechatpy import WeChatClient
from wechatpy.session.memorystorage import MemoryStorage

from bot.adapters.tencent_client import SafeClient, stable_token
from storage import tokens as kept
from tests.fakes.wechat import APPID, SECRET, FakeWeChat, Limits, bad_gateway, html_page, lost, silence
from tests.people import House
from tests.running import free_port
from tests.wechat_clients import client_of, failure, naive, send, shared, tokens


@pytest_asyncio.fixture
async def wechat() -> AsyncIterator[FakeWeChat]:
    async with FakeWeChat() as fake:
        yield fake


# -- one retry ------------------------------------------------------------------------------------------------


async def test_wechatpy_repeats_a_refused_call_until_it_breaks(wechat: FakeWeChat) -> None:
    wang = wechat.user("王芳")
    wechat.endless_40001 = True
    with naive(wechat) as client, pytest.raises(RecursionError):
        await asyncio.to_thread(client.message.send_text, wang.openid, "您好")
    assert tokens(wechat) > 50, "each time it fetches another token"


async def test_ours_makes_three_requests_at_most_and_says_why(house: House, wechat: FakeWeChat) -> None:
    wang = wechat.user("王芳")
    wechat.endless_40001 = True
    store = shared(house, wechat.url)
    for seconds in (0, 0, 60, 60, 8_000, 60):
        house.later(seconds=seconds)
        before = len(wechat.calls)
        assert (await failure(client_of(house, wechat, store), wang.openid)).code == 40001
        assert 2 <= len(wechat.calls) - before <= 3


async def test_a_token_that_somebody_else_has_ended_is_replaced_once(house: House, wechat: FakeWeChat) -> None:
    wang, client = wechat.user("王芳"), client_of(house, wechat)
    await wang.says("在吗", wait=False)
    await send(client, wang.openid)
    wechat.foreign_refresh()
    house.later(minutes=1)
    await send(client, wang.openid)
    assert [call.errcode for call in wechat.called("message/custom/send")] == [0, 40001, 0]
    assert tokens(wechat) == 2


async def test_a_token_that_is_too_old_is_replaced(house: House, wechat: FakeWeChat) -> None:
    wang, client = wechat.user("王芳"), client_of(house, wechat)
    await wang.says("在吗", wait=False)
    await send(client, wang.openid)
    await wechat.advance(7_200)
    house.later(minutes=1)  # by its own clock, which is wrong, the token is good
    await send(client, wang.openid)
    assert [call.errcode for call in wechat.called("message/custom/send")] == [0, 42001, 0]


async def test_a_token_is_fetched_anew_before_it_is_too_old(house: House, wechat: FakeWeChat) -> None:
    wang, client = wechat.user("王芳"), client_of(house, wechat)
    await wang.says("在吗", wait=False)
    for seconds in (0, 7_081, 119):
        house.later(seconds=seconds)
        await wechat.advance(seconds)
        await send(client, wang.openid)
    assert {call.errcode for call in wechat.calls} == {0}
    assert tokens(wechat) == 2


async def test_one_token_that_is_refused_for_good_is_forced_out_at_last(house: House, wechat: FakeWeChat) -> None:
    """The stable one is repeated as long as WeChat thinks it good; should it be refused, asking nicely is no use."""
    wang, store = wechat.user("王芳"), shared(house, wechat.url)
    wechat.endless_40001 = True
    for _ in range(20):
        assert (await failure(client_of(house, wechat, store), wang.openid)).code == 40001
    forced = [call.params["force_refresh"] for call in wechat.called("stable_token")]
    assert forced[:3] == [False, False, True]
    assert sum(forced) == 1, "twenty a day at most"
    house.later(minutes=76)
    for _ in range(3):
        await failure(client_of(house, wechat, store), wang.openid)
    assert sum(call.params["force_refresh"] for call in wechat.called("stable_token")) == 2


# -- one token for all ----------------------------------------------------------------------------------------


async def test_sixteen_threads_without_a_token_fetch_one(house: House, wechat: FakeWeChat) -> None:
    wang, store, ready = wechat.user("王芳"), shared(house, wechat.url), threading.Barrier(16)

    def one() -> None:
        client = client_of(house, wechat, store)
        ready.wait()
        client.post("openapi/quota/get", data={"cgi_path": "/cgi-bin/token"})

    with ThreadPoolExecutor(16) as pool:
        await asyncio.gather(*(asyncio.get_running_loop().run_in_executor(pool, one) for _ in range(16)))
    assert (tokens(wechat), wang.sends_left) == (1, 0)


async def test_wechatpy_fetches_one_for_each_thread(wechat: FakeWeChat) -> None:
    ready = threading.Barrier(8)

    def one(client: WeChatClient) -> None:
        ready.wait()
        _ = client.access_token

    with naive(wechat) as client, ThreadPoolExecutor(8) as pool:
        await asyncio.gather(*(asyncio.get_running_loop().run_in_executor(pool, one, client) for _ in range(8)))
    assert tokens(wechat) > 1, "and each ends the one before"


async def test_two_processes_share_a_token_and_drop_it_only_if_it_is_that_one(
    house: House, wechat: FakeWeChat
) -> None:
    wang = wechat.user("王芳")
    await wang.says("在吗", wait=False)
    here, there = shared(house, wechat.url), shared(house, wechat.url)
    old = await asyncio.to_thread(here.get)
    assert await asyncio.to_thread(there.get) == old
    wechat.foreign_refresh()
    house.later(minutes=1)
    await send(client_of(house, wechat, here), wang.openid)
    new = await asyncio.to_thread(here.get)
    await asyncio.to_thread(there.drop, old)  # late: it has been replaced already
    assert await asyncio.to_thread(there.get) == new
    assert tokens(wechat) == 2


async def test_who_waits_for_the_other_process_takes_what_that_one_fetched(house: House, wechat: FakeWeChat) -> None:
    fetching, go_on = threading.Event(), threading.Event()

    def slowly(force: bool) -> tuple[str, float]:
        fetching.set()
        assert go_on.wait(20)
        return stable_token(APPID, SECRET, wechat.url)(force)

    first, second = shared(house, wechat.url), shared(house, wechat.url)
    first._fetch = slowly
    one = asyncio.create_task(asyncio.to_thread(first.get))
    await asyncio.to_thread(fetching.wait, 20)
    other = asyncio.create_task(asyncio.to_thread(second.get))
    await asyncio.sleep(0.25)
    assert not other.done()
    go_on.set()
    assert await one == await other
    assert tokens(wechat) == 1


async def test_a_process_that_died_while_fetching_holds_nobody_up_for_long(house: House, wechat: FakeWeChat) -> None:
    with house.app.database.write() as tx:
        assert kept.find(tx, house.now, f"wechat:{APPID}", "dead").mine
    with house.app.database.write() as tx:
        assert not kept.find(tx, house.now, f"wechat:{APPID}", "alive").mine
        assert kept.find(tx, house.now + timedelta(seconds=11), f"wechat:{APPID}", "alive").mine


def test_wechatpys_own_store_knows_no_end_of_life() -> None:
    store = MemoryStorage()
    store.set("token", "abc", 0.0)
    assert store.get("token") == "abc", "though its life was over at once"
    assert store["token"] is None


# -- no verdict -----------------------------------------------------------------------------------------------


async def test_a_page_with_status_200_is_no_success(house: House, wechat: FakeWeChat) -> None:
    wang = wechat.user("王芳")
    await wang.says("在吗", wait=False)
    with naive(wechat) as client:
        wechat.script(html_page(), path="message/custom/send")
        result = await asyncio.to_thread(client.message.send_text, wang.openid, "您好")
        assert isinstance(result, requests.Response), "wechatpy hands the page on as if all were well"
    wechat.script(html_page(), path="message/custom/send")
    error = await failure(client_of(house, wechat), wang.openid)
    assert (error.code, error.left) == (None, True)


@pytest.mark.parametrize("fault", [bad_gateway(), bad_gateway(accepted=True), lost(), lost(accepted=False)])
async def test_what_may_have_arrived_has_no_verdict(house: House, wechat: FakeWeChat, fault: Any) -> None:
    wang = wechat.user("王芳")
    await wang.says("在吗", wait=False)
    wechat.script(fault, path="message/custom/send")
    error = await failure(client_of(house, wechat), wang.openid)
    assert (error.code, error.left) == (None, True)
    assert len(wechat.called("message/custom/send")) == 1, "a second one might be seen twice"


async def test_no_answer_has_an_end(house: House, wechat: FakeWeChat) -> None:
    wang = wechat.user("王芳")
    await wang.says("在吗", wait=False)
    wechat.script(silence(), path="message/custom/send")
    error = await failure(client_of(house, wechat, timeout=0.2), wang.openid)
    assert (error.code, error.left) == (None, True)
    wechat.script(silence(), path="stable_token")
    store = shared(house, wechat.url, timeout=0.2)
    store._name = "wechat:another"
    error = await failure(client_of(house, wechat, store), wang.openid)
    assert (error.code, error.left) == (None, False), "without a token nothing was sent"


async def test_wechatpy_waits_for_a_token_without_end(wechat: FakeWeChat) -> None:
    asked: list[dict[str, Any]] = []
    with naive(wechat, timeout=0.2) as client:
        real = client._http.get

        def noted(url: str, **more: Any) -> Any:
            asked.append(more)
            return real(url, **more)

        client._http.get = noted
        await asyncio.to_thread(client.fetch_access_token)
    assert "timeout" not in asked[0], "the time limit it was given does not reach this request"


async def test_a_house_that_nobody_answers_has_sent_nothing(house: House) -> None:
    error = await failure(SafeClient(APPID, "http://127.0.0.1:9", shared(house, "http://127.0.0.1:9")), "o1")
    assert (error.code, error.left) == (None, False)
    held = SafeClient(APPID, "http://127.0.0.1:9", _Held())
    error = await failure(held, "o1")
    assert (error.code, error.left) == (None, False)


class _Held:
    """A token at hand."""

    def get(self) -> str:
        return "a-token-that-nobody-should-see"

    def drop(self, token: str) -> bool:
        return True


async def test_a_redirect_does_not_carry_the_token_elsewhere() -> None:
    port = free_port()
    seen: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(str(request.rel_url))
        raise web.HTTPTemporaryRedirect(f"http://127.0.0.1:{port}/elsewhere?{request.query_string}")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        error = await failure(SafeClient(APPID, f"http://127.0.0.1:{port}", _Held()), "o1")
    finally:
        await runner.cleanup()
    assert (error.code, error.left, len(seen)) == (None, True, 1)


async def test_two_fetches_that_failed_are_one_for_those_who_waited(house: House) -> None:
    async with FakeWeChat(limits=Limits(per_minute={"stable_token": 0})) as wechat:
        store = shared(house, wechat.url)
        for _ in range(3):
            assert (await failure(client_of(house, wechat, store), "o1")).code == 45011
        assert tokens(wechat) == 1
        house.later(seconds=2)
        await failure(client_of(house, wechat, store), "o1")
        assert tokens(wechat) == 2
