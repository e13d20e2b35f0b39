"""workdays: on which days is work done? Holidays and 调休 are data, one file a year.

The files are named after their year (2026.toml) and follow the yearly notice of 国务院办公厅. A year without a file
goes by Monday to Friday and says so (`knows`). A folder `workdays` in [rules] dir adds years and overrides them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

SHIPPED = Path(__file__).parent
DAY = timedelta(days=1)


class BadCalendar(ValueError):
    """A year's file cannot be used; says which, and what is wrong with it."""


@dataclass(frozen=True)
class Workdays:
    """The calendar: the days that differ from Monday to Friday, and the years that are known."""

    off: frozenset[date]
    work: frozenset[date]
    years: frozenset[int]

    def is_workday(self, day: date) -> bool:
        return day in self.work or (day.weekday() < 5 and day not in self.off)

    def knows(self, year: int) -> bool:
        """Whether the year's notice is here; without it a day is judged by its weekday alone (暂按周一至周五)."""
        return year in self.years

    def on_or_before(self, day: date) -> date:
        """This day, else the last workday before it."""
        while not self.is_workday(day):
            day -= DAY
        return day

    def on_or_after(self, day: date) -> date:
        """This day, else the first workday after it."""
        while not self.is_workday(day):
            day += DAY
        return day

    def after(self, day: date, count: int) -> date:
        """The workday that is the `count`-th after this day, which is not counted itself."""
        for _ in range(count):
            day = self.on_or_after(day + DAY)
        return day


@cache
def workdays(local: Path | None = None) -> Workdays:
    """The calendar as shipped, with the years of [rules] dir. Raises BadCalendar."""
    files = {file.stem: file for folder in (SHIPPED, local / "workdays" if local else None) if folder
             for file in sorted(folder.glob("*.toml"))}  # fmt: skip
    off: set[date] = set()
    work: set[date] = set()
    for name, file in files.items():
        its_off, its_work = _year(name, file)
        off |= its_off
        work |= its_work
    return Workdays(frozenset(off), frozenset(work), frozenset(int(name) for name in files))


def _year(name: str, file: Path) -> tuple[set[date], set[date]]:
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadCalendar(f"{file}: cannot be read ({type(error).__name__})") from None
    if not name.isdecimal() or len(name) != 4:
        raise BadCalendar(f"{file}: is named after its year, as in 2026.toml")
    if table.keys() != {"source", "off", "work"}:
        raise BadCalendar(f"{file}: has source, off and work, nothing else")
    off = {day for holiday in table["off"] for day in _holiday(file, holiday)}
    work = set(table["work"])
    for day in off | work:
        if type(day) is not date or day.year != int(name):
            raise BadCalendar(f"{file}: {day} is no day of {name}")
    if both := off & work:
        raise BadCalendar(f"{file}: {min(both)} is a holiday and a workday")
    if odd := sorted(day for day in work if day.weekday() < 5):
        raise BadCalendar(f"{file}: {odd[0]} is no weekend; only working weekends stand in work")
    return off, work


def _holiday(file: Path, holiday: Any) -> Iterable[date]:
    if not isinstance(holiday, dict) or holiday.keys() != {"name", "from", "to"}:
        raise BadCalendar(f"{file}: a holiday has name, from and to")
    first, last = holiday["from"], holiday["to"]
    if type(first) is not date or type(last) is not date or not first <= last:
        raise BadCalendar(f"{file}: {holiday['name']} does not go from a day to a day")
    return [first + DAY * place for place in range((last - first).days + 1)]
