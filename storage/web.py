"""Web: sessions, sign-in links, and what stands in each web chat."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlmodel import Field, Index, UniqueConstraint, col

from storage.base import Table
from storage.house import Tx


class WebSession(Table, table=True):
    """A browser that is signed in (or a guest's), by a digest of its cookie."""

    __tablename__ = "web_session"

    digest: bytes = Field(primary_key=True)
    key: str = Field(max_length=60, index=True)
    """The chat it shows: `p<person id>`, or `g…` of a guest."""
    device: str = Field(default="", max_length=120)
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None


class WebLink(Table, table=True):
    """A signed link, by a digest of its token."""

    __tablename__ = "web_link"

    digest: bytes = Field(primary_key=True)
    person_id: int = Field(foreign_key="person.id", index=True)
    path: str = Field(default="/chat", max_length=200)
    expires_at: datetime
    used_at: datetime | None = None
    reusable: bool = False


class WebMessage(Table, table=True):
    """A line of a web chat: `body` is sealed JSON {text, keys, toast}."""

    __tablename__ = "web_message"
    __table_args__ = (
        UniqueConstraint("key", "event_id"),
        Index("ix_web_message_chat", "key", "id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(max_length=60)
    event_id: str = Field(max_length=80)
    mine: bool
    """Written by the person, not by Tiexin."""
    body: bytes
    at: datetime
    version: int = 0
    """Grows with each revision, over all messages of the house, so that a browser can ask what has changed."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a chat."""

    id: int
    version: int
    mine: bool
    body: dict[str, Any]
    at: datetime


def add_session(tx: Tx, digest: bytes, key: str, now: datetime, expires_at: datetime, device: str) -> None:
    tx.run(
        insert(WebSession).values(digest=digest, key=key, device=device[:120], created_at=now, expires_at=expires_at)
    )


def session_key(tx: Tx, digest: bytes, now: datetime) -> str | None:
    """The chat a session shows, while it lasts."""
    statement = select(col(WebSession.key)).where(
        col(WebSession.digest) == digest, col(WebSession.ended_at).is_(None), col(WebSession.expires_at) > now
    )
    return tx.run(statement).scalar_one_or_none()


def sessions(tx: Tx, key: str, now: datetime) -> list[tuple[bytes, str, datetime]]:
    """(digest, device, since) of the sessions that show a chat."""
    statement = select(col(WebSession.digest), col(WebSession.device), col(WebSession.created_at)).where(
        col(WebSession.key) == key, col(WebSession.ended_at).is_(None), col(WebSession.expires_at) > now
    )
    return [tuple(row) for row in tx.run(statement.order_by(col(WebSession.created_at)))]


def end_sessions(tx: Tx, now: datetime, *, key: str | None = None, digest: bytes | None = None) -> int:
    """End one session, those of a chat, or everybody's."""
    statement = update(WebSession).where(col(WebSession.ended_at).is_(None))
    if key is not None:
        statement = statement.where(col(WebSession.key) == key)
    if digest is not None:
        statement = statement.where(col(WebSession.digest) == digest)
    return tx.run(statement.values(ended_at=now)).rowcount


def move_session(tx: Tx, old: str, new: str) -> None:
    """A guest has been bound: their browser now shows the person's chat."""
    tx.run(update(WebSession).where(col(WebSession.key) == old).values(key=new))
    tx.run(delete(WebMessage).where(col(WebMessage.key) == old))


def add_link(
    tx: Tx,
    digest: bytes,
    person_id: int,
    expires_at: datetime,
    *,
    path: str = "/chat",
    reusable: bool = False,
) -> None:
    tx.run(
        insert(WebLink).values(
            digest=digest, person_id=person_id, path=path, expires_at=expires_at, reusable=reusable
        )
    )


def see_link(tx: Tx, digest: bytes, now: datetime) -> tuple[int, str] | None:
    """(person, path) of a link that is still good; changes nothing."""
    statement = select(col(WebLink.person_id), col(WebLink.path)).where(
        col(WebLink.digest) == digest, col(WebLink.used_at).is_(None), col(WebLink.expires_at) > now
    )
    row = tx.run(statement).one_or_none()
    return (row.person_id, row.path) if row else None


def use_link(tx: Tx, digest: bytes, now: datetime) -> tuple[int, str] | None:
    """Use a link up. The demonstration's stay good."""
    seen = see_link(tx, digest, now)
    if seen is None:
        return None
    tx.run(update(WebLink).where(col(WebLink.digest) == digest, ~col(WebLink.reusable)).values(used_at=now))
    return seen


def revoke_links(tx: Tx, now: datetime) -> int:
    return tx.run(
        update(WebLink).where(col(WebLink.used_at).is_(None), col(WebLink.expires_at) > now).values(expires_at=now)
    ).rowcount


def _next_version(tx: Tx) -> int:
    tx.lock("web_message", "version")
    return int(tx.run(select(func.coalesce(func.max(col(WebMessage.version)), 0))).scalar_one()) + 1


def add_line(tx: Tx, now: datetime, key: str, event_id: str, body: dict[str, Any], *, mine: bool = False) -> int:
    """Write a line into a chat; its id. The same event twice writes it once."""
    seen = select(col(WebMessage.id)).where(col(WebMessage.key) == key, col(WebMessage.event_id) == event_id)
    known = tx.run(seen).scalar_one_or_none()
    if known is not None:
        return int(known)
    sealed = tx.house.keys.seal(json.dumps(body, ensure_ascii=False))
    statement = insert(WebMessage).values(
        key=key, event_id=event_id, mine=mine, body=sealed, at=now, version=_next_version(tx)
    )
    return int(tx.run(statement.returning(col(WebMessage.id))).scalar_one())


def revise_line(tx: Tx, line_id: int, body: dict[str, Any]) -> None:
    sealed = tx.house.keys.seal(json.dumps(body, ensure_ascii=False))
    tx.run(update(WebMessage).where(col(WebMessage.id) == line_id).values(body=sealed, version=_next_version(tx)))


_LINE = select(
    col(WebMessage.id),
    col(WebMessage.version),
    col(WebMessage.mine),
    col(WebMessage.body),
    col(WebMessage.at),
)


def lines(tx: Tx, key: str, *, after: int = 0, limit: int = 100) -> list[Line]:
    """The latest lines of a chat that are new or changed since a version, in the order they were written."""
    statement = _LINE.where(col(WebMessage.key) == key, col(WebMessage.version) > after)
    rows = tx.run(statement.order_by(col(WebMessage.id).desc()).limit(limit)).all()
    return [Line(r.id, r.version, r.mine, json.loads(tx.house.keys.open(r.body)), r.at) for r in reversed(rows)]


def line(tx: Tx, key: str, line_id: int) -> Line | None:
    row = tx.run(_LINE.where(col(WebMessage.key) == key, col(WebMessage.id) == line_id)).one_or_none()
    return Line(row.id, row.version, row.mine, json.loads(tx.house.keys.open(row.body)), row.at) if row else None


def purge(tx: Tx, now: datetime, before: datetime) -> None:
    """Remove lines written before a moment, and sessions and links that are over."""
    tx.run(delete(WebMessage).where(col(WebMessage.at) < before))
    tx.run(delete(WebLink).where(col(WebLink.expires_at) < now))
    tx.run(delete(WebSession).where(col(WebSession.expires_at) < now))
