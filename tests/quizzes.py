"""Examinations for the tests: a small bank with one question of each kind, and an examination out of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from fractions import Fraction
from typing import Any

from handlers.quizzes import banking, desk, rules
from handlers.quizzes import paper as papers
from handlers.quizzes.desk import Plan
from handlers.quizzes.paper import Slot
from storage import quizzes
from storage.audit import OPERATOR
from storage.quizzes import Exam, Paper
from tests.people import House

CATEGORY = "小测"
GIFT = """$CATEGORY: 小测

// [id:t-single]
::大会::支部党员大会一般多久召开一次？{
=每季度#对，每季度一次。
~每周
~每年
####依据：条例甲
}

// [id:t-several]
::党课::下面哪些属于三会一课？{
~%50%党课
~%50%党小组会
~%-50%茶话会
~%-50%联欢会
####依据：条例乙
}

// [id:t-true]
::预备::预备党员有表决权。{F#预备党员没有表决权。#####依据：条例丙}

// [id:t-short]
::主题::每月固定的那一天叫什么？{=主题党日 =%50%党日 ####依据：条例丁}

// [id:t-number]
::期限::预备期是几个月？{#12 ####依据：条例戊}

// [id:t-pairs]
::任期::请一一配对。{
=基层委员会 -> 五年
=党支部 -> 三年
####依据：条例己
}
"""
RIGHT = ("每季度一次", "依据：条例", "没有表决权")
"""What only explanations say."""


def bank(house: House, text: str = GIFT, org: str = "海川公司党委") -> None:
    """Take questions into the bank of an organisation."""
    with house.app.database.write() as tx:
        banking.take(tx, house.now, OPERATOR, house.orgs[org], banking.read(text.encode()))


def open_exam(house: House, title: str = "党务小测", scope: str = "all", count: int = 6, hours: float = 24,
              org: str = "海川公司党委", **plan: Any) -> Exam:  # fmt: skip
    """An examination of the committee, open now, drawn in an order that is always the same."""
    with house.app.database.write() as tx:
        known = [name for name, _ in banking.categories(tx, house.now, house.orgs[org])]
    if CATEGORY not in known:
        bank(house)
    settings: dict[str, Any] = {"category": CATEGORY, "pass_mark": 60, **plan}
    with house.app.database.write() as tx:
        wanted = Plan(title, scope, count, house.now + timedelta(hours=hours), **settings)
        return desk.open_(tx, house.now, OPERATOR, house.orgs[org], wanted, seed="tests")


def paper(house: House, exam: Exam, name: str) -> Paper | None:
    with house.app.database.read() as tx:
        return quizzes.of_person(tx, exam.id, house.ids[name])


def slots(house: House, exam: Exam, name: str) -> tuple[Slot, ...]:
    """The questions as this person will see them."""
    with house.app.database.read() as tx:
        sheet = dict(quizzes.in_use(tx))[exam.id]
    return papers.slots(sheet, papers.seed_of(exam.seed, house.ids[name]))


def best(one: Slot) -> str:
    """What somebody types who knows the answer, by the letters as they are shown to them."""
    return typed(one, rules.solution(one.question))


def typed(one: Slot, answer: rules.Answer) -> str:
    if isinstance(answer, bool):
        return "对" if answer else "错"
    if isinstance(answer, int):
        return one.letter(answer)
    if isinstance(answer, frozenset):
        return "、".join(sorted(one.letter(place) for place in answer))
    if isinstance(answer, tuple):
        return " ".join(f"{n}-{one.letter(place)}" for n, place in enumerate(answer, 1) if place is not None)
    return str(answer)


def oracle(questions: Iterable[rules.Question], answers: Mapping[int, rules.Answer]) -> Fraction:
    """The points of some answers, by the place of their question, counted without any paper."""
    marks = [rules.score(question, answers.get(place)).fraction for place, question in enumerate(questions)]
    return sum((mark or Fraction(0) for mark in marks), Fraction(0))
