"""To which period does a day belong, until when is a report in time, and when is it called to mind?"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.reports.rules import Every, Period, Steps, calls
from handlers.reports.table import SHIPPED, table
from handlers.ruletable import TableError
from handlers.workdays import workdays

BEIJING = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("day", "every", "period", "last"),
    [
        (date(2026, 11, 24), Every.MONTH, "2026-11", date(2026, 11, 30)),
        (date(2026, 2, 28), Every.MONTH, "2026-02", date(2026, 2, 28)),
        (date(2028, 2, 1), Every.MONTH, "2028-02", date(2028, 2, 29)),
        (date(2026, 1, 1), Every.QUARTER, "2026-Q1", date(2026, 3, 31)),
        (date(2026, 6, 30), Every.QUARTER, "2026-Q2", date(2026, 6, 30)),
        (date(2026, 12, 31), Every.QUARTER, "2026-Q4", date(2026, 12, 31)),
        (date(2026, 11, 24), Every.FREE, "2026-11", date(2026, 11, 30)),
    ],
)
def test_a_day_lies_in_its_period(day: date, every: Every, period: str, last: date) -> None:
    found = Period.of(day, every)
    assert (str(found), found.last) == (period, last)


@given(st.dates(date(1, 4, 1), date(9998, 12, 31)), st.sampled_from([Every.MONTH, Every.QUARTER]))
def test_periods_follow_each_other_without_a_gap(day: date, every: Every) -> None:
    period = Period.of(day, every)
    assert period.first <= day <= period.last
    assert period.after.first > period.last
    assert period.after.before == period
    assert Period.read(str(period)) == period
    assert Period.numbered(period.number) == period


@pytest.mark.parametrize("text", ["2026-13", "2026-Q5", "2026", "26-11", "2026-1", "", "0000-01", "２０２６-11"])
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="2026-11"):
        Period.read(text)


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("11月", "2026-11"), ("12月", "2025-12"), ("2026年 1 月份", "2026-01"), ("四季度", "2026-Q4"),
        ("第3季度", "2026-Q3"), ("2025年第一季度", "2025-Q1"), ("上个月", "2026-10"), ("本月", "2026-11"),
        ("上季度", "2026-Q3"), ("这个季度", "2026-Q4"), ("2026-10", "2026-10"),
    ],
)  # fmt: skip
def test_a_period_is_understood_as_people_say_it(text: str, period: str) -> None:
    assert str(Period.said(text, date(2026, 11, 24))) == period


@pytest.mark.parametrize("text", ["13月", "0月", "五季度", "11", "0001年1月", "下个月", "月"])
def test_what_nobody_can_mean_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"such month|period is written"):
        Period.said(text, date(2026, 11, 24))


def test_the_deadline_is_the_midnight_after_the_last_day() -> None:
    assert Period(2026, 11).deadline(BEIJING) == datetime(2026, 12, 1, tzinfo=BEIJING)
    assert Period(2026, 4, quarterly=True).deadline(BEIJING) == datetime(2027, 1, 1, tzinfo=BEIJING)


@pytest.mark.parametrize(
    ("period", "days"),
    [
        (
            "2026-11",
            ["11-25", "11-30", "12-03", "12-04"],
        ),  # the third workday before a Monday
        ("2026-05", ["05-26", "05-29", "06-03", "06-04"]),  # the last day is a Sunday: told on Friday
        ("2026-02", ["02-25", "02-28", "03-03", "03-04"]),  # 28 February 2026 is a worked Saturday
        ("2026-09", ["09-24", "09-30", "10-08", "10-09"]),  # Mid-Autumn before it, the National Day after
        ("2026-Q4", ["12-28", "12-31", "01-04", "01-05"]),
    ],
)
def test_it_is_called_to_mind_on_workdays(period: str, days: list[str]) -> None:
    found = list(calls(Period.read(period), BEIJING, workdays(), Steps()))
    assert [call.step for call in found] == ["before", "day", "after", "list"]
    assert [f"{call.at:%m-%d}" for call in found] == days


def test_no_two_rounds_overlap_and_none_reaches_beyond_its_time() -> None:
    for month in range(1, 13):
        period = Period(2026, month)
        before, day, after, up = calls(period, BEIJING, workdays(), Steps())
        assert before.at < before.until <= day.at < day.until == period.deadline(BEIJING) <= after.at
        assert after.at < after.until <= up.at < up.until


def test_the_shipped_table_names_its_source() -> None:
    found = table()
    assert found.source == "惯例"
    assert found.every["正式党员"] is Every.QUARTER
    assert found.kinds(Every.MONTH) == ("预备党员", "发展对象", "入党积极分子")


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('"正式党员" = "quarter"', '"正式党员" = "yearly"', "none of month, quarter, free"),
        ('"正式党员" = "quarter"', '"党员" = "quarter"', "none of 正式党员"),
        ("hint = 800", 'hint = "800"', "must be"),
        ("[reminders]", "[reminders]\nlouder = 1", "unknown key"),
    ],
)
def test_a_local_table_that_is_wrong_says_where(tmp_path: Path, old: str, new: str, problem: str) -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "reports.toml").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(TableError, match=problem):
        table(tmp_path)


def test_a_local_table_takes_the_place_of_ours(tmp_path: Path) -> None:
    text = SHIPPED.read_text(encoding="utf-8").replace('"正式党员" = "quarter"', '"正式党员" = "month"')
    (tmp_path / "reports.toml").write_text(text, encoding="utf-8")
    assert table(tmp_path).every["正式党员"] is Every.MONTH
