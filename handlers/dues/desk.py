"""Dues, as use cases: what a person owes this month, an estimate, a statement; setting category and base."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from functools import cache
from pathlib import Path

from bot.core.reply import Refused
from handlers.dues import rules
from handlers.dues.explain import Explanation, explain
from handlers.dues.rules import Assessment, Category, Citation, DuesRefused, DuesTable
from handlers.dues.tables import DuesBook, dues_book
from handlers.rights import Right, places, require, roles_with, today
from storage import audit, campaigns, offices, organisations, people
from storage.audit import Actor
from storage.house import Tx
from storage.people import Somebody

USUAL = "wage"
"""The category of somebody whose roster names none: the answer says that it was assumed."""

CHANGES = ("wage", "correction")
"""Reasons for a change within the year; it needs a named approver (通知 一(1): 年初核定，年内一般不变动)."""
REASONS = ("first", "yearly", *CHANGES)


@dataclass(frozen=True, slots=True)
class Due:
    """What a member owes for a month. `assessment` is None while nothing has been settled to reckon with."""

    person: Somebody
    month: date
    category: Category
    assumed: bool
    """The roster names no category that the rules of the month know."""
    base_fen: int | None
    """The base; of a category with a span (农民) the amount the member named."""
    assessment: Assessment | None

    @property
    def explanation(self) -> Explanation | None:
        return explain(self.assessment) if self.assessment else None


@dataclass(frozen=True, slots=True)
class Statement:
    """The sheet of one member. `due` is None for those who pay no dues: `start` then says from when they would."""

    person: Somebody
    branch: str
    due: Due | None
    start: Citation | None


@cache
def _book(directory: Path | None) -> DuesBook:
    """Read once: a rule table that is changed is read at the next start."""
    return dues_book(directory)


def table(tx: Tx, now: datetime) -> DuesTable:
    """The rules in force today, by the organisation's own file where it has one. Raises TableError."""
    return _book(tx.house.rules).on(today(tx, now))


def due(tx: Tx, now: datetime, person: Somebody) -> Due | None:
    """What somebody owes this month; None for those who pay no dues."""
    if not person.is_member:
        return None
    tables = table(tx, now)
    name, base_fen = people.dues_of(tx, person.id)
    category = tables.categories.get(name)
    assumed = category is None
    category = category or tables.categories[USUAL]
    try:
        assessment = assess(category, base_fen, tables)
    except DuesRefused:  # no base yet, or one that this category cannot have: to be settled by people
        assessment = None
    return Due(person, today(tx, now).replace(day=1), category, assumed, base_fen, assessment)


def assess(category: Category, base_fen: int | None, tables: DuesTable) -> Assessment:
    """A month by a category; of a fixed amount with a span `base_fen` is the amount named. Raises DuesRefused."""
    if category.scale is None:
        return rules.fixed(category.name, base_fen if names_amount(category) else None, tables)
    if base_fen is None:
        raise DuesRefused("empty", "base")
    return rules.assess(category.name, Fraction(base_fen, 100), tables)


def names_amount(category: Category) -> bool:
    """Whether the member chooses the amount within a span."""
    return category.scale is None and category.minimum_fen != category.maximum_fen


def estimate(tx: Tx, now: datetime, category: str, base_fen: int) -> tuple[Category, Assessment]:
    """What a base would come to; nothing is kept. A category without a rate is reckoned as a wage."""
    tables = table(tx, now)
    row = tables.categories.get(category)
    if row is None or row.scale is None:
        row = tables.categories[USUAL]
    return row, assess(row, base_fen, tables)


def start(tx: Tx, now: datetime) -> Citation | None:
    """The article from when on dues are paid, where the table has it."""
    return table(tx, now).articles.get("start")


def deciders(tx: Tx, now: datetime, person: Somebody) -> list[tuple[str, str]]:
    """Who in the member's own branch settles bases: office and name. Nobody is sent to themselves."""
    org = organisations.get(tx, person.organisation_id)
    held = offices.holders(tx, today(tx, now), org=org, roles=roles_with(Right.DUES))
    others = [office for office in held if office.org == org and office.person_id != person.id]
    return [(office.role, people.get(tx, office.person_id).name) for office in others]


# -- for those who see to the dues of others ------------------------------------------------------------------


def find(tx: Tx, now: datetime, actor: Actor, written: str) -> list[Somebody]:
    """The members that a number or a name means, within the actor's reach. Raises Refused: nobody.

    Who lies beyond is answered like nobody: a name tried out tells nothing.
    """
    by_number = people.by_number(tx, written)
    found = [by_number] if by_number else people.matching(tx, written)
    reach = places(tx, now, actor, Right.DUES)
    near = [
        person
        for person in found
        if person.left_on is None
        and any(place.holds(organisations.get(tx, person.organisation_id)) for place in reach)
    ]
    if not near:
        raise Refused("dues.nobody", written=written[:40])
    return near


def payer(tx: Tx, now: datetime, person: Somebody) -> None:
    """Raises Refused for somebody who pays no dues here."""
    if person.left_on is not None:
        raise Refused("dues.has_left", name=person.name)
    if not person.is_member:
        raise Refused("dues.pays_none", name=person.name, kind=person.kind, article=start(tx, now))


def set_base(
    tx: Tx, now: datetime, actor: Actor, person: Somebody, category: str, base_fen: int | None, *,
    reason: str, approver: str = "",
) -> Due:  # fmt: skip
    """Settle a member's category and base from this month on, and tell them that it was done.

    Raises Refused: no right here, nobody who pays dues, a category or reason nobody knows, an amount that the
    category cannot have, a change within the year without an approver. The log holds who and why, no amount.
    """
    require(tx, now, actor, Right.DUES, organisations.get(tx, person.organisation_id))
    settled = check(tx, now, person, category, base_fen, reason=reason, approver=approver)
    people.change(tx, person.id, dues_category=category, dues_base=settled.base_fen)
    audit.record(tx, now, actor, "dues.assess", person.number, reason=reason, approver=approver)
    campaigns.create(tx, now, "dues_assessed", person.id, [person.id])
    return settled


def check(
    tx: Tx, now: datetime, person: Somebody, category: str, base_fen: int | None, *, reason: str, approver: str = ""
) -> Due:
    """What `set_base` would settle, or its no; changes nothing."""
    payer(tx, now, person)
    tables = table(tx, now)
    row = tables.categories.get(category)
    if row is None:
        raise Refused("dues.no_such_category", category=category)
    if reason not in REASONS:
        raise Refused("dues.no_such_reason")
    if reason == "first" and people.dues_of(tx, person.id)[1] is not None:
        raise Refused("dues.not_the_first", name=person.name)
    if reason in CHANGES and not approver.strip():
        raise Refused("dues.approver_needed", article=tables.articles.get("year"))
    if row.scale is None and not names_amount(row):
        base_fen = None
    try:
        assessment = assess(row, base_fen, tables)
    except DuesRefused as no:
        if no.reason in ("below_minimum", "above_maximum"):
            raise Refused("dues.outside_span", category=row, article=row.citation) from None
        raise Refused("dues.amount_needed", category=row) from None
    return Due(person, today(tx, now).replace(day=1), row, False, base_fen, assessment)


def statement(tx: Tx, now: datetime, actor: Actor, person: Somebody) -> Statement:
    """A member's sheet: for themselves, the operator, or those who see to the dues there; that is logged."""
    org = organisations.get(tx, person.organisation_id)
    if actor.person_id != person.id:
        require(tx, now, actor, Right.DUES, org)
        audit.record(tx, now, actor, "dues.read", person.number)
    sheet = due(tx, now, person)
    branch = organisations.path_name(tx, org)
    return Statement(person, branch, sheet, None if sheet else start(tx, now))
