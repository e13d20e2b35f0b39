"""health: alive, able to serve, and how is it going?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from aiohttp import web
from sqlalchemy import text

from bot.server.front import Front, answer
from bot.server.metrics import CONTENT_TYPE
from storage import gauges
from storage.database import Behind, check_revision
from storage.house import Tx

Check = Callable[[], Awaitable[bool]]

PATIENCE = 3.0
"""Seconds a part may take to show that it is able."""
FRESH = 10.0
"""Seconds for which the look at the migrations is believed."""


class Health:
    """GET /healthz, /readyz and /metrics."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self.checks: dict[str, Check] = {
            "database": self._database,
            "migrations": self._migrations,
            "writer": self._writer,
        }
        self._current_until = 0.0

    async def alive(self, _request: web.Request) -> web.Response:
        return answer({"alive": True})

    async def ready(self, _request: web.Request) -> web.Response:
        """200, or 503 with the name of the first part that is not able."""
        for name, check in self.checks.items():
            try:
                well = await asyncio.wait_for(check(), PATIENCE)
            except Exception:  # whatever it is, the part is not able; its own log says why
                well = False
            if not well:
                return answer({"ready": False, "reason": name}, status=503)
        return answer({"ready": True})

    async def metrics(self, _request: web.Request) -> web.Response:
        metrics = self._front.metrics

        def look(tx: Tx) -> tuple[dict[tuple[str, str], int], int, int]:
            now = self._front.clock()
            return gauges.deliveries(tx), gauges.waiting(tx, now), gauges.unexpanded(tx, now)

        deliveries, waiting, unexpanded = await self._front.read(look)
        metrics.deliveries.clear()
        for (channel, state), count in deliveries.items():
            metrics.deliveries.labels(channel or "none", state).set(count)
        metrics.waiting.set(waiting)
        metrics.unexpanded.set(unexpanded)
        metrics.streams.set(self._front.bells.count)
        return web.Response(body=metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    async def _database(self) -> bool:
        return await self._front.read(lambda tx: tx.run(text("SELECT 1")).scalar_one() == 1)

    async def _migrations(self) -> bool:
        if time.monotonic() >= self._current_until:
            try:
                await asyncio.to_thread(check_revision, self._front.database.url)
            except Behind:
                return False
            self._current_until = time.monotonic() + FRESH
        return True

    async def _writer(self) -> bool:
        """The queue of writes moves."""
        await self._front.writer.run(lambda tx: tx.run(text("SELECT 1")).scalar_one())
        return True
