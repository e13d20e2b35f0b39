"""Do the benchmarks still run, and do they notice what they are there to notice? How fast, they do not say here."""

from __future__ import annotations

import pytest

from tests.bench.core import core
from tests.bench.levels import Level, judge, table
from tests.bench.outbox import outbox
from tests.bench.taps import OURS, PTB, TARGETS, Target, taps

FEW = {"people": 4, "polls": 2, "connections": 2, "rounds": 1}


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.module)
def test_every_target_takes_a_few_taps_and_keeps_them(target: Target) -> None:
    measured = taps([target], **FEW)[target.name]
    assert measured["taps"] == measured["acknowledged"] == measured["answered"] == measured["committed"] == 8
    assert measured["lost"] == 0
    assert measured["peak_mb"] > 10


def test_a_target_that_loses_votes_is_found_out() -> None:
    forgetful = Target("forgetful", "tests.bench.peer_ptb", lambda _folder: 7, calls_out=True)
    assert taps([forgetful], **FEW)["forgetful"]["lost"] == 1


def test_every_tap_of_the_core_is_a_vote() -> None:
    measured = core(members=3, polls=2, rounds=2)
    assert measured["taps"] == measured["votes"] == 6


def test_every_delivery_is_written_down() -> None:
    measured = outbox(people=7, rounds=2)
    assert measured["deliveries"] == measured["accepted"] == 14


def test_a_level_that_is_missed_says_so() -> None:
    ours = {"updates_per_s": 500.0, "acks_per_s": 500.0, "p50_ms": 1.0, "p99_ms": 51.0, "cpu_us": 1.0,
            "peak_mb": 140.0, "lost": 0.0, "taps": 8.0, "answered": 8.0}  # fmt: skip
    found = {"taps": {PTB.name: {**ours, "updates_per_s": 100.0}, OURS.name: ours}, "outbox": {
        "deliveries_per_s": 2000.0, "deliveries": 5.0, "accepted": 5.0}}  # fmt: skip
    levels = judge(found)
    missed = [level.what for level in levels if not level.reached]
    assert missed == [f"taps a second, times {PTB.name}", "p99 of the acknowledgement, ms"]
    where = {"at": "now", "python": "3", "cores": 2, "load": 0, "load_after": 0}
    assert sum(line.endswith("NO") for line in table({**found, "machine": where}, levels)) == 2
    assert Level("few", 3, most=3).reached
