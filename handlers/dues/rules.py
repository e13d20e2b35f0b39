"""What does a member owe for one month, and by which article?

规定 is 《关于中国共产党党费收缴、使用和管理的规定》, 通知 is 《关于进一步规范党费工作的通知》.
Pure functions over values: no clock, no files, no database, no float. What goes in is integer fen (1 yuan is
100 fen); in between stand exact fractions of yuan; what comes out is integer fen, rounded once, at the end.
The figures themselves (rates, edges, ceiling) are data and come as a `DuesTable`, see `tables.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Final, Literal

Letter = Literal["T", "Q", "M", "D"]
"""T wording seen · Q secondary source · M to be confirmed (待核) · D no rule, our choice."""

Reason = Literal[
    "empty", "not_a_number", "negative", "too_many_decimals", "too_large",  # how an amount was written
    "not_a_month", "period_closed", "unknown_category", "unit_not_allowed",
    "unknown_item", "deductions_exceed_income",  # composition
    "amount_required", "below_minimum", "above_maximum",  # fixed
]  # fmt: skip
Review = Literal["rounds_to_zero", "no_income"]
Choice = Literal["rounding", "loss_counts", "loss_is_zero"]
Counts = Literal["always", "if_regular", "never"]

_AMOUNT: Final = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")
_MONTH: Final = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
_MOST_DIGITS: Final = 12  # a wage of a trillion yuan is a slip of the finger, and int() of 5000 digits raises


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a rule stands. `quote` is shown as a quotation, so only wording we have seen (T) may carry one.

    A choice of the product (D) has no title: nothing may be cited for it.
    """

    title: str
    number: str
    article: str
    letter: Letter
    since: date
    quote: str | None = None

    def __post_init__(self) -> None:
        if self.quote is not None and self.letter != "T":
            raise ValueError("only wording of class T may be quoted")
        if (self.letter == "D") == bool(self.title):
            raise ValueError("a rule has a title, a choice of the product has none")

    @property
    def text(self) -> str:
        """《title》（number）, or nothing for a choice of the product."""
        if not self.title:
            return ""
        return f"《{self.title}》" + (f"（{self.number}）" if self.number else "")

    @property
    def reference(self) -> str:
        """《title》（number）article, as an answer names it after 依据：."""
        return self.text + self.article

    @property
    def to_be_confirmed(self) -> bool:
        """Whether an answer must add 待核."""
        return self.letter == "M"


@dataclass(frozen=True, slots=True)
class Bracket:
    """A base above `over_fen`, up to and with `up_to_fen` (None: no end), pays `rate` on the whole base."""

    over_fen: int
    up_to_fen: int | None
    rate: Fraction


@dataclass(frozen=True, slots=True)
class Scale:
    """The brackets of one article, in rising order; the last has no end."""

    name: str
    brackets: tuple[Bracket, ...]
    citation: Citation

    def bracket(self, base: Fraction) -> Bracket:
        """The bracket of an exact base in yuan: 3000.00333… is above 3000, although shown as 3000.00."""
        for bracket in self.brackets:
            if bracket.up_to_fen is None or base * 100 <= bracket.up_to_fen:
                return bracket
        raise AssertionError("the last bracket has no end")


@dataclass(frozen=True, slots=True)
class Category:
    """Who pays how: by a scale, or (scale None) an amount from minimum to maximum, which may be the same."""

    name: str
    label: str
    label_en: str
    words: tuple[str, ...]
    scale: str | None
    minimum_fen: int
    maximum_fen: int
    citation: Citation


@dataclass(frozen=True, slots=True)
class Component:
    """One item of a payslip: counted always, counted if regular and for everybody, or never."""

    code: str
    label: str
    label_en: str
    counts: Counts
    citation: Citation


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The most that is billed for one month; more is voluntary."""

    amount_fen: int
    citation: Citation


@dataclass(frozen=True, slots=True)
class Rounding:
    """The unit a due is rounded to, and those a branch may choose."""

    unit_fen: int
    allowed_fen: tuple[int, ...]
    citation: Citation


@dataclass(frozen=True, slots=True)
class DuesTable:
    """The rules in force on one day. `articles` set no figure: how, when, what is forbidden."""

    on: date
    categories: Mapping[str, Category]
    scales: Mapping[str, Scale]
    components: Mapping[str, Component]
    ceiling: Ceiling | None
    rounding: Rounding
    articles: Mapping[str, Citation]


@dataclass(frozen=True, slots=True)
class Assessment:
    """One month's dues with everything an explanation needs.

    `base` and `exact` (before ceiling and rounding) are exact yuan; a fixed amount has no base, no rate, no
    bracket. `review` asks a person to look; `choices` names what no rule settles and this product chose.
    """

    category: str
    base: Fraction | None
    rate: Fraction | None
    bracket: Bracket | None
    exact: Fraction
    due_fen: int
    articles: tuple[Citation, ...]
    unit_fen: int = 1
    ceiling_applied: bool = False
    ceiling_fen: int | None = None
    review: tuple[Review, ...] = ()
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a payslip in fen. A bonus counts only when it is said to be regular and for everybody."""

    code: str
    amount_fen: int
    regular: bool = False
    universal: bool = False


@dataclass(frozen=True, slots=True)
class Composition:
    """How a base came about. Only `base_fen` is kept; the payslip is not stored."""

    counted: tuple[Item, ...]
    left_out: tuple[Item, ...]
    contributions_fen: int
    tax_fen: int
    base_fen: int
    articles: tuple[Citation, ...]


class DuesRefused(Exception):
    """The calculation says no. `field` names the input, never its content: incomes do not belong in logs."""

    def __init__(
        self, reason: Reason, field: str, *, limit_fen: int | None = None, articles: tuple[Citation, ...] = ()
    ) -> None:
        super().__init__(f"{reason}: {field}")
        self.reason: Final = reason
        self.field: Final = field
        self.limit_fen: Final = limit_fen
        self.articles: Final = articles


def parse_fen(text: str | None, field: str, *, loss: bool = False) -> int:
    """Read an amount given as data: plain ASCII digits in yuan, at most two decimals; returns fen.

    `loss` admits a minus sign. Units, separators, exponents, blanks and full-width digits are refused; what
    people type is read by `amounts.py`. Raises DuesRefused: empty, not_a_number, negative, too_many_decimals,
    too_large.
    """
    if text is None or not text.strip():
        raise DuesRefused("empty", field)
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise DuesRefused("not_a_number", field)
    sign, whole, decimals = match[1], match[2].lstrip("0"), match[3] or ""
    if sign and not loss:
        raise DuesRefused("negative", field)
    if len(decimals) > 2:
        raise DuesRefused("too_many_decimals", field)
    if len(whole) > _MOST_DIGITS:
        raise DuesRefused("too_large", field)
    fen = int(whole + decimals.ljust(2, "0"))
    return -fen if sign else fen


def parse_month(text: str, field: str) -> date:
    """Read YYYY-MM as the first day of that month. Raises DuesRefused: not_a_month."""
    match = _MONTH.fullmatch(text)
    if match is None or match[1] == "0000":
        raise DuesRefused("not_a_month", field)
    return date(int(match[1]), int(match[2]), 1)


def refuse_closed(month: date, closed_until: date | None) -> None:
    """A closed month is not changed; a correction is a new entry. Raises DuesRefused: period_closed."""
    if closed_until is not None and (month.year, month.month) <= (closed_until.year, closed_until.month):
        raise DuesRefused("period_closed", "month")


def round_half_up(exact: Fraction, unit_fen: int = 1) -> int:
    """Round yuan (not negative) to fen, once and half up, to a multiple of `unit_fen`: 75.015 is 7502."""
    return (exact * 100 / unit_fen + Fraction(1, 2)).__floor__() * unit_fen


def wage(base_fen: int, table: DuesTable, *, unit_fen: int | None = None) -> Assessment:
    """按月领取工资: the monthly base after tax (规定 1, 2). Raises DuesRefused as `assess`."""
    return assess("wage", Fraction(base_fen, 100), table, unit_fen=unit_fen)


def annual_salary(received_fen: int, table: DuesTable, *, unit_fen: int | None = None) -> Assessment:
    """年薪制: what was received this month, a year-end part included (规定 3, 2). Raises as `assess`."""
    return assess("annual_salary", Fraction(received_fen, 100), table, unit_fen=unit_fen)


def pension(base_fen: int, table: DuesTable, *, unit_fen: int | None = None) -> Assessment:
    """离退休: the pension actually received (规定 5). Raises as `assess`."""
    return assess("pension", Fraction(base_fen, 100), table, unit_fen=unit_fen)


def quarter_average(months_fen: tuple[int, int, int], table: DuesTable, *, unit_fen: int | None = None) -> Assessment:
    """不按月取得收入: the average month of the last quarter (规定 4, 2).

    A month with a loss counts; an average below zero is a base of 0. Raises DuesRefused: unit_not_allowed.
    """
    average = Fraction(sum(months_fen), 300)
    choices: tuple[Choice, ...] = ("loss_counts",) if min(months_fen) < 0 else ()
    if average < 0:
        average, choices = Fraction(0), (*choices, "loss_is_zero")
    return assess("quarter_average", average, table, unit_fen=unit_fen, choices=choices)


def assess(
    category: str,
    base: Fraction,
    table: DuesTable,
    *,
    unit_fen: int | None = None,
    choices: tuple[Choice, ...] = (),
) -> Assessment:
    """Apply the scale of a category to an exact base in yuan; the rate applies to the whole base.

    Raises DuesRefused: unknown_category (also for one that pays a fixed amount), negative, unit_not_allowed.
    """
    row = table.categories.get(category)
    if row is None or row.scale is None:
        raise DuesRefused("unknown_category", "category")
    if base < 0:
        raise DuesRefused("negative", "base", articles=(row.citation,))
    unit = table.rounding.unit_fen if unit_fen is None else unit_fen
    if unit not in table.rounding.allowed_fen:
        raise DuesRefused("unit_not_allowed", "unit")
    scale = table.scales[row.scale]
    bracket = scale.bracket(base)
    exact = base * bracket.rate
    due_fen = round_half_up(exact, unit)
    ceiling = table.ceiling
    above = ceiling is not None and exact * 100 > ceiling.amount_fen
    articles = [row.citation, scale.citation]
    if ceiling is not None and above:
        due_fen = min(due_fen, ceiling.amount_fen)
        articles.append(ceiling.citation)
    elif due_fen != exact * 100:
        choices = (*choices, "rounding")
    review: tuple[Review, ...] = ()
    if base == 0:
        review = ("no_income",)
    elif due_fen == 0:
        review = ("rounds_to_zero",)
    return Assessment(
        category=category,
        base=base,
        rate=bracket.rate,
        bracket=bracket,
        exact=exact,
        due_fen=due_fen,
        unit_fen=unit,
        ceiling_applied=above,
        ceiling_fen=None if ceiling is None else ceiling.amount_fen,
        review=review,
        choices=choices,
        articles=once_each(articles),
    )


def fixed(category: str, chosen_fen: int | None, table: DuesTable) -> Assessment:
    """农民, 学生, 下岗失业, 抚恤或救济, 低保: an amount, not a rate (规定 6).

    Where the article leaves a span the member names the amount. Raises DuesRefused: unknown_category,
    amount_required, below_minimum, above_maximum (these two with `limit_fen`).
    """
    row = table.categories.get(category)
    if row is None or row.scale is not None:
        raise DuesRefused("unknown_category", "category")
    articles = (row.citation,)
    if chosen_fen is None:
        if row.minimum_fen != row.maximum_fen:
            raise DuesRefused("amount_required", "chosen", articles=articles)
        chosen_fen = row.minimum_fen
    if chosen_fen < row.minimum_fen:
        raise DuesRefused("below_minimum", "chosen", limit_fen=row.minimum_fen, articles=articles)
    if chosen_fen > row.maximum_fen:
        raise DuesRefused("above_maximum", "chosen", limit_fen=row.maximum_fen, articles=articles)
    return Assessment(
        category=category,
        base=None,
        rate=None,
        bracket=None,
        exact=Fraction(chosen_fen, 100),
        due_fen=chosen_fen,
        articles=articles,
    )


def compose(items: Sequence[Item], contributions_fen: int, tax_fen: int, table: DuesTable) -> Composition:
    """The base of an employee from the lines of a payslip (规定 1, 通知 一(2)(3)).

    `contributions_fen` is the member's own share of insurances and funds, `tax_fen` the income tax on the
    counted lines only. Raises DuesRefused: unknown_item (a line in no table is not guessed), negative,
    deductions_exceed_income.
    """
    counted: list[Item] = []
    left_out: list[Item] = []
    articles = [table.categories["wage"].citation]
    for position, item in enumerate(items):
        component = table.components.get(item.code)
        if component is None:
            raise DuesRefused("unknown_item", f"items[{position}].code")
        if item.amount_fen < 0:
            raise DuesRefused("negative", f"items[{position}].amount")
        articles.append(component.citation)
        regular = component.counts == "if_regular" and item.regular and item.universal
        (counted if component.counts == "always" or regular else left_out).append(item)
    if contributions_fen < 0:
        raise DuesRefused("negative", "personal_contributions")
    if tax_fen < 0:
        raise DuesRefused("negative", "income_tax_on_counted")
    base_fen = sum(item.amount_fen for item in counted) - contributions_fen - tax_fen
    if base_fen < 0:
        raise DuesRefused("deductions_exceed_income", "personal_contributions", articles=once_each(articles))
    return Composition(tuple(counted), tuple(left_out), contributions_fen, tax_fen, base_fen, once_each(articles))


def once_each(citations: Iterable[Citation]) -> tuple[Citation, ...]:
    """Every article once, in order of first mention, with its quotation if any of the mentions has one."""
    found: dict[str, Citation] = {}
    for citation in citations:
        known = found.get(citation.reference)
        if citation.title and (known is None or (known.quote is None and citation.quote is not None)):
            found[citation.reference] = citation
    return tuple(found.values())
