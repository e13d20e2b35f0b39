"""Tokens: which access token does an account's API take now, and who may fetch the next one?

A platform gives one token to a whole installation, and a new one ends the old. So it is kept here for all processes,
sealed, and whoever may fetch the next one holds a lease: nobody waits inside a transaction for a platform's answer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlmodel import Field, col

from storage.base import Table
from storage.house import Tx
from storage.prepared import upsert

LEASE = timedelta(seconds=10)
"""How long somebody may take to fetch a token; more than twice what its fetch is given."""
FORCE_APART = timedelta(minutes=75)
"""Between two forced tokens: WeChat allows 20 a day (November 2026)."""
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class ApiToken(Table, table=True):
    __tablename__ = "api_token"

    name: str = Field(primary_key=True, max_length=120)
    token: bytes | None = None
    """Sealed; none: it was refused, or there was none yet."""
    expires_at: datetime
    owner: str = Field(default="", max_length=40)
    lease_until: datetime
    dropped: bytes = b""
    """A digest of the token that was refused last."""
    came_back: bool = False
    """Whether the platform, asked for another, gave that same one again: then a new one has to be forced."""
    forced_at: datetime


@dataclass(frozen=True, slots=True)
class _Kept:
    token: bytes | None = None
    expires_at: datetime = _NEVER
    owner: str = ""
    lease_until: datetime = _NEVER
    dropped: bytes = b""
    came_back: bool = False
    forced_at: datetime = _NEVER


@dataclass(frozen=True, slots=True)
class Found:
    """A token and its end; or, where there is none, whether the asker may fetch it, and has to force a new one."""

    token: str | None
    expires_at: datetime
    mine: bool = False
    force: bool = False


_COLUMNS = ("token", "expires_at", "owner", "lease_until", "dropped", "came_back", "forced_at")
_LOOK = select(*(col(getattr(ApiToken, name)) for name in _COLUMNS))
_KEEP = upsert(ApiToken, ["name"], *_COLUMNS)


def find(tx: Tx, now: datetime, name: str, owner: str) -> Found:
    """The token of an account, or else the right to fetch one, for `LEASE`, unless somebody else has it."""
    kept = _look(tx, name)
    if kept.token is not None and kept.expires_at > now:
        return Found(tx.house.keys.open(kept.token), kept.expires_at)
    if kept.lease_until > now and kept.owner != owner:
        return Found(None, now)
    force = kept.came_back and now - kept.forced_at >= FORCE_APART
    _keep(tx, name, replace(kept, owner=owner, lease_until=now + LEASE))
    return Found(None, now, mine=True, force=force)


def keep(tx: Tx, now: datetime, name: str, token: str, expires_at: datetime, *, forced: bool) -> None:
    """A token was fetched: it is everybody's, and the lease is over."""
    kept = _look(tx, name)
    _keep(tx, name, replace(
        kept, token=tx.house.keys.seal(token), expires_at=expires_at, owner="", lease_until=_NEVER,
        came_back=_digest(tx, token) == kept.dropped, forced_at=now if forced else kept.forced_at,
    ))  # fmt: skip


def release(tx: Tx, name: str, owner: str) -> None:
    """None was fetched: the next may try."""
    kept = _look(tx, name)
    if kept.owner == owner:
        _keep(tx, name, replace(kept, owner="", lease_until=_NEVER))


def drop(tx: Tx, name: str, token: str) -> None:
    """This token was refused. Another, that somebody has fetched meanwhile, stands."""
    kept = _look(tx, name)
    if kept.token is not None and tx.house.keys.open(kept.token) == token:
        _keep(tx, name, replace(kept, token=None, dropped=_digest(tx, token)))


def _digest(tx: Tx, token: str) -> bytes:
    return tx.house.keys.digest("api token", token)[:16]


def _look(tx: Tx, name: str) -> _Kept:
    tx.lock("api token", name)
    row = tx.run(_LOOK.where(col(ApiToken.name) == name)).one_or_none()
    return _Kept(*row) if row else _Kept()


def _keep(tx: Tx, name: str, kept: _Kept) -> None:
    tx.rows(_KEEP, name=name, **{column: getattr(kept, column) for column in _COLUMNS})
