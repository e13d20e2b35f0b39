"""House and Tx: whose installation this is, and one open transaction in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, CursorResult, Executable, text
from sqlalchemy.exc import DBAPIError

from storage.keys import Keys

BEIJING = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class House:
    """What is the same for everybody in this installation."""

    keys: Keys
    name: str = "贴心"
    zone: ZoneInfo = BEIJING
    language: str = "zh"
    public_url: str = "http://127.0.0.1:8080"
    policy: str = "open"
    rules: Path | None = None
    demo: bool = False
    """The demonstration: sign-in links may be used again, personas are shown. Loopback only."""


class Tx:
    """An open transaction. Desks take one and never open or end it."""

    __slots__ = ("connection", "house", "postgres")

    def __init__(self, connection: Connection, house: House) -> None:
        self.connection = connection
        self.house = house
        self.postgres = connection.dialect.name == "postgresql"

    def run(
        self, statement: Executable, values: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> CursorResult[*tuple[Any, ...]]:
        """Execute a statement; a sequence of values runs it once for each."""
        return self.connection.execute(statement, values)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """What fails inside is undone; what came before stands."""
        driver = self.connection.exec_driver_sql
        driver("SAVEPOINT here")
        try:
            yield
        except BaseException as error:
            try:
                driver("ROLLBACK TO SAVEPOINT here")
                driver("RELEASE SAVEPOINT here")
            except DBAPIError:  # a full disk has undone the whole transaction: that is what is to be told
                raise error from None
            raise
        driver("RELEASE SAVEPOINT here")

    def lock(self, *names: object) -> None:
        """Hold these until the end of the transaction (PostgreSQL; SQLite's single writer needs none)."""
        if self.postgres:
            key = int.from_bytes(self.house.keys.digest("lock", *names)[:8], "big", signed=True)
            self.connection.execute(_ADVISORY, {"key": key})


_ADVISORY = text("SELECT pg_advisory_xact_lock(:key)")
