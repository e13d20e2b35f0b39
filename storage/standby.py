"""Standby: whose turn is it, among the addresses of somebody who is told by preference?

The deliveries of one campaign to one person, ranked 1, 2, 3 …, are a chain: one of them is on its way, the others
stand by. The next has its turn at once when one ends without arriving; when one has arrived, or may have, and the
answer that was asked for has not come for as long as the house waits (policy.silence); and when one could not leave
for as long, because its channel rests: that one then comes last. Rank 0 is in no chain.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import bindparam, exists, func, literal_column, or_, select, update
from sqlmodel import col

from storage.campaigns import ARRIVED, Delivery
from storage.house import Tx
from storage.prepared import Prepared

Chain = tuple[int, int]
"""A campaign and a person."""

_ENDED = ("failed", "skipped", "cancelled")

_other = Delivery.__table__.alias("other").c  # type: ignore[attr-defined]  # SQLModel does not declare it
_same = (_other.person_id == bindparam("whose"), _other.campaign_id == bindparam("about"))
_busy = or_(_other.state == "queued", _other.state == "sending")
_its = (col(Delivery.person_id) == bindparam("whose"), col(Delivery.campaign_id) == bindparam("about"))
_stands_by = (*_its, col(Delivery.state) == "standby")

_first = select(func.min(_other.rank)).where(*_same, _other.state == "standby").scalar_subquery()

_NEXT = Prepared(
    update(Delivery)
    .where(
        *_stands_by,
        col(Delivery.rank) == _first,
        ~exists(select(_other.id).where(*_same, _other.rank > 0, _busy)),
    )
    .values(state="queued", due_at=bindparam("now"), reason="", changed_at=bindparam("now"))
    .returning(col(Delivery.channel))
)
_last = select(func.max(_other.rank) + 1).where(*_same).scalar_subquery()
_free = or_(col(Delivery.lease_until).is_(None), col(Delivery.lease_until) < bindparam("now"))
_STEP_BACK = Prepared(
    update(Delivery)
    .where(*_its, col(Delivery.rank) > 0, col(Delivery.state) == "queued", _free)
    .values(state="standby", rank=_last, attempts=0, reason="", changed_at=bindparam("now"))
)
_DUE_AT = Prepared(update(Delivery).where(*_stands_by).values(due_at=bindparam("at")))
_END = Prepared(
    update(Delivery).where(*_stands_by).values(state="skipped", reason=bindparam("why"), changed_at=bindparam("now"))
)
# Asked at every tick: written out, since no value handed over later leads to an index of those that stand by.
_SILENT = Prepared(
    select(col(Delivery.campaign_id), col(Delivery.person_id))
    .where(col(Delivery.state) == literal_column("'standby'"), col(Delivery.due_at) <= bindparam("now"))
    .order_by(col(Delivery.due_at))
    .limit(bindparam("most"))
)
_STATES = Prepared(select(col(Delivery.state)).where(*_its, col(Delivery.rank) > 0))


def pass_on(tx: Tx, now: datetime, chains: Iterable[Chain]) -> set[str]:
    """The next address of each has its turn, unless another is on its way; the channels that have work now."""
    woken: set[str] = set()
    for campaign, person in chains:
        woken |= {channel for (channel,) in tx.rows(_NEXT, about=campaign, whose=person, now=now)}
        tx.rows(_DUE_AT, about=campaign, whose=person, at=now + tx.house.silence)
    return woken


def step_back(tx: Tx, now: datetime, chain: Chain) -> None:
    """What waits to leave gives its turn away and comes last; what is leaving at this moment does not."""
    campaign, person = chain
    tx.rows(_STEP_BACK, about=campaign, whose=person, now=now)


def wait(tx: Tx, now: datetime, chains: Iterable[Chain]) -> None:
    """Something has arrived, or may have: the answer to it is waited for from now on."""
    until = now + tx.house.silence
    tx.many(_DUE_AT, [{"about": campaign, "whose": person, "at": until} for campaign, person in chains])


def end(tx: Tx, now: datetime, chains: Iterable[Chain], why: str) -> None:
    """Nobody's turn comes any more."""
    tx.many(_END, [{"about": campaign, "whose": person, "now": now, "why": why} for campaign, person in chains])


def silent(tx: Tx, now: datetime, most: int = 200) -> list[Chain]:
    """The chains in which an answer, or a channel that rests, has been waited for long enough."""
    return [(campaign, person) for campaign, person in dict.fromkeys(tx.rows(_SILENT, now=now, most=most))]


def in_doubt(tx: Tx, chain: Chain) -> bool:
    """Whether it may be that nothing has arrived yet."""
    states = {state for (state,) in tx.rows(_STATES, about=chain[0], whose=chain[1])}
    return not states & set(ARRIVED)


def ended(tx: Tx, now: datetime, ids: Sequence[int]) -> set[str]:
    """These deliveries, of which something was heard later, ended without arriving: whose turn is it now?"""
    its = select(col(Delivery.campaign_id), col(Delivery.person_id)).where(
        col(Delivery.id).in_(list(ids)), col(Delivery.rank) > 0, col(Delivery.state).in_(_ENDED)
    )
    return pass_on(tx, now, [(row[0], row[1]) for row in tx.run(its)])
