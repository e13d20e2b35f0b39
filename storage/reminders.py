"""Reminders: which rounds have begun, who waits to be reminded of what, and what each person wants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, bindparam, delete, func, insert, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import Field, Index, UniqueConstraint, col

from storage.base import Table, pack_ids, unpack_ids
from storage.house import Tx
from storage.prepared import Prepared

BATCH = 500
"""People looked at in one transaction."""


class ReminderRound(Table, table=True):
    """A round that has begun: its natural key makes it once-only. `people` are frozen at its beginning."""

    __tablename__ = "reminder_round"
    __table_args__ = (
        UniqueConstraint("kind", "key"),
        Index(
            "ix_reminder_round_open",
            "id",
            sqlite_where=text("expanded < total"),
            postgresql_where=text("expanded < total"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    kind: str = Field(max_length=30)
    key: str = Field(max_length=60)
    subject: int
    at: datetime
    until: datetime
    regulated: bool
    people: bytes
    total: int
    expanded: int = 0
    begun_at: datetime


class Reminder(Table, table=True):
    """Somebody is to be reminded of something; once, by (person, kind, key)."""

    __table_args__ = (
        UniqueConstraint("person_id", "kind", "key"),
        Index(
            "ix_reminder_waiting",
            "at",
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
        Index("ix_reminder_told", "person_id", "told_at"),
        Index("ix_reminder_campaign", "campaign_id", "person_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    person_id: int = Field(foreign_key="person.id")
    kind: str = Field(max_length=30)
    key: str = Field(max_length=60)
    subject: int
    at: datetime
    until: datetime
    regulated: bool
    state: str = Field(max_length=10)
    """`waiting`, `told`, or `dropped`: too late, or not wanted."""
    campaign_id: int | None = Field(default=None, foreign_key="campaign.id")
    told_at: datetime | None = None


class ReminderStop(Table, table=True):
    """A kind of reminder that somebody does not want."""

    __tablename__ = "reminder_stop"

    person_id: int = Field(foreign_key="person.id", primary_key=True)
    kind: str = Field(primary_key=True, max_length=30)


class ReminderHours(Table, table=True):
    """The hours of the day in which somebody likes to be reminded: from `first` until before `last`."""

    __tablename__ = "reminder_hours"

    person_id: int = Field(foreign_key="person.id", primary_key=True)
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A reminder as it is kept."""

    id: int
    person_id: int
    kind: str
    key: str
    subject: int
    at: datetime
    until: datetime
    regulated: bool


@dataclass(frozen=True, slots=True)
class Begun:
    """A round with people who have not been looked at yet: the next of them."""

    id: int
    kind: str
    key: str
    subject: int
    at: datetime
    until: datetime
    regulated: bool
    people: list[int]
    done: int


_KEPT = select(*(col(getattr(Reminder, name)) for name in Kept.__slots__))


# Written out: an index over a part of the table is only used where the statement names that part.
_WAITS = text("reminder.state = 'waiting'")
_DUE = Prepared(
    select(col(Reminder.person_id))
    .where(_WAITS, col(Reminder.at) <= bindparam("now"))
    .group_by(col(Reminder.person_id))
    .order_by(func.min(col(Reminder.at)), col(Reminder.person_id))
    .limit(BATCH)
)
_UNFINISHED = (
    select(
        col(ReminderRound.id), col(ReminderRound.kind), col(ReminderRound.key), col(ReminderRound.subject),
        col(ReminderRound.at), col(ReminderRound.until), col(ReminderRound.regulated), col(ReminderRound.people),
        col(ReminderRound.expanded),
    )
    .where(col(ReminderRound.expanded) < col(ReminderRound.total))
    .order_by(col(ReminderRound.id))
    .limit(1)
)  # fmt: skip
_NEXT = Prepared(_UNFINISHED, postgres=_UNFINISHED.with_for_update())
_SAID = Prepared(
    _KEPT.where(
        col(Reminder.campaign_id) == bindparam("campaign"), col(Reminder.person_id) == bindparam("person")
    ).order_by(col(Reminder.until), col(Reminder.id))
)


def known(tx: Tx, keys: Sequence[tuple[str, str]]) -> set[tuple[str, str]]:
    """Which of these rounds, by (kind, key), have begun."""
    if not keys:
        return set()
    statement = select(col(ReminderRound.kind), col(ReminderRound.key))
    wanted = tuple_(col(ReminderRound.kind), col(ReminderRound.key)).in_(list(keys))
    return {(row.kind, row.key) for row in tx.run(statement.where(wanted))}


def begin(tx: Tx, now: datetime, people: Sequence[int], **values: object) -> bool:
    """Begin a round, once: whether it was this time. `values`: kind, key, subject, at, until, regulated."""
    add = postgres_insert if tx.postgres else sqlite_insert
    statement = add(ReminderRound).values(
        **values, people=pack_ids(people), total=len(people), expanded=0, begun_at=now
    )
    statement = statement.on_conflict_do_nothing(index_elements=["kind", "key"])
    return tx.run(statement.returning(col(ReminderRound.id))).first() is not None


def next_of(tx: Tx) -> Begun | None:
    """The next people of the oldest round that is not through."""
    row = tx.row(_NEXT)
    if row is None:
        return None
    number, kind, key, subject, at, until, regulated, packed, expanded = row
    people = unpack_ids(packed)[expanded : expanded + BATCH]
    return Begun(number, kind, key, subject, at, until, regulated, people, expanded + len(people))


def write(tx: Tx, begun: Begun, rows: Sequence[Mapping[str, object]]) -> None:
    """Write the reminders of these people, and that they have been looked at."""
    add = postgres_insert if tx.postgres else sqlite_insert
    if rows:
        statement = add(Reminder).on_conflict_do_nothing(index_elements=["person_id", "kind", "key"])
        tx.run(statement, rows)
    tx.run(update(ReminderRound).where(col(ReminderRound.id) == begun.id).values(expanded=begun.done))


def waiting(tx: Tx, now: datetime, until: datetime) -> dict[int, list[Kept]]:
    """A batch of people who are to be reminded now, each with all that waits for them until a later moment."""
    people = [row[0] for row in tx.rows(_DUE, now=now)]
    found: dict[int, list[Kept]] = {}
    if people:
        today = and_(_WAITS, col(Reminder.at) < until, col(Reminder.person_id).in_(people))
        for row in tx.run(_KEPT.where(today).order_by(col(Reminder.until), col(Reminder.id))):
            found.setdefault(row.person_id, []).append(Kept(*row))
    return found


def told_since(tx: Tx, people: Sequence[int], since: datetime) -> dict[int, list[datetime]]:
    """When each of these people was reminded since a moment, a message once, oldest first."""
    statement = (
        select(col(Reminder.person_id), func.min(col(Reminder.told_at)))
        .where(col(Reminder.person_id).in_(list(people)), col(Reminder.told_at) > since)
        .group_by(col(Reminder.person_id), col(Reminder.campaign_id))
    )
    found: dict[int, list[datetime]] = {}
    for person, at in tx.run(statement):
        found.setdefault(person, []).append(at)
    return {person: sorted(moments) for person, moments in found.items()}


def tell(tx: Tx, now: datetime, ids: Sequence[int], campaign_id: int) -> None:
    """They go out with this campaign."""
    _set(tx, ids, state="told", campaign_id=campaign_id, told_at=now)


def drop(tx: Tx, ids: Sequence[int]) -> None:
    """They are not said: too late, or not wanted."""
    _set(tx, ids, state="dropped")


def _set(tx: Tx, ids: Sequence[int], **values: object) -> None:
    for start in range(0, len(ids), BATCH):
        tx.run(update(Reminder).where(col(Reminder.id).in_(list(ids[start : start + BATCH]))).values(**values))


def postpone(tx: Tx, moments: Iterable[tuple[int, datetime]]) -> None:
    """They wait until then."""
    for reminder, at in moments:
        tx.run(update(Reminder).where(col(Reminder.id) == reminder).values(at=at))


def of_campaign(tx: Tx, campaign_id: int, person_id: int) -> list[Kept]:
    """What a person is reminded of by one message, the most urgent first."""
    return [Kept(*row) for row in tx.rows(_SAID, campaign=campaign_id, person=person_id)]


# -- what each person wants -----------------------------------------------------------------------------------


def stops(tx: Tx, people: Sequence[int]) -> set[tuple[int, str]]:
    """(person, kind) of what these people do not want."""
    statement = select(col(ReminderStop.person_id), col(ReminderStop.kind))
    rows = tx.run(statement.where(col(ReminderStop.person_id).in_(list(people))))
    return {(row.person_id, row.kind) for row in rows}


def set_stop(tx: Tx, person_id: int, kind: str, stop: bool) -> None:
    tx.run(delete(ReminderStop).where(col(ReminderStop.person_id) == person_id, col(ReminderStop.kind) == kind))
    if stop:
        tx.run(insert(ReminderStop).values(person_id=person_id, kind=kind))


def hours(tx: Tx, people: Sequence[int]) -> dict[int, tuple[int, int]]:
    """The hours that these people have chosen."""
    statement = select(col(ReminderHours.person_id), col(ReminderHours.first), col(ReminderHours.last))
    rows = tx.run(statement.where(col(ReminderHours.person_id).in_(list(people))))
    return {row.person_id: (row.first, row.last) for row in rows}


def set_hours(tx: Tx, person_id: int, chosen: tuple[int, int] | None) -> None:
    """Choose hours; None: those of the house."""
    tx.run(delete(ReminderHours).where(col(ReminderHours.person_id) == person_id))
    if chosen:
        tx.run(insert(ReminderHours).values(person_id=person_id, first=chosen[0], last=chosen[1]))
