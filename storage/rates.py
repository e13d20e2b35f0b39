"""Rates: how soon the next message may leave, remembered across restarts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlmodel import Field, col

from storage.base import Table
from storage.house import Tx
from storage.prepared import Prepared, upsert


class Rate(Table, table=True):
    key: str = Field(primary_key=True, max_length=160)
    arrival: float
    """The theoretical arrival time of the next message (GCRA), in seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `per_second`, with `burst` at once after a pause."""

    per_second: float
    burst: int = 1


_LOOK = Prepared(select(col(Rate.arrival)).where(col(Rate.key) == bindparam("which")))
_KEEP = upsert(Rate, ["key"], "arrival")


def reserve(tx: Tx, now: datetime, wanted: Mapping[str, Limit]) -> float:
    """Take one place under every limit at once. The seconds to wait; above 0 nothing was taken."""
    for key in sorted(wanted):
        tx.lock("rate", key)
    found = _look(tx, now, wanted)
    wait = max((wait for wait, _ in found.values()), default=0.0)
    if wait <= 0:
        for key, (_, arrival) in found.items():
            tx.rows(_KEEP, key=key, arrival=arrival)
    return max(wait, 0.0)


def full(tx: Tx, now: datetime, wanted: Mapping[str, Limit]) -> dict[str, float]:
    """Those of these limits under which there is no place now, and for how many seconds there is none."""
    return {key: wait for key, (wait, _) in _look(tx, now, wanted).items() if wait > 0}


def pause(tx: Tx, key: str, limit: Limit, until: datetime) -> None:
    """Let nothing through under this key before then (the channel asked for it), not even a burst."""
    tx.rows(_KEEP, key=key, arrival=until.timestamp() + (limit.burst - 1) / limit.per_second)


def _look(tx: Tx, now: datetime, wanted: Mapping[str, Limit]) -> dict[str, tuple[float, float]]:
    """For each limit: the seconds until there is a place, and the arrival that taking it would leave behind."""
    at, found = now.timestamp(), {}
    for key, limit in wanted.items():
        row = tx.row(_LOOK, which=key)
        interval = 1 / limit.per_second
        arrival = max(row[0] if row else 0.0, at)
        found[key] = (arrival - (limit.burst - 1) * interval - at, arrival + interval)
    return found
