"""quizzes: who still has to sit an examination that closes soon?"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial

from bot.core.reply import Button, Phrase, words
from handlers import Item, Kind, Round
from handlers.closing import AHEAD, reminded_at
from handlers.quizzes.chat import Start, short
from storage import people, quizzes
from storage.house import Tx
from storage.quizzes import Exam
from storage.reminders import Kept

KIND = "quiz.closing"
TOO_LATE = timedelta(minutes=30)


def rounds(tx: Tx, now: datetime) -> Iterable[Round]:
    """A round for each examination that closes soon, for those on its roll who have not handed in."""
    for exam in quizzes.closing(tx, now, now + AHEAD):
        at, until = reminded_at(tx, exam.opens_at, exam.closes_at), exam.closes_at - TOO_LATE
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


def _silent(tx: Tx, exam: Exam) -> list[int]:
    return [person.id for person in people.listed(tx, quizzes.silent(tx, exam.id)) if person.left_on is None]
