"""Terms of office: which end soon, and who is reminded of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, partial
from pathlib import Path

from bot.core.reply import Words, words
from handlers import Item, Round, Turn, actor
from handlers.rights import Right, places, today
from handlers.ruletable import read_table
from handlers.terms import rules
from handlers.terms.rules import Reminder, Term
from storage import offices, organisations
from storage.house import Tx
from storage.offices import Held
from storage.organisations import Org
from storage.reminders import Kept

KIND = "term"
SHIPPED = Path(__file__).with_name("terms.toml")
WORTH = timedelta(days=7)
"""How long a reminder may come late: then the next one is near."""


@dataclass(frozen=True, slots=True)
class Table:
    """terms.toml."""

    source: str
    reminded_by: str
    postponed_by: str
    reminders: tuple[int, ...]
    elected: frozenset[str]
    own: frozenset[str]
    above: frozenset[str]
    years: dict[str, int]


@cache
def table(local: Path | None = None) -> Table:
    """The table in force; one of the same name in [rules] dir takes its place. Raises TableError."""
    file = local / SHIPPED.name if local and (local / SHIPPED.name).exists() else SHIPPED
    row = read_table(file)
    years = row.table("years")
    found = Table(
        row.text("source"),
        row.text("reminded_by"),
        row.text("postponed_by"),
        row.numbers("reminders"),
        frozenset(row.texts("elected")),
        frozenset(row.texts("own")),
        frozenset(row.texts("above")),
        {name: years.number(name) for name in years.names()},
    )
    row.done()
    return found


@dataclass(frozen=True, slots=True)
class Ending:
    """The term of an organisation's committee, and the reminder that stands now, if one does."""

    org: Org
    term: Term
    reminder: Reminder | None

    @property
    def overdue(self) -> bool:
        return self.reminder is not None and self.reminder.weeks > 0


def endings(tx: Tx, now: datetime, org: Org | None = None) -> list[Ending]:
    """The terms of the committees within an organisation (or of all), as the days in office tell them."""
    rule, day = table(tx.house.rules), today(tx, now)
    began: dict[int, tuple[Org, date]] = {}
    for held in offices.holders(tx, day, org=org, roles=tuple(sorted(rule.elected))):
        known = began.get(held.org.id)
        began[held.org.id] = (held.org, min(held.since, known[1]) if known else held.since)
    found = []
    for its, since in began.values():
        if its.kind in rule.years and its.closed_on is None:
            term = rules.term(since, rule.years[its.kind])
            found.append(Ending(its, term, rules.latest(term, rule.reminders, day)))
    return found


def rounds(tx: Tx, now: datetime) -> Iterable[Round]:
    """A round for each committee whose re-election is to be called to mind."""
    for ending in endings(tx, now):
        if ending.reminder is None:
            continue
        at = datetime.combine(ending.reminder.on, time(), tzinfo=tx.house.zone).astimezone(UTC)
        key = f"{ending.org.id}/{ending.term.ends}/{ending.reminder.months}m{ending.reminder.weeks}w"
        yield Round(KIND, key, ending.org.id, at, now + WORTH, partial(_whom, tx, now, ending.org), regulated=True)


def line(tx: Tx, now: datetime, kept: Kept) -> Item | None:
    """What is said of it now; None once a new committee is in office."""
    org = organisations.get(tx, kept.subject)
    ends = kept.key.split("/")[1]
    for ending in endings(tx, now, org):
        if ending.org.id == org.id and ending.term.ends.isoformat() == ends:
            return Item(_said(tx, ending, today(tx, now)))
    return None


def items(turn: Turn) -> list[Item]:
    """What 工作台 says: terms that end within half a year, and those that are over."""
    area = places(turn.tx, turn.now, actor(turn), Right.OFFICE) if turn.sender else []
    day = today(turn.tx, turn.now)
    found = {ending.org.id: ending for place in area for ending in endings(turn.tx, turn.now, place)}
    return [Item(_said(turn.tx, ending, day)) for ending in found.values() if ending.reminder]


def _said(tx: Tx, ending: Ending, day: date) -> Words:
    rule = table(tx.house.rules)
    return words(
        "terms.over" if day > ending.term.ends else "terms.ends",
        org=ending.org.name, ends=ending.term.ends, latest=ending.term.latest_if_postponed,
        years=rule.years[ending.org.kind], source=rule.source, reminded_by=rule.reminded_by,
        postponed_by=rule.postponed_by,
    )  # fmt: skip


def _whom(tx: Tx, now: datetime, org: Org) -> Sequence[int]:
    """Those who prepare the election here, and those above who see to it."""
    rule, day = table(tx.house.rules), today(tx, now)

    def at(place: Org, roles: frozenset[str]) -> list[Held]:
        return [held for held in offices.holders(tx, day, org=place, roles=tuple(sorted(roles))) if held.org == place]

    above = organisations.get(tx, org.parent_id) if org.parent_id else None
    held = [*at(org, rule.own), *(at(above, rule.above) if above else [])]
    return list(dict.fromkeys(one.person_id for one in held))
