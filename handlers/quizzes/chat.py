"""quizzes: what is there for me to sit, and one question after the other."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.core.action import Action
from bot.core.reply import Button, Grade, Label, Phrase, Refused, Reply, Words, words
from bot.core.router import Run
from handlers import Answer, Item, Router, Turn
from handlers.quizzes import asking, practice, sitting, typed
from handlers.quizzes.asking import Match, Pick, Settle, Typed, Unmatch
from handlers.quizzes.paper import Slot, complete, is_true_false
from handlers.quizzes.rules import Answer as Given
from handlers.quizzes.rules import Matching
from storage import quizzes
from storage.campaigns import Telling
from storage.house import Tx
from storage.quizzes import Exam, Paper

router = Router()
router.include([practice.router])

LONG = 14
"""Characters of a title on a button."""
JUMPS = 4
"""Buttons to questions without an answer before handing in."""
LATELY = timedelta(days=30)
"""How long an examination that is over is shown with what one has reached."""
HAND_IN = frozenset({"交卷", "我要交卷", "确定", "确认", "确认交卷", "hand in", "yes, hand in"})
"""What may be typed for 确定交卷, where one was asked."""
A_PAGE = 3
"""Solutions in one message."""


class Start(Action, tag="qs", light=True):
    """The page of an examination: how many questions, until when, and the way in."""

    exam: int


class Sit(Action, tag="qi", light=True):
    """Begin, or go on where one stopped."""

    exam: int


class Go(Action, tag="qg", light=True):
    """Show a question of a paper."""

    paper: int
    at: int


class Check(Action, tag="qr", light=True):
    """交卷, asked once more: what is answered and what is not."""

    paper: int


class HandIn(Action, tag="qf", light=True):
    """确定交卷."""

    paper: int


class Solutions(Action, tag="qx", light=True):
    """What was not wholly right, from a question on, each with its explanation."""

    paper: int
    at: int


@router.command("/quiz", "我要考试", "考试")
def quiz(turn: Turn, _rest: str) -> Answer:
    """看看有没有等您参加的考试，也可以随时练五道题"""
    exams = quizzes.open_for(turn.tx, turn.now, turn.member.id)
    mine = [(exam, quizzes.of_person(turn.tx, exam.id, turn.member.id)) for exam in exams]
    rows = [(Button(short(exam.title), Start(exam.id)),) for exam, _ in mine]
    stands = [(exam, _stand(found)) for exam, found in mine]
    past = quizzes.lately(turn.tx, turn.member.id, turn.now - LATELY, most=JUMPS)
    over = [found.exam for found in past if found.exam]
    rows += [(Button(short(exam.title), Start(exam.id)),) for exam in over]
    rows.append((Button(Phrase("练习"), Run(practice.COMMAND)),))
    return Reply(words("quizzes.overview", exams=stands, over=over), tuple(rows), grade=Grade.PERSONAL)


@router.pressed(Start)
def start(turn: Turn, press: Start) -> Answer:
    exam, on_roll = quizzes.on_roll(turn.tx, press.exam, turn.member.id)
    if exam is None or not on_roll:
        raise Refused("quizzes.not_on_roll")
    found = quizzes.of_person(turn.tx, exam.id, turn.member.id)
    if found is not None and found.handed_in_at is not None:
        return _result(found)
    return _page(sitting.may_sit(turn.tx, turn.now, turn.member.id, exam.id), found)


@router.pressed(Sit)
def sit(turn: Turn, press: Sit) -> Answer:
    found = sitting.sit(turn.tx, turn.now, turn.member.id, press.exam)
    if found.handed_in_at is not None:
        return _result(found)
    left = sitting.unanswered(found)
    return _question(found, left[0].at) if left else _checked(found)


@router.pressed(Go)
def go(turn: Turn, press: Go) -> Answer:
    found = sitting.look(turn.tx, turn.member.id, press.paper)
    if found.handed_in_at is not None or found.exam is None:
        return _result(found) if found.exam else practice.show(found, press.at)
    sitting.may_sit(turn.tx, turn.now, turn.member.id, found.exam.id)
    return _question(found, sitting.slot(found, press.at).at, replaces=True)


@router.pressed(Pick)
def pick(turn: Turn, press: Pick) -> Answer:
    def change(one: Slot, before: Given) -> Given:
        if is_true_false(one) and press.option in (0, 1):
            return press.option == 1
        if one.typed or is_true_false(one) or not 0 <= press.option < len(one.shown):
            raise Refused("quizzes.not_your_paper")
        place = one.shown[press.option]
        return (before if isinstance(before, frozenset) else frozenset()) ^ {place} if one.several else place

    return _written(turn, press.paper, press.at, change)


@router.pressed(Match)
def match(turn: Turn, press: Match) -> Answer:
    def change(one: Slot, before: Given) -> Given:
        if not isinstance(one.question, Matching) or not 0 <= press.choice < len(one.shown):
            raise Refused("quizzes.not_your_paper")
        pairs: list[int | None] = list(before) if isinstance(before, tuple) else [None] * len(one.question.stems)
        if not 0 <= press.stem < len(pairs):
            raise Refused("quizzes.not_your_paper")
        pairs[press.stem] = one.shown[press.choice]
        return tuple(pairs)

    return _written(turn, press.paper, press.at, change)


@router.pressed(Unmatch)
def unmatch(turn: Turn, press: Unmatch) -> Answer:
    return _written(turn, press.paper, press.at, lambda _one, _before: None)


@router.pressed(Settle)
def settle(turn: Turn, press: Settle) -> Answer:
    """The marks were kept as they were made; 确定 goes on."""
    found = sitting.look(turn.tx, turn.member.id, press.paper)
    one = sitting.slot(found, press.at)
    if found.exam is None:
        return practice.settled(turn, found, one)
    sitting.may_sit(turn.tx, turn.now, turn.member.id, found.exam.id)
    return _next(found, one, replaces=True)


@router.heard(Typed)
def hear(turn: Turn, press: Typed, text: str) -> Answer:
    """A typed answer: “A、C”, “对”, “1-b”, a number, a few words."""
    found = sitting.look(turn.tx, turn.member.id, press.paper)
    one = sitting.slot(found, press.at)
    if found.exam is not None and found.handed_in_at is None:
        sitting.may_sit(turn.tx, turn.now, turn.member.id, found.exam.id)
    given = typed.read(one, text)
    if given is None and found.handed_in_at is None:
        noted = words("quizzes.not_understood", several=one.several, kind=asking.kind(one))
        return practice.show(found, one.at, noted) if found.exam is None else _question(found, one.at, noted=noted)
    found, one = sitting.write(turn.tx, turn.now, turn.member.id, press.paper, press.at, lambda _one, _before: given)
    if found.exam is None:
        return practice.settled(turn, found, one)
    return _next(found, one) if complete(given) else _question(found, one.at)


@router.pressed(Check)
def check(turn: Turn, press: Check) -> Answer:
    found = sitting.look(turn.tx, turn.member.id, press.paper)
    if found.handed_in_at is not None:
        return _result(found)
    if found.exam is not None:
        sitting.may_sit(turn.tx, turn.now, turn.member.id, found.exam.id)
    return _checked(found, replaces=True)


@router.heard(Check)
def hear_at_the_end(turn: Turn, press: Check, text: str) -> Answer:
    """交卷, typed once more where buttons are words: anything else leaves the paper open, and the choices stand."""
    if text.strip("。.!！ ").lower() in HAND_IN:
        return hand_in(turn, HandIn(press.paper))
    found = sitting.look(turn.tx, turn.member.id, press.paper)
    if found.handed_in_at is not None:
        return _result(found)
    if found.exam is not None:
        sitting.may_sit(turn.tx, turn.now, turn.member.id, found.exam.id)
    return _checked(found, noted=words("quizzes.not_handed_in"))


@router.pressed(HandIn)
def hand_in(turn: Turn, press: HandIn) -> Answer:
    found = sitting.hand_in(turn.tx, turn.now, turn.member.id, press.paper, turn.address)
    return _result(found, replaces=True)


@router.pressed(Solutions)
def solutions(turn: Turn, press: Solutions) -> Answer:
    found = sitting.solutions(turn.tx, turn.member.id, press.paper)
    wrong = [one for one in sitting.slots(found) if not practice.right(found, one)]
    if not wrong:
        return Reply(words("quizzes.all_right"), grade=Grade.PERSONAL)
    page = [one for one in wrong if one.at >= press.at]
    shown, more = page[:A_PAGE], page[A_PAGE:]
    used = sitting.asked_now(turn.tx, besides=found.exam)
    said = [
        words("quizzes.explained_later") if one.id in used else asking.explained(one, sitting.answered(found, one))
        for one in shown
    ]
    row = (
        ((Button(words("quizzes.more_solutions", count=len(more)), Solutions(found.id, more[0].at)),),)
        if more
        else ()
    )
    return Reply(words("quizzes.solutions", wrong=len(wrong), said=said), row, grade=Grade.PERSONAL)


def sheet(turn: Turn) -> list[Item]:
    """The examinations that wait for this person, for 我的."""
    lines = []
    for exam in quizzes.open_for(turn.tx, turn.now, turn.member.id):
        found = quizzes.of_person(turn.tx, exam.id, turn.member.id)
        if found is None or found.handed_in_at is None:
            said = words("quizzes.waits", title=exam.title, closes=exam.closes_at, begun=found is not None)
            lines.append(Item(said, Button(short(exam.title), Start(exam.id))))
    return lines


# -- what is told by itself -------------------------------------------------------------------------------------


def told(tx: Tx, now: datetime, telling: Telling, person_id: int) -> Reply | None:
    """That an examination is open, as it goes out, or as a copy of it should look now."""
    exam, on_roll = quizzes.on_roll(tx, telling.subject, person_id)
    if exam is None or not on_roll:
        return None
    found = quizzes.of_person(tx, exam.id, person_id)
    if found is not None and found.handed_in_at is not None:
        button = Button(words("quizzes.see_result"), Start(exam.id))
        return Reply(words("quizzes.done", title=exam.title), ((button,),), outside=words("quizzes.outside"))
    if not exam.running(now):
        return None
    return _page(exam, found, nudge=bool(telling.values.get("nudge")))


def waits(tx: Tx, now: datetime, telling: Telling, person_id: int) -> bool:
    """Whether this person may still write, and has not handed in."""
    exam, on_roll = quizzes.on_roll(tx, telling.subject, person_id)
    if exam is None or not on_roll or not exam.running(now):
        return False
    found = quizzes.of_person(tx, exam.id, person_id)
    return found is None or found.handed_in_at is None


def result_to(tx: Tx, _now: datetime, telling: Telling, person_id: int) -> Reply | None:
    """That an examination is over: what one has reached, and the solutions."""
    found = quizzes.of_person(tx, telling.subject, person_id)
    return None if found is None or found.handed_in_at is None else _result(found)


# -- how it looks -----------------------------------------------------------------------------------------------


def _written(turn: Turn, paper_id: int, at: int, change: sitting.Change) -> Reply:
    """Write an answer down; what comes next."""
    found, one = sitting.write(turn.tx, turn.now, turn.member.id, paper_id, at, change)
    given = sitting.answered(found, one)
    whole = complete(given) and not one.several
    if found.exam is None:
        return practice.settled(turn, found, one) if whole else practice.show(found, at, replaces=True)
    return _next(found, one, replaces=True) if whole else _question(found, at, replaces=True)


def _next(found: Paper, one: Slot, *, replaces: bool = False) -> Reply:
    """The question after this one; after the last, what is answered and what is not."""
    given = sitting.answered(found, one)
    noted = words("quizzes.noted", number=one.at + 1, said=asking.said(one, given)) if given is not None else None
    if one.at + 1 < len(sitting.slots(found)):
        return _question(found, one.at + 1, noted=noted, replaces=replaces)
    return _checked(found, noted=noted, replaces=replaces)


def _question(found: Paper, at: int, *, noted: Words | None = None, replaces: bool = False) -> Reply:
    exam, count, one = found.exam, len(sitting.slots(found)), sitting.slot(found, at)
    assert exam is not None
    given = sitting.answered(found, one)
    steps = []
    if at > 0:
        steps.append(Button(words("quizzes.back"), Go(found.id, at - 1), walk=True))
    if at + 1 < count:
        steps.append(Button(words("quizzes.on"), Go(found.id, at + 1), walk=True))
    steps.append(Button(words("quizzes.hand_in"), Check(found.id), walk=True))
    about = words("quizzes.about_exam", title=exam.title, closes=exam.closes_at)
    return Reply(
        asking.question(one, count, given, about=about, noted=noted),
        (*asking.choices(one, found.id, given), tuple(steps)),
        replaces=replaces,
        outside=words("quizzes.outside"),
        hears=Typed(found.id, at),
    )


def _checked(found: Paper, *, noted: Words | None = None, replaces: bool = False) -> Reply:
    exam, missing = found.exam, sitting.unanswered(found)
    if exam is None:
        raise Refused("quizzes.not_your_paper")
    jumps = [Button(words("quizzes.go_to", number=one.at + 1), Go(found.id, one.at)) for one in missing[:JUMPS]]
    rows = [tuple(jumps)] if jumps else []
    rows.append((Button(words("quizzes.hand_in_sure"), HandIn(found.id)),))
    rows.append((Button(words("quizzes.look_again"), Go(found.id, 0), walk=True),))
    said = words(
        "quizzes.checked", noted=noted, exam=exam, count=len(sitting.slots(found)),
        missing=[one.at + 1 for one in missing],
    )  # fmt: skip
    return Reply(said, tuple(rows), replaces=replaces, outside=words("quizzes.outside"), hears=Check(found.id))


def _result(found: Paper, *, replaces: bool = False) -> Reply:
    exam = found.exam
    if exam is None:
        raise Refused("quizzes.practice_over")
    count, open_now = len(sitting.slots(found)), sitting.may_see_solutions(found)
    said = words(
        "quizzes.result", exam=exam, count=count, points=asking.hundred(sitting.share(found)),
        passed=sitting.passed(found), by=found.handed_in_by, solutions=open_now,
    )  # fmt: skip
    rows = ((Button(words("quizzes.see_solutions"), Solutions(found.id, 0)),),) if open_now else ()
    return Reply(
        said, rows, toast=words("quizzes.result_toast") if replaces else None, replaces=replaces,
        grade=Grade.PERSONAL, outside=words("quizzes.outside_result"),
    )  # fmt: skip


def _page(exam: Exam, found: Paper | None, *, nudge: bool = False) -> Reply:
    label = words("quizzes.go_on") if found else words("quizzes.begin")
    said = words("quizzes.start", exam=exam, answered=_stand(found)[1], begun=found is not None, nudge=nudge)
    return Reply(said, ((Button(label, Sit(exam.id)),),), outside=words("quizzes.outside"))


def _stand(found: Paper | None) -> tuple[str, int]:
    """Where somebody stands: `new`, `begun` or `done`, and how many questions have an answer."""
    if found is None:
        return "new", 0
    if found.handed_in_at is not None:
        return "done", 0
    return "begun", len(sitting.slots(found)) - len(sitting.unanswered(found))


def short(title: str) -> Label:
    """A title that fits a button."""
    return title if len(title) <= LONG else f"{title[: LONG - 1]}…"
