"""table: reports.toml – who hands in what how often, who reads it, how long is long enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from handlers.reports.rules import Every, Steps
from handlers.ruletable import read_table
from storage.people import KINDS

SHIPPED = Path(__file__).with_name("reports.toml")


@dataclass(frozen=True, slots=True)
class Table:
    """reports.toml. Lengths are in characters."""

    source: str
    every: Mapping[str, Every]
    contact: bool
    readers: tuple[str, ...]
    hint: int
    late_days: int
    keep_years: int
    summary_of: tuple[str, ...]
    summary_by: tuple[str, ...]
    summary_readers: tuple[str, ...]
    summary_late_days: int
    steps: Steps

    def kinds(self, every: Every) -> tuple[str, ...]:
        """The kinds of people who hand in so often."""
        return tuple(kind for kind, often in self.every.items() if often is every)


@cache
def table(local: Path | None = None) -> Table:
    """The table in force; one of the same name in [rules] dir takes its place. Raises TableError."""
    file = local / SHIPPED.name if local and (local / SHIPPED.name).exists() else SHIPPED
    row = read_table(file)
    every, report, summary, reminders = (row.table(name) for name in ("every", "report", "summary", "reminders"))
    for kind in every.names():
        if kind not in KINDS:
            raise every.error(kind, f"is none of {', '.join(KINDS)}")
    found = Table(
        source=row.text("source"),
        every={kind: Every(every.one_of(kind, [*Every])) for kind in every.names()},
        contact=report.flag("contact"),
        readers=report.texts("readers"),
        hint=report.number("hint"),
        late_days=report.number("late_days"),
        keep_years=report.number("keep_years"),
        summary_of=summary.texts("of"),
        summary_by=summary.texts("by"),
        summary_readers=summary.texts("readers"),
        summary_late_days=summary.number("late_days"),
        steps=Steps(reminders.number("before"), reminders.number("after"), reminders.number("list")),
    )
    for part in (row, every, report, summary, reminders):
        part.done()
    return found
