"""Windows: what may still be sent to whom, where a platform counts?

WeChat lets an account write to somebody only after they have done something, a few times, for a while (November
2026: 5 in 48 hours after a message; 3 in a minute after a menu tap, a follow or a scan). The numbers do not add up:
a sending counts against both, and the larger one decides. Templates have a number for each day, subscription
notices one for each person. An hour of a month may be spent on asking what can be asked here first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Executable, bindparam, case, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import Field, col

from bot.core.event import Address
from storage.base import Table
from storage.house import BEIJING, Tx
from storage.prepared import Prepared

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class SendWindow(Table, table=True):
    """What somebody did last at their address, by the platform's clock, and how many sendings that has left."""

    __tablename__ = "send_window"

    channel: str = Field(primary_key=True, max_length=20)
    key: str = Field(primary_key=True, max_length=120)
    said_at: datetime
    said_left: int
    tapped_at: datetime
    tapped_left: int
    moved_at: datetime
    """When they last followed or left."""


class SendCredit(Table, table=True):
    """How many subscription notices of a template somebody has asked for."""

    __tablename__ = "send_credit"

    channel: str = Field(primary_key=True, max_length=20)
    key: str = Field(primary_key=True, max_length=120)
    template: str = Field(primary_key=True, max_length=64)
    count: int


class SendPath(Table, table=True):
    """One of a platform's ways to send: how often it was taken today, and whether it is shut."""

    __tablename__ = "send_path"

    channel: str = Field(primary_key=True, max_length=20)
    path: str = Field(primary_key=True, max_length=20)
    day: date
    used: int
    shut_until: datetime
    reason: str = Field(max_length=60)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a platform allows after a message and after a tap: sendings, and for how long. Configuration."""

    said: int = 5
    said_for: timedelta = timedelta(hours=48)
    tapped: int = 3
    tapped_for: timedelta = timedelta(minutes=1)

    @property
    def said_safely(self) -> timedelta:
        """A little less: what leaves in the last moment arrives too late."""
        return self.said_for * 0.99

    @property
    def tapped_safely(self) -> timedelta:
        return self.tapped_for * 0.9


# -- what somebody did ---------------------------------------------------------------------


def _opening(at: str, left: str) -> Prepared:
    """Only something newer opens a window: what is brought twice, or late, does not fill it again."""

    def build(add: Callable[..., Any]) -> Executable:
        statement = add(SendWindow)
        built: Executable = statement.on_conflict_do_update(
            index_elements=["channel", "key"],
            set_={at: statement.excluded[at], left: statement.excluded[left]},
            where=col(getattr(SendWindow, at)) < statement.excluded[at],
        )
        return built

    columns = ["channel", "key", "said_at", "said_left", "tapped_at", "tapped_left", "moved_at"]
    return Prepared(build(sqlite_insert), postgres=build(postgres_insert), columns=columns)


_SAID = _opening("said_at", "said_left")
_TAPPED = _opening("tapped_at", "tapped_left")
_EMPTY = {"said_at": _NEVER, "said_left": 0, "tapped_at": _NEVER, "tapped_left": 0, "moved_at": _NEVER}


def said(tx: Tx, address: Address, at: datetime, allowance: Allowance) -> None:
    """They wrote a message."""
    new = {"said_at": at, "said_left": allowance.said}
    tx.rows(_SAID, channel=address.channel, key=address.key, **{**_EMPTY, **new})


def tapped(tx: Tx, address: Address, at: datetime, allowance: Allowance) -> None:
    """They tapped a menu or a choice, scanned a code, or began to follow."""
    new = {"tapped_at": at, "tapped_left": allowance.tapped}
    tx.rows(_TAPPED, channel=address.channel, key=address.key, **{**_EMPTY, **new})


def moved(tx: Tx, address: Address, at: datetime) -> bool:
    """They began to follow, or left. False: something newer is known, this came late or twice."""
    before = _look(tx, address)
    if before is not None and before.moved_at >= at:
        return False
    if before is None:
        tx.rows(_SAID, channel=address.channel, key=address.key, **_EMPTY)
    tx.run(update(SendWindow).where(*_at(address)).values(moved_at=at))
    return True


def last(tx: Tx, address: Address) -> datetime | None:
    """When they last wrote or tapped something."""
    row = _look(tx, address)
    return max(row.said_at, row.tapped_at) if row else None


def newest(tx: Tx, channel: str) -> datetime | None:
    """When anybody last wrote or tapped something on a channel."""
    statement = select(func.max(col(SendWindow.said_at)), func.max(col(SendWindow.tapped_at)))
    moments = tx.run(statement.where(col(SendWindow.channel) == channel)).one()
    return max((moment for moment in moments if moment), default=None)


# -- what may be sent ---------------------------------------------------------------------


def left(tx: Tx, now: datetime, address: Address, allowance: Allowance) -> int:
    """How many messages may be sent to this address now."""
    row = _look(tx, address)
    return max(_open(row, now, allowance).values(), default=0) if row else 0


def left_of_many(tx: Tx, now: datetime, channel: str, allowance: Allowance) -> dict[str, int]:
    """How many messages may be sent now to each key of a channel, where it is any at all."""
    since = min(now - allowance.said_safely, now - allowance.tapped_safely)
    recent = or_(col(SendWindow.said_at) > since, col(SendWindow.tapped_at) > now - allowance.tapped_safely)
    columns = (
        col(SendWindow.key), col(SendWindow.said_at), col(SendWindow.said_left), col(SendWindow.tapped_at),
        col(SendWindow.tapped_left), col(SendWindow.moved_at),
    )  # fmt: skip
    rows = tx.run(select(*columns).where(col(SendWindow.channel) == channel, recent))
    counts = {row[0]: max(_open(_Row(*row[1:]), now, allowance).values(), default=0) for row in rows}
    return {key: count for key, count in counts.items() if count}


_BOOK = Prepared(
    update(SendWindow)
    .where(col(SendWindow.channel) == bindparam("on"), col(SendWindow.key) == bindparam("whose"))
    .values(said_left=bindparam("said"), tapped_left=bindparam("tapped"))
)


def book(tx: Tx, now: datetime, address: Address, allowance: Allowance) -> bool:
    """Take one sending, from every window that is open. False: there is none."""
    tx.lock("send window", address)
    row = _look(tx, address)
    if row is None or max((windows := _open(row, now, allowance)).values(), default=0) < 1:
        return False
    said, tapped = windows.get("said_left", row.said_left + 1), windows.get("tapped_left", row.tapped_left + 1)
    tx.rows(_BOOK, on=address.channel, whose=address.key, said=max(said - 1, 0), tapped=max(tapped - 1, 0))
    return True


def give_back(tx: Tx, address: Address, allowance: Allowance) -> None:
    """A sending that was booked was refused, and does not count."""
    said_left, tapped_left = col(SendWindow.said_left), col(SendWindow.tapped_left)
    tx.run(
        update(SendWindow)
        .where(*_at(address))
        .values(
            said_left=case((said_left < allowance.said, said_left + 1), else_=said_left),
            tapped_left=case((tapped_left < allowance.tapped, tapped_left + 1), else_=tapped_left),
        )
    )


def close(tx: Tx, address: Address) -> None:
    """Nothing more may be sent there: the platform says so, or they have left."""
    tx.run(update(SendWindow).where(*_at(address)).values(said_left=0, tapped_left=0))


@dataclass(frozen=True, slots=True)
class _Row:
    said_at: datetime
    said_left: int
    tapped_at: datetime
    tapped_left: int
    moved_at: datetime


_LOOK = Prepared(
    select(
        col(SendWindow.said_at), col(SendWindow.said_left), col(SendWindow.tapped_at), col(SendWindow.tapped_left),
        col(SendWindow.moved_at),
    ).where(col(SendWindow.channel) == bindparam("channel"), col(SendWindow.key) == bindparam("key"))
)  # fmt: skip


def _look(tx: Tx, address: Address) -> _Row | None:
    found = tx.row(_LOOK, channel=address.channel, key=address.key)
    return _Row(*found) if found else None


def _at(address: Address) -> tuple[Any, Any]:
    return col(SendWindow.channel) == address.channel, col(SendWindow.key) == address.key


def _open(row: _Row, now: datetime, allowance: Allowance) -> Mapping[str, int]:
    """The windows that are open, and what is left of each."""
    windows = {}
    if now < row.said_at + allowance.said_safely:
        windows["said_left"] = row.said_left
    if now < row.tapped_at + allowance.tapped_safely:
        windows["tapped_left"] = row.tapped_left
    return windows


# -- credits ---------------------------------------------------------------------


def credits_of(tx: Tx, address: Address, template: str) -> int:
    """How many notices of this template they have asked for and not got."""
    statement = select(col(SendCredit.count)).where(*_credit(address, template))
    return tx.run(statement).scalar_one_or_none() or 0


def creditors(tx: Tx, channel: str, template: str) -> set[str]:
    """The keys of those who have asked for one."""
    statement = select(col(SendCredit.key)).where(
        col(SendCredit.channel) == channel, col(SendCredit.template) == template, col(SendCredit.count) > 0
    )
    return set(tx.run(statement).scalars())


def add_credit(tx: Tx, address: Address, template: str) -> None:
    """They asked for one."""
    add = postgres_insert if tx.postgres else sqlite_insert
    statement = add(SendCredit).values(channel=address.channel, key=address.key, template=template, count=1)
    more = {"count": col(SendCredit.count) + 1}
    tx.run(statement.on_conflict_do_update(index_elements=["channel", "key", "template"], set_=more))


def use_credit(tx: Tx, address: Address, template: str) -> bool:
    """Take one. False: there is none."""
    statement = update(SendCredit).where(*_credit(address, template), col(SendCredit.count) > 0)
    return tx.run(statement.values(count=col(SendCredit.count) - 1)).rowcount > 0


def drop_credits(tx: Tx, address: Address, template: str) -> None:
    """They want no more, or the platform knows of none."""
    tx.run(delete(SendCredit).where(*_credit(address, template)))


def _credit(address: Address, template: str) -> tuple[Any, Any, Any]:
    return (
        col(SendCredit.channel) == address.channel,
        col(SendCredit.key) == address.key,
        col(SendCredit.template) == template,
    )


# -- paths ---------------------------------------------------------------------

_THIS = (col(SendPath.channel) == bindparam("on"), col(SendPath.path) == bindparam("which"))
_PATH = Prepared(select(col(SendPath.day), col(SendPath.used), col(SendPath.shut_until)).where(*_THIS))


def _putting(*columns: str) -> Prepared:
    """A new row, or these columns into the one that is there."""

    def build(add: Callable[..., Any]) -> Executable:
        statement = add(SendPath)
        new = {name: statement.excluded[name] for name in columns}
        built: Executable = statement.on_conflict_do_update(index_elements=["channel", "path"], set_=new)
        return built

    every = ["channel", "path", "day", "used", "shut_until", "reason"]
    return Prepared(build(sqlite_insert), postgres=build(postgres_insert), columns=every)


_USE, _SHUT = _putting("day", "used"), _putting("shut_until", "reason")
_ALL_SHUT = Prepared(
    select(col(SendPath.path), col(SendPath.shut_until), col(SendPath.reason)).where(
        col(SendPath.channel) == bindparam("on"), col(SendPath.shut_until) > bindparam("now")
    )
)


def take(tx: Tx, now: datetime, channel: str, path: str, most: int) -> bool:
    """Take one sending of today's on a path. False: it is shut, or today's are used up."""
    tx.lock("send path", channel, path)
    used, until = _path(tx, now, channel, path)
    if until > now or used >= most:
        return False
    tx.rows(_USE, channel=channel, path=path, day=_day(now), used=used + 1, shut_until=_NEVER, reason="")
    return True


def used(tx: Tx, now: datetime, channel: str, path: str) -> int:
    """How often a path was taken today."""
    return _path(tx, now, channel, path)[0]


def shut(tx: Tx, channel: str, path: str, until: datetime, reason: str) -> None:
    """Take this path no more before then."""
    tx.rows(_SHUT, channel=channel, path=path, day=date.min, used=0, shut_until=until, reason=reason[:60])


def shut_paths(tx: Tx, now: datetime, channel: str) -> dict[str, tuple[datetime, str]]:
    """The paths that are shut: until when, and why."""
    return {path: (until, reason) for path, until, reason in tx.rows(_ALL_SHUT, on=channel, now=now)}


def tomorrow(now: datetime) -> datetime:
    """When the platform's next day begins."""
    return datetime.combine(_day(now) + timedelta(days=1), datetime.min.time(), BEIJING)


def _day(now: datetime) -> date:
    return now.astimezone(BEIJING).date()


def _path(tx: Tx, now: datetime, channel: str, path: str) -> tuple[int, datetime]:
    row = tx.row(_PATH, on=channel, which=path)
    if row is None:
        return 0, _NEVER
    return (row[1] if row[0] == _day(now) else 0), row[2]
