"""nearmiss: which command did the member probably mean?

Asked last, when a text was no button, no command and no answer. A suggestion is only a question
(您是说 党费 吗？), so one too many costs a smile; still, a greeting is no slip, and 党课 is not 党费.

Three ways of being near, each with its own prudence:

- by characters: 党费呢, 上步; a short word is never near for one character in common;
- by sound: 头票, toupiao, tóu piào, 党fei, DF; dialects are heard as `bot.core.pinyin.blurred` says;
- by letters: /dus, hlep, dangfie.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from rapidfuzz.fuzz import ratio

from bot.core import pinyin

LONGEST: Final = 20
"""Characters. Whoever writes more is telling us something and not naming a command."""

MOST: Final = 3
"""Suggestions. More would be a menu, and 帮助 is the better menu."""

# Scores run from 0 to 100, as rapidfuzz has them: twice the letters in common, over all letters of both.
SAME: Final = 100.0
SAME_SOUND: Final = 98.0
ALIKE_SOUND: Final = 95.0
INITIALS: Final = 90.0
SWAPPED: Final = 90.0
NEAR: Final = 80.0
NEAR_PINYIN: Final = 88.0  # banzhu (92) slips a letter of bangzhu; dangwei (86) is 党委, a word of its own

SHORTEST_WORD: Final = 3  # letters of an English word: “he” is one letter from “me”, and a word
SHORTEST_PINYIN: Final = 5  # letters: yuan is one letter from yuyan, and a word
SHORTEST_PHRASE: Final = 4  # characters from which one may be off in sound as well

_SLASHES = ("/", "、", "\\")  # a Chinese keyboard types 、 where the slash is
_TONE_DIGIT = re.compile(r"(?<=[a-z])[1-5]")


@dataclass(frozen=True, slots=True)
class _Word:
    """A text made ready for comparing; `letters` are the ways to type it without Chinese characters."""

    body: str
    slash: bool
    chinese: bool  # nothing but Chinese characters
    latin: bool  # not one of them
    letters: tuple[str, ...]
    blurs: frozenset[str]
    initials: frozenset[str]


class NearMiss:
    """Finds the commands near to a text. Words are prepared at the first question, not at the start."""

    def __init__(self, words: Mapping[str, str]) -> None:
        """`words`: everything a command is called by (党费, /dues, dues) -> the command's key."""
        self._spelled = dict(words)

    @cached_property
    def _words(self) -> list[tuple[str, _Word]]:
        prepared = ((key, _word(spelled)) for spelled, key in self._spelled.items())
        return [(key, word) for key, word in prepared if word.body]

    @cached_property
    def _initials(self) -> Mapping[str, set[str]]:
        keys: dict[str, set[str]] = {}
        for key, word in self._words:
            for initials in word.initials:
                keys.setdefault(initials, set()).add(key)
        return keys

    def closest(self, text: str) -> list[str]:
        """At most MOST keys, the nearest first, each once; empty if nothing is near. Never raises.

        A text that spells a command but for case, spaces and punctuation gets that command alone.
        """
        text = text.strip()
        if len(text) > LONGEST:
            return []
        typed = _word(text)
        if not 2 <= len(typed.body) <= LONGEST:
            return []
        best: dict[str, float] = {}
        for key, score in self._scores(typed):
            best[key] = max(score, best.get(key, 0.0))
        floor = SAME if SAME in best.values() else NEAR
        return sorted((key for key in best if best[key] >= floor), key=lambda key: -best[key])[:MOST]

    def _scores(self, typed: _Word) -> Iterator[tuple[str, float]]:
        for key, word in self._words:
            yield key, _nearness(typed, word)
        abbreviated = self._initials.get(typed.body, set())
        if len(abbreviated) == 1:
            yield from ((key, INITIALS) for key in abbreviated)


def _word(text: str) -> _Word:
    body = _plain(text)
    han = [_is_han(character) for character in body]
    ways = pinyin.said(body)
    letters = tuple(dict.fromkeys("".join(way) for way in ways))
    initials = {"".join(syllable[0] for syllable in way) for way in ways}
    return _Word(
        body=body,
        slash=text.lstrip().startswith(_SLASHES),
        chinese=all(han),
        latin=not any(han),
        letters=letters,
        blurs=frozenset(map(pinyin.blurred, letters)),
        initials=frozenset(initials) if all(han) and len(body) > 1 else frozenset(),
    )


def _plain(text: str) -> str:
    """Letters, characters and digits only, in small letters without accents; ü is v, as keyboards have it."""
    text = unicodedata.normalize("NFKC", text).casefold()
    text = unicodedata.normalize("NFD", text).replace("u\u0308", "v")
    return _TONE_DIGIT.sub("", "".join(character for character in text if character.isalnum()))


def _is_han(character: str) -> bool:
    return "\u3400" <= character <= "\u9fff" or "\U00020000" <= character <= "\U0003ffff"


def _nearness(typed: _Word, word: _Word) -> float:
    if typed.body == word.body:
        return SAME
    if word.latin:
        return _by_letters(typed, word) if typed.latin else 0.0
    if typed.chinese and word.chinese:
        return _by_characters(typed, word)
    return _by_pinyin(typed, word)


def _by_letters(typed: _Word, word: _Word) -> float:
    if typed.slash and word.slash:  # meant as a command: the slash counts as a letter that is right
        return _ratio(f"/{typed.body}", f"/{word.body}")
    if min(len(typed.body), len(word.body)) < SHORTEST_WORD:
        return 0.0
    return _ratio(typed.body, word.body)


def _by_pinyin(typed: _Word, word: _Word) -> float:
    if not set(typed.letters).isdisjoint(word.letters):
        return SAME_SOUND
    if not typed.blurs.isdisjoint(word.blurs):
        return ALIKE_SOUND
    nearest = 0.0
    for letters in typed.letters:
        for way in word.letters:
            if min(len(letters), len(way)) < SHORTEST_PINYIN:
                continue
            score = _ratio(letters, way)
            if score >= NEAR_PINYIN or (score >= NEAR and not pinyin.is_pinyin(letters)):
                nearest = max(nearest, score)
    return nearest


def _by_characters(typed: _Word, word: _Word) -> float:
    equally_long = len(typed.body) == len(word.body)
    if equally_long and _same_sound(typed.body, word.body, blur=False):
        return SAME_SOUND
    if equally_long and _same_sound(typed.body, word.body, blur=True):
        return ALIKE_SOUND
    if min(len(typed.body), len(word.body)) < SHORTEST_PHRASE:
        return ratio(typed.body, word.body)  # not by sound: 法治 sounds like two thirds of 发通知
    heard = _heard(typed.body, word.body)
    wrong = [pair for pair in zip(heard, word.body, strict=False) if pair[0] != pair[1]]
    if equally_long and len(wrong) == 1 and ratio(*("".join(pinyin.said(one)[0]) for one in wrong[0])) >= NEAR:
        return NEAR  # 我要入单 (dan) is near 我要入党 (dang), but 我要考勤 (qin) not near 我要考试 (shi)
    return ratio(heard, word.body)


def _same_sound(text: str, word: str, *, blur: bool) -> bool:
    return all(
        one == other or pinyin.sound_alike(one, other, blur=blur) for one, other in zip(text, word, strict=True)
    )


def _heard(text: str, word: str) -> str:
    """The text as heard by one who expects the word: what sounds like one of its characters is that one."""
    heard = []
    for place, character in enumerate(text):
        expected = [*word[place : place + 1], *word]  # the same place first: a word may have a sound twice
        alike = (other for other in expected if _same_sound(character, other, blur=True))
        heard.append(next(alike, character))
    return "".join(heard)


def _ratio(typed: str, word: str) -> float:
    """rapidfuzz's ratio, with mercy for the slip it is hardest on: two neighbours swapped (hlep, 75)."""
    return max(ratio(typed, word), SWAPPED if _swapped(typed, word) else 0.0)


def _swapped(typed: str, word: str) -> bool:
    if len(typed) != len(word) or len(word) < 4:
        return False
    first = next((place for place, letter in enumerate(word) if typed[place] != letter), len(word))
    return typed[first : first + 2] == word[first : first + 2][::-1] and typed[first + 2 :] == word[first + 2 :]
