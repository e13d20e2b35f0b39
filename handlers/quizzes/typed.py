"""What does somebody mean who types an answer: “A、C”, “对”, “1-b”, “１２”?"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from handlers.quizzes.paper import LETTERS, Slot
from handlers.quizzes.rules import Answer, Matching, MultipleChoice, Numerical, SingleChoice, TrueFalse, read_number

MOST: Final = 200
"""Characters of an answer in words."""
_YES: Final = frozenset({"对", "对的", "正确", "是", "是的", "√", "✓", "✔", "t", "true", "y", "yes", "right"})
_NO: Final = frozenset(
    {"错", "错的", "错误", "不对", "不正确", "不是", "否", "×", "✗", "✘", "x", "f", "false", "n", "no", "wrong"}
)
_SAID: Final = re.compile(r"^(?:我?选择?|答案?(?:是|为)?)[:：\s]*")
_BETWEEN: Final = re.compile(r"[\s,，、;；./和与及&+]+")
_PAIR: Final = re.compile(r"(\d{1,2})\s*+[-–—→=:：>~]*+\s*+([a-z])")


def read(slot: Slot, text: str) -> Answer:
    """The answer that was typed; None where it cannot be one."""
    question = slot.question
    said = unicodedata.normalize("NFKC", text).strip().strip("。.!！ ").lower()
    bare = _SAID.sub("", said) or said
    if isinstance(question, TrueFalse):
        return True if bare in _YES else False if bare in _NO else None
    if isinstance(question, SingleChoice):
        chosen = _chosen(slot, bare, [option.text.text for option in question.options])
        return chosen[0] if len(chosen) == 1 else None
    if isinstance(question, MultipleChoice):
        return frozenset(_chosen(slot, bare, [option.text.text for option in question.options])) or None
    if isinstance(question, Matching):
        return _pairs(slot, question, bare)
    words = re.sub(r"^答案?(?:是|为)?[:：\s]+", "", text).strip()
    if isinstance(question, Numerical) and read_number(words) is None:
        return None
    return words if words and len(words) <= MOST else None


def _chosen(slot: Slot, text: str, options: list[str]) -> list[int]:
    """The places of the options meant, each once: by letter, by number as they are shown, or by their own words."""
    for place, words in enumerate(options):
        if text == unicodedata.normalize("NFKC", words).strip().strip("。.!！ ").lower():
            return [place]
    parts = [part for part in _BETWEEN.split(text) if part]
    if not all(part.isascii() and (part.isdecimal() or part.isalpha()) for part in parts):
        return []
    marks = [mark for part in parts for mark in ([part] if part.isdecimal() else part)]
    found = [int(mark) - 1 if mark.isdecimal() else LETTERS.find(mark.upper()) for mark in marks if len(mark) < 4]
    if len(found) < len(marks) or not all(0 <= shown < len(slot.shown) for shown in found):
        return []
    return list(dict.fromkeys(slot.shown[shown] for shown in found))


def _pairs(slot: Slot, question: Matching, text: str) -> Answer:
    """“1-b 2-a”, or only the letters in the order of what they belong to: “BA”."""
    count = len(question.stems)
    written = _PAIR.findall(text)
    left = re.sub(r"[\s,，、;；.]+", "", _PAIR.sub("", text))
    if not written:
        letters = _BETWEEN.sub("", text)
        if len(letters) != count or not (letters.isascii() and letters.isalpha()):
            return None
        written, left = [(str(number), letter) for number, letter in enumerate(letters, 1)], ""
    pairs: list[int | None] = [None] * count
    for number, letter in written:
        stem, shown = int(number) - 1, LETTERS.index(letter.upper())
        if left or not 0 <= stem < count or shown >= len(slot.shown):
            return None
        pairs[stem] = slot.shown[shown]
    return tuple(pairs)
