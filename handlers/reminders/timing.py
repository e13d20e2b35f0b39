"""timing: when may this person be reminded?

On workdays, in the hours they chose, outside the quiet hours of the house, and not everybody at once: each person has
a minute of their own each day, away from the full and the half hour. What would be too late on the next workday comes
on a day off; what would be too late even then does not come.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.config import QuietHours
from handlers.workdays import Workdays

HOURS = (9, 18)
"""From nine until before six in the afternoon, for those who have chosen no hours."""
MINUTES: tuple[int, ...] = (*range(3, 28), *range(33, 58))
"""Of an hour. At the full and the half everybody writes to everybody."""
LONGEST = 60
"""Days looked ahead; longer than any holiday."""


@dataclass(frozen=True, slots=True)
class Habits:
    """When the house writes to people at all."""

    zone: ZoneInfo
    quiet: QuietHours | None
    workdays: Workdays


def minute_of(person_id: int, day: date) -> int:
    """The minute of the hour that is this person's on a day: the same for all that is due then."""
    mixed = hashlib.blake2b(f"{person_id} {day.isoformat()}".encode(), digest_size=4).digest()
    place = int.from_bytes(mixed, "big") % len(MINUTES)
    return MINUTES[place]


def moment(
    habits: Habits, person_id: int, at: datetime, until: datetime, hours: tuple[int, int] = HOURS
) -> datetime | None:
    """The first moment from `at` on, before `until`, at which this person may be reminded; None: there is none."""
    return _first(habits, person_id, at, until, hours, days_off=False) or _first(
        habits, person_id, at, until, hours, days_off=True
    )


def waits_for_work(habits: Habits, person_id: int, at: datetime, until: datetime, hours: tuple[int, int]) -> bool:
    """Whether there is a moment on a workday in time."""
    return _first(habits, person_id, at, until, hours, days_off=False) is not None


def _first(
    habits: Habits, person_id: int, at: datetime, until: datetime, hours: tuple[int, int], *, days_off: bool
) -> datetime | None:
    for candidate in _moments(habits, person_id, at, hours, days_off=days_off):
        if candidate >= until:
            return None
        if candidate >= at:
            return candidate
    return None


def is_open(habits: Habits, now: datetime, hours: tuple[int, int], *, days_off: bool) -> bool:
    """Whether somebody with these hours may be reminded at this moment."""
    local = now.astimezone(habits.zone)
    quiet = habits.quiet is not None and habits.quiet.contain(local.time())
    worked = days_off or habits.workdays.is_workday(local.date())
    return worked and not quiet and hours[0] <= local.hour < hours[1]


def end_of_day(habits: Habits, now: datetime) -> datetime:
    """Midnight after a moment, by the clock on the wall."""
    day = now.astimezone(habits.zone).date() + timedelta(days=1)
    return datetime.combine(day, time(), tzinfo=habits.zone).astimezone(UTC)


def _moments(
    habits: Habits, person_id: int, at: datetime, hours: tuple[int, int], *, days_off: bool
) -> Iterator[datetime]:
    first = at.astimezone(habits.zone).date()
    for place in range(LONGEST):
        day = first + timedelta(days=place)
        minute = minute_of(person_id, day)
        for hour in range(*hours):
            local = datetime.combine(day, time(hour, minute), tzinfo=habits.zone)
            instant = local.astimezone(UTC)
            if is_open(habits, instant, hours, days_off=days_off):  # also: an hour that the clocks leave out
                yield instant
