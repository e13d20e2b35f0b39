"""Settings: single values that must survive a restart (a poll offset, the moment of a restore)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlmodel import Field, col

from storage.base import Table
from storage.house import Tx


class Setting(Table, table=True):
    name: str = Field(primary_key=True, max_length=40)
    value: str


def get(tx: Tx, name: str) -> str | None:
    return tx.run(select(col(Setting.value)).where(col(Setting.name) == name)).scalar_one_or_none()


def put(tx: Tx, name: str, value: str) -> None:
    tx.run(delete(Setting).where(col(Setting.name) == name))
    tx.run(insert(Setting).values(name=name, value=value))


def moment(tx: Tx, name: str) -> datetime | None:
    """A setting that is an instant."""
    kept = get(tx, name)
    return datetime.fromisoformat(kept) if kept else None
