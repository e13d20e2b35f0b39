"""How is a question written in GIFT, as Moodle would write it?"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from handlers.quizzes.gift_numbers import write_decimal, write_weight
from handlers.quizzes.rules import (
    NOTHING,
    Description,
    Essay,
    Format,
    Matching,
    MultipleChoice,
    Number,
    Numerical,
    Option,
    Pair,
    Pattern,
    Question,
    ShortAnswer,
    SingleChoice,
    Text,
    TrueFalse,
)

_MARK: Final = re.compile(r"[\\#=~{}:]")
_LOOKS_LIKE_A_MARK: Final = re.compile(r"\[(?:html|moodle|plain|markdown)\]|%|//")
_BREAK: Final = re.compile(r"[\r\n]+")
_FORBIDDEN: Final = re.compile(r"[\x00-\x1f\x7f]")


def write(questions: Iterable[Question]) -> str:
    """A file that reads back as the same questions.

    Space around words, and control characters in tags, do not survive. Raises ValueError for the few things GIFT
    cannot say: an arrow in the stem of a pair, or in one of several short answers.
    """
    parts, category = [], ""
    for question in questions:
        if question.category != category:
            category = question.category
            parts.append(f"$CATEGORY: {_BREAK.sub(' ', category)}\n\n")
        parts.append(write_question(question) + "\n")
    return "".join(parts)


def write_question(question: Question) -> str:
    """One question without its category, ending in a line break."""
    own = question.text.format
    title = f"::{escape(question.title)}::" if question.title else ""
    head = _comment(question) + title + _text(question.text, "moodle")
    general = f"####{_text(question.general, own)}" if question.general != NOTHING else ""
    match question:
        case Description():
            return f"{head}\n"
        case Essay():
            return f"{head}{{{general}}}\n"
        case TrueFalse():
            return f"{head}{{{_true_false(question)}{general}}}\n"
        case SingleChoice():
            mark, lines = "", _single_choice(question.options, own)
        case MultipleChoice():
            mark, lines = "", [_option(option, own) for option in question.options]
        case ShortAnswer():
            mark, lines = "", _patterns(question.patterns, own)
        case Numerical():
            mark, lines = "#", [_number(number, own) for number in _wildcard_last(question.numbers)]
        case Matching():
            mark, lines = "", [_pair(pair, own) for pair in question.pairs]
    body = "".join(f"\t{line}\n" for line in [*lines, *([general] if general else [])])
    return f"{head}{{{mark}\n{body}}}\n"


def escape(text: str) -> str:
    """Words with every mark escaped, in one line."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    return _MARK.sub(r"\\\g<0>", plain).replace("\n", "\\n")


def _text(text: Text, inherited: Format) -> str:
    # Words that begin like a format, a weight or a comment are saved by naming their format.
    named = text != NOTHING and (text.format != inherited or _LOOKS_LIKE_A_MARK.match(text.text))
    return (f"[{text.format}]" if named else "") + escape(text.text)


def _feedback(text: Text, own: Format) -> str:
    return f"#{_text(text, own)}" if text != NOTHING else ""


def _comment(question: Question) -> str:
    tokens = [("id", question.idnumber)] if question.idnumber else []
    tokens += [("tag", tag) for tag in question.tags]
    written = [f"[{kind}:{_FORBIDDEN.sub(' ', token).replace(']', chr(92) + ']')}]" for kind, token in tokens]
    if not written:
        return ""
    # After a token that ends in a backslash another ] on the line would be read into it.
    apart = any(token.endswith("\\") for _, token in tokens)
    return "// " + ("\n// " if apart else " ").join(written) + "\n"


def _true_false(question: TrueFalse) -> str:
    own = question.text.format
    right, wrong = question.if_true, question.if_false
    if not question.correct:
        right, wrong = wrong, right
    said = "TRUE" if question.correct else "FALSE"
    if right == NOTHING:
        return said + _feedback(wrong, own)
    return f"{said}#{_text(wrong, own)}#{_text(right, own)}"


def _single_choice(options: tuple[Option, ...], own: Format) -> list[str]:
    lines = [_option(option, own, mark="=" if option.weight == 1 else "") for option in options]
    if all(line.startswith("=") for line in lines):  # without any ~ these would be short answers
        lines[-1] = _option(options[-1], own)
    return lines


def _option(option: Option, own: Format, mark: str = "") -> str:
    mark = mark or ("~" if option.weight == 0 else f"~%{write_weight(option.weight)}%")
    return mark + _text(option.text, own) + _feedback(option.feedback, own)


def _patterns(patterns: tuple[Pattern, ...], own: Format) -> list[str]:
    lines = [
        f"%{write_weight(each.weight)}%{_pattern(each.pattern)}#{_text(each.feedback, own)}" for each in patterns
    ]
    if not any("->" in line for line in lines):
        return [f"={line}" for line in lines]
    if len(lines) > 1:
        raise ValueError("GIFT takes several short answers with an arrow for a matching question")
    return lines  # one alone needs no =, and without it the arrow is plain


def _pattern(pattern: str) -> str:
    return ("[moodle]" if pattern.startswith("[") and _LOOKS_LIKE_A_MARK.match(pattern) else "") + escape(pattern)


def _wildcard_last(numbers: tuple[Number, ...]) -> list[Number]:
    """What is said to any other number stands last: nothing after a ~ is read."""
    return sorted(numbers, key=_is_otherwise)


def _is_otherwise(number: Number) -> bool:
    return number.value is None and number.weight == 0


def _number(number: Number, own: Format) -> str:
    if _is_otherwise(number):
        return f"~#{_text(number.feedback, own)}"
    value = "*" if number.value is None else f"{write_decimal(number.value)}:{write_decimal(number.tolerance)}"
    return f"=%{write_weight(number.weight)}%{value}#{_text(number.feedback, own)}"


def _pair(pair: Pair, own: Format) -> str:
    stem = _text(pair.stem, own)
    if "->" in stem:
        raise ValueError("GIFT cannot say an arrow in the stem of a pair")
    return f"={stem} -> {escape(pair.answer)}"
