"""Writing a paper, as use cases: sit down, answer, hand in, be shown the solutions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from fractions import Fraction

from bot.core.event import Address
from bot.core.reply import Refused
from handlers.quizzes import paper as papers
from handlers.quizzes.paper import Slot, complete, dump, load, points, seed_of
from handlers.quizzes.rules import Answer
from storage import campaigns, quizzes
from storage.house import Tx
from storage.quizzes import Exam, Paper

OPENING = "quiz"
"""The kind of campaign that says an examination is open; its result goes out as another."""

Change = Callable[[Slot, Answer], Answer]
"""From the answer that stands to the one that shall stand."""


def may_sit(tx: Tx, now: datetime, person_id: int, exam_id: int) -> Exam:
    """An examination that this person may write now. Raises Refused: over, not begun, or not on the roll."""
    exam, on_roll = quizzes.on_roll(tx, exam_id, person_id)
    if exam is None or not on_roll:
        raise Refused("quizzes.not_on_roll")
    _running(exam, now)
    return exam


def sit(tx: Tx, now: datetime, person_id: int, exam_id: int) -> Paper:
    """The paper of this person, begun now or earlier, on whichever channel. Raises Refused."""
    found = quizzes.of_person(tx, exam_id, person_id)
    if found is not None and found.handed_in_at is not None:
        return found
    exam = may_sit(tx, now, person_id, exam_id)
    return found or quizzes.begin(tx, now, exam, person_id, seed_of(exam.seed, person_id))


def look(tx: Tx, person_id: int, paper_id: int) -> Paper:
    """A paper of this person's. Raises Refused for anybody else's, and for practice that is thrown away."""
    found = quizzes.look(tx, paper_id)
    if found is None or found.person_id != person_id:
        raise Refused("quizzes.not_your_paper")
    return found


def slots(found: Paper) -> tuple[Slot, ...]:
    """The questions in the order in which the paper's owner sees them."""
    return papers.slots(found.sheet, found.seed)


def slot(found: Paper, at: int) -> Slot:
    """One of them. Raises Refused for a place that the paper does not have."""
    shown = slots(found)
    if not 0 <= at < len(shown):
        raise Refused("quizzes.not_your_paper")
    return shown[at]


def answered(found: Paper, one: Slot) -> Answer:
    return load(one.question, found.answers.get(one.place))


def unanswered(found: Paper) -> list[Slot]:
    """The questions that have no answer, or not a whole one."""
    kept = found.answers
    return [one for one in slots(found) if not complete(load(one.question, kept.get(one.place)))]


def write(tx: Tx, now: datetime, person_id: int, paper_id: int, at: int, change: Change) -> tuple[Paper, Slot]:
    """Put an answer in the place of what stands there; the paper as it is now. Until handing in it may be changed.

    Raises Refused: handed in, over, somebody else's.
    """
    for _ in range(3):  # the clock may hand it in at this very moment, and nothing else writes into it
        found = look(tx, person_id, paper_id)
        if found.handed_in_at is not None:
            raise Refused("quizzes.handed_in_already" if found.exam else "quizzes.practice_over")
        if found.exam is not None:
            _running(found.exam, now)
        one = slot(found, at)
        answers = found.answers
        answers[one.place] = dump(change(one, load(one.question, answers.get(one.place))))
        if written := quizzes.answer(tx, found, answers):
            return written, one
    raise Refused("quizzes.not_now")


def hand_in(tx: Tx, now: datetime, person_id: int, paper_id: int, at: Address) -> Paper:
    """Hand a paper in, once; the score is settled with it. Raises Refused once the examination is over."""
    found = look(tx, person_id, paper_id)
    if found.handed_in_at is not None:
        return found
    if found.exam is not None:
        _running(found.exam, now)
    if quizzes.hand_in(tx, now, found, points(found.sheet, found.answers), "self") and found.exam:
        campaigns.revise_copies(tx, OPENING, found.exam.id, person_id, except_for=at)
    return look(tx, person_id, paper_id)


def may_see_solutions(found: Paper) -> bool:
    """Whether nothing is given away by them: the examination is over for everybody, or was set up so."""
    if found.handed_in_at is None:
        return False
    return found.exam is None or found.exam.at_once or found.exam.state == "closed"


def solutions(tx: Tx, person_id: int, paper_id: int) -> Paper:
    """A paper whose solutions its owner may see. Raises Refused before."""
    found = look(tx, person_id, paper_id)
    if not may_see_solutions(found):
        assert found.exam is not None or found.handed_in_at is None
        closes = found.exam.closes_at if found.exam else None
        raise Refused("quizzes.no_solutions_yet", closes=closes)
    return found


def asked_now(tx: Tx, besides: Exam | None = None) -> frozenset[int]:
    """The questions of other examinations that are not over: to explain them would give them away."""
    own = besides.id if besides else 0
    return frozenset(number for exam, sheet in quizzes.in_use(tx) if exam != own for number in papers.ids(sheet))


def share(found: Paper) -> Fraction:
    """What was reached, from 0 to 1."""
    return (found.score or Fraction(0)) / max(1, len(slots(found)))


def passed(found: Paper) -> bool | None:
    """Whether the pass mark was reached; None where there is none."""
    if found.exam is None or found.exam.pass_mark is None:
        return None
    return enough(share(found), found.exam.pass_mark)


def enough(share: Fraction, pass_mark: int) -> bool:
    return share * 100 >= pass_mark


def _running(exam: Exam, now: datetime) -> None:
    if exam.state == "waiting":
        raise Refused("quizzes.not_open_yet", title=exam.title, opens=exam.opens_at)
    if not exam.running(now):
        raise Refused("quizzes.over", title=exam.title, closes=exam.closes_at)
