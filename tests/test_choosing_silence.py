"""Who is told by preference: what if a channel rests, if the night falls, if a reminder is due as well?"""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta

from bot.config import QuietHours
from bot.core.reply import Undelivered
from storage import deliveries
from storage.writer import Writer
from tests.notices import by_state
from tests.people import House
from tests.towns import Town, ask, bind, failing


async def test_a_channel_that_rests_for_a_day_gives_its_turn_away_and_comes_last(
    house_on: House, writer_on: Writer
) -> None:
    """WeCom had stopped trusting our address, and whoever had chosen it first was told nothing anywhere."""
    bind(house_on)
    town = Town(house_on, writer_on)
    town.posts["wechat"].mood = failing(Undelivered("not trusted", retry_after=60))
    notice = ask(house_on)
    for _ in range(23):
        await town.deliver()
        house_on.later(hours=1)
    assert town.reached("王芳") == []
    house_on.later(hours=1)
    await town.deliver()
    assert town.reached("王芳") == ["telegram"]
    assert by_state(house_on, notice, "王芳") == {"wechat": "standby", "telegram": "accepted", "web": "standby"}
    town.posts["wechat"].mood = lambda _key, _delivery: None
    house_on.later(hours=24)
    await town.deliver()
    house_on.later(hours=24)
    await town.deliver()
    assert town.reached("王芳") == ["telegram", "web", "wechat"]


async def test_where_every_channel_rests_each_is_tried_again(house: House, writer: Writer) -> None:
    bind(house)
    town = Town(house, writer)
    for post in town.posts.values():
        post.mood = failing(Undelivered("down", retry_after=60))
    ask(house)
    for _ in range(3):
        await town.deliver()
        house.later(hours=24)
    for post in town.posts.values():
        post.mood = lambda _key, _delivery: None
    await town.deliver()
    house.later(hours=1)
    await town.deliver()
    assert len(town.reached("王芳")) == 1


async def test_what_is_leaving_at_this_moment_keeps_its_turn(house: House, writer: Writer) -> None:
    bind(house)
    town = Town(house, writer)
    notice = ask(house)
    await town.outbox.expand()
    house.later(hours=25)
    with house.app.database.write() as tx:
        assert deliveries.claim(tx, house.now, "another", "wechat", 10, timedelta(minutes=1))
    await town.deliver()
    assert by_state(house, notice, "王芳") == {"wechat": "queued", "telegram": "standby", "web": "standby"}


async def test_silence_at_night_is_heard_in_the_morning(house: House, writer: Writer) -> None:
    house.app.database.house = replace(house.app.house, quiet_hours=QuietHours(time(22), time(8)))
    bind(house)
    town = Town(house, writer)
    house.later(hours=12.5)
    ask(house)
    await town.deliver()
    assert town.reached("王芳") == ["wechat"], "whoever sends at half past ten in the evening means it"
    house.later(hours=24)
    await town.deliver()
    assert town.reached("王芳") == ["wechat"]
    house.later(hours=9.5)
    await town.deliver()
    assert town.reached("王芳") == ["wechat", "telegram"]


async def test_the_next_channel_is_the_reminder_where_there_is_one(house: House, writer: Writer) -> None:
    """王芳 was told by the next channel and reminded on the first, within the same hour."""
    bind(house)
    bind(house, "孙明", "telegram")
    town = Town(house, writer)
    ask(house, "member:1001,member:1003")
    await town.deliver()
    await _reminded(town)
    assert (town.reached("王芳"), town.reached("孙明")) == (["wechat", "telegram"], ["telegram", "telegram"])


async def test_who_has_no_next_channel_left_is_reminded(house: House, writer: Writer) -> None:
    bind(house)
    town = Town(house, writer)
    for name in ("wechat", "telegram"):
        town.posts[name].mood = failing(Undelivered("blocked", permanent=True))
    ask(house)
    await town.deliver()
    for post in town.posts.values():
        post.mood = lambda _key, _delivery: None
    await _reminded(town)
    assert town.reached("王芳") == ["web", "wechat"]


async def _reminded(town: Town) -> None:
    """A day and a half pass, with all that the clock does."""
    for _ in range(36):
        town.house.later(hours=1)
        town.house.tick()
        await town.deliver()
