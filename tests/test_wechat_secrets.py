"""Does nothing secret stand in what goes wrong with WeChat's API, wherever one looks?"""

from __future__ import annotations

import asyncio
import pickle
import traceback
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
import requests
from sqlalchemy import text as sql
from wechatpy.exceptions import WeChatClientException

from bot.adapters.tencent_client import ApiError, corp_token
from tests.fakes.wechat import APPID, SECRET, FakeWeChat, bad_gateway, busy, html_page, lost, refused
from tests.people import House
from tests.wechat_clients import client_of, failure, naive, shared


@pytest_asyncio.fixture
async def wechat() -> AsyncIterator[FakeWeChat]:
    async with FakeWeChat() as fake:
        yield fake


def told(error: BaseException) -> str:
    """Everything that a log, a traceback with locals or a debugger of pickles could show of an exception."""
    shown = [str(error), repr(error), repr(vars(error)), "".join(traceback.format_exception(error))]
    seen: BaseException | None = error
    while seen is not None:
        shown += [repr(seen), repr(vars(seen))]
        seen = seen.__cause__ or seen.__context__
    return "\n".join([*shown, repr(pickle.dumps(error))])


FAULTS = {
    "an errcode": refused(45015),
    "busy": busy(),
    "a page": html_page(),
    "a gateway": bad_gateway(),
    "a lost answer": lost(),
    "a token refused": refused(40001),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
async def test_what_goes_wrong_holds_no_secret(house: House, wechat: FakeWeChat, fault: Any) -> None:
    wang, store = wechat.user("王芳"), shared(house, wechat.url)
    token = await asyncio.to_thread(store.get)
    client = client_of(house, wechat, store)
    wechat.script(fault, path="message/custom/send", times=2)
    error = await failure(client, wang.openid)
    for secret in (SECRET, token, "access_token", wang.openid, "您好"):
        assert secret not in told(error)
    assert SECRET not in repr(vars(client))


@pytest.mark.parametrize("fault", [refused(40125), html_page(), lost()], ids=["refused", "a page", "lost"])
async def test_a_token_that_cannot_be_fetched_holds_no_secret(house: House, wechat: FakeWeChat, fault: Any) -> None:
    wechat.script(fault, path="stable_token")
    error = await failure(client_of(house, wechat), "o1")
    assert SECRET not in told(error)
    assert APPID not in told(error)


async def test_wechatpys_exception_holds_them(wechat: FakeWeChat) -> None:
    wang = wechat.user("王芳")
    with naive(wechat) as client:
        with pytest.raises(WeChatClientException) as failed:
            await asyncio.to_thread(client.message.send_text, wang.openid, "您好")
        assert failed.value.client.secret == SECRET
        assert "access_token=" in failed.value.request.url
        client.API_BASE_URL = "http://127.0.0.1:9/"
        with pytest.raises(requests.ConnectionError, match="access_token="):
            await asyncio.to_thread(client.message.send_text, wang.openid, "您好")


async def test_a_token_of_wecom_is_asked_for_without_its_secret_being_told(wechat: FakeWeChat) -> None:
    with pytest.raises(ApiError) as failed:
        await asyncio.to_thread(corp_token("ww1", SECRET, wechat.url), False)
    assert SECRET not in told(failed.value)


async def test_the_token_is_sealed_in_the_database(house: House, wechat: FakeWeChat) -> None:
    token = await asyncio.to_thread(shared(house, wechat.url).get)
    with house.app.database.read() as tx:
        (kept,) = tx.run(sql("SELECT token FROM api_token")).scalars()
    assert token.encode() not in bytes(kept)
