"""Which amount of money did the member type?

Generous where only one reading is likely (“1.2万”, “３，０００元”, “三千五”, “2角”), never guessing beyond
it; the conversation reads the number back. The calculation itself takes plain data only (`rules.parse_fen`).
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final, Literal

Problem = Literal["empty", "not_a_number", "negative", "too_many_decimals", "too_large"]

LARGEST_FEN: Final = 1_000_000_000
"""Ten million yuan a month: beyond it, somebody leant on a key."""

_LONGEST: Final = 64

_PLAIN_FORM: Final = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {
    0x3000: " ",
    0x00A0: " ",
    0xFFE5: "¥",
    0x2212: "-",
    0x2013: "-",
    0x3007: "零",
}
_DIGITS: Final = {
    **{digit: value for value, digit in enumerate("零一二三四五六七八九")},
    **{digit: value for value, digit in enumerate("零壹贰叁肆伍陆柒捌玖")},
    "两": 2,
    "貳": 2,
    "陸": 6,
}
_SMALL: Final = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_LARGE: Final = {"万": 10_000, "萬": 10_000, "亿": 100_000_000, "億": 100_000_000}
_UNITS: Final = {**_SMALL, **_LARGE, "k": 1000, "w": 10_000}

_DIGIT: Final = f"[{''.join(_DIGITS)}]"
_ANY_DIGIT: Final = f"[0-9{''.join(_DIGITS)}]"
_FRAME: Final = re.compile(r"([-负]?)(?:人民币|rmb|cny|¥)?([-负]?)(.*?)(?:人民币|rmb|cny)?[整正]?", re.DOTALL)
_YUAN: Final = re.compile(r"元|圆|块钱|块|yuan")
_SMALL_CHANGE: Final = re.compile(f"(?:({_ANY_DIGIT})(?:角|毛)钱?)?(?:零?({_ANY_DIGIT})分钱?)?|({_ANY_DIGIT})")
_ARABIC: Final = re.compile(f"([0-9]{{1,3}}(?:,[0-9]{{3}})+|[0-9]+)(?:\\.([0-9]+))?([{''.join(_UNITS)}])?")
_POINT: Final = re.compile(f"(.+)点({_DIGIT}+)([{''.join(_UNITS)}])?")
_PART: Final = re.compile(f"[0-9]+|{_DIGIT}|[{''.join(_SMALL | _LARGE)}]")


class NotAnAmount(ValueError):
    """What was typed is no amount; what it was instead stays out of the message."""

    def __init__(self, reason: Problem) -> None:
        super().__init__(reason)
        self.reason: Final = reason


def read_amount(text: str) -> int:
    """Read an amount as people write it; returns fen, from 0 to LARGEST_FEN. Raises NotAnAmount."""
    typed = re.sub(r"(?<![0-9])\s+|\s+(?![0-9])", "", text.translate(_PLAIN_FORM).lower())
    if not typed:
        raise NotAnAmount("empty")
    if len(typed) > _LONGEST:
        raise NotAnAmount("too_large" if re.fullmatch("[0-9]+", typed) else "not_a_number")
    framed = _FRAME.fullmatch(typed)
    assert framed is not None  # every part may be empty
    fen = _money(framed[3]) * 100
    if framed[1] or framed[2]:
        raise NotAnAmount("negative")
    if fen.denominator != 1:
        raise NotAnAmount("too_many_decimals")
    if fen > LARGEST_FEN:
        raise NotAnAmount("too_large")
    return int(fen)


def _money(typed: str) -> Fraction:
    """Yuan, 角 and 分 together, in yuan."""
    unit = _YUAN.search(typed)
    if unit is not None:
        whole, change = _number(typed[: unit.start()]), _change(typed[unit.end() :])
        if change and whole.denominator != 1:  # “3.5块5” has no one reading
            raise NotAnAmount("not_a_number")
        return whole + change
    if re.search("[角毛分]", typed):
        return _change(typed)
    return _number(typed)


def _change(typed: str) -> Fraction:
    """What follows 元: “5角2分”, “五毛”, and a bare digit, which is 角. In yuan."""
    match = _SMALL_CHANGE.fullmatch(typed)
    if match is None:
        raise NotAnAmount("not_a_number")
    return Fraction(_digit(match[1] or match[3]) * 10 + _digit(match[2]), 100)


def _number(typed: str) -> Fraction:
    """A number in yuan, in Arabic or Chinese numerals or both."""
    arabic = _ARABIC.fullmatch(typed)
    if arabic is not None:
        whole, decimals, unit = arabic[1].replace(",", ""), arabic[2] or "", arabic[3]
    else:
        point = _POINT.fullmatch(typed)
        if point is None:
            return Fraction(_numeral(typed))
        whole, unit = str(_numeral(point[1])), point[3]
        decimals = "".join(str(_DIGITS[digit]) for digit in point[2])
    if not unit and len(decimals) > 2:  # “3.000” may be three, or three thousand written abroad
        raise NotAnAmount("too_many_decimals")
    return Fraction(int(whole + decimals), 10 ** len(decimals)) * (_UNITS[unit] if unit else 1)


def _numeral(typed: str) -> int:
    """三千五百, 一万零五, 三五〇〇 digit by digit, 1万2千, and the spoken 八千五, which is 8500."""
    parts = _PART.findall(typed)
    if not parts or "".join(parts) != typed:
        raise NotAnAmount("not_a_number")
    if all(part in _DIGITS for part in parts):
        return int("".join(str(_DIGITS[part]) for part in parts))
    total = section = 0  # section: what stands below the next 万
    waiting: str | None = None  # a digit whose unit has not come yet
    zero = False  # 零 before the digit: it stands for itself, not for the next lower unit
    last = small = large = 10**12  # units must fall, within a section and from section to section
    for part in parts:
        if part == "零":
            _must(waiting is None)
            zero = True
        elif part in _SMALL:
            unit = _SMALL[part]
            digit = 1 if waiting is None and unit == 10 else _digit(waiting)
            _must(unit < small and 0 < digit < 10)
            section, waiting, zero, last, small = section + digit * unit, None, False, unit, unit
        elif part in _LARGE:
            unit = _LARGE[part]
            digit = _digit(waiting)
            _must(waiting is not None or not zero)
            _must(digit == 0 or section == 0 or (digit < 10 and (zero or small == 10)))
            section += digit
            _must(unit < large and section > 0)
            total, section, waiting, zero = total + section * unit, 0, None, False
            last, small, large = unit, 10**12, unit
        else:
            _must(waiting is None)
            waiting, zero = part, zero or part.startswith("0")
    if waiting is None:
        _must(not zero)
        return total + section
    value = _digit(waiting)
    _must(value < last)
    if len(waiting) == 1 and not zero and 10 < last < 10**12:
        value *= last // 10
    return total + section + value


def _digit(part: str | None) -> int:
    return 0 if part is None else _DIGITS[part] if part in _DIGITS else int(part)


def _must(sound: bool) -> None:
    if not sound:
        raise NotAnAmount("not_a_number")
