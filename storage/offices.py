"""Offices: who holds which office, where, from when until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import and_, insert, or_, select, update
from sqlmodel import Field, col

from storage.base import Table
from storage.house import Tx
from storage.organisations import ORG, Org, Organisation, within
from storage.people import Person


class Office(Table, table=True):
    id: int | None = Field(default=None, primary_key=True)
    person_id: int = Field(foreign_key="person.id", index=True)
    organisation_id: int = Field(foreign_key="organisation.id", index=True)
    role: str = Field(max_length=20)
    since: date
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """An office somebody holds."""

    id: int
    person_id: int
    role: str
    org: Org
    since: date
    until: date | None


_HELD = ORG.add_columns(
    col(Office.id).label("office_id"),
    col(Office.person_id),
    col(Office.role),
    col(Office.since),
    col(Office.until),
).join(Office, col(Office.organisation_id) == col(Organisation.id))


def _held(tx: Tx, *conditions: object) -> list[Held]:
    rows = tx.run(_HELD.where(*conditions).order_by(col(Organisation.path), col(Office.id)))  # type: ignore[arg-type]  # conditions are column expressions
    width = len(Org.__slots__)
    return [Held(row[width], row[width + 1], row[width + 2], Org(*row[:width]), *row[width + 3 :]) for row in rows]


def _in_force(on: date) -> object:
    return and_(col(Office.since) <= on, or_(col(Office.until).is_(None), col(Office.until) >= on))


def appoint(tx: Tx, person_id: int, org: Org, role: str, since: date) -> int:
    statement = insert(Office).values(person_id=person_id, organisation_id=org.id, role=role, since=since)
    return int(tx.run(statement.returning(col(Office.id))).scalar_one())


def end(tx: Tx, office_id: int, until: date) -> None:
    """The last day in office. One that ends before it begins is removed from force at once."""
    tx.run(update(Office).where(col(Office.id) == office_id).values(until=until))


def of_person(tx: Tx, person_id: int, on: date) -> list[Held]:
    """What a person holds on a day."""
    return _held(tx, col(Office.person_id) == person_id, _in_force(on))


def holders(tx: Tx, on: date, *, org: Org | None = None, roles: tuple[str, ...] = ()) -> list[Held]:
    """Who holds office on a day, within an organisation and below."""
    conditions = [_in_force(on)]
    if org:
        conditions.append(within(org))
    if roles:
        conditions.append(col(Office.role).in_(roles))
    return _held(tx, *conditions)


def people_in(tx: Tx, on: date, roles: tuple[str, ...]) -> set[int]:
    """The ids of those who hold one of these offices and have not left."""
    statement = (
        select(col(Office.person_id))
        .join(Person, col(Person.id) == col(Office.person_id))
        .where(_in_force(on), col(Office.role).in_(roles), col(Person.left_on).is_(None))  # type: ignore[arg-type]  # a column expression
    )
    return {row.person_id for row in tx.run(statement)}
