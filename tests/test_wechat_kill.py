"""What does a kill at a random moment cost on WeChat? Nothing that was acknowledged, and nothing seen twice."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import aiohttp

from bot.core.event import Address
from bot.intake.wechat import CALLBACK
from handlers.voting import desk
from handlers.voting.chat import Cast
from storage import addresses
from tests.fakes.wechat import AES_KEY, APPID, SECRET, TOKEN, FakeWeChat, RealClock
from tests.fakes.wechat.crypto import Seal, signature
from tests.notices import send
from tests.people import House, build_house
from tests.polls import open_poll, votes
from tests.running import Running, free_port
from tests.wechat_house import TEMPLATE

MEMBERS = 20
KILLS = 3


def furnish(folder: Path, wechat: FakeWeChat, port: int) -> tuple[House, Path]:
    """A house of twenty members on WeChat, and the configuration that serves it."""
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
[org]
quiet_hours = ""
[wechat]
app_id = "{APPID}"
app_secret = "{SECRET}"
token = "{TOKEN}"
aes_key = "{AES_KEY}"
api_base = "{wechat.url}"
template_id = "{TEMPLATE}"
rate = 40
""",
        encoding="utf-8",
    )
    house = build_house(
        folder, wechat__app_id=APPID, wechat__app_secret=SECRET, wechat__token=TOKEN, wechat__aes_key=AES_KEY,
        wechat__template_id=TEMPLATE,
    )  # fmt: skip
    house.app = replace(house.app, clock=lambda: datetime.now(UTC))
    house.now = datetime.now(UTC)
    for place in range(MEMBERS):
        person = house.person(f"同志{place}", f"9{place:03}", kind="群众")
        wechat.user(f"同志{place}", openid=f"o{place}")
        with house.app.database.write() as tx:
            addresses.bind(tx, person, Address("wechat", f"o{place}"), house.now, consent="test")
    return house, config


@dataclass
class Tapper:
    """Somebody tapping away; they know what was acknowledged to them, in order."""

    openid: str
    payloads: list[str]
    acknowledged: list[int] = field(default_factory=list)
    unsure: list[int] = field(default_factory=list)

    async def tap_until(self, url: str, stop: asyncio.Event, chance: random.Random, seal: Seal) -> None:
        async with aiohttp.ClientSession() as session:
            while not stop.is_set():
                place = chance.randrange(3)
                if await self._tap(session, url, seal, place, chance.getrandbits(50)):
                    self.acknowledged.append(place + 1)
                    self.unsure.clear()
                else:
                    self.unsure.append(place + 1)
                    await asyncio.sleep(0.02)

    async def _tap(self, session: aiohttp.ClientSession, url: str, seal: Seal, place: int, number: int) -> bool:
        stamp = str(int(time.time()))
        closed = seal.close(
            f"<xml><ToUserName>gh_1</ToUserName><FromUserName>{self.openid}</FromUserName><CreateTime>{stamp}"
            f"</CreateTime><MsgType>text</MsgType><Content>x</Content><MsgId>{number}</MsgId>"
            f"<bizmsgmenuid>{self.payloads[place]}</bizmsgmenuid></xml>"
        )
        asked = {
            "timestamp": stamp, "nonce": str(number), "encrypt_type": "aes",
            "msg_signature": signature(TOKEN, stamp, str(number), closed),
        }  # fmt: skip
        try:
            async with session.post(url, params=asked, data=f"<xml><Encrypt>{closed}</Encrypt></xml>") as response:
                said = await response.text()
                return response.status == 200 and "已记录" in seal.open(said.split("[CDATA[")[1].split("]]")[0])
        except aiohttp.ClientError:
            return False


async def test_nothing_acknowledged_is_lost_and_nothing_is_seen_twice(tmp_path: Path) -> None:
    chance, port, seal = random.Random(20261124), free_port(), Seal(AES_KEY, APPID)
    async with FakeWeChat(clock=RealClock()) as wechat:
        wechat.template(TEMPLATE, "待办事项提醒", "thing1", "time2")
        house, config = furnish(tmp_path, wechat, port)
        poll = open_poll(house, electorate="kind:群众")
        with house.app.database.read() as tx:
            tappers = [
                Tapper(f"o{place}", [
                    Cast(poll, desk.option_code(tx, poll, house.ids[f"同志{place}"], option)).encode()
                    for option in (1, 2, 3)
                ])
                for place in range(MEMBERS)
            ]  # fmt: skip
        server = Running(config, port)
        for kill in range(KILLS):
            await server.start()
            send(house, scope="kind:群众", title=f"第{kill}号")
            stop, url = asyncio.Event(), f"http://127.0.0.1:{port}{CALLBACK}"
            tapping = asyncio.gather(*(one.tap_until(url, stop, chance, seal) for one in tappers))
            await asyncio.sleep(chance.uniform(0.6, 1.6))
            server.kill()
            stop.set()
            await tapping
        await server.start()
        send(house, scope="kind:群众", title="最后一号")
        await wechat.until(lambda: _seen(wechat, "最后一号") == MEMBERS, "the last notice")
        assert server.stop() == 0
        for kill in range(KILLS):
            assert all(_copies(wechat, place, f"第{kill}号") <= 1 for place in range(MEMBERS))
        counted = votes(house, poll)
        for place, one in enumerate(tappers):
            last = one.acknowledged[-1:] or [0]
            vote = counted.get(house.ids[f"同志{place}"], (0,))[0]
            assert vote in {*last, *one.unsure}, f"{one.openid} was told {last}, then unsure of {one.unsure}"
        assert sum(len(one.acknowledged) for one in tappers) > MEMBERS
        house.app.database.close()


def _seen(wechat: FakeWeChat, title: str) -> int:
    return sum(any(title in line.text for line in person.messages) for person in wechat.people)


def _copies(wechat: FakeWeChat, place: int, title: str) -> int:
    (person,) = [one for one in wechat.people if one.openid == f"o{place}"]
    return sum(title in line.text for line in person.messages)
