"""Rosters: what a file of people is compared with, and the file that waits for its sender's word."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Select, delete, func, insert, or_, select
from sqlmodel import Field, col

from storage.addresses import Binding
from storage.base import Table
from storage.house import Tx
from storage.organisations import Org, Organisation, within
from storage.people import SOMEBODY, Person, Somebody

T = TypeVar("T")

MANY = 500
"""Values in one IN (…): far below what either database takes."""


class PendingRoster(Table, table=True):
    """A file that was read and not yet taken or refused: one a person, sealed."""

    __tablename__ = "pending_roster"

    person_id: int = Field(primary_key=True, foreign_key="person.id")
    number: int
    """Told on the buttons, so that those of an older file do not take a newer one."""
    body: bytes
    expires_at: datetime = Field(index=True)


def put(tx: Tx, person_id: int, number: int, text: str, expires_at: datetime) -> None:
    """Keep a file for its sender; the one before is forgotten."""
    tx.lock("pending_roster", person_id)
    drop(tx, person_id)
    sealed = tx.house.keys.seal(text)
    tx.run(insert(PendingRoster).values(person_id=person_id, number=number, body=sealed, expires_at=expires_at))


def pending(tx: Tx, now: datetime, person_id: int, number: int) -> str | None:
    """The file that waits under this number; None: it was taken, refused, replaced, or its time is over."""
    tx.lock("pending_roster", person_id)
    statement = select(col(PendingRoster.body)).where(
        col(PendingRoster.person_id) == person_id,
        col(PendingRoster.number) == number,
        col(PendingRoster.expires_at) > now,
    )
    sealed = tx.run(statement).scalar_one_or_none()
    return None if sealed is None else tx.house.keys.open(sealed)


def drop(tx: Tx, person_id: int) -> None:
    tx.run(delete(PendingRoster).where(col(PendingRoster.person_id) == person_id))


def purge(tx: Tx, now: datetime) -> int:
    """Remove the files whose time is over; how many."""
    return tx.run(delete(PendingRoster).where(col(PendingRoster.expires_at) <= now)).rowcount


@dataclass(frozen=True, slots=True)
class Known:
    """A person as a file is compared with them. What is sealed is opened here, and stays out of the repr."""

    id: int
    number: str
    name: str
    gender: str
    born: date | None = field(repr=False)
    kind: str
    organisation_id: int
    admitted_on: date | None
    confirmed_on: date | None
    email: str = field(repr=False)
    phone: str = field(repr=False)
    dues_category: str
    dues_base: int | None = field(repr=False)
    left_on: date | None


_KNOWN = select(*(col(getattr(Person, name)) for name in Known.__slots__))


def _known(tx: Tx, row: Sequence[object]) -> Known:
    values = dict(zip(Known.__slots__, row, strict=True))
    phone, base = values["phone"], values["dues_base"]
    values["phone"] = tx.house.keys.open(phone) if isinstance(phone, bytes) else ""
    values["dues_base"] = int(tx.house.keys.open(base)) if isinstance(base, bytes) else None
    return Known(**values)  # type: ignore[arg-type]  # the columns of the same names


def by_numbers(tx: Tx, numbers: Iterable[str]) -> dict[str, Known]:
    """People by their number in small letters; A100 and a100 are one."""
    spelled = {spelling for number in numbers for spelling in (number, number.upper(), number.lower())}
    found: dict[str, Known] = {}
    for some in batches(sorted(spelled), MANY):
        rows = tx.run(_KNOWN.where(col(Person.number).in_(some)))
        found |= {known.number.casefold(): known for known in (_known(tx, row) for row in rows)}
    return found


def by_ids(tx: Tx, ids: Iterable[int]) -> dict[int, Known]:
    """People by id."""
    found: dict[int, Known] = {}
    for some in batches(sorted(set(ids)), MANY):
        found |= {row.id: _known(tx, row) for row in tx.run(_KNOWN.where(col(Person.id).in_(some)))}
    return found


def with_phones(tx: Tx, phones: Iterable[str]) -> dict[tuple[str, str], str]:
    """The numbers of those who have not left, by (name, phone)."""
    keys = tx.house.keys
    digests = {keys.digest("phone", phone): phone for phone in set(phones)}
    found: dict[tuple[str, str], str] = {}
    statement = select(col(Person.name), col(Person.phone_digest), col(Person.number))
    for some in batches(sorted(digests), MANY):
        here = col(Person.phone_digest).in_(some)
        rows = tx.run(statement.where(here, col(Person.left_on).is_(None)))
        found |= {(row.name, digests[row.phone_digest]): row.number for row in rows}
    return found


def _here(org: Org) -> Select[Any]:
    """Those in an organisation and below who have not left; columns are added by the caller."""
    return (
        select()
        .select_from(Person)
        .join(Organisation, col(Organisation.id) == col(Person.organisation_id))
        .where(within(org), col(Person.left_on).is_(None))
    )


def everybody(tx: Tx, org: Org) -> list[int]:
    """The ids of those in an organisation and below who have not left, by number."""
    return list(tx.run(_here(org).add_columns(col(Person.id)).order_by(col(Person.number))).scalars())


LONGEST = 60
"""Characters of a name, and more than a number has: what is longer is neither, and SQLite takes no such pattern."""


def page(tx: Tx, org: Org, skip: int, most: int, *, like: str = "") -> list[int]:
    """Some of their ids, by organisation and number; `like` is part of a name, or how a number begins."""
    if len(like) > LONGEST:
        return []
    statement = _here(org).add_columns(col(Person.id))
    if like:
        named = col(Person.name).contains(like, autoescape=True)
        statement = statement.where(or_(named, col(Person.number).istartswith(like, autoescape=True)))
    statement = statement.order_by(col(Organisation.path), col(Person.number)).offset(skip).limit(most)
    return list(tx.run(statement).scalars())


def gone(tx: Tx, org: Org) -> list[Somebody]:
    """Those of an organisation and below who have left, by number."""
    statement = SOMEBODY.join(Organisation, col(Organisation.id) == col(Person.organisation_id))
    statement = statement.where(within(org), col(Person.left_on).is_not(None)).order_by(col(Person.number))
    return [Somebody(*row) for row in tx.run(statement)]


def kinds(tx: Tx, org: Org) -> dict[str, int]:
    """How many there are of each kind."""
    statement = _here(org).add_columns(col(Person.kind), func.count()).group_by(col(Person.kind))
    return {row[0]: row[1] for row in tx.run(statement)}


def bound(tx: Tx, org: Org) -> int:
    """How many of them have an address."""
    some = select(col(Binding.person_id)).where(col(Binding.person_id) == col(Person.id)).exists()
    return int(tx.run(_here(org).add_columns(func.count()).where(some)).scalar_one())


def sizes(tx: Tx) -> dict[int, int]:
    """How many people who have not left each organisation has by itself."""
    statement = select(col(Person.organisation_id), func.count()).where(col(Person.left_on).is_(None))
    return {row[0]: row[1] for row in tx.run(statement.group_by(col(Person.organisation_id)))}


def batches(values: Iterable[T], size: int) -> Iterator[list[T]]:
    """The values, so many at a time."""
    rest = iter(values)
    while some := list(islice(rest, size)):
        yield some
