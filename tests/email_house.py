"""A house with a mail server before it and an MX behind it: how do its people, their mails and the time go together?

::

    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")              # bound to wangfang@qq.com
        await house.notice("支部大会")                # written, delivered
        await wang.replies(wang.last, "收到", "foxmail")
        await house.answers()                         # what our answers say now stands in wang.mails

Time is virtual and one: the mail servers', the house's and the outbox's.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from bot.core.event import Address
from bot.core.reply import Parcel
from bot.intake import Wiring
from bot.intake.email import EmailPart
from bot.server import Server
from handlers.notices import desk
from handlers.notices.desk import Draft
from storage import addresses, notices
from storage.audit import OPERATOR
from storage.writer import Writer, open_writer
from tests.fakes.mail import FakeMail, Mail, Page, Person
from tests.fakes.telegram import VirtualClock
from tests.people import NOW, House, build_house
from tests.posts import Post
from tests.running import free_port
from tests.stages_email import settings
from workers.outbox import Outbox

DOMAIN = "party.example"
SENDER = f"tiexin@{DOMAIN}"
ADDRESSES = {
    "王芳": "wangfang@qq.com",
    "李书记": "li@163.com",
    "孙明": "sunming@haichuan.example",
    "吴强": "wuqiang@qq.com",
}


class Phone(Post):
    """Every other channel that somebody may have, and what came there."""

    def __init__(self, house: House) -> None:
        super().__init__(house, "telegram")
        self.texts: list[tuple[str, str]] = []

    async def send(self, parcel: Parcel) -> str:
        self.texts.append((parcel.key, parcel.message.text))
        return await super().send(parcel)


class EmailHouse:
    """The whole of it. `phone` stands for every other channel that somebody may have."""

    def __init__(self, folder: Path, mail: FakeMail, clock: VirtualClock, url: str = "", **more: str) -> None:
        self.mail, self.clock = mail, clock
        self._port, self._lmtp = free_port(), free_port()
        here = f"http://127.0.0.1:{self._port}"
        self._house = build_house(
            folder, url, server__port=str(self._port), server__public_url=here, **settings(mail, self._lmtp, **more)
        )
        self._house.app = replace(self._house.app, clock=clock.instant)
        self.done: Counter[str] = Counter()
        self.phone = Phone(self._house)
        self.writer: Writer
        self.part: EmailPart
        self.server: Server
        self.outbox: Outbox

    @property
    def house(self) -> House:
        self._house.now = self.clock.instant()
        return self._house

    async def open(self) -> None:
        app = self._house.app
        self.writer = open_writer(app.database)
        self.server = Server(app, self.writer)
        wiring = Wiring(app, self.writer, self.server.add_routes, lambda: None, self._note)
        assert app.config.email
        self.part = EmailPart(wiring, app.config.email)
        assert self.part.lmtp
        await self.part.lmtp.open()
        self.mail.brings_to("127.0.0.1", self._lmtp)
        self.outbox = Outbox(
            app.database, self.writer, app.reception.compose, app.reception.fit, [self.part.channel, self.phone],
            app.clock, sleep=self._sleep,
        )  # fmt: skip
        await self.server.start()

    async def close(self) -> None:
        assert self.part.lmtp
        await self.part.lmtp.close()
        await self.part.channel.close()
        await self.server.stop()
        await self.writer.close()
        self._house.app.database.close()

    async def _sleep(self, seconds: float) -> None:
        await self.mail.advance(seconds)

    def _note(self, _channel: str, kind: str) -> None:
        self.done[kind] += 1

    # -- people -------------------------------------------------------------------------------------------------

    async def seat(self, name: str, *, phone: bool = False, address: str = "") -> Person:
        """Somebody's mailbox, bound to them; with `phone`, they have another channel as well."""
        address = address or ADDRESSES[name]
        with self.house.app.database.write() as tx:
            wanted = [Address("email", address), *([Address("telegram", f"t-{name}")] if phone else [])]
            for one in wanted:
                if addresses.find(tx, one) is None:
                    addresses.bind(tx, self.house.ids[name], one, self.house.now, consent="test")
        return self.mail.person(address, name)

    # -- what happens -------------------------------------------------------------------------------------------

    async def deliver(self) -> None:
        """What the outbox does until nothing is due now."""
        while any(
            [await self.outbox.expand(), *[await self.outbox.drain(one) for one in (self.part.channel, self.phone)]]
        ):
            pass

    async def answers(self) -> None:
        """Send what waits to be answered."""
        while await self.part.answer():
            pass

    async def notice(self, title: str, *, ask_ack: bool = True, to: str = "org:第一支部") -> int:
        """李书记's notice, delivered."""
        with self.house.app.database.write() as tx:
            draft = Draft(title, f"{title}，请准时参加。", to, ask_ack)
            number = desk.send(tx, self.house.now, OPERATOR, None, draft)
        await self.deliver()
        return number

    async def pass_time(self, **delta: float) -> None:
        await self.mail.advance(timedelta(**delta).total_seconds())
        self.house.tick()
        await self.deliver()
        await self.answers()

    def confirmed(self, notice: int) -> list[str]:
        """Who has confirmed."""
        with self.house.app.database.read() as tx:
            found = notices.acknowledgements(tx, notice)
        return [name for name, person in self.house.ids.items() if person in found]

    def dead(self, address: str) -> bool:
        with self.house.app.database.read() as tx:
            bound = addresses.find(tx, Address("email", address))
        assert bound
        return bound.dead


def said(mail: Mail) -> str:
    """A mail's own words, without what stands around them."""
    lines = mail.text.replace("\r\n", "\n").split("\n")
    return "\n".join(lines[1 : lines.index("--")]).strip()


def chat(page: Page) -> list[str]:
    """The lines of the web chat that a browser has before it, its owner's own among them."""
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', page.text, re.DOTALL)
    assert data, page.text
    return [line["text"] for line in json.loads(data[1])["lines"]]


@asynccontextmanager
async def email_house(folder: Path, url: str = "", **more: str) -> AsyncIterator[EmailHouse]:
    """A house at ten o'clock in Beijing, in the database at `url`. `more`: settings (`email__rate="1"`)."""
    clock = VirtualClock(NOW)
    async with FakeMail(DOMAIN, clock=clock) as mail:
        house = EmailHouse(folder, mail, clock, url, **more)
        await house.open()
        try:
            yield house
        finally:
            await house.close()
