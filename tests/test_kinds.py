"""Is what people type as a day, a time, a number or a list understood, and else refused with words?"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.form import Form, ask
from bot.core.kinds import KINDS, Kind, Lines, Prose, Reading, clean, kind_of
from bot.core.reply import Refused

BEIJING = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
"""Tuesday, 24 November 2026, 10:00 in Beijing."""


def read(kind: type, text: str, now: datetime = NOW, least: int = 0, most: int = 4000) -> Any:
    return KINDS[kind].read(text, Reading(now, BEIJING, least, most))


def refused(kind: type, text: str, now: datetime = NOW, least: int = 0, most: int = 4000) -> str:
    with pytest.raises(Refused) as no:
        read(kind, text, now, least, most)
    return no.value.words.template.removeprefix("conversation.")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("今天", "2026-11-24"), ("明天", "2026-11-25"), ("后天", "2026-11-26"), ("大后天", "2026-11-27"),
        ("Tomorrow", "2026-11-25"), ("周五", "2026-11-27"), ("星期日", "2026-11-29"), ("礼拜天", "2026-11-29"),
        ("周二", "2026-11-24"), ("周一", "2026-11-30"), ("本周一", "2026-11-23"), ("这周五", "2026-11-27"),
        ("下周一", "2026-11-30"), ("下周日", "2026-12-06"), ("11月30日", "2026-11-30"), ("11月30号", "2026-11-30"),
        ("11 月 30 日", "2026-11-30"), ("12.1", "2026-12-01"), ("12/1", "2026-12-01"), ("1月5日", "2027-01-05"),
        ("2026-11-30", "2026-11-30"), ("2026/11/30", "2026-11-30"), ("2026.11.30", "2026-11-30"),
        ("2026年11月30日", "2026-11-30"), ("20261130", "2026-11-30"), ("２０２６－１１－３０", "2026-11-30"),
        ("29 Feb 2000", "2000-02-29"), ("Tue 29 Feb 2000", "2000-02-29"), ("February 29, 2000", "2000-02-29"),
        ("30 Nov", "2026-11-30"), ("May 3", "2027-05-03"), ("1st Sept. 2026", "2026-09-01"),
        ("2024-02-29", "2024-02-29"), ("\u200f2026-11-30\u200b", "2026-11-30"), ("1999-01-01", "1999-01-01"),
    ],
)  # fmt: skip
def test_a_day_is_understood(typed: str, meant: str) -> None:
    assert read(date, typed) == date.fromisoformat(meant)


@pytest.mark.parametrize(
    ("typed", "template"),
    [
        ("2月30日", "no_such_day"), ("2026-02-29", "no_such_day"), ("13月1日", "no_such_day"),
        ("0月1日", "no_such_day"),
        ("0000-01-01", "no_such_day"), ("改天", "not_a_day"), ("30日", "not_a_day"), ("", "not_a_day"),
        ("11月30日下午", "not_a_day"), ("昨天的明天", "not_a_day"), ("2026113", "not_a_day"), ("周八", "not_a_day"),
        ("30 Feb 2026", "no_such_day"), ("10 marbles", "not_a_day"), ("room 3 Dec", "not_a_day"),
        ("May", "not_a_day"),
    ],
)  # fmt: skip
def test_what_is_no_day_is_refused(typed: str, template: str) -> None:
    assert refused(date, typed) == template


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("明天下午3点", "2026-11-25 15:00"), ("明天下午3点半", "2026-11-25 15:30"),
        ("明天 15:00", "2026-11-25 15:00"),
        ("11月30日 18:00", "2026-11-30 18:00"), ("11月30日18：00", "2026-11-30 18:00"),
        ("2026-11-30 18:00", "2026-11-30 18:00"), ("2026-11-30T18:00", "2026-11-30 18:00"),
        ("2026-11-30 24:00", "2026-12-01 00:00"), ("2026-12-31 24:00", "2027-01-01 00:00"),
        ("Mon 30 Nov 2026, 18:00", "2026-11-30 18:00"), ("Nov 30 18:00", "2026-11-30 18:00"),
        ("Tomorrow 18:00", "2026-11-25 18:00"), ("today 12:30", "2026-11-24 12:30"), ("18:00", "2026-11-24 18:00"),
        ("下午6点", "2026-11-24 18:00"), ("下午6时30分", "2026-11-24 18:30"), ("晚上8点", "2026-11-24 20:00"),
        ("明天上午9点", "2026-11-25 09:00"), ("明天早上12点", "2026-11-25 12:00"), ("周五 9:05", "2026-11-27 09:05"),
        ("明天中午12点", "2026-11-25 12:00"), ("明天中午11点半", "2026-11-25 11:30"),
        ("明天中午1点", "2026-11-25 13:00"),
        ("明天下午12点", "2026-11-25 12:00"), ("明天下午15点", "2026-11-25 15:00"),
        ("今天晚上12点", "2026-11-25 00:00"),
        ("明天晚上12点", "2026-11-26 00:00"), ("明天晚上12点半", "2026-11-26 00:30"),
        ("明天晚上1点", "2026-11-26 01:00"),
        ("明天晚上0点", "2026-11-26 00:00"), ("明天凌晨2点", "2026-11-25 02:00"),
        ("明天凌晨12点", "2026-11-25 00:00"),
        ("明天0点", "2026-11-25 00:00"), ("下周一上午10点", "2026-11-30 10:00"), ("1月5日 8:00", "2027-01-05 08:00"),
    ],
)  # fmt: skip
def test_a_time_is_understood_in_beijing(typed: str, meant: str) -> None:
    assert read(datetime, typed) == datetime.fromisoformat(meant).replace(tzinfo=BEIJING)
    assert read(datetime, typed).tzinfo is UTC


@pytest.mark.parametrize(
    ("typed", "template"),
    [
        ("今天9点", "past"), ("2026-11-24 10:00", "past"), ("本周一 18:00", "past"), ("1999-01-01 8:00", "past"),
        ("2月30日 8:00", "no_such_day"), ("明天", "no_time_of_day"), ("11月30日", "no_time_of_day"),
        ("明天下午", "not_a_moment"), ("明天25:00", "not_a_moment"), ("明天24:01", "not_a_moment"),
        ("明天9:60", "not_a_moment"), ("尽快", "not_a_moment"), ("", "not_a_moment"),
        ("明天下午3点见", "not_a_moment"),
        ("9999-12-31 24:00", "not_a_moment"), ("0001-01-01 00:30", "not_a_moment"),
    ],
)  # fmt: skip
def test_what_is_no_time_to_come_is_refused(typed: str, template: str) -> None:
    assert refused(datetime, typed) == template


def test_the_twenty_ninth_of_february_is_asked_again_in_a_year_without_one() -> None:
    assert refused(date, "2月29日") == "no_such_day"
    assert read(date, "2月29日", datetime(2028, 1, 5, tzinfo=UTC)) == date(2028, 2, 29)
    assert read(date, "1月1日", datetime(2028, 2, 29, tzinfo=UTC)) == date(2029, 1, 1)


def test_midnight_in_beijing_begins_the_day_and_not_midnight_in_greenwich() -> None:
    late = datetime(2026, 11, 24, 16, 30, tzinfo=UTC)  # half past midnight, the 25th
    assert read(date, "今天", late) == date(2026, 11, 25)
    assert read(datetime, "1:00", late) == datetime(2026, 11, 25, 1, tzinfo=BEIJING)


@pytest.mark.parametrize(
    ("typed", "meant"), [("3", 3), (" ３ ", 3), ("007", 7), ("999999999", 999_999_999), ("٣", 3)]
)
def test_a_number_is_understood(typed: str, meant: int) -> None:
    assert read(int, typed) == meant


@pytest.mark.parametrize("typed", ["", "三", "-1", "1.5", "1,000", "1e3", "9999999999", "0x10", "3个"])
def test_what_is_no_whole_number_is_refused(typed: str) -> None:
    assert refused(int, typed) == "not_a_number"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("王芳\n孙明", ("王芳", "孙明")), ("1. 王芳\r\n2、孙明\r\n\r\n", ("王芳", "孙明")),
        ("- 行\n• 不行", ("行", "不行")),
        ("１）行\n２）不行", ("行", "不行")), ("3月\n4月", ("3月", "4月")),
        ("1.5万元\n2.5万元", ("1.5万元", "2.5万元")),
    ],
)  # fmt: skip
def test_a_list_is_understood_line_by_line(typed: str, meant: tuple[str, ...]) -> None:
    assert read(Lines, typed, least=2, most=20) == meant


@pytest.mark.parametrize(
    ("typed", "template"),
    [
        ("王芳", "too_few_lines"), ("王芳\n王芳", "twice"), ("\n".join("abcdef"), "too_many_lines"),
        ("王芳\n" + "长" * 61, "line_too_long"), ("-\n1.\n", "empty"), ("", "empty"),
    ],
)  # fmt: skip
def test_a_list_that_cannot_be_is_refused(typed: str, template: str) -> None:
    assert refused(Lines, typed, least=2, most=5) == template


def test_a_line_is_measured_without_what_nobody_sees() -> None:
    assert read(str, "  王\u200b芳 \n 同志\t\u202e", least=2, most=5) == "王芳 同志"
    assert refused(str, "\u200b\u2066\ufeff") == "empty"
    assert refused(str, "王", least=2) == "too_short"
    assert refused(str, "王" * 6, most=5) == "too_long"


@pytest.mark.parametrize("unseen", ["\x00", "\u200b", "\u202e", "\u2066", "\ufeff", "\u061c", "\x9f", "\ud800"])
def test_what_nobody_sees_is_no_part_of_a_text(unseen: str) -> None:
    assert clean(f"{unseen}王{unseen}芳{unseen}") == "王芳"


KINDS_ASKED = st.sampled_from(sorted(KINDS.items(), key=lambda item: item[0].__name__))
PIECES = st.lists(
    st.sampled_from(
        ["今天", "Tomorrow", "周", "日", "月", "年", "-", "/", ":", "点", "半", "24", "12", "0", "9999", "0001",
         "2026", "31",
         "晚上", "凌晨", " ", "\n", "T", "下", "1.", "٣", "²", "㏠", "\ud800"]
    ),
    max_size=9,
).map("".join)  # fmt: skip
MOMENTS = st.integers(86400, 253_000_000_000).map(lambda second: datetime.fromtimestamp(second, UTC))


@given(
    KINDS_ASKED,
    st.one_of(st.text(), st.text(st.characters()), PIECES),
    MOMENTS,
    st.integers(0, 9),
    st.integers(9, 99),
)
def test_any_text_is_a_value_or_a_no_with_words(
    asked: tuple[type, Kind], text: str, now: datetime, least: int, most: int
) -> None:
    _, kind = asked
    try:
        value = kind.read(text, Reading(now, BEIJING, least, most))
    except Refused:
        return
    kept = kind.keep(value)
    kept.encode()
    assert kind.load(kept) == value
    assert type(kind.load(kept)) is type(value)


@given(st.integers(1, 5_000_000))
def test_any_minute_to_come_can_be_typed(minutes: int) -> None:
    minute = (NOW + timedelta(minutes=minutes)).astimezone(BEIJING)
    for shape in ("%Y-%m-%d %H:%M", "%Y年%m月%d日%H点%M分", "%Y/%m/%d %H：%M"):
        assert read(datetime, minute.strftime(shape)) == minute


@given(st.dates(date(2026, 11, 24), date(2027, 11, 23)))
def test_a_day_without_its_year_is_the_next_one(day: date) -> None:
    assert read(date, f"{day.month}月{day.day}日") == day
    assert day - date(2026, 11, 24) < timedelta(days=365)


def test_prose_keeps_its_paragraphs() -> None:
    assert read(Prose, " 第一段\r\n\r\n第二段 ") == "第一段\n\n第二段"


def test_a_form_that_cannot_be_asked_for_fails_when_it_is_made() -> None:
    with pytest.raises(TypeError, match="nobody can be asked for"):

        class Wrong(Form):
            """错的"""

            price: float = ask("多少钱？", title="价钱")

    with pytest.raises(TypeError, match="is asked for with ask"):

        class Unasked(Form):
            """没问的"""

            name: str = "王芳"

    with pytest.raises(TypeError, match="a form's docstring is its name"):

        class Nameless(Form):
            name: str = ask("姓名？", title="姓名")

    with pytest.raises(TypeError, match="belongs to every form"):

        class Taken(Form):
            """占用的"""

            lifetime: int = ask("多久？", title="期限")  # type: ignore[assignment, misc]  # that is what is tried

    with pytest.raises(ValueError, match="at most 16"):

        class TooLong(Form):
            """太长的"""

            a_name_beyond_any_button: str = ask("什么？", title="什么")

    assert kind_of(int | None) is KINDS[int]
