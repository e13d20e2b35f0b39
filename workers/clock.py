"""The clock: what is due now? Polls to open and close, codes and drafts to expire."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

import structlog

from bot.logs import frames
from storage.house import Tx
from storage.writer import Busy, Writer

log = structlog.get_logger()

EVERY = 2.0
"""Seconds between two ticks. Nothing depends on it being exact: a vote after the close is refused by its time."""
AT_ONCE = 200
"""Ticks without a pause at the most; each does a batch of everything."""


def tick(due: Callable[[Tx, datetime], int], tx: Tx, now: datetime) -> int:
    """Do what is due at `now`; how much there was. Any number of ticks, at any times, do everything once."""
    tx.lock("clock")
    return due(tx, now)


class Clock:
    """Ticks in the embedded engine."""

    def __init__(
        self,
        writer: Writer,
        due: Callable[[Tx, datetime], int],
        clock: Callable[[], datetime],
        after: Callable[[], None],
    ) -> None:
        self._writer, self._due, self._clock, self._after = writer, due, clock, after
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        self._stop.set()
        if self._task:
            await self._task

    async def _run(self) -> None:
        while not self._stop.is_set():
            try:
                await self._catch_up()
            except Busy:
                log.warning("the clock has to wait for the database")
            except Exception as error:
                log.error("tick failed", error=type(error).__name__, frames=frames(error))
            try:
                await asyncio.wait_for(self._stop.wait(), EVERY)
            except TimeoutError:
                continue

    async def _catch_up(self) -> None:
        """Tick until nothing is due, a transaction each, so that what people say comes in between."""
        for _ in range(AT_ONCE):
            if self._stop.is_set() or not await self._writer.run(lambda tx: tick(self._due, tx, self._clock())):
                return
            self._after()
