"""stream: how does a browser hear of what is new, at once and without asking?"""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from functools import partial

import structlog
from aiohttp import web

from bot.adapters.web import shown
from bot.logs import frames
from bot.server.front import Front, No
from bot.server.visitors import Visitor, Visitors
from storage import web as chats
from storage.database import is_trouble
from storage.house import Tx
from storage.web import Line

log = structlog.get_logger()

BEAT = 15.0
"""Seconds between two signs of life: proxies close a silent connection after 30 or 60."""
LOOK = 2.0
"""Seconds after which other processes' writing is noticed."""
MOST = 2000
"""Browsers that listen to one process."""
MARGIN = timedelta(seconds=30)
"""How far the clocks of two processes may differ before the end of a session is noticed only at the next beat."""


class Stream:
    """GET /chat/events, and the watch that wakes it for what other processes write."""

    def __init__(self, front: Front, visitors: Visitors) -> None:
        self._front, self._visitors = front, visitors
        self._closing = False
        self._watch: asyncio.Task[None] | None = None

    async def open(self, request: web.Request) -> web.StreamResponse:
        """Lines that are new or revised since `after`, as they come; `ended` when the session is over."""
        digest, key = self._visitors.digest(request), ""
        after = _number(request.headers.get("Last-Event-ID") or request.query.get("after"))
        if digest is None:
            raise No(401, "signed_out")
        if self._closing or self._front.bells.count >= MOST:
            raise No(503, "busy", retry_after=2)
        visitor, _ = await self._front.read(partial(self._look, digest=digest, after=None))
        response = web.StreamResponse(
            headers={
                "Content-Type": "text/event-stream",
                "Cache-Control": "no-store",
                "X-Accel-Buffering": "no",  # nginx would keep the events to itself until a buffer is full
            }
        )
        await response.prepare(request)
        await response.write(b"retry: 2000\n\n")
        if visitor is None:
            await response.write(b"event: ended\ndata: {}\n\n")
            return response
        key = visitor.key
        try:
            with self._front.bells.watching(key) as bell:
                await self._follow(response, digest, key, after, bell)
        except ConnectionError:
            pass  # the browser has gone: nothing is lost, it will ask again from where it was
        except Exception as error:
            if not is_trouble(error):
                log.error("stream failed", error=type(error).__name__, frames=frames(error))
                self._front.metrics.error("stream")
        return response

    async def _follow(
        self, response: web.StreamResponse, digest: bytes, key: str, after: int, bell: asyncio.Event
    ) -> None:
        while not self._closing:
            bell.clear()
            visitor, lines = await self._front.read(partial(self._look, digest=digest, after=after))
            if visitor is None:
                await response.write(b"event: ended\ndata: {}\n\n")
                return
            if visitor.key != key:
                await response.write(b"event: moved\ndata: {}\n\n")
                return
            if lines:
                after = max(line.version for line in lines)
                data = json.dumps({"lines": [shown(line) for line in lines]}, ensure_ascii=False)
                await response.write(f"id: {after}\ndata: {data}\n\n".encode())
            try:
                await asyncio.wait_for(bell.wait(), BEAT)
            except TimeoutError:
                await response.write(b": beat\n\n")

    def _look(self, tx: Tx, digest: bytes, after: int | None) -> tuple[Visitor | None, list[Line]]:
        visitor = self._visitors.look(tx, digest, self._front.clock())
        if visitor is None or after is None:
            return visitor, []
        return visitor, chats.lines(tx, visitor.key, after=after)

    # -- the watch --------------------------------------------------------------------------------------------

    def start(self) -> None:
        self._watch = asyncio.create_task(self._watching())

    async def close(self) -> None:
        """Let every browser go; they come back by themselves."""
        self._closing = True
        self._front.bells.ring_all()
        if self._watch:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)

    async def _watching(self) -> None:
        """One look every two seconds for everybody, however many browsers listen."""
        seen: int | None = None
        while True:
            await asyncio.sleep(LOOK)
            if not self._front.bells.count:
                seen = None
                continue
            try:
                seen = await self._ring(seen)
            except Exception as error:
                if not is_trouble(error):
                    log.error("watch failed", error=type(error).__name__, frames=frames(error))

    async def _ring(self, seen: int | None) -> int:
        if seen is None:
            self._front.bells.ring_all()
            return await self._front.read(chats.version)
        since = self._front.clock() - MARGIN

        def look(tx: Tx) -> tuple[int, set[str], set[str]]:
            return chats.version(tx), chats.changed(tx, seen), chats.ended(tx, since)

        newest, changed, ended = await self._front.read(look)
        if newest < seen:  # a guest's lines, the newest of all, went when they were bound
            self._front.bells.ring_all()
        for key in changed | ended:
            self._front.bells.ring(key)
        return newest


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 19 else 0
