"""quizzes: who still has to sit an examination that closes soon?"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from functools import partial

from bot.core.reply import Button, Phrase, words
from handlers import Item, Kind, Round
from handlers.quizzes.chat import Start, short
from handlers.workdays import workdays
from storage import people, quizzes
from storage.house import Tx
from storage.quizzes import Exam
from storage.reminders import Kept

KIND = "quiz.closing"
BEFORE = timedelta(hours=24)
"""How long before the close; earlier where that is a day off."""
FRESH = timedelta(hours=4)
"""So long after its opening nobody is reminded of an examination: they have only just read of it."""
TOO_LATE = timedelta(minutes=30)
AHEAD = timedelta(days=14)
"""How far ahead we look: longer than the longest holiday and a day."""


def rounds(tx: Tx, now: datetime) -> Iterable[Round]:
    """A round for each examination that closes soon, for those on its roll who have not handed in."""
    for exam in quizzes.closing(tx, now, now + AHEAD):
        at, until = _at(tx, exam), exam.closes_at - TOO_LATE
        if at <= now < until:
            yield Round(KIND, str(exam.id), exam.id, at, until, partial(_silent, tx, exam))


def line(tx: Tx, now: datetime, kept: Kept) -> Item | None:
    """The examination, as long as it runs and waits for this person."""
    exam, on_roll = quizzes.on_roll(tx, kept.subject, kept.person_id)
    if exam is None or not on_roll or not exam.running(now):
        return None
    found = quizzes.of_person(tx, exam.id, kept.person_id)
    if found is not None and found.handed_in_at is not None:
        return None
    said = words("quizzes.closing", title=exam.title, closes=exam.closes_at, begun=found is not None)
    return Item(said, Button(short(exam.title), Start(exam.id)))


REMINDERS = {KIND: Kind(Phrase("考试即将结束"), line)}


def _at(tx: Tx, exam: Exam) -> datetime:
    """A day before the close, or at nine on the last workday before that day; never right after the opening."""
    at = exam.closes_at - BEFORE
    zone, calendar = tx.house.zone, workdays(tx.house.rules)
    day = at.astimezone(zone).date()
    if not calendar.is_workday(day):
        at = datetime.combine(calendar.on_or_before(day), time(9), tzinfo=zone).astimezone(UTC)
    return max(at, exam.opens_at + FRESH)


def _silent(tx: Tx, exam: Exam) -> list[int]:
    return [person.id for person in people.listed(tx, quizzes.silent(tx, exam.id)) if person.left_on is None]
