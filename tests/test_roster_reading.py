"""Who is found in the spreadsheets people really keep, and what is said about the rest?"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from handlers.roster.columns import NAMES, Columns, ColumnsInvalid
from handlers.roster.reading import IgnoredColumn, read_roster
from tests.rosters import (
    COLUMNS,
    HEADINGS,
    LI,
    WANG_FANG,
    Cell,
    delimited,
    grid,
    mobile,
    read,
    refusal,
    told,
    xlsx,
)

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
