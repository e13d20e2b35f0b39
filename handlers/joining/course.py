"""course: where on the way is somebody, what comes next, from when, until when?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Protocol

from handlers.joining import rules
from handlers.joining.rules import END, Step, Table
from handlers.months import months_later

RECEIVED, ACTIVIST, CONTACTS, LISTED, MEETING, APPLIED, DISCUSSED, CONFIRMED, FILED = (
    "1", "3", "5", "8", "15", "22", "23", "24", "25",
)  # fmt: skip
AGAIN = (APPLIED, DISCUSSED, CONFIRMED)
"""What is done once more after an extension."""
LATE = 3
"""Months before its day from which on a review counts as that of the half-year."""
RANK = ("群众", "入党申请人", "入党积极分子", "发展对象", "预备党员", "正式党员")


class Record(Protocol):
    """A recorded step, as the storage has it."""

    @property
    def id(self) -> int: ...
    @property
    def step(self) -> str: ...
    @property
    def day(self) -> date: ...
    @property
    def outcome(self) -> str: ...
    @property
    def months(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Window:
    """A step and its days: from when, until when, with special reasons until when."""

    step: Step
    earliest: date | None = None
    latest: date | None = None
    utmost: date | None = None

    @property
    def usual(self) -> bool:
        """Whether its last day is the usual one only (一般)."""
        return self.step.latest is not None and self.step.latest.usual

    def overdue(self, today: date) -> bool:
        return self.latest is not None and today > self.latest


@dataclass(frozen=True)
class Course:
    """The way of one applicant: the records that stand, by day, and the table of steps."""

    table: Table
    records: Sequence[Record]

    @cached_property
    def counted(self) -> list[Record]:
        """The records but for those of a discussion that ended in an extension."""
        last = max((at for at, one in enumerate(self.records) if self._extends(one)), default=-1)
        return [one for at, one in enumerate(self.records) if at > last or one.step not in AGAIN]

    @staticmethod
    def _extends(one: Record) -> bool:
        return one.step == CONFIRMED and one.outcome == "extend"

    def on(self, step: str) -> date | None:
        """The day of a step, the latest where it was repeated; None: not recorded."""
        return max((one.day for one in self.counted if one.step == step), default=None)

    def has(self, step: str) -> bool:
        return any(one.step == step for one in self.counted)

    @cached_property
    def extended(self) -> int:
        """Months by which probation was extended, with the superior's approval; 0: it was not."""
        return sum(one.months for one in self.records if self._extends(one))

    @property
    def extensions(self) -> int:
        return sum(map(self._extends, self.records))

    @property
    def outcome(self) -> str:
        """What the meeting decided last on the confirmation; empty: nothing yet."""
        return next((one.outcome for one in reversed(self.counted) if one.step == DISCUSSED), "")

    @property
    def discussed(self) -> Record | None:
        return next((one for one in reversed(self.counted) if one.step == DISCUSSED), None)

    @cached_property
    def ends(self) -> date | None:
        """The end of probation."""
        on = self.on(MEETING)
        return rules.probation_ends(on, self.table.numbers, self.extended) if on else None

    @cached_property
    def days(self) -> Mapping[str, date]:
        """What terms are counted from."""
        days = {one.step: one.day for one in self.counted}
        return {**days, END: self.ends} if self.ends else days

    def window(self, number: str, day: date) -> Window:
        """The days of a step, by the text of a day."""
        step = self.table.step(number, day)
        before = [on for need in step.needs if (on := self.on(need))]
        bounds = [one for one in (rules.by(step.earliest, self.days), *before) if one]
        earliest, latest = max(bounds, default=None), rules.by(step.latest, self.days)
        if number == APPLIED and self.ends:
            earliest = months_later(self.ends, -self.table.numbers.application_from)
            latest = self.ends - timedelta(days=self.table.numbers.application_by)
        return Window(step, earliest, latest, rules.by(step.utmost, self.days))

    def ahead(self, today: date) -> Window | None:
        """The next step: the first that is neither recorded nor repeated; None: the way is done.

        By the text of the day on which it can be taken at the earliest.
        """
        for number, step in self.table.on(today).steps.items():
            if step.repeats or self.has(number):
                continue
            first = self.window(number, today)
            return self.window(number, max(today, first.earliest)) if first.earliest else first
        return None

    def last(self) -> Record | None:
        """The latest step that is not one of those that go on beside the others."""
        steps = self.table.texts[-1].steps
        done = [one for one in self.counted if one.step in steps and not steps[one.step].repeats]
        order = list(steps)
        return max(done, key=lambda one: order.index(one.step), default=None)

    def recordable(self, today: date) -> list[Step]:
        """The steps that can be recorded now: what they need is there, and they are not."""
        return [
            step
            for number, step in self.table.on(today).steps.items()
            if (step.repeats or not self.has(number)) and all(map(self.has, step.needs)) and number != RECEIVED
        ]

    def review(self, today: date) -> date | None:
        """The half-yearly review that is due or comes next; None where there is none any more.

        One that was held up to three months before its day, or after it, counts as held.
        """
        since = self.on(ACTIVIST)
        if since is None or self.has(LISTED):
            return None
        held, every = self.on("6"), self.table.numbers.review_months
        passed = 0
        while months_later(since, every * (passed + 1)) <= today:
            passed += 1
        due = months_later(since, every * passed)
        if passed and (held is None or held < months_later(due, -LATE)):
            return due
        coming = months_later(since, every * (passed + 1))
        if held and held >= months_later(coming, -LATE):
            return months_later(since, every * (passed + 2))
        return coming

    @property
    def standing(self) -> tuple[str, date | None, date | None]:
        """What the records make of somebody: kind, day of admission, day from which the 党龄 runs."""
        confirmed = next((one for one in reversed(self.counted) if one.step == CONFIRMED), None)
        if confirmed and confirmed.outcome == "cancel":
            return "群众", None, None
        if confirmed:
            return "正式党员", self.on(MEETING), self.ends
        kind = "群众"
        for one in self.records:
            its = self.table.step(one.step, one.day).kind
            kind = its if its and RANK.index(its) > RANK.index(kind) else kind
        return kind, self.on(MEETING) if kind == "预备党员" else None, None
