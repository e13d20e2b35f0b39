"""Is each told by one address at a time, whatever comes in between: a word, a departure, a receipt, a death?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from bot.core.reply import Parcel, Undelivered
from handlers.binding import desk as binding
from handlers.notices import desk
from storage import addresses, campaigns, departures, mails, receipts
from storage.audit import OPERATOR
from storage.writer import Writer, open_writer
from tests.notices import about, by_state, person
from tests.people import House
from tests.posts import Post, drain, open_outbox
from tests.towns import Town, ask, bind, failing

# -- what comes in between ---------------------------------------------------------------------------------------


async def test_letting_an_address_go_passes_its_turn_on(house_on: House, writer_on: Writer) -> None:
    bind(house_on)
    town = Town(house_on, writer_on)
    notice = ask(house_on)
    await town.outbox.expand()
    with house_on.app.database.write() as tx:
        bound = next(b for b in addresses.of_person(tx, house_on.ids["王芳"]) if b.address.channel == "wechat")
        binding.release(tx, house_on.now, person(house_on, "王芳"), bound)
    await town.deliver()
    assert town.reached("王芳") == ["telegram"]
    assert by_state(house_on, notice, "王芳") == {"wechat": "cancelled", "telegram": "accepted", "web": "standby"}


async def test_who_leaves_is_told_nothing_by_what_stands_by(house: House, writer: Writer) -> None:
    bind(house)
    town = Town(house, writer)
    ask(house)
    await town.deliver()
    with house.app.database.write() as tx:
        departures.silence(tx, house.now, house.ids["王芳"])
    house.later(days=2)
    await town.deliver()
    assert town.reached("王芳") == ["wechat"]


async def test_what_is_withdrawn_stands_by_no_more(house: House, writer: Writer) -> None:
    bind(house)
    bind(house, "孙明")
    town = Town(house, writer)
    town.posts["wechat"].mood = lambda key, _delivery: (
        failing(Undelivered("HTTP 502"))(key, 0) if "孙明" in key else None
    )
    notice = ask(house, "member:1001,member:1003")
    await town.deliver()
    with house.app.database.write() as tx:
        assert desk.cancel(tx, house.now, OPERATOR, notice) == (1, 1)
    house.later(days=2)
    await town.deliver()
    assert (town.reached("王芳"), town.reached("孙明")) == (["wechat"], [])


async def test_sending_again_begins_with_the_first_and_leaves_the_reached_alone(
    house_on: House, writer_on: Writer
) -> None:
    bind(house_on)
    bind(house_on, "孙明")
    town = Town(house_on, writer_on)
    down = failing(Undelivered("blocked", permanent=True))
    for post in town.posts.values():
        post.mood = lambda key, delivery: down(key, delivery) if "王芳" in key or key.startswith("p") else None
    town.posts["wechat"].mood = down
    notice = ask(house_on, "member:1001,member:1003")
    await town.deliver()
    assert (town.reached("王芳"), town.reached("孙明")) == ([], ["telegram"])
    for post in town.posts.values():
        post.mood = lambda _key, _delivery: None
    with house_on.app.database.write() as tx:
        assert desk.retry(tx, house_on.now, OPERATOR, notice) == 1
    await town.deliver()
    assert (town.reached("王芳"), town.reached("孙明")) == (["wechat"], ["telegram"])
    assert by_state(house_on, notice, "王芳") == {"wechat": "accepted", "telegram": "standby", "web": "standby"}


async def test_a_receipt_that_says_no_passes_the_turn_on(house: House, writer: Writer) -> None:
    bind(house, "王芳", "wechat", "email", "web")
    town = Town(house, writer, "wechat", "email", "web")
    ask(house)
    await town.deliver()
    ((_, _, first),) = town.posts["wechat"].accepted
    with house.app.database.write() as tx:
        receipts.sent(tx, house.now, "wechat", "r1", first)
        receipts.arrived(tx, house.now, "wechat", "r1", receipts.REFUSED)
    await town.deliver()
    assert town.reached("王芳") == ["wechat", "email"]
    ((_, _, second),) = town.posts["email"].accepted
    with house.app.database.write() as tx:
        mails.came_back(tx, house.now, second, "no such mailbox")
    await town.deliver()
    assert town.reached("王芳") == ["wechat", "email", "web"]


async def test_after_a_restore_nothing_stands_by(house: House, writer: Writer) -> None:
    bind(house)
    town = Town(house, writer)
    notice = ask(house)
    await town.deliver()
    with house.app.database.write() as tx:
        campaigns.after_restore(tx, house.now)
    house.later(days=2)
    await town.deliver()
    assert town.reached("王芳") == ["wechat"]
    assert by_state(house, notice, "王芳") == {"wechat": "accepted", "telegram": "unknown", "web": "unknown"}


# -- a process dies ----------------------------------------------------------------------------------------------


async def test_a_failure_and_the_next_turn_are_written_down_together_or_not_at_all(
    house: House, writer: Writer
) -> None:
    bind(house)
    town = Town(house, writer)
    town.posts["wechat"].mood = failing(Undelivered("blocked", permanent=True))
    notice = ask(house)
    with house.app.database.write() as tx:
        tx.run(
            text(
                "CREATE TRIGGER death BEFORE UPDATE OF state ON delivery"
                " WHEN OLD.state = 'standby' AND NEW.state = 'queued' BEGIN SELECT RAISE(ABORT, 'died here'); END"
            )
        )
    with pytest.raises(DBAPIError):
        await town.deliver()
    assert by_state(house, notice, "王芳") == {"wechat": "sending", "telegram": "standby", "web": "standby"}
    with house.app.database.write() as tx:
        tx.run(text("DROP TRIGGER death"))
    another = Town(house, writer)
    await another.outbox.start()
    await another.outbox.stop()
    assert by_state(house, notice, "王芳")["wechat"] == "unknown"
    house.later(hours=24)
    await town.deliver()
    assert town.reached("王芳") == ["telegram"]


async def test_a_death_while_sending_is_waited_out_like_any_doubt(house_on: House, writer_on: Writer) -> None:
    bind(house_on)
    town, begun = Town(house_on, writer_on), asyncio.Event()

    class Dying(Post):
        async def send(self, parcel: Parcel) -> str:
            begun.set()
            return await asyncio.Future()

    notice = ask(house_on, ask_ack=False)
    dying = Dying(house_on, "wechat")
    box = open_outbox(house_on, writer_on, dying, compose=house_on.app.reception.compose)
    killed = asyncio.create_task(drain(box, dying))
    await begun.wait()
    killed.cancel()
    await asyncio.gather(killed, return_exceptions=True)
    house_on.later(minutes=5)
    await town.deliver()
    assert by_state(house_on, notice, "王芳") == {"wechat": "unknown", "telegram": "standby", "web": "standby"}
    house_on.later(hours=24)
    await town.deliver()
    assert town.reached("王芳") == ["telegram"]


# -- whatever becomes of each ------------------------------------------------------------------------------------

CHANNELS = ("wecom", "wechat", "telegram", "email", "web")
FATES = ("taken", "refused", "dead", "closed", "shut", "in doubt", "a mistake", "rests", "at the second try")
PASSES = {"refused", "dead", "closed", "shut"}
DOUBTFUL = {"in doubt", "a mistake"}


def living(fate: str) -> Callable[[str, int], None]:
    """A channel to which this happens."""
    tries = 0

    def mood(_key: str, _delivery: int) -> None:
        nonlocal tries
        tries += 1
        match fate:
            case "refused":
                raise Undelivered("refused", permanent=True)
            case "dead":
                raise Undelivered("blocked", dead=True)
            case "closed":
                raise Undelivered("the window is shut", closed=True)
            case "in doubt":
                raise Undelivered("no answer", unknown=True)
            case "a mistake":
                raise KeyError("a bug in a channel")
            case "rests":
                raise Undelivered("the application is refused", retry_after=60)
            case "at the second try" if tries == 1:
                raise Undelivered("HTTP 502")

    return mood


def expected(fates: dict[str, str], *, wanted: bool) -> list[list[str]]:
    """The channels tried to the end in each day of silence, by the rules as they are written."""
    days: list[list[str]] = [[]]
    for channel in CHANNELS:
        if channel not in fates:
            continue
        if fates[channel] == "rests":
            days.append([])
            continue
        days[-1].append(channel)
        if fates[channel] in PASSES:
            continue
        arrived = any(fates[one] not in PASSES | DOUBTFUL for day in days for one in day)
        if arrived and not wanted:
            break
        days.append([])
    while days and not days[-1]:
        days.pop()
    return days


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    fates=st.dictionaries(st.sampled_from(CHANNELS), st.sampled_from(FATES), min_size=1),
    wanted=st.booleans(),
)
def test_the_first_that_can_carry_it_does_and_never_two_at_once(
    house: House, fates: dict[str, str], wanted: bool
) -> None:
    asyncio.run(_live_through(house, fates, wanted))


async def _live_through(house: House, fates: dict[str, str], wanted: bool) -> None:
    house.now = (house.now + timedelta(days=1)).replace(
        hour=2, minute=0
    )  # ten in the morning: by night nothing is due
    name = f"同志{next(house.counter)}"
    house.person(name, f"H{next(house.counter)}")
    bind(house, name, *fates)
    writer = open_writer(house.app.database)
    town = Town(house, writer, *CHANNELS)
    for channel, fate in fates.items():
        town.posts[channel].mood = living(fate)
        if fate == "shut":
            town.posts[channel].gate = lambda _parcel: "shut"
    notice = ask(house, f"member:{_number(house, name)}", ask_ack=wanted)
    days = expected(fates, wanted=wanted)
    for day in range(len(days) + 2):
        for _ in range(3):  # what failed once is tried again within the hour
            await town.deliver()
            house.later(minutes=1)
        assert _ended(house, notice) == {one for past in days[: day + 1] for one in past}
        house.later(hours=24)
    await writer.close()
    taken = [channel for day in days for channel in day if fates[channel] not in PASSES | DOUBTFUL]
    assert sorted(town.reached(name)) == sorted(taken)


def _number(house: House, name: str) -> str:
    from storage import people

    with house.app.database.read() as tx:
        return people.get(tx, house.ids[name]).number


def _ended(house: House, notice: int) -> set[str]:
    """The channels that have had their turn: it came to something, or could not."""
    statement = text(
        "SELECT channel FROM delivery WHERE campaign_id = :campaign"
        " AND state NOT IN ('standby', 'queued') AND reason <> 'not needed'"
    )
    with house.app.database.read() as tx:
        return {row[0] for row in tx.run(statement, {"campaign": about(house, notice)[0].id})}
