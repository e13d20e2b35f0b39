"""Addresses: where each person can be reached, and the codes by which an address is bound."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Integer, cast, delete, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import Field, UniqueConstraint, col

from bot.core.event import Address
from storage.base import Table
from storage.house import Tx


class Binding(Table, table=True):
    __table_args__ = (UniqueConstraint("channel", "key"),)

    id: int | None = Field(default=None, primary_key=True)
    channel: str = Field(max_length=20)
    key: str = Field(max_length=120)
    person_id: int = Field(foreign_key="person.id", index=True)
    bound_at: datetime
    dead: bool = False
    """The channel said that nothing can be delivered there until its owner writes again."""


class BindingCode(Table, table=True):
    __tablename__ = "binding_code"

    digest: bytes = Field(primary_key=True)
    person_id: int = Field(foreign_key="person.id", index=True)
    expires_at: datetime
    used_at: datetime | None = None


class BindingTry(Table, table=True):
    """Wrong codes, by address and hour; the empty key counts everybody's."""

    __tablename__ = "binding_try"

    channel_key: str = Field(primary_key=True, max_length=160)
    hour: int = Field(primary_key=True)
    count: int


class BindingPending(Table, table=True):
    """A right code shown by an address that has not consented yet."""

    __tablename__ = "binding_pending"

    channel_key: str = Field(primary_key=True, max_length=160)
    digest: bytes
    expires_at: datetime


class Consent(Table, table=True):
    id: int | None = Field(default=None, primary_key=True)
    person_id: int = Field(foreign_key="person.id", index=True)
    channel: str = Field(max_length=20)
    version: str = Field(max_length=20)
    given_at: datetime
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Bound:
    """An address of a person."""

    id: int
    address: Address
    person_id: int
    bound_at: datetime
    dead: bool


_BOUND = select(
    col(Binding.id), col(Binding.channel), col(Binding.key), col(Binding.person_id), col(Binding.bound_at),
    col(Binding.dead),
)  # fmt: skip


def _bound(row: tuple[int, str, str, int, datetime, bool]) -> Bound:
    return Bound(row[0], Address(row[1], row[2]), *row[3:])


def of_people(tx: Tx, ids: Iterable[int]) -> dict[int, list[Bound]]:
    """The addresses of several people (at most a few hundred), oldest binding first."""
    found: dict[int, list[Bound]] = {}
    statement = _BOUND.where(col(Binding.person_id).in_(list(ids))).order_by(col(Binding.bound_at), col(Binding.id))
    for row in tx.run(statement):
        found.setdefault(row.person_id, []).append(_bound(tuple(row)))
    return found


def of_person(tx: Tx, person_id: int) -> list[Bound]:
    return of_people(tx, [person_id]).get(person_id, [])


def find(tx: Tx, address: Address) -> Bound | None:
    row = tx.run(_BOUND.where(col(Binding.channel) == address.channel, col(Binding.key) == address.key)).one_or_none()
    return _bound(tuple(row)) if row else None


def bind(tx: Tx, person_id: int, address: Address, now: datetime, *, consent: str) -> None:
    """Bind an address that belongs to nobody, with the version of the text that was consented to."""
    tx.run(insert(Binding).values(channel=address.channel, key=address.key, person_id=person_id, bound_at=now,
                                  dead=False))  # fmt: skip
    tx.run(insert(Consent).values(person_id=person_id, channel=address.channel, version=consent, given_at=now))


def unbind(tx: Tx, bound: Bound, now: datetime) -> None:
    """Let an address go; the consent for its channel ends with the last one there."""
    tx.run(delete(Binding).where(col(Binding.id) == bound.id))
    if not any(b.address.channel == bound.address.channel for b in of_person(tx, bound.person_id)):
        tx.run(
            update(Consent)
            .where(
                col(Consent.person_id) == bound.person_id,
                col(Consent.channel) == bound.address.channel,
                col(Consent.withdrawn_at).is_(None),
            )
            .values(withdrawn_at=now)
        )


def set_dead(tx: Tx, address: Address, dead: bool) -> None:
    tx.run(
        update(Binding)
        .where(col(Binding.channel) == address.channel, col(Binding.key) == address.key)
        .values(dead=dead)
    )


def count(tx: Tx, channel: str) -> int:
    """How many addresses are bound on a channel."""
    statement = select(func.count()).select_from(Binding).where(col(Binding.channel) == channel)
    return int(tx.run(statement).scalar_one())


def revive(tx: Tx, people: Sequence[int], channels: Collection[str]) -> None:
    """Addresses of these people on these channels are worth another try."""
    for at in range(0, len(people), 500):
        dead = (col(Binding.person_id).in_(list(people[at : at + 500])), col(Binding.dead).is_(True))
        tx.run(update(Binding).where(*dead, col(Binding.channel).in_(sorted(channels))).values(dead=False))


def consents(tx: Tx, person_id: int) -> list[tuple[str, str, datetime, datetime | None]]:
    """(channel, version, given, withdrawn), oldest first."""
    statement = select(
        col(Consent.channel), col(Consent.version), col(Consent.given_at), col(Consent.withdrawn_at)
    ).where(col(Consent.person_id) == person_id)
    return [tuple(row) for row in tx.run(statement.order_by(col(Consent.id)))]


# -- codes ---------------------------------------------------------------------------------------------------


def add_code(tx: Tx, digest: bytes, person_id: int, expires_at: datetime) -> None:
    tx.run(insert(BindingCode).values(digest=digest, person_id=person_id, expires_at=expires_at))


def code_owner(tx: Tx, digest: bytes, now: datetime) -> int | None:
    """Whose code it is, while it is good."""
    statement = select(col(BindingCode.person_id)).where(
        col(BindingCode.digest) == digest,
        col(BindingCode.used_at).is_(None),
        col(BindingCode.expires_at) > now,
    )
    return tx.run(statement).scalar_one_or_none()


def use_code(tx: Tx, digest: bytes, now: datetime) -> int | None:
    """Use a code up: whose it was, or None if it is no longer good (two who race: one wins)."""
    statement = (
        update(BindingCode)
        .where(
            col(BindingCode.digest) == digest,
            col(BindingCode.used_at).is_(None),
            col(BindingCode.expires_at) > now,
        )
        .values(used_at=now)
    )
    return tx.run(statement.returning(col(BindingCode.person_id))).scalar_one_or_none()


def revoke_codes(tx: Tx, now: datetime, person_id: int | None = None) -> int:
    """Make the unused codes of a person (or of everybody) worthless; how many there were."""
    statement = update(BindingCode).where(col(BindingCode.used_at).is_(None), col(BindingCode.expires_at) > now)
    if person_id is not None:
        statement = statement.where(col(BindingCode.person_id) == person_id)
    return tx.run(statement.values(expires_at=now)).rowcount


def purge_codes(tx: Tx, now: datetime) -> int:
    """Remove what is over: codes used or expired a week ago, tries of past days, pending bindings."""
    gone = tx.run(
        delete(BindingCode).where(
            or_(
                col(BindingCode.expires_at) < now - timedelta(days=7),
                col(BindingCode.used_at) < now - timedelta(days=7),
            )
        )
    ).rowcount
    tx.run(delete(BindingPending).where(col(BindingPending.expires_at) < now))
    tx.run(delete(BindingTry).where(col(BindingTry.hour) < _hour(now) - 24))
    return gone


def _hour(now: datetime) -> int:
    return int(now.timestamp() // 3600)


def wrong_tries(tx: Tx, address: Address, now: datetime) -> tuple[int, int]:
    """Wrong codes of this hour: from this address, and from everybody."""
    statement = select(col(BindingTry.channel_key), cast(func.sum(col(BindingTry.count)), Integer)).where(
        col(BindingTry.channel_key).in_([str(address), ""]), col(BindingTry.hour) == _hour(now)
    )
    counts = {row[0]: row[1] for row in tx.run(statement.group_by(col(BindingTry.channel_key)))}
    return counts.get(str(address), 0), counts.get("", 0)


def note_wrong_try(tx: Tx, address: Address, now: datetime) -> None:
    add = postgres_insert if tx.postgres else sqlite_insert
    for key in (str(address), ""):
        statement = add(BindingTry).values(channel_key=key, hour=_hour(now), count=1)
        tx.run(
            statement.on_conflict_do_update(
                index_elements=["channel_key", "hour"], set_={"count": col(BindingTry.count) + 1}
            )
        )


def set_pending(tx: Tx, address: Address, digest: bytes, expires_at: datetime) -> None:
    clear_pending(tx, address)
    tx.run(insert(BindingPending).values(channel_key=str(address), digest=digest, expires_at=expires_at))


def pending(tx: Tx, address: Address, now: datetime) -> bytes | None:
    statement = select(col(BindingPending.digest)).where(
        col(BindingPending.channel_key) == str(address), col(BindingPending.expires_at) > now
    )
    return tx.run(statement).scalar_one_or_none()


def clear_pending(tx: Tx, address: Address) -> None:
    tx.run(delete(BindingPending).where(col(BindingPending.channel_key) == str(address)))
