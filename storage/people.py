"""People: members of every kind, applicants and 群众, each in one organisation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, insert, select, update
from sqlalchemy.exc import NoResultFound
from sqlmodel import Field, col

from storage.base import Table
from storage.house import Tx
from storage.organisations import Org, Organisation, within
from storage.prepared import Prepared

KINDS = ("正式党员", "预备党员", "发展对象", "入党积极分子", "入党申请人", "群众")


class Person(Table, table=True):
    id: int | None = Field(default=None, primary_key=True)
    number: str = Field(unique=True, max_length=40)
    name: str = Field(max_length=60, index=True)
    gender: str = Field(default="", max_length=4)
    born: date | None = None
    kind: str = Field(max_length=20, index=True)
    organisation_id: int = Field(foreign_key="organisation.id", index=True)
    admitted_on: date | None = None
    confirmed_on: date | None = None
    email: str = Field(default="", max_length=120)
    phone: bytes | None = None
    """Sealed."""
    phone_digest: bytes | None = Field(default=None, index=True)
    dues_category: str = Field(default="", max_length=20)
    dues_base: bytes | None = None
    """Sealed; fen as a decimal number."""
    language: str = Field(default="", max_length=5)
    left_on: date | None = None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Somebody:
    """A person as the desks see them; what is sealed is opened by its own function, for its own purpose."""

    id: int
    number: str
    name: str
    kind: str
    organisation_id: int
    language: str
    left_on: date | None

    @property
    def is_member(self) -> bool:
        """正式党员 or 预备党员: those who pay dues."""
        return self.kind in ("正式党员", "预备党员")


SOMEBODY = select(*(col(getattr(Person, name)) for name in Somebody.__slots__))
_GET = Prepared(SOMEBODY.where(col(Person.id) == bindparam("id")))

PLAIN = ("number", "name", "gender", "born", "kind", "organisation_id", "admitted_on", "confirmed_on", "email",
         "dues_category", "language", "left_on")  # fmt: skip
"""The columns that are kept as they are."""


def _sealed(tx: Tx, values: Mapping[str, Any]) -> dict[str, Any]:
    """Columns to store, from plain values: `phone` (text) and `dues_base` (fen) are sealed."""
    keys = tx.house.keys
    out = {name: values[name] for name in PLAIN if name in values}
    if "phone" in values:
        phone = values["phone"]
        out["phone"] = keys.seal(phone) if phone else None
        out["phone_digest"] = keys.digest("phone", phone) if phone else None
    if "dues_base" in values:
        base = values["dues_base"]
        out["dues_base"] = None if base is None else keys.seal(str(base))
    return out


def add(tx: Tx, now: datetime, **values: Any) -> int:
    """A new person; the id. Takes the plain columns, `phone` as text and `dues_base` in fen."""
    return add_many(tx, now, [values])[0]


def add_many(tx: Tx, now: datetime, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """New people; their ids, in order."""
    blank = {
        "gender": "", "born": None, "admitted_on": None, "confirmed_on": None, "email": "", "phone": None,
        "phone_digest": None, "dues_category": "", "dues_base": None, "language": "", "left_on": None,
    }  # fmt: skip
    tx.run(insert(Person), [{**blank, **_sealed(tx, row), "created_at": now} for row in rows])
    numbers = [row["number"] for row in rows]
    ids: dict[str, int] = {}
    for at in range(0, len(numbers), 500):
        statement = select(col(Person.number), col(Person.id)).where(col(Person.number).in_(numbers[at : at + 500]))
        ids |= {row.number: row.id for row in tx.run(statement)}
    return [ids[number] for number in numbers]


def change(tx: Tx, person_id: int, **values: Any) -> None:
    tx.run(update(Person).where(col(Person.id) == person_id).values(**_sealed(tx, values)))


def _find(tx: Tx, condition: ColumnElement[bool]) -> Somebody | None:
    row = tx.run(SOMEBODY.where(condition)).one_or_none()
    return Somebody(*row) if row else None


def get(tx: Tx, person_id: int) -> Somebody:
    row = tx.row(_GET, id=person_id)
    if row is None:
        raise NoResultFound(f"nobody has the id {person_id}")
    return Somebody(*row)


def by_number(tx: Tx, number: str) -> Somebody | None:
    return _find(tx, col(Person.number) == number)


def by_number_in_any_case(tx: Tx, number: str) -> Somebody | None:
    """The one person whose number this is but for capitals; None where there are two."""
    rows = tx.run(SOMEBODY.where(func.lower(col(Person.number)) == number.lower()).limit(2)).all()
    return Somebody(*rows[0]) if len(rows) == 1 else None


def full(tx: Tx, person_id: int) -> dict[str, Any]:
    """Everything kept about a person, opened: for themselves, and for those with the right to see it."""
    row = dict(tx.run(select(Person.__table__).where(col(Person.id) == person_id)).mappings().one())  # type: ignore[attr-defined]  # SQLModel does not declare it
    row.pop("phone_digest")
    row["phone"] = tx.house.keys.open(row["phone"]) if row["phone"] else ""
    row["dues_base"] = int(tx.house.keys.open(row["dues_base"])) if row["dues_base"] else None
    return row


def dues_of(tx: Tx, person_id: int) -> tuple[str, int | None]:
    """Dues category and base (fen; None: not assessed)."""
    statement = select(col(Person.dues_category), col(Person.dues_base)).where(col(Person.id) == person_id)
    category, base = tx.run(statement).one()
    return category, int(tx.house.keys.open(base)) if base else None


def members_of(org: Org, *, kinds: Iterable[str] | None = None) -> Select[Any]:
    """The ids of those in an organisation and below, who have not left."""
    statement = (
        select(col(Person.id))
        .join(Organisation, col(Organisation.id) == col(Person.organisation_id))
        .where(within(org), col(Person.left_on).is_(None))
    )
    return statement if kinds is None else statement.where(col(Person.kind).in_(list(kinds)))


def listed(tx: Tx, ids: Sequence[int]) -> list[Somebody]:
    """People by id, in the order of their numbers."""
    found: list[Somebody] = []
    for at in range(0, len(ids), 500):
        found += [Somebody(*row) for row in tx.run(SOMEBODY.where(col(Person.id).in_(ids[at : at + 500])))]
    return sorted(found, key=lambda person: person.number)


def roster(tx: Tx, org: Org) -> list[Somebody]:
    """Everybody in an organisation and below, by number."""
    return listed(tx, [row.id for row in tx.run(members_of(org))])


def of_kinds(tx: Tx, kinds: Iterable[str]) -> set[int]:
    """The ids of those of these kinds who have not left."""
    statement = select(col(Person.id)).where(col(Person.kind).in_(list(kinds)), col(Person.left_on).is_(None))
    return set(tx.run(statement).scalars())


def matching(tx: Tx, name: str, *, phone: str = "", born: date | None = None) -> list[Somebody]:
    """People of a name with this phone or birthday: how a row without a number finds its person."""
    statement = SOMEBODY.where(col(Person.name) == name)
    if phone:
        statement = statement.where(col(Person.phone_digest) == tx.house.keys.digest("phone", phone))
    elif born:
        statement = statement.where(col(Person.born) == born)
    return [Somebody(*row) for row in tx.run(statement)]


def count(tx: Tx) -> int:
    return int(tx.run(select(func.count()).select_from(Person)).scalar_one())
