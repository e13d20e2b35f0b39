"""Polls for the tests."""

from __future__ import annotations

from datetime import timedelta

from handlers.voting import desk
from handlers.voting.desk import Plan
from storage.audit import OPERATOR
from tests.people import House


def open_poll(house: House, title: str = "推荐优秀党员", options: tuple[str, ...] = ("王芳", "孙明", "吴强"),
              electorate: str = "all", choose: tuple[int, int] = (1, 1), hours: float = 24) -> int:  # fmt: skip
    """A named poll of the committee, open now."""
    with house.app.database.write() as tx:
        plan = Plan(title, options, electorate, house.now + timedelta(hours=hours), choose=choose, secret=False)
        poll_id = desk.create(tx, house.now, OPERATOR, house.orgs["海川公司党委"], plan)
        desk.open_(tx, house.now, OPERATOR, poll_id)
    return poll_id


def votes(house: House, poll_id: int) -> dict[int, tuple[int, ...]]:
    """What is in the store: places chosen, by person."""
    from storage import polls

    with house.app.database.read() as tx:
        return dict(polls.choices(tx, poll_id))
