"""Can Li's secretary's desk read the spreadsheets people really keep, and say what is wrong with the rest?"""

from __future__ import annotations

import io
import random
import time
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers.roster.columns import NAMES, Columns, ColumnsInvalid
from handlers.roster.reading import IgnoredColumn, Roster, RosterUnreadable, read_roster
from tests.rosters import HEADINGS, LI, WANG_FANG, Cell, delimited, grid, mobile, tampered, xlsx

COLUMNS = Columns.load()
TODAY = date(2026, 11, 24)
SHEET = "xl/worksheets/sheet1.xml"


def read(data: bytes, filename: str = "名册.xlsx") -> Roster:
    return read_roster(data, filename, COLUMNS, today=TODAY)


def told(roster: Roster) -> list[tuple[int, str | None, str]]:
    return [(problem.line, problem.column, problem.reason) for problem in roster.problems]


def refusal(data: bytes, filename: str = "名册.xlsx") -> RosterUnreadable:
    with pytest.raises(RosterUnreadable) as caught:
        read(data, filename)
    return caught.value


def attempt(data: bytes) -> Roster | RosterUnreadable:
    """Either is an answer; anything else that is raised fails the test."""
    try:
        return read(data)
    except RosterUnreadable as refused:
        return refused


def one(**changes: Cell) -> Roster:
    """王芳's row with some cells changed, in a file with nobody else."""
    return read(xlsx(grid({**WANG_FANG, **changes})))


# What is read


def test_wang_fangs_row_becomes_wang_fang() -> None:
    roster = read(xlsx(grid(WANG_FANG, LI)))
    wang, li = roster.rows
    assert not roster.problems
    assert (roster.sheet, roster.heading_line, roster.lines, roster.file) == ("名册", 1, 2, "名册.xlsx")
    assert roster.columns == NAMES
    assert (wang.line, wang.number, wang.name, wang.gender) == (2, "0007", "王芳", "female")
    assert (wang.born, wang.branch, wang.kind) == (date(1988, 3, 8), "第一支部", "full")
    assert (wang.admitted, wang.confirmed) == (date(2010, 7, 1), date(2011, 7, 1))
    assert wang.offices == ("organisation_commissioner", "treasurer")
    assert (wang.phone, wang.email) == (mobile(7), "wangfang@example.com")
    assert (wang.dues_category, wang.dues_base_fen) == ("wage", 540000)
    assert (li.offices, li.email, li.dues_base_fen) == (("branch_secretary",), None, 820000)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_csv_file_says_the_same_as_the_workbook(encoding: str, delimiter: str) -> None:
    assert read(delimited(grid(WANG_FANG, LI), encoding, delimiter)).rows == read(xlsx(grid(WANG_FANG, LI))).rows


def test_a_utf16_file_in_the_other_byte_order_is_read() -> None:
    data = b"\xfe\xff" + delimited(grid(WANG_FANG), "utf-16-be")
    assert [row.name for row in read(data).rows] == ["王芳"]


def test_the_content_and_not_the_name_says_what_kind_of_file_it_is() -> None:
    assert read(xlsx(grid(WANG_FANG)), "roster.csv").rows
    assert read(delimited(grid(WANG_FANG)), "roster.xlsx").rows
    assert read(delimited(grid(WANG_FANG)), "C:\\名册\\\x07十一月.csv").file == "十一月.csv"


def test_english_headings_in_any_order_are_understood() -> None:
    rows: list[list[Cell]] = [
        ["Name", "KIND", "Dues Base", "no", "Office"],
        ["王芳", "probationary", "1", "A-7", "none"],
    ]
    (row,) = read(delimited(rows)).rows
    assert (row.name, row.kind, row.dues_base_fen, row.number, row.offices) == (
        "王芳",
        "probationary",
        100,
        "A-7",
        (),
    )


def test_stars_brackets_spaces_and_width_in_headings_do_not_matter() -> None:
    rows: list[list[Cell]] = [
        ["＊员工 号", "姓　名（必填）", "党费基数(元)", "Ｅ－ｍａｉｌ", "手机【11位】"],
        ["1", "王芳", 5, "a@b.cn", mobile(1)],
    ]
    assert read(xlsx(rows)).columns == ("number", "name", "dues_base", "email", "phone")


def test_title_rows_above_the_heading_are_passed_over_and_lines_count_as_in_the_sheet() -> None:
    rows: list[list[Cell]] = [
        ["某某公司党员名册"],
        [],
        ["填表日期：2026年11月", None, "单位：人"],
        *grid(WANG_FANG, LI),
    ]
    roster = read(xlsx(rows))
    assert (roster.heading_line, [row.line for row in roster.rows]) == (4, [5, 6])
    assert [row.line for row in read(delimited(rows)).rows] == [5, 6]


def test_a_heading_in_the_eleventh_row_is_not_looked_for() -> None:
    title: list[list[Cell]] = [["名册"]] * 9
    assert read(xlsx([*title, *grid(WANG_FANG)])).heading_line == 10
    assert refusal(xlsx([*title, ["名册"], *grid(WANG_FANG)])).reason == "no_heading"
    assert refusal(delimited([*title, ["名册"], *grid(WANG_FANG)])).values == {"rows": 10}


def test_blank_rows_and_rows_with_only_a_serial_number_are_nobody() -> None:
    headings = ("序号", *HEADINGS)
    rows = grid({**WANG_FANG, "序号": 1}, {"序号": 2}, {}, {"姓名": " 　"}, {**LI, "序号": 3}, headings=headings)
    roster = read(xlsx(rows))
    assert [(row.line, row.name) for row in roster.rows] == [(2, "王芳"), (6, "李建国")]
    assert not roster.problems


def test_the_first_visible_sheet_that_is_a_roster_is_read() -> None:
    notes: list[list[Cell]] = [["填表说明"], ["请勿改动表头"]]
    data = xlsx(grid(WANG_FANG), before={"旧名册": grid(LI), "说明": notes}, hidden=["旧名册"])
    roster = read(data)
    assert (roster.sheet, roster.other_sheets) == ("名册", ("说明",))
    assert [row.name for row in roster.rows] == ["王芳"]


def test_dates_of_a_workbook_that_counts_from_1904_are_right() -> None:
    rows = grid({**WANG_FANG, "入党日期": date(2010, 7, 1), "转正日期": 39263})
    (row,) = read(xlsx(rows, options={"date_1904": True})).rows
    assert (row.admitted, row.confirmed) == (date(2010, 7, 1), date(2011, 7, 1))


def test_excels_own_ways_in_csv_are_known() -> None:
    (row,) = read('sep=;\r\n员工号;姓名;手机\r\n="0007";王芳;="+86 17000000007"\r\n'.encode()).rows
    assert (row.line, row.number, row.phone) == (2, "0007", mobile(7))


def test_a_quoted_line_break_counts_as_one_row_as_in_the_spreadsheet() -> None:
    roster = read('员工号,姓名,党内职务\r\n1,王芳,"组织委员\n信息员"\r\n2,李建国,\r\n'.encode())
    assert [(row.line, row.offices) for row in roster.rows] == [
        (2, ("organisation_commissioner", "correspondent")),
        (3, ()),
    ]


# Columns


def test_two_headings_for_the_same_column_are_refused_naming_both_places() -> None:
    refused = refusal(xlsx([["员工号", "姓名", "手机", "联系电话"], ["1", "王芳", mobile(1), mobile(2)]]))
    assert (refused.reason, refused.values) == (
        "duplicate_column",
        {"column": "phone", "places": ("C", "D"), "line": 1},
    )
    assert refused.words.template == "roster.duplicate_column"


def test_a_file_without_names_is_refused_with_what_it_has_instead() -> None:
    refused = refusal(xlsx([["员工号", "姓明", "手机"], ["1", "王芳", mobile(1)]]))
    assert (refused.reason, refused.values["column"]) == ("missing_column", "name")
    assert refused.values["ignored"] == (IgnoredColumn("B", "姓明", "name"),)


def test_names_alone_do_not_tell_two_wang_fangs_apart() -> None:
    assert refusal(xlsx([["姓名", "所在支部"], ["王芳", "第一支部"]])).reason == "missing_identity"
    roster = read(xlsx([["姓名", "手机"], ["王芳", mobile(1)], ["李建国", None]]))
    assert [(row.name, row.number) for row in roster.rows] == [("王芳", None)]
    assert told(roster) == [(3, None, "missing_identity")]


@pytest.mark.parametrize(
    ("heading", "meant"),
    [
        ("支布", "branch"),
        ("所在支布", "branch"),
        ("入党曰期", "admitted"),
        ("brnach", "branch"),
        ("党费基数（万元）", "dues_base"),
        ("部门", None),
        ("身份证号", None),
        ("座右铭", None),
        ("邮箱地扯", None),  # the file has that column already
    ],
)
def test_an_unknown_column_is_listed_with_what_it_was_perhaps_meant_to_be(heading: str, meant: str | None) -> None:
    roster = read(xlsx([["员工号", "姓名", "邮箱", heading], ["1", "王芳", None, "?"]]))
    assert roster.ignored == (IgnoredColumn("D", heading, meant),)
    assert len(roster.rows) == 1


def test_a_local_table_adds_headings_and_words(tmp_path: Path) -> None:
    local = tmp_path / "columns.toml"
    local.write_text(
        '[headings]\nnumber = ["编码"]\nbranch = ["部门"]\n[kind]\nactivist = ["积极份子"]\n',
        encoding="utf-8",
    )
    data = xlsx([["编码", "姓名", "部门", "类别"], ["1", "王芳", "一支部", "积极份子"]])
    (row,) = read_roster(data, "x", Columns.load(local)).rows
    assert (row.number, row.branch, row.kind) == ("1", "一支部", "activist")


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("[headings", "columns.toml"),
        ('[headings]\nfirstname = ["名"]', "firstname"),
        ('[headlines]\nname = ["名"]', "headlines"),
        ("[headings]\nname = 1", "name"),
        ('name = ["名"]', "name"),
        ('[headings]\nname = ["编码"]\nnumber = ["编 码"]', "编 码"),
        ('[headings]\nname = [" "]', "name"),
    ],
)
def test_a_local_table_with_a_slip_is_refused_by_name(tmp_path: Path, content: str, named: str) -> None:
    local = tmp_path / "columns.toml"
    local.write_text(content, encoding="utf-8")
    with pytest.raises(ColumnsInvalid, match=named):
        Columns.load(local)


def test_every_word_of_the_shipped_table_leads_to_its_own_column() -> None:
    assert set(COLUMNS.headings.values()) == set(NAMES)
    assert {name: COLUMNS.column(COLUMNS.titles[name]) for name in NAMES if name != "gender"} == {
        name: name for name in NAMES if name != "gender"
    }
    assert COLUMNS.elected <= set(COLUMNS.words["offices"].values())


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


# Rows


def test_a_bad_row_is_rejected_alone_with_everything_that_is_wrong_with_it() -> None:
    bad = {**LI, "姓名": None, "性别": "？", "手机": "1", "入党日期": "2020-02-30", "党费基数": "-1"}
    roster = read(xlsx(grid(WANG_FANG, bad)))
    assert [row.name for row in roster.rows] == ["王芳"]
    assert (roster.rejected, roster.lines) == ((3,), 2)
    assert {reason for _, _, reason in told(roster)} == {
        "missing_name",
        "unknown_gender",
        "bad_phone",
        "bad_date",
        "negative_amount",
    }


def test_values_that_slipped_into_the_wrong_column_are_not_repeated() -> None:
    roster = one(
        性别=mobile(7),
        人员类别="5400.00",
        入党日期=mobile(8),
        转正日期="8200",
        党费类别="wangfang@example.com",
    )
    assert len(roster.problems) == 5
    assert {problem.shown for problem in roster.problems} == {None}


def test_what_is_private_does_not_show_when_a_row_is_printed() -> None:
    printed = repr(read(xlsx(grid(WANG_FANG, {**LI, "性别": "未知", "手机": "12"}))))
    assert all(private not in printed for private in (mobile(7), "wangfang@", "540000", "1988", "未知"))


def test_two_rows_with_one_number_are_both_rejected_and_name_each_other() -> None:
    roster = read(xlsx(grid(WANG_FANG, {**LI, "员工号": "a7"}, {**LI, "员工号": "A7", "性别": "?"})))
    duplicates = [(p.line, p.cell, p.lines) for p in roster.problems if p.reason == "duplicate_number"]
    assert duplicates == [(3, "A3", (4,)), (4, "A4", (3,))]
    assert [row.name for row in roster.rows] == ["王芳"]


def test_a_number_filled_down_the_whole_column_names_only_the_first_rows() -> None:
    roster = read(delimited([["员工号", "姓名"], *[["1", "王芳"]] * 20_000]))
    assert (len(roster.rejected), roster.rows) == (20_000, ())
    assert roster.problems[-1].lines == tuple(range(2, 12))


def test_without_numbers_the_same_person_twice_is_noticed() -> None:
    rows: list[list[Cell]] = [
        ["姓名", "手机"],
        ["王芳", mobile(1)],
        ["王芳", mobile(2)],
        ["王 芳", mobile(1)],
    ]
    roster = read(xlsx(rows))
    assert [(p.line, p.reason, p.lines) for p in roster.problems] == [
        (2, "duplicate_person", (4,)),
        (4, "duplicate_person", (2,)),
    ]
    assert [row.phone for row in roster.rows] == [mobile(2)]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"转正日期": "2009-07-01"}, ("confirmed", "date_order")),
        ({"出生日期": "2012-01-01", "转正日期": None}, ("admitted", "date_order")),
        ({"人员类别": "预备党员"}, ("confirmed", "kind_mismatch")),
        ({"人员类别": "入党积极分子", "转正日期": None, "党内职务": None}, ("admitted", "kind_mismatch")),
        ({"人员类别": "群众", "入党日期": None, "转正日期": None}, ("offices", "kind_mismatch")),
    ],
)
def test_cells_that_contradict_each_other_are_refused(changes: dict[str, Cell], problem: tuple[str, str]) -> None:
    assert [(column, reason) for _, column, reason in told(one(**changes))] == [problem]


def test_a_formula_is_named_and_never_worked_out() -> None:
    def draw(book: Any, sheet: Any) -> None:
        sheet.write_formula("M2", "=SUM(1,2)", None, 5400)
        sheet.write_array_formula("A3:A3", "{=1+1}", None, 2)

    roster = read(xlsx(grid(WANG_FANG, LI), draw=draw))
    assert [(p.cell, p.reason, p.shown) for p in roster.problems] == [
        ("M2", "formula", None),
        ("A3", "formula", None),
    ]
    assert told(read(delimited(grid({**WANG_FANG, "姓名": "=cmd|' /c calc'!A0"})))) == [(2, "name", "formula")]


def test_an_error_value_is_named() -> None:
    data = xlsx(grid({**WANG_FANG, "党费基数": 1234567}))
    data = tampered(data, {SHEET: lambda xml: xml.replace(b'"><v>1234567</v>', b'" t="e"><v>#N/A</v>')})
    assert told(read(data)) == [(2, "dues_base", "cell_error")]


def test_merged_cells_among_the_people_are_named_with_their_range() -> None:
    def draw(book: Any, sheet: Any) -> None:
        sheet.merge_range("A1:M1", "党员名册")
        sheet.merge_range("E3:E4", "第一支部")
        sheet.merge_range("O3:O4", "备注")  # nobody reads that column

    roster = read(xlsx([["党员名册"], *grid(WANG_FANG, LI, {**LI, "员工号": "9"})], draw=draw))
    assert [(p.line, p.reason, p.area, p.cell) for p in roster.problems] == [
        (3, "merged_cells", "E3:E4", "E3"),
        (4, "merged_cells", "E3:E4", "E4"),
    ]
    assert [row.line for row in roster.rows] == [5]


def test_a_heading_two_rows_high_does_not_reject_the_first_person() -> None:
    def draw(book: Any, sheet: Any) -> None:
        for place, heading in enumerate(HEADINGS):
            sheet.merge_range(0, place, 1, place, heading)

    first, *others = grid(WANG_FANG)
    roster = read(xlsx([first, [], *others], draw=draw))
    assert (roster.rows[0].line, roster.problems) == (3, ())


# Files that are refused whole


def _zip(**parts: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return file.getvalue()


def _encrypted_entries() -> bytes:
    data = bytearray(xlsx(grid(WANG_FANG)))
    place = data.rfind(b"PK\x01\x02")
    data[place + 8] |= 1
    return bytes(data)


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \r\n", "empty"),
        (bytes(2000), "empty"),
        (OLE + "Workbook".encode("utf-16-le"), "old_excel"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
        (_encrypted_entries(), "encrypted"),
        (_zip(**{"[Content_Types].xml": b"<x/>", "word/document.xml": b"<x/>"}), "other_format"),
        (_zip(**{"xl/workbook.bin": b"x"}), "other_format"),
        (_zip(**{"content.xml": b"<x/>", "mimetype": b"x"}), "other_format"),
        (b"PK\x05\x06" + bytes(18), "other_format"),
        (b"PK\x03\x04rubbish", "broken_workbook"),
        (xlsx(grid(WANG_FANG))[:-200], "broken_workbook"),
        (b"%PDF-1.7 ...", "other_format"),
        (b"\x89PNG\r\n\x1a\n", "other_format"),
        ("<html><table><tr><td>姓名</td></tr></table>".encode(), "other_format"),
        (b"MZ\x90\x00\x03\x00", "not_a_table"),
        (b"\xff\xff\xff\xff\x80", "unknown_encoding"),
        (b"\xff\xfe\x00\xd8", "unknown_encoding"),
        ("今天天气很好，我们去开会。".encode(), "no_heading"),
        ("员工号,姓名\r\n".encode(), "no_rows"),
        ('员工号,姓名\r\n1,"王芳\r\n2,李建国\r\n'.encode(), "broken_csv"),
        ("员工号,姓名\r\n".encode() + b"1,x\r\n" * 200_001, "too_many_rows"),
        (("员工号,姓名" + "," * 250 + "x\r\n1,王芳").encode(), "no_heading"),
        (("员工号,姓名\r\n1,王芳" + "," * 250 + "x\r\n").encode(), "too_many_columns"),
        (xlsx([["员工号", "姓名", *[None] * 220, "x"], ["1", "王芳"]]), "too_many_columns"),
        (xlsx([["今天天气很好"]]), "no_heading"),
        (xlsx([[]]), "no_heading"),
        (b"x" * (10 * 1024 * 1024 + 1), "too_big"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{len(value)}",
)
def test_a_file_that_cannot_be_read_is_refused_with_its_reason(data: bytes, reason: str) -> None:
    refused = refusal(data)
    assert refused.reason == reason
    assert refused.__cause__ is None


def _after_heading(xml: bytes) -> Callable[[bytes], bytes]:
    return lambda sheet: sheet.replace(b"</sheetData>", xml + b"</sheetData>")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            _after_heading(
                b'<row r="3"><c r="A3" t="inlineStr"><is><t>' + b"0" * 200_000_000 + b"</t></is></c></row>"
            ),
            "unsafe_workbook",
        ),
        (_after_heading(b'<row r="3">' + b"<c/>" * 3_000_000 + b"</row>"), "unsafe_workbook"),
        (
            lambda xml: xml.replace(b"<worksheet", b'<!DOCTYPE x [<!ENTITY a "b">]><worksheet', 1),
            "unsafe_workbook",
        ),
        (lambda xml: xml.decode().replace("UTF-8", "UTF-16").encode("utf-16"), "unsafe_workbook"),
        (lambda xml: xml.replace(b"UTF-8", b"cp037", 1), "unsafe_workbook"),
        (_after_heading(b'<row r="9999999999"><c r="A9999999999"><v>1</v></c></row>'), "broken_workbook"),
        (_after_heading(b'<row r="3"><c r="XFD3"><v>1</v></c></row>'), "too_many_columns"),
        (_after_heading(b'<row r="1"><c r="A1"><v>1</v></c></row>'), "broken_workbook"),
        (_after_heading(b'<row r="3"><c r="A3" t="s"><v>99999</v></c></row>'), "broken_workbook"),
        (_after_heading(b'<row r="3"><c r="A3"><v>' + b"9" * 5000 + b"</v></c></row>"), "broken_workbook"),
        (lambda xml: xml[:-30], "broken_workbook"),
    ],
    ids=[
        "bomb",
        "endless row",
        "entity",
        "utf-16",
        "ebcdic",
        "far row",
        "far column",
        "row twice",
        "no text",
        "digits",
        "cut",
    ],
)
def test_a_hostile_workbook_is_refused_before_it_costs_anything(
    change: Callable[[bytes], bytes], reason: str
) -> None:
    assert refusal(tampered(xlsx(grid(WANG_FANG)), {SHEET: change})).reason == reason


def test_a_formatted_but_empty_sheet_down_to_the_last_row_is_no_obstacle() -> None:
    change = _after_heading(b'<row r="1048576"><c r="XFD1048576" s="1"/></row>')
    assert len(read(tampered(xlsx(grid(WANG_FANG)), {SHEET: change})).rows) == 1


# Anything at all

REASONS = {found.strip(" .\n") for found in (read_roster.__doc__ or "").partition("reason:")[2].split("·")}


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    answer = attempt(data)
    assert isinstance(answer, Roster) or answer.reason in REASONS


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_workbook_is_read_or_refused(data: st.DataObject) -> None:
    """Bytes are changed inside the unpacked parts, where the checksums of the package cannot catch them."""

    def damage(part: bytes) -> bytes:
        broken = bytearray(part)
        for _ in range(data.draw(st.integers(1, 4))):
            broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
        return bytes(broken)

    part = data.draw(
        st.sampled_from([SHEET, "xl/sharedStrings.xml", "xl/workbook.xml", "xl/styles.xml", "[Content_Types].xml"])
    )
    answer = attempt(tampered(SAMPLE, {part: damage}))
    assert isinstance(answer, Roster) or answer.reason in REASONS


SAMPLE = xlsx(grid(WANG_FANG, LI))

anything = st.one_of(
    st.none(),
    st.text(max_size=30).map(lambda text: text.encode("utf-8", "replace").decode()),
    st.integers(-(10**20), 10**20),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.dates(date(1900, 3, 1), date(2200, 1, 1)),
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(anything, min_size=13, max_size=13), min_size=1, max_size=5))
def test_any_cells_under_the_headings_become_people_or_problems(cells: list[list[Cell]]) -> None:
    answer = attempt(xlsx([list(HEADINGS), *cells]))
    if isinstance(answer, RosterUnreadable):
        assert answer.reason == "no_rows"
    else:
        assert len(answer.rows) + len(answer.rejected) == answer.lines


HAN = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗芳伟敏静丽强磊军洋勇艳杰娜秀明超华玲桂英慧巧美欣𠮷㐂"
days = st.dates(date(1950, 1, 1), date(1970, 1, 1))
people = st.fixed_dictionaries(
    {
        "姓名": st.text(HAN, min_size=2, max_size=4)
        | st.from_regex(r"[A-Z][a-z]{1,8} [A-Z][a-z]{1,8}", fullmatch=True),
        "性别": st.sampled_from(["男", "女", None]),
        "出生日期": days | st.none(),
        "所在支部": st.sampled_from(["第一支部", "集团/子公司/第二支部", "联合支部（西区）", None]),
        "人员类别": st.sampled_from(["正式党员", None]),
        "入党日期": st.dates(date(1990, 1, 1), date(2000, 1, 1)) | st.none(),
        "转正日期": st.dates(date(2001, 1, 1), date(2010, 1, 1)) | st.none(),
        "党内职务": st.lists(st.sampled_from(["支部书记", "组织委员", "信息员"]), unique=True).map("、".join),
        "手机": st.integers(0, 99_999_999).map(mobile) | st.none(),
        "邮箱": st.from_regex(r"[a-z]{1,8}@[a-z]{1,8}\.example", fullmatch=True) | st.none(),
        "党费类别": st.sampled_from(["按月领取工资", "离退休", None]),
        "党费基数": st.integers(0, 10**8) | st.none(),
    }
)
numbers = st.from_regex(r"[0-9A-Z]{1,10}", fullmatch=True)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(numbers, people, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_what_is_written_is_what_is_read(roll: dict[str, dict[str, Any]], chance: random.Random) -> None:
    headings = chance.sample(HEADINGS, len(HEADINGS))
    written = [
        {
            **person,
            "员工号": number,
            "党费基数": None if (fen := person["党费基数"]) is None else f"{fen // 100}.{fen % 100:02d}",
        }
        for number, person in roll.items()
    ]
    expected = [
        (
            number,
            person["姓名"],
            person["出生日期"],
            person["所在支部"],
            person["入党日期"],
            person["转正日期"],
            tuple(COLUMNS.words["offices"][word] for word in person["党内职务"].split("、") if word),
            person["手机"],
            person["邮箱"],
            person["党费基数"],
        )
        for number, person in roll.items()
    ]
    rows = grid(*written, headings=headings)
    for data in (
        xlsx(rows),
        delimited(rows),
        delimited(rows, "gb18030", ";"),
        delimited(rows, "utf-16", "\t"),
    ):
        roster = read(data)
        assert not roster.problems
        assert [
            (
                row.number,
                row.name,
                row.born,
                row.branch,
                row.admitted,
                row.confirmed,
                row.offices,
                row.phone,
                row.email,
                row.dues_base_fen,
            )
            for row in roster.rows
        ] == expected


def test_ten_thousand_people_are_read_whole() -> None:
    rows = grid(*({**WANG_FANG, "员工号": f"{n:05d}", "手机": mobile(n)} for n in range(10_000)))
    for data in (xlsx(rows), delimited(rows, "gb18030")):
        begun = time.perf_counter()
        roster = read(data)
        print(f"{len(data):,} bytes: {time.perf_counter() - begun:.2f} s")
        assert (len(roster.rows), roster.problems) == (10_000, ())
