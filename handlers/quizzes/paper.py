"""In which order does a person see questions and options, and how is an answer kept?

A place is where something stands in the frozen sheet or in a question; how it is *shown* is decided by the paper's
seed alone, so that no button says which option the file named first – there the right one often stands.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, Final

from handlers.quizzes import gift, rules
from handlers.quizzes.rules import (
    Answer,
    Matching,
    MultipleChoice,
    Numerical,
    Question,
    ShortAnswer,
    SingleChoice,
    TrueFalse,
)

LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""What stands for an option; a question with more options than letters cannot be asked."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One question of a paper: `at` is where it is shown, `place` where it stands in the sheet, both from 0.

    `shown`: the places of its options (of a matching question: of its choices) in the order in which they are shown.
    """

    at: int
    place: int
    id: int
    question: Question
    shown: tuple[int, ...]

    @property
    def several(self) -> bool:
        return isinstance(self.question, MultipleChoice)

    @property
    def typed(self) -> bool:
        """Whether its answer is written and not chosen."""
        return isinstance(self.question, ShortAnswer | Numerical)

    def letter(self, place: int) -> str:
        return LETTERS[self.shown.index(place)]


def askable(question: Question) -> bool:
    """Whether it can be asked in a chat and marked by a program."""
    return rules.gradable(question) and len(_options(question)) <= len(LETTERS)


def seed_of(exam_seed: str, person_id: int) -> str:
    """What decides the order of one person's paper."""
    return f"{exam_seed}:{person_id}"


@lru_cache(64)
def _sheet(sheet: str) -> tuple[tuple[int, Question], ...]:
    """The questions of a frozen sheet. Read once: the same few sheets come at every tap."""
    return tuple((number, parse(written)) for number, written in json.loads(sheet))


@lru_cache(2048)
def parse(written: str) -> Question:
    """The one question of a piece of GIFT that was read before."""
    (question,) = gift.read(written).questions
    return question


@lru_cache(512)
def slots(sheet: str, seed: str) -> tuple[Slot, ...]:
    """The questions of a paper in the order in which its owner sees them."""
    kept = _sheet(sheet)
    return tuple(
        Slot(at, place, *kept[place], _shuffled(kept[place][1], f"{seed}:options:{place}"))
        for at, place in enumerate(rules.order(len(kept), f"{seed}:questions"))
    )


def _shuffled(question: Question, seed: str) -> tuple[int, ...]:
    """The places of what can be chosen, in an order that has nothing to do with what is right."""
    places: Sequence[int] = range(len(_options(question)))
    if isinstance(question, Matching):  # in the file each choice stands where it belongs
        places = sorted(places, key=question.choices.__getitem__)
    return rules.shuffle(places, seed)


def _options(question: Question) -> tuple[Any, ...]:
    if isinstance(question, SingleChoice | MultipleChoice):
        return question.options
    return question.choices if isinstance(question, Matching) else ()


def ids(sheet: str) -> tuple[int, ...]:
    """The numbers that the questions of a sheet have in their bank."""
    return tuple(number for number, _ in _sheet(sheet))


# -- answers ----------------------------------------------------------------------------------------------------


def dump(answer: Answer) -> Any:
    """An answer as JSON keeps it."""
    return sorted(answer) if isinstance(answer, frozenset) else list(answer) if isinstance(answer, tuple) else answer


def load(question: Question, kept: Any) -> Answer:
    """The answer that `dump` has written for this question; None where nothing was."""
    if isinstance(question, MultipleChoice) and kept is not None:
        return frozenset(kept)
    if isinstance(question, Matching) and kept is not None:
        return tuple(kept)
    answer: Answer = kept
    return answer


def complete(answer: Answer) -> bool:
    """Whether a question counts as answered: something was chosen, and no pair was left out."""
    if isinstance(answer, tuple):
        return None not in answer
    return answer is not None and answer != frozenset() and answer != ""


def points(sheet: str, kept: Mapping[int, Any]) -> Fraction:
    """What the answers of a paper are worth, a point for each question."""
    marks = (
        rules.score(question, load(question, kept.get(place))) for place, (_, question) in enumerate(_sheet(sheet))
    )
    return sum((mark.fraction or Fraction(0) for mark in marks), Fraction(0))


def right(slot: Slot, answer: Answer) -> bool:
    return rules.score(slot.question, answer).right


def is_true_false(slot: Slot) -> bool:
    return isinstance(slot.question, TrueFalse)
