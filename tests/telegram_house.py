"""A house with Telegram before its door: how do its people, their phones and the passing of time go together?

::

    async with telegram_house(tmp_path) as house:
        wang = await house.seat("王芳")      # bound; somebody unknown to the house is a stranger
        await wang.say("投票")
        await wang.tap("孙明")
        wang.text, wang.labels, wang.toast    # what she sees

Time is virtual and one: Telegram's, the house's and the outbox's. Between Telegram and the house stands a proxy,
which answers `503` with `Retry-After: 2` while the house is down.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from aiohttp import web

from bot.adapters.telegram_channel import Pace, TelegramChannel
from bot.core.event import Address
from bot.intake.telegram import AGAIN, TelegramIntake
from bot.parts import App
from storage import addresses
from storage.writer import Writer, open_writer
from tests.fakes.telegram import FakeTelegram, Limits, Message, Person, VirtualClock
from tests.people import NOW, House, build_house
from workers.outbox import Outbox

SECRET = "the-secret-of-the-webhook"
PATH = "/telegram/webhook"
FIRST_ID = 5_000_000_001


class TelegramSeat:
    """Somebody with a phone, as a test drives them."""

    def __init__(self, house: TelegramHouse, person: Person) -> None:
        self.house, self.person = house, person
        self._seen: Message | str = ""

    @property
    def address(self) -> Address:
        return Address("telegram", str(self.person.id))

    @property
    def text(self) -> str:
        """What Tiexin said last: a message, an edited message, or a toast that stood alone."""
        return self._seen if isinstance(self._seen, str) else self._seen.text

    @property
    def labels(self) -> list[str] | None:
        return None if isinstance(self._seen, str) else self._seen.labels

    @property
    def toast(self) -> str:
        return self.person.toast

    @property
    def messages(self) -> list[str]:
        """Everything of Tiexin's that stands in the chat now."""
        return [line.text for line in self._messages()]

    async def say(self, text: str) -> None:
        await self._act(lambda: self.person.says(text))

    async def start(self, payload: str = "") -> None:
        await self._act(lambda: self.person.start(payload))

    async def tap(self, label: str, *, on: str | None = None) -> None:
        """Press the newest button whose label is this, or else contains it."""
        labels = [one for message in reversed(self._messages()) for one in message.labels]
        found = label if label in labels else next((one for one in labels if label in one), label)
        await self._act(lambda: self.person.taps(found, on=on))

    async def wait_for(self, text: str) -> None:
        await self.house.deliver()
        found = [message for message in self._messages() if text in message.text]
        assert found, f"nothing with {text!r} was delivered:\n{self.person.transcript()}"
        self._seen = found[-1]

    async def _act(self, act: Callable[[], object]) -> None:
        before = {message.id: (message.text, message.buttons) for message in self._messages()}
        toasts = len(self.person.chat) - len(before)
        await act()  # type: ignore[misc]  # every act is a coroutine
        await self.house.rest()
        changed = [one for one in self._messages() if before.get(one.id) != (one.text, one.buttons)]
        if changed:
            self._seen = changed[-1]
        elif len(self.person.chat) - len(self._messages()) > toasts:
            self._seen = self.toast

    def _messages(self) -> list[Message]:
        return [line for line in self.person.chat if isinstance(line, Message) and line.from_bot]


class TelegramHouse:
    """The whole of it. `house` is the house of the other tests, at Telegram's time."""

    def __init__(self, folder: Path, telegram: FakeTelegram, clock: VirtualClock, pace: Pace, url: str) -> None:
        self._house = build_house(folder, url)
        self.telegram, self.clock, self.pace = telegram, clock, pace
        self.app: App = replace(self._house.app, clock=clock.instant)
        self.done: Counter[str] = Counter()
        self._seats: dict[str, TelegramSeat] = {}
        self._runner: web.AppRunner | None = None
        self._up = False
        self._naps = 0
        self.url = ""
        self.writer: Writer
        self.channel: TelegramChannel
        self.intake: TelegramIntake
        self.outbox: Outbox

    @property
    def house(self) -> House:
        self._house.now = self.clock.instant()
        return self._house

    # -- life -----------------------------------------------------------------------------------------------

    async def open(self, *, hooked: bool = True) -> None:
        application = web.Application()
        application.router.add_post(PATH, self._proxied)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}{PATH}"
        await self.up()
        self.clock.settles.append(self.rest)
        if hooked:
            await self.channel.register(self.url, SECRET)

    async def close(self) -> None:
        self.clock.settles.remove(self.rest)
        await self.down()
        if self._runner:
            await self._runner.cleanup()
        self._house.app.database.close()

    async def up(self) -> None:
        """Start the house, as a new process would."""
        self.writer = open_writer(self.app.database)
        self.channel = TelegramChannel(
            self.telegram.token, self.telegram.url, self.pace, sleep=self.nap, clock=self.clock.now
        )
        self.intake = TelegramIntake(
            self.app, self.writer, self.channel, SECRET, lambda: None, self._count, sleep=self.nap
        )
        self.outbox = Outbox(
            self.app.database, self.writer, self.app.reception.compose, self.app.reception.fit, [self.channel],
            self.app.clock, sleep=self.telegram.advance,
        )  # fmt: skip
        await self.channel.open()
        self._up = True

    async def down(self) -> None:
        """Stop it; the proxy says so to Telegram."""
        if self._up:
            self._up = False
            await self.channel.close()
            await self.writer.close()

    async def restart(self) -> None:
        await self.down()
        await self.up()

    async def _proxied(self, request: web.Request) -> web.Response:
        if not self._up:
            return web.Response(status=503, headers=AGAIN)
        return await self.intake.webhook(request)

    # -- time -----------------------------------------------------------------------------------------------

    async def nap(self, seconds: float) -> None:
        """Sleep on the virtual clock."""
        self._naps += 1
        try:
            await self.clock.sleep(seconds)
        finally:
            self._naps -= 1

    @property
    def asleep(self) -> bool:
        """Whether a part of the house waits for time to pass."""
        return self._naps > 0

    async def rest(self) -> None:
        """Until nothing moves: every update is answered, and what was to be done aside is done or sleeps."""
        await self.telegram.settled()
        await self.telegram.until(lambda: not self._up or self.channel.at_rest or self.asleep, "the courtesies")

    async def pass_time(self, **delta: float) -> None:
        """Let time pass, the clock tick, and what is due be delivered."""
        await self.telegram.advance(timedelta(**delta).total_seconds())
        self.house.tick()
        await self.deliver()

    async def deliver(self) -> None:
        """What the outbox does until nothing is due."""
        while await self.outbox.expand():
            pass
        while await self.outbox.drain(self.channel):
            pass

    # -- people ---------------------------------------------------------------------------------------------

    async def seat(self, name: str, language: str | None = "zh") -> TelegramSeat:
        """Somebody's phone; bound if they belong to the house."""
        if name not in self._seats:
            person = self.telegram.user(FIRST_ID + len(self._seats), name, language)
            seat = self._seats[name] = TelegramSeat(self, person)
            person.room.started = True  # long ago
            if name in self.house.ids:
                await self.writer.run(
                    lambda tx: addresses.bind(
                        tx, self.house.ids[name], seat.address, self.clock.instant(), consent="test"
                    )
                )
        return self._seats[name]

    def _count(self, kind: str) -> None:
        self.done[kind] += 1


@asynccontextmanager
async def telegram_house(
    folder: Path, *, hooked: bool = True, pace: Pace | None = None, limits: Limits | None = None, url: str = ""
) -> AsyncIterator[TelegramHouse]:
    """A house at ten o'clock in Beijing, with Telegram before its door (or, not `hooked`, at some distance)."""
    clock = VirtualClock(NOW)
    async with FakeTelegram(clock=clock, limits=limits) as telegram:
        house = TelegramHouse(folder, telegram, clock, pace or Pace(), url)
        await house.open(hooked=hooked)
        try:
            yield house
        finally:
            await house.close()
