"""Campaigns and deliveries: what has to be told, to whom, and what became of each telling."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, func, insert, or_, select, text, update
from sqlmodel import Field, Index, UniqueConstraint, col

from bot.core.event import Address
from storage import preferences, settings
from storage.base import Table, pack_ids, unpack_ids
from storage.house import Tx
from storage.prepared import Prepared

BATCH = 500
"""Recipients expanded in one transaction, so that 100,000 never stall the writer."""

FINISHED = ("accepted", "delivered", "read", "acknowledged", "skipped", "failed", "unknown", "cancelled")
ARRIVED = ("accepted", "delivered", "read", "acknowledged")


class Campaign(Table, table=True):
    """One telling to many. The recipients are frozen here, in the transaction that decided it."""

    id: int | None = Field(default=None, primary_key=True)
    kind: str = Field(max_length=20, index=True)
    subject: int = Field(index=True)
    values: str = "{}"
    people: bytes
    total: int
    expanded: int = 0
    channels: str = Field(default="all", max_length=100)
    due_at: datetime = Field(index=True)
    state: str = Field(max_length=10, index=True)
    """`waiting`, `expanded`, `cancelled`, or `held` after a restore until somebody releases it."""
    created_at: datetime


class Delivery(Table, table=True):
    __table_args__ = (
        UniqueConstraint("campaign_id", "person_id", "channel", "key"),
        Index("ix_delivery_work", "state", "channel", "due_at"),
        Index("ix_delivery_person", "person_id", "campaign_id"),
        Index(
            "ix_delivery_revise",
            "channel",
            "due_at",
            sqlite_where=text("revise = 1"),
            postgresql_where=text("revise"),
        ),
        Index(
            "ix_delivery_standby",  # with the state in it, or SQLite takes the one above and reads all that stand by
            "state",
            "due_at",
            sqlite_where=text("state = 'standby'"),
            postgresql_where=text("state = 'standby'"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    campaign_id: int = Field(foreign_key="campaign.id")
    person_id: int = Field(foreign_key="person.id")
    channel: str = Field(max_length=20)
    key: str = Field(max_length=120)
    rank: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """The place in the person's order, from 1 on, where they are told by preference (storage.standby)."""
    state: str = Field(max_length=14)
    due_at: datetime
    owner: str | None = Field(default=None, max_length=40)
    lease_until: datetime | None = None
    attempts: int = 0
    message: str | None = Field(default=None, max_length=60)
    """The channel's own id of the message, by which it can be revised."""
    revise: bool = False
    reason: str = Field(default="", max_length=120)
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Telling:
    """A campaign as the composers see it."""

    id: int
    kind: str
    subject: int
    values: Mapping[str, Any]
    due_at: datetime
    state: str
    total: int


_TELLING = select(
    col(Campaign.id), col(Campaign.kind), col(Campaign.subject), col(Campaign.values), col(Campaign.due_at),
    col(Campaign.state), col(Campaign.total),
)  # fmt: skip


_LATELY = Prepared(
    _TELLING.where(col(Campaign.kind) == bindparam("kind"), col(Campaign.created_at) > bindparam("since")).order_by(
        col(Campaign.id)
    )
)


def _telling(row: Any) -> Telling:
    return Telling(row[0], row[1], row[2], json.loads(row[3]), row[4], row[5], row[6])


def create(
    tx: Tx, now: datetime, kind: str, subject: int, people: Sequence[int], *, due_at: datetime | None = None,
    channels: str = "all", **values: Any,
) -> int:  # fmt: skip
    """Decide to tell these people. What was due before the moment of a restore is held until released."""
    due_at = due_at or now
    held = (before := settings.moment(tx, "held_before")) is not None and due_at < before
    statement = insert(Campaign).values(
        kind=kind, subject=subject, values=json.dumps(values, ensure_ascii=False), people=pack_ids(people),
        total=len(people), expanded=0, channels=channels, due_at=due_at, state="held" if held else "waiting",
        created_at=now,
    )  # fmt: skip
    return int(tx.run(statement.returning(col(Campaign.id))).scalar_one())


def get(tx: Tx, campaign_id: int) -> Telling:
    return _telling(tx.run(_TELLING.where(col(Campaign.id) == campaign_id)).one())


def about(tx: Tx, kind: str, subject: int) -> list[Telling]:
    """The campaigns about one thing, oldest first."""
    statement = _TELLING.where(col(Campaign.kind) == kind, col(Campaign.subject) == subject)
    return [_telling(row) for row in tx.run(statement.order_by(col(Campaign.id)))]


def sent_by(tx: Tx, now: datetime) -> list[Telling]:
    """The campaigns that were due by a moment and not stopped, oldest first."""
    statement = _TELLING.where(col(Campaign.due_at) <= now, col(Campaign.state).in_(["waiting", "expanded"]))
    return [_telling(row) for row in tx.run(statement.order_by(col(Campaign.id)))]


def lately(tx: Tx, kind: str, since: datetime) -> list[Telling]:
    """The campaigns of a kind that were decided since a moment."""
    return [_telling(row) for row in tx.rows(_LATELY, kind=kind, since=since)]


def recipients(tx: Tx, campaign_id: int) -> list[int]:
    return unpack_ids(tx.run(select(col(Campaign.people)).where(col(Campaign.id) == campaign_id)).scalar_one())


_NEXT_COLUMNS = ("id", "people", "expanded", "channels", "due_at")
_WAITING = (
    select(*(col(getattr(Campaign, name)) for name in _NEXT_COLUMNS))
    .where(col(Campaign.state) == "waiting", col(Campaign.due_at) <= bindparam("now"))
    .order_by(col(Campaign.due_at), col(Campaign.id))
    .limit(1)
)
_NEXT = Prepared(_WAITING, postgres=_WAITING.with_for_update(skip_locked=True))


def expand(tx: Tx, now: datetime) -> int:
    """Write the deliveries of one batch of one campaign that is due; how many recipients it covered."""
    row = tx.row(_NEXT, now=now)
    if row is None:
        return 0
    campaign = dict(zip(_NEXT_COLUMNS, row, strict=True))
    people = unpack_ids(campaign["people"])
    batch = people[campaign["expanded"] : campaign["expanded"] + BATCH]
    rows = [
        {
            "campaign_id": campaign["id"], "person_id": person, "channel": way.address.channel,
            "key": way.address.key, "rank": way.rank, "reason": way.closed, "changed_at": now,
            "state": "skipped" if way.closed else "standby" if way.rank > 1 else "queued",
            "due_at": now + tx.house.silence if way.rank > 1 else campaign["due_at"],
        }
        for person, ways in preferences.ways(tx, batch, campaign["channels"]).items()
        for way in ways
    ]  # fmt: skip
    if rows:
        tx.run(insert(Delivery).values(attempts=0, revise=False), rows)
    done = campaign["expanded"] + len(batch)
    tx.run(
        update(Campaign)
        .where(col(Campaign.id) == campaign["id"])
        .values(expanded=done, state="expanded" if done >= len(people) else "waiting")
    )
    return max(len(batch), 1)


def cancel(tx: Tx, now: datetime, campaign_id: int) -> int:
    """Stop what has not been sent yet; how many deliveries (or, unexpanded, recipients) that were."""
    telling = get(tx, campaign_id)
    done = select(func.count(func.distinct(col(Delivery.person_id)))).where(col(Delivery.campaign_id) == campaign_id)
    unexpanded = telling.total - int(tx.run(done).scalar_one()) if telling.state in ("waiting", "held") else 0
    tx.run(update(Campaign).where(col(Campaign.id) == campaign_id).values(state="cancelled"))
    stop = update(Delivery).where(col(Delivery.campaign_id) == campaign_id).values(state="cancelled", changed_at=now)
    tx.run(stop.where(col(Delivery.state) == "standby"))
    return unexpanded + tx.run(stop.where(col(Delivery.state) == "queued")).rowcount


def retry(tx: Tx, now: datetime, campaign_id: int) -> int:
    """Queue what failed or is unknown once more; a person decided that it may be seen twice.

    Whoever is told by preference is told from the beginning of their order, unless something has arrived.
    """
    mine, lost = col(Delivery.campaign_id) == campaign_id, col(Delivery.state).in_(["failed", "unknown"])
    again = {"state": "queued", "due_at": now, "attempts": 0, "reason": "", "changed_at": now}
    lone = tx.run(update(Delivery).where(mine, lost, col(Delivery.rank) == 0).values(again)).rowcount
    other = Delivery.__table__.alias("other").c  # type: ignore[attr-defined]  # SQLModel does not declare it
    fine = select(other.id).where(
        other.campaign_id == campaign_id, other.person_id == col(Delivery.person_id), other.rank > 0,
        other.state.in_(["queued", "sending", *ARRIVED]),
    ).correlate(Delivery).exists()  # fmt: skip
    chained = select(col(Delivery.id), col(Delivery.person_id)).where(mine, lost, col(Delivery.rank) > 0, ~fine)
    firsts: dict[int, int] = {}
    others = []
    for delivery, person in tx.run(chained.order_by(col(Delivery.person_id), col(Delivery.rank))):
        if firsts.setdefault(person, delivery) != delivery:
            others.append(delivery)
    later = again | {"state": "standby", "due_at": now + tx.house.silence}
    for ids, values in ((list(firsts.values()), again), (others, later)):
        for at in range(0, len(ids), BATCH):
            tx.run(update(Delivery).where(col(Delivery.id).in_(ids[at : at + BATCH])).values(values))
    return lone + len(firsts)


def release(tx: Tx, campaign_id: int | None = None) -> int:
    """Let what a restore has held be sent."""
    statement = update(Campaign).where(col(Campaign.state) == "held")
    if campaign_id is not None:
        statement = statement.where(col(Campaign.id) == campaign_id)
    return tx.run(statement.values(state="waiting")).rowcount


# A copy that is on its way has no message yet; it is revised once it has arrived.
_CHANGEABLE = or_(col(Delivery.message).is_not(None), col(Delivery.state) == "sending")


def acknowledged(tx: Tx, now: datetime, campaign_ids: Sequence[int], person_id: int) -> None:
    """One answer counts for every copy: what is still queued is no longer sent, the others are revised."""
    mine = and_(col(Delivery.campaign_id).in_(list(campaign_ids)), col(Delivery.person_id) == person_id)
    tx.run(
        update(Delivery)
        .where(mine, col(Delivery.state).in_(["queued", "standby"]))
        .values(state="skipped", reason="answered elsewhere", changed_at=now)
    )
    tx.run(
        update(Delivery)
        .where(mine, col(Delivery.state).in_(["sending", "accepted", "delivered", "read", "unknown"]))
        .values(state="acknowledged", revise=_CHANGEABLE, changed_at=now)
    )


_COPIES = Prepared(  # an outer join keeps the campaigns first: a person has many deliveries, a subject few campaigns
    select(col(Delivery.id))
    .select_from(Campaign)
    .outerjoin(
        Delivery,
        and_(
            col(Delivery.campaign_id) == col(Campaign.id),
            col(Delivery.person_id) == bindparam("whose"),
            _CHANGEABLE,
            ~and_(col(Delivery.channel) == bindparam("on"), col(Delivery.key) == bindparam("at")),
        ),
    )
    .where(col(Campaign.kind) == bindparam("about"), col(Campaign.subject) == bindparam("number"))
)
_REVISE = Prepared(update(Delivery).where(col(Delivery.id) == bindparam("which")).values(revise=True))


def revise_copies(tx: Tx, kind: str, subject: int, person_id: int, except_for: Address | None = None) -> None:
    """Bring a person's copies of something up to date, on all their other addresses.

    Most people have no other: looking first costs a third of an update that changes nothing.
    """
    here = except_for or Address("", "")
    copies = tx.rows(_COPIES, whose=person_id, about=kind, number=subject, on=here.channel, at=here.key)
    for copy, *_ in copies:
        if copy is not None:
            tx.rows(_REVISE, which=copy)


def revise_all(tx: Tx, campaign_ids: Sequence[int]) -> int:
    """Bring every copy of these campaigns up to date, where its channel can; how many."""
    statement = update(Delivery).where(col(Delivery.campaign_id).in_(list(campaign_ids)), _CHANGEABLE)
    return tx.run(statement.values(revise=True)).rowcount


def progress(tx: Tx, campaign_ids: Sequence[int]) -> dict[tuple[str, str], int]:
    """How many deliveries there are of each (channel, state)."""
    statement = (
        select(col(Delivery.channel), col(Delivery.state), func.count())
        .where(col(Delivery.campaign_id).in_(list(campaign_ids)))
        .group_by(col(Delivery.channel), col(Delivery.state))
    )
    return {(row[0], row[1]): row[2] for row in tx.run(statement)}


def reached(tx: Tx, campaign_ids: Sequence[int]) -> set[int]:
    """The people to whom at least one copy has arrived."""
    statement = select(col(Delivery.person_id)).where(
        col(Delivery.campaign_id).in_(list(campaign_ids)), col(Delivery.state).in_(ARRIVED)
    )
    return set(tx.run(statement.distinct()).scalars())


def next_due(tx: Tx, now: datetime) -> datetime | None:
    """When the next campaign or delivery falls due; None: nothing waits."""
    waiting = tx.run(select(func.min(col(Campaign.due_at))).where(col(Campaign.state) == "waiting")).scalar_one()
    queued = tx.run(select(func.min(col(Delivery.due_at))).where(col(Delivery.state) == "queued")).scalar_one()
    moments = [moment for moment in (waiting, queued) if moment is not None]
    return min(moments) if moments else None


def after_restore(tx: Tx, now: datetime) -> tuple[int, int]:
    """Nothing is sent twice: (deliveries marked `unknown`, campaigns held)."""
    unknown = tx.run(
        update(Delivery)
        .where(col(Delivery.state).in_(["queued", "sending", "standby"]))
        .values(state="unknown", reason="restored from a backup", owner=None, lease_until=None, changed_at=now)
    ).rowcount
    held = tx.run(update(Campaign).where(col(Campaign.state) == "waiting").values(state="held")).rowcount
    settings.put(tx, "held_before", now.isoformat())
    return unknown, held
