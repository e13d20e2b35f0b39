"""Does nothing leave faster than a channel allows, across restarts and from two processes at once?"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import rates
from storage.rates import Limit
from storage.writer import open_writer
from tests.people import House, build_house
from tests.posts import Post, drain, open_outbox, reach, states, tell

EPSILON = 1e-3
"""Of a message: instants are kept in whole microseconds."""


@pytest.fixture
def postgres_house(postgres: str, tmp_path: Path) -> Iterator[House]:
    """A house on PostgreSQL, where two processes may deliver."""
    built = build_house(tmp_path, postgres)
    yield built
    built.app.database.close()


@pytest.fixture(scope="module")
def wide_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One house for many examples."""
    built = build_house(tmp_path_factory.mktemp("house"))
    yield built
    built.app.database.close()


def within(times: Sequence[float], limit: Limit) -> bool:
    """Whether in no stretch of time more left than its length allows, and one burst."""
    return all(
        later - earlier + 1 <= limit.burst + limit.per_second * (times[later] - times[earlier]) + EPSILON
        for earlier in range(len(times))
        for later in range(earlier, len(times))
    )


def test_the_measure_itself_finds_what_is_too_fast() -> None:
    assert within([0, 0, 0, 1], Limit(1, burst=3))
    assert not within([0, 0, 0, 0], Limit(1, burst=3))
    assert not within([0, 0, 0, 0.5], Limit(1, burst=3))
    assert not within([5, 0.1 + 5], Limit(1))


async def test_thirty_deliveries_keep_to_the_limit_even_across_a_restart(house_on: House) -> None:
    limit = Limit(25, burst=5)
    writer = open_writer(house_on.app.database)
    phone = Post(house_on, rates={"telegram": limit})
    start = house_on.now.timestamp()
    campaign = tell(house_on, reach(house_on, 30))
    first = open_outbox(house_on, writer, phone)
    await first.expand()
    await first.drain(phone, most=12)
    assert len(phone.accepted) == 12
    second = open_outbox(house_on, writer, phone)  # the process has been started anew, at once
    await drain(second, phone)
    await writer.close()
    assert states(house_on, campaign) == {("telegram", "accepted"): 30}
    assert within(phone.times, limit)
    assert phone.times[4] == start, "a burst leaves at once"
    assert phone.times[-1] - start == pytest.approx((30 - 5) / 25, abs=0.35), "and the rest no slower than it may"


async def test_one_chat_is_spared_and_the_others_do_not_wait_for_it(house: House) -> None:
    writer = open_writer(house.app.database)
    house.chat("王芳")
    phone = Post(house, rates={"telegram": Limit(100, burst=100)}, per_key=Limit(1))
    start = house.now.timestamp()
    others = reach(house, 10)
    for _ in range(3):
        tell(house, [house.ids["王芳"]])
    tell(house, others)
    outbox = open_outbox(house, writer, phone)
    while await outbox.expand():
        pass
    await drain(outbox, phone)
    await writer.close()
    mine = [at.timestamp() - start for at, key, _ in phone.accepted if key == "telegram-王芳"]
    assert mine == pytest.approx([0, 1, 2], abs=0.05)
    assert within([at + start for at in mine], Limit(1))
    assert {at.timestamp() for at, key, _ in phone.accepted if key != "telegram-王芳"} == {start}


async def test_two_processes_share_one_limit_and_send_nothing_twice(postgres_house: House) -> None:
    house, limit = postgres_house, Limit(500, burst=20)
    writer = open_writer(house.app.database)
    phone = Post(house, rates={"telegram": limit})
    ids = reach(house, 700)
    campaign = tell(house, ids)
    outboxes = [open_outbox(house, writer, phone) for _ in range(2)]
    await asyncio.gather(*(drain(outbox, phone) for outbox in outboxes))
    await drain(outboxes[0], phone)
    await writer.close()
    assert set(Counter(phone.keys).values()) == {1}
    assert phone.keys == sorted(f"k{one}" for one in ids)
    assert states(house, campaign) == {("telegram", "accepted"): 700}
    assert within(sorted(phone.times), limit)


@given(
    st.lists(st.floats(0, 3), min_size=1, max_size=12),
    st.builds(Limit, st.sampled_from([0.5, 1.0, 25.0]), st.integers(1, 5)),
    st.sets(st.integers(0, 11), max_size=2),
)
def test_whoever_asks_whenever_the_limit_holds(
    wide_house: House, pauses: list[float], limit: Limit, stops: set[int]
) -> None:
    house, times, not_before = wide_house, [], 0.0
    with house.app.database.write() as tx:
        tx.run(rates.Rate.__table__.delete())  # type: ignore[attr-defined]  # SQLModel does not declare it
        for number, pause in enumerate(pauses):
            house.now += timedelta(seconds=pause)
            if number in stops:
                not_before = house.now.timestamp() + 10
                rates.pause(tx, "telegram", limit, house.now + timedelta(seconds=10))
            wait = rates.reserve(tx, house.now, {"telegram": limit})
            if wait == 0:
                times.append(house.now.timestamp())
                assert times[-1] >= not_before - EPSILON
            else:
                later = house.now + timedelta(seconds=wait + 1e-5)
                assert rates.reserve(tx, later, {"telegram": limit}) == 0, "after the wait it may go"
                house.now = later
                times.append(later.timestamp())
                assert times[-1] >= not_before - EPSILON
    assert stops or within(times, limit)
