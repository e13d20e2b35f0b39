"""What becomes of an application whose writer leaves the organisation?"""

from __future__ import annotations

from datetime import date

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
