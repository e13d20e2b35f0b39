"""When a thousand people vote at once, and each tap is delivered three times, does each count exactly once?"""

from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from bot.core.event import Address, Pressed
from bot.reception import Answered
from handlers.voting import desk
from handlers.voting.chat import Cast
from storage.audit import OPERATOR
from storage.house import Tx
from storage.writer import Writer, open_writer
from tests.people import House
from tests.polls import open_poll, votes
from tests.posts import reach

THREADS, MEMBERS, DELIVERIES, CHANGED = 64, 1000, 3, 200
OPTIONS = ("王芳", "孙明", "吴强", "陈晓")


@contextmanager
def server(house: House) -> Iterator[tuple[asyncio.AbstractEventLoop, Writer]]:
    """The loop of a server in a thread of its own, and its writer."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="server")
    thread.start()
    writer = open_writer(house.app.database)
    try:
        yield loop, writer
    finally:
        asyncio.run_coroutine_threadsafe(writer.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def deliver(house: House, taps: Sequence[Pressed]) -> dict[str, list[Answered]]:
    """Hand in taps from many threads at once, each waiting for its answer; the answers by event."""
    answers: dict[str, list[Answered]] = defaultdict(list)
    start = threading.Barrier(THREADS)

    def connection(share: Sequence[Pressed]) -> list[tuple[str, Answered]]:
        start.wait()
        return [(tap.event_id, answer(tap)) for tap in share]

    with server(house) as (loop, writer), ThreadPoolExecutor(THREADS) as threads:

        def answer(tap: Pressed) -> Answered:
            def work(tx: Tx) -> Answered:
                return house.app.reception.receive(tx, tap, house.now)

            return asyncio.run_coroutine_threadsafe(writer.run(work), loop).result()

        for answered in threads.map(connection, [taps[number::THREADS] for number in range(THREADS)]):
            for event_id, what in answered:
                answers[event_id].append(what)
    return answers


def tap(house: House, poll: int, person: int, place: int, event_id: str) -> Pressed:
    with house.app.database.read() as tx:
        payload = Cast(poll, desk.option_code(tx, poll, person, place)).encode()
    return Pressed(Address("telegram", f"k{person}"), event_id, payload)


def test_a_thousand_members_tap_at_once_and_each_counts_once(house_on: House) -> None:
    house, chance = house_on, random.Random(20261124)
    members = reach(house, MEMBERS)
    poll = open_poll(house, options=OPTIONS)
    outsider = house.person("刚来的人", "9999")  # after the roll was frozen
    chosen = {member: chance.randint(1, len(OPTIONS)) for member in members}
    first = [tap(house, poll, member, place, f"a{member}") for member, place in chosen.items()]
    forwarded = [Pressed(Address("telegram", f"k{members[number - 1]}"), f"f{number}", first[number].payload)
                 for number in range(1, 50)]  # fmt: skip
    house.chat("刚来的人", key=f"k{outsider}")
    late = tap(house, poll, outsider, 1, "late")

    storm = [one for one in (*first, *forwarded, late) for _ in range(DELIVERIES)]
    chance.shuffle(storm)
    answers = deliver(house, storm)

    assert votes(house, poll) == {member: (place,) for member, place in chosen.items()}
    assert {len(given) for given in answers.values()} == {DELIVERIES}
    assert all(sum(not one.again for one in given) == 1 for given in answers.values()), "each was handled once"
    assert all(len({one.messages[0].text for one in given}) == 1 for given in answers.values()), "and answered alike"
    assert all("不是给您的" in answers[one.event_id][0].messages[0].text for one in forwarded)
    assert "不在这次投票的名单上" in answers["late"][0].messages[0].text
    assert {one.broken for given in answers.values() for one in given} == {None}

    # Some change their minds, while the platform still delivers their old taps again.
    house.later(seconds=5)
    changed = {member: chosen[member] % len(OPTIONS) + 1 for member in chance.sample(members, CHANGED)}
    again = [tap(house, poll, member, place, f"b{member}") for member, place in changed.items()]
    old = [one for one in first if int(one.event_id[1:]) in changed]
    storm = [one for one in (*again, *old) for _ in range(DELIVERIES)]
    chance.shuffle(storm)
    deliver(house, storm)

    final = chosen | changed
    assert votes(house, poll) == {member: (place,) for member, place in final.items()}
    house.later(hours=24)
    assert house.tick() >= 1
    with house.app.database.write() as tx:
        result = desk.close(tx, house.now, OPERATOR, poll)
    tally = Counter(final.values())
    assert [option["for"] for option in result["options"]] == [tally[place] for place in range(1, len(OPTIONS) + 1)]
    assert (result["returned"], result["expected"]) == (MEMBERS, MEMBERS + 7)
