"""Reports: what people have handed in for a period, each version, sealed; and what their readers said to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, func, insert, select, update
from sqlmodel import Field, Index, UniqueConstraint, col

from storage.base import Table
from storage.house import Tx
from storage.organisations import Org, Organisation, within
from storage.people import Person

SUBJECT = "report"
"""What a file of a report belongs to."""


class ThoughtReport(Table, table=True):
    """A version of somebody's report. Its text is sealed; everything else says only that there is one."""

    __tablename__ = "thought_report"
    __table_args__ = (
        UniqueConstraint("person_id", "period", "version"),
        Index("ix_thought_report_branch", "organisation_id", "period"),
    )

    id: int | None = Field(default=None, primary_key=True)
    person_id: int = Field(foreign_key="person.id")
    organisation_id: int = Field(foreign_key="organisation.id")
    """Where the writer belonged when it was handed in: there it is read."""
    period: str = Field(max_length=7)
    version: int
    late: bool
    text: bytes
    length: int
    at: datetime
    channel: str = Field(max_length=20)


class ReportComment(Table, table=True):
    """What a reader said to a report; sealed."""

    __tablename__ = "report_comment"

    id: int | None = Field(default=None, primary_key=True)
    report_id: int = Field(foreign_key="thought_report.id", index=True)
    author_id: int = Field(foreign_key="person.id")
    text: bytes
    at: datetime
    seen_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A version of a report, without its text. `length` in characters."""

    id: int
    person_id: int
    organisation_id: int
    period: str
    version: int
    late: bool
    length: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Comment:
    """What a reader said."""

    id: int
    report_id: int
    author_id: int
    text: str
    at: datetime
    seen_at: datetime | None


_REPORT = select(*(col(getattr(ThoughtReport, name)) for name in Report.__slots__))


def add(
    tx: Tx, now: datetime, *, person_id: int, organisation_id: int, period: str, late: bool, text: str, channel: str
) -> Report:
    """The next version of somebody's report for a period."""
    tx.lock("report", person_id, period)
    latest = select(func.coalesce(func.max(col(ThoughtReport.version)), 0)).where(
        col(ThoughtReport.person_id) == person_id, col(ThoughtReport.period) == period
    )
    version = int(tx.run(latest).scalar_one()) + 1
    statement = insert(ThoughtReport).values(
        person_id=person_id, organisation_id=organisation_id, period=period, version=version, late=late,
        text=tx.house.keys.seal(text), length=len(text), at=now, channel=channel,
    )  # fmt: skip
    number = int(tx.run(statement.returning(col(ThoughtReport.id))).scalar_one())
    return Report(number, person_id, organisation_id, period, version, late, len(text), now)


def get(tx: Tx, report_id: int) -> Report | None:
    row = tx.run(_REPORT.where(col(ThoughtReport.id) == report_id)).one_or_none()
    return Report(*row) if row else None


def text(tx: Tx, report_id: int) -> str:
    """What a report says. Whoever asks has made sure that it may be read, and writes the reading down."""
    sealed = tx.run(select(col(ThoughtReport.text)).where(col(ThoughtReport.id) == report_id)).scalar_one()
    return tx.house.keys.open(sealed)


def of_person(tx: Tx, person_id: int, *, period: str = "", most: int = 24) -> list[Report]:
    """Somebody's reports, the newest first: every version."""
    statement = _REPORT.where(col(ThoughtReport.person_id) == person_id)
    if period:
        statement = statement.where(col(ThoughtReport.period) == period)
    return [Report(*row) for row in tx.run(statement.order_by(col(ThoughtReport.id).desc()).limit(most))]


def handed_in(tx: Tx, periods: Sequence[str], people: Sequence[int]) -> dict[tuple[int, str], list[Report]]:
    """The versions of these people's reports for these periods, the oldest first."""
    found: dict[tuple[int, str], list[Report]] = {}
    for start in range(0, len(people), 500):
        some = col(ThoughtReport.person_id).in_(list(people[start : start + 500]))
        statement = _REPORT.where(some, col(ThoughtReport.period).in_(list(periods)))
        for row in tx.run(statement.order_by(col(ThoughtReport.version))):
            report = Report(*row)
            found.setdefault((report.person_id, report.period), []).append(report)
    return found


def has(tx: Tx, person_id: int, period: str) -> bool:
    """Whether somebody has handed one in, late or not."""
    mine = and_(col(ThoughtReport.person_id) == person_id, col(ThoughtReport.period) == period)
    return tx.run(select(col(ThoughtReport.id)).where(mine).limit(1)).first() is not None


def expected(
    tx: Tx, kinds: Sequence[str], before: datetime, *, org: Org | None = None, exactly: bool = False
) -> list[tuple[int, str, str, int]]:  # fmt: skip
    """(id, number, name, organisation) of those of these kinds who are here and were before a moment, by number."""
    statement = (
        select(col(Person.id), col(Person.number), col(Person.name), col(Person.organisation_id))
        .join(Organisation, col(Organisation.id) == col(Person.organisation_id))
        .where(col(Person.kind).in_(list(kinds)), col(Person.left_on).is_(None), col(Person.created_at) < before)
    )
    if org:
        statement = statement.where(col(Organisation.id) == org.id if exactly else within(org))
    return [tuple(row) for row in tx.run(statement.order_by(col(Person.number)))]


def of_branch(tx: Tx, organisation_id: int, period: str) -> list[Report]:
    """Everything that was handed in there for a period: the newest version of each writer."""
    here = and_(col(ThoughtReport.organisation_id) == organisation_id, col(ThoughtReport.period) == period)
    newest: dict[int, Report] = {}
    for row in tx.run(_REPORT.where(here).order_by(col(ThoughtReport.version))):
        report = Report(*row)
        newest[report.person_id] = report
    return list(newest.values())


def older(tx: Tx, before: datetime, *, but: Sequence[str], most: int) -> list[int]:
    """Reports handed in before a moment; those of people of some kinds only if they have left."""
    gone = col(Person.left_on).is_not(None) | col(Person.kind).not_in(list(but))
    statement = select(col(ThoughtReport.id)).join(Person, col(Person.id) == col(ThoughtReport.person_id))
    old = statement.where(col(ThoughtReport.at) < before, gone).order_by(col(ThoughtReport.id)).limit(most)
    return list(tx.run(old).scalars())


def delete_all(tx: Tx, report_ids: Sequence[int]) -> None:
    """Delete reports, and what was said to them."""
    tx.run(delete(ReportComment).where(col(ReportComment.report_id).in_(list(report_ids))))
    tx.run(delete(ThoughtReport).where(col(ThoughtReport.id).in_(list(report_ids))))


# -- comments -------------------------------------------------------------------------------------------------


def comment(tx: Tx, now: datetime, report_id: int, author_id: int, said: str) -> int:
    """Say something to a report; its number."""
    statement = insert(ReportComment).values(
        report_id=report_id, author_id=author_id, text=tx.house.keys.seal(said), at=now
    )
    return int(tx.run(statement.returning(col(ReportComment.id))).scalar_one())


_COMMENT = select(*(col(getattr(ReportComment, name)) for name in Comment.__slots__))


def _comment(tx: Tx, row: Any) -> Comment:
    return Comment(row[0], row[1], row[2], tx.house.keys.open(row[3]), row[4], row[5])


def comments(tx: Tx, report_ids: Sequence[int]) -> list[Comment]:
    """What was said to these, in order."""
    statement = _COMMENT.where(col(ReportComment.report_id).in_(list(report_ids)))
    return [_comment(tx, row) for row in tx.run(statement.order_by(col(ReportComment.id)))]


def one_comment(tx: Tx, comment_id: int) -> Comment | None:
    row = tx.run(_COMMENT.where(col(ReportComment.id) == comment_id)).one_or_none()
    return _comment(tx, row) if row else None


def seen(tx: Tx, now: datetime, report_ids: Sequence[int]) -> None:
    """The writer has read what was said to these."""
    new = and_(col(ReportComment.report_id).in_(list(report_ids)), col(ReportComment.seen_at).is_(None))
    tx.run(update(ReportComment).where(new).values(seen_at=now))


def unseen(tx: Tx, person_id: int) -> list[int]:
    """The reports of somebody to which something was said that they have not read."""
    statement = (
        select(col(ThoughtReport.id))
        .join(ReportComment, col(ReportComment.report_id) == col(ThoughtReport.id))
        .where(col(ThoughtReport.person_id) == person_id, col(ReportComment.seen_at).is_(None))
    )
    return sorted(set(tx.run(statement).scalars()))
