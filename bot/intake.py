"""How does Telegram bring us updates: to our webhook, or fetched by us where there is no public address?"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from aiohttp import web

from bot.adapters.telegram import Call, Heard, Malformed, Reach, read, write
from bot.adapters.telegram_channel import TelegramChannel
from bot.core.reply import Undelivered
from bot.parts import App
from storage import addresses, settings
from storage.writer import Busy, Writer

log = structlog.get_logger()

LATE = timedelta(seconds=150)
"""How long after a start a tap may have waited with Telegram, so that its toast comes too late to be seen."""
AGAIN = {"Retry-After": "2"}
"""After a failed commit: in two seconds, and for as long as the tap lives."""
BODY = 1 << 20
"""Bytes of an update at the most; Telegram's own stay far below."""

OFFSET = "telegram.offset"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an update led to, for the answer and the metrics."""

    kind: str
    ride: Call | None = None


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
    ) -> None:
        self._app, self._writer, self._channel = app, writer, channel
        self._secret, self._after, self._done = secret.encode(), after, done
        self._started = app.clock()
        self._stopping = asyncio.Event()

    # -- the webhook --------------------------------------------------------------------------------------

    async def webhook(self, request: web.Request) -> web.Response:
        """`POST /telegram/webhook`, answered in its own body."""
        shown = request.headers.get("X-Telegram-Bot-Api-Secret-Token", "")
        if not hmac.compare_digest(shown.encode(), self._secret):
            self._done("forbidden")
            return web.Response(status=403)
        if (request.content_length or 0) > BODY:
            self._done("too large")
            return web.Response(status=413)
        try:
            raw = json.loads(await request.read())
        except (ValueError, RecursionError):
            self._done("not json")
            return web.Response(status=400)
        try:
            outcome = await self.take(raw)
        except Busy:
            self._done("busy")
            return web.Response(status=503, headers=AGAIN)
        self._done(outcome.kind)
        if outcome.ride is None:
            return web.Response()
        body = {"method": outcome.ride.method, **outcome.ride.values}
        return web.Response(text=json.dumps(body, ensure_ascii=False), content_type="application/json")

    async def take(self, raw: object) -> Outcome:
        """Answer one update. Raises Busy when nothing could be committed."""
        try:
            heard = read(raw)
        except Malformed as error:
            log.warning("update not read", error=str(error))
            return Outcome("malformed")
        if heard is None:
            return Outcome("ignored")
        if isinstance(heard, Reach):
            reach = heard
            await self._writer.run(lambda tx: addresses.set_dead(tx, reach.address, not reach.alive))
            return Outcome("reach")
        return await self._answer(heard)

    async def _answer(self, heard: Heard) -> Outcome:
        now = self._app.clock()
        answered = await self._writer.run(lambda tx: self._app.reception.receive(tx, heard.event, now))
        ride, asides = write(heard, answered.messages, late=now - self._started < LATE)
        self._channel.aside(asides)
        self._after()
        if answered.broken:
            return Outcome("broken", ride)
        return Outcome("again" if answered.again else "answered", ride)

    # -- polling ------------------------------------------------------------------------------------------

    async def poll(self) -> None:
        """Fetch updates until stopped. The next offset is the acknowledgement, so it waits for the commit."""
        offset = int(await self._writer.run(lambda tx: settings.get(tx, OFFSET)) or 0)
        while not self._stopping.is_set():
            updates = await self._patiently(lambda at=offset: self._channel.fetch(at))  # type: ignore[misc]  # bound at once
            for raw in updates or []:
                if not await self._take_until_done(raw):
                    return
                offset = int(raw["update_id"]) + 1
            if updates:
                await self._writer.run(lambda tx, at=offset: settings.put(tx, OFFSET, str(at)))  # type: ignore[misc]  # bound at once

    def stop(self) -> None:
        self._stopping.set()

    async def _take_until_done(self, raw: dict[str, Any]) -> bool:
        """Handle, commit, answer; while the database cannot be written to, ask again. False: stopped before."""
        while not self._stopping.is_set():
            try:
                outcome = await self.take(raw)
            except Busy:
                await self._pause(2)
                continue
            self._done(outcome.kind)
            if ride := outcome.ride:
                await self._patiently(lambda: self._channel.perform(ride), tries=3)
            return True
        return False

    async def _patiently(self, work: Callable[[], Awaitable[Any]], tries: int = 0) -> Any:
        """The result of a call, tried again while Telegram cannot be reached; `tries` 0: for ever."""
        attempt = 0
        while not self._stopping.is_set():
            attempt += 1
            try:
                return await work()
            except Undelivered as no:
                if no.permanent or no.unknown or attempt == tries:
                    return None
                await self._pause(no.retry_after or min(2**attempt, 60))
        return None

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return
