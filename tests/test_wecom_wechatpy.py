"""Which traps does wechatpy set on WeCom, and do we step into none? Each: the naive use, then ours."""

from __future__ import annotations

import asyncio
import importlib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from wechatpy.enterprise import WeChatClient, parse_message

from bot.adapters.tencent_callback import Push, _message
from bot.adapters.tencent_client import ApiError, corp_token
from bot.adapters.wecom import Heard, read
from bot.adapters.wecom_api import SafeWeComClient
from bot.core.event import Pressed, Said
from tests.fakes.wecom import CORP_ID, SECRET, FakeWeCom, page

ROOT = Path(__file__).parent.parent
HEAD = (
    f"<xml><ToUserName>{CORP_ID}</ToUserName><FromUserName>Wang01</FromUserName><CreateTime>1795486500</CreateTime>"
)
TEXT = f"{HEAD}<MsgType>text</MsgType><Content>投票</Content><MsgId>CAIQg/PKxgYY==</MsgId></xml>"


def event(options: str, key: str = "picks") -> str:
    return (f"{HEAD}<MsgType>event</MsgType><Event>template_card_event</Event><EventKey>{key}</EventKey>"
            "<TaskId>d1</TaskId><CardType>vote_interaction</CardType><ResponseCode>code</ResponseCode><SelectedItems>"
            f"<SelectedItem><QuestionKey>q</QuestionKey><OptionIds>{options}</OptionIds></SelectedItem>"
            "</SelectedItems></xml>")  # fmt: skip


def heard(xml: str) -> Heard:
    found = read(Push(_message(xml), 0.0))
    assert isinstance(found, Heard)
    return found


def test_an_id_that_is_no_number() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        parse_message(TEXT).id  # noqa: B018 - reading it is what fails
    said = heard(TEXT).event
    assert isinstance(said, Said)
    assert (said.event_id, said.text, said.address.key) == ("mCAIQg/PKxgYY==", "投票", "wang01")


def test_a_tap_on_a_card_is_an_event_of_an_unknown_kind() -> None:
    assert type(parse_message(event("<OptionId>v:1:a</OptionId>"))).__name__ == "UnknownMessage"
    pressed = heard(event("<OptionId>v:1:a</OptionId>", key="pick"))
    assert isinstance(pressed.event, Pressed)
    assert pressed.event.payload == "v:1:a"
    assert pressed.tap
    assert (pressed.tap.task_id, pressed.tap.code) == ("d1", "code")


@pytest.mark.parametrize(
    ("options", "theirs", "ours"),
    [
        ("<OptionId>a</OptionId>", str, ("a",)),
        ("<OptionId>a</OptionId><OptionId>b</OptionId>", list, ("a", "b")),
    ],
    ids=["one", "several"],
)
def test_one_choice_is_a_text_and_several_are_a_list(options: str, theirs: type, ours: tuple[str, ...]) -> None:
    found: Any = parse_message(event(options))._data["SelectedItems"]["SelectedItem"]["OptionIds"]["OptionId"]
    assert type(found) is theirs
    tap = heard(event(options)).tap
    assert tap
    assert tap.chosen == ours


def test_no_choice_is_nothing_at_all() -> None:
    assert parse_message(event(""))._data["SelectedItems"]["SelectedItem"]["OptionIds"] is None
    assert read(Push(_message(event("")), 0.0)) is None


def test_the_name_under_which_a_token_is_kept_holds_a_part_of_the_secret() -> None:
    assert SECRET[:10] in WeChatClient(CORP_ID, SECRET).access_token_key
    ours = SafeWeComClient(CORP_ID, "http://127.0.0.1:9", _NoTokens())
    assert SECRET[:10] not in ours.access_token_key
    assert SECRET not in repr(vars(ours))


def test_the_token_is_fetched_from_an_address_that_no_setting_reaches(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    class Stop(Exception):
        pass

    def get(url: str, **_: object) -> None:
        asked.append(url)
        raise Stop

    client = WeChatClient(CORP_ID, SECRET)
    client.API_BASE_URL = "http://127.0.0.1:9/cgi-bin/"
    monkeypatch.setattr(client._http, "get", get)
    with pytest.raises(Stop):
        client.fetch_access_token()
    assert asked == ["https://qyapi.weixin.qq.com/cgi-bin/gettoken"]


async def test_ours_asks_where_it_is_told_to() -> None:
    async with FakeWeCom() as wecom:
        token, life = await asyncio.to_thread(corp_token(CORP_ID, SECRET, wecom.url), False)
        assert token in wecom.tokens
        assert timedelta(seconds=life) == timedelta(hours=2)


async def test_a_page_with_status_200_is_an_answer_to_wechatpy_and_none_to_us() -> None:
    async with FakeWeCom() as wecom:
        naive = WeChatClient(CORP_ID, SECRET, access_token="x")
        naive.API_BASE_URL = f"{wecom.url}/cgi-bin/"
        ours = SafeWeComClient(CORP_ID, wecom.url, _NoTokens())
        wecom.script(page(), "message/send", times=2)
        answer = await asyncio.to_thread(naive.post, "message/send", data={"touser": "1001"})
        assert not isinstance(answer, dict)
        with pytest.raises(ApiError) as no:
            await asyncio.to_thread(ours.post, "message/send", data={"touser": "1001"})
        assert no.value.left


def test_a_page_is_signed_in_to_by_an_address_of_yesterday() -> None:
    """WeCom wants `auth/getuserinfo`. Nobody signs in that way here: the web chat has its own links and codes."""
    asked: list[str] = []

    class Heard(WeChatClient):  # type: ignore[misc]  # wechatpy has no types
        def get(self, url: str, **_: object) -> dict[str, object]:
            asked.append(url)
            return {}

    Heard(CORP_ID, SECRET).oauth.get_user_info("code")
    assert asked == ["user/getuserinfo"]
    rooms = [file for room in ("bot", "handlers") for file in (ROOT / room).rglob("*.py")]
    assert [file.name for file in rooms if "oauth" in file.read_text(encoding="utf-8").lower()] == []


def test_there_is_no_module_called_work() -> None:
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("wechatpy.work")


class _NoTokens:
    def get(self) -> str:
        return "x"

    def drop(self, token: str) -> bool:
        return False
