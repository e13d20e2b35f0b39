"""What happens to files that are broken, hostile or no roster at all?"""

from __future__ import annotations

import io
import random
import time
import zipfile
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handlers.roster.reading import Roster, RosterUnreadable, read_roster
from tests.rosters import (
    COLUMNS,
    HEADINGS,
    LI,
    SHEET,
    WANG_FANG,
    Cell,
    attempt,
    delimited,
    grid,
    mobile,
    read,
    refusal,
    tampered,
    xlsx,
)

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


SHARED = b"".join(b'<row r="%d"><c r="A%d"><f t="shared" si="0"/></c></row>' % (n, n) for n in range(4, 20_000))


def _after_heading(xml: bytes) -> Callable[[bytes], bytes]:
    return lambda sheet: sheet.replace(b"</sheetData>", xml + b"</sheetData>")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_after_heading(b'<row r="3"><c r="A3" t="inlineStr"><is><t>' + b"0" * 5_000_000), "unsafe_workbook"),
        (
            _after_heading(b'<row r="3"><c><v>' + random.Random(7).randbytes(3_500_000).hex().encode()),
            "unsafe_workbook",
        ),
        (
            _after_heading(b'<row r="3"><c><f t="shared" si="0">1' + b"+A1" * 9000 + b"</f></c></row>" + SHARED),
            "rows",
        ),
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
        "formulas",
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
def test_a_hostile_workbook_is_answered_before_it_costs_anything(
    change: Callable[[bytes], bytes], reason: str
) -> None:
    answer = attempt(tampered(xlsx(grid(WANG_FANG)), {SHEET: change}))
    assert ("rows" if isinstance(answer, Roster) else answer.reason) == reason


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
