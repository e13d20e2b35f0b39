"""Which dues rules were in force on a given day, by the shipped file or the organisation's own?

`dues_book` reads and checks a whole file (at start, so that a slip in next year's row is found today);
`DuesBook.on` picks the rows of one day.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType
from typing import Final, TypeVar, cast, get_args

from handlers.dues.rules import (
    Bracket,
    Category,
    Ceiling,
    Citation,
    Component,
    Counts,
    DuesRefused,
    DuesTable,
    Letter,
    Rounding,
    Scale,
    parse_fen,
)
from handlers.ruletable import Row, TableError, read_table

FILE: Final = "dues.toml"
SHIPPED: Final = Path(__file__).with_name(FILE)
NEEDED: Final = ("wage", "annual_salary", "quarter_average", "pension")
"""Categories the calculation knows by name; a table without them is refused."""

_V = TypeVar("_V")


@dataclass(frozen=True, slots=True)
class DuesBook:
    """All rows of one file; each list is one kind of row, whatever its day."""

    file: Path
    categories: tuple[tuple[date, Category], ...]
    scales: tuple[tuple[date, Scale], ...]
    components: tuple[tuple[date, Component], ...]
    ceilings: tuple[tuple[date, Ceiling], ...]
    roundings: tuple[tuple[date, Rounding], ...]
    articles: tuple[tuple[date, tuple[str, Citation]], ...]

    def on(self, day: date) -> DuesTable:
        """The rules in force on a local date of the organisation. Raises TableError where none are."""
        categories = _newest(self.categories, day, lambda row: row.name)
        scales = _newest(self.scales, day, lambda row: row.name)
        ceilings = _newest(self.ceilings, day, lambda _: "")
        roundings = _newest(self.roundings, day, lambda _: "")
        for name in NEEDED:
            if name not in categories:
                raise TableError(self.file, f"category {name}", f"no row is valid on {day}; add one with that name")
        for row in categories.values():
            if row.scale is not None and row.scale not in scales:
                raise TableError(
                    self.file, f"category {row.name}: scale", f"no scale {row.scale!r} is valid on {day}"
                )
        if not roundings:
            raise TableError(self.file, "rounding", f"no row is valid on {day}; add one")
        return DuesTable(
            on=day,
            categories=MappingProxyType(categories),
            scales=MappingProxyType(scales),
            components=MappingProxyType(_newest(self.components, day, lambda row: row.code)),
            ceiling=ceilings.get(""),
            rounding=roundings[""],
            articles=MappingProxyType(dict(_newest(self.articles, day, lambda row: row[0]).values())),
        )


def dues_table(on: date, directory: Path | None = None) -> DuesTable:
    """The rules in force on a day. Raises TableError."""
    return dues_book(directory).on(on)


def dues_book(directory: Path | None = None) -> DuesBook:
    """Read `dues.toml` of a local directory where it has one, else the shipped file.

    A local file takes the place of the shipped one as a whole. Every day on which a row begins is tried, so a
    book that was read can answer for all of them. Raises TableError.
    """
    file = SHIPPED
    if directory is not None:
        if not directory.is_dir():
            raise TableError(directory, "", "no such directory; correct [rules] dir")
        if (directory / FILE).exists():
            file = directory / FILE
    return _book(read_table(file))


def _book(top: Row) -> DuesBook:
    texts: dict[str, tuple[str, str]] = {}
    texts_row = top.table("text")
    for name in texts_row.names():
        row = texts_row.table(name)
        texts[name] = (row.text("title"), row.text("number", ""))
        row.done()
    book = DuesBook(
        top.file,
        _dated(top, "category", lambda row: [_category(row, _cite(row, texts))], lambda each: each.name),
        _dated(top, "scale", lambda row: [_scale(row, _cite(row, texts))], lambda each: each.name),
        _dated(top, "components", lambda row: _components(row, _cite(row, texts)), lambda each: each.code),
        _dated(top, "ceiling", lambda row: [Ceiling(_fen(row, "amount"), _cite(row, texts))], lambda _: "ceiling"),
        _dated(top, "rounding", lambda row: [_rounding(row, _cite(row, texts))], lambda _: "rounding"),
        _dated(top, "article", lambda row: [(row.text("name"), _cite(row, texts))], lambda each: each[0]),
    )
    top.done()
    first = min((day for day, row in book.categories if row.name in NEEDED), default=None)
    if first is None:
        raise TableError(top.file, "category", f"there is no row {NEEDED[0]!r}; add one")
    days = {
        day
        for rows in (
            book.categories,
            book.scales,
            book.components,
            book.ceilings,
            book.roundings,
            book.articles,
        )
        for day, _ in rows
    }
    for day in sorted(days):
        if day >= first:
            book.on(day)
    return book


def _cite(row: Row, texts: dict[str, tuple[str, str]]) -> Citation:
    letter = cast(Letter, row.one_of("letter", get_args(Letter)))
    since = row.day("valid_from")
    quote = row.text("quote", "") or None
    if quote is not None and letter != "T":
        raise row.error("quote", 'only a row with letter = "T" may quote; remove the quotation')
    if letter == "D":
        return Citation("", "", "", letter, since)
    title, number = texts[row.one_of("text", texts)]
    return Citation(title, number, row.text("article"), letter, since, quote)


def _category(row: Row, citation: Citation) -> Category:
    name, scale = row.text("name"), row.text("scale", "") or None
    minimum = maximum = 0
    if scale is None:
        if row.has("amount"):
            minimum = maximum = _fen(row, "amount")
        else:
            minimum, maximum = _fen(row, "minimum"), _fen(row, "maximum")
        if minimum > maximum:
            raise row.error("minimum", "must not be above maximum")
    labels = row.text("label"), row.text("label_en")
    return Category(name, *labels, row.texts("words"), scale, minimum, maximum, citation)


def _scale(row: Row, citation: Citation) -> Scale:
    brackets: list[Bracket] = []
    over_fen: int | None = 0
    for bracket in row.rows("brackets"):
        if over_fen is None:
            raise bracket.error("up_to", "stands after the bracket without up_to, which must be the last")
        up_to_fen = _fen(bracket, "up_to") if bracket.has("up_to") else None
        if up_to_fen is not None and up_to_fen <= over_fen:
            raise bracket.error("up_to", "must be above the bracket before it")
        brackets.append(Bracket(over_fen, up_to_fen, _rate(bracket, "rate")))
        bracket.done()
        over_fen = up_to_fen
    if over_fen is not None:
        raise row.error("brackets", "the last bracket must have no up_to, or high incomes have no rate")
    return Scale(row.text("name"), tuple(brackets), citation)


def _components(row: Row, citation: Citation) -> list[Component]:
    counts = cast(Counts, row.one_of("counts", get_args(Counts)))
    found: list[Component] = []
    for item in row.rows("items"):
        code, label, label_en = item.text("code"), item.text("label"), item.text("label_en")
        found.append(Component(code, label, label_en, counts, citation))
        item.done()
    return found


def _rounding(row: Row, citation: Citation) -> Rounding:
    allowed = tuple(_fen_of(row, "allowed", each) for each in row.texts("allowed"))
    unit = _fen(row, "unit")
    if 0 in allowed:
        raise row.error("allowed", 'a unit must be above zero, such as "0.01"')
    if unit not in allowed:
        raise row.error("unit", "must be one of allowed")
    return Rounding(unit, allowed, citation)


def _dated(
    top: Row, kind: str, read: Callable[[Row], Iterable[_V]], name: Callable[[_V], str]
) -> tuple[tuple[date, _V], ...]:
    found: list[tuple[date, _V]] = []
    seen: set[tuple[date, str]] = set()
    for row in top.rows(kind, needed=False):
        for value in read(row):
            mark = (row.day("valid_from"), name(value))
            if mark in seen:
                raise row.error("valid_from", f"a second row {mark[1]!r} begins on {mark[0]}; keep one")
            seen.add(mark)
            found.append((mark[0], value))
        row.done()
    return tuple(found)


def _newest(rows: Iterable[tuple[date, _V]], day: date, name: Callable[[_V], str]) -> dict[str, _V]:
    """Of the rows with one name the last to begin by that day, names in the order of the file."""
    chosen: dict[str, tuple[date, _V]] = {}
    for since, value in rows:
        if since <= day and (name(value) not in chosen or chosen[name(value)][0] < since):
            chosen[name(value)] = (since, value)
    return {key: value for key, (_, value) in chosen.items()}


def _fen(row: Row, key: str) -> int:
    return _fen_of(row, key, row.text(key))


def _fen_of(row: Row, key: str, value: str) -> int:
    try:
        return parse_fen(value, key)
    except DuesRefused as refused:
        reason = refused.reason.replace("_", " ")
        raise row.error(key, f'must be an amount such as "1000.00" ({reason})') from None


def _rate(row: Row, key: str) -> Fraction:
    value = row.text(key)
    if not re.fullmatch(r"0\.[0-9]{1,6}", value) or not Fraction(value):
        raise row.error(key, 'must be a share of the base such as "0.005" for 0.5 %')
    return Fraction(value)
