"""A house with WeCom before its door: how do its people, their phones and the passing of time go together?

::

    async with wecom_house(tmp_path) as house:
        wang = await house.seat("王芳")      # bound; somebody unknown to the house is a stranger
        await wang.says("投票")
        await wang.taps("孙明")
        wang.last.words                       # what stands last in her chat

Time is virtual and one: WeCom's, the house's and the outbox's. `house.down()` stops the house; its address then
answers 503.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web
from sqlalchemy import text

from bot.core.event import Address
from bot.intake import Wiring
from bot.intake.wecom import CALLBACK, WeComPart
from bot.parts import App
from storage import addresses
from storage.writer import Writer, open_writer
from tests.fakes.wecom import FakeWeCom, Limits, Person, VirtualClock
from tests.people import NOW, House, build_house
from tests.stages_wecom import settings
from workers.outbox import Outbox

QUARTER_PAST = NOW + timedelta(minutes=15)
"""Far from every full and half hour."""


class Seat:
    """Somebody's phone; every act waits until the house has done all it does about it."""

    def __init__(self, house: WeComHouse, person: Person) -> None:
        self._house, self.person = house, person

    def __getattr__(self, name: str) -> Any:
        return getattr(self.person, name)

    async def says(self, text: str, **more: Any) -> str:
        msgid = await self.person.says(text, **more)
        await self._house.settle()
        return msgid

    async def taps(self, label: str, **more: Any) -> None:
        await self.person.taps(label, **more)
        await self._house.settle()

    async def selects(self, *labels: str, **more: Any) -> None:
        await self.person.selects(*labels, **more)
        await self._house.settle()


class WeComHouse:
    """The whole of it. `house` is the house of the other tests, at WeCom's time."""

    def __init__(
        self, folder: Path, wecom: FakeWeCom, clock: VirtualClock, url: str, section: dict[str, str]
    ) -> None:
        self._house = build_house(folder, url, **section)
        self.wecom, self.clock = wecom, clock
        self.app: App = replace(self._house.app, clock=clock.instant)
        self.done: Counter[str] = Counter()
        self.url = ""
        self._runner: web.AppRunner | None = None
        self._up = False
        self._routes: dict[str, Any] = {}
        self.writer: Writer
        self.part: WeComPart
        self.outbox: Outbox

    @property
    def house(self) -> House:
        self._house.now = self.clock.instant()
        return self._house

    # -- life -----------------------------------------------------------------------------------------------

    async def open(self) -> None:
        application = web.Application()
        application.router.add_route("*", CALLBACK, self._proxied)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}{CALLBACK}"
        await self.up()
        assert await self.wecom.register(self.url)

    async def close(self) -> None:
        await self.down()
        if self._runner:
            await self._runner.cleanup()
        self._house.app.database.close()

    async def up(self) -> None:
        """Start the house, as a new process would."""
        self.writer = open_writer(self.app.database)
        assert self.app.config.wecom
        wiring = Wiring(self.app, self.writer, self._take_routes, lambda: None, self._count)
        loop = asyncio.get_running_loop()

        def sleep(seconds: float) -> None:
            asyncio.run_coroutine_threadsafe(self.wecom.advance(seconds), loop).result()

        self.part = WeComPart(wiring, self.app.config.wecom, sleep)
        self.outbox = Outbox(
            self.app.database, self.writer, self.app.reception.compose, self.app.reception.fit, [self.part.channel],
            self.app.clock, sleep=self.wecom.advance,
        )  # fmt: skip
        await self.part.open()
        self._up = True

    async def down(self) -> None:
        """Stop it; its address says so."""
        if self._up:
            self._up = False
            await self.part.close()
            await self.writer.close()

    def _take_routes(self, routes: Any) -> None:
        self._routes = {route.method: route.handler for route in routes}

    async def _proxied(self, request: web.Request) -> web.StreamResponse:
        if not self._up:
            return web.Response(status=503)
        answer: web.StreamResponse = await self._routes[request.method](request)
        return answer

    def _count(self, _channel: str, kind: str) -> None:
        self.done[kind] += 1

    # -- time -----------------------------------------------------------------------------------------------

    async def settle(self) -> None:
        """Until nothing is under way: no push, and no answer that is due."""
        await self.wecom.settled()
        while self._up and (await self.part.answers.drain() == 0 or self.part.answers.busy):
            await self.part.answers.rest()

    async def pass_time(self, **delta: float) -> None:
        """Let time pass, the clock tick, and what is due be delivered."""
        await self.wecom.advance(timedelta(**delta).total_seconds())
        self.house.tick()
        await self.settle()
        await self.deliver()

    async def deliver(self) -> None:
        """What the outbox does until nothing is due."""
        while await self.outbox.expand():
            pass
        while await self.outbox.drain(self.part.channel):
            pass

    # -- people ---------------------------------------------------------------------------------------------

    async def seat(self, name: str, userid: str = "") -> Seat:
        """Somebody's phone; bound if they belong to the house and no userid is given."""
        person = self.wecom.person(userid or f"U-{name.encode().hex()[:12]}", name)
        if name in self.house.ids and not userid:
            self.bind(name, person.member.userid.lower())
        return Seat(self, person)

    def bind(self, name: str, key: str) -> None:
        address = Address("wecom", key)
        with self.app.database.write() as tx:
            if addresses.find(tx, address) is None:
                addresses.bind(tx, self.house.ids[name], address, self.clock.instant(), consent="test")

    def bound(self, name: str) -> list[str]:
        with self.app.database.read() as tx:
            return [one.address.key for one in addresses.of_person(tx, self.house.ids[name])]

    def outcomes(self, campaign: int) -> list[tuple[str, str]]:
        """The (state, reason) of each delivery of a campaign on WeCom, in the order in which they were made."""
        with self.app.database.read() as tx:
            rows = tx.run(
                text("SELECT state, reason FROM delivery WHERE campaign_id = :c AND channel = 'wecom' ORDER BY id"),
                {"c": campaign},
            )
            return [(row[0], row[1]) for row in rows]


@asynccontextmanager
async def wecom_house(
    folder: Path, *, limits: Limits | None = None, url: str = "", start: datetime = QUARTER_PAST, **section: str
) -> AsyncIterator[WeComHouse]:
    """A house on a Tuesday morning, with an application in WeCom. `section` are keys of [wecom]."""
    clock = VirtualClock(start)
    async with FakeWeCom(clock=clock, limits=limits) as wecom:
        house = WeComHouse(folder, wecom, clock, url, settings(wecom, **section))
        await house.open()
        try:
            yield house
            assert wecom.dropped == 0, "WeCom has dropped what came too fast"
        finally:
            await house.close()
