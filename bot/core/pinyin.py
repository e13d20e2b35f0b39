"""pinyin: how is this character said?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from itertools import islice, product
from pathlib import Path

MOST_READINGS = 8
"""Of a word with several polyphones at most so many readings are kept, the usual one first."""

_BLURS = tuple(
    (re.compile(pattern), instead)
    for pattern, instead in (
        (r"(?<=[zcs])h", ""),  # 知 zhi and 资 zi: one sound from Shanghai to Guangzhou
        (r"n(?=[aeiouv])", "l"),  # 年 nian and 连 lian: one sound in Hunan, Sichuan, Nanjing
        (r"(?<=[ie])ng(?![aeiouv])", "n"),  # 京 jing and 今 jin, 正 zheng and 真 zhen
        (r"v", "u"),  # 旅 lü is typed lv, lyu or lu
        (r"(?<=l)yu", "u"),
    )
)
# an and ang are kept apart on purpose: 班组, the work team, would otherwise be 帮助.


@cache
def _table() -> Mapping[str, tuple[str, ...]]:
    """Character -> its syllables, the usual one first. Read on the first question, not on import."""
    usual: dict[str, tuple[str, ...]] = {}
    sometimes: list[tuple[str, str]] = []
    for line in Path(__file__).with_name("pinyin.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        syllable, mostly, *others = line.split(" ")
        usual.update(dict.fromkeys(mostly, (syllable,)))
        sometimes += [(character, syllable) for part in others for character in part]
    del usual["-"]  # stands where a syllable is no character's usual one
    for character, syllable in sometimes:
        usual[character] += (syllable,)
    return usual


@cache
def _well_formed() -> re.Pattern[str]:
    syllables = {syllable for syllables in _table().values() for syllable in syllables}
    return re.compile(f"(?:{'|'.join(sorted(syllables, key=len, reverse=True))})+")


def readings(character: str) -> tuple[str, ...]:
    """The syllables of a character without tones, ü as v, the usual one first; empty if none is known."""
    return _table().get(character, ())


@lru_cache(maxsize=4096)  # strangers choose the characters
def _blurred_readings(character: str) -> frozenset[str]:
    return frozenset(map(blurred, readings(character)))


def sound_alike(one: str, other: str, *, blur: bool) -> bool:
    """Can the two characters be said alike, tones aside? With `blur`: also in a southern mouth."""
    if blur:
        return not _blurred_readings(one).isdisjoint(_blurred_readings(other))
    return not set(readings(one)).isdisjoint(readings(other))


def said(text: str) -> list[tuple[str, ...]]:
    """The ways to say a text, each as one syllable per character; what has no reading stands for itself.

    At most MOST_READINGS ways, the first made of the usual readings: 重庆 -> (zhong, qing), (chong, qing).
    """
    return list(islice(product(*(readings(character) or (character,) for character in text)), MOST_READINGS))


def is_pinyin(letters: str) -> bool:
    """Do the letters fall into whole syllables? dangwei does (党委, another word), dangfie not (a slip)."""
    return _well_formed().fullmatch(letters) is not None


def blurred(letters: str) -> str:
    """Letters with the sounds merged that many speakers merge: n/l, zh/z, ch/c, sh/s, ing/in, eng/en, ü/u.

    Spellings that one ear cannot tell apart come out equal; the outcome is to be compared, not to be read.
    """
    for pattern, instead in _BLURS:
        letters = pattern.sub(instead, letters)
    return letters
