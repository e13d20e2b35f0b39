"""What does a cell mean, however it was written?"""

from __future__ import annotations

from datetime import date, datetime

import pytest

from tests.rosters import (
    Cell,
    mobile,
    one,
    told,
)

# Cells


@pytest.mark.parametrize(
    "written",
    [
        "2020-1-5",
        "2020-01-05",
        "2020/01/05",
        "2020.1.5",
        "2020。1。5",
        "2020年1月5日",
        "2020年01月05",
        "2020 年 1 月 5 日",
        "２０２０－０１－０５",
        "20200105",
        "5 Jan 2020",
        "Sun 5 January 2020",
        "05-Jan-2020",
        "Jan 5, 2020",
        "2020-01-05 00:00:00",
        " 2020/1/5 ",
        20200105,
        20200105.0,
        43835,
        date(2020, 1, 5),
        datetime(2020, 1, 5),  # noqa: DTZ001 - a spreadsheet knows no zone
    ],
)
def test_a_day_is_understood_however_it_is_written(written: Cell) -> None:
    (row,) = one(入党日期=written, 转正日期=None).rows
    assert row.admitted == date(2020, 1, 5)


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("2020年1月", "incomplete_date"),
        ("2020.01", "incomplete_date"),
        ("2020", "incomplete_date"),
        ("202001", "incomplete_date"),
        (2020, "incomplete_date"),
        (2020.01, "incomplete_date"),
        (202001, "incomplete_date"),
        ("2020-02-30", "bad_date"),
        ("2020-13-01", "bad_date"),
        ("2020-1/5", "bad_date"),
        ("5/1/2020", "bad_date"),
        ("20.1.5", "bad_date"),
        ("43835", "bad_date"),
        ("去年", "bad_date"),
        ("5 Foo 2020", "bad_date"),
        ("30 Feb 2020", "bad_date"),
        ("1600-01-01", "bad_date"),
        (-5, "bad_date"),
        (0.5, "bad_date"),
        (datetime(2020, 1, 5, 16), "bad_date"),  # noqa: DTZ001 - midnight in Beijing, as an export in UTC writes it
        (True, "not_text"),
        ("2027-01-01", "date_in_future"),
    ],
)
def test_a_day_that_is_none_is_refused(written: Cell, reason: str) -> None:
    assert told(one(入党日期=written, 转正日期=None)) == [(2, "admitted", reason)]


@pytest.mark.parametrize(
    "written",
    [
        "17000000007",
        "170 0000 0007",
        "170-0000-0007",
        "+86 170 0000 0007",
        "0086-17000000007",
        "8617000000007",
        "１７００００００００７",
        "\u202d17000000007\u202c",
        17000000007,
        1.7000000007e10,
    ],
)
def test_a_mobile_number_is_the_same_however_it_is_written(written: Cell) -> None:
    assert one(手机=written).rows[0].phone == mobile(7)


@pytest.mark.parametrize(
    "written",
    ["1.70E+10", "1700000000", "170000000070", "010-00000000", "07", "+8617", "两个号", 1.5, -17000000007],
)
def test_what_is_no_mobile_number_is_refused_and_not_repeated(written: Cell) -> None:
    roster = one(手机=written)
    assert told(roster) == [(2, "phone", "bad_phone")]
    assert (roster.problems[0].shown, roster.problems[0].cell) == (None, "J2")


def test_a_number_from_abroad_keeps_its_country() -> None:
    assert one(手机="+852 0000 0000").rows[0].phone == "+85200000000"


@pytest.mark.parametrize(
    ("written", "number"),
    [(1001.0, "1001"), (1001, "1001"), ("0007", "0007"), (" Ａ－07 ", "A-07"), ("集团/07", "集团/07")],
)
def test_an_employees_number_keeps_its_zeros_and_loses_its_decimals(written: Cell, number: str) -> None:
    assert one(员工号=written).rows[0].number == number


@pytest.mark.parametrize("written", ["1 001", "A#7", 1001.5, -7, 1234567890123456, "x" * 33, "<b>"])
def test_what_is_no_employees_number_is_refused(written: Cell) -> None:
    roster = one(员工号=written)
    assert [column for _, column, _ in told(roster)] == ["number"]
    assert not roster.rows


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("王 芳", "王芳"),
        ("王　芳", "王芳"),
        (" 欧阳 娜娜\n", "欧阳娜娜"),
        ("阿依古丽•买买提", "阿依古丽·买买提"),
        ("阿依古丽．买买提", "阿依古丽·买买提"),
        ("阿依古丽 ・ 买买提", "阿依古丽·买买提"),
        ("Ｌｉ　Ｎａ", "Li Na"),
        ("J. Li", "J. Li"),
        ("王\u200b芳", "王芳"),
        ("𠮷田", "𠮷田"),
        ("〇一", "〇一"),
    ],
)
def test_a_name_is_written_one_way(written: str, name: str) -> None:
    assert one(姓名=written).rows[0].name == name


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (None, "missing_name"),
        ("　", "missing_name"),
        ("12", "bad_name"),
        ("——", "bad_name"),
        ("王芳" * 30, "too_long"),
        ("王芳" * 3000, "too_long"),
        ("\u202e芳王", "control_characters"),
        ("王\x07芳", "control_characters"),
        ("王\ufffd", "control_characters"),
        ("=王芳", "formula"),
        (True, "not_text"),
        (date(2020, 1, 5), "not_text"),
    ],
)
def test_what_is_no_name_is_refused(written: Cell, reason: str) -> None:
    assert told(one(姓名=written)) == [(2, "name", reason)]


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("中共党员", "full"),
        ("党 员", "full"),
        ("预备", "probationary"),
        ("发展对象", "candidate"),
        ("积极分子", "activist"),
        ("申请人", "applicant"),
        ("群众", "masses"),
    ],
)
def test_a_kind_has_several_names(written: str, kind: str) -> None:
    roster = one(人员类别=written, 入党日期=None, 转正日期=None, 党内职务="无")
    assert roster.rows[0].kind == kind


def test_an_unknown_word_is_shown_with_what_was_perhaps_meant() -> None:
    roster = one(人员类别="预备党圆", 性别="妇", 党费类别="年金", 党内职务="支部书纪")
    assert [(p.reason, p.shown, p.suggestion, p.cell) for p in roster.problems] == [
        ("unknown_gender", "妇", None, "C2"),
        ("unknown_kind", "预备党圆", "probationary", "F2"),
        ("unknown_office", "支部书纪", "branch_secretary", "I2"),
        ("unknown_dues_category", "年金", "annual_salary", "L2"),
    ]


@pytest.mark.parametrize(
    ("written", "offices"),
    [
        ("支部书记、组织委员", ("branch_secretary", "organisation_commissioner")),
        ("支部书记,组织委员", ("branch_secretary", "organisation_commissioner")),
        ("支部书记；组织委员；", ("branch_secretary", "organisation_commissioner")),
        ("支部书记/组织委员", ("branch_secretary", "organisation_commissioner")),
        ("支部书记 组织委员", ("branch_secretary", "organisation_commissioner")),
        ("支部书记\n组织委员", ("branch_secretary", "organisation_commissioner")),
        ("支部书记兼组织委员", ("branch_secretary", "organisation_commissioner")),
        ("党支部书记（兼组织委员）", ("branch_secretary", "organisation_commissioner")),
        ("组织委员、支部组织委员", ("organisation_commissioner",)),
        ("Branch Secretary; treasurer", ("branch_secretary", "treasurer")),
        ("党 小组长", ("group_leader",)),
        ("—", ()),
        ("无", ()),
    ],
)
def test_several_offices_stand_in_one_cell(written: str, offices: tuple[str, ...]) -> None:
    assert one(党内职务=written).rows[0].offices == offices


@pytest.mark.parametrize("written", ["书记", "委员", "支部书记、部门经理", "、", "总经理"])
def test_an_office_that_is_not_certain_gives_nobody_a_right(written: str) -> None:
    assert told(one(党内职务=written)) == [(2, "offices", "unknown_office")]


@pytest.mark.parametrize(
    ("written", "fen"),
    [
        ("5,400.00", 540000),
        ("￥5,400.5 ", 540050),
        ("5400元", 540000),
        ("５４００．０１", 540001),
        (5400, 540000),
        (5400.13, 540013),
        (0, 0),
        ("9,999,999.99", 999999999),
    ],
)
def test_a_base_is_read_to_the_fen(written: Cell, fen: int) -> None:
    assert one(党费基数=written).rows[0].dues_base_fen == fen


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("-1", "negative_amount"),
        ("(5,400.00)", "negative_amount"),
        (-0.01, "negative_amount"),
        ("54,00", "bad_amount"),
        ("5.400,00", "bad_amount"),
        ("5400.001", "bad_amount"),
        (5400.001, "bad_amount"),
        ("5.4万", "bad_amount"),
        ("1e4", "bad_amount"),
        ("NaN", "bad_amount"),
        (1e300, "bad_amount"),
        (1e-300, "bad_amount"),
        ("10000000", "bad_amount"),
    ],
)
def test_what_is_no_sum_is_refused_and_not_repeated(written: Cell, reason: str) -> None:
    roster = one(党费基数=written)
    assert told(roster) == [(2, "dues_base", reason)]
    assert roster.problems[0].shown is None


@pytest.mark.parametrize(
    "written", ["wangfang", "a@b", "a b@c.cn", "a@b..cn", "王@例子.公司", "a@b.cn;c@d.cn", ".a@b.cn"]
)
def test_what_is_no_mail_address_is_refused_and_not_repeated(written: str) -> None:
    roster = one(邮箱=written)
    assert told(roster) == [(2, "email", "bad_email")]
    assert roster.problems[0].shown is None


def test_a_path_of_branches_keeps_its_names() -> None:
    assert one(所在支部="集团／ 子公司/第一 支部（机关）").rows[0].branch == "集团/子公司/第一支部（机关）"
    assert told(one(所在支部="支" * 201)) == [(2, "branch", "too_long")]
