"""dues: what members ask and are told about their 党费."""

from __future__ import annotations

import re
from datetime import datetime
from typing import ClassVar

from bot.core.action import Action, Code
from bot.core.form import Form, ask
from bot.core.kinds import Kind, Reading, clean
from bot.core.reply import Button, Grade, Keyboard, Phrase, Refused, Reply, words
from bot.core.router import Begin, Run
from handlers import Answer, Router, Turn
from handlers.dues import desk
from handlers.dues.amounts import LARGEST_FEN, NotAnAmount, read_amount
from handlers.dues.explain import explain, yuan
from storage import people
from storage.campaigns import Telling
from storage.house import Tx

router = Router()

_HEAD = re.compile(r"^(?:如果|要是|假如)?(?:我的|每月)?(?:党费)?(?:计算)?基数(?:是|为)?[\s：:，,]*")
_TAIL = re.compile(
    r"[\s，,]*(?:的话)?[\s，,]*(?:我?(?:每月|每个月|一个月)?(?:应该|应|要|得|该)?交.*)?[呢吗嘛呀啊\s？?。！!]*$"
)
"""What may stand around the number: 如果基数是5400元的话，每月要交多少呢？"""


def _read(text: str, _at: Reading) -> Amount:
    typed = clean(text)
    if len(typed) <= 200:
        typed = _TAIL.sub("", _HEAD.sub("", typed))
    try:
        return Amount(read_amount(typed))
    except NotAnAmount as no:
        raise Refused(f"dues.amount_{no.reason}", most=LARGEST_FEN) from None


class Amount(int):
    """Fen, typed as people write money and shown in yuan."""

    kind: ClassVar[Kind] = Kind(_read, lambda amount: str(int(amount)), lambda kept: Amount(kept), sample="amount")

    def __str__(self) -> str:
        return yuan(int(self))


class Estimate(Action, tag="dc", light=True):
    """Reckon a base once more, by another category."""

    category: Code
    base: int


class Calculate(Form):
    """算党费"""

    review: ClassVar[bool] = False
    grade: ClassVar[Grade] = Grade.SENSITIVE  # a base is an income

    base: Amount = ask("基数是多少元？例如 5400，或者 1万2。", title="基数")


@router.command("/dues", "党费", "我的党费")
def dues(turn: Turn, _rest: str) -> Answer:
    """看看本月应交多少党费，是怎么算出来的"""
    person = people.get(turn.tx, turn.member.id)
    due = desk.due(turn.tx, turn.now, person)
    if due is None:
        article = desk.start(turn.tx, turn.now)
        said = words("dues.pays_none_yet", name=person.name, kind=person.kind, article=article)
        return Reply(said, _calculate(), grade=Grade.PERSONAL)
    if due.assessment is None:
        deciders = desk.deciders(turn.tx, turn.now, person)
        said = words("dues.not_assessed", due=due, names_amount=desk.names_amount(due.category), deciders=deciders)
        return Reply(said, _calculate(), grade=Grade.PERSONAL)
    hardship = desk.table(turn.tx, turn.now).articles.get("hardship")
    how = words("dues.how", assessment=due.assessment, explanation=due.explanation, category=due.category)
    said = words("dues.owed", due=due, how=how, hardship=hardship)
    return Reply(said, _calculate(), sensitive=True, grade=Grade.SENSITIVE)


@router.command("/calc", "算党费", "党费计算", "如果基数是", "如果基数为", rest=True)
def calc(turn: Turn, rest: str) -> Answer:
    """按一个基数估算党费，例如“如果基数是5400”"""
    if not rest.strip("？?。 "):
        return Begin(Calculate)
    try:
        base = _read(rest, Reading(turn.now, turn.zone))
    except Refused as no:
        raise Refused("dues.calculate_again", problem=no.words) from None
    return _estimate(turn, people.dues_of(turn.tx, turn.member.id)[0], base)


@router.form(Calculate)
def calculated(turn: Turn, form: Calculate) -> Answer:
    return _estimate(turn, people.dues_of(turn.tx, turn.member.id)[0], form.base)


@router.pressed(Estimate)
def estimate(turn: Turn, press: Estimate) -> Answer:
    if press.base > LARGEST_FEN:
        raise Refused("conversation.stale")
    return _estimate(turn, press.category, press.base, replaces=True)


def assessed(tx: Tx, _now: datetime, _telling: Telling, person_id: int) -> Reply | None:
    """That somebody's dues were settled: it may go through any channel, so it holds no figure."""
    person = people.get(tx, person_id)
    if not person.is_member or person.left_on is not None:
        return None
    row = (Button(Phrase("党费"), Run(Code("dues"))),)
    return Reply(words("dues.assessed", name=person.name), (row,), grade=Grade.PERSONAL)


# -- how it looks -------------------------------------------------------------------------------------------


def _calculate() -> Keyboard:
    return ((Button(Phrase("算党费"), Run(Code("calc"))),),)


def _estimate(turn: Turn, category: str, base_fen: int, *, replaces: bool = False) -> Reply:
    row, assessment = desk.estimate(turn.tx, turn.now, category, base_fen)
    how = words("dues.how", assessment=assessment, explanation=explain(assessment), category=row)
    others = [name for name in ("wage", "pension") if name != row.name]
    again = tuple(Button(words(f"dues.as_{name}"), Estimate(Code(name), int(base_fen))) for name in others)
    return Reply(
        words("dues.estimate", base=int(base_fen), category=row, assessment=assessment, how=how),
        (again, (Button(Phrase("党费"), Run(Code("dues"))),)),
        replaces=replaces,
        sensitive=True,
        grade=Grade.SENSITIVE,
    )
