"""What does a committee with more branches than a message has room for see of them?"""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import event

from handlers.notices import desk as notices
from handlers.notices.desk import Draft
from handlers.voting import desk as voting
from storage import organisations, people
from storage.audit import OPERATOR
from tests.people import House

BRANCHES = 30


@pytest.fixture
def wide(house: House) -> House:
    """A house with thirty branches more, three people in each third one."""
    with house.app.database.write() as tx:
        above = house.orgs["海川公司党委"]
        for number in range(BRANCHES):
            org = organisations.add(tx, code=f"M{number}", name=f"远方{number}", kind="党支部", parent=above)
            row = {"name": f"员{number}", "kind": "正式党员", "organisation_id": org.id}
            people.add_many(
                tx, house.now, [row | {"number": f"M{number}-{one}"} for one in range(1 + number % 3)]
            )  # fmt: skip
    return house


def test_of_a_poll_the_branches_are_named_in_which_the_most_are_silent(wide: House) -> None:
    with wide.app.database.write() as tx:
        plan = voting.Plan("年度评议", ("同意", "不同意"), "all", wide.now + timedelta(days=3), secret=False)
        poll = voting.create(tx, wide.now, OPERATOR, wide.orgs["海川公司党委"], plan)
        voting.open_(tx, wide.now, OPERATOR, poll)
    chat = wide.chat("赵书记")
    chat.say("工作台")
    _names_the_largest(chat.tap("年度评议"))


def test_of_a_notice_the_branches_are_named_in_which_the_most_are_silent(wide: House) -> None:
    with wide.app.database.write() as tx:
        draft = Draft("学习", "周五学习", "all", ask_ack=True)
        notices.send(tx, wide.now, OPERATOR, wide.orgs["海川公司党委"], draft)
    chat = wide.chat("赵书记")
    chat.say("工作台")
    _names_the_largest(chat.tap("学习"))


def _names_the_largest(said: str) -> None:
    assert "上面是人最多的20个" in said
    assert "远方29（3人）" in said
    assert "远方0（" not in said
    assert said.count("远方") <= 20


def test_branches_are_looked_up_together(wide: House) -> None:
    with wide.app.database.write() as tx:
        plan = voting.Plan("年度评议", ("同意", "不同意"), "all", wide.now + timedelta(days=3), secret=False)
        poll = voting.create(tx, wide.now, OPERATOR, wide.orgs["海川公司党委"], plan)
        voting.open_(tx, wide.now, OPERATOR, poll)
    asked: list[str] = []
    event.listen(wide.app.database.reader, "before_cursor_execute", lambda *it: asked.append(it[2]))
    with wide.app.database.read() as tx:
        found = voting.turnout(tx, wide.now, OPERATOR, poll)
    assert len(found.missing) > BRANCHES
    assert len(asked) < BRANCHES / 2
