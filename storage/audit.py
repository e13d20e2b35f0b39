"""Audit: who decided what, when."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, insert, select
from sqlmodel import Field, col

from storage.base import Table
from storage.house import Tx


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is responsible for a decision: a person, or the operator at the command line (`person_id` None)."""

    person_id: int | None
    name: str
    via: str
    """`chat` or `cli`."""

    @property
    def is_operator(self) -> bool:
        return self.person_id is None and self.via == "cli"


OPERATOR = Actor(None, "operator", "cli")


class AuditEvent(Table, table=True):
    __tablename__ = "audit_event"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(index=True)
    person_id: int | None = None
    name: str
    via: str
    action: str = Field(index=True)
    subject: str
    details: str = "{}"


def record(tx: Tx, now: datetime, actor: Actor, action: str, subject: str, **details: object) -> None:
    """Write it down. Details are names and numbers of things, never a secret, a choice or a text."""
    tx.run(
        insert(AuditEvent).values(
            at=now, person_id=actor.person_id, name=actor.name, via=actor.via, action=action, subject=subject,
            details=json.dumps(details, ensure_ascii=False, default=str),
        )
    )  # fmt: skip


def log(tx: Tx, *, limit: int = 100, action: str = "") -> list[dict[str, object]]:
    """The latest entries, newest first."""
    statement = select(AuditEvent.__table__).order_by(col(AuditEvent.id).desc()).limit(limit)  # type: ignore[attr-defined]  # SQLModel does not declare it
    if action:
        statement = statement.where(col(AuditEvent.action).startswith(action, autoescape=True))
    return [{**row, "details": json.loads(row["details"])} for row in tx.run(statement).mappings()]


def first_by_name(tx: Tx, action: str, subject: str) -> list[tuple[str, datetime]]:
    """Who did something to a thing, by name, and when first."""
    statement = (
        select(col(AuditEvent.name), func.min(col(AuditEvent.at)))
        .where(col(AuditEvent.action) == action, col(AuditEvent.subject) == subject)
        .group_by(col(AuditEvent.person_id), col(AuditEvent.name))
    )
    return sorted(((row[0], row[1]) for row in tx.run(statement)), key=lambda one: one[1])
