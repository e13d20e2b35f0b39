"""Web: sessions, sign-in links, and what stands in each web chat."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, delete, func, insert, or_, select, update
from sqlmodel import Field, Index, UniqueConstraint, col

from storage.base import Table
from storage.house import Tx
from storage.prepared import Prepared


class WebSession(Table, table=True):
    """A browser that is signed in (or a guest's), by a digest of its cookie."""

    __tablename__ = "web_session"

    digest: bytes = Field(primary_key=True)
    key: str = Field(max_length=60, index=True)
    """The chat it shows: `p<person id>`, or `g…` of a guest."""
    device: str = Field(default="", max_length=120)
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None = Field(default=None, index=True)


class WebLink(Table, table=True):
    """A signed link, by a digest of its token."""

    __tablename__ = "web_link"

    digest: bytes = Field(primary_key=True)
    person_id: int = Field(foreign_key="person.id", index=True)
    path: str = Field(default="/chat", max_length=200)
    expires_at: datetime
    used_at: datetime | None = None
    reusable: bool = False
    body: bytes | None = None
    """What stands in the chat once the link has been used; sealed, as a line's."""


class WebMessage(Table, table=True):
    """A line of a web chat: `body` is sealed JSON, written and read by bot.adapters.web."""

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
    version: int = Field(default=0, index=True)
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


@dataclass(frozen=True, slots=True)
class Seen:
    """A session that was begun once; `over`: it has ended or expired."""

    key: str
    over: bool


def session(tx: Tx, digest: bytes, now: datetime) -> Seen | None:
    """The session of a cookie; None: nobody has begun one with it."""
    statement = select(col(WebSession.key), col(WebSession.ended_at), col(WebSession.expires_at))
    row = tx.run(statement.where(col(WebSession.digest) == digest)).one_or_none()
    return Seen(row.key, row.ended_at is not None or row.expires_at <= now) if row else None


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


def link_digest(tx: Tx, token: str) -> bytes:
    """What a link's token is remembered by."""
    return tx.house.keys.digest("web link", token)


@dataclass(frozen=True, slots=True)
class Link:
    """Whom a link signs in, where it leads, and what it brings into their chat."""

    person_id: int
    path: str
    body: dict[str, Any] | None


_ADD_LINK = Prepared(
    insert(WebLink), columns=["digest", "person_id", "path", "expires_at", "reusable", "used_at", "body"]
)


def add_link(tx: Tx, token: str, person_id: int, expires_at: datetime, *, path: str = "/chat",
             body: dict[str, Any] | None = None, reusable: bool = False) -> None:  # fmt: skip
    """A link `/l/TOKEN` by which a person signs in once, and then is shown `path`."""
    sealed = tx.house.keys.seal(json.dumps(body, ensure_ascii=False)) if body else None
    tx.rows(_ADD_LINK, digest=link_digest(tx, token), person_id=person_id, path=path, expires_at=expires_at,
            reusable=reusable, used_at=None, body=sealed)  # fmt: skip


def see_link(tx: Tx, digest: bytes, now: datetime) -> Link | None:
    """A link that is still good; changes nothing."""
    statement = select(col(WebLink.person_id), col(WebLink.path), col(WebLink.body)).where(
        col(WebLink.digest) == digest, col(WebLink.used_at).is_(None), col(WebLink.expires_at) > now
    )
    row = tx.run(statement).one_or_none()
    if row is None:
        return None
    return Link(row.person_id, row.path, json.loads(tx.house.keys.open(row.body)) if row.body else None)


def any_link(tx: Tx, digest: bytes) -> tuple[Link, bool] | None:
    """A link, also one that is over, and whether it has been used; None: there was none, or long ago."""
    statement = select(col(WebLink.person_id), col(WebLink.path), col(WebLink.body), col(WebLink.used_at)).where(
        col(WebLink.digest) == digest, col(WebLink.reusable).is_(False)
    )
    row = tx.run(statement).one_or_none()
    if row is None:
        return None
    body = json.loads(tx.house.keys.open(row.body)) if row.body else None
    return Link(row.person_id, row.path, body), row.used_at is not None


def use_link(tx: Tx, digest: bytes, now: datetime, *, again: bool = False) -> Link | None:
    """Use a link up; None where it is no longer good (two who race: one wins).

    `again`: the demonstration's reusable links are good here, and stay so.
    """
    tx.lock("web_link", digest.hex())
    seen = see_link(tx, digest, now)
    if seen is None:
        return None
    reusable = tx.run(select(col(WebLink.reusable)).where(col(WebLink.digest) == digest)).scalar_one()
    if reusable:
        return seen if again else None
    tx.run(update(WebLink).where(col(WebLink.digest) == digest).values(used_at=now))
    return seen


def revoke_links(tx: Tx, now: datetime) -> int:
    return tx.run(
        update(WebLink).where(col(WebLink.used_at).is_(None), col(WebLink.expires_at) > now).values(expires_at=now)
    ).rowcount


def version(tx: Tx) -> int:
    """The newest version of any line."""
    return int(tx.run(select(func.coalesce(func.max(col(WebMessage.version)), 0))).scalar_one())


def _next_version(tx: Tx) -> int:
    tx.lock("web_message", "version")  # held until the commit, so that versions appear in their order
    return version(tx) + 1


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


def of_event(tx: Tx, key: str, event_id: str) -> list[Line]:
    """What an event has written into a chat: the person's own words under its id, answers under `id:…`."""
    its = or_(
        col(WebMessage.event_id) == event_id, col(WebMessage.event_id).startswith(f"{event_id}:", autoescape=True)
    )
    rows = tx.run(_LINE.where(col(WebMessage.key) == key, its).order_by(col(WebMessage.id)))
    return [Line(r.id, r.version, r.mine, json.loads(tx.house.keys.open(r.body)), r.at) for r in rows]


def changed(tx: Tx, after: int) -> set[str]:
    """The chats that have changed since a version."""
    return set(tx.run(select(col(WebMessage.key)).where(col(WebMessage.version) > after).distinct()).scalars())


def ended(tx: Tx, since: datetime) -> set[str]:
    """The chats of which a session was ended since a moment."""
    return set(tx.run(select(col(WebSession.key)).where(col(WebSession.ended_at) >= since)).scalars())


KEEP = timedelta(days=365)
"""How long a line stands in a person's chat."""
KEEP_GUESTS = timedelta(days=2)
KEEP_LINKS = timedelta(days=7)
"""How long a link is known after it is over, so that another can be sent in its place."""


def purge(tx: Tx, now: datetime) -> None:
    """Remove what has stood long enough: lines, those of guests early, and sessions and links that are over."""
    guests = and_(col(WebMessage.key).startswith("g"), col(WebMessage.at) < now - KEEP_GUESTS)
    tx.run(delete(WebMessage).where(or_(guests, col(WebMessage.at) < now - KEEP)))
    tx.run(delete(WebLink).where(col(WebLink.expires_at) < now - KEEP_LINKS))
    tx.run(delete(WebSession).where(col(WebSession.expires_at) < now))
