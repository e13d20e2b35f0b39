"""rules: until when does a committee serve, and when is its re-election called to mind?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from handlers.months import months_later


@dataclass(frozen=True, slots=True)
class Term:
    """A committee's term (任期意见). It is postponed by a year at the most, with approval (选举条例 第三条)."""

    started: date
    ends: date
    latest_if_postponed: date


@dataclass(frozen=True, slots=True)
class Reminder:
    """A day on which the re-election is called to mind: so many months before the end, or weeks after it."""

    on: date
    months: int = 0
    weeks: int = 0


def term(started: date, years: int) -> Term:
    """The term that began on a day."""
    ends = months_later(started, 12 * years)
    return Term(started, ends, months_later(ends, 12))


def reminders(its: Term, months: Sequence[int]) -> list[Reminder]:
    """The reminders until the end, earliest first; each is counted back from the end."""
    return [Reminder(months_later(its.ends, -before), months=before) for before in sorted(months, reverse=True)]


def latest(its: Term, months: Sequence[int], today: date) -> Reminder | None:
    """The reminder that stands on a day: the newest that is due; after the end, a new one every week."""
    if weeks := max((today - its.ends).days // 7, 0):
        return Reminder(its.ends + timedelta(weeks=weeks), weeks=weeks)
    due = [one for one in reminders(its, months) if one.on <= today]
    return due[-1] if due else None
