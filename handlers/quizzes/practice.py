"""quizzes: five questions to practise, each explained at once."""

from __future__ import annotations

from fractions import Fraction

from bot.core.action import Action, Code
from bot.core.reply import Button, Grade, Refused, Reply, Words, words
from handlers import Answer, Router, Turn
from handlers.quizzes import asking, banking, paper, rules, sitting
from handlers.quizzes.asking import Typed
from handlers.quizzes.paper import Slot
from storage import organisations, people, quizzes
from storage.banks import Kept
from storage.house import Tx
from storage.organisations import Org
from storage.quizzes import Paper

router = Router()

COMMAND = Code("practice")
QUESTIONS = 5
MOST = 8
"""Categories to choose from."""


class Practise(Action, tag="qb", light=True):
    """Five new questions, of a category or of all."""

    category: Code


class Categories(Action, tag="qc", light=True):
    """Choose a category to practise."""


class Pass(Action, tag="qk", light=True):
    """不会: explained without an answer."""

    paper: int
    at: int


class Next(Action, tag="qn", light=True):
    """The question after this one; after the last, what was reached."""

    paper: int
    at: int


class Stop(Action, tag="qz", light=True):
    """不练了."""

    paper: int


@router.command("/practice", "练习", "做题")
def practise(turn: Turn, _rest: str) -> Answer:
    """随机练五道题，每题当场讲解，随时可以停"""
    found = quizzes.practice_of(turn.tx, turn.member.id)
    if found is not None and (left := _left(turn.tx, found)):
        return show(found, left[0].at)
    return _begin(turn, "")


@router.pressed(Practise)
def begin(turn: Turn, press: Practise) -> Answer:
    names = {banking.code_of(name): name for name, _ in _categories(turn)}
    return _begin(turn, names.get(str(press.category), ""))


@router.pressed(Categories)
def categories(turn: Turn, _press: Categories) -> Answer:
    rows = [
        (Button(name.rpartition("/")[2] or words("quizzes.no_category"), Practise(Code(banking.code_of(name)))),)
        for name, _ in _categories(turn)[:MOST]
    ]
    return Reply(words("quizzes.which_category"), tuple(rows), replaces=True)


@router.pressed(Pass)
def give_up(turn: Turn, press: Pass) -> Answer:
    found = _mine(turn, press.paper)
    return settled(turn, found, sitting.slot(found, press.at))


@router.pressed(Next)
def go_on(turn: Turn, press: Next) -> Answer:
    found = _mine(turn, press.paper)
    following = [one for one in _left(turn.tx, found) if one.at > press.at]
    return show(found, following[0].at) if following else _end(turn, found)


@router.pressed(Stop)
def stop(turn: Turn, press: Stop) -> Answer:
    return _end(turn, _mine(turn, press.paper))


# -- what others show of it -------------------------------------------------------------------------------------


def show(found: Paper, at: int, noted: Words | None = None, *, replaces: bool = False) -> Reply:
    """A question of a practice."""
    one = sitting.slot(found, at)
    if found.handed_in_at is not None:
        raise Refused("quizzes.practice_over")
    given = sitting.answered(found, one)
    steps = (
        Button(words("quizzes.pass"), Pass(found.id, at), walk=True),
        Button(words("quizzes.stop"), Stop(found.id), walk=True),
    )
    about = words("quizzes.about_practice")
    return Reply(
        asking.question(one, len(sitting.slots(found)), given, about=about, noted=noted),
        (*asking.choices(one, found.id, given), steps),
        replaces=replaces,
        hears=Typed(found.id, at),
    )


def settled(turn: Turn, found: Paper, one: Slot) -> Reply:
    """The explanation of a question, at once – unless an examination asks it just now."""
    if found.handed_in_at is not None:
        raise Refused("quizzes.practice_over")
    if one.id in sitting.asked_now(turn.tx):
        said = words("quizzes.explained_later")
    else:
        said = asking.explained(one, sitting.answered(found, one))
    last = one.at + 1 >= len(sitting.slots(found))
    row = [Button(words("quizzes.to_end" if last else "quizzes.next"), Next(found.id, one.at))]
    if not last:
        row.append(Button(words("quizzes.stop"), Stop(found.id), walk=True))
    return Reply(said, (tuple(row),), replaces=True)


def right(found: Paper, one: Slot) -> bool:
    """Whether a question of a paper was answered wholly right."""
    return paper.right(one, sitting.answered(found, one))


# -- inside -----------------------------------------------------------------------------------------------------


def _begin(turn: Turn, category: str) -> Reply:
    used = sitting.asked_now(turn.tx)
    pool = [one for one in _pool(turn, category) if one.id not in used]
    if not pool:
        raise Refused("quizzes.nothing_to_practise")
    digest = turn.tx.house.keys.digest("practice", turn.member.id, turn.now.isoformat())
    seed = digest.hex()[:16]
    drawn = rules.draw(pool, min(QUESTIONS, len(pool)), f"{seed}:draw")
    questions = [(one.id, one.gift) for one in drawn]
    return show(quizzes.practise(turn.tx, turn.now, turn.member.id, seed, questions), 0)


def _end(turn: Turn, found: Paper) -> Reply:
    """What was reached of the questions that were answered. Nobody else ever sees it."""
    used = sitting.asked_now(turn.tx)
    done = [one for one in sitting.slots(found) if one.place in found.answers and one.id not in used]
    if found.handed_in_at is None:
        quizzes.hand_in(turn.tx, turn.now, found, paper.points(found.sheet, found.answers), "self")
    correct = sum(right(found, one) for one in done)
    row = (
        Button(words("quizzes.again"), Practise(Code("all"))),
        Button(words("quizzes.by_category"), Categories()),
    )
    said = words("quizzes.practised", done=len(done), right=correct, share=Fraction(correct, max(1, len(done))))
    return Reply(said, (row,), grade=Grade.PERSONAL)


def _mine(turn: Turn, paper_id: int) -> Paper:
    found = sitting.look(turn.tx, turn.member.id, paper_id)
    if found.exam is not None:
        raise Refused("quizzes.not_your_paper")
    return found


def _left(tx: Tx, found: Paper) -> list[Slot]:
    """The questions that may still be asked: none of an examination that has opened meanwhile."""
    used = sitting.asked_now(tx)
    return [one for one in sitting.unanswered(found) if one.id not in used]


def _home(turn: Turn) -> Org:
    return organisations.get(turn.tx, people.get(turn.tx, turn.member.id).organisation_id)


def _pool(turn: Turn, category: str) -> list[Kept]:
    return banking.pool(turn.tx, turn.now, _home(turn), category)


def _categories(turn: Turn) -> list[tuple[str, int]]:
    return banking.categories(turn.tx, turn.now, _home(turn))
