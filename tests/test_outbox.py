"""Does everything leave once: through failures, pauses, cancellations, and deaths in the middle?"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from bot.core.reply import Message, Parcel, Undelivered
from storage import addresses, campaigns
from storage.campaigns import Telling
from storage.house import Tx
from storage.rates import Limit
from storage.writer import Writer
from tests.people import House
from tests.polls import open_poll
from tests.posts import Post, drain, open_outbox, reach, states, tell
from workers.outbox import ATTEMPTS, LEASE


async def test_everybody_is_told_once_on_every_address(house_on: House, writer_on: Writer) -> None:
    ids = reach(house_on, 30)
    house_on.chat("王芳")
    house_on.chat("王芳", "web")
    phone, web = Post(house_on), Post(house_on, "web", repeatable=True)
    campaign = tell(house_on, [*ids, house_on.ids["王芳"]])
    outbox = open_outbox(house_on, writer_on, phone, web)
    await drain(outbox, phone, web)
    await drain(outbox, phone, web)
    assert phone.keys == sorted([*(f"k{one}" for one in ids), "telegram-王芳"])
    assert web.keys == [f"p{house_on.ids['王芳']}"]
    assert states(house_on, campaign) == {("telegram", "accepted"): 31, ("web", "accepted"): 1}


async def test_who_has_no_address_is_skipped_and_can_be_found(house: House, writer: Writer) -> None:
    house.chat("王芳")
    phone = Post(house)
    campaign = tell(house, [house.ids["王芳"], house.ids["孙明"]])
    await drain(open_outbox(house, writer, phone), phone)
    assert phone.keys == ["telegram-王芳"]
    assert states(house, campaign) == {("telegram", "accepted"): 1, ("", "skipped"): 1}
    with house.app.database.read() as tx:
        assert campaigns.reached(tx, [campaign]) == {house.ids["王芳"]}


async def test_a_channel_left_out_is_left_out(house: House, writer: Writer) -> None:
    house.chat("王芳")
    house.chat("王芳", "web")
    phone, web = Post(house), Post(house, "web")
    tell(house, [house.ids["王芳"]], channels="web")
    await drain(open_outbox(house, writer, phone, web), phone, web)
    assert (phone.keys, len(web.keys)) == ([], 1)


async def test_many_are_expanded_in_batches_and_a_restart_goes_on(house: House, writer: Writer) -> None:
    ids = reach(house, 1300)
    phone = Post(house)
    campaign = tell(house, ids)
    first, second = open_outbox(house, writer, phone), open_outbox(house, writer, phone)
    assert [await first.expand(), await first.expand()] == [500, 500]
    assert states(house, campaign) == {("telegram", "queued"): 1000}
    assert [await second.expand(), await second.expand()] == [300, 0]
    await drain(second, phone)
    assert phone.keys == sorted(f"k{one}" for one in ids)


async def test_a_notice_waits_for_its_time(house: House, writer: Writer) -> None:
    house.chat("王芳")
    phone = Post(house)
    with house.app.database.write() as tx:
        campaigns.create(tx, house.now, "test", 1, [house.ids["王芳"]], due_at=house.now + timedelta(hours=1))
    outbox = open_outbox(house, writer, phone)
    await drain(outbox, phone)
    assert phone.tried == []
    house.later(hours=1)
    await drain(outbox, phone)
    assert len(phone.accepted) == 1


# -- a channel says no ----------------------------------------------------------------------------------------------


async def test_an_address_that_is_gone_is_not_tried_again_until_its_owner_writes(
    house: House, writer: Writer
) -> None:
    wang = house.chat("王芳")

    def blocked(_key: str, _delivery: int) -> None:
        raise Undelivered("blocked by the user", dead=True)

    phone = Post(house, mood=blocked)
    outbox = open_outbox(house, writer, phone)
    campaign = tell(house, [house.ids["王芳"]])
    await drain(outbox, phone)
    house.later(days=1)
    await drain(outbox, phone)
    assert len(phone.tried) == 1
    assert states(house, campaign) == {("telegram", "failed"): 1}
    with house.app.database.read() as tx:
        (bound,) = addresses.of_person(tx, house.ids["王芳"])
        assert bound.dead
    assert states(house, await told(house, outbox, phone)) == {("telegram", "skipped"): 1}
    wang.say("我回来了")
    phone.mood = lambda _key, _delivery: None
    assert states(house, await told(house, outbox, phone)) == {("telegram", "accepted"): 1}


async def told(house: House, outbox: object, *channels: Post) -> int:
    """Tell 王芳 something more."""
    campaign = tell(house, [house.ids["王芳"]])
    await drain(outbox, *channels)  # type: ignore[arg-type]  # an Outbox
    return campaign


async def test_a_pause_holds_the_channel_and_no_other(house: House, writer: Writer) -> None:
    """After retry_after a burst was let through before its end."""
    ids = reach(house, 6)
    house.chat("王芳", "web")
    flooded = True

    def flood(_key: str, _delivery: int) -> None:
        nonlocal flooded
        if flooded:
            flooded = False
            raise Undelivered("too many requests", retry_after=20)

    phone = Post(house, rates={"telegram": Limit(1, burst=3)}, mood=flood)
    web = Post(house, "web", rates={"web": Limit(1000, burst=100)})
    start = house.now
    outbox = open_outbox(house, writer, phone, web)
    campaign = tell(house, [*ids, house.ids["王芳"]])
    await outbox.expand()
    await outbox.drain(web)
    assert web.times == [start.timestamp()]
    await drain(outbox, phone, web)
    first_wave = [at for at in phone.times if at == start.timestamp()]
    assert len(first_wave) == 2, "they had left already"
    assert min(at for at in phone.times if at > start.timestamp()) >= start.timestamp() + 20
    assert phone.keys == sorted(f"k{one}" for one in ids)
    assert states(house, campaign)["telegram", "accepted"] == 6


async def test_a_failure_is_tried_again_later_and_later_and_then_given_up(house: House, writer: Writer) -> None:
    house.chat("王芳")

    def down(_key: str, _delivery: int) -> None:
        raise Undelivered("HTTP 502")

    phone = Post(house, mood=down)
    outbox = open_outbox(house, writer, phone)
    campaign = tell(house, [house.ids["王芳"]])
    for _ in range(20):
        await drain(outbox, phone)
        with house.app.database.read() as tx:
            house.now = campaigns.next_due(tx, house.now) or house.now
    at = [at for at, _, _ in phone.tried]
    assert [(b - a).seconds for a, b in pairwise(at)] == [5, 10, 20, 40, 80, 160, 320]
    assert len(at) == ATTEMPTS
    assert states(house, campaign) == {("telegram", "failed"): 1}


async def test_what_may_have_arrived_is_not_sent_again_unless_somebody_decides(house: House, writer: Writer) -> None:
    house.chat("王芳")

    def hung_up(_key: str, _delivery: int) -> None:
        raise Undelivered("no answer", unknown=True)

    phone = Post(house, mood=hung_up)
    outbox = open_outbox(house, writer, phone)
    campaign = tell(house, [house.ids["王芳"]])
    await drain(outbox, phone)
    house.later(days=1)
    await drain(outbox, phone)
    assert (len(phone.tried), states(house, campaign)) == (1, {("telegram", "unknown"): 1})
    phone.mood = lambda _key, _delivery: None
    with house.app.database.write() as tx:
        assert campaigns.retry(tx, house.now, campaign) == 1
    await drain(outbox, phone)
    assert states(house, campaign) == {("telegram", "accepted"): 1}


async def test_a_slow_channel_delays_no_other(house: House, writer: Writer) -> None:
    house.chat("王芳")
    house.chat("王芳", "web")
    let_go, done = asyncio.Event(), asyncio.Event()

    class Slow(Post):
        async def send(self, parcel: Parcel) -> str:
            await let_go.wait()
            return await super().send(parcel)

    class Fast(Post):
        async def send(self, parcel: Parcel) -> str:
            done.set()
            return await super().send(parcel)

    slow, fast = Slow(house), Fast(house, "web")
    campaign = tell(house, [house.ids["王芳"]])
    outbox = open_outbox(house, writer, slow, fast)
    await outbox.start()
    await done.wait()
    assert slow.accepted == []
    let_go.set()
    await outbox.stop()
    assert (len(slow.accepted), len(fast.accepted)) in ((1, 1), (0, 1)), "what is on its way is finished"
    await drain(open_outbox(house, writer, slow, fast), slow, fast)
    assert states(house, campaign) == {("telegram", "accepted"): 1, ("web", "accepted"): 1}


@pytest.mark.parametrize("seed", range(4))
async def test_in_any_weather_nothing_is_accepted_twice(house: House, writer: Writer, seed: int) -> None:
    chance = random.Random(seed)
    unsure: set[int] = set()

    def weather(_key: str, delivery: int) -> None:
        match chance.randrange(8):
            case 0:
                raise Undelivered("HTTP 500")
            case 1:
                raise Undelivered("flood", retry_after=3)
            case 2 if chance.random() < 0.3:
                unsure.add(delivery)
                raise Undelivered("no answer", unknown=True)
            case 3 if chance.random() < 0.3:
                raise Undelivered("gone", permanent=True)
            case 4:  # it may have left before it went wrong
                unsure.add(delivery)
                raise KeyError("a bug in a channel")

    phone = Post(house, rates={"telegram": Limit(30, burst=10)}, mood=weather)
    outbox = open_outbox(house, writer, phone)
    campaign = tell(house, reach(house, 60))
    for _ in range(40):
        await drain(outbox, phone)
        with house.app.database.read() as tx:
            house.now = max(house.now, campaigns.next_due(tx, house.now) or house.now)
    accepted = Counter(delivery for _, _, delivery in phone.accepted)
    assert set(accepted.values()) == {1}
    assert not accepted.keys() & unsure
    known = states(house, campaign)
    assert known["telegram", "accepted"] == len(accepted)
    assert known.get(("telegram", "unknown"), 0) == len(unsure)
    assert sum(known.values()) == 60
    assert {state for _, state in known} <= {"accepted", "unknown", "failed"}


# -- somebody changes their mind -----------------------------------------------------------------------------------


async def test_what_is_not_sent_yet_can_be_cancelled(house: House, writer: Writer) -> None:
    ids = reach(house, 600)
    phone = Post(house)
    campaign = tell(house, ids)
    outbox = open_outbox(house, writer, phone)
    await outbox.expand()
    await outbox.drain(phone, most=100)
    with house.app.database.write() as tx:
        assert campaigns.cancel(tx, house.now, campaign) == 500
    await drain(outbox, phone)
    assert len(phone.accepted) == 100
    assert states(house, campaign) == {("telegram", "accepted"): 100, ("telegram", "cancelled"): 400}


async def test_what_is_cancelled_after_it_was_claimed_is_not_sent(house: House, writer: Writer) -> None:
    def cancelling(_tx: Tx, now: datetime, about: Telling, _person: int) -> Message:
        with house.app.database.write() as tx:
            campaigns.cancel(tx, now, about.id)
        return Message("晚了一步")

    house.chat("王芳")
    phone = Post(house)
    campaign = tell(house, [house.ids["王芳"]])
    outbox = open_outbox(house, writer, phone, compose=cancelling)
    await drain(outbox, phone)
    assert (phone.tried, states(house, campaign)) == ([], {("telegram", "cancelled"): 1})


async def test_who_has_voted_meanwhile_is_not_asked(house: House, writer: Writer) -> None:
    wang = house.chat("王芳")
    house.chat("孙明")
    open_poll(house)
    wang.say("投票")
    wang.tap("孙明")
    house.later(hours=25)
    phone = Post(house)
    outbox = open_outbox(house, writer, phone, compose=house.app.reception.compose)
    await drain(outbox, phone)
    assert phone.keys == ["telegram-王芳"], "the poll is over: 孙明 is not asked any more; 王芳 sees what she chose"


async def test_a_vote_brings_the_copy_on_the_other_address_up_to_date(house: House, writer: Writer) -> None:
    wang = house.chat("王芳")
    house.chat("王芳", "web")
    open_poll(house)
    phone, web = Post(house), Post(house, "web")
    outbox = open_outbox(house, writer, phone, web, compose=house.app.reception.compose)
    await drain(outbox, phone, web)
    wang.say("投票")
    wang.tap("孙明")
    await drain(outbox, phone, web)
    ((key, ref, text),) = web.revised
    assert (key, ref) == (web.keys[0], f"m{web.accepted[0][2]}")
    assert text.startswith("您已投「推荐优秀党员」：孙明")
    assert phone.revised == []
    assert (len(phone.accepted), len(web.accepted)) == (1, 1)


async def test_a_copy_that_cannot_be_brought_up_to_date_is_left_in_the_end(house: House, writer: Writer) -> None:
    """Its tries were not counted: it was tried every five seconds for ever."""
    house.chat("王芳")
    campaign = tell(house, [house.ids["王芳"]])
    phone = Post(house)
    outbox = open_outbox(house, writer, phone)
    await drain(outbox, phone)
    tries = 0

    def down(_key: str, _delivery: int) -> None:
        nonlocal tries
        tries += 1
        raise Undelivered("HTTP 502")

    phone.mood = down
    with house.app.database.write() as tx:
        campaigns.revise_copies(tx, "test", 1, house.ids["王芳"])
    for _ in range(30):
        await drain(outbox, phone)
        house.later(seconds=600)
    assert 1 < tries <= ATTEMPTS
    assert states(house, campaign) == {("telegram", "accepted"): 1}


# -- a process dies -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("repeatable", "state", "accepted"), [(False, "unknown", 0), (True, "accepted", 1)])
async def test_a_death_while_sending(
    house_on: House, writer_on: Writer, repeatable: bool, state: str, accepted: int
) -> None:
    house_on.chat("王芳")
    begun = asyncio.Event()

    class Dying(Post):
        async def send(self, parcel: Parcel) -> str:
            begun.set()
            return await asyncio.Future()

    dying = Dying(house_on, repeatable=repeatable)
    campaign = tell(house_on, [house_on.ids["王芳"]])
    killed = asyncio.create_task(drain(open_outbox(house_on, writer_on, dying), dying))
    await begun.wait()
    assert states(house_on, campaign) == {("telegram", "sending"): 1}
    killed.cancel()
    await asyncio.gather(killed, return_exceptions=True)
    if not house_on.app.database.sqlite:  # another process might still be sending it, until its lease ends
        waiting = Post(house_on, repeatable=repeatable)
        await drain(open_outbox(house_on, writer_on, waiting), waiting)
        assert waiting.tried == []
        house_on.now += LEASE + timedelta(seconds=1)
    phone = Post(house_on, repeatable=repeatable)
    outbox = open_outbox(house_on, writer_on, phone)
    await outbox.start()
    await outbox.stop()
    await drain(open_outbox(house_on, writer_on, phone), phone)
    assert (len(phone.accepted), states(house_on, campaign)) == (accepted, {("telegram", state): 1})
