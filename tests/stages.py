"""Stages: the whole running house, with people in front of the web chat or of Telegram."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp

from bot.core.event import Address
from bot.serve import serve
from storage import addresses
from tests.fakes.telegram import FakeTelegram, Limits, RealClock
from tests.fakes.telegram.model import Message, Tap, Toast
from tests.fakes.telegram.people import Person
from tests.people import House, build_house
from tests.running import free_port
from tests.sites import Browser, bind, link, new_id
from tests.transcript import PATIENCE, Shown


class _Stage:
    """A served house. Its clock stands where the house's does, and runs on from there."""

    def __init__(self, house: House, port: int) -> None:
        self.house, self.port = house, port
        self.url = f"http://127.0.0.1:{port}"
        self.names: dict[str, str] = {}
        self._zero = time.monotonic()
        house.app = replace(house.app, clock=self._now)

    def _now(self) -> Any:
        return self.house.now + timedelta(seconds=time.monotonic() - self._zero)

    async def pass_time(self, **delta: float) -> None:
        self.house.later(**delta)
        await asyncio.to_thread(self.house.tick)

    async def prepare(self, work: Callable[..., object]) -> None:
        await asyncio.to_thread(work, self.house, self)


@asynccontextmanager
async def _serving(house: House, port: int) -> AsyncIterator[None]:
    stop, opened = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(serve(house.app, port=port, opened=lambda _url: opened.set(), until=stop.wait()))
    waiting = asyncio.create_task(opened.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    try:
        yield
    finally:
        stop.set()
        await task


# -- the web chat -----------------------------------------------------------------------------------------------


@dataclass
class WebSeat:
    """Somebody with a browser."""

    browser: Browser
    wanted: str = ""
    slow: bool = True
    newest: int = 0
    lines: dict[int, dict[str, Any]] = field(default_factory=dict)

    async def say(self, text: str) -> None:
        self._take(await self.browser.say(text))

    async def tap(self, label: str) -> None:
        for line in sorted(self.lines.values(), key=lambda one: -int(one["id"])):
            if any(label in key["label"] for row in line["keys"] for key in row):
                self._take(await self.browser.tap(line, label))
                return
        raise AssertionError(f"no button {label!r} on the page")

    async def expect(self, text: str) -> None:
        self.wanted = text

    async def screen(self) -> list[Shown]:
        if self.wanted:
            await self.browser.open(self.browser.path)
            self._keep(self.browser.data["lines"])
            found = [line for line in self.lines.values() if self.wanted in line["text"] and not line["mine"]]
        else:
            found = [self.lines[self.newest]]
        return [Shown(line["text"], [key["label"] for row in line["keys"] for key in row]) for line in found[-1:]]

    def _take(self, answer: dict[str, Any]) -> None:
        self.wanted = ""
        self._keep(answer["lines"])
        self.newest = [int(line["id"]) for line in answer["lines"] if not line["mine"]][-1]

    def _keep(self, lines: list[dict[str, Any]]) -> None:
        self.lines |= {int(line["id"]): line for line in lines}


class WebStage(_Stage):
    """Everybody sits in front of a browser of their own."""

    def __init__(self, house: House, port: int, browser: Callable[[], Browser]) -> None:
        super().__init__(house, port)
        self._browser = browser

    async def seat(self, name: str) -> WebSeat:
        browser = self._browser()
        if name in self.house.ids:
            await asyncio.to_thread(bind, self.house, name)
            await browser.enter(await asyncio.to_thread(link, self.house, name, new_id()))
        else:
            await browser.open("/chat")
        return WebSeat(browser)


@asynccontextmanager
async def web_stage(folder: Path) -> AsyncIterator[WebStage]:
    port = free_port()
    house = build_house(folder, server__port=str(port), server__public_url=f"http://127.0.0.1:{port}")
    sessions: list[aiohttp.ClientSession] = []

    def browser() -> Browser:
        sessions.append(
            aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True), headers={"Accept-Language": "zh-CN"})
        )
        return Browser(f"http://127.0.0.1:{port}", sessions[-1])

    stage = WebStage(house, port, browser)
    async with _serving(house, port):
        yield stage
        for session in sessions:
            await session.close()


# -- Telegram ---------------------------------------------------------------------------------------------------


@dataclass
class TelegramSeat:
    """Somebody with a phone."""

    person: Person
    wanted: str = ""
    slow: bool = True
    under: Message | None = None
    tapped: Tap | None = None
    before: int = 0

    async def say(self, text: str) -> None:
        self.wanted, self.under, self.tapped, self.before = "", None, None, len(self.person.chat)
        await self.person.says(text, wait=False)

    async def tap(self, label: str) -> None:
        self.wanted = ""
        self.under = await self._with(label)
        self.before = len(self.person.chat)
        shown = self.under.labels
        self.tapped = await self.person.taps(
            label if label in shown else next(one for one in shown if label in one), on=self.under, wait=False
        )

    async def _with(self, label: str) -> Message:
        """The newest message with such a button, as soon as there is one."""
        for _ in range(int(PATIENCE / 0.01)):
            messages = [line for line in reversed(self.person.chat) if isinstance(line, Message) and line.from_bot]
            if found := next((m for m in messages if any(label in shown for shown in m.labels)), None):
                return found
            await asyncio.sleep(0.01)
        raise AssertionError(f"no button {label!r} in the chat")

    async def expect(self, text: str) -> None:
        self.wanted, self.under, self.tapped, self.before = text, None, None, 0

    async def screen(self) -> list[Shown]:
        lines = self.person.chat[self.before :]
        shown = [
            Shown(line.text, list(line.labels))
            for line in lines
            if isinstance(line, Message) and line.from_bot and self.wanted in line.text
        ]
        shown.reverse()
        if self.under:
            shown.append(Shown(self.under.text, list(self.under.labels)))
        shown += [Shown(line.text, None) for line in lines if isinstance(line, Toast)]
        return shown


class TelegramStage(_Stage):
    """Everybody holds a phone."""

    def __init__(self, house: House, port: int, telegram: FakeTelegram) -> None:
        super().__init__(house, port)
        self._telegram, self._next = telegram, 7000

    async def seat(self, name: str) -> TelegramSeat:
        self._next += 1
        person = self._telegram.user(self._next, name, "zh")
        person.room.started = True
        if name in self.house.ids:
            await asyncio.to_thread(self._bind, name, str(person.id))
        return TelegramSeat(person)

    def _bind(self, name: str, key: str) -> None:
        with self.house.app.database.write() as tx:
            addresses.bind(tx, self.house.ids[name], Address("telegram", key), self.house.now, consent="test")


@asynccontextmanager
async def telegram_stage(folder: Path) -> AsyncIterator[TelegramStage]:
    port = free_port()
    async with FakeTelegram(
        clock=RealClock(), limits=Limits(chat_burst=50)
    ) as telegram:  # they type faster than people
        telegram.pace = 0
        house = build_house(
            folder, server__port=str(port), server__public_url=f"http://127.0.0.1:{port}",
            telegram__token=telegram.token, telegram__webhook_secret="secret", telegram__api_base=telegram.url,
            telegram__rate_chat="50",
        )  # fmt: skip
        stage = TelegramStage(house, port, telegram)
        async with _serving(house, port):
            await telegram.until(lambda: bool(telegram.called("setMyCommands")), "the commands")
            yield stage
