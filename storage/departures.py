"""Departures: what was still to be told to somebody who has left."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import update
from sqlmodel import col

from storage.campaigns import ARRIVED, Delivery
from storage.house import Tx


def silence(tx: Tx, now: datetime, person_id: int) -> int:
    """Nothing that waits is sent to them any more, and no copy is brought up to date; how many waited.

    What is on its way at this moment cannot be called back. Campaigns expanded later find no address.
    """
    theirs = col(Delivery.person_id) == person_id
    tx.run(update(Delivery).where(theirs, col(Delivery.state).in_(ARRIVED)).values(revise=False))
    return tx.run(
        update(Delivery)
        .where(theirs, col(Delivery.state) == "queued")
        .values(state="cancelled", reason="has left", owner=None, lease_until=None, changed_at=now)
    ).rowcount
