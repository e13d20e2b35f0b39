"""Contacts: who accompanies whom as 培养联系人, from when until when."""

from __future__ import annotations

from datetime import date

from sqlalchemy import and_, insert, or_, select, update
from sqlmodel import Field, col

from storage.base import Table
from storage.house import Tx
from storage.people import Person


class Contact(Table, table=True):
    """Somebody accompanies an applicant, an activist or a new member."""

    id: int | None = Field(default=None, primary_key=True)
    person_id: int = Field(foreign_key="person.id", index=True)
    """Who is accompanied."""
    contact_id: int = Field(foreign_key="person.id", index=True)
    since: date
    until: date | None = None
    """The last day."""


def _in_force(on: date) -> object:
    return and_(col(Contact.since) <= on, or_(col(Contact.until).is_(None), col(Contact.until) >= on))


def assign(tx: Tx, person_id: int, contact_id: int, since: date) -> None:
    tx.run(insert(Contact).values(person_id=person_id, contact_id=contact_id, since=since))


def end(tx: Tx, person_id: int, contact_id: int, until: date) -> int:
    """The last day of it; how many had not ended."""
    whose = and_(col(Contact.person_id) == person_id, col(Contact.contact_id) == contact_id)
    return tx.run(update(Contact).where(whose, col(Contact.until).is_(None)).values(until=until)).rowcount


def of_person(tx: Tx, person_id: int, on: date) -> list[int]:
    """Who accompanies somebody on a day."""
    statement = select(col(Contact.contact_id)).join(Person, col(Person.id) == col(Contact.contact_id))
    here = and_(col(Contact.person_id) == person_id, col(Person.left_on).is_(None))
    return list(tx.run(statement.where(here, _in_force(on)).order_by(col(Contact.id))).scalars())  # type: ignore[arg-type]  # a column expression


def with_contact(tx: Tx, contact_id: int, on: date) -> list[int]:
    """Whom somebody accompanies on a day."""
    statement = select(col(Contact.person_id)).join(Person, col(Person.id) == col(Contact.person_id))
    here = and_(col(Contact.contact_id) == contact_id, col(Person.left_on).is_(None))
    return list(tx.run(statement.where(here, _in_force(on)).order_by(col(Contact.id))).scalars())  # type: ignore[arg-type]  # a column expression
