"""Clocks that jump, zones that change their hour, months of other lengths, holidays that are moved: what then?"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.config import QuietHours
from handlers.months import months_later
from handlers.reminders.timing import HOURS, MINUTES, Habits, end_of_day, is_open, minute_of, moment
from handlers.workdays import workdays
from tests.people import House
from tests.test_reminders import TUESDAY, Affair, Wall

QUIET = QuietHours(time(22), time(8))


def habits(zone: str, quiet: QuietHours | None = QUIET) -> Habits:
    return Habits(ZoneInfo(zone), quiet, workdays())


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2026-02-28", 1, "2026-03-28"),
        ("2026-03-31", -1, "2026-02-28"),
        ("2026-08-31", 6, "2027-02-28"),
        ("2026-12-31", 2, "2027-02-28"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2024-02-29", 48, "2028-02-29"),
        ("2026-11-24", 0, "2026-11-24"),
        ("2026-01-15", -13, "2024-12-15"),
    ],
)
def test_a_month_on_is_the_same_day_or_the_last(day: str, months: int, expected: str) -> None:
    assert months_later(date.fromisoformat(day), months) == date.fromisoformat(expected)


# Where clocks are put forward and back: New York on 8 March and 1 November 2026, London on 29 March, Lord Howe by
# half an hour on 5 April; Beijing never.
@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York", "Europe/London", "Australia/Lord_Howe"])
@pytest.mark.parametrize("person", [1, 7, 2026])
@pytest.mark.parametrize("hours", [HOURS, (0, 4), (18, 22)])
def test_every_hour_of_a_year_has_a_moment_that_is_open(zone: str, person: int, hours: tuple[int, int]) -> None:
    """From whatever moment on, what is found lies ahead, in the chosen hours, and at the person's own minute."""
    quiet = QUIET if hours != (0, 4) else None
    its = habits(zone, quiet)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    while at < datetime(2027, 1, 1, tzinfo=UTC):
        found = moment(its, person, at, at + timedelta(days=40), hours)
        assert found is not None
        assert at <= found
        local = found.astimezone(its.zone)
        assert hours[0] <= local.hour < hours[1]
        assert is_open(its, found, hours, days_off=False)
        assert local.minute == minute_of(person, local.date()) or local.utcoffset() != _offset(its, local)
        at += timedelta(hours=31)


def _offset(its: Habits, local: datetime) -> timedelta | None:
    """The offset of that day's beginning: on a day on which it changes, an hour may be left out."""
    return datetime.combine(local.date(), time(), tzinfo=its.zone).utcoffset()


def test_an_hour_that_the_clocks_leave_out_is_not_used() -> None:
    its = habits("America/New_York", None)
    night = datetime(2026, 3, 8, 6, 0, tzinfo=UTC)  # 01:00 in New York; there is no 02:00 that night
    found = moment(its, 1, night + timedelta(hours=1), night + timedelta(hours=30), (2, 3))
    assert found is not None
    assert found.astimezone(its.zone).hour == 2
    assert found.astimezone(its.zone).date() == date(2026, 3, 9)


@pytest.mark.parametrize(
    ("zone", "now", "ends"),
    [
        ("Asia/Shanghai", "2026-11-24T15:59", "2026-11-24T16:00"),
        ("Asia/Shanghai", "2026-11-24T16:00", "2026-11-25T16:00"),
        ("America/New_York", "2026-03-08T12:00", "2026-03-09T04:00"),  # a day of 23 hours
        ("America/New_York", "2026-11-01T12:00", "2026-11-02T05:00"),  # a day of 25 hours
    ],
)
def test_a_day_ends_at_midnight_on_the_wall(zone: str, now: str, ends: str) -> None:
    found = end_of_day(habits(zone), datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert found == datetime.fromisoformat(ends).replace(tzinfo=UTC)


def test_nobody_has_the_full_or_the_half_hour() -> None:
    assert not {0, 1, 2, 28, 29, 30, 31, 32, 58, 59} & set(MINUTES)
    spread = {minute_of(person, date(2026, 11, 24)) for person in range(500)}
    assert len(spread) > 40


@pytest.mark.parametrize("jumps", [(3, -2, 5, -6, 30), (-1, -1, -1, 40), (24, -24, 24, -24, 48), (0, 0, 0, 30)])
def test_a_clock_that_jumps_says_everything_once(house: House, jumps: tuple[int, ...]) -> None:
    """Hours forward and back: nobody hears anything twice, and in the end everybody has heard."""
    affair = Affair()
    house.now = TUESDAY - timedelta(hours=1)
    wall = Wall(house, affair)
    affair.add("x", TUESDAY, TUESDAY + timedelta(days=5), list(house.ids.values()))
    for hours in jumps:
        wall.run(house.now + timedelta(hours=3), timedelta(minutes=30))
        house.now += timedelta(hours=hours)
    wall.run(max(house.now, TUESDAY) + timedelta(days=1), timedelta(minutes=30))
    assert sorted(person for _, person, _ in wall.heard) == sorted(house.ids.values())


@pytest.mark.parametrize(
    ("at", "day"),
    [
        ("2026-02-14", "02-14"),  # a Saturday that is worked
        ("2026-02-16", "02-24"),  # a Monday off
        ("2026-05-09", "05-09"),  # a Saturday that is worked for the Labour Day
        ("2026-09-20", "09-20"),  # a Sunday that is worked
        ("2026-10-05", "10-08"),
        ("2025-10-08", "10-09"),  # the Mid-Autumn Festival made that holiday a day longer
        ("2027-05-03", "05-03"),  # a year whose notice is not here goes by its weekdays
    ],
)
def test_a_reminder_keeps_to_the_days_that_are_worked(at: str, day: str) -> None:
    its = habits("Asia/Shanghai")
    begin = datetime.combine(date.fromisoformat(at), time(9), tzinfo=its.zone).astimezone(UTC)
    found = moment(its, 1, begin, begin + timedelta(days=30))
    assert found is not None
    assert found.astimezone(its.zone).strftime("%m-%d") == day
