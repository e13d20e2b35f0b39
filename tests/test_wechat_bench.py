"""Does the benchmark of WeChat's pushes still run, and does it notice what it is there to notice?"""

from __future__ import annotations

from tests.bench.levels import judge
from tests.bench.wechat import wechat


def test_every_push_is_answered_sealed_and_kept_also_while_messages_go_out() -> None:
    found = wechat(people=4, polls=2, connections=2, deliveries=3)
    for one in found.values():
        assert one["taps"] == one["acknowledged"] == one["answered"] == one["committed"] == 8
    assert {level.what for level in judge({"wechat": found}) if level.value < 0} == set()


def test_a_push_that_is_lost_or_slow_is_found_out() -> None:
    fine = {"pushes_per_s": 1_500.0, "p99_ms": 50.0, "worst_ms": 1_000.0, "lost": 0.0, "taps": 8.0, "answered": 8.0}
    assert all(level.reached for level in judge({"wechat": {"calm": fine, "draining": fine}}))
    bad = {**fine, "pushes_per_s": 1_499.0, "p99_ms": 51.0, "worst_ms": 1_001.0, "lost": 1.0, "answered": 7.0}
    assert not any(level.reached for level in judge({"wechat": {"calm": bad, "draining": bad}}))
