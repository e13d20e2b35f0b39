"""Organisations: the tree, to any depth, each with a code and a path."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, insert, select, update
from sqlmodel import Field, col

from storage.base import Table
from storage.house import Tx


class Organisation(Table, table=True):
    id: int | None = Field(default=None, primary_key=True)
    code: str = Field(unique=True, max_length=40)
    name: str = Field(max_length=80)
    kind: str = Field(default="", max_length=20)
    parent_id: int | None = Field(default=None, foreign_key="organisation.id", index=True)
    path: str = Field(default="", index=True)
    """Ids from the root: `/1/4/`. What lies below has a path that begins with it."""
    closed_on: date | None = None


@dataclass(frozen=True, slots=True)
class Org:
    """One organisation as the desks see it."""

    id: int
    code: str
    name: str
    kind: str
    parent_id: int | None
    path: str
    closed_on: date | None = None

    @property
    def depth(self) -> int:
        return self.path.count("/") - 2

    def holds(self, other: Org) -> bool:
        """Whether the other is this one or lies below it."""
        return other.path.startswith(self.path)


ORG = select(*(col(getattr(Organisation, name)) for name in Org.__slots__))


def _org(row: Any) -> Org:
    return Org(*row)


def add(tx: Tx, *, code: str, name: str, kind: str, parent: Org | None) -> Org:
    """A new organisation. The caller has made sure that the code is free."""
    statement = insert(Organisation).values(
        code=code, name=name, kind=kind, parent_id=parent.id if parent else None, path=""
    )
    new = int(tx.run(statement.returning(col(Organisation.id))).scalar_one())
    path = f"{parent.path if parent else '/'}{new}/"
    tx.run(update(Organisation).where(col(Organisation.id) == new).values(path=path))
    return Org(new, code, name, kind, parent.id if parent else None, path)


def get(tx: Tx, org_id: int) -> Org:
    return _org(tx.run(ORG.where(col(Organisation.id) == org_id)).one())


def names(tx: Tx, ids: Iterable[int]) -> dict[int, str]:
    """What organisations are called, by id."""
    wanted, found = sorted(set(ids)), dict[int, str]()
    for at in range(0, len(wanted), 500):
        statement = select(col(Organisation.id), col(Organisation.name))
        rows = tx.run(statement.where(col(Organisation.id).in_(wanted[at : at + 500])))
        found |= {row.id: row.name for row in rows}
    return found


def all_of(tx: Tx, *, below: Org | None = None, closed: bool = False) -> list[Org]:
    """Organisations in the order of the tree: each after its parent, brothers by code."""
    statement = ORG
    if below:
        statement = statement.where(within(below))
    if not closed:
        statement = statement.where(col(Organisation.closed_on).is_(None))
    orgs = [_org(row) for row in tx.run(statement)]
    names = {org.id: org.code for org in orgs}

    def place(org: Org) -> list[str]:
        return [names.get(int(part), "") for part in org.path.strip("/").split("/")]

    return sorted(orgs, key=place)


def within(org: Org) -> ColumnElement[bool]:
    """The condition that an organisation is `org` or lies below it."""
    return col(Organisation.path).startswith(org.path, autoescape=True)


def children(tx: Tx, org: Org) -> list[Org]:
    return [o for o in all_of(tx, below=org) if o.parent_id == org.id]


def named(tx: Tx, name: str) -> list[Org]:
    """All that a code, a name or a path of names (`集团/子公司/第一支部`) may mean."""
    name = name.strip().strip("/")
    by_code = [_org(row) for row in tx.run(ORG.where(col(Organisation.code) == name))]
    if by_code:
        return by_code
    *above, last = [part.strip() for part in name.split("/")]
    statement = ORG.where(col(Organisation.name) == last, col(Organisation.closed_on).is_(None))
    found = [_org(row) for row in tx.run(statement)]
    if not above:
        return found
    return [org for org in found if [o.name for o in ancestors(tx, org)][-len(above) :] == above]


def ancestors(tx: Tx, org: Org) -> list[Org]:
    """From the root down to the parent."""
    ids = [int(part) for part in org.path.strip("/").split("/")][:-1]
    rows = {row.id: _org(row) for row in tx.run(ORG.where(col(Organisation.id).in_(ids)))}
    return [rows[i] for i in ids if i in rows]


def path_name(tx: Tx, org: Org) -> str:
    """`集团/子公司/第一支部`."""
    return "/".join([*(o.name for o in ancestors(tx, org)), org.name])


def rename(tx: Tx, org: Org, name: str) -> None:
    tx.run(update(Organisation).where(col(Organisation.id) == org.id).values(name=name))


def close(tx: Tx, org: Org, on: date) -> None:
    tx.run(update(Organisation).where(col(Organisation.id) == org.id).values(closed_on=on))
