"""A house with all five channels before its door: how do they work side by side, while time passes as it is told to?

Telegram, WeChat, WeCom, the world of mail, the web chat's browsers, the house, its outbox and its clock share one
virtual time. What the outbox does in tasks of its own it does here as well: each channel is drained by a worker that
sleeps on that clock. Time goes on when everything that is awake has come to rest.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import aiohttp
from aiohttp import web

from bot.adapters.telegram_channel import Pace, TelegramChannel
from bot.intake import Wiring
from bot.intake.email import EmailPart
from bot.intake.telegram import WEBHOOK, TelegramIntake
from bot.intake.wechat import CALLBACK as WECHAT
from bot.intake.wechat import WeChatPart
from bot.intake.wecom import CALLBACK as WECOM
from bot.intake.wecom import WeComPart
from bot.server import Server
from storage.writer import open_writer
from tests import stages_email, stages_wecom, wechat_house
from tests.fakes.mail import FakeMail
from tests.fakes.telegram import FakeTelegram, VirtualClock
from tests.fakes.wechat import FakeWeChat
from tests.fakes.wecom import FakeWeCom
from tests.people import House, build_house
from tests.running import free_port
from tests.sites import Browser
from workers.clock import tick
from workers.outbox import Channel, Outbox

DOMAIN = "party.example"
SECRET = "the-secret-of-the-webhook"
LOOK = 60.0
"""Virtual seconds after which a worker looks by itself whether there is something to do."""
GATHER = 15.0
"""Virtual seconds within which it is woken once, however much happens."""


@dataclass(eq=False)
class _Nap:
    wakes: bool
    over: asyncio.Event = field(default_factory=asyncio.Event)


class Workers:
    """Tasks that sleep on a virtual clock, and who of them is awake."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock, self._awake, self._asleep = clock, 0, asyncio.Event()
        self._naps: set[_Nap] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._woken_at = 0.0
        self.ending = False
        self.elsewhere = 0
        """Threads of the house that wait for time to pass, while a worker waits for them."""
        self.turns = 0
        self._asleep.set()

    def begin(self, work: Callable[[], Awaitable[int]], *, wakes: bool = True) -> None:
        """Do this now and then, and whenever something has happened (unless it sleeps through); as long as there was
        something to do, at once again."""

        async def forever() -> None:
            try:
                while not self.ending:
                    if await work():
                        self.wake()
                    else:
                        await self.nap(LOOK, wakes=wakes)
            finally:
                self._awake -= 1
                self._look()

        self._awake += 1
        self._asleep.clear()
        self._tasks.append(asyncio.create_task(forever()))

    async def nap(self, seconds: float, *, wakes: bool = False) -> None:
        """What a worker does when it has to wait."""
        nap = _Nap(wakes)
        self._naps.add(nap)
        alarm = self._clock.call_at(self._clock.now() + seconds, lambda: self._ring(nap))
        self._awake -= 1
        self._look()
        await nap.over.wait()
        alarm.cancel()

    def wake(self) -> None:
        """There may be something to do."""
        at = max(self._clock.now(), self._woken_at + GATHER)
        if at > self._woken_at:
            self._woken_at = at
            self._clock.call_at(at, self._wake)

    def _wake(self) -> None:
        for nap in [nap for nap in self._naps if nap.wakes]:
            self._ring(nap)

    def _ring(self, nap: _Nap) -> None:
        if nap in self._naps:
            self._naps.remove(nap)
            self._awake += 1
            self.turns += 1
            self._asleep.clear()
            nap.over.set()

    @property
    def at_rest(self) -> bool:
        return self._awake == 0 or self.elsewhere > 0

    def _look(self) -> None:
        if self.at_rest:
            self._asleep.set()

    async def elsewhere_nap(self, seconds: float) -> None:
        """The same for a thread."""
        self.elsewhere += 1
        self._look()
        try:
            await self._clock.sleep(seconds)
        finally:
            self.elsewhere -= 1
            if not self.at_rest:
                self._asleep.clear()

    async def rest(self) -> None:
        """Until all of them sleep. What went wrong in one of them is raised here."""
        for task in self._tasks:
            if task.done():
                task.result()
        await self._asleep.wait()

    async def end(self) -> None:
        self.ending = True
        for nap in list(self._naps):
            self._ring(nap)
        await asyncio.gather(*self._tasks)


class Town:
    """All of it. `house` is the house of the other tests."""

    def __init__(self, folder: Path, clock: VirtualClock, platforms: Platforms) -> None:
        self.clock, self.platforms = clock, platforms
        self.telegram, self.wechat = platforms.telegram, platforms.wechat
        self.wecom, self.mail = platforms.wecom, platforms.mail
        self._port, self._lmtp = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self.house: House = build_house(
            folder, server__port=str(self._port), server__public_url=self.url, **self._settings()
        )
        app = self.house.app = replace(self.house.app, clock=clock.instant)
        self.workers = Workers(clock)
        self.done: Counter[tuple[str, str]] = Counter()
        self.sessions = AsyncExitStack()
        self._courtesies = 0
        self.writer = open_writer(app.database)
        self.server = Server(app, self.writer)
        self.server.front.after = self.workers.wake
        wiring = Wiring(app, self.writer, self.server.add_routes, self.workers.wake, self._note)
        self.bot = TelegramChannel(
            self.telegram.token, self.telegram.url, Pace(), sleep=self._courtesy, clock=clock.now
        )
        intake = TelegramIntake(
            app, self.writer, self.bot, SECRET, self.workers.wake, lambda kind: self._note("telegram", kind)
        )
        self.server.add_routes([web.post(WEBHOOK, intake.webhook)])
        assert app.config.wechat
        assert app.config.wecom
        assert app.config.email
        self.account = WeChatPart(wiring, app.config.wechat)
        self.company = WeComPart(wiring, app.config.wecom, self._thread_sleep)
        self.post = EmailPart(wiring, app.config.email)
        self.channels: list[Channel] = [
            self.server.channel, self.bot, self.account.channel, self.company.channel, self.post.channel
        ]  # fmt: skip
        self.outbox = Outbox(
            app.database, self.writer, app.reception.compose, app.reception.fit, self.channels, app.clock,
            sleep=self.workers.nap,
        )  # fmt: skip

    def _settings(self) -> dict[str, str]:
        """Every channel as an organisation would have it; WeChat without templates, with notices once asked for."""
        account = wechat_house.settings(
            self.wechat, kind="verified_service", template_id="", subscription_id=wechat_house.NOTICE, rate="20"
        )
        mail = stages_email.settings(self.mail, self._lmtp, email__rate="5", email__burst="20")
        return {**account, **stages_wecom.settings(self.wecom), **mail}

    # -- life ------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        await self.server.start()
        await self.bot.open()
        await self.account.open()
        await self.company.open()
        assert self.post.lmtp
        await self.post.lmtp.open()
        self.mail.brings_to("127.0.0.1", self._lmtp)
        await self.bot.register(f"{self.url}{WEBHOOK}", SECRET)
        await self.wechat.connect(f"{self.url}{WECHAT}")
        assert await self.wecom.register(f"{self.url}{WECOM}")
        self.clock.settles.append(self.rest)
        self._loop = asyncio.get_running_loop()

    def begin(self) -> None:
        """From now on the house sends what is due."""
        self.workers.begin(self.outbox.expand)
        for channel in self.channels:
            self.workers.begin(lambda channel=channel: self.outbox.drain(channel))  # type: ignore[misc]  # bound at once
        for own in (self.post.answer, self._answers, self._tick):
            self.workers.begin(own, wakes=False)

    async def close(self) -> None:
        await self.workers.end()
        self.clock.settles.remove(self.rest)
        assert self.post.lmtp
        await self.post.lmtp.close()
        await self.sessions.aclose()
        await self.bot.close()
        await self.account.close()
        await self.company.close()
        await self.post.channel.close()
        await self.server.stop()
        await self.writer.close()
        self.house.app.database.close()

    async def _tick(self) -> int:
        due, clock = self.house.app.reception.due, self.house.app.clock
        return await self.writer.run(lambda tx: tick(due, tx, clock()))

    async def _answers(self) -> int:
        await self.company.answers.drain()
        return 0

    def _note(self, channel: str, kind: str) -> None:
        self.done[channel, kind] += 1

    # -- time ------------------------------------------------------------------------------------------------

    async def until(self, moment: datetime) -> None:
        """Let time pass until then."""
        await self.clock.advance(moment.timestamp() - self.clock.now())

    async def _courtesy(self, seconds: float) -> None:
        self._courtesies += 1
        try:
            await self.clock.sleep(seconds)
        finally:
            self._courtesies -= 1

    def _thread_sleep(self, seconds: float) -> None:
        asyncio.run_coroutine_threadsafe(self.workers.elsewhere_nap(seconds), self._loop).result()

    async def rest(self) -> None:
        """Until nothing moves: the workers sleep, and whatever was said or sent has arrived and is answered."""
        turns = -1
        while turns != self.workers.turns or not self.workers.at_rest:
            turns = self.workers.turns
            await self.workers.rest()
            await self.wecom.settled()
            for fake in (self.telegram, self.wechat, self.mail):
                await fake.settled()
            if not (self.bot.at_rest or self._courtesies):
                await self.telegram.until(lambda: self.bot.at_rest or self._courtesies > 0, "the courtesies")

    # -- people ----------------------------------------------------------------------------------------------

    async def browser(self) -> Browser:
        """A browser that nobody has signed in with."""
        jar = aiohttp.CookieJar(unsafe=True)
        session = aiohttp.ClientSession(cookie_jar=jar, headers={"Accept-Language": "zh-CN"})
        return Browser(self.url, await self.sessions.enter_async_context(session))


@dataclass(frozen=True)
class Platforms:
    """What lies outside our walls."""

    telegram: FakeTelegram
    wechat: FakeWeChat
    wecom: FakeWeCom
    mail: FakeMail


@asynccontextmanager
async def town(folder: Path, start: datetime) -> AsyncIterator[Town]:
    """All channels, one time. Nothing is sent before `begin`."""
    clock = VirtualClock(start)
    async with (
        FakeTelegram(clock=clock) as telegram,
        FakeWeChat(clock=clock) as wechat,
        FakeWeCom(clock=clock) as wecom,
        FakeMail(DOMAIN, clock=clock) as mail,
    ):
        telegram.pace = wechat.pace = 0
        wechat.template(wechat_house.NOTICE, "活动通知", "thing1", "time2", one_time=True)
        opened = Town(folder, clock, Platforms(telegram, wechat, wecom, mail))
        await opened.open()
        try:
            yield opened
        finally:
            await opened.close()
