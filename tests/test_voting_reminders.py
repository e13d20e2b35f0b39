"""Is everybody who has not voted reminded once before a poll closes, and nobody who has?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.core.reply import Message
from handlers.reminders.desk import CAMPAIGN
from storage import campaigns
from tests import polls
from tests.people import House


def local(house: House, text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=house.app.house.zone).astimezone(UTC)


def open_poll(house: House, closes: datetime) -> int:
    return polls.open_poll(house, hours=(closes - house.now).total_seconds() / 3600)


def hours(house: House, count: float, seen: set[int]) -> list[tuple[str, str, Message]]:
    """Let hours pass; the reminders that go out: when (local), to whom, what."""
    names = {number: name for name, number in house.ids.items()}
    heard = []
    for _ in range(int(count * 2)):
        while house.tick():
            pass
        with house.app.database.read() as tx:
            for telling in campaigns.sent_by(tx, house.now):
                if telling.kind != CAMPAIGN or telling.id in seen:
                    continue
                seen.add(telling.id)
                when = house.now.astimezone(house.app.house.zone).strftime("%m-%d %H")
                for person in campaigns.recipients(tx, telling.id):
                    message = house.app.reception.compose(tx, house.now, telling, person)
                    if message and "推荐优秀党员" in message.text:
                        heard.append((when, names[person], message))
        house.later(minutes=30)
    return heard


@pytest.fixture
def seen() -> set[int]:
    return set()


def test_those_who_have_not_voted_are_reminded_a_day_before(house: House, seen: set[int]) -> None:
    open_poll(house, local(house, "2026-11-27T18:00"))
    wang = house.chat("王芳")
    wang.say("投票")
    wang.tap("孙明")
    heard = hours(house, 90, seen)
    assert "王芳" not in {name for _, name, _ in heard}
    mine = [(when, message) for when, name, message in heard if name == "孙明"]
    assert len(mine) == 1
    when, message = mine[0]
    assert when in ("11-27 09", "11-27 10")
    assert "2026年11月27日（周五）18:00（北京时间）截止，您还没有投" in message.text
    assert "发“提醒”" in message.text


def test_the_button_of_a_reminder_leads_to_the_vote(house: House, seen: set[int]) -> None:
    open_poll(house, local(house, "2026-11-27T18:00"))
    message = next(message for _, name, message in hours(house, 76, seen) if name == "王芳")
    wang = house.chat("王芳")
    wang.see(message)
    assert "【投票】" in wang.tap("推荐优秀党员")


def test_a_poll_that_closes_on_a_monday_is_remembered_on_friday(house: House, seen: set[int]) -> None:
    open_poll(house, local(house, "2026-11-30T09:00"))
    assert {when[:5] for when, _, _ in hours(house, 24 * 7, seen)} == {"11-27"}


def test_a_poll_of_an_hour_reminds_nobody(house: House, seen: set[int]) -> None:
    open_poll(house, house.now + timedelta(hours=1))
    assert hours(house, 3, seen) == []


def test_a_vote_in_the_meantime_stops_what_is_queued(house: House) -> None:
    open_poll(house, local(house, "2026-11-27T18:00"))
    house.now = local(house, "2026-11-27T11:00")
    while house.tick():
        pass
    house.now = local(house, "2026-11-27T13:00")
    while house.tick():
        pass
    wang = house.chat("王芳")
    wang.say("投票")
    wang.tap("孙明")
    with house.app.database.read() as tx:
        told = [one for one in campaigns.sent_by(tx, house.now) if one.kind == CAMPAIGN]
        assert any(house.ids["王芳"] in campaigns.recipients(tx, one.id) for one in told)
        assert [house.compose(one, "王芳") for one in told] == [None] * len(told)
