"""May this person do that, and where? By office, within a subtree."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from pathlib import Path

from bot.core.reply import Refused, words
from storage import offices, organisations, people
from storage.audit import Actor
from storage.house import Tx
from storage.organisations import Org


class Right(StrEnum):
    """What an office lets its holder do."""

    NOTICE = "notice"
    POLL = "poll"
    ROSTER = "roster"
    MEMBER = "member"
    CODE = "code"
    OFFICE = "office"
    ORG = "org"
    DUES = "dues"
    REPORT = "report"
    JOIN = "join"
    QUIZ = "quiz"


@cache
def _table() -> dict[str, dict[str, list[str]]]:
    with Path(__file__).with_name("rights.toml").open("rb") as file:
        table = tomllib.load(file)
    if table["rights"].keys() != {right.value for right in Right}:
        raise ValueError("rights.toml names other rights than the program knows")
    return table


def roles_with(right: Right) -> tuple[str, ...]:
    """The offices that carry a right."""
    return tuple(_table()["rights"][right])


def roles_named(name: str) -> tuple[str, ...]:
    """The offices that a scope's `role:NAME` means; empty for a name nobody knows."""
    known = {role for roles in _table()["rights"].values() for role in roles}
    return tuple(_table()["names"].get(name, ())) or ((name,) if name in known else ())


def today(tx: Tx, now: datetime) -> date:
    """The day it is for the organisation."""
    return now.astimezone(tx.house.zone).date()


def places(tx: Tx, now: datetime, actor: Actor, right: Right) -> list[Org]:
    """The organisations within which an actor has a right; none of them lies within another."""
    if actor.is_operator:
        return [org for org in organisations.all_of(tx) if org.parent_id is None]
    if actor.person_id is None:
        return []
    roles = roles_with(right)
    held = [office.org for office in offices.of_person(tx, actor.person_id, today(tx, now)) if office.role in roles]
    return [org for org in held if not any(o.holds(org) and o != org for o in held)]


def may(tx: Tx, now: datetime, actor: Actor, right: Right, org: Org | None = None) -> bool:
    """Whether an actor has a right somewhere, or in this organisation."""
    there = places(tx, now, actor, right)
    return bool(there) if org is None else any(place.holds(org) for place in there)


def require(tx: Tx, now: datetime, actor: Actor, right: Right, org: Org) -> None:
    """Raises Refused, naming the organisation and the offices that could."""
    if not may(tx, now, actor, right, org):
        raise Refused("rights.not_here", org=org.name, right=words(f"rights.{right}"), offices=roles_with(right))


def own_part(tx: Tx, now: datetime, actor: Actor, right: Right, org: Org, meant: Sequence[int]) -> set[int] | None:
    """Whom of those that something of an organisation's means an actor may see: their own people; None: everybody.

    So a branch secretary sees who of the branch has not answered the committee. Raises Refused, as `require` does,
    where nobody is theirs.
    """
    area = places(tx, now, actor, right)
    if any(place.holds(org) for place in area):
        return None
    theirs = {row.id for place in area for row in tx.run(people.members_of(place))}.intersection(meant)
    if not theirs:
        require(tx, now, actor, right, org)
    return theirs
