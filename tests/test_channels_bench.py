"""Does the benchmark of the channels side by side still run, and does it notice what it is there to notice?"""

from __future__ import annotations

from tests.bench.channels import channels
from tests.bench.levels import judge


def test_every_copy_is_queued_and_a_channel_that_hangs_keeps_nothing_back() -> None:
    found = channels(people=3, crowd=4, rounds=1)
    assert found["copies"] == 15
    assert found["deliveries"] == found["accepted"] == 24


def test_a_channel_that_is_delayed_or_a_slow_queue_is_found_out() -> None:
    fine = {"queued_s": 1.0, "beside_hanging": 1.5, "beside_slow": 1.5, "deliveries": 24.0, "accepted": 24.0}
    assert all(level.reached for level in judge({"channels": fine}))
    bad = {"queued_s": 1.1, "beside_hanging": 1.6, "beside_slow": 1.6, "deliveries": 24.0, "accepted": 23.0}
    assert not any(level.reached for level in judge({"channels": bad}))
