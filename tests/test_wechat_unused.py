"""What does wechatpy do wrong that we have no use for – and do we really make none of it?"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
import requests
from wechatpy import WeChatClient
from wechatpy.client.api import WeChatMedia, WeChatMessage, WeChatQRCode
from wechatpy.oauth import WeChatOAuth
from wechatpy.session.memorystorage import MemoryStorage

from bot.adapters.tencent_client import ApiError, stable_token

ROOT = Path(__file__).parent.parent
TOKEN = "a-token-that-nobody-may-see"
UNUSED = {
    "send_mass_text", "send_mass_image", "send_mass_voice", "send_mass_video", "send_mass_article", "send_mass_card",
    "WeChatOAuth", "random_string", "showqrcode",
}  # fmt: skip
"""Names of wechatpy's that no room of the house mentions."""


class Heard(WeChatClient):  # type: ignore[misc]  # wechatpy has no types
    """A client that keeps what it would have sent."""

    def __init__(self) -> None:
        session = MemoryStorage()
        session.set("app_access_token", TOKEN, 7000)
        super().__init__("app", "secret", session=session)
        self.expires_at = 2**40
        self.sent: list[dict[str, Any]] = []

    def post(self, _url: str, **kwargs: Any) -> dict[str, Any]:
        self.sent.append(kwargs)
        return {"errcode": 0}


def test_wechatpy_sends_to_a_group_where_the_platform_wants_a_tag() -> None:
    client = Heard()
    WeChatMessage(client).send_mass_text(2, "通知")
    (sent,) = client.sent
    assert "group_id" in sent["data"]["filter"]
    assert "tag_id" not in sent["data"]["filter"]


def test_wechatpy_puts_the_token_into_the_address_of_a_picture() -> None:
    assert TOKEN in WeChatMedia(Heard()).get_url("picture")


def test_wechatpys_other_addresses_cannot_be_set() -> None:
    client = Heard()
    client.API_BASE_URL = "http://127.0.0.1:1/cgi-bin/"
    assert WeChatQRCode.get_url("ticket").startswith("https://mp.weixin.qq.com/")
    assert WeChatOAuth("app", "secret", "http://127.0.0.1/").authorize_url.startswith("https://open.weixin.qq.com/")


def test_wechatpy_asks_for_its_token_elsewhere_than_it_was_told_and_ours_does_not() -> None:
    asked: list[str] = []

    def noted(_method: str, url: str, **_: Any) -> Any:
        asked.append(url)
        raise requests.ConnectionError

    naive = WeChatClient("app", "secret")
    naive.API_BASE_URL = "http://127.0.0.1:1/cgi-bin/"
    naive._http.get = lambda url, **more: noted("GET", url, **more)
    with pytest.raises(requests.ConnectionError):
        naive.fetch_access_token()
    assert asked == ["https://api.weixin.qq.com/cgi-bin/token"], "the secret would go there whatever was set"
    with pytest.raises(ApiError) as none:
        stable_token("app", "secret", "http://127.0.0.1:9")(False)
    assert (none.value.code, none.value.left) == (None, False), "nobody was there to see it"


@pytest.mark.parametrize("room", ["bot", "handlers", "storage", "workers"])
def test_the_house_makes_no_use_of_them(room: str) -> None:
    """A picture is fetched by a call of our own (`media/get`), whose token is in no address that is written down."""
    found = []
    for file in sorted((ROOT / room).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
            media = isinstance(node, ast.Attribute) and node.attr == "get_url"
            if name in UNUSED or media:
                found.append(f"{file.relative_to(ROOT)}:{name}")
    assert found == []
