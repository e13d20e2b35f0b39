"""Applications: who has asked to join the Party, and what the branch has recorded on the way, step by step."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, delete, insert, or_, select, text, update
from sqlmodel import Field, Index, col

from storage import files
from storage.base import Table
from storage.house import Tx
from storage.organisations import Org, Organisation, within
from storage.people import SOMEBODY, Person, Somebody

FILES = "application"
"""What files of an application belong to."""
HANDED, RETURNED, OPEN = "handed", "returned", "open"
DECLINED, WITHDRAWN, DONE, CANCELLED, LEFT = "declined", "withdrawn", "done", "cancelled", "left"
"""Waits to be received · is to be completed · received, under way; and the five ways in which one ends."""


class Application(Table, table=True):
    """One person's application. What they wrote, their birthday and every reason are sealed."""

    __table_args__ = (
        Index(
            "ix_application_open",
            "person_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    person_id: int = Field(foreign_key="person.id", index=True)
    organisation_id: int = Field(foreign_key="organisation.id")
    """To whom it was handed in."""
    state: str = Field(max_length=10)
    handed_at: datetime
    statement: bytes | None = None
    born: bytes | None = None
    """Only where the roster lacks it."""
    consent: str = Field(default="", max_length=20)
    """Which text was agreed to; empty for an application on paper."""
    received_on: date | None = None
    received_by: str = Field(default="", max_length=60)
    received_by_id: int | None = Field(default=None, foreign_key="person.id")
    reason: bytes | None = None
    closed_at: datetime | None = Field(default=None, index=True)
    settled: bool = False
    """The branch has seen that it was withdrawn."""


class ApplicationStage(Table, table=True):
    """A recorded step. `step` is its number in the table of steps (`1` to `25`, `6a`), `version` the text it was
    checked by; a record that was wrong is struck and stays."""

    __tablename__ = "application_stage"

    id: int | None = Field(default=None, primary_key=True)
    application_id: int = Field(foreign_key="application.id", index=True)
    step: str = Field(max_length=4)
    version: str = Field(max_length=8)
    day: date
    decided_by: str = Field(max_length=100)
    outcome: str = Field(default="", max_length=10)
    """Of step 23 and 24: `confirm`, `extend` (by `months`) or `cancel`."""
    months: int = 0
    facts: bytes | None = None
    """What it was checked by (names, numbers), as JSON, sealed."""
    note: bytes | None = None
    recorded_by_id: int | None = Field(default=None, foreign_key="person.id")
    recorded_by: str = Field(max_length=60)
    recorded_at: datetime
    struck_at: datetime | None = None
    struck_by: str = Field(default="", max_length=60)


@dataclass(frozen=True, slots=True)
class Filed:
    """An application without its contents."""

    id: int
    person_id: int
    organisation_id: int
    state: str
    handed_at: datetime
    received_on: date | None
    received_by: str
    closed_at: datetime | None
    settled: bool
    consent: str


@dataclass(frozen=True, slots=True)
class Stage:
    """A record that stands, without its note."""

    id: int
    application_id: int
    step: str
    version: str
    day: date
    decided_by: str
    outcome: str
    months: int
    recorded_by: str
    recorded_at: datetime


_FILED = tuple(col(getattr(Application, name)) for name in Filed.__slots__)
_STAGE = tuple(col(getattr(ApplicationStage, name)) for name in Stage.__slots__)
_SOMEBODY = tuple(SOMEBODY.selected_columns)
_OPEN = col(Application.closed_at).is_(None)


# -- writing --------------------------------------------------------------------------------------------------


def add(
    tx: Tx, person_id: int, organisation_id: int, *, handed_at: datetime, state: str, statement: str = "",
    born: date | None = None, consent: str = "",
) -> int:  # fmt: skip
    """A new application; its number. The caller has made sure that the person has no other open one."""
    keys = tx.house.keys
    values = {
        "person_id": person_id, "organisation_id": organisation_id, "state": state, "handed_at": handed_at,
        "statement": keys.seal(statement) if statement else None, "consent": consent, "settled": False,
        "born": keys.seal(born.isoformat()) if born else None, "received_by": "",
    }  # fmt: skip
    return int(tx.run(insert(Application).values(values).returning(col(Application.id))).scalar_one())


def change(tx: Tx, application_id: int, **values: Any) -> None:
    """Change an application; `statement` and `reason` are given as texts and sealed."""
    for name in ("statement", "reason"):
        if values.get(name):
            values[name] = tx.house.keys.seal(values[name])
    tx.run(update(Application).where(col(Application.id) == application_id).values(**values))


def end_of_left(tx: Tx, now: datetime, person_id: int | None = None) -> list[int]:
    """End the open applications of those who have left (of one of them); the numbers of what was ended."""
    left = select(col(Person.id)).where(col(Person.left_on).is_not(None))
    if person_id is not None:
        left = left.where(col(Person.id) == person_id)
    theirs = update(Application).where(_OPEN, col(Application.person_id).in_(left))
    return list(tx.run(theirs.values(state=LEFT, closed_at=now).returning(col(Application.id))).scalars())


def record(
    tx: Tx, now: datetime, application_id: int, *, step: str, version: str, day: date, decided_by: str,
    recorded_by: str, recorded_by_id: int | None, outcome: str = "", months: int = 0, note: str = "",
    facts: Mapping[str, object] | None = None,
) -> int:  # fmt: skip
    """Record a step; the number of the record."""
    keys = tx.house.keys
    values = {
        "application_id": application_id, "step": step, "version": version, "day": day, "decided_by": decided_by,
        "outcome": outcome, "months": months, "recorded_by": recorded_by, "recorded_by_id": recorded_by_id,
        "recorded_at": now, "note": keys.seal(note) if note else None, "struck_by": "",
        "facts": keys.seal(json.dumps(facts, ensure_ascii=False, default=str)) if facts else None,
    }  # fmt: skip
    return int(tx.run(insert(ApplicationStage).values(values).returning(col(ApplicationStage.id))).scalar_one())


def strike(tx: Tx, now: datetime, stage_id: int, by: str) -> None:
    """A record was wrong: it stays, and counts no more."""
    its = col(ApplicationStage.id) == stage_id
    tx.run(update(ApplicationStage).where(its).values(struck_at=now, struck_by=by))


# -- reading --------------------------------------------------------------------------------------------------


def get(tx: Tx, application_id: int) -> Filed | None:
    row = tx.run(select(*_FILED).where(col(Application.id) == application_id)).one_or_none()
    return Filed(*row) if row else None


def latest_of(tx: Tx, person_id: int) -> Filed | None:
    """A person's open application, else their last."""
    mine = select(*_FILED).where(col(Application.person_id) == person_id)
    row = tx.run(mine.order_by(_OPEN.desc(), col(Application.id).desc()).limit(1)).first()
    return Filed(*row) if row else None


def statement(tx: Tx, application_id: int) -> str:
    """What the applicant wrote, opened; the caller writes the reading down."""
    sealed = tx.run(select(col(Application.statement)).where(col(Application.id) == application_id)).scalar_one()
    return tx.house.keys.open(sealed) if sealed else ""


def reason(tx: Tx, application_id: int) -> str:
    """Why it was returned, declined or withdrawn, opened."""
    sealed = tx.run(select(col(Application.reason)).where(col(Application.id) == application_id)).scalar_one()
    return tx.house.keys.open(sealed) if sealed else ""


def stages(tx: Tx, ids: Sequence[int]) -> dict[int, list[Stage]]:
    """The records that stand, of each of these applications, in the order of their days."""
    found: dict[int, list[Stage]] = {}
    for start in range(0, len(ids), 500):
        its = col(ApplicationStage.application_id).in_(list(ids[start : start + 500]))
        statement_ = select(*_STAGE).where(its, col(ApplicationStage.struck_at).is_(None))
        for row in tx.run(statement_.order_by(col(ApplicationStage.day), col(ApplicationStage.id))):
            stage = Stage(*row)
            found.setdefault(stage.application_id, []).append(stage)
    return found


def notes(tx: Tx, application_id: int) -> dict[int, tuple[str, dict[str, Any]]]:
    """Note and facts of each record that has one, opened, by the number of the record."""
    columns = (col(ApplicationStage.id), col(ApplicationStage.note), col(ApplicationStage.facts))
    its = and_(col(ApplicationStage.application_id) == application_id, col(ApplicationStage.struck_at).is_(None))
    keys = tx.house.keys
    return {
        number: (keys.open(note) if note else "", json.loads(keys.open(facts)) if facts else {})
        for number, note, facts in tx.run(select(*columns).where(its))
        if note or facts
    }


def under_way(tx: Tx, orgs: Sequence[Org] | None = None) -> list[tuple[Filed, Somebody]]:
    """The open applications of those who are in these organisations now (None: of everybody), and the withdrawn
    ones that the branch has not seen yet; oldest first."""
    statement_ = (
        select(*_FILED, *_SOMEBODY)
        .join(Person, col(Person.id) == col(Application.person_id))
        .join(Organisation, col(Organisation.id) == col(Person.organisation_id))
        .where(or_(_OPEN, and_(col(Application.state) == WITHDRAWN, col(Application.settled).is_(False))))
        .where(col(Person.left_on).is_(None))
        .order_by(col(Application.id))
    )
    if orgs is not None:
        statement_ = statement_.where(or_(*(within(org) for org in orgs)))
    width = len(_FILED)
    return [(Filed(*row[:width]), Somebody(*row[width:])) for row in tx.run(statement_)]


def probationary(tx: Tx, orgs: Sequence[Org] | None = None) -> list[tuple[Somebody, date]]:
    """The probationary members whose day of admission the roster knows, with that day."""
    statement_ = (
        select(*_SOMEBODY, col(Person.admitted_on))
        .join(Organisation, col(Organisation.id) == col(Person.organisation_id))
        .where(col(Person.kind) == "预备党员", col(Person.left_on).is_(None), col(Person.admitted_on).is_not(None))
        .order_by(col(Person.number))
    )
    if orgs is not None:
        statement_ = statement_.where(or_(*(within(org) for org in orgs)))
    return [(Somebody(*row[:-1]), row[-1]) for row in tx.run(statement_)]


# -- keeping no longer than needed ------------------------------------------------------------------------------


def purge(tx: Tx, before: datetime) -> int:
    """Delete what was declined, withdrawn or left behind before a moment, with its records and files; how many."""
    over = and_(col(Application.closed_at) < before, col(Application.state).in_([DECLINED, WITHDRAWN, LEFT]))
    ids = list(tx.run(select(col(Application.id)).where(over).limit(100)).scalars())
    for one in ids:
        files.drop_of(tx, FILES, one)
    if ids:
        tx.run(delete(ApplicationStage).where(col(ApplicationStage.application_id).in_(ids)))
        tx.run(delete(Application).where(col(Application.id).in_(ids)))
    return len(ids)
