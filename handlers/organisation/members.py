"""The members, as use cases: look up, add, change, leave, a binding code, release their addresses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from bot.core.event import Address
from bot.core.reply import Phrase, Refused
from handlers import scope
from handlers.binding import desk as binding
from handlers.organisation.desk import reach
from handlers.rights import Right, may, require, today
from handlers.roster import normalise
from handlers.roster.columns import Columns
from handlers.roster.normalise import Unclear
from storage import addresses, applications, audit, departures, offices, organisations, people, rosters, web
from storage.audit import Actor
from storage.house import Tx
from storage.offices import Held
from storage.organisations import Org
from storage.people import KINDS, Somebody

SAMPLES = {
    "number": "10086", "name": "王芳", "gender": "男、女", "born": "1988-03-08", "phone": "139…（11位）",
    "email": "name@example.com", "admitted": "2010-07-01", "confirmed": "2011-07-01",
}  # fmt: skip
"""What a field may look like, for the words that refuse it."""
STORED = {"admitted": "admitted_on", "confirmed": "confirmed_on"}
NEEDED = ("number", "name", "kind")


@dataclass(frozen=True, slots=True)
class Card:
    """Somebody, for those who look after them. `private` is empty without the right to change people."""

    person: Somebody
    path: str
    offices: tuple[Held, ...]
    channels: tuple[str, ...]
    gender: str
    admitted: date | None
    confirmed: date | None
    private: Mapping[str, Any] = field(repr=False)
    """born, phone, email."""


def find(tx: Tx, now: datetime, actor: Actor, right: Right, written: str) -> list[Somebody]:
    """Whom a number, or else a whole or part of a name means, within the actor's reach. Raises Refused: nobody.

    Who lies beyond is answered like nobody: a name tried out tells nothing. Those who have left are found by
    number only, and only by those who may change people.
    """
    written = written.strip()
    area = reach(tx, now, actor, right)
    person = people.by_number(tx, written)
    here = person and any(org.holds(organisations.get(tx, person.organisation_id)) for org in area)
    if person and here and (person.left_on is None or may(tx, now, actor, Right.MEMBER)):
        return [person]
    found = [person for org in area for person in people.listed(tx, rosters.page(tx, org, 0, MANY, like=written))]
    exact = [person for person in found if person.name == written]
    if not found or not written:
        raise Refused("organisation.nobody", written=written[:40])
    return exact or found


MANY = 50
"""Namesakes and search results looked at."""


def one(tx: Tx, now: datetime, actor: Actor, right: Right, written: str) -> Somebody:
    """The one person meant. Raises Refused naming the numbers where there are several."""
    found = find(tx, now, actor, right, written)
    if len(found) > 1:
        raise Refused(
            "organisation.several", written=written[:40], people=[f"{p.name} {p.number}" for p in found[:10]]
        )
    return found[0]


def card(tx: Tx, now: datetime, actor: Actor, person: Somebody) -> Card:
    """What is known of somebody. Raises Refused without the right to see the roster there."""
    org = organisations.get(tx, person.organisation_id)
    require(tx, now, actor, Right.ROSTER, org)
    known = people.full(tx, person.id)
    shown = may(tx, now, actor, Right.MEMBER, org)
    return Card(
        person, organisations.path_name(tx, org), tuple(offices.of_person(tx, person.id, today(tx, now))),
        tuple(bound.address.channel for bound in addresses.of_person(tx, person.id)), known["gender"],
        known["admitted_on"], known["confirmed_on"],
        {name: known[name] for name in ("born", "phone", "email")} if shown else {},
    )  # fmt: skip


def listed(tx: Tx, now: datetime, actor: Actor, *, written: str = "all", left: bool = False) -> list[Somebody]:
    """Those whom a scope means within the actor's reach; with `left`, those who have left instead."""
    area = reach(tx, now, actor, Right.ROSTER)
    if not left:
        return people.listed(tx, scope.resolve(tx, now, written, area))
    return [person for org in area for person in rosters.gone(tx, org)]


# -- changes --------------------------------------------------------------------------------------------------


def add(tx: Tx, now: datetime, actor: Actor, org: Org, columns: Columns, written: Mapping[str, str]) -> Somebody:
    """Somebody new, by texts as they are typed (number, name, kind, gender, born, phone …)."""
    require(tx, now, actor, Right.MEMBER, org)
    if org.closed_on is not None:
        raise Refused("organisation.is_closed", org=org.name, on=org.closed_on)
    values = _read(columns, written)
    if missing := next((name for name in NEEDED if not values.get(name)), None):
        raise Refused("organisation.missing", column=Phrase(columns.titles[missing]))
    tx.lock("roster")
    if known := rosters.by_numbers(tx, [values["number"]]):
        taken = next(iter(known.values()))
        near = may(tx, now, actor, Right.ROSTER, organisations.get(tx, taken.organisation_id))
        raise Refused("organisation.number_taken", number=values["number"], name=taken.name if near else "")
    _fit(values, {}, today(tx, now))
    new = people.add(tx, now, organisation_id=org.id, **values)
    audit.record(tx, now, actor, "member.add", values["number"], org=org.code, kind=values["kind"])
    return people.get(tx, new)


def edit(
    tx: Tx, now: datetime, actor: Actor, person: Somebody, columns: Columns, written: Mapping[str, str],
    *, org: Org | None = None, returned: bool = False,
) -> list[str]:  # fmt: skip
    """Change what is known of somebody; the names of what has changed. An empty text takes a value away.

    `org` moves them, which needs the right on both sides; `returned`: they had left, and are back.
    """
    here = organisations.get(tx, person.organisation_id)
    require(tx, now, actor, Right.MEMBER, here)
    if person.left_on is not None and not returned:
        raise Refused("organisation.has_left", name=person.name, on=person.left_on)
    values = _read(columns, written)
    if "number" in values:
        raise Refused("organisation.number_stays")
    if missing := next((name for name in NEEDED if name in values and not values[name]), None):
        raise Refused("organisation.missing", column=Phrase(columns.titles[missing]))
    if org and org != here:
        require(tx, now, actor, Right.MEMBER, org)
        if org.closed_on is not None:
            raise Refused("organisation.is_closed", org=org.name, on=org.closed_on)
        values["organisation_id"] = org.id
    if returned:
        values["left_on"] = None
    known = people.full(tx, person.id)
    changed = {name: value for name, value in values.items() if known[name] != value}
    if not changed:
        raise Refused("organisation.nothing_changes", name=person.name)
    _fit(changed, known, today(tx, now))
    people.change(tx, person.id, **changed)
    told: dict[str, object] = {"fields": sorted(changed)}
    if "kind" in changed:
        told["kind"] = [person.kind, changed["kind"]]
    if org and org != here:
        told["branch"] = [here.code, org.code]
    audit.record(tx, now, actor, "member.edit", person.number, **told)
    return sorted(changed)


def _read(columns: Columns, written: Mapping[str, str]) -> dict[str, Any]:
    """Typed texts as values to store; the rules are those of a roster's cells. Raises Refused naming the field."""
    readers: dict[str, Callable[[str], Any]] = {
        "number": normalise.number,
        "name": normalise.name,
        "phone": normalise.phone,
        "email": normalise.email,
        "kind": lambda text: columns.titles[normalise.listed("kind", text, columns)],
        "gender": lambda text: columns.titles[normalise.listed("gender", text, columns)],
        **dict.fromkeys(("born", "admitted", "confirmed"), _day),
    }
    values: dict[str, Any] = {}
    for name, text in written.items():
        empty = None if name in ("born", "admitted", "confirmed") else ""
        try:
            values[STORED.get(name, name)] = readers[name](text) if text.strip() else empty
        except Unclear:
            sample = KINDS if name == "kind" else SAMPLES[name]
            raise Refused("organisation.bad_value", column=Phrase(columns.titles[name]), sample=sample) from None
    return values


def _day(text: str) -> date:
    return normalise.day(text, lambda serial: date(1899, 12, 30) + timedelta(days=serial))


def _fit(values: Mapping[str, Any], known: Mapping[str, Any], day: date) -> None:
    """Raises Refused for days that do not go with the kind, or with each other."""
    kind, born, admitted, confirmed = (
        values.get(name, known.get(name)) for name in ("kind", "born", "admitted_on", "confirmed_on")
    )
    if (admitted and kind not in ("正式党员", "预备党员")) or (confirmed and kind != "正式党员"):
        raise Refused("organisation.kind_mismatch", kind=kind)
    days = [one for one in (born, admitted, confirmed) if one]
    if days != sorted(days) or (days and days[-1] > day):
        raise Refused("organisation.days_mismatch")


# -- leaving --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Left:
    """What ended with somebody's leaving."""

    person: Somebody
    addresses: int
    sessions: int
    offices: tuple[Held, ...]
    unsaid: int
    """Deliveries that were still waiting to be sent."""


def leave(tx: Tx, now: datetime, actor: Actor, person: Somebody, on: date | None = None) -> Left:
    """Somebody has left: from now on they are told nothing and can do nothing here.

    Codes are revoked, addresses released, web sessions, offices and an open application ended, what waits is not
    sent. `on` is the day in the papers, today or before.
    """
    require(tx, now, actor, Right.MEMBER, organisations.get(tx, person.organisation_id))
    day = today(tx, now)
    if person.left_on is not None:
        raise Refused("organisation.has_left", name=person.name, on=person.left_on)
    if person.id == actor.person_id:
        raise Refused("organisation.not_yourself")
    if on and on > day:
        raise Refused("organisation.not_in_advance")
    people.change(tx, person.id, left_on=on or day)
    bound, sessions = _release(tx, now, person.id)
    held = offices.of_person(tx, person.id, day)
    for office in held:
        offices.end(tx, office.id, day - timedelta(days=1))
    unsaid = departures.silence(tx, now, person.id)
    for application in applications.end_of_left(tx, now, person.id):
        audit.record(tx, now, actor, "application.end", f"application {application}", left=on or day)
    audit.record(
        tx, now, actor, "member.leave", person.number, on=on or day, addresses=bound,
        offices=[f"{office.org.code} {office.role}" for office in held],
    )  # fmt: skip
    return Left(people.get(tx, person.id), bound, sessions, tuple(held), unsaid)


def unbind(tx: Tx, now: datetime, actor: Actor, person: Somebody, channel: str = "") -> list[Address]:
    """Release the addresses of somebody who cannot do it themselves (a lost phone): all, or of one channel."""
    require(tx, now, actor, Right.CODE, organisations.get(tx, person.organisation_id))
    bound = [b for b in addresses.of_person(tx, person.id) if channel in ("", b.address.channel)]
    if not bound:
        raise Refused("organisation.nothing_bound", name=person.name)
    for one_ in bound:
        binding.release(tx, now, actor, one_)
    return [b.address for b in bound]


def _release(tx: Tx, now: datetime, person_id: int) -> tuple[int, int]:
    addresses.revoke_codes(tx, now, person_id)
    bound = addresses.of_person(tx, person_id)
    for one_ in bound:
        addresses.unbind(tx, one_, now)
    return len(bound), web.end_sessions(tx, now, key=f"p{person_id}")
