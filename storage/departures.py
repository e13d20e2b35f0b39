"""Departures: what was still to be told to somebody who has left, or at an address they let go."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, select, update
from sqlmodel import col

from bot.core.event import Address
from storage import standby
from storage.campaigns import ARRIVED, Delivery
from storage.house import Tx


def silence(tx: Tx, now: datetime, person_id: int, address: Address | None = None) -> int:
    """Nothing that waits is sent to them (there) any more, and no copy is brought up to date; how many waited.

    What is on its way at this moment cannot be called back. Campaigns expanded later find no address. Where it was
    the turn of an address that was let go, the next one's comes.
    """
    theirs = col(Delivery.person_id) == person_id
    if address is not None:
        theirs = and_(theirs, col(Delivery.channel) == address.channel, col(Delivery.key) == address.key)
    tx.run(update(Delivery).where(theirs, col(Delivery.state).in_(ARRIVED)).values(revise=False))
    queued = and_(theirs, col(Delivery.state) == "queued")
    chained = select(col(Delivery.campaign_id), col(Delivery.person_id)).where(queued, col(Delivery.rank) > 0)
    chains = [(row[0], row[1]) for row in tx.run(chained)]
    reason = "has left" if address is None else "let go"
    stop = update(Delivery).values(
        state="cancelled", reason=reason, owner=None, lease_until=None, changed_at=now
    )  # fmt: skip
    tx.run(stop.where(theirs, col(Delivery.state) == "standby"))
    stopped = tx.run(stop.where(queued)).rowcount
    standby.pass_on(tx, now, chains)
    return stopped
