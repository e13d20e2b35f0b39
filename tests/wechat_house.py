"""A house with WeChat before its door: how do its people, their phones and the passing of time go together?

::

    async with wechat_house(tmp_path) as house:
        wang = await house.seat("王芳")      # bound; somebody unknown to the house is a stranger
        await wang.says("投票")
        await wang.taps("孙明")
        wang.last.text                        # what stands last in her chat

Time is virtual and one: WeChat's, the house's and the outbox's. `house.down()` stops the house; its address then
answers 503.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiohttp import web
from sqlalchemy import text

from bot.core.event import Address
from bot.intake import Wiring
from bot.intake.wechat import CALLBACK, WeChatPart
from bot.parts import App
from storage import addresses
from storage.writer import Writer, open_writer
from tests.fakes.wechat import AES_KEY, APPID, SECRET, TOKEN, FakeWeChat, Limits, Person, VirtualClock
from tests.fakes.wechat.model import Kind, Mode
from tests.people import NOW, House, build_house
from workers.outbox import Outbox

TEMPLATE = "invented-template-of-a-task"
NOTICE = "invented-notice-once-asked-for"


def settings(wechat: FakeWeChat, **more: str) -> dict[str, str]:
    """The section [wechat] for this account."""
    section = {
        "app_id": APPID, "app_secret": SECRET, "token": TOKEN, "api_base": wechat.url, "template_id": TEMPLATE,
        "rate": "1000",
        **({"aes_key": AES_KEY} if wechat.account.mode == "safe" else {}), **more,
    }  # fmt: skip
    return {f"wechat__{name}": value for name, value in section.items()}


class WeChatHouse:
    """The whole of it. `house` is the house of the other tests, at WeChat's time."""

    def __init__(
        self, folder: Path, wechat: FakeWeChat, clock: VirtualClock, url: str, section: dict[str, str]
    ) -> None:
        self._house = build_house(folder, url, **section)
        self.wechat, self.clock = wechat, clock
        self.app: App = replace(self._house.app, clock=clock.instant)
        self.done: Counter[str] = Counter()
        self.url = ""
        self._runner: web.AppRunner | None = None
        self._up = False
        self._routes: dict[str, Any] = {}
        self.writer: Writer
        self.part: WeChatPart
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
        await self.wechat.connect(self.url)

    async def close(self) -> None:
        await self.down()
        if self._runner:
            await self._runner.cleanup()
        self._house.app.database.close()

    async def up(self) -> None:
        """Start the house, as a new process would."""
        self.writer = open_writer(self.app.database)
        assert self.app.config.wechat
        wiring = Wiring(self.app, self.writer, self._take_routes, lambda: None, self._count)
        self.part = WeChatPart(wiring, self.app.config.wechat)
        self.outbox = Outbox(
            self.app.database, self.writer, self.app.reception.compose, self.app.reception.fit, [self.part.channel],
            self.app.clock, sleep=self.wechat.advance,
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

    async def pass_time(self, **delta: float) -> None:
        """Let time pass, the clock tick, and what is due be delivered."""
        await self.wechat.advance(timedelta(**delta).total_seconds())
        self.house.tick()
        await self.deliver()

    async def deliver(self) -> None:
        """What the outbox does until nothing is due."""
        while await self.outbox.expand():
            pass
        while await self.outbox.drain(self.part.channel):
            pass

    # -- people ---------------------------------------------------------------------------------------------

    async def seat(self, name: str) -> Person:
        """Somebody's phone; bound if they belong to the house."""
        person = self.wechat.user(name)
        if name in self.house.ids:
            address, now = self.address(name), self.clock.instant()
            await self.writer.run(
                lambda tx: (
                    None
                    if addresses.find(tx, address)
                    else addresses.bind(tx, self.house.ids[name], address, now, consent="test")
                )
            )
        return person

    def address(self, name: str) -> Address:
        return Address("wechat", self.wechat.user(name).openid)

    def outcomes(self, campaign: int) -> list[tuple[str, str]]:
        """The (state, reason) of each delivery of a campaign on WeChat, in the order in which they were made."""
        with self.app.database.read() as tx:
            rows = tx.run(
                text("SELECT state, reason FROM delivery WHERE campaign_id = :c AND channel = 'wechat' ORDER BY id"),
                {"c": campaign},
            )
            return [(row[0], row[1]) for row in rows]


@asynccontextmanager
async def wechat_house(
    folder: Path,
    *,
    mode: Mode = "safe",
    kind: Kind = "service",
    verified: bool = True,
    limits: Limits | None = None,
    url: str = "",
    account: str = "verified_service",
    **section: str,
) -> AsyncIterator[WeChatHouse]:
    """A house at ten o'clock in Beijing, with an official account; `account` is what we take it for.

    `section` are further keys of [wechat].
    """
    clock = VirtualClock(NOW)
    async with FakeWeChat(clock=clock, mode=mode, kind=kind, verified=verified, limits=limits) as wechat:
        wechat.template(TEMPLATE, "待办事项提醒", "thing1", "time2")
        wechat.template(NOTICE, "活动通知", "thing1", "time2", one_time=True)
        house = WeChatHouse(folder, wechat, clock, url, settings(wechat, kind=account, **section))
        await house.open()
        try:
            yield house
        finally:
            await house.close()
