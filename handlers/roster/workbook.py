"""What stands in the first sheet of a workbook (xlsx) that looks like a roster?

openpyxl opens the package and reads the cells, but not through its read-only sheet: that one pads every
gap, so a single cell in column XFD or in row 9,999,999,999 of a hostile file costs minutes, and it drops the
merged ranges. Its own parser, one floor below, gives only the cells that exist and has the merged ranges once
it reaches the end, so one pass over the sheet is enough, at any size.
"""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from openpyxl.reader.excel import ExcelReader
from openpyxl.utils.datetime import MAC_EPOCH
from openpyxl.worksheet._reader import WorkSheetParser

from handlers.roster.table import (
    HEAD,
    MAX_COLUMNS,
    MAX_LINE,
    MAX_ROWS,
    Area,
    Judge,
    Line,
    Odd,
    RosterUnreadable,
    Table,
    Value,
    plain_text,
)

MAX_UNPACKED = 120 * 1024 * 1024
"""200,000 people in 13 columns need about 90 MB; 10 MB of zeros unpack to 10 GB."""
MAX_PARTS = 2_000
MAX_RATIO = 200
"""A part that shrinks more than this was made to do harm; sheets full of repeated words reach about 40."""
MAX_STRETCH = 6 * 1024 * 1024
"""Bytes of XML that may be held in memory at once: up to the end of a row or of a shared text."""
MAX_SMALL = 1024 * 1024
CHUNK = 256 * 1024
ENCODING = re.compile(rb"""^\s*(?:\xef\xbb\xbf)?<\?xml[^>]*?encoding\s*=\s*["']([^"']*)""")
# Excel writes the control characters it may not put into XML as _x000D_; a carriage return is the usual one.
ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


def read_workbook(data: bytes, judge: Judge) -> Table:
    """The first visible sheet in which `judge` recognises a heading; hidden sheets are not looked at.

    Raises RosterUnreadable: `encrypted`, `other_format`, `unsafe_workbook`, `broken_workbook`, `no_heading`,
    `too_many_rows`, `too_many_columns`.
    """
    try:
        with warnings.catch_warnings():
            # Drop-down lists, missing styles, dates out of range: what openpyxl cannot keep when it writes.
            warnings.simplefilter("ignore", UserWarning)
            return _read(data, judge)
    except RosterUnreadable:
        raise
    except Exception:
        # zipfile, zlib, expat and openpyxl raise a dozen kinds over a damaged file, some of which quote its
        # cells; whatever it was, the file cannot be read, and nothing of it may travel on in a traceback.
        raise RosterUnreadable("broken_workbook") from None


def _read(data: bytes, judge: Judge) -> Table:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        _inspect(archive)
    reader = ExcelReader(io.BytesIO(data), read_only=True, keep_links=False)
    reader.read()
    with reader.archive:
        return _choose(reader, judge)


class _Cells(WorkSheetParser):
    """Leaves formulas alone: all are refused, and moving one shared by 20,000 cells took 85 seconds."""

    def parse_formula(self, element: object) -> str:
        return "="


def _choose(reader: ExcelReader, judge: Judge) -> Table:
    book: Any = reader.wb  # the formats of dates and a sheet's path are private names of openpyxl < 4
    sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    for sheet in sheets:
        with reader.archive.open(sheet._worksheet_path) as source:
            parser = _Cells(
                source, reader.shared_strings, False, book.epoch, book._date_formats, book._timedelta_formats
            )
            lines = _lines(parser)
            table: list[Line] = []
            for line in lines:
                table.append(line)
                if line[0] >= HEAD:
                    break
            if not judge([line for line in table if line[0] <= HEAD]):
                continue
            table.extend(lines)
            return Table(
                table,
                sheet.title,
                tuple(other.title for other in sheets if other is not sheet),
                _merged(parser),
                MAC_EPOCH.date() if book.epoch == MAC_EPOCH else date(1899, 12, 30),
            )
    raise RosterUnreadable("no_heading", rows=HEAD)


def _inspect(archive: zipfile.ZipFile) -> None:
    """Refuse what is no workbook and what would not fit into memory, before anything parses it."""
    parts = archive.infolist()
    names = {part.filename for part in parts}
    if any(part.flag_bits & 1 for part in parts):
        raise RosterUnreadable("encrypted")
    if "xl/workbook.xml" not in names:
        kind = "xlsb" if "xl/workbook.bin" in names else "ods" if "content.xml" in names else "zip"
        raise RosterUnreadable("other_format", format=kind)
    # zipfile never unpacks more than a part declares, so the declared sizes can be believed as a ceiling.
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED:
        raise RosterUnreadable("unsafe_workbook")
    if any(part.file_size > max(MAX_SMALL, MAX_RATIO * part.compress_size) for part in parts):
        raise RosterUnreadable("unsafe_workbook")
    for part in parts:
        with archive.open(part) as source:
            _inspect_part(iter(lambda source=source: source.read(CHUNK), b""))  # type: ignore[misc]


def _inspect_part(chunks: Iterator[bytes]) -> None:
    """Refuse entities, encodings that could hide them, and one element of endless size."""
    stretch, tail = 0, b""
    for number, chunk in enumerate(chunks):
        if number == 0:
            if not chunk.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
                if chunk[:2] in (b"\xff\xfe", b"\xfe\xff") or b"<" in chunk[:4]:
                    raise RosterUnreadable("unsafe_workbook")
                return  # a picture, a font, a macro: nobody parses it
            said = ENCODING.match(chunk)
            if said and said[1].lower() not in (b"utf-8", b"us-ascii", b"ascii"):
                raise RosterUnreadable("unsafe_workbook")
        seen = tail + chunk
        if b"<!DOCTYPE" in seen or b"<!ENTITY" in seen:
            raise RosterUnreadable("unsafe_workbook")
        end = max(seen.rfind(mark) for mark in (b"<row ", b"row>", b"si>"))
        stretch = len(seen) - end if end >= 0 else stretch + len(chunk)
        if stretch > MAX_STRETCH:
            raise RosterUnreadable("unsafe_workbook")
        tail = seen[-16:]


def _lines(parser: WorkSheetParser) -> Iterator[Line]:
    full = before = 0
    for line, cells in parser.parse():
        if not before < line <= MAX_LINE:
            raise RosterUnreadable("broken_workbook")
        before = line
        values: dict[int, Value] = {}
        for cell in cells:
            value = _value(cell["value"], cell["data_type"])
            if value is not None:
                if cell["column"] > MAX_COLUMNS:
                    raise RosterUnreadable("too_many_columns", limit=MAX_COLUMNS)
                values[cell["column"]] = value
        if not values:
            continue
        full += 1
        if full > MAX_ROWS:
            raise RosterUnreadable("too_many_rows", limit=MAX_ROWS)
        yield line, values


def _value(value: object, kind: str) -> Value | None:
    if kind == "f":
        return Odd.FORMULA
    if value is None:
        return None
    if kind == "e":
        return Odd.ERROR
    if isinstance(value, str):
        if "_x" in value and len(value) < 10_000:
            value = ESCAPED.sub(_unescaped, value)
        return plain_text(value)
    if isinstance(value, (bool, int, float, datetime, date)):
        return value
    return Odd.NOT_TEXT


def _unescaped(found: re.Match[str]) -> str:
    return "" if found[1].upper() == "000D" else chr(int(found[1], 16))


def _merged(parser: WorkSheetParser) -> tuple[Area, ...]:
    if parser.merged_cells is None:
        return ()
    return tuple(
        Area(cell.coord, cell.min_row, cell.min_col, cell.max_row, cell.max_col)
        for cell in parser.merged_cells.mergeCell
    )
