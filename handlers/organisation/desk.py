"""The organisation, as use cases: the tree, and who holds which office."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.core.reply import Refused
from handlers.rights import Right, places, require, roles_with, today
from handlers.roster.columns import Columns
from storage import audit, offices, organisations, people, rosters
from storage.audit import Actor
from storage.house import Tx
from storage.offices import Held
from storage.organisations import Org
from storage.people import Somebody

CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
FORBIDDEN = re.compile(r"[/／,，&＆:：\x00-\x1f]")
"""Signs of paths and scopes."""
MAX_NAME = 80


@dataclass(frozen=True, slots=True)
class Branch:
    """An organisation of the tree, with how many people it has by itself."""

    org: Org
    people: int
    depth: int
    """0 for the uppermost that the reader may see."""


# -- the tree ------------------------------------------------------------------------------------------------


def tree(tx: Tx, now: datetime, actor: Actor, *, closed: bool = False) -> list[Branch]:
    """What lies within an actor's reach, each after its parent. Raises Refused for somebody without any."""
    sizes = rosters.sizes(tx)
    return [
        Branch(org, sizes.get(org.id, 0), org.depth - place.depth)
        for place in reach(tx, now, actor, Right.ROSTER)
        for org in organisations.all_of(tx, below=place, closed=closed)
    ]


def reach(tx: Tx, now: datetime, actor: Actor, right: Right) -> list[Org]:
    """Where an actor has a right. Raises Refused where that is nowhere."""
    found = places(tx, now, actor, right)
    if not found:
        raise Refused("organisation.nowhere", offices=roles_with(right))
    return found


def add(tx: Tx, now: datetime, actor: Actor, *, name: str, parent: Org | None, code: str = "", kind: str = "") -> Org:
    """A new organisation. Without a code it gets its parent's with a number, without a kind its name's end.

    Only the operator makes the uppermost, and only once: one installation is one organisation.
    """
    tx.lock("organisation")
    roots = [org for org in organisations.all_of(tx, closed=True) if org.parent_id is None]
    if parent is None:
        if not actor.is_operator:
            raise Refused("organisation.root_is_the_operators")
        if roots:
            raise Refused("organisation.one_root", org=roots[0].name)
    else:
        require(tx, now, actor, Right.ORG, parent)
        if parent.closed_on is not None:
            raise Refused("organisation.is_closed", org=parent.name, on=parent.closed_on)
    name = _name(tx, name, parent)
    code = code.strip() or _free_code(tx, parent)
    if not CODE.fullmatch(code):
        raise Refused("organisation.bad_code")
    if organisations.named(tx, code) and any(org.code == code for org in organisations.named(tx, code)):
        raise Refused("organisation.code_taken", code=code)
    new = organisations.add(tx, code=code, name=name, kind=kind.strip() or kind_of(name), parent=parent)
    audit.record(tx, now, actor, "org.add", code, name=name, parent=parent.code if parent else None)
    return new


def kind_of(name: str) -> str:
    """What an organisation is, by the end of its name."""
    if name.endswith("党小组"):
        return "党小组"
    if name.endswith("总支"):
        return "党总支"
    return "党支部" if name.endswith("支部") else "党委"


def rename(tx: Tx, now: datetime, actor: Actor, org: Org, name: str) -> Org:
    """Another name; the code stays, and with it everything that refers to it."""
    require(tx, now, actor, Right.ORG, org)
    parent = organisations.get(tx, org.parent_id) if org.parent_id else None
    name = _name(tx, name, parent, but=org)
    organisations.rename(tx, org, name)
    audit.record(tx, now, actor, "org.rename", org.code, old=org.name, new=name)
    return organisations.get(tx, org.id)


def close(tx: Tx, now: datetime, actor: Actor, org: Org) -> Org:
    """Close an organisation in which nobody and nothing is left; offices in it end."""
    require(tx, now, actor, Right.ORG, org)
    if org.closed_on is not None:
        raise Refused("organisation.is_closed", org=org.name, on=org.closed_on)
    if org.parent_id is None:
        raise Refused("organisation.root_stays", org=org.name)
    below = [other.name for other in organisations.all_of(tx, below=org) if other.id != org.id]
    if below:
        raise Refused("organisation.has_below", org=org.name, below=below)
    if count := rosters.sizes(tx).get(org.id, 0):
        raise Refused("organisation.has_people", org=org.name, count=count)
    day = today(tx, now)
    for held in offices.holders(tx, day, org=org):
        _end(tx, now, actor, held, day - timedelta(days=1))
    organisations.close(tx, org, day)
    audit.record(tx, now, actor, "org.close", org.code)
    return organisations.get(tx, org.id)


def _name(tx: Tx, name: str, parent: Org | None, but: Org | None = None) -> str:
    name = " ".join(name.split())
    if not name or len(name) > MAX_NAME or FORBIDDEN.search(name):
        raise Refused("organisation.bad_name", most=MAX_NAME)
    if parent and any(org.name == name and org != but for org in organisations.children(tx, parent)):
        raise Refused("organisation.name_taken", name=name, parent=parent.name)
    return name


def _free_code(tx: Tx, parent: Org | None) -> str:
    base = parent.code if parent else "DW"
    taken = {org.code for org in organisations.all_of(tx, closed=True)}
    if parent is None and base not in taken:
        return base
    return next(code for n in range(1, 100_000) if (code := f"{base}{n:02d}") not in taken)


# -- offices -------------------------------------------------------------------------------------------------


def roles(columns: Columns) -> list[str]:
    """The offices there are: those of a roster, and those that carry rights."""
    known = [columns.titles[code] for code in dict.fromkeys(columns.words["offices"].values())]
    return list(dict.fromkeys([*known, *(role for right in Right for role in roles_with(right))]))


def appoint(
    tx: Tx, now: datetime, actor: Actor, person: Somebody, org: Org, role: str, columns: Columns,
    *, since: date | None = None,
) -> Held:  # fmt: skip
    """Somebody takes up an office. Raises Refused: no right there, unknown, held already, members only."""
    require(tx, now, actor, Right.OFFICE, org)
    if person.left_on is not None:
        raise Refused("organisation.has_left", name=person.name, on=person.left_on)
    if org.closed_on is not None:
        raise Refused("organisation.is_closed", org=org.name, on=org.closed_on)
    known = roles(columns)
    if role not in known:
        raise Refused("organisation.no_such_office", role=role, known=known)
    if role in [columns.titles[code] for code in columns.elected] and not person.is_member:
        raise Refused("organisation.members_only", role=role, name=person.name, kind=person.kind)
    day = today(tx, now)
    if any(held.role == role and held.org == org for held in offices.of_person(tx, person.id, since or day)):
        raise Refused("organisation.holds_already", name=person.name, org=org.name, role=role)
    new = offices.appoint(tx, person.id, org, role, since or day)
    audit.record(tx, now, actor, "office.appoint", person.number, role=role, org=org.code, since=since or day)
    return Held(new, person.id, role, org, since or day, None)


def end(
    tx: Tx, now: datetime, actor: Actor, person: Somebody, role: str, *, org: Org | None = None,
    until: date | None = None,
) -> list[Held]:  # fmt: skip
    """An office ends: `until` is its last day; without one it is over now. What was ended."""
    day = today(tx, now)
    held = [
        office
        for office in offices.of_person(tx, person.id, day)
        if office.role == role and (org is None or office.org == org)
    ]
    if not held:
        raise Refused("organisation.holds_not", name=person.name, role=role)
    if len(held) > 1:
        raise Refused("organisation.holds_several", name=person.name, role=role, orgs=[o.org.name for o in held])
    for office in held:
        require(tx, now, actor, Right.OFFICE, office.org)
        _end(tx, now, actor, office, until or day - timedelta(days=1))
    return held


def _end(tx: Tx, now: datetime, actor: Actor, held: Held, until: date) -> None:
    offices.end(tx, held.id, until)
    number = people.get(tx, held.person_id).number
    audit.record(tx, now, actor, "office.end", number, role=held.role, org=held.org.code, until=until)


def holders(tx: Tx, now: datetime, actor: Actor, org: Org | None = None) -> list[tuple[Held, Somebody]]:
    """Who holds which office today, within an organisation or the actor's reach."""
    if org:
        require(tx, now, actor, Right.ROSTER, org)
    where: Sequence[Org] = [org] if org else reach(tx, now, actor, Right.ROSTER)
    held = [office for place in where for office in offices.holders(tx, today(tx, now), org=place)]
    known = {person.id: person for person in people.listed(tx, sorted({office.person_id for office in held}))}
    return [(office, known[office.person_id]) for office in held]
