"""Receipts: what did a platform say later about a message that it had taken?

It names the message by its own id, and may do so before it has told us that id, late, twice or never.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, func, select, update
from sqlmodel import Field, col

from bot.core.event import Address
from storage import addresses, standby
from storage.base import Table
from storage.campaigns import Delivery
from storage.house import Tx
from storage.prepared import Prepared, upsert

KEEP = timedelta(days=3)
"""How long a receipt may be late; nobody has seen one that was."""
TRIES = 3
"""Sendings of one message before it is given up."""


class Receipt(Table, table=True):
    channel: str = Field(primary_key=True, max_length=20)
    ref: str = Field(primary_key=True, max_length=60)
    """The platform's own id of the message."""
    delivery_id: int = Field(default=0, index=True)
    """0: we have not been told yet which that is."""
    status: str = Field(default="", max_length=60)
    """Empty: nothing has been said yet."""
    at: datetime = Field(index=True)


_LOOK = Prepared(
    select(col(Receipt.delivery_id), col(Receipt.status)).where(
        col(Receipt.channel) == bindparam("channel"), col(Receipt.ref) == bindparam("ref")
    )
)
_KEEP = upsert(Receipt, ["channel", "ref"], "delivery_id", "status", "at")

DELIVERED, REFUSED, FAILED = "delivered", "refused", "failed"
"""What a receipt says: it is there · its reader wants none · the platform could not, and it may be tried again."""


def sent(tx: Tx, now: datetime, channel: str, ref: str, delivery_id: int) -> None:
    """The platform took a delivery under this id. What it said of it before that counts now."""
    _, status = _look(tx, channel, ref)
    tx.rows(_KEEP, channel=channel, ref=ref, delivery_id=delivery_id, status=status, at=now)
    if status:
        _settle(tx, now, delivery_id, status)


def arrived(tx: Tx, now: datetime, channel: str, ref: str, status: str) -> None:
    """The platform says what became of it. The second time changes nothing."""
    delivery_id, before = _look(tx, channel, ref)
    if before:
        return
    tx.run(delete(Receipt).where(col(Receipt.at) < now - KEEP))
    tx.rows(_KEEP, channel=channel, ref=ref, delivery_id=delivery_id, status=status, at=now)
    if delivery_id:
        _settle(tx, now, delivery_id, status)


def first(tx: Tx, now: datetime, channel: str, address: Address, event_id: str) -> bool:
    """Whether we are told something for the first time that counts each time it is told."""
    ref = tx.house.keys.digest("told", address, event_id).hex()[:32]
    if _look(tx, channel, ref)[1]:
        return False
    tx.rows(_KEEP, channel=channel, ref=ref, delivery_id=0, status="told", at=now)
    return True


_FAILURES = Prepared(
    select(func.count()).where(
        col(Receipt.channel) == bindparam("on"),
        col(Receipt.delivery_id) == bindparam("delivery"),
        col(Receipt.status) == FAILED,
    )
)


def failures(tx: Tx, channel: str, delivery_id: int) -> int:
    """How often the platform has failed to bring this delivery: its next sending is not a repetition."""
    row = tx.row(_FAILURES, on=channel, delivery=delivery_id)
    return int(row[0]) if row else 0


def _look(tx: Tx, channel: str, ref: str) -> tuple[int, str]:
    tx.lock("receipt", channel, ref)
    found = tx.row(_LOOK, channel=channel, ref=ref)
    return (found[0], found[1]) if found else (0, "")


def _settle(tx: Tx, now: datetime, delivery_id: int, status: str) -> None:
    """What a receipt changes: only of a delivery that is on its way or was taken."""
    open_ = (col(Delivery.id) == delivery_id, col(Delivery.state).in_(("sending", "accepted", "unknown")))
    columns = (col(Delivery.channel), col(Delivery.key), col(Delivery.attempts))
    row = tx.run(select(*columns).where(*open_)).one_or_none()
    if row is None:
        return
    change = update(Delivery).where(*open_)
    if status == DELIVERED:
        tx.run(change.values(state="delivered", changed_at=now))
    elif status == FAILED and row[2] < TRIES:
        again = now + timedelta(seconds=60)
        tx.run(change.values(state="queued", due_at=again, reason="the platform failed", changed_at=now))
    else:
        reason = "refused by its reader" if status == REFUSED else "the platform failed"
        tx.run(change.values(state="failed", reason=reason, changed_at=now))
        standby.ended(tx, now, [delivery_id])
        if status == REFUSED:
            addresses.set_dead(tx, Address(row[0], row[1]), dead=True)
