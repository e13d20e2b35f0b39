"""Rates: how soon the next message may leave, remembered across restarts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import Field, col

from storage.base import Table
from storage.house import Tx


class Rate(Table, table=True):
    key: str = Field(primary_key=True, max_length=160)
    arrival: float
    """The theoretical arrival time of the next message (GCRA), in seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `per_second`, with `burst` at once after a pause."""

    per_second: float
    burst: int = 1


def reserve(tx: Tx, now: datetime, wanted: Mapping[str, Limit]) -> float:
    """Take one place under every limit at once. The seconds to wait; above 0 nothing was taken."""
    at = now.timestamp()
    for key in sorted(wanted):
        tx.lock("rate", key)
    rows = tx.run(select(col(Rate.key), col(Rate.arrival)).where(col(Rate.key).in_(list(wanted))))
    kept = {row.key: row.arrival for row in rows}
    wait, arrivals = 0.0, {}
    for key, limit in wanted.items():
        interval = 1 / limit.per_second
        arrival = max(kept.get(key, 0.0), at)
        wait = max(wait, arrival - (limit.burst - 1) * interval - at)
        arrivals[key] = arrival + interval
    if wait <= 0:
        _keep(tx, arrivals)
    return max(wait, 0.0)


def pause(tx: Tx, key: str, limit: Limit, until: datetime) -> None:
    """Let nothing through under this key before then (the channel asked for it), not even a burst."""
    _keep(tx, {key: until.timestamp() + (limit.burst - 1) / limit.per_second})


def _keep(tx: Tx, arrivals: Mapping[str, float]) -> None:
    add = postgres_insert if tx.postgres else sqlite_insert
    for key, arrival in arrivals.items():
        statement = add(Rate).values(key=key, arrival=arrival)
        tx.run(statement.on_conflict_do_update(index_elements=["key"], set_={"arrival": arrival}))
