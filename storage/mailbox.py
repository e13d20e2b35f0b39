"""Mailbox: what has come in by mail, and what is known of the addresses it came from?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import Field, col

from storage.base import Table
from storage.house import Tx

KEEP = timedelta(days=60)


class MailSeen(Table, table=True):
    """A mail that was taken, by a digest: servers repeat what they got no answer to."""

    __tablename__ = "mail_seen"

    digest: bytes = Field(primary_key=True)
    day: date = Field(index=True)


class MailReturn(Table, table=True):
    """A bounce of an address."""

    __tablename__ = "mail_return"

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(max_length=120, index=True)
    day: date
    verdict: str = Field(max_length=12)


class MailCount(Table, table=True):
    """Answers to an address, by hour."""

    __tablename__ = "mail_count"

    key: str = Field(primary_key=True, max_length=120)
    hour: int = Field(primary_key=True)
    count: int


class MailQuiet(Table, table=True):
    """An address to which no reminders are sent any more, by its owner's wish."""

    __tablename__ = "mail_quiet"

    key: str = Field(primary_key=True, max_length=120)
    since: datetime


class MailOffer(Table, table=True):
    """An address that somebody wants to bind, until its owner presses the link that was mailed to it."""

    __tablename__ = "mail_offer"

    digest: bytes = Field(primary_key=True)
    person_id: int = Field(foreign_key="person.id", index=True)
    key: str = Field(max_length=120)
    code: bytes | None = None
    """The digest of the binding code that was mailed; None: the person asked for it in a chat that is theirs."""
    expires_at: datetime
    used_at: datetime | None = None


def see(tx: Tx, now: datetime, digest: bytes) -> bool:
    """Take note of a mail; whether it is new."""
    tx.lock("mail_seen", digest.hex())
    if tx.run(select(col(MailSeen.digest)).where(col(MailSeen.digest) == digest)).scalar_one_or_none() is not None:
        return False
    tx.run(insert(MailSeen).values(digest=digest, day=now.date()))
    return True


# -- bounces --------------------------------------------------------------------------------------------------


def note_return(tx: Tx, key: str, day: date, verdict: str) -> None:
    tx.run(insert(MailReturn).values(key=key, day=day, verdict=verdict))


def days_returned(tx: Tx, key: str, verdict: str) -> int:
    """On how many days an address had a bounce of this kind."""
    statement = select(func.count(func.distinct(col(MailReturn.day))))
    return int(tx.run(statement.where(col(MailReturn.key) == key, col(MailReturn.verdict) == verdict)).scalar_one())


def returns(tx: Tx, key: str) -> list[tuple[date, str]]:
    """The bounces of an address, oldest first."""
    statement = select(col(MailReturn.day), col(MailReturn.verdict)).where(col(MailReturn.key) == key)
    return [(row.day, row.verdict) for row in tx.run(statement.order_by(col(MailReturn.id)))]


def forget_returns(tx: Tx, key: str) -> None:
    """Its owner has written: whatever was wrong is over."""
    tx.run(delete(MailReturn).where(col(MailReturn.key) == key))


# -- how many answers -----------------------------------------------------------------------------------------


def _hour(now: datetime) -> int:
    return int(now.timestamp() // 3600)


def answers(tx: Tx, now: datetime, key: str) -> tuple[int, int]:
    """How many answers an address got in this hour, and in the last 24."""
    hour = _hour(now)
    statement = select(col(MailCount.hour), col(MailCount.count)).where(
        col(MailCount.key) == key, col(MailCount.hour) > hour - 24
    )
    counts: dict[int, int] = {row[0]: row[1] for row in tx.run(statement)}
    return counts.get(hour, 0), sum(counts.values())


def note_answer(tx: Tx, now: datetime, key: str) -> None:
    add = postgres_insert if tx.postgres else sqlite_insert
    statement = add(MailCount).values(key=key, hour=_hour(now), count=1)
    tx.run(statement.on_conflict_do_update(index_elements=["key", "hour"], set_={"count": col(MailCount.count) + 1}))


# -- reminders ------------------------------------------------------------------------------------------------


def quiet(tx: Tx, key: str) -> bool:
    """Whether this address wants no reminders."""
    return tx.run(select(col(MailQuiet.key)).where(col(MailQuiet.key) == key)).scalar_one_or_none() is not None


def set_quiet(tx: Tx, now: datetime, key: str, wanted: bool = True) -> None:
    if wanted and not quiet(tx, key):
        tx.run(insert(MailQuiet).values(key=key, since=now))
    elif not wanted:
        tx.run(delete(MailQuiet).where(col(MailQuiet.key) == key))


# -- binding --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Offer:
    """Which address is to be bound to whom; with `code`, by a code that is used up then."""

    person_id: int
    key: str
    code: bytes | None


def add_offer(tx: Tx, digest: bytes, offer: Offer, expires_at: datetime) -> None:
    """A link that binds an address once it is pressed; one that was mailed there before is worth nothing now."""
    tx.run(delete(MailOffer).where(col(MailOffer.key) == offer.key, col(MailOffer.used_at).is_(None)))
    tx.run(
        insert(MailOffer).values(
            digest=digest, person_id=offer.person_id, key=offer.key, code=offer.code, expires_at=expires_at
        )
    )


def see_offer(tx: Tx, digest: bytes, now: datetime) -> Offer | None:
    """An offer that is still good; changes nothing."""
    statement = select(col(MailOffer.person_id), col(MailOffer.key), col(MailOffer.code)).where(
        col(MailOffer.digest) == digest, col(MailOffer.used_at).is_(None), col(MailOffer.expires_at) > now
    )
    row = tx.run(statement).one_or_none()
    return Offer(*row) if row else None


def use_offer(tx: Tx, digest: bytes, now: datetime) -> Offer | None:
    """Use it up (two who race: one wins)."""
    tx.lock("mail_offer", digest.hex())
    offer = see_offer(tx, digest, now)
    if offer:
        tx.run(update(MailOffer).where(col(MailOffer.digest) == digest).values(used_at=now))
    return offer


def revoke_offers(tx: Tx, now: datetime) -> int:
    """Make every link that offers an address worthless; how many there were."""
    good = (col(MailOffer.used_at).is_(None), col(MailOffer.expires_at) > now)
    return tx.run(update(MailOffer).where(*good).values(expires_at=now)).rowcount


def purge(tx: Tx, now: datetime) -> int:
    """Forget what is over; how many rows."""
    gone = tx.run(delete(MailSeen).where(col(MailSeen.day) < (now - KEEP).date())).rowcount
    gone += tx.run(delete(MailReturn).where(col(MailReturn.day) < (now - KEEP).date())).rowcount
    gone += tx.run(delete(MailCount).where(col(MailCount.hour) < _hour(now) - 24)).rowcount
    return gone + tx.run(delete(MailOffer).where(col(MailOffer.expires_at) < now)).rowcount
