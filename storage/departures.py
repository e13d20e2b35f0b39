"""Departures: what was still to be told to somebody who has left, or at an address they let go."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, update
from sqlmodel import col

from bot.core.event import Address
from storage.campaigns import ARRIVED, Delivery
from storage.house import Tx


def silence(tx: Tx, now: datetime, person_id: int, address: Address | None = None) -> int:
    """Nothing that waits is sent to them (there) any more, and no copy is brought up to date; how many waited.

    What is on its way at this moment cannot be called back. Campaigns expanded later find no address.
    """
    theirs = col(Delivery.person_id) == person_id
    if address is not None:
        theirs = and_(theirs, col(Delivery.channel) == address.channel, col(Delivery.key) == address.key)
    tx.run(update(Delivery).where(theirs, col(Delivery.state).in_(ARRIVED)).values(revise=False))
    return tx.run(
        update(Delivery)
        .where(theirs, col(Delivery.state) == "queued")
        .values(
            state="cancelled",
            reason="has left" if address is None else "let go",
            owner=None,
            lease_until=None,
            changed_at=now,
        )
    ).rowcount
