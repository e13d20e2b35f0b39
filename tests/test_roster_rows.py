"""Which rows are rejected, and what is said about them?"""

from __future__ import annotations

from typing import Any

import pytest

from tests.rosters import (
    HEADINGS,
    LI,
    SHEET,
    WANG_FANG,
    Cell,
    delimited,
    grid,
    mobile,
    one,
    read,
    tampered,
    told,
    xlsx,
)

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
