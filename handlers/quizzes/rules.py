"""Which questions are there, what is an answer worth, and in which order do they come?

Pure functions over values: no clock, no files, no chance of their own; a seed is an argument. A score is an exact
fraction from 0 to 1. What a question holds follows GIFT, the format of Moodle; `gift.py` reads and writes it.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal, TypeVar

Format = Literal["moodle", "html", "plain", "markdown"]


@dataclass(frozen=True, slots=True)
class Text:
    """Words of a question and how they are set. `moodle` is text in which HTML and line breaks both count."""

    text: str
    format: Format = "moodle"


NOTHING: Final = Text("")
"""No words at all, always in this one shape."""


@dataclass(frozen=True, slots=True)
class Option:
    """One choice. `weight` is the share of the mark it brings, from -1 to 1."""

    text: Text
    weight: Fraction
    feedback: Text = NOTHING


@dataclass(frozen=True, slots=True)
class Pattern:
    """An answer in words; `*` stands for any words, `\\*` for the asterisk."""

    pattern: str
    weight: Fraction = Fraction(1)
    feedback: Text = NOTHING


@dataclass(frozen=True, slots=True)
class Number:
    """An answer in figures, right within `tolerance` on both sides; no value means any number."""

    value: Decimal | None
    tolerance: Decimal = Decimal(0)
    weight: Fraction = Fraction(1)
    feedback: Text = NOTHING


@dataclass(frozen=True, slots=True)
class Pair:
    """What belongs together. A pair without a stem only offers one answer more."""

    stem: Text
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What every question has. `category` is the path as the file gives it; `line` is where the question began."""

    text: Text
    title: str = ""
    general: Text = NOTHING
    category: str = ""
    idnumber: str = ""
    tags: tuple[str, ...] = ()
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleChoice(Asked):
    """Exactly one option may be chosen."""

    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MultipleChoice(Asked):
    """Any number of options may be chosen; their weights are added."""

    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueFalse(Asked):
    """`if_true` is said to who answers 对, `if_false` to who answers 错."""

    correct: bool
    if_true: Text = NOTHING
    if_false: Text = NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortAnswer(Asked):
    """The first pattern that fits decides."""

    patterns: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Numerical(Asked):
    """The first number that fits decides."""

    numbers: tuple[Number, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching(Asked):
    """Each stem is given one of the `choices`."""

    pairs: tuple[Pair, ...]

    @property
    def stems(self) -> tuple[Pair, ...]:
        """The pairs that ask something."""
        return tuple(pair for pair in self.pairs if pair.stem != NOTHING)

    @property
    def choices(self) -> tuple[str, ...]:
        """Each answer once, in the order of the file; shuffle them before they are shown."""
        return tuple(dict.fromkeys(pair.answer for pair in self.pairs))


@dataclass(frozen=True, slots=True, kw_only=True)
class Essay(Asked):
    """Free words, which a person reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Description(Asked):
    """No question: words that stand between questions."""


Question = SingleChoice | MultipleChoice | TrueFalse | ShortAnswer | Numerical | Matching | Essay | Description
Answer = int | bool | str | frozenset[int] | tuple[int | None, ...] | None
"""SingleChoice: the option's place from 0 · MultipleChoice: a frozenset of places · TrueFalse: bool · ShortAnswer
and Numerical: the words as typed · Matching: for each of `stems` the place in `choices`, or None · nothing: None."""

Item = TypeVar("Item")


# ---- what an answer is worth ----


class Misfit(ValueError):
    """An answer that this kind of question cannot have been given."""


@dataclass(frozen=True, slots=True)
class Score:
    """`fraction` of the mark, 0 to 1, or None where a person has to read; `feedback` belongs to the answer given."""

    fraction: Fraction | None
    feedback: tuple[Text, ...] = ()

    @property
    def right(self) -> bool:
        """Wholly right."""
        return self.fraction == 1


_NOTHING_WON: Final = Score(Fraction(0))


def gradable(question: Question) -> bool:
    """Whether a program can mark it."""
    return not isinstance(question, Essay | Description)


def score(question: Question, answer: Answer, *, case_matters: bool = False) -> Score:
    """What an answer is worth. Raises Misfit for an answer of another kind; none at all is worth nothing."""
    if isinstance(question, Essay | Description):
        return Score(None)
    if answer is None:
        return _NOTHING_WON
    match question, answer:
        case TrueFalse(), bool():
            said = question.if_true if answer else question.if_false
            return _scored(Fraction(answer is question.correct), said)
        case SingleChoice(), int() if not isinstance(answer, bool) and 0 <= answer < len(question.options):
            option = question.options[answer]
            return _scored(option.weight, option.feedback)
        case MultipleChoice(), frozenset() if all(0 <= place < len(question.options) for place in answer):
            chosen = [question.options[place] for place in sorted(answer)]
            return _scored(sum((each.weight for each in chosen), Fraction(0)), *(each.feedback for each in chosen))
        case ShortAnswer(), str():
            return _short_answer(question, answer, case_matters)
        case Numerical(), str():
            return _numerical(question, read_number(answer))
        case Matching(), tuple():
            return _matching(question, answer)
    raise Misfit(f"not an answer to a question of kind {type(question).__name__}")


def _scored(weight: Fraction, *feedback: Text) -> Score:
    return Score(min(max(weight, Fraction(0)), Fraction(1)), tuple(each for each in feedback if each != NOTHING))


def _short_answer(question: ShortAnswer, answer: str, case_matters: bool) -> Score:
    for each in question.patterns:
        if answer.strip() and fits(each.pattern, answer, case_matters=case_matters):
            return _scored(each.weight, each.feedback)
    return _NOTHING_WON


def _numerical(question: Numerical, given: Decimal | None) -> Score:
    if given is None:
        return _NOTHING_WON
    for each in question.numbers:
        # As fractions: a Decimal difference would be rounded to the 28 digits of the context.
        if each.value is None or abs(Fraction(given) - Fraction(each.value)) <= Fraction(each.tolerance):
            return _scored(each.weight, each.feedback)
    return _NOTHING_WON


def _matching(question: Matching, answer: tuple[int | None, ...]) -> Score:
    stems, choices = question.stems, question.choices
    if len(answer) != len(stems) or not all(place is None or 0 <= place < len(choices) for place in answer):
        raise Misfit("one place in the choices, or None, for each stem")
    right = sum(
        place is not None and choices[place] == pair.answer for place, pair in zip(answer, stems, strict=True)
    )
    return _scored(Fraction(right, len(stems)))


def solution(question: Question) -> Answer:
    """The best answer there is; None where a person has to read."""
    match question:
        case TrueFalse():
            return question.correct
        case SingleChoice():
            return max(range(len(question.options)), key=lambda place: question.options[place].weight)
        case MultipleChoice():
            return frozenset(place for place, option in enumerate(question.options) if option.weight > 0)
        case ShortAnswer():
            best = max(question.patterns, key=lambda each: each.weight)
            return "".join(_bits(best.pattern))
        case Numerical():
            number = max(question.numbers, key=lambda each: each.weight)
            return format(number.value if number.value is not None else Decimal(0), "f")
        case Matching():
            return tuple(question.choices.index(pair.answer) for pair in question.stems)
    return None


# ---- words and figures as people type them ----

_QUOTES: Final = dict.fromkeys(map(ord, '《》〈〉「」『』“”"＂'), "")
_PUNCTUATION: Final = str.maketrans({"、": ",", "。": ".", "‘": "'", "’": "'", "—": "-", "–": "-", "−": "-"})
_BESIDE_CHINESE: Final = re.compile(r"(?<=[^\x00-\x7f]) | (?=[^\x00-\x7f])")
_IDLE_ENDS: Final = " .,;:!?"
_STARS: Final = re.compile(r"(?<!\\)\*+")


def fits(pattern: str, typed: str, *, case_matters: bool = False) -> bool:
    """Whether typed words fit a pattern.

    Full-width and half-width are the same, so are Chinese and Western punctuation; quotation marks, 书名号, spaces
    beside Chinese and punctuation at either end do not count; nor does case, unless `case_matters`.
    """
    first, *others = (_fold(bit, case_matters) for bit in _bits(pattern))
    text = _fold(typed, case_matters)
    if not others:
        return _trim(text) == _trim(first)
    first, last = first.lstrip(_IDLE_ENDS), others.pop().rstrip(_IDLE_ENDS)
    text = text.lstrip(_IDLE_ENDS) if first else text
    text = text.rstrip(_IDLE_ENDS) if last else text
    if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
        return False
    at, end = len(first), len(text) - len(last)
    for bit in others:  # each as early as it stands: no backtracking, whatever the pattern
        found = text.find(bit, at, end)
        if found < 0:
            return False
        at = found + len(bit)
    return True


def _bits(pattern: str) -> list[str]:
    """The words between the wildcards."""
    return [bit.replace("\\*", "*") for bit in _STARS.split(pattern)]


def _fold(text: str, case_matters: bool) -> str:
    unquoted = text.translate(_QUOTES)
    plain = unicodedata.normalize("NFKC", (unquoted if unquoted.strip() else text).translate(_PUNCTUATION))
    plain = _BESIDE_CHINESE.sub("", re.sub(r"\s+", " ", plain))
    return plain if case_matters else plain.casefold()


def _trim(text: str) -> str:
    return text.strip(_IDLE_ENDS) or text.strip()


_PLAIN_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,16})?(?:\.[0-9]{0,16})?")
_CHINESE_DIGITS: Final = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_CHINESE_UNITS: Final = {"十": 10, "百": 100, "千": 1000, "万": 10_000}


def read_number(typed: str) -> Decimal | None:
    """The number a member typed: “１２”, “1，000”, “-3.5”, “50%”, “十二”, “两千”; None if it is none, or unclear."""
    if len(typed) > 64:
        return None
    text = unicodedata.normalize("NFKC", typed.translate(_PUNCTUATION))
    text = re.sub(r"(?<![0-9])\s+|\s+(?![0-9])", "", text).removesuffix("%")
    text = "-" + text[1:] if text.startswith("负") else text
    if _PLAIN_NUMBER.fullmatch(text) and any(char.isdigit() for char in text):
        return Decimal(text.replace(",", ""))
    numeral = _numeral(text.removeprefix("-"))
    return None if numeral is None else Decimal(-numeral if text.startswith("-") else numeral)


def _numeral(text: str) -> int | None:
    """十二, 三百零五, 两万, and 二〇二六 digit by digit."""
    if not text or not all(char in _CHINESE_DIGITS or char in _CHINESE_UNITS for char in text):
        return None
    if all(char in _CHINESE_DIGITS for char in text):
        return int("".join(str(_CHINESE_DIGITS[char]) for char in text)) if len(text) <= 15 else None
    total = section = 0
    digit: int | None = None
    smallest = 10_000  # units fall: 百 after 十 is no number
    for char in text:
        if char in _CHINESE_DIGITS:
            if digit:
                return None
            digit = _CHINESE_DIGITS[char]
        elif char == "万":
            if total or not (section or digit):
                return None
            total, section, digit, smallest = (section + (digit or 0)) * 10_000, 0, None, 10_000
        else:
            unit = _CHINESE_UNITS[char]
            if unit >= smallest or (digit is None and unit != 10):
                return None
            section, digit, smallest = section + (digit or 1) * unit, None, unit
    if digit and smallest > 10 and "零" not in text[-2:] and text[-2] != "〇":
        return None  # 三百五 may be 350 or 305
    return total + section + (digit or 0)


# ---- order ----


def order(count: int, seed: str) -> tuple[int, ...]:
    """The places 0 to count-1 in an order that `seed` decides, the same on every machine and Python.

    Fisher–Yates from the last place down. Step k (from 0) takes SHA-256 of “seed:k” in UTF-8 as one big-endian
    number, modulo the places left; with 256 bits the modulo favours nobody by more than 2⁻²⁰⁰.
    """
    places = list(range(count))
    for step, last in enumerate(range(count - 1, 0, -1)):
        digest = hashlib.sha256(f"{seed}:{step}".encode()).digest()
        other = int.from_bytes(digest, "big") % (last + 1)
        places[last], places[other] = places[other], places[last]
    return tuple(places)


def shuffle(items: Sequence[Item], seed: str) -> tuple[Item, ...]:
    """The items in the order that `seed` decides."""
    return tuple(items[place] for place in order(len(items), seed))


def draw(questions: Sequence[Item], count: int, seed: str) -> tuple[Item, ...]:
    """`count` of the questions, none twice, in the order that `seed` decides; ValueError if there are fewer."""
    if not 0 <= count <= len(questions):
        raise ValueError(f"cannot draw {count} of {len(questions)} questions")
    return shuffle(questions, seed)[:count]
