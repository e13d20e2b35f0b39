"""What does a kill cost between the pieces of a report, and at its deadline? Nothing that was acknowledged."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import aiohttp
import pytest

from bot.app import App
from bot.core.event import Address
from handlers.reports.rules import Every, Period
from storage import addresses, reports
from storage.database import Database
from tests.fakes.telegram import FakeTelegram, RealClock
from tests.people import House, build_house
from tests.reports import PHOTO
from tests.running import Running, free_port

SECRET = "kill-test"
PIECES, KILLS = 8, 4


def furnish(folder: Path, telegram: FakeTelegram, port: int) -> tuple[House, Path]:
    """A house whose people are on Telegram, and the configuration that serves it."""
    config = folder / "config.toml"
    config.write_text(
        f"""
[server]
port = {port}
public_url = "http://127.0.0.1:{port}"
[database]
url = "sqlite:///{folder}/tiexin.db"
[security]
key_file = "{folder}/key"
[telegram]
token = "{telegram.token}"
webhook_secret = "{SECRET}"
api_base = "{telegram.url}"
""",
        encoding="utf-8",
    )
    house = build_house(folder)
    house.app = replace(house.app, clock=lambda: datetime.now(UTC))
    house.now = datetime.now(UTC)
    with house.app.database.write() as tx:
        for place, person in enumerate(house.ids.values()):
            addresses.bind(tx, person, Address("telegram", str(5000 + place)), house.now, consent="test")
    return house, config


class Phone:
    """Somebody on Telegram who sends again what was not acknowledged, as Telegram does, and reads the answers."""

    updates = 0

    def __init__(self, url: str, house: House, name: str) -> None:
        self._url = f"{url}/telegram/webhook"
        self._user = 5000 + list(house.ids).index(name)

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(headers={"X-Telegram-Bot-Api-Secret-Token": SECRET})
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        await self._session.close()

    async def says(self, text: str, update: int = 0) -> str:
        """Send words; what is answered. Raises ClientError where nothing came back."""
        who = {"id": self._user, "is_bot": False, "first_name": "x", "language_code": "zh"}
        chat = {"id": self._user, "type": "private", "first_name": "x"}
        if not update:
            Phone.updates += 1
            update = Phone.updates
        message = {"message_id": update, "date": 1, "chat": chat, "from": who, "text": text}
        async with self._session.post(self._url, json={"update_id": update, "message": message}) as answer:
            assert answer.status == 200, answer.status
            return str((await answer.json(content_type=None) or {}).get("text", ""))

    async def says_until_heard(self, text: str, server: Running) -> str:
        """Send words, and the same update again after each kill until it is acknowledged."""
        Phone.updates += 1
        update = Phone.updates
        while True:
            try:
                return await self.says(text, update)
            except aiohttp.ClientError:
                await server.start()


def texts(house: House, name: str) -> list[str]:
    with house.app.database.read() as tx:
        return [reports.text(tx, one.id) for one in reports.of_person(tx, house.ids[name])]


async def test_pieces_that_were_acknowledged_are_in_the_report_whenever_the_server_is_killed(tmp_path: Path) -> None:
    chance = random.Random(20261130)
    async with FakeTelegram(clock=RealClock()) as telegram:
        port = free_port()
        house, config = furnish(tmp_path, telegram, port)
        server = Running(config, port)
        await server.start()
        pieces = [f"第{place}段，这是一段不会丢的话。" for place in range(PIECES)]
        kills = set(chance.sample(range(PIECES), KILLS))
        async with Phone(server.url, house, "陈晓") as phone:
            await phone.says("思想汇报")
            for place, piece in enumerate(pieces):
                if place in kills:
                    sending = await _killed_while(server, phone, piece, chance)
                    assert "收到" in sending
                else:
                    assert "收到" in await phone.says_until_heard(piece, server)
            server.kill()
            assert "第1版" in await phone.says_until_heard("完", server)
            server.kill()
        assert texts(house, "陈晓") == ["\n".join(pieces)], "each piece once, in its order"
        house.app.database.close()


async def _killed_while(server: Running, phone: Phone, piece: str, chance: random.Random) -> str:
    """Send a piece and kill the server at about that moment; it is sent again until it is acknowledged."""
    sending = asyncio.create_task(phone.says_until_heard(piece, server))
    await asyncio.sleep(chance.uniform(0, 0.02))
    server.kill()
    return await sending


@pytest.mark.parametrize("after", [False, True], ids=["killed before the answer", "killed after the answer"])
async def test_a_kill_at_the_deadline_leaves_what_was_acknowledged_in_time(tmp_path: Path, after: bool) -> None:
    """What was handed in before midnight is in time, though the server dies at midnight and is asked again later."""
    async with FakeTelegram(clock=RealClock()) as telegram:
        port = free_port()
        house, config = furnish(tmp_path, telegram, port)
        server = Running(config, port)
        await server.start()
        text = "这一段在截止之前交。" * 8
        async with Phone(server.url, house, "陈晓") as phone:
            await phone.says("思想汇报")
            await phone.says(text)
            if after:
                assert "第1版" in await phone.says("完")
            server.kill()
        period = Period.of(datetime.now(house.app.house.zone).date(), Every.MONTH)
        house.now = period.deadline(house.app.house.zone).astimezone(UTC)  # the bell has rung; the house is up again
        chen = house.chat("陈晓", "telegram", str(5000 + list(house.ids).index("陈晓")))
        for _ in range(3):
            house.tick()
        if not after:
            assert "已经收到" in chen.say("思想汇报"), "the pieces are there"
            assert "记为逾期" in chen.say("完")
        assert texts(house, "陈晓") == [text]
        with house.app.database.read() as tx:
            (one,) = reports.of_person(tx, house.ids["陈晓"])
        assert one.late is (not after)
        house.app.database.close()


async def test_a_photo_that_was_acknowledged_outlives_a_kill(tmp_path: Path) -> None:
    house = build_house(tmp_path)
    chen = house.chat("陈晓")
    chen.say("思想汇报")
    assert "1个文件" in chen.hand("第一页.png", PHOTO)
    app = house.app
    app.database.close()  # as a kill leaves it: nothing is tidied up
    house.app = App(app.config, Database(app.config.database.url, app.house), app.reception, app.clock)
    assert "1个文件" in chen.say("完")
    house.app.database.close()
