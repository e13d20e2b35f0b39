"""Who stands in this file, and which of its rows cannot be taken?"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import PurePath

from handlers.roster.columns import Columns
from handlers.roster.delimited import read_delimited
from handlers.roster.rows import IDENTITY, RosterRow, RowProblem, RowReader, shown
from handlers.roster.table import HEAD, MAX_BYTES, Line, RosterUnreadable, Table, letter

__all__ = ["IgnoredColumn", "Roster", "RosterRow", "RosterUnreadable", "RowProblem", "read_roster"]

MAX_TWINS = 10
"""Rows named beside a duplicate: were all named by all, one number filled down a column filled the memory."""
FORMATS = (
    (b"%PDF", "pdf"),
    (b"\x89PNG", "picture"),
    (b"\xff\xd8\xff", "picture"),
    (b"GIF8", "picture"),
    (b"Rar!", "archive"),
    (b"7z\xbc\xaf", "archive"),
    (b"\x1f\x8b", "archive"),
    (b"{\\rtf", "rtf"),
)
PAGE = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|\?xml|table|meta|head|body|style|div)\b", re.IGNORECASE)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@dataclass(frozen=True, slots=True)
class IgnoredColumn:
    """A column nobody reads: its place (H), its heading, and the name of the column perhaps meant."""

    place: str
    heading: str
    suggestion: str | None = None


@dataclass(frozen=True, slots=True)
class Roster:
    """What a file holds: people, rows that were rejected, and how it was understood.

    `columns` names the columns found, in the file's order; about all others the file says nothing.
    `heading_line` is the row of the headings, `lines` the number of rows with content below it.
    """

    file: str
    sheet: str | None
    other_sheets: tuple[str, ...]
    heading_line: int
    columns: tuple[str, ...]
    ignored: tuple[IgnoredColumn, ...]
    rows: tuple[RosterRow, ...]
    problems: tuple[RowProblem, ...]
    lines: int
    numbers: frozenset[str] = frozenset()
    """The 员工号 of every row, of those that were rejected too."""

    @property
    def rejected(self) -> tuple[int, ...]:
        """The rows that have a problem, each once, from the top."""
        return tuple(sorted({problem.line for problem in self.problems}))


def read_roster(data: bytes, filename: str, aliases: Columns, *, today: date | None = None) -> Roster:
    """The people in an xlsx or csv file; what kind it is, its content says and not its name.

    `today`, where given, lets a day after it be refused. Branch and kind may be missing as columns: a file
    that only brings phone numbers is one we want, and whoever adds a new person asks for both.
    Raises RosterUnreadable with the reason: empty · too_big · old_excel · encrypted · other_format ·
    not_a_table · broken_workbook · unsafe_workbook · unknown_encoding · broken_csv · too_many_rows ·
    too_many_columns · no_heading · duplicate_column · missing_column · missing_identity · no_rows.
    """
    table = _open(data, aliases)
    heading, columns, ignored = _heading(table, aliases)
    reader = RowReader(table, columns, heading, aliases, today)
    rows: list[RosterRow] = []
    problems: list[RowProblem] = []
    for line, cells in table.lines:
        if line <= heading:
            continue
        row, wrong = reader.read(line, cells)
        if row is not None:
            rows.append(row)
            problems.extend(wrong)
    if not rows:
        raise RosterUnreadable("no_rows", line=heading)
    problems.extend(_duplicates(rows, columns))
    refused = {problem.line for problem in problems}
    return Roster(
        file=_printable(filename),
        sheet=table.sheet,
        other_sheets=table.others,
        heading_line=heading,
        columns=tuple(columns),
        ignored=tuple(ignored),
        rows=tuple(row for row in rows if row.line not in refused),
        problems=tuple(sorted(problems, key=lambda problem: problem.line)),
        lines=len(rows),
        numbers=frozenset(row.number for row in rows if row.number),
    )


def _printable(filename: str) -> str:
    name = PurePath(filename.replace("\\", "/")).name
    return "".join(sign for sign in name if sign.isprintable())[:80]


def _open(data: bytes, aliases: Columns) -> Table:
    if len(data) > MAX_BYTES:
        raise RosterUnreadable("too_big", limit=MAX_BYTES // (1024 * 1024))
    if not data.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise RosterUnreadable("empty")
    if data.startswith(OLE):
        # A locked xlsx is an encrypted stream inside the old container.
        locked = "EncryptedPackage".encode("utf-16-le") in data
        raise RosterUnreadable("encrypted" if locked else "old_excel")
    for mark, name in FORMATS:
        if data.startswith(mark):
            raise RosterUnreadable("other_format", format=name)
    if PAGE.match(data):
        raise RosterUnreadable("other_format", format="html")  # many systems call a web page .xls

    def judge(lines: Sequence[Line]) -> int:
        return max((_score(line, aliases) for line in lines), default=0)

    if data.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        from handlers.roster.workbook import read_workbook  # openpyxl: 11 MB that only a spreadsheet needs

        return read_workbook(data, judge)
    return read_delimited(data, judge)


def _score(line: Line, aliases: Columns) -> int:
    """How many of our columns a row names; a single one must be the name, or any title would be a heading."""
    found = {aliases.column(value) for value in line[1].values() if isinstance(value, str)} - {None}
    return len(found) if len(found) > 1 or "name" in found else 0


def _heading(table: Table, aliases: Columns) -> tuple[int, dict[str, int], list[IgnoredColumn]]:
    """The heading's row, where each column stands, and what is left over."""
    head = [line for line in table.lines if line[0] <= HEAD]
    line, cells = max(head, key=lambda line: (_score(line, aliases), -line[0]))
    columns: dict[str, int] = {}
    left: list[tuple[int, str]] = []
    for place, value in sorted(cells.items()):
        heading = " ".join(value.split()) if isinstance(value, str) else str(value)
        name = aliases.column(heading)
        if name is None:
            left.append((place, heading[:40]))
        elif name in columns:
            places = (letter(columns[name]), letter(place))
            raise RosterUnreadable("duplicate_column", column=name, places=places, line=line)
        else:
            columns[name] = place
    ignored = [IgnoredColumn(letter(place), text, aliases.nearest(text, columns)) for place, text in left]
    if "name" not in columns:
        raise RosterUnreadable("missing_column", column="name", line=line, ignored=tuple(ignored))
    if not any(name in columns for name in IDENTITY):
        raise RosterUnreadable("missing_identity", columns=IDENTITY, line=line, ignored=tuple(ignored))
    return line, columns, ignored


def _duplicates(rows: Iterable[RosterRow], columns: dict[str, int]) -> Iterable[RowProblem]:
    """Rows that say they are one person: which of them is right, only a person knows, so none is taken."""
    groups: dict[tuple[object, ...], list[RosterRow]] = defaultdict(list)
    for row in rows:
        if row.number is not None:
            groups["number", row.number.casefold()].append(row)
            continue
        if row.phone is not None:
            groups["phone", row.name, row.phone].append(row)
        if row.born is not None:
            groups["born", row.name, row.born].append(row)
    told: set[int] = set()
    for (kind, *_), twins in groups.items():
        if len(twins) < 2:
            continue
        column = "number" if kind == "number" else "name"
        for row in twins:
            if row.line in told:
                continue
            told.add(row.line)
            others = tuple(twin.line for twin in twins[: MAX_TWINS + 1] if twin is not row)[:MAX_TWINS]
            yield RowProblem(
                row.line,
                column,
                f"duplicate_{'number' if kind == 'number' else 'person'}",
                shown("number", row.number) if row.number else row.name,
                f"{letter(columns[column])}{row.line}",
                others,
            )
