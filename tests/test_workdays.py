"""On which days is work done?"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from handlers.workdays import BadCalendar, workdays


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2026-11-24", True),  # a Tuesday
        ("2026-11-28", False),  # a Saturday
        ("2026-02-14", True),  # a Saturday before the Spring Festival, worked
        ("2026-02-16", False),  # a Monday of the Spring Festival
        ("2026-02-28", True),  # a Saturday after it, worked
        ("2026-09-20", True),  # a Sunday, worked for the National Day
        ("2026-10-07", False),  # a Wednesday, its last day
        ("2026-10-08", True),
        ("2025-10-08", False),  # the Mid-Autumn Festival made it eight days that year
        ("2027-10-01", True),  # a Friday of a year whose notice is not here
    ],
)
def test_a_day_is_worked_as_the_years_notice_says(day: str, works: bool) -> None:
    assert workdays().is_workday(date.fromisoformat(day)) is works


def test_every_shipped_year_says_what_it_follows() -> None:
    assert {2025, 2026} <= workdays().years
    assert not workdays().knows(2027)


@pytest.mark.parametrize(
    ("day", "before", "after"),
    [
        ("2026-10-01", "2026-09-30", "2026-10-08"),
        ("2026-02-15", "2026-02-14", "2026-02-24"),
        ("2026-11-29", "2026-11-27", "2026-11-30"),
        ("2026-02-28", "2026-02-28", "2026-02-28"),
    ],
)
def test_a_day_off_has_a_workday_on_both_sides(day: str, before: str, after: str) -> None:
    calendar = workdays()
    assert calendar.on_or_before(date.fromisoformat(day)) == date.fromisoformat(before)
    assert calendar.on_or_after(date.fromisoformat(day)) == date.fromisoformat(after)


def test_five_workdays_step_over_the_national_day() -> None:
    assert workdays().after(date(2026, 9, 30), 5) == date(2026, 10, 13)  # 8, 9, 10 (a worked Saturday), 12, 13


def test_a_local_year_is_added(tmp_path: Path) -> None:
    folder = tmp_path / "workdays"
    folder.mkdir()
    (folder / "2027.toml").write_text(
        'source = "通知"\noff = [{ name = "元旦", from = 2027-01-01, to = 2027-01-03 }]\nwork = [2027-01-09]\n',
        encoding="utf-8",
    )
    calendar = workdays(tmp_path)
    assert calendar.knows(2027)
    assert not calendar.is_workday(date(2027, 1, 1))
    assert calendar.is_workday(date(2027, 1, 9))
    assert calendar.knows(2026)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("off = ", "cannot be read"),
        ('source = "x"\noff = []\n', "source, off and work"),
        (
            'source = "x"\noff = [{ name = "x", from = 2027-01-02, to = 2027-01-01 }]\nwork = []\n',
            "from a day to a day",
        ),
        ('source = "x"\noff = [{ name = "x", from = 2026-01-01, to = 2026-01-01 }]\nwork = []\n', "no day of 2027"),
        ('source = "x"\noff = [{ name = "x" }]\nwork = []\n', "name, from and to"),
        ('source = "x"\noff = []\nwork = [2027-01-04]\n', "no weekend"),
        (
            'source = "x"\noff = [{ name = "x", from = 2027-01-09, to = 2027-01-09 }]\nwork = [2027-01-09]\n',
            "holiday and",
        ),
    ],
)
def test_a_year_that_cannot_be_used_says_why(tmp_path: Path, text: str, complaint: str) -> None:
    folder = tmp_path / "workdays"
    folder.mkdir()
    (folder / "2027.toml").write_text(text, encoding="utf-8")
    with pytest.raises(BadCalendar, match=complaint):
        workdays(tmp_path)
