"""The writer: many events, one commit – and nobody is answered before it."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from storage.database import Database, is_trouble
from storage.house import Tx

R = TypeVar("R")
Work = Callable[[Tx], R]


class Busy(Exception):
    """More waits than can be written soon, or nothing can be written now: ask again in two seconds."""


class Writer(Protocol):
    """Runs work in a transaction and returns once it is committed."""

    async def run(self, work: Work[R]) -> R: ...

    async def close(self) -> None: ...


class GroupWriter:
    """SQLite: one thread writes. All that waits shares one transaction; a mistake undoes only its own work.

    One fsync a commit is the limit of an ordinary disk, so a batch forms by itself while the last one is
    being committed, and costs nothing when the house is idle. The thread is woken when a turn of the loop brings
    nothing more: woken sooner, the two would take the interpreter from each other at every statement.
    """

    def __init__(self, database: Database, *, batch: int = 256, waiting: int = 10_000) -> None:
        self._database = database
        self._batch = batch
        self._most = waiting
        self._waiting: deque[tuple[Work[Any], asyncio.AbstractEventLoop, asyncio.Future[Any]]] = deque()
        self._wake = threading.Condition()
        self._gathering: set[asyncio.AbstractEventLoop] = set()
        self._closing = False
        self._connection: Connection | None = None
        self._thread = threading.Thread(target=self._write, name="writer", daemon=True)
        self._thread.start()

    async def run(self, work: Work[R]) -> R:
        """The result of the work, after its commit. Raises what the work raises, and Busy."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()
        with self._wake:
            if self._closing or len(self._waiting) >= self._most:
                raise Busy
            self._waiting.append((work, loop, future))
            if loop not in self._gathering:
                self._gathering.add(loop)
                loop.call_soon(self._gather, loop, len(self._waiting))
        return await future

    def _gather(self, loop: asyncio.AbstractEventLoop, before: int) -> None:
        """Wake the thread, unless this turn of the loop has brought more: then the next one may as well."""
        with self._wake:
            if before < (now := len(self._waiting)) < self._batch and not self._closing:
                loop.call_soon(self._gather, loop, now)
            else:
                self._gathering.discard(loop)
                self._wake.notify()

    async def close(self) -> None:
        """Write what waits, then stop."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        await asyncio.to_thread(self._thread.join)

    def _write(self) -> None:
        while True:
            with self._wake:
                while not self._waiting and not self._closing:
                    self._wake.wait()
                if not self._waiting:
                    break
                batch = [self._waiting.popleft() for _ in range(min(self._batch, len(self._waiting)))]
            outcomes = self._commit([work for work, _, _ in batch])
            by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
            for (_, loop, future), outcome in zip(batch, outcomes, strict=True):
                by_loop.setdefault(loop, []).append((future, outcome))
            for loop, settled in by_loop.items():
                with contextlib.suppress(RuntimeError):  # its loop has closed: nobody there waits any more
                    loop.call_soon_threadsafe(_settle, settled)
        if self._connection:
            self._connection.close()

    def _commit(self, works: list[Work[Any]]) -> list[tuple[bool, Any]]:
        """One transaction for all; where it fails as a whole, everybody is told to come again."""
        try:
            return self._together(works)
        except Exception as error:
            told = Busy() if is_trouble(error) else error
            told.__cause__ = error if told is not error else None
            return [(False, told)] * len(works)

    def _together(self, works: list[Work[Any]]) -> list[tuple[bool, Any]]:
        """Mistakes are rare and savepoints not free: where there is one, all begins anew, each in its own."""
        try:
            with self._transaction() as tx:
                return [(True, work(tx)) for work in works]
        except Exception as error:
            if is_trouble(error):
                raise
        with self._transaction() as tx:
            return [_apart(tx, work) for work in works]

    @contextmanager
    def _transaction(self) -> Iterator[Tx]:
        """As `Database.write`, on a connection that is kept: to take one and put it back costs as much as a tap."""
        connection, self._connection = self._connection or self._database.engine.connect(), None
        try:
            with connection.begin():
                yield Tx(connection, self._database.house)
        except BaseException:  # it may be broken, and is not used again
            connection.close()
            raise
        self._connection = connection


class PoolWriter:
    """PostgreSQL: a few connections, one transaction for each piece of work."""

    def __init__(self, database: Database, *, threads: int = 5, waiting: int = 10_000) -> None:
        self._database = database
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="writer")
        self._most = waiting
        self._count = 0

    async def run(self, work: Work[R]) -> R:
        """The result of the work, after its commit. Raises what the work raises, and Busy."""
        if self._count >= self._most:
            raise Busy
        self._count += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, self._commit, work)
        finally:
            self._count -= 1

    async def close(self) -> None:
        """Write what waits, then stop."""
        await asyncio.to_thread(self._pool.shutdown)

    def _commit(self, work: Work[R]) -> R:
        for attempt in (1, 2, 3):
            try:
                with self._database.write() as tx:
                    return work(tx)
            except OperationalError as error:  # a deadlock or a lost connection: nothing was written
                if attempt == 3 or not is_trouble(error):
                    raise Busy from error
                time.sleep(0.02 * attempt)  # let the other go first, or the two meet again
        raise Busy


def open_writer(database: Database) -> Writer:
    """The writer that suits the database."""
    return GroupWriter(database) if database.sqlite else PoolWriter(database)


def _apart(tx: Tx, work: Work[R]) -> tuple[bool, R | Exception]:
    """The outcome of work that is undone alone if it fails. Raises where it is the database that has failed."""
    try:
        with tx.savepoint():
            return True, work(tx)
    except Exception as error:
        if is_trouble(error):
            raise
        return False, error


def _settle(settled: list[tuple[asyncio.Future[Any], tuple[bool, Any]]]) -> None:
    for future, (well, value) in settled:
        if future.cancelled():
            continue
        if well:
            future.set_result(value)
        else:
            future.set_exception(value)
