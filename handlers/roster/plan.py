"""What would become of each row: somebody new, blanks filled in, changes that wait, or a no?

Whoever imports decides: blanks are filled and new people added at once; what replaces something – a branch, a
kind, an office – and a person found without their number wait for acceptance. Dues bases are settled once a
year with a reason, so a file only fills them in; it never changes one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any

from bot.core.reply import Refused
from handlers.rights import Right, places, roles_with, today
from handlers.roster.branches import Branches
from handlers.roster.columns import Columns
from handlers.roster.rows import RosterRow, RowProblem, shown
from storage import offices, people, rosters
from storage.audit import Actor
from storage.house import Tx
from storage.offices import Held
from storage.organisations import Org
from storage.people import Somebody
from storage.rosters import Known

DATES = {"born": "born", "admitted": "admitted_on", "confirmed": "confirmed_on"}
"""The columns of a file that are days, and where they are kept."""
MEMBERS = ("正式党员", "预备党员")


@dataclass(frozen=True, slots=True)
class Change:
    """Something that is kept already and would be replaced. Of private columns neither value is told."""

    line: int
    number: str
    name: str
    column: str
    old: str = ""
    new: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of one row. `values` are stored at once, `waiting` when the changes are accepted."""

    row: RosterRow = field(repr=False)
    person_id: int | None
    number: str
    name: str
    org: Org
    values: Mapping[str, Any] = field(repr=False)
    waiting: Mapping[str, Any] = field(default_factory=dict, repr=False)
    changes: tuple[Change, ...] = ()
    appoint: tuple[tuple[str, Org], ...] = ()
    """Offices to take up: of somebody new at once, else with the changes."""
    end: tuple[Held, ...] = ()
    proposed: bool = False
    """Found by name with phone or birthday, not by number: somebody has to say that it is they."""
    kept: tuple[str, ...] = ()
    """Columns in which the file differs and what we have stays: dues."""

    @property
    def is_new(self) -> bool:
        return self.person_id is None

    @property
    def fills(self) -> bool:
        return not self.is_new and not self.proposed and bool(self.values)

    @property
    def waits(self) -> bool:
        """Whether something of it needs acceptance."""
        return bool(self.changes) or (self.proposed and bool(self.values))

    @property
    def idle(self) -> bool:
        """Whether the row says what is known already."""
        return not self.is_new and not self.values and not self.changes


@dataclass(frozen=True)
class ImportPlan:
    """What a file would do, before anything is done."""

    steps: tuple[Step, ...]
    problems: tuple[RowProblem, ...]
    absent: tuple[Somebody, ...] = ()
    """People within the sender's reach whom the file does not name. They are never touched."""

    @cached_property
    def adds(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.is_new)

    @cached_property
    def fills(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.fills)

    @cached_property
    def changes(self) -> tuple[Change, ...]:
        return tuple(change for step in self.steps for change in step.changes)

    @cached_property
    def proposals(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.proposed and step.waits)

    @cached_property
    def waiting(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.waits)

    @cached_property
    def kept(self) -> tuple[Step, ...]:
        return tuple(step for step in self.steps if step.kept)

    @cached_property
    def unchanged(self) -> int:
        return sum(step.idle for step in self.steps)

    @cached_property
    def rejected(self) -> tuple[int, ...]:
        """The rows that are refused, each once, from the top."""
        return tuple(sorted({problem.line for problem in self.problems}))

    @property
    def does_something(self) -> bool:
        return bool(self.adds or self.fills or self.waiting)


class Planner:
    """Plans rows, for one actor at one moment. Raises Refused for somebody who may not change people at all."""

    def __init__(self, tx: Tx, now: datetime, actor: Actor, columns: Columns) -> None:
        self._tx, self._columns, self._today = tx, columns, today(tx, now)
        self.area = places(tx, now, actor, Right.MEMBER)
        if not self.area:
            raise Refused("roster.not_yours", offices=roles_with(Right.MEMBER))
        self._appoints = places(tx, now, actor, Right.OFFICE)
        self._settles = places(tx, now, actor, Right.DUES)
        self.branches = Branches(tx, self.area)

    def plan(self, rows: Sequence[RosterRow]) -> tuple[list[Step], list[RowProblem]]:
        """What becomes of these rows, and which of them are refused."""
        known = rosters.by_numbers(self._tx, (row.number for row in rows if row.number))
        proposed = {row.line: self._matches(row) for row in rows if not row.number}
        matched = rosters.by_ids(self._tx, (found[0] for found in proposed.values() if len(found) == 1))
        newcomers = [row for row in rows if row.number and row.number.casefold() not in known]
        phones = rosters.with_phones(self._tx, (row.phone for row in newcomers if row.phone))
        steps, problems, taken = [], [], dict[int, int]()
        for row in sorted(rows, key=lambda row: not row.number):  # who is named by number is that person
            try:
                if row.number:
                    person = known.get(row.number.casefold())
                else:
                    person = self._proposed(row, proposed[row.line], matched)
                if person is None:
                    step = self._new(row, phones.get((row.name, row.phone or "")))
                elif (first := taken.setdefault(person.id, row.line)) != row.line:
                    raise _No(row, None, "twice", lines=(first,))
                else:
                    step = self._compare(row, person, proposed=row.number is None)
            except _No as no:
                problems.append(no.problem)
            else:
                steps.append(step)
        return sorted(steps, key=lambda step: step.row.line), problems

    def absent(self, steps: Iterable[Step], numbers: Iterable[str]) -> list[int]:
        """The ids of those within reach whom the file does not name, not even in a row that is refused."""
        named = {step.person_id for step in steps}
        named |= {known.id for known in rosters.by_numbers(self._tx, numbers).values()}
        return [person for org in self.area for person in rosters.everybody(self._tx, org) if person not in named]

    # -- who is it? ---------------------------------------------------------------------------------------------

    def _matches(self, row: RosterRow) -> list[int]:
        """Those within reach whom a row without a number may mean."""
        found: list[Somebody] = []
        if row.phone:
            found = people.matching(self._tx, row.name, phone=row.phone)
        if not found and row.born:
            found = people.matching(self._tx, row.name, born=row.born)
        return [p.id for p in found if p.left_on is None and self.branches.reaches(p.organisation_id)]

    def _proposed(self, row: RosterRow, found: list[int], matched: Mapping[int, Known]) -> Known:
        if not found:
            raise _No(row, "number", "no_number")
        if len(found) > 1:
            raise _No(row, "number", "several_match")
        return matched[found[0]]

    # -- what does the row say? ---------------------------------------------------------------------------------

    def _words(self, row: RosterRow) -> dict[str, Any]:
        """The row's values as they are kept: only those it has."""
        titles = self._columns.titles
        said: dict[str, Any] = {column: getattr(row, name) for name, column in DATES.items()}
        said |= {"email": row.email, "phone": row.phone, "dues_category": row.dues_category}
        said |= {"dues_base": row.dues_base_fen, "gender": row.gender and titles[row.gender]}
        return {name: value for name, value in said.items() if value is not None}

    def _kind(self, row: RosterRow) -> str | None:
        return self._columns.titles[row.kind] if row.kind else None

    def _offices(self, row: RosterRow, org: Org) -> list[tuple[str, Org]]:
        return [(self._columns.titles[code], self.branches.seat(code, org)) for code in row.offices]

    def _fit(self, row: RosterRow, kind: str, admitted: date | None, confirmed: date | None) -> None:
        """Raises _No where what the row brings does not go with a kind that it does not name itself."""
        if row.admitted and kind not in MEMBERS:
            raise _No(row, "admitted", "kind_mismatch")
        if row.confirmed and kind != "正式党员":
            raise _No(row, "confirmed", "kind_mismatch")
        if kind not in MEMBERS and not self._columns.elected.isdisjoint(row.offices):
            raise _No(row, "offices", "kind_mismatch")
        if admitted and confirmed and confirmed < admitted:
            raise _No(row, "confirmed", "date_order")

    def _may_appoint(self, row: RosterRow, seats: Iterable[Org]) -> None:
        for org in seats:
            if not any(place.holds(org) for place in self._appoints):
                raise _No(row, "offices", "office_beyond", suggestion=org.name)

    def _dues(self, values: dict[str, Any], org: Org) -> tuple[str, ...]:
        """Takes out what only those who see to the dues may fill in; the columns that were taken out."""
        if any(place.holds(org) for place in self._settles):
            return ()
        return tuple(name for name in ("dues_category", "dues_base") if values.pop(name, None) is not None)

    def _new(self, row: RosterRow, number: str | None) -> Step:
        assert row.number is not None
        if number:
            raise _No(row, "number", "same_person", suggestion=number)
        org = self._branch(row) or self.branches.only
        kind = self._kind(row)
        if org is None:
            raise _No(row, "branch", "missing_branch")
        if kind is None:
            raise _No(row, "kind", "missing_kind")
        self._fit(row, kind, row.admitted, row.confirmed)
        values = {**self._words(row), "number": row.number, "name": row.name, "kind": kind, "organisation_id": org.id}
        kept = self._dues(values, org)
        appoint = tuple(self._offices(row, org))
        self._may_appoint(row, (seat for _, seat in appoint))
        return Step(row, None, row.number, row.name, org, values, appoint=appoint, kept=kept)

    def _compare(self, row: RosterRow, person: Known, *, proposed: bool) -> Step:
        if person.left_on is not None:
            raise _No(row, "number", "has_left", cell=row.number)
        if not self.branches.reaches(person.organisation_id):
            raise _No(row, "number", "beyond_person", cell=row.number)
        if person.name != row.name:
            raise _No(row, "name", "other_name", cell=row.name)
        here = self.branches.of(person.organisation_id)
        org = self._branch(row) or here
        kind = self._kind(row) or person.kind
        self._fit(row, kind, row.admitted or person.admitted_on, row.confirmed or person.confirmed_on)
        number, name = person.number, person.name
        said = self._words(row)
        kept = self._dues(said, here)
        blank = {column: value for column, value in said.items() if getattr(person, column) in ("", None)}
        other = {c: value for c, value in said.items() if c not in blank and value != getattr(person, c)}
        kept += tuple(c for c in ("dues_category", "dues_base") if other.pop(c, None) is not None)
        waiting: dict[str, Any] = dict(other)
        changes = [Change(row.line, number, name, column) for column in other]
        if org != here:
            waiting["organisation_id"] = org.id
            changes.append(Change(row.line, number, name, "branch", here.name, org.name))
        if kind != person.kind:
            waiting["kind"] = kind
            changes.append(Change(row.line, number, name, "kind", person.kind, kind))
            # A day that belongs to the new kind comes with it, or a 预备党员 would have a 转正日期.
            waiting |= {c: blank.pop(c) for c in ("admitted_on", "confirmed_on") if c in blank}
        held = offices.of_person(self._tx, person.id, self._today) if row.offices else []
        appoint, end = self._reshuffle(row, org, here, held)
        if appoint or end:
            old, new = [office.role for office in held], [role for role, _ in self._offices(row, org)]
            changes.append(Change(row.line, number, name, "offices", "、".join(old), "、".join(new)))
        return Step(
            row, person.id, number, name, org, blank, waiting, tuple(changes), tuple(appoint), tuple(end), proposed,
            kept,
        )  # fmt: skip

    def _reshuffle(
        self, row: RosterRow, org: Org, here: Org, held: list[Held]
    ) -> tuple[list[tuple[str, Org]], list[Held]]:
        """Offices to take up and to end. A cell that names none ends none; offices of elsewhere are left alone."""
        if not row.offices:
            return [], []
        above = {office.role: office.org for office in held if office.org.holds(org)}
        # 党务干事 of the committee, in a file that only says 党务干事: an office held above the branch is meant.
        wanted = [(role, above.get(role, seat)) for role, seat in self._offices(row, org)]
        now = [(office.role, office.org.id) for office in held]
        appoint = [(role, seat) for role, seat in wanted if (role, seat.id) not in now]
        places_ = {here.id, org.id, *(seat.id for _, seat in wanted)}
        named = {(role, seat.id) for role, seat in wanted}
        end = [office for office in held if office.org.id in places_ and (office.role, office.org.id) not in named]
        self._may_appoint(row, [seat for _, seat in appoint] + [office.org for office in end])
        return appoint, end

    def _branch(self, row: RosterRow) -> Org | None:
        """The branch a row names. Raises _No: unknown, ambiguous, beyond reach."""
        if row.branch is None:
            return None
        org, reason, near = self.branches.find(row.branch)
        if org is None:
            raise _No(row, "branch", reason, cell=row.branch, suggestion="、".join(near) or None)
        return org


class _No(Exception):
    """A row that is refused."""

    def __init__(
        self, row: RosterRow, column: str | None, reason: str, *, cell: str | None = None,
        suggestion: str | None = None, lines: tuple[int, ...] = (),
    ) -> None:  # fmt: skip
        super().__init__(reason)
        seen = shown(column, cell) if column and cell else None
        self.problem = replace(RowProblem(row.line, column, reason, seen, lines=lines), suggestion=suggestion)
