"""Gauges: how much waits, and in which state is everything that was to be told?"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import col

from storage.campaigns import Campaign, Delivery
from storage.house import Tx


def deliveries(tx: Tx) -> dict[tuple[str, str], int]:
    """How many deliveries there are of each (channel, state)."""
    statement = select(col(Delivery.channel), col(Delivery.state), func.count())
    rows = tx.run(statement.group_by(col(Delivery.channel), col(Delivery.state)))
    return {(row[0], row[1]): row[2] for row in rows}


def waiting(tx: Tx, now: datetime) -> int:
    """Deliveries that are due and have not left."""
    due = (col(Delivery.state) == "queued", col(Delivery.due_at) <= now)
    return int(tx.run(select(func.count()).where(*due)).scalar_one())


def unexpanded(tx: Tx, now: datetime) -> int:
    """Campaigns that are due and whose deliveries are not all written."""
    due = (col(Campaign.state) == "waiting", col(Campaign.due_at) <= now)
    return int(tx.run(select(func.count()).where(*due)).scalar_one())
