"""Preferences: by which of their addresses does somebody want to be told, and in which order?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Field, col

from bot.core.event import Address
from storage import addresses
from storage.addresses import Bound
from storage.base import Table
from storage.house import Tx
from storage.prepared import upsert


class Preference(Table, table=True):
    """What somebody has chosen about being told. Who has chosen nothing has no row."""

    person_id: int = Field(foreign_key="person.id", primary_key=True)
    channels: str = Field(max_length=100)
    """In their order, joined by commas; those not named follow in the order of the house."""
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Way:
    """An address of a person in a campaign. `closed`: why it is not used, in a few English words.

    `rank` is its place in their order, from 1 on; 0: in none, each for itself.
    """

    address: Address
    rank: int = 0
    closed: str = ""


_KEEP = upsert(Preference, ["person_id"], "channels", "changed_at")


def put(tx: Tx, now: datetime, person_id: int, order: Sequence[str]) -> None:
    """Somebody's own order; channels they do not name come after it."""
    tx.rows(_KEEP, person_id=person_id, channels=",".join(order), changed_at=now)


def orders(tx: Tx, ids: Iterable[int]) -> dict[int, tuple[str, ...]]:
    """The whole order of each of these people (at most a few hundred) who have chosen one."""
    rows = tx.run(
        select(col(Preference.person_id), col(Preference.channels)).where(col(Preference.person_id).in_(list(ids)))
    )
    return {person: tuple(dict.fromkeys([*chosen.split(","), *tx.house.order])) for person, chosen in rows}


def order(tx: Tx, person_id: int) -> tuple[str, ...]:
    """In which order channels are tried for somebody."""
    return orders(tx, [person_id]).get(person_id, tx.house.order)


def sort(bound: Iterable[Bound], wanted: Sequence[str]) -> list[Bound]:
    """Addresses in an order of channels; of one channel, the one bound first comes first."""
    place = {channel: at for at, channel in enumerate(wanted)}
    return sorted(bound, key=lambda one: (place.get(one.address.channel, len(place)), one.bound_at, one.id))


def ways(tx: Tx, ids: Sequence[int], channels: str) -> dict[int, list[Way]]:
    """The addresses of several people (at most a few hundred) for `all`, `preferred` or names such as `web,email`.

    Everybody has at least one way, if only one that is closed: "no address", "no such channel" (one for each that
    was named), "dead address", "channel off".
    """
    bound = addresses.of_people(tx, ids)
    chosen = orders(tx, ids) if channels == "preferred" else {}
    named = [] if channels in ("all", "preferred") else channels.split(",")
    found = {}
    for person in ids:
        theirs = bound.get(person, [])
        if channels == "preferred":
            theirs = sort(theirs, chosen.get(person, tx.house.order))
        found[person] = _ways(tx, theirs, named, ranked=channels == "preferred")
    return found


def _ways(tx: Tx, theirs: Sequence[Bound], named: Sequence[str], *, ranked: bool) -> list[Way]:
    if not theirs:
        return [Way(Address("", ""), closed="no address")]
    meant = [one for one in theirs if not named or one.address.channel in named]
    closed = [Way(one.address, closed=why) for one in meant if (why := _closed(tx, one))]
    usable = [one.address for one in meant if not _closed(tx, one)]
    lacking = [name for name in named if name not in {one.address.channel for one in theirs}]
    absent = [Way(Address(name, ""), closed="no such channel") for name in lacking]
    ranks = range(1, len(usable) + 1) if ranked and len(usable) > 1 else [0] * len(usable)
    return [*(Way(address, rank) for address, rank in zip(usable, ranks, strict=True)), *closed, *absent]


def _closed(tx: Tx, one: Bound) -> str:
    if one.address.channel not in tx.house.channels:
        return "channel off"
    return "dead address" if one.dead else ""
