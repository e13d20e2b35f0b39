"""What does check say about WeCom, in one line, and what is to be done?"""

from __future__ import annotations

import asyncio
from pathlib import Path

from pydantic import SecretStr

from bot.adapters.wecom_check import Found, check
from bot.config import WeCom
from storage import settings
from tests.fakes.wecom import AES_KEY, AGENT_ID, CORP_ID, SECRET, TOKEN, FakeWeCom, page
from tests.people import NOW, House
from tests.wecom_house import wecom_house

PUBLIC = "https://tiexin.example.org"


def section(wecom: FakeWeCom, **changes: object) -> WeCom:
    values = {"corp_id": CORP_ID, "agent_id": AGENT_ID, "secret": SecretStr(SECRET), "token": SecretStr(TOKEN),
              "aes_key": SecretStr(AES_KEY), "api_base": wecom.url}  # fmt: skip
    return WeCom.model_validate({**values, **changes})


async def ask(house: House | None, wecom: FakeWeCom, public_url: str | None = PUBLIC, **changes: object) -> Found:
    def work() -> Found:
        if house is None:
            return check(section(wecom, **changes), None, public_url, NOW)
        with house.app.database.read() as tx:
            return check(section(wecom, **changes), tx, public_url, NOW)

    return await asyncio.to_thread(work)


async def test_what_is_not_right_is_named_with_its_remedy(house: House) -> None:
    async with FakeWeCom() as wecom:
        assert await ask(house, wecom, secret=SecretStr("wrong")) == Found(
            False, "WeCom refuses the application (errcode 40001)",
            "copy wecom.secret once more from the console (应用管理 → 自建 → Secret)",
        )  # fmt: skip
        assert "wecom.corp_id" in (await ask(house, wecom, corp_id="ww0")).remedy
        assert "wecom.agent_id" in (await ask(house, wecom, agent_id=7)).remedy
        wecom.trusted = False
        assert "企业可信IP" in (await ask(house, wecom)).remedy
        wecom.trusted = True
        wecom.script(page(), "gettoken")
        assert (await ask(house, wecom)).found == f"{wecom.url} gives no answer"
        assert "server.public_url" in (await ask(house, wecom, public_url=None)).remedy
        assert "tiexin init" in (await ask(None, wecom)).remedy
        assert "接收消息" in (await ask(house, wecom)).remedy


async def test_an_address_where_nobody_answers_is_named(house: House) -> None:
    async with FakeWeCom() as wecom:
        found = await ask(house, wecom, api_base="http://127.0.0.1:9")
        assert (found.works, found.found) == (False, "http://127.0.0.1:9 gives no answer")


async def test_a_channel_that_works_says_when_it_was_heard_of_and_how_much_it_sent(tmp_path: Path) -> None:
    async with wecom_house(tmp_path) as house:
        wang = await house.seat("王芳")
        await wang.says("语言")
        found = await ask(house.house, house.wecom)
        assert found == Found(
            True, "the application 贴心 is known, callback verified, last heard of 11-24 10:15, "
            "at least 199 messages left today (200 for each account)",
        )  # fmt: skip


async def test_a_week_of_silence_is_a_reason_to_look(house: House) -> None:
    async with FakeWeCom() as wecom:
        with house.app.database.write() as tx:
            settings.put(tx, "wecom.callback", "2026-11-10T02:00:00+00:00")
        found = await ask(house, wecom)
        assert found.works
        assert "silent for a week" in found.remedy
