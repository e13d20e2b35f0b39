"""core: what does one tap cost, from the event to the rendered answer, without a network?"""

from __future__ import annotations

import cProfile
import gc
import pstats
import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bot.app import App
from bot.core.event import Address, Pressed
from tests.bench.members import Tap, counted, open_app, open_polls, settle

BATCH = 16
"""Taps in one transaction: about what the group commit gathers from 32 connections."""


def core(members: int = 500, polls: int = 10, rounds: int = 5, *, profile: bool = False) -> dict[str, float]:
    """Microseconds of a tap and of its CPU (medians of the rounds), taps made, votes that are in the store."""
    with tempfile.TemporaryDirectory() as folder:
        app = open_app(Path(folder))
        taps = open_polls(app, settle(app, members), polls)
        each = len(taps) // rounds
        shares = [taps[at : at + each] for at in range(0, each * rounds, each)]
        gc.collect()
        gc.freeze()  # as the server does once it is up
        took = [_timed(app, share, number * each) for number, share in enumerate(shares)]
        if profile:
            again = cProfile.Profile()
            again.runcall(_receive, app, shares[0], rounds * each)
            pstats.Stats(again).sort_stats("tottime").print_stats(40)
        with app.database.read() as tx:
            votes = counted(tx)
        app.database.close()
        gc.unfreeze()
    return {
        "us_per_tap": statistics.median(wall for wall, _ in took),
        "cpu_us_per_tap": statistics.median(cpu for _, cpu in took),
        "taps": each * rounds,
        "votes": votes,
    }


def _timed(app: App, taps: Sequence[Tap], first: int) -> tuple[float, float]:
    """Microseconds of a tap: by the clock, and of the CPU."""
    wall, cpu = time.perf_counter(), time.process_time()
    _receive(app, taps, first)
    return (time.perf_counter() - wall) / len(taps) * 1e6, (time.process_time() - cpu) / len(taps) * 1e6


def _receive(app: App, taps: Sequence[Tap], first: int) -> None:
    """As the writer does: a transaction for each batch, a savepoint for each tap."""
    now = datetime.now(UTC)
    for at in range(0, len(taps), BATCH):
        with app.database.write() as tx:
            for number, tap in enumerate(taps[at : at + BATCH], first + at):
                event = Pressed(Address("telegram", str(tap.account)), f"u{number}", tap.payload, "zh")
                with tx.savepoint():
                    app.reception.receive(tx, event, now)
