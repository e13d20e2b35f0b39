"""How is a push of WeChat's or WeCom's taken: told from a forgery, committed, and only then answered?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

import structlog
from aiohttp import web

from bot.adapters.tencent_callback import BODY, Callback, Forged, Push, Unreadable
from bot.intake import Wiring
from bot.logs import frames
from storage import settings
from storage.writer import Busy

H = TypeVar("H")

log = structlog.get_logger()

PICTURE = 3.5
"""Seconds for fetching a picture; after five the platform asks again."""
AGAIN = {"Retry-After": "2"}
"""After a failed commit. The platform asks again, three times in all."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a push led to, for the metrics, and the XML that answers it; nothing: it is only taken."""

    kind: str
    xml: str = ""


@dataclass(frozen=True)
class Door(Generic[H]):
    """The callback of one account.

    `verified`: under which name it is remembered that the platform has looked at the address. `nothing`: the text
    that means that there is nothing to say. `read` says what a push is about (None: nothing of ours; raises
    Unreadable); `take` commits it, and raises Busy where it could not.
    """

    wiring: Wiring
    channel: str
    callback: Callback
    verified: str
    nothing: str
    read: Callable[[Push, datetime], H | None]
    take: Callable[[Push, H, datetime], Awaitable[Taken]]

    async def look(self, request: web.Request) -> web.Response:
        """GET: the platform asks whether this address is ours, and is shown its own text."""
        now = self.wiring.app.clock()
        try:
            echo = self.callback.echo(request.query, now)
        except (Forged, Unreadable) as no:
            return self._forbidden(no)
        try:
            await self.wiring.writer.run(lambda tx: settings.put(tx, self.verified, now.isoformat()))
        except Busy:
            return self._busy()
        self._note("looked at")
        return web.Response(text=echo)

    async def push(self, request: web.Request) -> web.Response:
        """POST: committed, then answered in its own body."""
        body = await _body(request)
        if body is None:
            self._note("too large")
            return web.Response(status=413)
        now = self.wiring.app.clock()
        try:
            push = self.callback.open(request.query, body, now)
            heard = self.read(push, now)
        except Forged as no:
            return self._forbidden(no)
        except Unreadable as no:  # acknowledged: the same would come twice more, and be no better
            log.warning("push not read", reason=str(no))
            self._note("malformed")
            return web.Response()
        if heard is None:
            return self._answered(Taken("ignored"), now)
        try:
            taken = await self.take(push, heard, now)
        except Busy:
            return self._busy()
        except Exception as error:  # beneath the reception's own net; refused, it would come twice more
            log.error("push failed", error=type(error).__name__, frames=frames(error))
            return self._answered(Taken("failed"), now)
        self.wiring.wake()
        return self._answered(taken, now)

    def _answered(self, taken: Taken, now: datetime) -> web.Response:
        self._note(taken.kind)
        if not taken.xml:
            return web.Response(text=self.nothing)
        return web.Response(text=self.callback.write(taken.xml, now), content_type="text/xml")

    def _forbidden(self, no: Exception) -> web.Response:
        log.warning("push refused", reason=str(no))
        self._note("forbidden")
        return web.Response(status=403)

    def _busy(self) -> web.Response:
        self._note("busy")
        return web.Response(status=503, headers=AGAIN)

    def _note(self, kind: str) -> None:
        self.wiring.note(self.channel, kind)


async def _body(request: web.Request) -> bytes | None:
    """What was sent; None: too much, and not read to its end."""
    if request.content_length is not None:
        return await request.read() if request.content_length <= BODY else None
    body = bytearray()
    async for chunk in request.content.iter_chunked(1 << 16):
        body += chunk
        if len(body) > BODY:
            return None
    return bytes(body)
