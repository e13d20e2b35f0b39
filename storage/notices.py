"""Notices: what was written, for whom, and who has confirmed it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import Field, col

from storage.base import Table
from storage.campaigns import Delivery
from storage.house import Tx


class Notice(Table, table=True):
    id: int | None = Field(default=None, primary_key=True)
    organisation_id: int = Field(foreign_key="organisation.id", index=True)
    author_id: int | None = Field(default=None, foreign_key="person.id")
    author_name: str = Field(max_length=60)
    title: str = Field(max_length=200)
    body: str
    scope: str
    ask_ack: bool
    at: datetime
    created_at: datetime
    cancelled_at: datetime | None = None


class NoticeAck(Table, table=True):
    __tablename__ = "notice_ack"

    notice_id: int = Field(foreign_key="notice.id", primary_key=True)
    person_id: int = Field(foreign_key="person.id", primary_key=True)
    at: datetime
    channel: str = Field(max_length=20)


@dataclass(frozen=True, slots=True)
class Written:
    """A notice."""

    id: int
    organisation_id: int
    author_id: int | None
    author_name: str
    title: str
    body: str
    scope: str
    ask_ack: bool
    at: datetime
    cancelled_at: datetime | None


_NOTICE = select(*(col(getattr(Notice, name)) for name in Written.__slots__))


def add(tx: Tx, now: datetime, **values: Any) -> int:
    statement = insert(Notice).values(**values, created_at=now).returning(col(Notice.id))
    return int(tx.run(statement).scalar_one())


def get(tx: Tx, notice_id: int) -> Written | None:
    row = tx.run(_NOTICE.where(col(Notice.id) == notice_id)).one_or_none()
    return Written(*row) if row else None


def listed(tx: Tx, organisation_ids: Sequence[int] | None = None, *, limit: int = 50) -> list[Written]:
    """Notices, newest first."""
    statement = _NOTICE.order_by(col(Notice.id).desc()).limit(limit)
    if organisation_ids is not None:
        statement = statement.where(col(Notice.organisation_id).in_(list(organisation_ids)))
    return [Written(*row) for row in tx.run(statement)]


def received(tx: Tx, person_id: int, campaign_ids: Sequence[int]) -> set[int]:
    """Which of these campaigns have a delivery for this person."""
    statement = select(col(Delivery.campaign_id)).where(
        col(Delivery.person_id) == person_id, col(Delivery.campaign_id).in_(list(campaign_ids))
    )
    return set(tx.run(statement.distinct()).scalars())


def acknowledge(tx: Tx, now: datetime, notice_id: int, person_id: int, channel: str) -> bool:
    """Confirm; whether it was the first time."""
    add_once = postgres_insert if tx.postgres else sqlite_insert
    statement = add_once(NoticeAck).values(notice_id=notice_id, person_id=person_id, at=now, channel=channel)
    return bool(tx.run(statement.on_conflict_do_nothing()).rowcount)


def acknowledgements(tx: Tx, notice_id: int) -> dict[int, datetime]:
    """Who has confirmed, and when."""
    statement = select(col(NoticeAck.person_id), col(NoticeAck.at)).where(col(NoticeAck.notice_id) == notice_id)
    return {row.person_id: row.at for row in tx.run(statement)}


def cancel(tx: Tx, now: datetime, notice_id: int) -> None:
    tx.run(update(Notice).where(col(Notice.id) == notice_id).values(cancelled_at=now))
