"""Does an application end with its writer's departure, and is nothing recorded for somebody else?"""

from __future__ import annotations

from datetime import date

from bot.core.action import Code
from handlers.joining.recording import Record
from handlers.organisation import members
from storage import applications, audit, people
from tests.applicants import apply, by, number, receive, work
from tests.people import House


def test_whoever_leaves_leaves_no_application_open(house: House) -> None:
    apply(house)
    receive(house, "2026-11-24")
    its, act = number(house, "周敏"), by(house, "赵书记")
    work(house, lambda tx: members.leave(tx, house.now, act, people.get(tx, house.ids["周敏"]), date(2026, 11, 20)))
    filed = work(house, lambda tx: applications.get(tx, its))
    assert filed is not None
    assert (filed.state, filed.closed_at) == ("left", house.now)
    entry = work(house, lambda tx: audit.log(tx, limit=1, action="application.end"))[0]
    assert (entry["subject"], entry["name"], entry["details"]) == (
        f"application {its}", act.name, {"left": "2026-11-20"},
    )  # fmt: skip
    house.later(days=400)
    house.tick()
    assert work(house, lambda tx: applications.get(tx, its)) is None, "it is kept as long as one withdrawn"


def test_what_was_left_open_before_is_ended_by_the_clock(house: House) -> None:
    apply(house)
    its = number(house, "周敏")
    work(house, lambda tx: people.change(tx, house.ids["周敏"], left_on=date(2026, 11, 20)))
    house.tick()
    filed = work(house, lambda tx: applications.get(tx, its))
    assert filed is not None
    assert filed.state == "left"


def test_a_record_half_made_for_one_is_never_gone_on_with_for_another(house: House) -> None:
    """登记一步 for 郑申 went on with the one that had been left for 周敏, and would have been recorded for her."""
    apply(house)
    receive(house, "2026-11-24")
    house.person("郑申", "1010", kind="群众")
    apply(house, "郑申")
    receive(house, "2026-11-24", name="郑申")
    li = house.chat("李书记")
    first, second = (Record(number(house, name), Code("2")).encode() for name in ("周敏", "郑申"))
    li.press(first)
    li.say("2026-11-24")
    assert "目前是" not in li.press(second)
    assert "2026年11月24日" not in li.text
    asked = li.text
    li.press(first)
    assert li.text != asked, "the first goes on where it was left"
