"""levels: what has to be reached, and was it?"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from tests.bench.taps import AIOGRAM, OURS, PTB


@dataclass(frozen=True, slots=True)
class Level:
    """A figure, and the least or the most it may be."""

    what: str
    value: float
    least: float | None = None
    most: float | None = None

    @property
    def reached(self) -> bool:
        return (self.least is None or self.value >= self.least) and (self.most is None or self.value <= self.most)

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "reached": self.reached}


def machine() -> dict[str, Any]:
    """On what, when, and how busy it was: without that a figure says nothing."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "system": sys.platform,
        "load": round(os.getloadavg()[0], 2),
    }


def judge(found: Mapping[str, Any]) -> list[Level]:
    """The levels of the benchmarks that ran."""
    return [*_taps(found.get("taps", {})), *_wechat(found.get("wechat", {})), *_rest(found)]


def _taps(taps: Mapping[str, Mapping[str, float]]) -> Iterator[Level]:
    ours = taps.get(OURS.name)
    if ours is None:
        return
    for peer, times in ((PTB, 6), (AIOGRAM, 2)):
        if peer.name in taps:
            ratio = ours["updates_per_s"] / taps[peer.name]["updates_per_s"]
            yield Level(f"taps a second, times {peer.name}", ratio, least=times)
    yield Level("p99 of the acknowledgement, ms", ours["p99_ms"], most=50)
    yield Level("peak memory, MB", ours["peak_mb"], most=140)
    yield Level("acknowledged and lost", ours["lost"], most=0)
    yield Level("acknowledged and not answered", ours["taps"] - ours["answered"], most=0)


def _wechat(found: Mapping[str, Mapping[str, float]]) -> Iterator[Level]:
    if not found:
        return
    calm, draining = found["calm"], found["draining"]
    yield Level("encrypted pushes of WeChat's answered a second", calm["pushes_per_s"], least=1500)
    yield Level("p99 of the passive reply, ms", calm["p99_ms"], most=50)
    yield Level("the slowest while 10,000 messages go out, ms", draining["worst_ms"], most=1000)
    for one in (calm, draining):
        yield Level("pushes acknowledged and lost", one["lost"], most=0)
        yield Level("pushes acknowledged and not answered", one["taps"] - one["answered"], most=0)


def _rest(found: Mapping[str, Any]) -> Iterator[Level]:
    if outbox := found.get("outbox"):
        yield Level("deliveries a second to an instant channel", outbox["deliveries_per_s"], least=2000)
        yield Level("delivered and not written down", outbox["deliveries"] - outbox["accepted"], most=0)
    if beside := found.get("channels"):
        yield Level("a notice to 443 members queued for five channels, s", beside["queued_s"], most=1)
        yield Level("two channels beside one that hangs, times as long", beside["beside_hanging"], most=1.5)
        yield Level("two channels beside one that is slow, times as long", beside["beside_slow"], most=1.5)
        yield Level("taken beside it and not written down", beside["deliveries"] - beside["accepted"], most=0)
    if core := found.get("core"):
        yield Level("a tap from event to answer, us", core["us_per_tap"], most=250)
    if clock := found.get("clock"):
        yield Level("a tick with 10,000 members and nothing due, ms", clock["idle_ms"], most=200)
        yield Level("10,000 reminders queued, s", clock["queued_s"], most=10)
        yield Level("reminders that are due and not queued", 10_000 - clock["queued"], most=0)
        yield Level("p99 of a tap meanwhile, ms", clock["tap_p99_ms"], most=100)
    if start := found.get("start"):
        yield Level("make run in a fresh clone to the first page, s", start["first_page_s"], most=30)
        yield Level("second start, s", start["second_start_s"], most=3)
        yield Level("tiexin --help, s", start["help_s"], most=0.3)


def table(found: Mapping[str, Any], levels: Sequence[Level]) -> Iterator[str]:
    """Everything for a reader, ratios side by side."""
    where = found["machine"]
    yield (
        f"{where['at']}, Python {where['python']}, {where['cores']} cores, "
        f"load {where['load']} before and {where['load_after']} after"
    )
    if taps := found.get("taps"):
        slowest = min(one["updates_per_s"] for one in taps.values())
        yield ""
        yield f"{'taps through the webhook':<46}{'/s':>8}{'ratio':>7}{'acks/s':>8}{'p50 ms':>8}{'p99 ms':>8}" + (
            f"{'CPU us':>8}{'MB':>6}{'lost':>6}"
        )
        for name, one in taps.items():
            yield f"{name:<46}{one['updates_per_s']:>8.0f}{one['updates_per_s'] / slowest:>7.1f}" + (
                f"{one['acks_per_s']:>8.0f}{one['p50_ms']:>8.1f}{one['p99_ms']:>8.1f}{one['cpu_us']:>8.0f}"
                f"{one['peak_mb']:>6.0f}{one['lost']:>6.0f}"
            )
    for name, one in found.get("wechat", {}).items():
        yield ""
        yield f"wechat, {name}: " + ", ".join(f"{key} {value:.1f}" for key, value in one.items())
    for name in ("core", "clock", "outbox", "channels", "start"):
        if one := found.get(name):
            yield ""
            yield f"{name}: " + ", ".join(f"{key} {value:.2f}" for key, value in one.items())
    yield ""
    yield f"{'level':<70}{'reached':>9}{'wanted':>10}"
    for level in levels:
        wanted = f">= {level.least:g}" if level.least is not None else f"<= {level.most:g}"
        yield f"{level.what:<70}{level.value:>9.2f}{wanted:>10}  {'yes' if level.reached else 'NO'}"
