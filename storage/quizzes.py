"""Quizzes: examinations with their frozen questions and roll, and the papers that people write."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import and_, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import Field, UniqueConstraint, col

from storage.base import Table
from storage.house import Tx
from storage.people import Person
from storage.prepared import Prepared


class Examination(Table, table=True):
    """Its questions are frozen in `sheet`: editing a bank later changes nothing in it."""

    id: int | None = Field(default=None, primary_key=True)
    organisation_id: int = Field(foreign_key="organisation.id", index=True)
    author_id: int | None = Field(default=None, foreign_key="person.id")
    title: str = Field(max_length=100)
    category: str = Field(max_length=200)
    """What the questions were drawn from; empty: from everything."""
    scope: str
    count: int
    pass_mark: int | None = None
    """Per cent that are enough; None: no mark is set."""
    at_once: bool = False
    """Whether solutions are shown at handing in, before everybody is done."""
    seed: str = Field(max_length=40)
    """Decides which questions are drawn, and with a person's number in which order they come."""
    sheet: str
    """The questions as JSON: [[id in the bank, GIFT], …]."""
    opens_at: datetime
    closes_at: datetime
    closed_at: datetime | None = None
    state: str = Field(max_length=10, index=True)
    """`waiting`, `open` or `closed`."""
    created_at: datetime


class ExaminationRoll(Table, table=True):
    """Who is to sit it, frozen at the opening."""

    __tablename__ = "examination_roll"

    examination_id: int = Field(foreign_key="examination.id", primary_key=True)
    person_id: int = Field(foreign_key="person.id", primary_key=True, index=True)


class QuizPaper(Table, table=True):
    """What one person writes: of an examination, or (without one, with questions of its own) for practice."""

    __tablename__ = "quiz_paper"
    __table_args__ = (UniqueConstraint("examination_id", "person_id"),)

    id: int | None = Field(default=None, primary_key=True)
    examination_id: int | None = Field(default=None, foreign_key="examination.id")
    person_id: int = Field(foreign_key="person.id", index=True)
    seed: str = Field(max_length=60)
    sheet: str | None = None
    answers: str = "{}"
    """JSON: what was answered, by the question's place in the sheet."""
    started_at: datetime
    handed_in_at: datetime | None = None
    handed_in_by: str = Field(default="", max_length=10)
    """`self`, `clock` or `closing`."""
    score: str = ""
    """Points as an exact fraction, `17/2`; each question has one."""


@dataclass(frozen=True, slots=True)
class Exam:
    """An examination without its questions."""

    id: int
    organisation_id: int
    author_id: int | None
    title: str
    category: str
    scope: str
    count: int
    pass_mark: int | None
    at_once: bool
    seed: str
    opens_at: datetime
    closes_at: datetime
    closed_at: datetime | None
    state: str

    def running(self, now: datetime) -> bool:
        """Whether it may be written now."""
        return self.state == "open" and now < self.closes_at


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper with its questions. `exam` None: practice."""

    id: int
    person_id: int
    seed: str
    sheet: str
    kept: str
    started_at: datetime
    handed_in_at: datetime | None
    handed_in_by: str
    score: Fraction | None
    exam: Exam | None

    @property
    def answers(self) -> dict[int, Any]:
        return {int(place): answer for place, answer in json.loads(self.kept).items()}


@dataclass(frozen=True, slots=True)
class Sat:
    """Where somebody on the roll stands."""

    person_id: int
    paper: int | None
    handed_in_at: datetime | None
    handed_in_by: str
    score: Fraction | None


_EXAM_COLUMNS = [col(getattr(Examination, name)) for name in Exam.__slots__]
_EXAM = select(*_EXAM_COLUMNS)
_PAPER = (
    select(
        col(QuizPaper.id), col(QuizPaper.person_id), col(QuizPaper.seed),
        func.coalesce(col(QuizPaper.sheet), col(Examination.sheet)), col(QuizPaper.answers),
        col(QuizPaper.started_at), col(QuizPaper.handed_in_at), col(QuizPaper.handed_in_by), col(QuizPaper.score),
        *_EXAM_COLUMNS,
    )
    .select_from(QuizPaper)
    .outerjoin(Examination, col(Examination.id) == col(QuizPaper.examination_id))
)  # fmt: skip
_LOOK = Prepared(_PAPER.where(col(QuizPaper.id) == bindparam("paper")))
_MINE = Prepared(
    _PAPER.where(col(QuizPaper.examination_id) == bindparam("exam"), col(QuizPaper.person_id) == bindparam("person"))
)
_ON_ROLL = Prepared(
    select(*_EXAM_COLUMNS, col(ExaminationRoll.person_id))
    .outerjoin(
        ExaminationRoll,
        and_(
            col(ExaminationRoll.examination_id) == col(Examination.id),
            col(ExaminationRoll.person_id) == bindparam("person"),
        ),
    )
    .where(col(Examination.id) == bindparam("exam"))
)
_ANSWER = Prepared(
    update(QuizPaper)
    .where(
        col(QuizPaper.id) == bindparam("paper"),
        col(QuizPaper.handed_in_at).is_(None),
        col(QuizPaper.answers) == bindparam("before"),
    )
    .values(answers=bindparam("after"))
    .returning(col(QuizPaper.id))
)


def _fraction(kept: str) -> Fraction | None:
    return Fraction(kept) if kept else None


def _paper(row: Sequence[Any]) -> Paper:
    number, person_id, seed, sheet, kept, started_at, handed_in_at, by, score, *exam = row
    its = None if exam[0] is None else Exam(*exam)
    return Paper(number, person_id, seed, sheet, kept, started_at, handed_in_at, by, _fraction(score), its)


# -- examinations -----------------------------------------------------------------------------------------------


def add(tx: Tx, now: datetime, questions: Sequence[tuple[int, str]], roll: Sequence[int], **values: Any) -> int:
    """An examination in state `waiting`, with its questions and its roll; its id."""
    sheet = json.dumps(questions, ensure_ascii=False)
    statement = insert(Examination).values(**values, sheet=sheet, state="waiting", created_at=now)
    exam_id = int(tx.run(statement.returning(col(Examination.id))).scalar_one())
    rows = [{"examination_id": exam_id, "person_id": person} for person in roll]
    for at in range(0, len(rows), 5000):
        tx.run(insert(ExaminationRoll), rows[at : at + 5000])
    return exam_id


def get(tx: Tx, exam_id: int) -> Exam | None:
    row = tx.run(_EXAM.where(col(Examination.id) == exam_id)).one_or_none()
    return Exam(*row) if row else None


def listed(tx: Tx, *conditions: Any) -> list[Exam]:
    """Examinations, newest first."""
    return [Exam(*row) for row in tx.run(_EXAM.where(*conditions).order_by(col(Examination.id).desc()))]


def seen_from(tx: Tx, org_ids: Sequence[int], *, most: int = 50) -> list[Exam]:
    """Those of some organisations, and those on whose roll somebody of theirs stands; newest first."""
    theirs = (
        select(col(ExaminationRoll.examination_id))
        .join(Person, col(Person.id) == col(ExaminationRoll.person_id))
        .where(col(Person.organisation_id).in_(org_ids))
    )
    mine = or_(col(Examination.organisation_id).in_(org_ids), col(Examination.id).in_(theirs))
    return [Exam(*row) for row in tx.run(_EXAM.where(mine).order_by(col(Examination.id).desc()).limit(most))]


def open_for(tx: Tx, now: datetime, person_id: int) -> list[Exam]:
    """What a person may sit now, that which closes first first."""
    ids = select(col(ExaminationRoll.examination_id)).where(col(ExaminationRoll.person_id) == person_id)
    found = listed(
        tx, col(Examination.state) == "open", col(Examination.closes_at) > now, col(Examination.id).in_(ids)
    )
    return sorted(found, key=lambda exam: exam.closes_at)


def closing(tx: Tx, after: datetime, until: datetime) -> list[Exam]:
    """Open examinations that close in between."""
    closes = col(Examination.closes_at)
    return listed(tx, col(Examination.state) == "open", closes > after, closes <= until)


def to_open(tx: Tx, now: datetime) -> list[Exam]:
    return listed(tx, col(Examination.state) == "waiting", col(Examination.opens_at) <= now)


def to_close(tx: Tx, now: datetime) -> list[Exam]:
    return listed(tx, col(Examination.state) == "open", col(Examination.closes_at) <= now)


def in_use(tx: Tx) -> list[tuple[int, str]]:
    """The sheets of examinations that wait or run, with their numbers: nobody is to be told how to answer them."""
    statement = select(col(Examination.id), col(Examination.sheet)).where(col(Examination.state) != "closed")
    return [(row[0], row[1]) for row in tx.run(statement)]


def set_state(tx: Tx, exam_id: int, state: str, *, was: str, **values: Any) -> bool:
    """Move an examination on; whether it was still in the state it was thought to be in."""
    mine = (col(Examination.id) == exam_id, col(Examination.state) == was)
    return bool(tx.run(update(Examination).where(*mine).values(state=state, **values)).rowcount)


def roll(tx: Tx, exam_id: int) -> list[int]:
    statement = select(col(ExaminationRoll.person_id)).where(col(ExaminationRoll.examination_id) == exam_id)
    return sorted(tx.run(statement).scalars())


def on_roll(tx: Tx, exam_id: int, person_id: int) -> tuple[Exam | None, bool]:
    """An examination, and whether a person is to sit it."""
    row = tx.row(_ON_ROLL, exam=exam_id, person=person_id)
    return (Exam(*row[:-1]), row[-1] is not None) if row else (None, False)


# -- papers -----------------------------------------------------------------------------------------------------


def begin(tx: Tx, now: datetime, exam: Exam, person_id: int, seed: str) -> Paper:
    """The paper of a person in an examination, new or as it stands."""
    add = postgres_insert if tx.postgres else sqlite_insert
    values = {"examination_id": exam.id, "person_id": person_id, "seed": seed, "answers": "{}", "started_at": now,
              "handed_in_by": "", "score": ""}  # fmt: skip
    tx.run(add(QuizPaper).values(**values).on_conflict_do_nothing())
    found = of_person(tx, exam.id, person_id)
    assert found is not None
    return found


def practise(tx: Tx, now: datetime, person_id: int, seed: str, questions: Sequence[tuple[int, str]]) -> Paper:
    """A paper for practice; the one before is thrown away."""
    tx.run(delete(QuizPaper).where(col(QuizPaper.person_id) == person_id, col(QuizPaper.examination_id).is_(None)))
    values = {"person_id": person_id, "seed": seed, "sheet": json.dumps(questions, ensure_ascii=False),
              "answers": "{}", "started_at": now, "handed_in_by": "", "score": ""}  # fmt: skip
    new = int(tx.run(insert(QuizPaper).values(**values).returning(col(QuizPaper.id))).scalar_one())
    found = look(tx, new)
    assert found is not None
    return found


def look(tx: Tx, paper_id: int) -> Paper | None:
    """A paper with everything about it, in one statement. It runs at every tap."""
    row = tx.row(_LOOK, paper=paper_id)
    return _paper(row) if row else None


def of_person(tx: Tx, exam_id: int, person_id: int) -> Paper | None:
    row = tx.row(_MINE, exam=exam_id, person=person_id)
    return _paper(row) if row else None


def lately(tx: Tx, person_id: int, since: datetime, *, most: int) -> list[Paper]:
    """What somebody has handed in of examinations that closed after a moment, latest first."""
    mine = (col(QuizPaper.person_id) == person_id, col(QuizPaper.handed_in_at).is_not(None))
    closed = (col(Examination.state) == "closed", col(Examination.closes_at) > since)
    return [
        _paper(row) for row in tx.run(_PAPER.where(*mine, *closed).order_by(col(Examination.id).desc()).limit(most))
    ]


def practice_of(tx: Tx, person_id: int) -> Paper | None:
    """The practice that somebody has begun and not finished."""
    mine = (col(QuizPaper.person_id) == person_id, col(QuizPaper.examination_id).is_(None))
    row = tx.run(_PAPER.where(*mine, col(QuizPaper.handed_in_at).is_(None))).first()
    return _paper(row) if row else None


def answer(tx: Tx, paper: Paper, answers: dict[int, Any]) -> Paper | None:
    """Write down the answers; the paper as it is now. None: it is no more what it was, or handed in."""
    after = json.dumps({str(place): answers[place] for place in sorted(answers)}, ensure_ascii=False)
    written = tx.rows(_ANSWER, paper=paper.id, before=paper.kept, after=after)
    return replace(paper, kept=after) if written else None


def hand_in(tx: Tx, at: datetime, paper: Paper, score: Fraction, by: str) -> bool:
    """Hand in what was answered, for this score; whether nothing had changed since it was looked at."""
    same = (
        col(QuizPaper.id) == paper.id, col(QuizPaper.handed_in_at).is_(None), col(QuizPaper.answers) == paper.kept
    )  # fmt: skip
    values = {"handed_in_at": at, "handed_in_by": by, "score": str(score)}
    return bool(tx.run(update(QuizPaper).where(*same).values(**values)).rowcount)


def left_open(tx: Tx, exam_id: int, *, most: int) -> list[Paper]:
    """Papers that are not handed in."""
    mine = (col(QuizPaper.examination_id) == exam_id, col(QuizPaper.handed_in_at).is_(None))
    return [_paper(row) for row in tx.run(_PAPER.where(*mine).order_by(col(QuizPaper.id)).limit(most))]


def standing(tx: Tx, exam_id: int) -> list[Sat]:
    """Where everybody on the roll stands."""
    same = and_(col(QuizPaper.examination_id) == exam_id, col(QuizPaper.person_id) == col(ExaminationRoll.person_id))
    columns = (col(ExaminationRoll.person_id), *(col(getattr(QuizPaper, n)) for n in
               ("id", "handed_in_at", "handed_in_by", "score")))  # fmt: skip
    statement = (
        select(*columns)
        .select_from(ExaminationRoll)
        .outerjoin(QuizPaper, same)
        .where(col(ExaminationRoll.examination_id) == exam_id)
        .order_by(col(ExaminationRoll.person_id))
    )
    return [Sat(row[0], row[1], row[2], row[3] or "", _fraction(row[4] or "")) for row in tx.run(statement)]


def counts(tx: Tx, exam_id: int) -> tuple[int, int]:
    """How many have handed in, of how many."""
    mine = select(func.count()).where(col(QuizPaper.examination_id) == exam_id)
    expected = select(func.count()).where(col(ExaminationRoll.examination_id) == exam_id)
    done = mine.where(col(QuizPaper.handed_in_at).is_not(None))
    return int(tx.run(done).scalar_one()), int(tx.run(expected).scalar_one())


def silent(tx: Tx, exam_id: int) -> list[int]:
    """Those on the roll who have not handed in."""
    return [one.person_id for one in standing(tx, exam_id) if one.handed_in_at is None]


def purge_practice(tx: Tx, before: datetime) -> int:
    """Throw away practice begun before a moment; how many papers."""
    old = (col(QuizPaper.examination_id).is_(None), col(QuizPaper.started_at) < before)
    return tx.run(delete(QuizPaper).where(*old)).rowcount
