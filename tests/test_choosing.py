"""By which of their addresses is somebody told, and when does the next have its turn?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text

from bot.core.reply import Undelivered
from handlers.notices import desk
from storage import campaigns, preferences
from storage.audit import OPERATOR
from storage.writer import Writer
from tests.notices import about, by_state, send, standing
from tests.people import House
from tests.polls import open_poll
from tests.posts import states
from tests.towns import Town, ask, bind, failing

# -- whose turn it is --------------------------------------------------------------------------------------------


async def test_by_preference_one_address_is_told_and_the_others_stand_by(house_on: House, writer_on: Writer) -> None:
    bind(house_on)
    town = Town(house_on, writer_on)
    notice = ask(house_on)
    await town.deliver()
    assert town.reached("王芳") == ["wechat"]
    assert by_state(house_on, notice, "王芳") == {"wechat": "accepted", "telegram": "standby", "web": "standby"}
    assert standing(house_on, notice).state == "sent", "nobody waits for what stands by"


async def test_somebodys_own_order_comes_before_that_of_the_house(house: House, writer: Writer) -> None:
    bind(house)
    bind(house, "孙明")
    phone = house.chat("王芳")
    phone.say("渠道")
    phone.tap("先用网页聊天")
    town = Town(house, writer)
    ask(house, "member:1001,member:1003")
    await town.deliver()
    assert (town.reached("王芳"), town.reached("孙明")) == (["web"], ["wechat"])


@pytest.mark.parametrize(
    "no",
    [Undelivered("blocked", permanent=True), Undelivered("gone", dead=True), Undelivered("window", closed=True)],
    ids=["refused for ever", "dead", "closed"],
)
async def test_what_cannot_arrive_passes_its_turn_on_at_once(
    house_on: House, writer_on: Writer, no: Undelivered
) -> None:
    bind(house_on)
    town = Town(house_on, writer_on)
    town.posts["wechat"].mood = failing(no)
    notice = ask(house_on)
    start = house_on.now
    await town.deliver()
    assert town.reached("王芳") == ["telegram"]
    assert house_on.now == start
    assert by_state(house_on, notice, "王芳")["wechat"] == ("skipped" if no.closed else "failed")


async def test_a_channel_that_takes_nothing_now_passes_the_turn_on_without_being_tried(
    house_on: House, writer_on: Writer
) -> None:
    bind(house_on)
    town = Town(house_on, writer_on)
    town.posts["wechat"].gate = lambda _parcel: "has not written lately, and there is no template"
    notice = ask(house_on)
    await town.deliver()
    assert (town.posts["wechat"].tried, town.reached("王芳")) == ([], ["telegram"])
    seen = standing(house_on, notice)
    assert seen.skipped == {"wechat": {"has not written lately, and there is no template": 1}}
    assert seen.steps["reached"] == 1


async def test_a_failure_that_may_pass_keeps_its_turn_until_it_is_given_up(house: House, writer: Writer) -> None:
    bind(house)
    town = Town(house, writer)
    town.posts["wechat"].mood = failing(Undelivered("HTTP 502"))
    ask(house)
    await town.deliver()
    assert town.reached("王芳") == []
    for _ in range(10):
        house.later(minutes=10)
        await town.deliver()
    assert town.reached("王芳") == ["telegram"]


async def test_who_is_reached_by_nothing_is_named(house: House, writer: Writer) -> None:
    bind(house)
    town = Town(house, writer)
    for post in town.posts.values():
        post.mood = failing(Undelivered("blocked", permanent=True))
    notice = ask(house)
    await town.deliver()
    assert standing(house, notice).steps["failed"] == 1
    assert set(by_state(house, notice, "王芳").values()) == {"failed"}


async def test_a_channel_that_is_switched_off_is_passed_over(house: House, writer: Writer) -> None:
    bind(house)
    house.app.database.house = replace(house.app.house, channels=("web", "telegram"))
    town = Town(house, writer)
    notice = ask(house)
    await town.deliver()
    assert town.reached("王芳") == ["telegram"]
    assert standing(house, notice).skipped == {"wechat": {"channel off": 1}}


# -- silence -----------------------------------------------------------------------------------------------------


async def test_after_a_day_without_an_answer_the_next_has_its_turn(house_on: House, writer_on: Writer) -> None:
    bind(house_on)
    town = Town(house_on, writer_on)
    ask(house_on)
    await town.deliver()
    house_on.later(hours=23)
    await town.deliver()
    assert town.reached("王芳") == ["wechat"]
    house_on.later(hours=1)
    await town.deliver()
    assert town.reached("王芳") == ["wechat", "telegram"]
    house_on.later(hours=23)
    await town.deliver()
    assert town.reached("王芳") == ["wechat", "telegram"], "each is waited for as long as the first"
    house_on.later(hours=1)
    await town.deliver()
    assert town.reached("王芳") == ["wechat", "telegram", "web"]


async def test_it_is_the_clock_that_asks(house: House, writer: Writer) -> None:
    bind(house)
    town = Town(house, writer)
    notice = ask(house)
    await town.deliver()
    house.later(hours=24)
    house.tick()
    assert by_state(house, notice, "王芳") == {"wechat": "accepted", "telegram": "queued", "web": "standby"}


async def test_a_word_anywhere_stops_the_rest(house_on: House, writer_on: Writer) -> None:
    bind(house_on)
    town = Town(house_on, writer_on)
    notice = ask(house_on)
    await town.deliver()
    house_on.chat("王芳", "web").press(f"na:{notice}")
    house_on.later(hours=30)
    await town.deliver()
    assert town.reached("王芳") == ["wechat"]
    assert by_state(house_on, notice, "王芳") == {"wechat": "acknowledged", "telegram": "skipped", "web": "skipped"}


async def test_where_no_answer_is_wanted_silence_is_none(house: House, writer: Writer) -> None:
    bind(house)
    town = Town(house, writer)
    notice = ask(house, ask_ack=False)
    await town.deliver()
    house.later(days=3)
    await town.deliver()
    assert town.reached("王芳") == ["wechat"]
    assert set(by_state(house, notice, "王芳").values()) == {"accepted", "skipped"}


async def test_what_may_have_arrived_passes_on_after_a_day_and_not_before(house_on: House, writer_on: Writer) -> None:
    bind(house_on)
    town = Town(house_on, writer_on)
    town.posts["wechat"].mood = failing(Undelivered("no answer", unknown=True))
    notice = ask(house_on, ask_ack=False)
    await town.deliver()
    house_on.later(hours=23)
    await town.deliver()
    assert by_state(house_on, notice, "王芳") == {"wechat": "unknown", "telegram": "standby", "web": "standby"}
    house_on.later(hours=1)
    await town.deliver()
    assert town.reached("王芳") == ["telegram"]
    house_on.later(days=3)
    await town.deliver()
    assert town.reached("王芳") == ["telegram"], "that one has arrived, and no answer is wanted"


async def test_a_poll_goes_on_to_the_next_of_those_who_have_not_voted(house: House, writer: Writer) -> None:
    bind(house)
    bind(house, "孙明")
    poll = open_poll(house, hours=100)
    with house.app.database.write() as tx:
        tx.run(text("DELETE FROM campaign"))
        campaigns.create(tx, house.now, "poll", poll, [house.ids["王芳"], house.ids["孙明"]], channels="preferred")
    town = Town(house, writer)
    await town.deliver()
    sun = house.chat("孙明", "wechat")
    sun.say("投票")
    sun.tap("吴强")
    house.later(hours=25)
    await town.deliver()
    assert (town.reached("王芳"), town.reached("孙明")) == (["wechat", "telegram"], ["wechat"])


async def test_who_is_reminded_is_not_told_by_the_next_channel_as_well(house: House, writer: Writer) -> None:
    bind(house)
    town = Town(house, writer)
    notice = ask(house)
    await town.deliver()
    house.later(hours=20)
    with house.app.database.write() as tx:
        desk.nudge(tx, house.now, OPERATOR, notice)
    await town.deliver()
    house.later(hours=5)
    await town.deliver()
    assert town.reached("王芳") == ["wechat", "wechat"], "the notice and the reminder"
    house.later(hours=22)
    await town.deliver()
    assert town.reached("王芳") == ["wechat", "wechat", "telegram"], "now the reminder has its next turn"


# -- everywhere, and by name -------------------------------------------------------------------------------------


async def test_all_publishes_on_all_and_a_closed_one_keeps_no_other(house_on: House, writer_on: Writer) -> None:
    bind(house_on)
    town = Town(house_on, writer_on)
    town.posts["wechat"].gate = lambda _parcel: "today's templates are used up"
    notice = send(house_on, scope="member:1001")
    await town.deliver()
    assert sorted(town.reached("王芳")) == ["telegram", "web"]
    assert by_state(house_on, notice, "王芳")["wechat"] == "skipped"


async def test_who_lacks_the_channel_is_skipped_and_never_failed(house_on: House, writer_on: Writer) -> None:
    bind(house_on, "王芳", "web")
    bind(house_on, "孙明", "telegram")
    town = Town(house_on, writer_on)
    notice = send(house_on, scope="member:1001,member:1003,member:1004", channels="telegram,wechat")
    await town.deliver()
    with house_on.app.database.read() as tx:
        assert {(c, s): n for (c, s), n in campaigns.progress(tx, [about(house_on, notice)[0].id]).items()} == {
            ("telegram", "accepted"): 1,
            ("telegram", "skipped"): 1,
            ("wechat", "skipped"): 2,
            ("", "skipped"): 1,
        }
    seen = standing(house_on, notice)
    assert seen.skipped == {
        "telegram": {"no such channel": 1},
        "wechat": {"no such channel": 2},
        "none": {"no address": 1},
    }
    assert seen.unreachable == [("第一支部", ["王芳", "陈晓"])]


def test_a_tick_reads_nothing_of_what_only_stands_by(house: House) -> None:
    from storage import standby

    with house.app.database.read() as tx:
        statement = standby._SILENT.plan(tx.connection.dialect).text
        steps = tx.run(text(f"EXPLAIN QUERY PLAN {statement}".replace("?", "0")))
        (step,) = [row[-1] for row in steps]
    assert step == "SEARCH delivery USING INDEX ix_delivery_standby (state=? AND due_at<?)"


def test_an_order_names_what_it_names_and_the_rest_follows(house_on: House) -> None:
    with house_on.app.database.write() as tx:
        preferences.put(tx, house_on.now, house_on.ids["王芳"], ["email"])
        preferences.put(tx, house_on.now, house_on.ids["王芳"], ["web", "email"])
        assert preferences.order(tx, house_on.ids["王芳"]) == ("web", "email", "wecom", "wechat", "telegram")
        assert preferences.order(tx, house_on.ids["孙明"]) == house_on.app.house.order


def test_a_campaign_without_recipients_is_no_campaign(house: House) -> None:
    with house.app.database.write() as tx:
        campaign = campaigns.create(tx, house.now, "test", 1, [], channels="preferred")
        while campaigns.expand(tx, house.now):
            pass
    assert states(house, campaign) == {}
