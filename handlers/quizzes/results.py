"""How did an examination go, branch by branch?

Nobody is ranked: those who have not sat it come first, since they are whom the secretary has to do something about.
"""

from __future__ import annotations

import io
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import xlsxwriter

from bot.core.reply import Words, words
from handlers.quizzes import desk
from handlers.quizzes.asking import hundred
from handlers.quizzes.sitting import enough
from handlers.reaching import MANY
from storage import audit, organisations, people, quizzes
from storage.audit import Actor
from storage.house import Tx
from storage.people import Somebody
from storage.quizzes import Exam, Sat


@cache
def _words() -> dict[str, Any]:
    """What the sheets and their columns are called, and how somebody stands."""
    with Path(__file__).with_name("export.toml").open("rb") as file:
        return tomllib.load(file)


@dataclass(frozen=True, slots=True)
class Branch:
    """A branch in an examination. `missing` are those who have not handed in, by name."""

    name: str
    expected: int
    done: int
    begun: int
    average: Fraction | None
    """Of those who have handed in, from 0 to 1."""
    passed: int | None
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Results:
    """An examination as somebody may see it: whole, or their own part of it."""

    exam: Exam
    whole: bool
    branches: tuple[Branch, ...]

    @property
    def expected(self) -> int:
        return sum(branch.expected for branch in self.branches)

    @property
    def done(self) -> int:
        return sum(branch.done for branch in self.branches)

    @property
    def average(self) -> Fraction | None:
        """Of all who have handed in."""
        sums = [branch.average * branch.done for branch in self.branches if branch.average is not None]
        return sum(sums, Fraction(0)) / self.done if self.done else None

    @property
    def passed(self) -> int | None:
        if self.exam.pass_mark is None:
            return None
        return sum(branch.passed or 0 for branch in self.branches)


def results(tx: Tx, now: datetime, actor: Actor, exam_id: int) -> Results:
    """How it stands. Raises Refused for somebody who may see nobody in it."""
    exam, rows = _rows(tx, now, actor, exam_id)
    branches: dict[int, list[tuple[Somebody, Sat]]] = {}
    for person, sat in rows:
        branches.setdefault(person.organisation_id, []).append((person, sat))
    called = organisations.names(tx, branches)
    found = tuple(_branch(exam, called[org_id], them) for org_id, them in sorted(branches.items()))
    return Results(exam, len(rows) == len(quizzes.roll(tx, exam_id)), found)


def _rows(tx: Tx, now: datetime, actor: Actor, exam_id: int) -> tuple[Exam, list[tuple[Somebody, Sat]]]:
    """Those on the roll whom the actor may see; who has left and never sat it is nobody's concern any more."""
    exam, area = desk.seen(tx, now, actor, exam_id)
    homes = {org.id for org in area}
    stands = {one.person_id: one for one in quizzes.standing(tx, exam_id)}
    known = people.listed(tx, sorted(stands))
    return exam, [
        (person, stands[person.id])
        for person in known
        if person.organisation_id in homes and (person.left_on is None or stands[person.id].handed_in_at is not None)
    ]


def _branch(exam: Exam, name: str, them: Sequence[tuple[Somebody, Sat]]) -> Branch:
    shares = [_share(exam, sat) for _, sat in them]
    done = [share for share in shares if share is not None]
    return Branch(
        name, len(them), len(done),
        sum(sat.paper is not None and sat.handed_in_at is None for _, sat in them),
        sum(done, Fraction(0)) / len(done) if done else None,
        None if exam.pass_mark is None else sum(enough(share, exam.pass_mark) for share in done),
        tuple(person.name for person, sat in them if sat.handed_in_at is None),
    )  # fmt: skip


def told(found: Results) -> Words:
    """How it stands, in words."""
    shown = (
        sorted(found.branches, key=lambda one: -len(one.missing)) if len(found.branches) > MANY else found.branches
    )
    branches = [(one, None if one.average is None else hundred(one.average)) for one in shown]
    average = None if found.average is None else hundred(found.average)
    return words("quizzes.results", found=found, average=average, branches=branches)


def _share(exam: Exam, sat: Sat) -> Fraction | None:
    return None if sat.score is None else sat.score / exam.count


# -- as a spreadsheet -------------------------------------------------------------------------------------------


def export(tx: Tx, now: datetime, actor: Actor, exam_id: int) -> bytes:
    """An xlsx: branch by branch, those who have not sat it first, then by number. That it was taken out is logged.

    Raises Refused for somebody who may see nobody in it.
    """
    exam, rows = _rows(tx, now, actor, exam_id)
    found = results(tx, now, actor, exam_id)
    audit.record(tx, now, actor, "quiz.export", f"examination {exam_id}", people=len(rows))
    names = organisations.names(tx, {person.organisation_id for person, _ in rows})
    rows = sorted(rows, key=lambda one: (one[0].organisation_id, one[1].handed_in_at is not None, one[0].number))
    file, named = io.BytesIO(), _words()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(file, options) as book:
        bold, one_digit = book.add_format({"bold": True}), book.add_format({"num_format": "0.0"})
        sheet = book.add_worksheet(named["branches"]["sheet"])
        sheet.set_column(0, 5, 14)
        for column, heading in enumerate(named["branches"]["columns"]):
            sheet.write_string(0, column, heading, bold)
        for line, branch in enumerate(found.branches, 1):
            sheet.write_string(line, 0, branch.name)
            for column, number in enumerate((branch.expected, branch.done, branch.expected - branch.done), 1):
                sheet.write_number(line, column, number)
            if branch.average is not None:
                sheet.write_number(line, 4, float(branch.average * 100), one_digit)
            if branch.passed is not None:
                sheet.write_number(line, 5, branch.passed)
        sheet = book.add_worksheet(named["people"]["sheet"])
        sheet.set_column(0, 6, 16)
        for column, heading in enumerate(named["people"]["columns"]):
            sheet.write_string(0, column, heading, bold)
        for line, (person, sat) in enumerate(rows, 1):
            share = _share(exam, sat)
            at = "" if sat.handed_in_at is None else f"{sat.handed_in_at.astimezone(tx.house.zone):%Y-%m-%d %H:%M}"
            state = named["states"]["absent" if sat.paper is None else sat.handed_in_by or "open"]
            for column, cell in enumerate((names[person.organisation_id], person.number, person.name, state, at)):
                sheet.write_string(line, column, cell)
            if share is not None:
                sheet.write_number(line, 5, float(share * 100), one_digit)
                if exam.pass_mark is not None:
                    sheet.write_string(line, 6, named["states"]["yes" if enough(share, exam.pass_mark) else "no"])
    return file.getvalue()
