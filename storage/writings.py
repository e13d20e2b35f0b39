"""Writings: study notes that people share with their branch, and what a branch says of its month; sealed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, func, insert, select, update
from sqlmodel import Field, Index, UniqueConstraint, col

from storage import files
from storage.base import Table
from storage.house import Tx

NOTE = "note"
"""What a file of a study note belongs to."""


class StudyNote(Table, table=True):
    __tablename__ = "study_note"

    id: int | None = Field(default=None, primary_key=True)
    person_id: int = Field(foreign_key="person.id", index=True)
    organisation_id: int = Field(foreign_key="organisation.id", index=True)
    """Where the writer belonged: that branch may read it while it is shared."""
    text: bytes
    length: int
    shared: bool
    at: datetime


class BranchSummary(Table, table=True):
    """A version of what a branch says of its month, and plans for the next."""

    __tablename__ = "branch_summary"
    __table_args__ = (
        UniqueConstraint("organisation_id", "period", "version"),
        Index("ix_branch_summary_period", "period"),
    )

    id: int | None = Field(default=None, primary_key=True)
    organisation_id: int = Field(foreign_key="organisation.id")
    period: str = Field(max_length=7)
    version: int
    late: bool
    author_id: int = Field(foreign_key="person.id")
    done: bytes
    plan: bytes
    at: datetime


@dataclass(frozen=True, slots=True)
class Note:
    """A study note without its text."""

    id: int
    person_id: int
    organisation_id: int
    length: int
    shared: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Summary:
    """What a branch said of its month. `done` and `plan` are empty in lists."""

    id: int
    organisation_id: int
    period: str
    version: int
    late: bool
    author_id: int
    at: datetime
    done: str = ""
    plan: str = ""


_NOTE = select(*(col(getattr(StudyNote, name)) for name in Note.__slots__))


def add_note(tx: Tx, now: datetime, *, person_id: int, organisation_id: int, text: str, shared: bool) -> Note:
    statement = insert(StudyNote).values(
        person_id=person_id, organisation_id=organisation_id, text=tx.house.keys.seal(text), length=len(text),
        shared=shared, at=now,
    )  # fmt: skip
    number = int(tx.run(statement.returning(col(StudyNote.id))).scalar_one())
    return Note(number, person_id, organisation_id, len(text), shared, now)


def note(tx: Tx, note_id: int) -> Note | None:
    row = tx.run(_NOTE.where(col(StudyNote.id) == note_id)).one_or_none()
    return Note(*row) if row else None


def note_text(tx: Tx, note_id: int) -> str:
    """What a note says. Whoever asks has made sure that it may be read."""
    return tx.house.keys.open(tx.run(select(col(StudyNote.text)).where(col(StudyNote.id) == note_id)).scalar_one())


def share(tx: Tx, note_id: int, shared: bool) -> None:
    tx.run(update(StudyNote).where(col(StudyNote.id) == note_id).values(shared=shared))


def drop_note(tx: Tx, note_id: int) -> None:
    """Delete a note with its files."""
    files.drop_of(tx, NOTE, note_id)
    tx.run(delete(StudyNote).where(col(StudyNote.id) == note_id))


def notes_of(tx: Tx, person_id: int, most: int = 10) -> list[Note]:
    """Somebody's notes, the newest first."""
    statement = _NOTE.where(col(StudyNote.person_id) == person_id).order_by(col(StudyNote.id).desc())
    return [Note(*row) for row in tx.run(statement.limit(most))]


def shared_notes(tx: Tx, organisation_id: int, most: int = 10) -> list[Note]:
    """What is shared in a branch, the newest first."""
    here = and_(col(StudyNote.organisation_id) == organisation_id, col(StudyNote.shared))
    return [Note(*row) for row in tx.run(_NOTE.where(here).order_by(col(StudyNote.id).desc()).limit(most))]


# -- what a branch says of its month ----------------------------------------------------------------------------

_BARE = ("id", "organisation_id", "period", "version", "late", "author_id", "at")
_SUMMARY = select(*(col(getattr(BranchSummary, name)) for name in _BARE))


def add_summary(
    tx: Tx, now: datetime, *, organisation_id: int, period: str, late: bool, author_id: int, done: str, plan: str
) -> Summary:
    """The next version of a branch's month."""
    tx.lock("summary", organisation_id, period)
    latest = select(func.coalesce(func.max(col(BranchSummary.version)), 0)).where(
        col(BranchSummary.organisation_id) == organisation_id, col(BranchSummary.period) == period
    )
    version, seal = int(tx.run(latest).scalar_one()) + 1, tx.house.keys.seal
    statement = insert(BranchSummary).values(
        organisation_id=organisation_id, period=period, version=version, late=late, author_id=author_id,
        done=seal(done), plan=seal(plan), at=now,
    )  # fmt: skip
    number = int(tx.run(statement.returning(col(BranchSummary.id))).scalar_one())
    return Summary(number, organisation_id, period, version, late, author_id, now, done, plan)


def summary(tx: Tx, summary_id: int) -> Summary | None:
    """With its texts."""
    statement = _SUMMARY.add_columns(col(BranchSummary.done), col(BranchSummary.plan))
    row: Any = tx.run(statement.where(col(BranchSummary.id) == summary_id)).one_or_none()
    if row is None:
        return None
    *bare, done, plan = row
    return Summary(
        **dict(zip(_BARE, bare, strict=True)), done=tx.house.keys.open(done), plan=tx.house.keys.open(plan)
    )


def summaries(tx: Tx, period: str, organisation_ids: Sequence[int] | None = None) -> dict[int, list[Summary]]:
    """What was handed in for a month, by branch: every version without its texts, the oldest first."""
    statement = _SUMMARY.where(col(BranchSummary.period) == period)
    if organisation_ids is not None:
        statement = statement.where(col(BranchSummary.organisation_id).in_(list(organisation_ids)))
    found: dict[int, list[Summary]] = {}
    for row in tx.run(statement.order_by(col(BranchSummary.version))):
        found.setdefault(row.organisation_id, []).append(Summary(*row))
    return found
