"""clock: what time is it for Telegram, and what is due then?

Tests move a `VirtualClock` by hand, so that a day of retries takes a moment. Benchmarks and kill tests use
the `RealClock`. Both count seconds since 1970 (UTC).
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Protocol


class Timer(Protocol):
    """Something due later that can be called off."""

    def cancel(self) -> None: ...


class Clock(Protocol):
    """The time, and a way to be called when it comes."""

    @property
    def virtual(self) -> bool: ...

    def now(self) -> float: ...

    def call_at(self, when: float, act: Callable[[], None]) -> Timer: ...

    async def sleep(self, seconds: float) -> None: ...


class RealClock:
    """The clock on the wall."""

    virtual = False

    def now(self) -> float:
        return time.time()

    def call_at(self, when: float, act: Callable[[], None]) -> Timer:
        return asyncio.get_running_loop().call_later(max(0.0, when - self.now()), act)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class _Alarm:
    """One entry of a virtual clock; calling it off leaves it in the heap, where it does nothing."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act: Callable[[], None] | None = act

    def cancel(self) -> None:
        self._act = None

    def ring(self) -> bool:
        """Do what is due; False if it was called off."""
        act, self._act = self._act, None
        if act is None:
            return False
        act()
        return True


class VirtualClock:
    """A clock that stands still until `advance` moves it."""

    virtual = True

    def __init__(self, start: datetime = datetime(2026, 11, 22, 1, 41, tzinfo=UTC)) -> None:
        self._now = start.timestamp()
        self._alarms: list[tuple[float, int, _Alarm]] = []
        self._set = 0
        self.settles: list[Callable[[], Awaitable[None]]] = []
        """What must come to rest before time goes on: each server that uses this clock adds its own."""

    def now(self) -> float:
        return self._now

    def instant(self) -> datetime:
        """The same time as an aware UTC datetime, to hand to whatever takes time as an argument."""
        return datetime.fromtimestamp(self._now, UTC)

    def call_at(self, when: float, act: Callable[[], None]) -> Timer:
        alarm = _Alarm(act)
        self._set += 1
        heapq.heappush(self._alarms, (max(when, self._now), self._set, alarm))
        return alarm

    async def sleep(self, seconds: float) -> None:
        """Wait until somebody has moved the clock this far."""
        woken = asyncio.Event()
        alarm = self.call_at(self._now + seconds, woken.set)
        try:
            await woken.wait()
        finally:
            alarm.cancel()

    async def advance(self, seconds: float, *, settle: bool = True) -> None:
        """Let `seconds` pass; whatever falls due happens at its own time, in order.

        After each event the work it caused is awaited (`settles`), because on a real clock it would long be
        done before the next one. `settle=False` is for handlers that are meant to hang.
        """
        target = self._now + seconds
        await self._rest(settle)
        while self._alarms and self._alarms[0][0] <= target:
            when, _, alarm = heapq.heappop(self._alarms)
            self._now = max(self._now, when)
            if alarm.ring():
                await self._rest(settle)
        self._now = target

    async def _rest(self, settle: bool) -> None:
        # One turn of the loop lets a sleeper that was just woken take its next step.
        await asyncio.sleep(0)
        if settle:
            for come_to_rest in self.settles:
                await come_to_rest()
