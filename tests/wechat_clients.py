"""Clients of WeChat's API for the tests: ours, and wechatpy as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from wechatpy import WeChatClient

from bot.adapters.tencent_client import ApiError, SafeClient, SharedTokens, done, stable_token
from tests.fakes.wechat import APPID, SECRET, FakeWeChat
from tests.people import House

TOKEN_PATHS = ("token", "stable_token")


def shared(house: House, base: str, **values: Any) -> SharedTokens:
    """The token store of one process of this house."""

    def run(work: Callable[[Any], Any]) -> Any:
        with house.app.database.write() as tx:
            return work(tx)

    return SharedTokens(f"wechat:{APPID}", run, stable_token(APPID, SECRET, base, **values), lambda: house.now)


def client_of(house: House, wechat: FakeWeChat, store: SharedTokens | None = None, timeout: float = 4) -> SafeClient:
    return SafeClient(APPID, wechat.url, store or shared(house, wechat.url), timeout)


@contextmanager
def naive(wechat: FakeWeChat, **values: Any) -> Iterator[WeChatClient]:
    """wechatpy as it comes, but for its address of tokens, which cannot be set and would be the real one."""
    client = WeChatClient(APPID, SECRET, **values)
    client.API_BASE_URL = wechat.api_base
    real = client._http.get

    def here(url: str, **more: Any) -> Any:
        assert url == "https://api.weixin.qq.com/cgi-bin/token", "API_BASE_URL does not reach it"
        return real(f"{wechat.api_base}token", **more)

    client._http.get = here
    yield client
    client._http.close()


def text(openid: str) -> dict[str, Any]:
    return {"touser": openid, "msgtype": "text", "text": {"content": "您好"}}


async def send(client: SafeClient, openid: str) -> Any:
    return await asyncio.to_thread(lambda: done(client.post("message/custom/send", data=text(openid))))


async def failure(client: SafeClient, openid: str) -> ApiError:
    with pytest.raises(ApiError) as failed:
        await send(client, openid)
    return failed.value


def tokens(wechat: FakeWeChat) -> int:
    """How often a token was asked for."""
    return sum(len(wechat.called(path)) for path in TOKEN_PATHS)
