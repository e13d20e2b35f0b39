"""Banks: the questions there are, each as GIFT, and the file that waits for its sender's word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert, or_, select, update
from sqlmodel import Field, UniqueConstraint, col

from storage.base import Table
from storage.house import Tx
from storage.organisations import Org


class QuizBank(Table, table=True):
    """Questions that belong together. One without an organisation is the shipped one: everybody's."""

    __tablename__ = "quiz_bank"

    id: int | None = Field(default=None, primary_key=True)
    organisation_id: int | None = Field(default=None, foreign_key="organisation.id", index=True)
    name: str = Field(max_length=60)
    digest: str = Field(default="", max_length=64)
    """What the shipped file was when it was loaded."""
    changed_at: datetime


class QuizQuestion(Table, table=True):
    """A question as GIFT, without its category. `key` tells a new version of it from another question."""

    __tablename__ = "quiz_question"
    __table_args__ = (UniqueConstraint("bank_id", "key"),)

    id: int | None = Field(default=None, primary_key=True)
    bank_id: int = Field(foreign_key="quiz_bank.id")
    key: str = Field(max_length=80)
    category: str = Field(max_length=200, index=True)
    gift: str
    changed_at: datetime


class PendingQuiz(Table, table=True):
    """A file of questions that was read and not yet taken or refused: one a person."""

    __tablename__ = "pending_quiz"

    person_id: int = Field(primary_key=True, foreign_key="person.id")
    number: int
    """Told on the buttons, so that those of an older file do not take a newer one."""
    body: bytes
    """Its good questions as GIFT, sealed."""
    expires_at: datetime = Field(index=True)


@dataclass(frozen=True, slots=True)
class Bank:
    id: int
    organisation_id: int | None
    name: str
    digest: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A question of a bank. `category` are names from the outermost in, with slashes between."""

    id: int
    key: str
    category: str
    gift: str


_BANK = select(*(col(getattr(QuizBank, name)) for name in Bank.__slots__))
_KEPT = select(*(col(getattr(QuizQuestion, name)) for name in Kept.__slots__))


def add(tx: Tx, now: datetime, name: str, organisation_id: int | None) -> Bank:
    values = {"name": name, "organisation_id": organisation_id, "digest": "", "changed_at": now}
    new = int(tx.run(insert(QuizBank).values(**values).returning(col(QuizBank.id))).scalar_one())
    return Bank(new, organisation_id, name, "")


def shipped(tx: Tx) -> Bank | None:
    row = tx.run(_BANK.where(col(QuizBank.organisation_id).is_(None))).first()
    return Bank(*row) if row else None


def of_org(tx: Tx, org_id: int, name: str) -> Bank | None:
    row = tx.run(_BANK.where(col(QuizBank.organisation_id) == org_id, col(QuizBank.name) == name)).first()
    return Bank(*row) if row else None


def usable(tx: Tx, org: Org) -> list[Bank]:
    """The banks that an organisation may draw from: the shipped one, its own, and those above it."""
    above = [int(part) for part in org.path.strip("/").split("/")]
    mine = or_(col(QuizBank.organisation_id).is_(None), col(QuizBank.organisation_id).in_(above))
    return [Bank(*row) for row in tx.run(_BANK.where(mine).order_by(col(QuizBank.id)))]


def set_digest(tx: Tx, now: datetime, bank_id: int, digest: str) -> None:
    tx.run(update(QuizBank).where(col(QuizBank.id) == bank_id).values(digest=digest, changed_at=now))


def questions(tx: Tx, bank_ids: Sequence[int], *, ids: Sequence[int] | None = None) -> list[Kept]:
    """The questions of some banks, in the order in which they came; of those with these ids, where that is asked."""
    statement = _KEPT.where(col(QuizQuestion.bank_id).in_(bank_ids))
    if ids is not None:
        statement = statement.where(col(QuizQuestion.id).in_(ids))
    return [Kept(*row) for row in tx.run(statement.order_by(col(QuizQuestion.id)))]


def categories(tx: Tx, bank_ids: Sequence[int]) -> list[tuple[str, int]]:
    """The categories of some banks with how many questions each has, in the order in which they came."""
    statement = (
        select(col(QuizQuestion.category), func.count(), func.min(col(QuizQuestion.id)))
        .where(col(QuizQuestion.bank_id).in_(bank_ids))
        .group_by(col(QuizQuestion.category))
    )
    return [(row[0], row[1]) for row in sorted(tx.run(statement), key=lambda row: row[2])]


Row = Mapping[str, str]


def put(tx: Tx, now: datetime, bank_id: int, new: Sequence[Row], changed: Sequence[Row]) -> None:
    """Add questions (`key`, `category`, `gift`), and put others in the place of those with the same key."""
    if new:
        tx.run(insert(QuizQuestion), [{**row, "bank_id": bank_id, "changed_at": now} for row in new])
    for row in changed:
        mine = (col(QuizQuestion.bank_id) == bank_id, col(QuizQuestion.key) == row["key"])
        values = {"category": row["category"], "gift": row["gift"], "changed_at": now}
        tx.run(update(QuizQuestion).where(*mine).values(**values))


# -- a file that waits ------------------------------------------------------------------------------------------


def wait(tx: Tx, person_id: int, number: int, text: str, expires_at: datetime) -> None:
    """Keep a file for its sender; the one before is forgotten."""
    tx.lock("pending_quiz", person_id)
    drop(tx, person_id)
    sealed = tx.house.keys.seal(text)
    tx.run(insert(PendingQuiz).values(person_id=person_id, number=number, body=sealed, expires_at=expires_at))


def waiting(tx: Tx, now: datetime, person_id: int, number: int) -> str | None:
    """The file that waits under this number; None: it was taken, refused, replaced, or its time is over."""
    tx.lock("pending_quiz", person_id)
    statement = select(col(PendingQuiz.body)).where(
        col(PendingQuiz.person_id) == person_id,
        col(PendingQuiz.number) == number,
        col(PendingQuiz.expires_at) > now,
    )
    sealed = tx.run(statement).scalar_one_or_none()
    return None if sealed is None else tx.house.keys.open(sealed)


def drop(tx: Tx, person_id: int) -> None:
    tx.run(delete(PendingQuiz).where(col(PendingQuiz.person_id) == person_id))


def purge(tx: Tx, now: datetime) -> int:
    """Remove the files whose time is over; how many."""
    return tx.run(delete(PendingQuiz).where(col(PendingQuiz.expires_at) <= now)).rowcount
