"""Importing a roster, as use cases: preview, take, keep a file until its sender has decided."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from bot.core.reply import Phrase, Refused
from handlers.rights import Right, may, roles_with, today
from handlers.roster.columns import Columns
from handlers.roster.plan import ImportPlan, Planner, Step
from handlers.roster.reading import Roster, RosterUnreadable, read_roster
from handlers.roster.rows import RosterRow, RowProblem
from storage import addresses, audit, offices, people, rosters
from storage.audit import Actor
from storage.house import Tx

PENDING = timedelta(hours=1)
"""How long a file handed over in a chat waits for its sender's word."""
ALIASES = "columns.toml"
"""The table of headings in the folder of local rules."""


@dataclass(slots=True)
class Applied:
    """What was done with some rows. `waiting` steps have changes that were not accepted."""

    added: int = 0
    filled: int = 0
    changed: int = 0
    waiting: int = 0
    unchanged: int = 0
    problems: tuple[RowProblem, ...] = ()

    def __add__(self, other: Applied) -> Applied:
        numbers = ("added", "filled", "changed", "waiting", "unchanged")
        sums = {name: getattr(self, name) + getattr(other, name) for name in numbers}
        return Applied(**sums, problems=self.problems + other.problems)


@cache
def _columns(directory: Path | None) -> Columns:
    """Read once: a table that is changed is read at the next start."""
    local = directory / ALIASES if directory else None
    return Columns.load(local if local and local.exists() else None)


def columns(tx: Tx) -> Columns:
    """How headings and words are read here. Raises ColumnsInvalid."""
    return _columns(tx.house.rules)


def read(tx: Tx, now: datetime, data: bytes, filename: str) -> Roster:
    """The people in a file. Raises Refused, in the reader's words for columns, when it cannot be read at all."""
    aliases = columns(tx)
    try:
        return read_roster(data, filename, aliases, today=today(tx, now))
    except RosterUnreadable as no:
        values = dict(no.values)
        if isinstance(name := values.get("column"), str):
            values["column"] = Phrase(aliases.titles[name])
        raise Refused(no.words.template, **values) from None


def plan(tx: Tx, now: datetime, actor: Actor, roster: Roster) -> ImportPlan:
    """What a file would do; nothing is done. Raises Refused for somebody who may not change people anywhere."""
    planner = Planner(tx, now, actor, columns(tx))
    steps, problems = planner.plan(roster.rows)
    missing = planner.absent(steps, roster.numbers)
    every = sorted((*roster.problems, *problems), key=lambda problem: problem.line)
    return ImportPlan(tuple(steps), tuple(every), tuple(people.listed(tx, missing)))


def apply(
    tx: Tx, now: datetime, actor: Actor, rows: Sequence[RosterRow], *, accept_changes: bool, file: str = ""
) -> Applied:
    """Take some rows. Each is looked at afresh, so that a second run goes on where the first was stopped.

    What needs acceptance is left alone unless it is given. Raises Refused without any right.
    """
    tx.lock("roster")  # two imports at once would both find that a number is free
    steps, problems = Planner(tx, now, actor, columns(tx)).plan(rows)
    done = Applied(problems=tuple(problems))
    new = [step for step in steps if step.is_new]
    _add(tx, now, actor, new)
    done.added = len(new)
    filled = []
    for step in steps:
        if step.is_new:
            continue
        accepted = step.waits and accept_changes
        values = {**({} if step.proposed and not accepted else step.values), **(step.waiting if accepted else {})}
        if values:
            assert step.person_id is not None
            people.change(tx, step.person_id, **values)
        if accepted and step.changes:
            _change(tx, now, actor, step)
            done.changed += 1
        elif values:
            filled.append(step.number)
        done.waiting += step.waits and not accepted
        done.unchanged += step.idle
    done.filled = len(filled)
    # Where numbers are addresses (WeCom), somebody whom the file names once more is perhaps there once more.
    addresses.revive(tx, [one.person_id for one in steps if one.person_id], tx.house.vouching)
    if new or filled:
        audit.record(tx, now, actor, "roster.import", file, added=[step.number for step in new], filled=filled)
    return done


def _add(tx: Tx, now: datetime, actor: Actor, steps: Sequence[Step]) -> None:
    if not steps:
        return
    ids = people.add_many(tx, now, [dict(step.values) for step in steps])
    for person_id, step in zip(ids, steps, strict=True):
        _appoint(tx, now, actor, replace(step, person_id=person_id))


def _change(tx: Tx, now: datetime, actor: Actor, step: Step) -> None:
    what = {change.column: [change.old, change.new] for change in step.changes}
    audit.record(tx, now, actor, "member.change", step.number, line=step.row.line, **what)
    last = today(tx, now) - timedelta(days=1)
    for office in step.end:
        offices.end(tx, office.id, last)
        audit.record(tx, now, actor, "office.end", step.number, role=office.role, org=office.org.code)
    _appoint(tx, now, actor, step)


def _appoint(tx: Tx, now: datetime, actor: Actor, step: Step) -> None:
    for role, org in step.appoint:
        assert step.person_id is not None
        offices.appoint(tx, step.person_id, org, role, today(tx, now))
        audit.record(tx, now, actor, "office.appoint", step.number, role=role, org=org.code)


# -- a file that waits --------------------------------------------------------------------------------------------


def check_right(tx: Tx, now: datetime, actor: Actor) -> None:
    """Raises Refused for somebody who may not change people anywhere; their file is not even read."""
    if not may(tx, now, actor, Right.MEMBER):
        raise Refused("roster.not_yours", offices=roles_with(Right.MEMBER))


def keep(tx: Tx, now: datetime, person_id: int, roster: Roster) -> int:
    """Keep the rows of a file, sealed, until its sender decides; the number by which it is taken."""
    rows = [asdict(row) for row in roster.rows]
    text = json.dumps({"file": roster.file, "rows": rows, "rejected": roster.rejected}, default=str)
    number = zlib.crc32(text.encode()) & 0x7FFFFFFF
    rosters.put(tx, person_id, number, text, now + PENDING)
    return number


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that waits. `rejected` are the lines that could not be read; they were not kept."""

    file: str
    rows: tuple[RosterRow, ...]
    rejected: tuple[int, ...]


def kept(tx: Tx, now: datetime, person_id: int, number: int) -> Kept:
    """The file under this number. Raises Refused when it does not wait any more."""
    text = rosters.pending(tx, now, person_id, number)
    if text is None:
        raise Refused("roster.no_longer_waits")
    found = json.loads(text)
    return Kept(found["file"], tuple(_row(values) for values in found["rows"]), tuple(found["rejected"]))


def _row(values: dict[str, Any]) -> RosterRow:
    days = {name: date.fromisoformat(values[name]) for name in ("born", "admitted", "confirmed") if values[name]}
    return RosterRow(**{**values, **days, "offices": tuple(values["offices"])})


def forget(tx: Tx, person_id: int) -> None:
    """The file is not wanted, or was taken."""
    rosters.drop(tx, person_id)


def due(tx: Tx, now: datetime) -> int:
    """Forget the files whose hour is over."""
    return rosters.purge(tx, now)
