"""How are weights and numbers written in GIFT?"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Final

WEIGHT: Final = re.compile(r"%(-?[0-9]{1,12}(?:\.[0-9]{0,12})?)%")
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?")

DIGITS: Final = 15
"""Before and behind the point. One more behind it is read, since the middle of a range may need it."""

_LARGEST_PART: Final = 12  # thirds, sixths, sevenths, ninths: what Moodle offers, and up to twelfths


def read_weight(percent: str) -> Fraction:
    """A share of the mark from its percentage; “33.333” means a third, “16.67” a sixth, and so they are read."""
    value = Fraction(percent) / 100
    decimals = len(percent.partition(".")[2])
    simple = value.limit_denominator(_LARGEST_PART)
    if decimals >= 2 and abs(value - simple) < Fraction(1, 10 ** (decimals + 2)):
        return simple
    return value


def write_weight(weight: Fraction) -> str:
    """The percentage of a share, as short as it reads back the same; thirds have five decimals, as in Moodle."""
    percent = weight * 100
    for decimals in range(13):
        figure = f"{Decimal(round(percent * 10**decimals)).scaleb(-decimals):f}"
        if decimals == 5 and read_weight(figure) == weight:
            return figure
        if Fraction(figure) == percent and read_weight(figure) == weight:
            return figure
    return figure


def read_decimal(text: str, *, decimals: int = DIGITS + 1) -> Decimal | None:
    """A plain number, full-width digits allowed; None if it is none, or too long."""
    typed = unicodedata.normalize("NFKC", text.strip()).replace("−", "-")
    if len(typed) > 64 or not _NUMBER.fullmatch(typed):
        return None
    with localcontext(prec=128):
        number = Decimal(typed).normalize()
        if abs(number) >= Decimal(10) ** DIGITS or number != round(number, decimals):
            return None
        return number + 0  # never -0


def middle(low: Decimal, high: Decimal) -> tuple[Decimal, Decimal]:
    """Middle and half width of a range, exactly."""
    with localcontext(prec=128):
        return ((low + high) / 2).normalize() + 0, ((high - low) / 2).normalize() + 0


def write_decimal(number: Decimal) -> str:
    """A number in plain digits."""
    with localcontext(prec=128):
        return f"{number.normalize() + 0:f}"
