"""What stands in a csv file, whatever its encoding and its delimiter?"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator

from handlers.roster.table import (
    HEAD,
    MAX_COLUMNS,
    MAX_LINE,
    MAX_PLACE,
    MAX_ROWS,
    Judge,
    Line,
    RosterUnreadable,
    Table,
    Value,
    plain_text,
)

DELIMITERS = (",", "\t", ";")
# Excel's own way to keep the zeros of ="0007"; a formula in name only, so it is read as the text it says.
KEPT_TEXT = re.compile(r'="([^"=]*)"')
# Excel's hint in the first line; it is not shown as a row, so it does not count as one.
HINT = re.compile(r"sep=([,;\t])(?:\r\n|\r|\n)", re.IGNORECASE)


def read_delimited(data: bytes, judge: Judge) -> Table:
    """The table in a csv file.

    Raises RosterUnreadable: `unknown_encoding`, `not_a_table`, `no_heading`, `broken_csv` (with the row where
    a quotation mark was not closed), `too_many_rows`, `too_many_columns`.
    """
    best, found = 0, ("", ",")
    for text in _texts(data):
        for text_, delimiter in _ways(text):
            score = judge(_head(text_, delimiter))
            if score > best:
                best, found = score, (text_, delimiter)
        if best:
            break
    if not best:
        raise RosterUnreadable("no_heading", rows=HEAD)
    return Table(list(_lines(*found)))


def _texts(data: bytes) -> Iterator[str]:
    """The file as text in each encoding it may be in, the likeliest first.

    Short GB18030 now and then happens to be valid UTF-8, which only the heading can tell.
    """
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(mark):
            candidates: tuple[str, ...] = (encoding,)
            break
    else:
        if b"\0" in data:  # no person types it: this is a file of some other program
            raise RosterUnreadable("not_a_table")
        candidates = ("utf-8", "gb18030")
    known = False
    for encoding in candidates:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        known = True
        if "\0" in text:
            raise RosterUnreadable("not_a_table")
        yield text
    if not known:
        raise RosterUnreadable("unknown_encoding")


def _ways(text: str) -> Iterator[tuple[str, str]]:
    hint = HINT.match(text)
    if hint:
        yield text[hint.end() :], hint[1]
        return
    for delimiter in DELIMITERS:
        yield text, delimiter


def _head(text: str, delimiter: str) -> list[Line]:
    """The first rows, or as many of them as can be read with a delimiter that is only a guess."""
    lines: list[Line] = []
    try:
        for line in _lines(text, delimiter):
            if line[0] > HEAD:
                break
            lines.append(line)
    except RosterUnreadable:
        pass
    return lines


def _lines(text: str, delimiter: str) -> Iterator[Line]:
    # strict: a quotation mark that is never closed would otherwise swallow all the people after it unseen.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    row = full = 0
    while True:
        row += 1
        try:
            cells = next(reader, None)
        except csv.Error:
            raise RosterUnreadable("broken_csv", line=row) from None
        if cells is None:
            return
        if row > MAX_LINE:
            raise RosterUnreadable("too_many_rows", limit=MAX_ROWS)
        if len(cells) > MAX_PLACE:
            raise RosterUnreadable("too_many_columns", limit=MAX_COLUMNS)
        values: dict[int, Value] = {}
        for column, cell in enumerate(cells, 1):
            kept = KEPT_TEXT.fullmatch(cell) if cell.startswith("=") else None
            value = plain_text(kept[1] if kept else cell)
            if value is not None:
                values[column] = value
        if not values:
            continue
        if max(values) > MAX_COLUMNS:
            raise RosterUnreadable("too_many_columns", limit=MAX_COLUMNS)
        full += 1
        if full > MAX_ROWS:
            raise RosterUnreadable("too_many_rows", limit=MAX_ROWS)
        yield row, values
