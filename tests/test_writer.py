"""Is everything committed before it is acknowledged, many at once, and nobody's work lost to another's?"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from storage import settings
from storage.database import Database, is_trouble, sqlite_file, upgrade
from storage.house import House, Tx
from storage.keys import Keys
from storage.writer import Busy, GroupWriter, PoolWriter, open_writer

HOUSE = House(keys=Keys(bytes(32)))


@pytest.fixture
def lite(tmp_path: Path) -> Iterator[Database]:
    """A SQLite database."""
    url = f"sqlite:///{tmp_path}/tiexin.db"
    upgrade(url)
    database = Database(url, HOUSE)
    yield database
    database.close()


@pytest.fixture
def post(postgres: str) -> Iterator[Database]:
    """A PostgreSQL database."""
    upgrade(postgres)
    database = Database(postgres, HOUSE)
    yield database
    database.close()


@pytest.fixture
def either(database_url: str) -> Iterator[Database]:
    """One, then the other."""
    upgrade(database_url)
    database = Database(database_url, HOUSE)
    yield database
    database.close()


def put(name: str, value: str = "x") -> Callable[[Tx], str]:
    """The work of writing a setting."""

    def work(tx: Tx) -> str:
        settings.put(tx, name, value)
        return name

    return work


def stored(database: Database) -> dict[str, str]:
    with database.read() as tx:
        return {row.name: row.value for row in tx.run(text("SELECT name, value FROM setting"))}


def count_commits(database: Database) -> list[object]:
    commits: list[object] = []
    event.listen(database.engine, "commit", commits.append)
    return commits


class Held:
    """A writer that is busy with one piece of work until it is let go, so that a batch forms behind it."""

    def __init__(self, writer: GroupWriter) -> None:
        self._let_go, self.begun = threading.Event(), threading.Event()
        self.first = asyncio.ensure_future(writer.run(self._wait))

    def _wait(self, _tx: Tx) -> str:
        self.begun.set()
        self._let_go.wait()
        return "first"

    async def begin(self) -> None:
        await asyncio.to_thread(self.begun.wait)

    def let_go(self) -> None:
        self._let_go.set()


async def outcomes(writer: GroupWriter, *works: Callable[[Tx], Any]) -> list[Any]:
    """What became of works that wait together and share one transaction."""
    held = Held(writer)
    await held.begin()
    waiting = [asyncio.ensure_future(writer.run(work)) for work in works]
    await asyncio.sleep(0)
    held.let_go()
    await held.first
    return await asyncio.gather(*waiting, return_exceptions=True)


async def test_what_waits_together_shares_one_commit(lite: Database) -> None:
    commits = count_commits(lite)
    writer = GroupWriter(lite, batch=256)
    names = [f"n{number}" for number in range(512)]
    assert await outcomes(writer, *map(put, names)) == names, "each gets its own result"
    await writer.close()
    assert len(commits) == 3, "the one that held it up, and two batches"
    assert set(stored(lite)) == set(names)


async def test_nobody_is_answered_before_the_commit(lite: Database) -> None:
    order: list[str] = []
    event.listen(lite.engine, "commit", lambda _connection: order.append("commit"))
    writer = GroupWriter(lite)
    await writer.run(put("a"))
    order.append("answered")
    await writer.close()
    assert order == ["commit", "answered"]


async def test_a_work_that_fails_is_undone_alone(lite: Database) -> None:
    def poisoned(tx: Tx) -> None:
        settings.put(tx, "poisoned", "x")
        raise ZeroDivisionError("ours")

    writer = GroupWriter(lite)
    first, second, third = await outcomes(writer, put("before"), poisoned, put("after"))
    await writer.close()
    assert (first, third) == ("before", "after")
    assert isinstance(second, ZeroDivisionError)
    assert stored(lite).keys() == {"before", "after"}


async def test_a_mistake_in_a_statement_is_that_works_own(lite: Database) -> None:
    """SQLite calls it OperationalError: the whole batch was sent away as Busy, and again at each repetition."""

    def mistaken(tx: Tx) -> None:
        settings.put(tx, "mistaken", "x")
        tx.run(text("SELECT * FROM nowhere"))

    writer = GroupWriter(lite)
    first, second, third = await outcomes(writer, put("before"), mistaken, put("after"))
    await writer.close()
    assert (first, third) == ("before", "after")
    assert isinstance(second, OperationalError)
    assert stored(lite).keys() == {"before", "after"}


async def test_a_commit_that_fails_is_nobodys(lite: Database) -> None:
    broken = True

    def fail(_connection: object) -> None:
        if broken:
            raise sqlite3.OperationalError("disk I/O error")

    event.listen(lite.engine, "commit", fail)
    writer = GroupWriter(lite)
    results = await asyncio.gather(*(writer.run(put(name)) for name in "abc"), return_exceptions=True)
    assert [type(result) for result in results] == [Busy] * 3
    assert stored(lite) == {}
    broken = False
    assert await writer.run(put("a")) == "a"
    await writer.close()
    assert stored(lite) == {"a": "x"}


@contextmanager
def locked(database: Database) -> Iterator[None]:
    """Another process holds the database."""
    file = sqlite_file(database.url)
    assert file
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.rollback()
        other.close()


def impatient(database: Database) -> None:
    """Wait for a lock 20 ms instead of 5 s."""
    event.listen(database.engine, "connect", lambda connection, _record: connection.execute("PRAGMA busy_timeout=20"))


async def test_a_locked_database_is_busy_and_then_is_not(lite: Database) -> None:
    impatient(lite)
    writer = GroupWriter(lite)
    with locked(lite):
        results = await asyncio.gather(*(writer.run(put(name)) for name in "abc"), return_exceptions=True)
        assert [type(result) for result in results] == [Busy] * 3
    assert await writer.run(put("d")) == "d"
    await writer.close()
    assert stored(lite) == {"d": "x"}


async def test_reading_goes_on_while_the_database_is_locked(lite: Database) -> None:
    writer = GroupWriter(lite)
    await writer.run(put("before"))
    await writer.close()
    with locked(lite):
        assert stored(lite) == {"before": "x"}


async def test_a_full_disk_is_busy_and_stores_nothing_by_halves(lite: Database) -> None:
    writer = GroupWriter(lite)
    await writer.run(put("before"))
    pages: list[int] = []

    def limit(connection: Connection) -> None:
        if pages:
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages[0]}")

    event.listen(lite.engine, "begin", limit)
    with lite.read() as tx:
        pages.append(int(tx.run(text("PRAGMA page_count")).scalar_one()) + 3)

    def two(tx: Tx) -> None:
        settings.put(tx, "small", "x")
        settings.put(tx, "large", "长" * 20_000)

    first, second = await outcomes(writer, put("with it"), two)
    assert (type(first), type(second)) == (Busy, Busy)
    assert stored(lite) == {"before": "x"}
    assert await writer.run(put("fits")) == "fits", "what still fits is taken"
    pages[0] += 1000
    await writer.run(two)
    await writer.close()
    assert stored(lite).keys() == {"before", "fits", "small", "large"}


async def test_a_full_disk_is_told_through_a_savepoint(lite: Database) -> None:
    """SQLite has undone the whole transaction by then, and the savepoint is gone with it."""

    def work(tx: Tx) -> None:
        tx.run(text("PRAGMA max_page_count=1"))
        with tx.savepoint():
            settings.put(tx, "large", "长" * 200_000)

    writer = GroupWriter(lite)
    with pytest.raises(Busy) as busy:
        await writer.run(work)
    await writer.close()
    assert "full" in str(busy.value.__cause__)
    assert stored(lite) == {}


async def test_closing_writes_what_waits(lite: Database) -> None:
    writer = GroupWriter(lite)
    held = Held(writer)
    await held.begin()
    waiting = [asyncio.ensure_future(writer.run(put(name))) for name in "abc"]
    await asyncio.sleep(0)
    closing = asyncio.ensure_future(writer.close())
    await asyncio.sleep(0)
    held.let_go()
    await closing
    assert await asyncio.gather(*waiting) == ["a", "b", "c"]
    with pytest.raises(Busy):
        await writer.run(put("too late"))
    assert stored(lite).keys() == {"a", "b", "c"}


async def test_more_than_can_wait_is_sent_away_at_once(lite: Database) -> None:
    writer = GroupWriter(lite, waiting=2)
    held = Held(writer)
    await held.begin()
    waiting = [asyncio.ensure_future(writer.run(put(name))) for name in "ab"]
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await writer.run(put("c"))
    held.let_go()
    assert await asyncio.gather(*waiting) == ["a", "b"]
    await writer.close()


async def test_who_hangs_up_disturbs_nobody(lite: Database) -> None:
    writer = GroupWriter(lite)
    held = Held(writer)
    await held.begin()
    gone, stays = (asyncio.ensure_future(writer.run(put(name))) for name in ("gone", "stays"))
    await asyncio.sleep(0)
    gone.cancel()
    held.let_go()
    assert await stays == "stays"
    await writer.close()
    assert stored(lite).keys() == {"gone", "stays"}, "what was handed over is done, heard or not"


def test_a_loop_that_has_closed_does_not_stop_the_writer(lite: Database) -> None:
    """The writer's thread died of it, and with it everybody else's work."""
    writer = GroupWriter(lite)
    begun, let_go = threading.Event(), threading.Event()

    def slow(_tx: Tx) -> None:
        begun.set()
        let_go.wait()

    async def ask_and_leave() -> None:
        asked = asyncio.ensure_future(writer.run(slow))
        await asyncio.to_thread(begun.wait)
        asked.cancel()

    asyncio.run(ask_and_leave())
    let_go.set()

    async def ask() -> str:
        answer = await writer.run(put("next"))
        await writer.close()
        return answer

    assert asyncio.run(ask()) == "next"


async def test_no_update_is_lost(either: Database) -> None:
    """SQLite's default transaction loses some of them in silence."""

    def one_more(tx: Tx) -> None:
        tx.lock("counter")
        settings.put(tx, "counter", str(int(settings.get(tx, "counter") or 0) + 1))

    writer = open_writer(either)
    await asyncio.gather(*(writer.run(one_more) for _ in range(60)))
    await writer.close()
    assert stored(either) == {"counter": "60"}


async def test_two_who_wait_for_each_other_are_both_served(post: Database) -> None:
    meeting, tries = threading.Barrier(2), {"a": 0, "b": 0}

    def work(mine: str, other: str) -> Callable[[Tx], None]:
        def both(tx: Tx) -> None:
            tries[mine] += 1
            for name in (mine, other):
                tx.run(
                    text("UPDATE setting SET value = value || :mine WHERE name = :name"), {"mine": mine, "name": name}
                )
                if tries[mine] == 1 and name == mine:
                    meeting.wait()

        return both

    writer = PoolWriter(post)
    await asyncio.gather(writer.run(put("a", "")), writer.run(put("b", "")))
    await asyncio.gather(writer.run(work("a", "b")), writer.run(work("b", "a")))
    await writer.close()
    assert min(tries.values()) == 1
    assert max(tries.values()) > 1, "one of them was undone by the database and tried again"
    assert {name: sorted(value) for name, value in stored(post).items()} == {"a": ["a", "b"], "b": ["a", "b"]}


@pytest.mark.parametrize(("losses", "tries"), [(2, 3), (99, 3)])
async def test_a_lost_connection_is_replaced(post: Database, losses: int, tries: int) -> None:
    tried = 0

    def work(tx: Tx) -> str:
        nonlocal tried
        tried += 1
        settings.put(tx, "kept", "x")
        if tried <= losses:
            tx.run(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return "done"

    writer = PoolWriter(post)
    if losses < tries:
        assert await writer.run(work) == "done"
    else:
        with pytest.raises(Busy):
            await writer.run(work)
    await writer.close()
    assert tried == tries
    assert stored(post) == ({"kept": "x"} if losses < tries else {})


async def test_a_mistake_is_not_tried_again(post: Database) -> None:
    tried = []

    def mistaken(tx: Tx) -> None:
        tried.append(1)
        tx.run(text("SELECT * FROM nowhere"))

    writer = PoolWriter(post)
    with pytest.raises(ProgrammingError):
        await writer.run(mistaken)
    await writer.close()
    assert tried == [1]


def test_trouble_is_the_databases_and_a_mistake_is_ours() -> None:
    assert is_trouble(sqlite3.OperationalError("database is locked"))
    assert not is_trouble(ValueError())
    with sqlite3.connect(":memory:") as memory, pytest.raises(sqlite3.OperationalError) as mistake:
        memory.execute("SELECT * FROM nowhere")
    memory.close()
    assert not is_trouble(mistake.value)
