"""Which spreadsheets do people send us? Sample rosters, made in memory."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import xlsxwriter

from handlers.roster.columns import Columns
from handlers.roster.reading import Roster, RosterUnreadable, read_roster

Cell = str | int | float | bool | date | datetime | None
HEADINGS = (
    "员工号",
    "姓名",
    "性别",
    "出生日期",
    "所在支部",
    "人员类别",
    "入党日期",
    "转正日期",
    "党内职务",
    "手机",
    "邮箱",
    "党费类别",
    "党费基数",
)


def mobile(n: int) -> str:
    """An invented mobile number, the same for the same n."""
    return f"170{n:08d}"


WANG_FANG: dict[str, Cell] = {
    "员工号": "0007",
    "姓名": "王芳",
    "性别": "女",
    "出生日期": "1988-03-08",
    "所在支部": "第一支部",
    "人员类别": "正式党员",
    "入党日期": "2010-07-01",
    "转正日期": "2011-07-01",
    "党内职务": "组织委员、党费管理员",
    "手机": mobile(7),
    "邮箱": "wangfang@example.com",
    "党费类别": "按月领取工资",
    "党费基数": "5,400.00",
}
LI: dict[str, Cell] = {
    "员工号": "1001",
    "姓名": "李建国",
    "性别": "男",
    "出生日期": "1975-10-01",
    "所在支部": "第一支部",
    "人员类别": "正式党员",
    "入党日期": "2001-07-01",
    "转正日期": "2002-07-01",
    "党内职务": "支部书记",
    "手机": mobile(1001),
    "邮箱": None,
    "党费类别": "按月领取工资",
    "党费基数": 8200,
}


def grid(*people: Mapping[str, Cell], headings: Sequence[str] = HEADINGS) -> list[list[Cell]]:
    """The heading and a row for each person."""
    return [list(headings), *([person.get(heading) for heading in headings] for person in people)]


def xlsx(
    rows: Sequence[Sequence[Cell]],
    *,
    draw: Callable[[Any, Any], None] | None = None,
    before: Mapping[str, Sequence[Sequence[Cell]]] | None = None,
    hidden: Sequence[str] = (),
    options: Mapping[str, Any] | None = None,
) -> bytes:
    """A workbook with these rows in the sheet 名册.

    `before` are sheets left of it, `hidden` the names of those not shown; `draw(book, sheet)` adds more.
    """
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True, "default_date_format": "yyyy-mm-dd", **(options or {})})
    for name, content in [*(before or {}).items(), ("名册", rows)]:
        sheet = book.add_worksheet(name)
        for line, row in enumerate(content):
            for place, cell in enumerate(row):
                if isinstance(cell, str):
                    sheet.write_string(line, place, cell)
                elif cell is not None:
                    sheet.write(line, place, cell)
        if name in hidden:
            sheet.hide()
        if name == "名册":
            sheet.activate()
            sheet.set_first_sheet()
            if draw is not None:
                draw(book, sheet)
    book.close()
    return file.getvalue()


def delimited(rows: Sequence[Sequence[Cell]], encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    """A csv file as a spreadsheet program saves it."""
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter).writerows(
        ["" if cell is None else str(cell) for cell in row] for row in rows
    )
    return file.getvalue().encode(encoding)


def tampered(workbook: bytes, changes: Mapping[str, Callable[[bytes], bytes]]) -> bytes:
    """The workbook with some of its parts replaced, packed again."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook)) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new,
    ):
        for name in old.namelist():
            new.writestr(name, changes.get(name, bytes)(old.read(name)))
    return file.getvalue()


COLUMNS = Columns.load()
TODAY = date(2026, 11, 24)
SHEET = "xl/worksheets/sheet1.xml"
"""Where the first sheet lies within a workbook."""


def read(data: bytes, filename: str = "名册.xlsx") -> Roster:
    return read_roster(data, filename, COLUMNS, today=TODAY)


def told(roster: Roster) -> list[tuple[int, str | None, str]]:
    return [(problem.line, problem.column, problem.reason) for problem in roster.problems]


def refusal(data: bytes, filename: str = "名册.xlsx") -> RosterUnreadable:
    try:
        read(data, filename)
    except RosterUnreadable as refused:
        return refused
    raise AssertionError("the file was read")


def attempt(data: bytes) -> Roster | RosterUnreadable:
    """Either is an answer; anything else that is raised fails the test."""
    try:
        return read(data)
    except RosterUnreadable as refused:
        return refused


def one(**changes: Cell) -> Roster:
    """王芳's row with some cells changed, in a file with nobody else."""
    return read(xlsx(grid({**WANG_FANG, **changes})))
