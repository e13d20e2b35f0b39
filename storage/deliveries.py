"""Deliveries at work: which does a worker hold, and what became of them?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Executable,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    true,
    update,
)
from sqlmodel import col

from bot.core.event import Address
from storage import standby
from storage.campaigns import ARRIVED, Delivery
from storage.house import Tx
from storage.prepared import Prepared


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery that one worker holds."""

    id: int
    campaign_id: int
    person_id: int
    address: Address
    attempts: int
    message: str | None
    revise: bool
    rank: int = 0

    @property
    def chain(self) -> tuple[int, int]:
        """A campaign and a person: what `storage.standby` knows it by, where its rank is not 0."""
        return self.campaign_id, self.person_id


_DUE = [
    col(Delivery.id), col(Delivery.campaign_id), col(Delivery.person_id), col(Delivery.channel), col(Delivery.key),
    col(Delivery.attempts), col(Delivery.message), col(Delivery.revise), col(Delivery.rank),
]  # fmt: skip


def _due(row: Any) -> Due:
    return Due(row[0], row[1], row[2], Address(row[3], row[4]), *row[5:])


def _claiming(*wanted: ColumnElement[bool]) -> Prepared:
    free = or_(col(Delivery.lease_until).is_(None), col(Delivery.lease_until) < bindparam("now"))
    here = and_(col(Delivery.channel) == bindparam("on"), col(Delivery.due_at) <= bindparam("now"))
    inner = select(col(Delivery.id)).where(*wanted, here, free).order_by(col(Delivery.due_at), col(Delivery.id))
    inner = inner.limit(bindparam("most"))

    def outer(ids: Select[Any]) -> Executable:
        statement = update(Delivery).where(col(Delivery.id).in_(ids))
        return statement.values(owner=bindparam("by"), lease_until=bindparam("until")).returning(*_DUE)

    return Prepared(outer(inner), postgres=outer(inner.with_for_update(skip_locked=True)))


# Two statements, each with an index to itself: one with an OR reads and sorts everything ever delivered.
_REVISIONS = _claiming(
    col(Delivery.revise) == true(),
    col(Delivery.message).is_not(None),
    or_(*(col(Delivery.state) == state for state in ARRIVED)),
)
_QUEUED = _claiming(col(Delivery.state) == "queued")


def claim(tx: Tx, now: datetime, owner: str, channel: str, most: int, lease: timedelta) -> list[Due]:
    """Take deliveries that are due on a channel, for as long as the lease lasts. They stay `queued`."""
    values = {"now": now, "on": channel, "by": owner, "until": now + lease}
    rows = tx.rows(_REVISIONS, **values, most=most)
    if len(rows) < most:
        rows += tx.rows(_QUEUED, **values, most=most - len(rows))
    return sorted((_due(row) for row in rows), key=lambda due: due.id)


def begin(tx: Tx, now: datetime, owner: str, ids: Sequence[int]) -> set[int]:
    """Mark them `sending`, right before the call goes out: those that are still ours and still wanted."""
    statement = (
        update(Delivery)
        .where(col(Delivery.id).in_(list(ids)), col(Delivery.owner) == owner, col(Delivery.state) == "queued")
        .values(state="sending", attempts=col(Delivery.attempts) + 1, changed_at=now)
    )
    return set(tx.run(statement.returning(col(Delivery.id))).scalars())


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a sending. `again_at` puts it back into the queue."""

    id: int
    state: str
    message: str | None = None
    reason: str = ""
    again_at: datetime | None = None


_OPEN = or_(col(Delivery.state) == "sending", col(Delivery.state) == "queued")
_FINISH = Prepared(
    update(Delivery)
    .where(col(Delivery.id) == bindparam("which"), col(Delivery.owner) == bindparam("by"))
    .values(
        state=case((_OPEN, bindparam("became", type_=String)), else_=col(Delivery.state)),
        attempts=col(Delivery.attempts) + case((_OPEN, 0), else_=bindparam("tries", type_=Integer)),
        message=func.coalesce(bindparam("ref", type_=String), col(Delivery.message)),
        due_at=func.coalesce(bindparam("again", type_=Delivery.__table__.c.due_at.type), col(Delivery.due_at)),  # type: ignore[attr-defined]  # SQLModel does not declare it
        reason=case((_OPEN, bindparam("why", type_=String)), else_=col(Delivery.reason)),
        owner=None,
        lease_until=None,
        changed_at=bindparam("now"),
    )
)


def finish(tx: Tx, now: datetime, owner: str, outcomes: Iterable[Outcome]) -> None:
    """Write down what became of deliveries that are still ours; an acknowledgement meanwhile stands.

    A revision that is put off counts as a try here; a sending was counted when it began.
    """
    tx.many(
        _FINISH,
        [
            {
                "which": outcome.id, "by": owner, "became": outcome.state, "ref": outcome.message, "now": now,
                "again": outcome.again_at, "tries": int(outcome.again_at is not None), "why": outcome.reason[:120],
            }
            for outcome in outcomes
        ],
    )  # fmt: skip


def revised(tx: Tx, owner: str, ids: Sequence[int]) -> None:
    """The copies are up to date."""
    if not ids:
        return
    statement = update(Delivery).where(col(Delivery.id).in_(list(ids)), col(Delivery.owner) == owner)
    tx.run(statement.values(revise=False, owner=None, lease_until=None))


def let_go(tx: Tx, owner: str, ids: Sequence[int]) -> None:
    """Give back what was claimed and not begun."""
    statement = update(Delivery).where(col(Delivery.id).in_(list(ids)), col(Delivery.owner) == owner)
    tx.run(statement.values(owner=None, lease_until=None))


_LOST = Prepared(
    select(col(Delivery.id))
    .where(col(Delivery.state) == "sending", col(Delivery.lease_until) < bindparam("now"))
    .limit(1)
)


def recover(tx: Tx, now: datetime, repeatable: Sequence[str]) -> int:
    """Settle what a crash left `sending`: queued again where that cannot be seen twice, else `unknown`."""
    if not tx.rows(_LOST, now=now):  # asked at every look, and almost never true
        return 0
    lost = and_(col(Delivery.state) == "sending", col(Delivery.lease_until) < now)
    doubtful = and_(lost, col(Delivery.rank) > 0, ~col(Delivery.channel).in_(list(repeatable)))
    chains = select(col(Delivery.campaign_id), col(Delivery.person_id)).where(doubtful)
    standby.wait(tx, now, [(row[0], row[1]) for row in tx.run(chains).all()])
    again = tx.run(
        update(Delivery)
        .where(lost, col(Delivery.channel).in_(list(repeatable)))
        .values(state="queued", owner=None, lease_until=None, changed_at=now)
    ).rowcount
    return (
        again
        + tx.run(
            update(Delivery)
            .where(lost)
            .values(state="unknown", reason="interrupted", owner=None, lease_until=None, changed_at=now)
        ).rowcount
    )


def take_over(tx: Tx, now: datetime, repeatable: Sequence[str]) -> int:
    """At the start of the only process that delivers: every lease is a dead one's."""
    held = col(Delivery.lease_until).is_not(None)
    tx.run(update(Delivery).where(held, col(Delivery.state) != "sending").values(owner=None, lease_until=None))
    tx.run(update(Delivery).where(held).values(lease_until=now - timedelta(seconds=1)))
    return recover(tx, now, repeatable)
