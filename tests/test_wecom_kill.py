"""What does a kill at a random moment cost a company on WeCom? Nothing that was acknowledged, and nothing twice."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlmodel import col

from bot.core.event import Address
from storage import addresses, campaigns
from storage.campaigns import Delivery
from storage.cards import Card
from tests.fakes.wecom import AES_KEY, AGENT_ID, CORP_ID, SECRET, TOKEN, FakeWeCom, Person, RealClock
from tests.people import House, build_house
from tests.running import PATIENCE, Running, free_port

MEMBERS = 40
KILLS = 3
MANY = 30


def _furnish(folder: Path, wecom: FakeWeCom, port: int) -> tuple[House, Path, list[Person]]:
    """A house of 40 members on WeCom, and the configuration that serves it."""
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
[wecom]
corp_id = "{CORP_ID}"
agent_id = {AGENT_ID}
secret = "{SECRET}"
token = "{TOKEN}"
aes_key = "{AES_KEY}"
api_base = "{wecom.url}"
""",
        encoding="utf-8",
    )
    house = build_house(folder)
    house.now = datetime.now(UTC)
    house.app = replace(house.app, clock=lambda: datetime.now(UTC))
    people = []
    for place in range(MEMBERS):
        house.person(f"同志{place}", f"9{place:03}")
        people.append(wecom.person(f"9{place:03}"))
    with house.app.database.write() as tx:
        for place in range(MEMBERS):
            address = Address("wecom", f"9{place:03}")
            addresses.bind(tx, house.ids[f"同志{place}"], address, house.now, consent="test")
    return house, config, people


async def test_a_notice_killed_on_its_way_reaches_everybody_once(tmp_path: Path) -> None:
    chance = random.Random(7)
    async with FakeWeCom(clock=RealClock()) as wecom:
        port = free_port()
        house, config, people = _furnish(tmp_path, wecom, port)
        server = Running(config, port)
        await server.start()
        assert await wecom.register(f"{server.url}/wecom/callback")
        server.kill()
        with house.app.database.write() as tx:
            ids = [house.ids[f"同志{place}"] for place in range(MEMBERS)]
            now = datetime.now(UTC)
            campaign = campaigns.create(tx, now, "bound", ids[0], ids, channel="web", channels="wecom")
        for _ in range(KILLS):
            target = len(wecom.called("message/send")) + chance.randrange(1, max(2, MEMBERS // KILLS))
            await server.start()
            await wecom.until(
                lambda most=target: len(wecom.called("message/send")) >= most or all(p.cards for p in people),  # type: ignore[misc]  # bound at once
                "the next message", PATIENCE,
            )  # fmt: skip
            server.kill()
        await server.start()
        for _ in range(600):
            if set(_states(house, campaign)) == {"accepted"}:
                break
            await asyncio.sleep(0.1)
        assert server.stop() == 0
        assert _states(house, campaign) == {"accepted": MEMBERS}
        assert Counter(len(person.cards) for person in people) == {1: MEMBERS}
        assert wecom.dropped == 0
        house.app.database.close()


async def test_whoever_was_acknowledged_is_answered_once_whenever_the_server_is_killed(tmp_path: Path) -> None:
    chance = random.Random(20261124)
    async with FakeWeCom(clock=RealClock()) as wecom:
        port = free_port()
        house, config, people = _furnish(tmp_path, wecom, port)
        server = Running(config, port)
        await server.start()
        assert await wecom.register(f"{server.url}/wecom/callback")
        for kill in range(KILLS):
            if kill:
                await server.start()
            target = _acknowledged(wecom).total() + chance.randrange(5, MEMBERS - 5)
            speaking = [asyncio.create_task(person.says("语言")) for person in people]
            await wecom.until(
                lambda most=target: _acknowledged(wecom).total() >= most, "an answer", PATIENCE  # type: ignore[misc]  # bound at once
            )  # fmt: skip
            server.kill()
            await asyncio.gather(*speaking)
        await server.start()
        for _ in range(600):
            if not _waiting(house):
                break
            await asyncio.sleep(0.1)
        assert server.stop() == 0
        acknowledged = _acknowledged(wecom)
        assert acknowledged.total() >= 5 * KILLS
        for person in people:
            answers = [line for line in person.lines if line.from_app and "请选择语言" in line.words]
            least = acknowledged[person.member.userid]
            assert least <= len(answers) <= KILLS, f"{least} were acknowledged, {len(answers)} answered"
        assert wecom.dropped == 0
        house.app.database.close()


def _acknowledged(wecom: FakeWeCom) -> Counter[str]:
    """How often each member was told that their words had arrived."""
    return Counter(
        push.xml.partition("<FromUserName><![CDATA[")[2].partition("]]>")[0]
        for push in wecom.courier.pushes
        if push.acknowledged
    )


def _states(house: House, campaign: int) -> dict[str, int]:
    with house.app.database.read() as tx:
        statement = select(col(Delivery.state), func.count()).where(
            col(Delivery.campaign_id) == campaign, col(Delivery.channel) == "wecom"
        )
        return {row[0]: row[1] for row in tx.run(statement.group_by(col(Delivery.state)))}


def _waiting(house: House) -> int:
    with house.app.database.read() as tx:
        statement = select(func.count()).select_from(Card).where(col(Card.waiting).is_(True))
        return int(tx.run(statement).scalar_one())


@pytest.mark.faults
@pytest.mark.timeout(1800)
async def test_many_kills_during_a_notice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.test_wecom_kill.KILLS", MANY)
    await test_a_notice_killed_on_its_way_reaches_everybody_once(tmp_path)
