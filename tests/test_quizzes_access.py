"""Who may do what with an examination? Each kind of person, each use case."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from bot.core.event import Address
from bot.core.reply import Refused
from handlers.quizzes import banking, desk, results, sitting
from handlers.quizzes.desk import Plan
from storage import people, quizzes
from storage.audit import OPERATOR, Actor
from storage.house import Tx
from tests.people import House
from tests.quizzes import CATEGORY, GIFT, open_exam

PEOPLE = ("a member on the roll", "a member beside it", "the branch secretary", "the other branch's secretary",
          "the committee's secretary", "the operator")  # fmt: skip
NAMES = {
    "a member on the roll": "王芳", "a member beside it": "吴强", "the branch secretary": "李书记",
    "the other branch's secretary": "钱书记", "the committee's secretary": "赵书记",
}  # fmt: skip
WHOLE, OWN, NOTHING = "all of it", "their own branch", "nothing"

# The examination is the committee's, for the first branch and the third person of the second.
TABLE: dict[str, dict[str, str]] = {
    "sit it": {
        "a member on the roll": WHOLE, "a member beside it": NOTHING, "the branch secretary": WHOLE,
        "the other branch's secretary": WHOLE, "the committee's secretary": NOTHING, "the operator": NOTHING,
    },
    "look into 王芳's paper": dict.fromkeys(PEOPLE, NOTHING) | {"a member on the roll": WHOLE},
    "answer in 王芳's paper": dict.fromkeys(PEOPLE, NOTHING) | {"a member on the roll": WHOLE},
    "hand 王芳's paper in": dict.fromkeys(PEOPLE, NOTHING) | {"a member on the roll": WHOLE},
    "see its results": {
        "a member on the roll": NOTHING, "a member beside it": NOTHING, "the branch secretary": OWN,
        "the other branch's secretary": OWN, "the committee's secretary": WHOLE, "the operator": WHOLE,
    },
    "export them": {
        "a member on the roll": NOTHING, "a member beside it": NOTHING, "the branch secretary": OWN,
        "the other branch's secretary": OWN, "the committee's secretary": WHOLE, "the operator": WHOLE,
    },
    "remind the others": {
        "a member on the roll": NOTHING, "a member beside it": NOTHING, "the branch secretary": OWN,
        "the other branch's secretary": OWN, "the committee's secretary": WHOLE, "the operator": WHOLE,
    },
    "close it": dict.fromkeys(PEOPLE, NOTHING) | {"the committee's secretary": WHOLE, "the operator": WHOLE},
    "open one for the first branch": {
        "a member on the roll": NOTHING, "a member beside it": NOTHING, "the branch secretary": WHOLE,
        "the other branch's secretary": NOTHING, "the committee's secretary": WHOLE, "the operator": WHOLE,
    },
    "open one for everybody": dict.fromkeys(PEOPLE, NOTHING)
    | {"the committee's secretary": WHOLE, "the operator": WHOLE},
    "take questions into the first branch's bank": {
        "a member on the roll": NOTHING, "a member beside it": NOTHING, "the branch secretary": WHOLE,
        "the other branch's secretary": NOTHING, "the committee's secretary": WHOLE, "the operator": WHOLE,
    },
}  # fmt: skip


def actor(tx: Tx, house: House, who: str) -> Actor:
    if who == "the operator":
        return OPERATOR
    return Actor(house.ids[NAMES[who]], NAMES[who], "chat")


def attempt(house: House, tx: Tx, who: str, what: str) -> str:
    """How much of it somebody gets. Raises Refused."""
    by, now = actor(tx, house, who), house.now
    person = by.person_id or 0
    (exam,) = quizzes.listed(tx)
    mine = quizzes.of_person(tx, exam.id, house.ids["王芳"])
    assert mine is not None
    branch, committee = house.orgs["第一支部"], house.orgs["海川公司党委"]
    plan = Plan("又一场", "org:第一支部", 3, now + timedelta(hours=5), category=CATEGORY)

    def seen(names: set[str]) -> str:
        return WHOLE if names == {"第一支部", "第二支部"} else OWN if len(names) == 1 else NOTHING

    def of(ids: list[int]) -> str:
        homes = {one.organisation_id for one in people.listed(tx, ids)}
        return seen({org.name for org in house.orgs.values() if org.id in homes})

    use: dict[str, Callable[[], object]] = {
        "sit it": lambda: sitting.sit(tx, now, person, exam.id),
        "look into 王芳's paper": lambda: sitting.look(tx, person, mine.id),
        "answer in 王芳's paper": lambda: sitting.write(tx, now, person, mine.id, 0, lambda _one, _before: None),
        "hand 王芳's paper in": lambda: sitting.hand_in(tx, now, person, mine.id, Address("telegram", "x")),
        "see its results": lambda: seen({one.name for one in results.results(tx, now, by, exam.id).branches}),
        "export them": lambda: results.export(tx, now, by, exam.id)
        and seen({one.name for one in results.results(tx, now, by, exam.id).branches}),
        "remind the others": lambda: desk.nudge(tx, now, by, exam.id) and of(desk.silent(tx, now, by, exam.id)),
        "close it": lambda: desk.close(tx, now, by, exam.id),
        "open one for the first branch": lambda: desk.open_(tx, now, by, branch, plan),
        "open one for everybody": lambda: desk.open_(tx, now, by, committee, Plan(
            "大家的", "org:海川公司党委", 3, plan.closes)),
        "take questions into the first branch's bank": lambda: banking.take(
            tx, now, by, branch, banking.read(GIFT.encode())),
    }  # fmt: skip
    got = use[what]()
    return got if isinstance(got, str) else WHOLE


@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize("what", TABLE)
def test_everybody_gets_what_is_theirs_and_no_more(house: House, who: str, what: str) -> None:
    exam = open_exam(house, scope="org:第一支部,member:2002")
    house.chat("王芳")
    with house.app.database.write() as tx:
        sitting.sit(tx, house.now, house.ids["王芳"], exam.id)
    house.later(minutes=5)
    with house.app.database.write() as tx:
        try:
            got = attempt(house, tx, who, what)
        except Refused:
            got = NOTHING
    assert got == TABLE[what][who]


def test_the_table_is_whole() -> None:
    assert {what: set(row) for what, row in TABLE.items()} == {what: set(PEOPLE) for what in TABLE}


def test_a_button_that_was_forwarded_opens_nobody_elses_paper(house: House) -> None:
    open_exam(house)
    wang, stranger, zhou = house.chat("王芳"), house.chat("吴强"), house.chat("周")
    wang.say("我要考试")
    wang.tap("党务小测")
    wang.tap("开始答题")
    for payload in [key.payload or "" for row in wang.heard[-1].keys for key in row]:
        assert "没有记入" in stranger.press(payload)
        assert "预备" not in zhou.press(payload)
    wang.tap("交卷")
    assert "没有记入" in stranger.press(wang.key("确定交卷").payload or "")
