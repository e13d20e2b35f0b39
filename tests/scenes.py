"""Scenes: how a transcript's `!` lines prepare the house."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from handlers.binding import desk
from handlers.binding.codes import spaced
from storage import people
from storage.audit import OPERATOR
from tests import quizzes
from tests.people import House
from tests.polls import open_poll
from tests.transcript import Stage


def _open_poll(house: House, _stage: Stage) -> None:
    open_poll(house)


def _code(house: House, stage: Stage) -> None:
    with house.app.database.write() as tx:
        code = desk.issue(tx, house.now, OPERATOR, people.get(tx, house.ids["吴强"]))
    stage.names["the code"] = spaced(code).lower()


def _base(house: House, _stage: Stage) -> None:
    with house.app.database.write() as tx:
        people.change(tx, house.ids["王芳"], dues_category="wage", dues_base=540000)


def _outsider(house: House, _stage: Stage) -> None:
    with house.app.database.write() as tx:
        people.change(tx, house.ids["陈晓"], kind="群众")


def _exam(house: House, _stage: Stage) -> None:
    quizzes.open_exam(house)


def _questions(house: House, _stage: Stage) -> None:
    quizzes.bank(house, "$CATEGORY: 试题\n\n预备党员有表决权。{F#预备党员没有表决权。#####依据：条例丙}\n")


PREPARE: Mapping[str, Callable[[House, Stage], None]] = {
    "open poll": _open_poll,
    "王芳's base is 5400": _base,
    "a code for 吴强": _code,
    "陈晓 is 群众": _outsider,
    "open examination": _exam,
    "a question in 试题": _questions,
}
