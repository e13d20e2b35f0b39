"""Rests: what did not fit into the last message, for whoever wants to read on?"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlmodel import Field, col

from bot.core.event import Address
from storage.base import Table
from storage.house import Tx
from storage.prepared import upsert

KEEP = timedelta(hours=48)


class Rest(Table, table=True):
    channel: str = Field(primary_key=True, max_length=20)
    key: str = Field(primary_key=True, max_length=120)
    at: datetime = Field(index=True)
    """When the part before it was shown, by the clock of what it answered."""
    event: bytes
    """A digest of the event that it was shown for: brought again, that one gets the same."""
    body: bytes
    """Sealed: the part shown, and those to come."""


@dataclass(frozen=True, slots=True)
class Page:
    """A part, and those after it."""

    shown: str
    more: tuple[str, ...]


_KEEP = upsert(Rest, ["channel", "key"], "at", "event", "body")


def keep(tx: Tx, at: datetime, address: Address, event_id: str, parts: Sequence[str]) -> None:
    """The first part has been shown at this address; the others may be asked for."""
    tx.run(delete(Rest).where(col(Rest.at) < at - KEEP))
    body = tx.house.keys.seal(json.dumps(list(parts), ensure_ascii=False))
    tx.rows(_KEEP, channel=address.channel, key=address.key, at=at, event=_digest(tx, address, event_id), body=body)


def turn(tx: Tx, address: Address, event_id: str, since: datetime | None, at: datetime) -> Page | None:
    """The next part; None where nothing is left to read, or something newer than `since` stands at the address.

    The same event gets the same part.
    """
    columns = (col(Rest.at), col(Rest.event), col(Rest.body))
    row = tx.run(
        select(*columns).where(col(Rest.channel) == address.channel, col(Rest.key) == address.key)
    ).one_or_none()
    if row is None:
        return None
    shown, *more = json.loads(tx.house.keys.open(row[2]))
    if row[1] == _digest(tx, address, event_id):
        return Page(shown, tuple(more))
    if not more or (since is not None and row[0] < since):
        return None
    keep(tx, at, address, event_id, more)
    return Page(more[0], tuple(more[1:]))


def _digest(tx: Tx, address: Address, event_id: str) -> bytes:
    return tx.house.keys.digest("rest", address, event_id)[:16]
