"""What does a kill at a random moment cost? Nothing that was acknowledged, and nothing twice."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from sqlalchemy import select
from sqlmodel import col

from bot.core.event import Address
from storage import addresses, campaigns
from storage.campaigns import Delivery
from tests.fakes.telegram import FakeTelegram, RealClock
from tests.people import House, build_house
from tests.polls import open_poll, votes
from tests.running import Running, free_port

MEMBERS = 60
KILLS = 5
MANY = 30
SECRET = "kill-test"


def _furnish(folder: Path, telegram: FakeTelegram, port: int) -> tuple[House, Path]:
    """A house of 60 members on Telegram, and the configuration that serves it."""
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
    for place in range(MEMBERS):
        house.person(f"同志{place}", f"9{place:03}")
    with house.app.database.write() as tx:
        for place in range(MEMBERS):
            person = house.ids[f"同志{place}"]
            address = Address("telegram", str(5000 + place))
            addresses.bind(tx, person, address, house.now, consent="test")
    return house, config


def _tap(update_id: int, user: int, payload: str) -> dict[str, object]:
    who = {"id": user, "is_bot": False, "first_name": "x", "language_code": "zh"}
    return {
        "update_id": update_id,
        "callback_query": {"id": str(update_id), "from": who, "chat_instance": "1", "data": payload},
    }


class Tapper:
    """Sixty people tapping away; each knows what was acknowledged to them, in order."""

    def __init__(self, url: str, payloads: dict[int, list[str]]) -> None:
        self._url, self._payloads = f"{url}/telegram/webhook", payloads
        self._next = 1
        self.acknowledged: dict[int, list[int]] = {user: [] for user in payloads}
        self.unsure: dict[int, list[int]] = {user: [] for user in payloads}

    async def tap_until(self, stop: asyncio.Event, chance: random.Random) -> None:
        async with aiohttp.ClientSession(headers={"X-Telegram-Bot-Api-Secret-Token": SECRET}) as session:
            await asyncio.gather(*(self._person(session, user, stop, chance) for user in self._payloads))

    async def _person(
        self, session: aiohttp.ClientSession, user: int, stop: asyncio.Event, chance: random.Random
    ) -> None:
        while not stop.is_set():
            place = chance.randrange(3)
            update, self._next = self._next, self._next + 1
            body = _tap(update, user, self._payloads[user][place])
            try:
                async with session.post(self._url, json=body) as response:
                    done = response.status == 200
                    await response.read()
            except aiohttp.ClientError:
                done = False
            if done:
                self.acknowledged[user].append(place + 1)
                self.unsure[user].clear()
            else:
                self.unsure[user].append(place + 1)
                await asyncio.sleep(0.02)


async def test_nothing_acknowledged_is_lost_when_the_server_is_killed_under_tapping(tmp_path: Path) -> None:
    chance = random.Random(20261124)
    async with FakeTelegram(clock=RealClock()) as telegram:
        port = free_port()
        house, config = _furnish(tmp_path, telegram, port)
        poll = open_poll(house, electorate="all")
        with house.app.database.read() as tx:
            from handlers.voting import desk
            from handlers.voting.chat import Cast

            payloads = {
                5000 + n: [
                    Cast(poll, desk.option_code(tx, poll, house.ids[f"同志{n}"], place)).encode()
                    for place in (1, 2, 3)
                ]
                for n in range(MEMBERS)
            }
        server = Running(config, port)
        tapper = Tapper(server.url, payloads)
        for kill in range(KILLS):
            await server.start()
            stop = asyncio.Event()
            tapping = asyncio.create_task(tapper.tap_until(stop, chance))
            await asyncio.sleep(chance.uniform(0.2, 1.2))
            server.kill()
            stop.set()
            await tapping
            stored = votes(house, poll)
            for n in range(MEMBERS):
                user, person = 5000 + n, house.ids[f"同志{n}"]
                if tapper.acknowledged[user]:
                    possible = {(tapper.acknowledged[user][-1],), *((place,) for place in tapper.unsure[user])}
                    assert stored.get(person) in possible, f"kill {kill}: {user} was told otherwise"
        assert sum(map(len, tapper.acknowledged.values())) > MEMBERS * KILLS, "hardly anybody got to tap"
        house.app.database.close()


async def test_a_notice_killed_on_its_way_is_sent_to_nobody_twice(tmp_path: Path) -> None:
    chance = random.Random(7)
    async with FakeTelegram(clock=RealClock()) as telegram:
        port = free_port()
        house, config = _furnish(tmp_path, telegram, port)
        people = [telegram.user(5000 + n, f"同志{n}", "zh") for n in range(MEMBERS)]
        for person in people:
            await person.start(wait=False)
        server = Running(config, port)
        with house.app.database.write() as tx:
            now = datetime.now(UTC)
            ids = [house.ids[f"同志{n}"] for n in range(MEMBERS)]
            campaign = campaigns.create(tx, now, "bound", ids[0], ids, channel="web")
        for _ in range(KILLS):
            await server.start()
            await asyncio.sleep(chance.uniform(0.05, 2 / KILLS))
            server.kill()
        await server.start()
        for _ in range(600):
            if _settled(house, campaign):
                break
            await asyncio.sleep(0.1)
        assert server.stop() == 0
        states = _states(house, campaign)
        sent = Counter(
            call.params.integer("chat_id") for call in telegram.called("sendMessage")
            if call.ok and "新的聊天" in call.params.text("text")
        )  # fmt: skip
        assert max(sent.values()) == 1, "somebody was told twice"
        assert len(states) == MEMBERS
        for key, state in states.items():
            told = sent[int(key)]
            assert state in ("accepted", "unknown"), f"{key} is {state}"
            assert told == 1 or state == "unknown", f"{key} is {state} and was not told"
        assert Counter(states.values())["accepted"] > MEMBERS / 3
        house.app.database.close()


def _states(house: House, campaign: int) -> dict[str, str]:
    with house.app.database.read() as tx:
        statement = select(col(Delivery.key), col(Delivery.state)).where(
            col(Delivery.campaign_id) == campaign, col(Delivery.channel) == "telegram"
        )
        return {row.key: row.state for row in tx.run(statement)}


def _settled(house: House, campaign: int) -> bool:
    states = _states(house, campaign)
    return len(states) == MEMBERS and not {"queued", "sending"} & set(states.values())


@pytest.mark.faults
@pytest.mark.timeout(1800)
async def test_many_kills_under_tapping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.test_kill.KILLS", MANY)
    await test_nothing_acknowledged_is_lost_when_the_server_is_killed_under_tapping(tmp_path)


@pytest.mark.faults
@pytest.mark.timeout(1800)
async def test_many_kills_during_a_notice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.test_kill.KILLS", MANY)
    await test_a_notice_killed_on_its_way_is_sent_to_nobody_twice(tmp_path)
