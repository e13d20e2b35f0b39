"""How does Telegram bring us updates: to our webhook, or fetched by us where there is no public address?"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import structlog
from aiohttp import web
from pydantic_core import from_json, to_json

from bot.adapters.telegram import Call, Heard, Malformed, Reach, read, write
from bot.adapters.telegram_channel import Pace, TelegramChannel
from bot.config import Telegram
from bot.core.event import Event, Said
from bot.core.reply import Undelivered
from bot.intake import Wiring
from bot.intake.fetching import fetched
from bot.logs import frames
from bot.parts import App
from storage import addresses
from storage.writer import Busy, Writer

R = TypeVar("R")

log = structlog.get_logger()

WEBHOOK = "/telegram/webhook"
LATE = timedelta(seconds=150)
"""How long after a start a tap may have waited with Telegram, so that its toast comes too late to be seen."""
AGAIN = {"Retry-After": "2"}
"""After a failed commit: in two seconds, and for as long as the tap lives."""
BODY = 1 << 20
"""Bytes of an update at the most; Telegram's own stay far below."""
RECOVER = 5.0
"""Seconds after a round of polling that failed by a mistake of ours."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an update led to, for the answer and the metrics."""

    kind: str
    ride: Call | None = None


class TelegramPart:
    """Telegram's part of the process: its channel, its intake, and who keeps the webhook registered."""

    def __init__(self, wiring: Wiring, settings: Telegram) -> None:
        self._app, self._settings = wiring.app, settings
        self._secret = settings.webhook_secret.get_secret_value() if settings.webhook_secret else ""
        pace = Pace(settings.rate_global, settings.burst, settings.rate_chat)
        self.channel = TelegramChannel(settings.token.get_secret_value(), settings.api_base, pace)
        self._intake = TelegramIntake(
            wiring.app, wiring.writer, self.channel, self._secret, wiring.wake,
            lambda kind: wiring.note("telegram", kind),
        )  # fmt: skip
        if settings.mode == "webhook":
            wiring.add_routes([web.post(WEBHOOK, self._intake.webhook)])
        self._registering: asyncio.Task[None] | None = None
        self._polling: asyncio.Task[None] | None = None

    async def open(self) -> None:
        await self.channel.open()
        self._registering = asyncio.create_task(self._register())

    async def close(self) -> None:
        self._intake.stop()
        if self._registering:
            self._registering.cancel()
        tasks = [task for task in (self._registering, self._polling) if task]
        await asyncio.gather(*tasks, return_exceptions=True)  # polling ends what it has begun
        await self.channel.close()

    async def _register(self) -> None:
        """Tell Telegram where we are and what we answer; until it has heard us."""
        wait = 1.0
        while True:
            try:
                if self._settings.mode == "webhook":
                    await self.channel.register(f"{self._app.house.public_url}{WEBHOOK}", self._secret)
                else:
                    await self.channel.unregister()  # before the first question, which it would refuse
                    self._polling = self._polling or asyncio.create_task(self._intake.poll())
                await self.channel.publish(self._app.reception.menu())
                log.info("telegram registered", mode=self._settings.mode)
                return
            except Exception as error:
                log.warning("telegram not registered", error=type(error).__name__, again_in=wait)
                await asyncio.sleep(wait)
                wait = min(wait * 2, 300)


class TelegramIntake:
    """Handle, commit, then acknowledge – by webhook or by polling. `done` counts outcomes for the metrics."""

    def __init__(
        self,
        app: App,
        writer: Writer,
        channel: TelegramChannel,
        secret: str,
        after: Callable[[], None],
        done: Callable[[str], None] = lambda _kind: None,
        sleep: Callable[[float], Coroutine[Any, Any, None]] = asyncio.sleep,
    ) -> None:
        self._app, self._writer, self._channel = app, writer, channel
        self._secret, self._after, self._done, self._sleep = secret.encode(), after, done, sleep
        self._started = app.clock()
        self._stopping = asyncio.Event()

    # -- the webhook --------------------------------------------------------------------------------------

    async def webhook(self, request: web.Request) -> web.Response:
        """`POST /telegram/webhook`, answered in its own body."""
        shown = request.headers.get("X-Telegram-Bot-Api-Secret-Token", "")
        if not self._secret or not hmac.compare_digest(shown.encode(errors="surrogateescape"), self._secret):
            self._done("forbidden")
            return web.Response(status=403)
        body = await _body(request)
        if body is None:
            self._done("too large")
            return web.Response(status=413)
        try:
            raw = _json(body)
        except (ValueError, RecursionError):
            self._done("not json")
            return web.Response(status=400)
        try:
            outcome = await self.take(raw)
        except Busy:
            self._done("busy")
            return web.Response(status=503, headers=AGAIN)
        self._done(outcome.kind)
        return self._reply(outcome.ride)

    def _reply(self, ride: Call | None) -> web.Response:
        """The acknowledgement, and with it the answer: one call, whose result nobody tells us."""
        if ride is None:
            return web.Response()
        if not self._channel.may_ride(ride):
            self._channel.aside([ride])  # in a moment; refused now, it would be lost, and others with it
            return web.Response()
        self._channel.count(ride)
        body = to_json({"method": ride.method, **ride.values})
        return web.Response(body=body, content_type="application/json")

    async def take(self, raw: object) -> Outcome:
        """Answer one update. Raises Busy when nothing could be committed."""
        try:
            heard = read(raw)
        except Malformed as error:
            log.warning("update not read", error=str(error))
            return Outcome("malformed")
        if heard is None:
            return Outcome("ignored")
        try:
            return await (self._reach(heard) if isinstance(heard, Reach) else self._answer(heard))
        except Busy:
            raise
        except Exception as error:  # beneath the reception's own net; refused, it would block this person's queue
            log.error("update failed", error=type(error).__name__, frames=frames(error))
            return Outcome("failed")

    async def _reach(self, reach: Reach) -> Outcome:
        await self._writer.run(lambda tx: addresses.set_dead(tx, reach.address, not reach.alive))
        return Outcome("reach")

    async def _answer(self, heard: Heard) -> Outcome:
        now, event = self._app.clock(), await self._fetched(heard)
        answered = await self._writer.run(lambda tx: self._app.reception.receive(tx, event, now))
        ride, asides = write(heard, answered.messages, late=now - self._started < LATE)
        self._channel.aside(asides)
        self._after()
        if answered.broken:
            return Outcome("broken", ride)
        return Outcome("again" if answered.again else "answered", ride)

    async def _fetched(self, heard: Heard) -> Event:
        """What was said, with its file where a question wants one."""
        event, file = heard.event, heard.file
        if file is None or not isinstance(event, Said):
            return event
        return await fetched(
            self._app, self._writer, event, lambda most: self._channel.download(file.file_id, most),
            name=file.name, size=file.size,
        )  # fmt: skip

    # -- polling ------------------------------------------------------------------------------------------

    async def poll(self) -> None:
        """Fetch updates until stopped. The next offset is the acknowledgement, so it waits for the commit.

        It is asked for once and not kept: after a silent week Telegram's numbers begin anew, and what was taken
        twice is answered once by the store.
        """
        offset = 0
        while not self._stopping.is_set():
            try:
                offset = await self._round(offset)
            except Exception as error:  # one round that went wrong must not be the last
                log.error("polling failed", error=type(error).__name__, frames=frames(error))
                await self._unless_stopped(self._sleep(RECOVER))
        if offset:
            with contextlib.suppress(Undelivered):
                await self._channel.fetch(offset, wait=0)

    async def _round(self, offset: int) -> int:
        """Ask, handle, answer; the next offset, 0 where there is nothing to acknowledge."""
        updates = await self._unless_stopped(self._fetch(offset))
        if updates is None:
            return offset
        done, rides = 0, dict[object, list[Call]]()
        for raw in updates:
            if (outcome := await self._take_until_done(raw)) is None:
                break
            if ride := outcome.ride:
                rides.setdefault(ride.values.get("chat_id"), []).append(ride)
            done = int(raw["update_id"]) + 1
        await asyncio.gather(*(self._perform(calls) for calls in rides.values()))
        return done

    def stop(self) -> None:
        """Let `poll` end: what it has begun it ends, and nothing is acknowledged that was not handled."""
        self._stopping.set()

    async def _fetch(self, offset: int) -> list[dict[str, Any]]:
        attempt = 0
        while True:
            try:
                return await self._channel.fetch(offset)
            except Undelivered as no:
                attempt += 1
                await self._sleep(no.retry_after or min(2**attempt, 60))

    async def _take_until_done(self, raw: dict[str, Any]) -> Outcome | None:
        """Handle and commit; while the database cannot be written to, ask again. None: stopped before."""
        while not self._stopping.is_set():
            try:
                outcome = await self.take(raw)
            except Busy:
                self._done("busy")
                await self._unless_stopped(self._sleep(2))
                continue
            self._done(outcome.kind)
            return outcome
        return None

    async def _perform(self, rides: list[Call]) -> None:
        """The answers to one person, in their order; one that Telegram puts off is left to the courtesies."""
        for place, ride in enumerate(rides):
            try:
                await self._channel.perform(ride)
            except Undelivered as no:
                if no.retry_after is not None:
                    self._channel.aside(rides[place:], no.retry_after)
                    return

    async def _unless_stopped(self, work: Coroutine[Any, Any, R]) -> R | None:
        """The result of something that can be left undone; None: stopped before."""
        task, stopped = asyncio.ensure_future(work), asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait((task, stopped), return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            for one in (task, stopped):
                one.cancel()
            await asyncio.gather(task, stopped, return_exceptions=True)


async def _body(request: web.Request) -> bytes | None:
    """What was sent; None: too much, and not read to its end."""
    if (request.content_length or 0) > BODY:
        return None
    content = request.content
    body = await content.readany()  # nearly always all there is
    while len(body) <= BODY and not content.at_eof():
        body += await content.readany()
    return body if len(body) <= BODY else None


def _json(body: bytes) -> object:
    """What a body says, read by pydantic's parser, which needs half the time. Raises ValueError, RecursionError.

    What it refuses is read again by Python's: that one takes halves of characters, which Telegram may send.
    """
    try:
        return from_json(body)
    except ValueError:
        return json.loads(body)
