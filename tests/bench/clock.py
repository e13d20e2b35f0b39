"""clock: what does a tick cost while nothing is due, and do members wait while 10,000 reminders begin?"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.app import App
from bot.core.event import Address, Pressed
from bot.core.reply import Phrase, words
from handlers import Capability, Item, Kind, Round, Router
from handlers.reminders.desk import Desk
from storage.house import Tx
from storage.reminders import Kept
from storage.writer import Writer, open_writer
from tests.bench.members import Tap, open_app, open_polls, settle

NOON = datetime(2026, 11, 24, 4, 30, tzinfo=UTC)
"""A Tuesday, 12:30 in Beijing."""
PACE = 100
"""Taps a second while the reminders begin."""


def clock(members: int = 10_000, ticks: int = 50) -> dict[str, float]:
    """Milliseconds of a tick with nothing due; seconds until all reminders are queued; the taps' p99 meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        app = open_app(Path(folder))
        ids = settle(app, members)
        taps = open_polls(app, ids, 1)
        first = _tick(app, NOON)  # what a new house has to do
        idle = [_tick(app, NOON + timedelta(minutes=place)) for place in range(1, ticks + 1)]
        took, waits, queued = asyncio.run(_all_at_once(app, taps))
        app.database.close()
    return {
        "first_ms": first,
        "idle_ms": statistics.median(idle),
        "idle_worst_ms": max(idle),
        "queued_s": took,
        "queued": queued,
        "tap_p99_ms": statistics.quantiles(waits, n=100)[98],
        "taps": len(waits),
    }


def _tick(app: App, now: datetime) -> float:
    """Milliseconds of one tick."""
    began = time.perf_counter()
    with app.database.write() as tx:
        app.reception.due(tx, now)
    return (time.perf_counter() - began) * 1000


async def _all_at_once(app: App, taps: list[Tap]) -> tuple[float, list[float], int]:
    writer = open_writer(app.database)
    desk, done = _everybody(app), asyncio.Event()
    tapping = asyncio.create_task(_taps(app, writer, taps, done))
    began = time.perf_counter()
    for at in (NOON, NOON + timedelta(hours=1)):  # by then everybody's own minute has come
        while await writer.run(lambda tx, at=at: desk.due(tx, at)):  # type: ignore[misc]  # bound at once
            pass
    took = time.perf_counter() - began
    done.set()
    waits = await tapping
    with app.database.read() as tx:
        queued = int(tx.connection.exec_driver_sql("SELECT count(*) FROM reminder WHERE state = 'told'").scalar_one())
    await writer.close()
    return took, waits, queued


def _everybody(app: App) -> Desk:
    """A desk with one round, for everybody."""
    with app.database.read() as tx:
        ids = _ids(tx)

    def rounds(_tx: Tx, _now: datetime) -> Iterable[Round]:
        yield Round("bench", "1", 1, NOON - timedelta(hours=1), NOON + timedelta(days=2), lambda: ids)

    def line(_tx: Tx, _now: datetime, _kept: Kept) -> Item | None:
        return Item(words("reminders.stop", kind="x"))

    return Desk([Capability(Router(), rounds=rounds, reminders={"bench": Kind(Phrase("提醒"), line)})])


def _ids(tx: Tx) -> list[int]:
    return [row[0] for row in tx.connection.exec_driver_sql("SELECT id FROM person WHERE left_on IS NULL")]


async def _taps(app: App, writer: Writer, taps: list[Tap], done: asyncio.Event) -> list[float]:
    """Milliseconds that each tap waits for its commit."""
    waits: list[float] = []

    async def one(number: int, tap: Tap) -> None:
        event = Pressed(Address("telegram", str(tap.account)), f"u{number}", tap.payload, "zh")
        began = time.perf_counter()
        await writer.run(lambda tx: app.reception.receive(tx, event, datetime.now(UTC)))
        waits.append((time.perf_counter() - began) * 1000)

    under_way = []
    for number, tap in enumerate(taps):
        if done.is_set():
            break
        under_way.append(asyncio.create_task(one(number, tap)))
        await asyncio.sleep(1 / PACE)
    await asyncio.gather(*under_way)
    return waits
