"""What does one cell mean: a day, a mobile number, a name, a sum?"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal

from handlers.roster.columns import Columns, half
from handlers.roster.table import Odd, Value

# Zero-width marks come along with what is copied from web pages and address books; nobody sees or means them.
INVISIBLE = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")
# Direction marks, isolates and controls can make one name look like another; U+FFFD is text lost long ago.
FORBIDDEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u061c\u200e\u200f\u202a-\u202e\u2061-\u206f\ud800-\udfff\ufffd\ufffe\uffff]"
)
MARKS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
HAN = "\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
HAN_GAP = re.compile(rf"(?<=[{HAN}])\s+(?=[{HAN}])")
HAN_DOT = re.compile(rf"(?<=[{HAN}])\s*[·•‧・･∙⋅.．]\s*(?=[{HAN}])")

NUMBER = re.compile(rf"[0-9A-Za-z{HAN}][0-9A-Za-z{HAN}\-_./]{{0,31}}")
MOBILE = re.compile(r"1[3-9][0-9]{9}")
ABROAD = re.compile(r"\+(?!86)[1-9][0-9]{7,14}")
EMAIL = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)
AMOUNT = re.compile(r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]{1,2})?")
DAY = re.compile(
    r"([0-9]{4})(?:([-/.])([0-9]{1,2})\2([0-9]{1,2})|年([0-9]{1,2})月([0-9]{1,2})[日号]?|([0-9]{2})([0-9]{2}))"
    r"(?:[ T]+0{1,2}:00(?::00(?:\.0+)?)?)?"
)
ENGLISH = re.compile(  # Tue 29 Feb 2000, as Tiexin writes a day in English, 29-Feb-2000 and February 29, 2000
    r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*\.?,? +)?([0-9]{1,2})[ -]([A-Za-z]{3,9})\.?,?[ -]([0-9]{4})"
    r"|([A-Za-z]{3,9})\.? ([0-9]{1,2}),? ([0-9]{4})"
)
MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
MONTH = re.compile(r"[0-9]{4}(?:[-/.年]?(?:[0-9]{1,2}月?)?)?")
BETWEEN = re.compile(r"[\s、,;/|+&()\[\]]+|兼任?")

MAX_NAME = 40
MAX_BRANCH = 200
MAX_BASE_FEN = 10_000_000_00
FIRST_YEAR, LAST_YEAR = 1900, 2100


class Unclear(Exception):
    """A cell cannot be taken: `reason` is a code; `suggestion` the code of what was perhaps meant."""

    def __init__(self, reason: str, suggestion: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.suggestion = suggestion


def text(value: Value) -> str:
    """What a cell says, on one line.

    Raises Unclear: formula, cell_error, too_long, not_text, control_characters.
    """
    if isinstance(value, Odd):
        raise Unclear(value.value)
    if isinstance(value, str):
        if FORBIDDEN.search(value):
            raise Unclear("control_characters")
        return " ".join(INVISIBLE.sub("", value).split())
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Unclear("not_text")
    return str(whole(value, "not_text"))


def whole(value: int | float, reason: str) -> int:
    """A number that stands for digits. Beyond 15 of them a spreadsheet has put zeros for the rest."""
    if (isinstance(value, float) and not value.is_integer()) or not 0 <= value < 10**15:
        raise Unclear(reason)
    return int(value)


def number(value: Value) -> str:
    """1001.0 → 1001, “0007” keeps its zeros. Raises Unclear bad_number."""
    said = half(text(value))
    if not NUMBER.fullmatch(said):
        raise Unclear("bad_number")
    return said


def name(value: Value) -> str:
    """王　芳 → 王芳, 阿依古丽．买买提 → 阿依古丽·买买提, Ｌｉ → Li. Raises Unclear bad_name, too_long."""
    said = half(HAN_DOT.sub("·", HAN_GAP.sub("", text(value))))
    if len(said) > MAX_NAME:
        raise Unclear("too_long")
    if not any(sign.isalpha() for sign in said):
        raise Unclear("bad_name")
    return said


def branch(value: Value) -> str:
    """A branch or a path of them, 集团／子公司 / 第一支部 → 集团/子公司/第一支部. Raises Unclear too_long."""
    said = re.sub(r"\s*[/／]\s*", "/", HAN_GAP.sub("", text(value)))
    if len(said) > MAX_BRANCH:
        raise Unclear("too_long")
    return said


def day(value: Value, from_serial: Callable[[int], date]) -> date:
    """A whole day; `from_serial` turns a spreadsheet's plain number into one.

    A cell with a time of day is refused: the exports that write one often mean midnight of another zone,
    which is the day before. So is 3/4/2020, which half of the world reads as the third of April.
    Raises Unclear: bad_date, incomplete_date.
    """
    if isinstance(value, datetime):
        if value.time().replace(tzinfo=None) != time():
            raise Unclear("bad_date")
        return _in_range(value.date())
    if isinstance(value, date):
        return _in_range(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if isinstance(value, float) and not value.is_integer():
            # 1965.03 was typed as a year and a month and became a fraction.
            raise Unclear("incomplete_date" if FIRST_YEAR <= value < LAST_YEAR else "bad_date")
        if 3_000 <= value < 75_000:  # from 1908 on; a smaller one is a year
            return _in_range(from_serial(int(value)))
        value = str(whole(value, "bad_date"))
    said = _in_numbers(MARKS.sub("", half(text(_unmarked(value)))))
    said = re.sub(r"\s*([-/.年月日号])\s*", r"\1", said)
    said = said.replace("—", "-").replace("–", "-").replace("。", ".")
    found = DAY.fullmatch(said)
    if found is None:
        month = MONTH.fullmatch(said) and FIRST_YEAR <= int(said[:4]) <= LAST_YEAR
        raise Unclear("incomplete_date" if month else "bad_date")
    year, _, *parts = found.groups()
    try:
        return _in_range(date(int(year), *(int(part) for part in parts if part is not None)))
    except ValueError:
        raise Unclear("bad_date") from None


def _in_numbers(said: str) -> str:
    """29 Feb 2000 as 2000-2-29; anything else as it is."""
    found = ENGLISH.fullmatch(said.strip())
    if found is None:
        return said
    day_, month, year = found.group(1, 2, 3) if found[1] else found.group(5, 4, 6)
    known = [place for place, whole_ in enumerate(MONTHS, 1) if whole_.startswith(month.lower())]
    return f"{year}-{known[0]}-{day_}" if known else said


def _in_range(found: date) -> date:
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise Unclear("bad_date")
    return found


def _unmarked(value: Value) -> Value:
    """Address books wrap numbers into direction marks; in digits they change nothing."""
    return MARKS.sub("", value) if isinstance(value, str) else value


def phone(value: Value) -> str:
    """Eleven digits, or + and the country for a number abroad. Raises Unclear bad_phone."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        said = str(whole(value, "bad_phone"))
    else:
        said = re.sub(r"[\s\-—–()]+", "", half(text(_unmarked(value))))
    local = re.sub(r"^(?:\+86|0086|86(?=1[0-9]{10}$))", "", said)
    if MOBILE.fullmatch(local):
        return local
    if ABROAD.fullmatch(said):
        return said
    raise Unclear("bad_phone")


def email(value: Value) -> str:
    """The address, its domain in small letters. Raises Unclear bad_email."""
    said = half(text(_unmarked(value)))
    box, _, domain = said.rpartition("@")
    if not EMAIL.fullmatch(said) or len(said) > 254 or len(box) > 64:
        raise Unclear("bad_email")
    return f"{box}@{domain.lower()}"


def fen(value: Value) -> int:
    """“5,400.00 元” → 540000 (fen). Raises Unclear: negative_amount, bad_amount."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        amount = Decimal(repr(value))
    else:
        said = re.sub(r"[\s¥￥]+|元$", "", half(text(_unmarked(value))))
        sign = -1 if said[:1] in ("-", "−", "(") else 1
        said = said.lstrip("-−(").rstrip(")") if sign < 0 else said
        if not AMOUNT.fullmatch(said):
            raise Unclear("bad_amount")
        amount = sign * Decimal(said.replace(",", ""))
    if not amount.is_finite():
        raise Unclear("bad_amount")
    if amount < 0:
        raise Unclear("negative_amount")
    if amount >= MAX_BASE_FEN // 100 or amount != amount.quantize(Decimal("0.01")):
        raise Unclear("bad_amount")
    return int(amount * 100)


def listed(column: str, value: Value, aliases: Columns) -> str:
    """The code of a kind, a gender or a dues category. Raises Unclear unknown_kind, unknown_gender …"""
    said = text(value)
    code = aliases.value(column, said)
    if code is None:
        raise Unclear(f"unknown_{column}", aliases.nearest_value(column, said))
    return code


def offices(value: Value, aliases: Columns) -> tuple[str, ...]:
    """支部书记、组织委员 → two codes, each once, in the order written. Raises Unclear unknown_office."""
    if isinstance(value, str):
        value = re.sub(r"[\r\n\t]+", ";", value)
    said = half(text(value))
    if said.casefold() in aliases.no_office:
        return ()
    # 党小组长 written with a space inside, or “branch secretary”: a whole cell that is one office is not cut.
    one = aliases.value("offices", said)
    if one is not None:
        return (one,)
    found: dict[str, None] = {}
    for word in re.split(r"[、,;|/]+", said):
        whole_word = aliases.value("offices", word) is not None
        for part in (word,) if whole_word else filter(None, BETWEEN.split(word)):
            code = aliases.value("offices", part)
            if code is None:
                raise Unclear("unknown_office", aliases.nearest_value("offices", part))
            found[code] = None
    if not found:
        raise Unclear("unknown_office")
    return tuple(found)
