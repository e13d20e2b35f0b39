"""Which person is this row, or what is wrong with it?"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import pairwise

from handlers.roster import normalise
from handlers.roster.columns import Columns
from handlers.roster.normalise import FORBIDDEN, Unclear
from handlers.roster.table import Area, Odd, Table, Value, letter


@dataclass(frozen=True, slots=True)
class RosterRow:
    """One person of the file. None and () mean that the file says nothing, never “take it away”.

    `line` is the row's number in the sheet; `kind`, `gender`, `offices` and `dues_category` are the codes of
    columns.toml; `dues_base_fen` is fen a month. Private values are left out of the repr, and so out of logs.
    """

    line: int
    number: str | None
    name: str
    gender: str | None = None
    born: date | None = field(default=None, repr=False)
    branch: str | None = None
    kind: str | None = None
    admitted: date | None = None
    confirmed: date | None = None
    offices: tuple[str, ...] = ()
    phone: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    dues_category: str | None = None
    dues_base_fen: int | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class RowProblem:
    """Why a row was rejected; a row may have several.

    `column` is one of `columns.NAMES`, or None for the row as a whole; `cell` is what the sheet calls the
    place (F12); `shown` is what stands there if that helps and harms nobody: never a phone, an address or a
    base, and nothing that looks like one in the wrong column. `lines` are other rows of a duplicate,
    `area` the merged range, `suggestion` the code of the value that was perhaps meant.
    """

    line: int
    column: str | None
    reason: str
    shown: str | None = field(default=None, repr=False)
    cell: str | None = None
    lines: tuple[int, ...] = ()
    area: str | None = None
    suggestion: str | None = None


PRIVATE = ("phone", "email", "dues_base")
IDENTITY = ("number", "phone", "born")
"""One of these, beside the name, tells two people of one name apart."""
DATES = ("born", "admitted", "confirmed")
MEMBERS = ("full", "probationary")
MAX_SHOWN = 40


class Merged:
    """Where the merged cells of the data lie. In one column they never overlap: the last to begin counts."""

    def __init__(self, areas: tuple[Area, ...], columns: Mapping[str, int], heading: int) -> None:
        self._by_column: dict[int, tuple[list[int], list[Area]]] = {}
        for column in columns.values():
            # What begins in the heading or above it is decoration, even where it hangs into the row below.
            here = sorted(
                (area for area in areas if area.left <= column <= area.right and area.top > heading),
                key=lambda area: area.top,
            )
            if here:
                self._by_column[column] = ([area.top for area in here], here)

    def at(self, line: int, column: int) -> Area | None:
        tops, areas = self._by_column.get(column, ([], []))
        place = bisect_right(tops, line) - 1
        return areas[place] if place >= 0 and areas[place].bottom >= line else None


class RowReader:
    """Reads the rows of one table, each for itself."""

    def __init__(
        self, table: Table, columns: Mapping[str, int], heading: int, aliases: Columns, today: date | None
    ) -> None:
        self._columns = columns
        self._merged = Merged(table.merged, columns, heading)
        self._aliases = aliases
        self._today = today
        from_serial = table.day
        readers: dict[str, Callable[[Value], object]] = {
            "number": normalise.number,
            "name": normalise.name,
            "branch": normalise.branch,
            "phone": normalise.phone,
            "email": normalise.email,
            "dues_base": normalise.fen,
            "offices": lambda value: normalise.offices(value, aliases),
            "kind": lambda value: normalise.listed("kind", value, aliases),
            "gender": lambda value: normalise.listed("gender", value, aliases),
            "dues_category": lambda value: normalise.listed("dues_category", value, aliases),
        }
        readers |= {name: lambda value: normalise.day(value, from_serial) for name in DATES}
        self._readers = [(name, place, readers[name]) for name, place in columns.items()]

    def read(self, line: int, cells: Mapping[int, Value]) -> tuple[RosterRow | None, list[RowProblem]]:
        """The person and every problem of the row; with a problem it holds only what could be read.

        None for a row that is blank in all columns we read.
        """
        if all(place not in cells for place in self._columns.values()):
            return None, []
        values: dict[str, object] = {}
        problems: list[RowProblem] = []
        for name, place, reader in self._readers:
            area = self._merged.at(line, place)
            if area is not None:
                problems.append(replace(self._problem(line, name, "merged_cells"), area=area.name))
                continue
            value = cells.get(place)
            if value is None:
                continue
            try:
                values[name] = reader(value)
            except Unclear as unclear:
                problem = self._problem(line, name, unclear.reason, shown(name, value))
                problems.append(replace(problem, suggestion=unclear.suggestion))
        row = _row(line, values)
        seen = {problem.column for problem in problems}
        if row.name == "" and "name" not in seen:
            problems.append(self._problem(line, "name", "missing_name"))
        if seen.isdisjoint(IDENTITY) and all(getattr(row, name) is None for name in IDENTITY):
            problems.append(RowProblem(line, None, "missing_identity"))
        problems.extend(self._contradictions(row))
        return row, problems

    def _problem(self, line: int, column: str, reason: str, shown: str | None = None) -> RowProblem:
        return RowProblem(line, column, reason, shown, f"{letter(self._columns[column])}{line}")

    def _contradictions(self, row: RosterRow) -> Iterator[RowProblem]:
        """What each cell may say alone, but not beside another."""
        if self._today is not None:
            for name in DATES:
                day = getattr(row, name)
                if day is not None and day > self._today:
                    yield self._problem(row.line, name, "date_in_future", day.isoformat())
        ordered = [(name, day) for name in DATES if (day := getattr(row, name)) is not None]
        for (_, earlier), (name, later) in pairwise(ordered):
            if later < earlier:
                yield self._problem(row.line, name, "date_order", later.isoformat())
        if row.kind is None:
            return
        # Admission makes a probationary member, confirmation a full one: 发展党员工作细则.
        if row.admitted is not None and row.kind not in MEMBERS:
            yield self._problem(row.line, "admitted", "kind_mismatch", row.admitted.isoformat())
        if row.confirmed is not None and row.kind != "full":
            yield self._problem(row.line, "confirmed", "kind_mismatch", row.confirmed.isoformat())
        if row.kind not in MEMBERS and not self._aliases.elected.isdisjoint(row.offices):
            yield self._problem(row.line, "offices", "kind_mismatch")


def _row(line: int, values: Mapping[str, object]) -> RosterRow:
    """Typed by the readers: each gives what the field of its name holds."""
    return RosterRow(
        line=line,
        name=values.get("name", ""),  # type: ignore[arg-type]
        dues_base_fen=values.get("dues_base"),  # type: ignore[arg-type]
        offices=values.get("offices", ()),  # type: ignore[arg-type]
        **{key: values.get(key) for key in PLAIN},  # type: ignore[arg-type]
    )


PLAIN = (
    "number", "gender", "born", "branch", "kind", "admitted", "confirmed", "phone", "email", "dues_category"
)  # fmt: skip


def shown(column: str, value: Value) -> str | None:
    """What a problem may repeat of a cell.

    Columns slip: a phone or a base may stand under 性别. So anything with an @ or with many digits is kept
    back, and bare numbers are shown only where they look like a day, or like an employee's number.
    """
    if column in PRIVATE or isinstance(value, (Odd, bool)):
        return None
    said = value if isinstance(value, str) else str(value)
    said = " ".join(FORBIDDEN.sub("?", said).split())
    digits = sum(sign.isdigit() for sign in said)
    if column == "number":
        fits = digits != 11 and digits < 15  # a mobile number, an identity card
    elif column in DATES:
        fits = re.match(r"(?:1[89]|20)\d\d(?:[-/.年]|\d{2}(?:\d{2})?$|$)", said) is not None or not digits
    else:
        fits = not digits or any(sign.isalpha() for sign in said)
    if "@" in said or not fits or (digits > 8 and column != "number"):
        return None
    return said if len(said) <= MAX_SHOWN else said[: MAX_SHOWN - 1] + "…"
