"""House and Tx: whose installation this is, and one open transaction in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, CursorResult, Executable, text
from sqlalchemy.exc import DBAPIError

from bot.config import QuietHours
from bot.core.event import Address
from storage.keys import Keys
from storage.prepared import Prepared, Row

BEIJING = ZoneInfo("Asia/Shanghai")
ORDER = ("wecom", "wechat", "telegram", "email", "web")
CHANNELS = ORDER
Closed = Callable[["Tx", datetime, Sequence[Address]], Mapping[Address, str]]
"""Those of these addresses to which nothing can be sent now, each with the reason in a few English words."""


@dataclass(frozen=True)
class House:
    """What is the same for everybody in this installation."""

    keys: Keys
    name: str = "贴心"
    zone: ZoneInfo = BEIJING
    language: str = "zh"
    public_url: str = "http://127.0.0.1:8080"
    policy: str = "open"
    company_domains: frozenset[str] = frozenset()
    """Mail domains of the organisation's own, in small letters."""
    channels: tuple[str, ...] = CHANNELS
    """The channels that are switched on."""
    order: tuple[str, ...] = ORDER
    """In which order channels are tried for somebody who has chosen none."""
    silence: timedelta = timedelta(hours=24)
    """How long an answer is waited for before the next channel's turn comes."""
    closed: Mapping[str, Closed] = field(default_factory=dict)
    """By channel: to which addresses can nothing be sent now? A channel that is not in it takes everything."""
    pace: Mapping[str, float] = field(default_factory=dict)
    """Messages a second, by channel; a channel that is not in it takes them as fast as they come."""
    rules: Path | None = None
    operator: str = ""
    """员工号 of whoever is told when something breaks."""
    vouching: frozenset[str] = frozenset()
    """Channels that say who somebody is: their keys are employee numbers, given out by the company itself."""
    quiet_hours: QuietHours | None = None
    """Local hours in which nobody is reminded of anything."""
    reminders_a_week: int = 3
    """Reminders a person gets in seven days at the most; those that a Party regulation demands come all the same."""
    largest_file: int = 10 * 1024 * 1024
    """Bytes of a file that is handed in."""
    demo: bool = False
    """The demonstration: sign-in links may be used again, personas are shown. Loopback only."""

    def quiet_until(self, now: datetime) -> datetime | None:
        """When the quiet hours end in which a moment lies; None: it lies in none."""
        if self.quiet_hours is None or not self.quiet_hours.contain(now.astimezone(self.zone).time()):
            return None
        today = now.astimezone(self.zone).date()
        ends = (
            datetime.combine(today + timedelta(days=later), self.quiet_hours.end, tzinfo=self.zone).astimezone(UTC)
            for later in (0, 1)
        )
        return next(end for end in ends if end > now)


class Tx:
    """An open transaction. Desks take one and never open or end it."""

    __slots__ = ("_cursor", "_dialect", "_error", "connection", "house", "postgres")

    def __init__(self, connection: Connection, house: House) -> None:
        self.connection = connection
        self.house = house
        self._dialect = connection.dialect
        self.postgres = self._dialect.name == "postgresql"
        self._cursor = connection.connection.cursor()  # the driver's own, for what is prepared
        self._error: type[Exception] = connection.dialect.loaded_dbapi.Error

    def run(
        self, statement: Executable, values: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None
    ) -> CursorResult[*tuple[Any, ...]]:
        """Execute a statement; a sequence of values runs it once for each."""
        return self.connection.execute(statement, values)

    def rows(self, prepared: Prepared, **values: Any) -> list[Row]:
        """What a prepared statement finds or returns; nothing where it only writes."""
        plan = prepared.plans.get(self._dialect.name) or prepared.plan(self._dialect)  # six times a tap
        try:
            self._cursor.execute(plan.text, plan.parameters(values))
            return plan.rows(self._cursor.fetchall()) if plan.returns else []  # type: ignore[arg-type]  # both drivers give a list
        except self._error as error:
            raise self._told(plan.text, error) from error

    def row(self, prepared: Prepared, **values: Any) -> Row | None:
        """The first row that a prepared statement finds, if there is one."""
        found = self.rows(prepared, **values)
        return found[0] if found else None

    def many(self, prepared: Prepared, values: Iterable[Mapping[str, Any]]) -> None:
        """Run a prepared statement that only writes once for each of the values."""
        plan = prepared.plan(self._dialect)
        try:
            self._cursor.executemany(plan.text, [plan.parameters(one) for one in values])  # type: ignore[arg-type]  # all of one kind
        except self._error as error:
            raise self._told(plan.text, error) from error

    def savepoint(self) -> Savepoint:
        """What fails inside is undone; what came before stands."""
        return Savepoint(self._driver)

    def lock(self, *names: object) -> None:
        """Hold these until the end of the transaction (PostgreSQL; SQLite's single writer needs none)."""
        if self.postgres:
            key = int.from_bytes(self.house.keys.digest("lock", *names)[:8], "big", signed=True)
            self.connection.execute(_ADVISORY, {"key": key})

    def _driver(self, statement: str) -> None:
        try:
            self._cursor.execute(statement)
        except self._error as error:
            raise self._told(statement, error) from error

    def _told(self, statement: str, error: Exception) -> BaseException:
        """A driver's error as SQLAlchemy raises it, without values; a broken connection is not used again."""
        dialect = self.connection.dialect
        broken = dialect.is_disconnect(error, self._cursor.connection, self._cursor)  # type: ignore[arg-type]  # an Error of the driver
        if broken:
            self.connection.invalidate(error)
        return DBAPIError.instance(
            statement, None, error, self._error, hide_parameters=True, connection_invalidated=broken, dialect=dialect
        )


class Savepoint:
    """See `Tx.savepoint`. A class, because a generator in its place costs as much as the savepoint itself."""

    __slots__ = ("_driver",)

    def __init__(self, driver: Callable[[str], None]) -> None:
        self._driver = driver

    def __enter__(self) -> None:
        self._driver("SAVEPOINT here")

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if error is None:
            self._driver("RELEASE SAVEPOINT here")
            return
        with suppress(DBAPIError):  # a full disk has undone the whole transaction: the first error is to be told
            self._driver("ROLLBACK TO SAVEPOINT here")
            self._driver("RELEASE SAVEPOINT here")


_ADVISORY = text("SELECT pg_advisory_xact_lock(:key)")
