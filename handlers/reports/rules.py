"""rules: to which period does a report belong, until when is it in time, and when is who reminded?"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from datetime import tzinfo as Zone
from enum import StrEnum
from typing import Protocol

DAY = timedelta(days=1)
MORNING = time(9)
"""From when on a reminder may go out on its day."""


_QUARTERS = {"一": "1", "二": "2", "三": "3", "四": "4"}


class Every(StrEnum):
    """How often."""

    MONTH = "month"
    QUARTER = "quarter"
    FREE = "free"
    """Whenever somebody likes; kept by the month, and never asked for."""


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A month, or a quarter (1 to 4), of a year."""

    year: int
    part: int
    quarterly: bool = False

    @classmethod
    def of(cls, day: date, every: Every) -> Period:
        """The period a day lies in."""
        if every is Every.QUARTER:
            return cls(day.year, (day.month + 2) // 3, True)
        return cls(day.year, day.month)

    @classmethod
    def read(cls, text: str) -> Period:
        """`2026-11` or `2026-Q4`. Raises ValueError."""
        if found := re.fullmatch(r"(\d{4})-(?:(\d{2})|[Qq]([1-4]))", text.strip(), re.ASCII):
            year, month, quarter = int(found[1]), int(found[2] or 0), int(found[3] or 0)
            if year >= 1 and (quarter or 1 <= month <= 12):
                return cls(year, quarter or month, bool(quarter))
        raise ValueError("a period is written 2026-11 or 2026-Q4")

    @classmethod
    def said(cls, text: str, today: date) -> Period:
        """As people say it: 2026年11月, 11月 (the last that has begun), 四季度, 上个月, 本季度. Raises ValueError."""
        text = "".join(text.split())
        if found := re.fullmatch(r"(上|本|这)(?:一?个?)(月|季度)", text):
            current = cls.of(today, Every.QUARTER if found[2] == "季度" else Every.MONTH)
            return current.before if found[1] == "上" else current
        if found := re.fullmatch(r"(?:(\d{4})年)?(?:(\d{1,2})月份?|第?([1-4一二三四])季度)", text, re.ASCII):
            part = int(found[2] or _QUARTERS.get(found[3], found[3]))
            period = cls(int(found[1] or today.year), part, not found[2])
            if not 1 <= part <= 12 or not 2000 <= period.year <= 2999:
                raise ValueError("there is no such month")
            return period if found[1] or period.first <= today else cls(today.year - 1, part, not found[2])
        return cls.read(text)

    @classmethod
    def numbered(cls, number: int) -> Period:
        """The period of a number."""
        year, part = divmod(number, 100)
        return cls(year, part - 20, True) if part > 20 else cls(year, part)

    @property
    def number(self) -> int:
        """202611 for November 2026, 202624 for its fourth quarter."""
        return self.year * 100 + self.part + (20 if self.quarterly else 0)

    def __str__(self) -> str:
        return f"{self.year:04}-Q{self.part}" if self.quarterly else f"{self.year:04}-{self.part:02}"

    @property
    def first(self) -> date:
        return date(self.year, 3 * self.part - 2 if self.quarterly else self.part, 1)

    @property
    def last(self) -> date:
        """Its last day."""
        month = 3 * self.part if self.quarterly else self.part
        return date(self.year, month, calendar.monthrange(self.year, month)[1])

    @property
    def before(self) -> Period:
        """The one before it."""
        return Period.of(self.first - DAY, Every.QUARTER if self.quarterly else Every.MONTH)

    @property
    def after(self) -> Period:
        """The one after it."""
        return Period.of(self.last + DAY, Every.QUARTER if self.quarterly else Every.MONTH)

    def deadline(self, zone: Zone) -> datetime:
        """The midnight with which its last day ends: from then on a report is late."""
        return datetime.combine(self.last + DAY, time(), tzinfo=zone)


class Calendar(Protocol):
    """On which days work is done (`handlers.workdays`)."""

    def on_or_before(self, day: date) -> date: ...

    def on_or_after(self, day: date) -> date: ...

    def after(self, day: date, count: int) -> date: ...


@dataclass(frozen=True, slots=True)
class Steps:
    """When it is called to mind: workdays before the last, days after the deadline, workdays until the list."""

    before: int = 3
    after: int = 3
    list: int = 1


@dataclass(frozen=True, slots=True)
class Call:
    """One round: `before`, `day`, `after`, or `list` (for those who see to it); said from `at` and before `until`."""

    step: str
    at: datetime
    until: datetime


def calls(period: Period, zone: Zone, workdays: Calendar, steps: Steps) -> Iterator[Call]:
    """The rounds of a period, in their order; each ends before the next would say it better.

    They go by workdays: where the last day is a Sunday, “today is the last day” is said on the Friday.
    """
    last = workdays.on_or_before(period.last)
    early = last
    for _ in range(steps.before):
        early = workdays.on_or_before(early - DAY)
    late = workdays.on_or_after(period.last + steps.after * DAY)
    up = workdays.after(late, steps.list)
    over = workdays.after(up, 3)

    def at(day: date, moment: time = MORNING) -> datetime:
        return datetime.combine(day, moment, tzinfo=zone)

    yield Call("before", at(early), at(last, time()))
    yield Call("day", at(last), period.deadline(zone))
    yield Call("after", at(late), at(up, time()))
    yield Call("list", at(up), at(over, time()))
