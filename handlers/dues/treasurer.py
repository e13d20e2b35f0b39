"""dues, for those who see to those of others: 核定党费."""

from __future__ import annotations

from zlib import crc32

from bot.core.action import Action, Code
from bot.core.form import Choice, Form, ask
from bot.core.kinds import Pick
from bot.core.reply import Button, Grade, Phrase, Refused, Reply, words
from bot.core.router import Begin, Run
from handlers import Answer, Item, Router, Turn, actor
from handlers.dues import desk
from handlers.dues.chat import Amount
from handlers.dues.rules import Category
from handlers.rights import Right, may
from storage import organisations, people
from storage.people import Somebody

router = Router()

MOST_NAMESAKES = 10


class Assess(Action, tag="da"):
    """Settle the dues of this member: one of several of a name."""

    person: int


def _sees_to_dues(turn: Turn) -> bool:
    return turn.sender is not None and may(turn.tx, turn.now, actor(turn), Right.DUES)


def _key(category: Category) -> Code:
    """A category on a button; its first letter says what is asked next, since a table may be anybody's own."""
    first = "b" if category.scale else "n" if desk.names_amount(category) else "f"
    return Code(f"{first}{crc32(category.name.encode()):08x}")


def _categories(turn: Turn) -> list[Choice]:
    rows = desk.table(turn.tx, turn.now).categories.values()
    return [Choice(_key(row), words("dues.category", category=row)) for row in rows]


class Whose(Form):
    """核定党费"""

    review = False
    grade = Grade.SENSITIVE

    member: str = ask("要核定谁的党费？请发员工号或姓名。", title="党员", max_length=60)


class SetBase(Form):
    """核定党费"""

    decision = True
    grade = Grade.SENSITIVE

    number: str = ask("要核定谁的党费？请发员工号。", title="员工号")
    category: Pick = ask("按哪一类交党费？", title="类别", choices=_categories)
    base: Amount | None = ask(
        "每月的党费计算基数是多少元？例如 5400，或者 1万2。",
        title="基数（元）",
        when=lambda answers: answers.get("category", "").startswith("b"),
    )
    chosen: Amount | None = ask(
        "本人愿意每月交多少元？例如 0.5。",
        title="每月交（元）",
        when=lambda answers: answers.get("category", "").startswith("n"),
    )
    reason: Pick = ask(
        "为什么现在核定？",
        title="原因",
        choices=lambda _turn: [
            Choice(Code("first"), Phrase("第一次核定")),
            Choice(Code("yearly"), Phrase("年初核定")),
            Choice(Code("wage"), Phrase("领了新标准的工资")),
            Choice(Code("correction"), Phrase("原来的登记有误")),
        ],
    )
    approver: str | None = ask(
        "年内变动要有人批准。是谁批准的？请写姓名。",
        title="批准人",
        max_length=60,
        when=lambda answers: answers.get("reason") in desk.CHANGES,
    )


@router.command("/setdues", "核定党费", rest=True, shown=_sees_to_dues)
def set_dues(turn: Turn, rest: str) -> Answer:
    """核定党员的党费类别和基数"""
    return _found(turn, rest) if rest else Begin(Whose)


@router.form(Whose)
def whose(turn: Turn, form: Whose) -> Answer:
    return _found(turn, form.member)


@router.pressed(Assess)
def assess(turn: Turn, press: Assess) -> Answer:
    for person in people.listed(turn.tx, [press.person]):
        return _begin(turn, desk.find(turn.tx, turn.now, actor(turn), person.number)[0])
    raise Refused("conversation.stale")


def _found(turn: Turn, written: str) -> Answer:
    found = desk.find(turn.tx, turn.now, actor(turn), written)
    if len(found) == 1:
        return _begin(turn, found[0])
    if len(found) > MOST_NAMESAKES:
        raise Refused("dues.too_many_of_that_name", count=len(found))
    labels = [words("dues.which", person=each, branch=_branch(turn, each)) for each in found]
    rows = tuple((Button(label, Assess(each.id)),) for label, each in zip(labels, found, strict=True))
    return Reply(words("dues.several_of_that_name", count=len(found)), rows, grade=Grade.PERSONAL)


def _begin(turn: Turn, person: Somebody) -> Begin:
    desk.payer(turn.tx, turn.now, person)  # a no before the questions, not after them
    return Begin(SetBase, {"number": person.number})


def _person(turn: Turn, form: SetBase) -> Somebody:
    return desk.find(turn.tx, turn.now, actor(turn), form.number)[0]


def _settled(turn: Turn, form: SetBase) -> tuple[str, int | None]:
    """Category and amount of a filled form. Raises Refused where the table knows the category no more."""
    rows = {str(_key(row)): row for row in desk.table(turn.tx, turn.now).categories.values()}
    row = rows.get(str(form.category))
    if row is None:
        raise Refused("dues.no_such_category", category="")
    amount = form.chosen if desk.names_amount(row) else form.base
    return row.name, None if amount is None else int(amount)


def _preview(turn: Turn, form: SetBase) -> Reply:
    person = _person(turn, form)
    category, amount = _settled(turn, form)
    due = desk.check(turn.tx, turn.now, person, category, amount, reason=form.reason, approver=form.approver or "")
    year = desk.table(turn.tx, turn.now).articles.get("year")
    return Reply(words("dues.preview", due=due, branch=_branch(turn, person), year=year))


@router.form(SetBase, preview=_preview)
def set_base(turn: Turn, form: SetBase) -> Answer:
    person = _person(turn, form)
    category, amount = _settled(turn, form)
    due = desk.set_base(
        turn.tx, turn.now, actor(turn), person, category, amount, reason=form.reason, approver=form.approver or ""
    )
    row = (Button(words("dues.next"), Run(Code("setdues"))), Button(Phrase("工作台"), Run(Code("desk"))))
    said = words("dues.settled", due=due, branch=_branch(turn, person))
    return Reply(said, (row,), sensitive=True, grade=Grade.SENSITIVE)


def items(turn: Turn) -> list[Item]:
    """What the desk of a treasurer says about dues."""
    if not _sees_to_dues(turn):
        return []
    return [Item(words("dues.desk_line"), Button(Phrase("核定党费"), Run(Code("setdues"))))]


def _branch(turn: Turn, person: Somebody) -> str:
    return organisations.get(turn.tx, person.organisation_id).name
