"""What does a spreadsheet hand us, whatever kind of file it was?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum

from bot.core.reply import Refused

MAX_BYTES = 10 * 1024 * 1024
MAX_ROWS = 200_000
MAX_LINE = 1_048_576
"""The last row that any spreadsheet program shows, blank ones counted."""
MAX_COLUMNS = 200
MAX_PLACE = 16_384
"""The last column (XFD) that any spreadsheet program shows."""
MAX_TEXT = 500
"""Characters of one cell that we look at: longer than any name, path of branches or list of offices."""
HEAD = 10
"""The heading stands within the first ten rows: above it are titles, dates and who filled the sheet in."""


class RosterUnreadable(Refused):
    """The whole file is refused: `reason` is a code, and `values` are what its words need.

    Neither ever holds anything from inside the cells of a person's row.
    """

    def __init__(self, reason: str, /, **values: object) -> None:
        super().__init__(f"roster.{reason}", **values)
        self.reason = reason
        self.values = values


class Odd(Enum):
    """A cell whose content cannot be taken at its word; the value is the reason given.

    No string, lest a reader of numbers take the word “formula” for what the cell says.
    """

    FORMULA = "formula"
    ERROR = "cell_error"
    TOO_LONG = "too_long"
    NOT_TEXT = "not_text"


Value = str | int | float | bool | datetime | date | Odd
Line = tuple[int, dict[int, Value]]
"""A row as the person sees it: its number in the sheet, and what stands in which column (1 = A)."""
Judge = Callable[[Sequence[Line]], int]
"""How many columns are recognised in the best row of these; 0 when none of them is a heading."""


@dataclass(frozen=True, slots=True)
class Area:
    """Merged cells, all four edges included."""

    name: str
    top: int
    left: int
    bottom: int
    right: int


@dataclass(frozen=True, slots=True)
class Table:
    """One sheet, from its first row on; rows without any content are left out."""

    lines: list[Line]
    sheet: str | None = None
    others: tuple[str, ...] = ()
    """Names of the visible sheets that were not read."""
    merged: tuple[Area, ...] = field(default=())
    epoch: date = date(1899, 12, 30)
    """Day nought of dates that were stored as plain numbers."""

    def day(self, serial: int) -> date:
        return self.epoch + timedelta(days=serial)


def letter(column: int) -> str:
    """1 → A, 27 → AA."""
    name = ""
    while column > 0:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def plain_text(text: str) -> str | Odd | None:
    """What a cell of text holds; None when it is blank, a formula when any program would take it for one."""
    if len(text) > MAX_TEXT:
        return Odd.TOO_LONG
    stripped = text.strip()
    if not stripped:
        return None
    return Odd.FORMULA if stripped[0] in "=＝" else text
