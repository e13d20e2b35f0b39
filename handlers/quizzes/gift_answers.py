"""What do the braces of a GIFT question hold?

The kind follows from the marks, as in Moodle: `#` first is numerical, any `~` a choice, `=` with `->` matching,
T or F alone true/false, nothing an essay, everything else short answers.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from itertools import pairwise
from typing import Final, TypedDict

from handlers.quizzes.gift_blocks import Block, Unreadable
from handlers.quizzes.gift_numbers import DIGITS, WEIGHT, middle, read_decimal, read_weight, write_weight
from handlers.quizzes.gift_problems import Problem, ProblemId, excerpt
from handlers.quizzes.rules import (
    NOTHING,
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

_TRUE_FALSE: Final = {"T": True, "TRUE": True, "F": False, "FALSE": False}


class Head(TypedDict):
    """What a question has besides its answers."""

    text: Text
    title: str
    general: Text
    category: str
    idnumber: str
    tags: tuple[str, ...]
    line: int


@dataclass(slots=True)
class Answers:
    """The space between the braces of one block, and what was noticed in it."""

    block: Block
    start: int
    end: int
    format: Format
    warnings: list[Problem] = field(default_factory=list)

    def question(self, head: Head) -> Question:
        """The question these answers make. Raises Unreadable."""
        body = self.block.masked[self.start : self.end]
        if not body:
            return Essay(**head)
        if body.startswith("#"):
            return Numerical(**head, numbers=self._numbers())
        if "~" in body:
            options = self._options()
            return SingleChoice(**head, options=options) if "=" in body else MultipleChoice(**head, options=options)
        if "=" in body and "->" in body:
            return Matching(**head, pairs=self._pairs())
        said, *feedback = self._parts(self.start, self.end, 3)
        # Moodle knows capitals only and takes {true} for a short answer; nobody means that.
        correct = _TRUE_FALSE.get(self.block.words(*said).upper())
        if correct is None:
            return ShortAnswer(**head, patterns=self._patterns())
        wrong, right = [*(self._text(each) for each in feedback), NOTHING, NOTHING][:2]
        if_true, if_false = (right, wrong) if correct else (wrong, right)
        return TrueFalse(**head, correct=correct, if_true=if_true, if_false=if_false)

    # ---- the kinds ----

    def _options(self) -> tuple[Option, ...]:
        pieces = self._pieces("~=")
        self._at_least(2, len(pieces))
        options: list[Option] = []
        seen: set[Text] = set()
        for number, (mark, start, end) in enumerate(pieces, 1):
            weight, start = self._weight(start, end)
            if mark == "=":
                if weight not in (None, 1):
                    raise self._no("weight_after_equals", start, weight=write_weight(weight or Fraction(0)))
                weight = Fraction(1)
            said, feedback = self._said(start, end)
            option = Option(self._text(said), weight or Fraction(0), self._text(feedback))
            if option.text == NOTHING:
                raise self._no("empty_answer", start, number=number)
            if option.text in seen:
                self._warn("same_option_twice", start, text=excerpt(option.text.text))
            seen.add(option.text)
            options.append(option)
        weights = [option.weight for option in options]
        single = any(mark == "=" for mark, _, _ in pieces)
        best = max(weights) if single else sum(weight for weight in weights if weight > 0)
        self._check_best(Fraction(best))
        return tuple(options)

    def _patterns(self) -> tuple[Pattern, ...]:
        patterns = []
        for number, (_, start, end) in enumerate(self._pieces("="), 1):
            weight, start = self._weight(start, end)
            said, feedback = self._said(start, end)
            pattern = self._text(said).text  # Moodle drops the format of a short answer, too
            if not pattern:
                raise self._no("empty_answer", start, number=number)
            patterns.append(Pattern(pattern, Fraction(1) if weight is None else weight, self._text(feedback)))
        self._check_best(max(pattern.weight for pattern in patterns))
        return tuple(patterns)

    def _pairs(self) -> tuple[Pair, ...]:
        pieces = self._pieces("=", warn=False)
        self._at_least(2, len(pieces))
        pairs = []
        for _, start, end in pieces:
            arrow = self.block.masked.find("->", start, end)
            if arrow < 0:
                raise self._no("pair_without_arrow", start, text=excerpt(self.block.words(start, end)))
            answer = self.block.words(arrow + 2, end)
            if not answer:
                raise self._no("pair_without_answer", start, text=excerpt(self.block.words(start, arrow)))
            pairs.append(Pair(self._text((start, arrow)), answer))
        if all(pair.stem == NOTHING for pair in pairs):
            raise self._no("pair_without_stem", self.start)
        return tuple(pairs)

    def _numbers(self) -> tuple[Number, ...]:
        self.start += 1
        wrong = self.block.split(self.start, self.end, "~")
        whole_end, otherwise = self.end, NOTHING
        if wrong:
            said, feedback = self._said(wrong[0] + 1, self.end)
            if len(wrong) > 1 or self.block.words(*said) not in ("", "*"):
                raise self._no("wrong_number_marked", wrong[0], text=excerpt(self.block.words(wrong[0], self.end)))
            otherwise, self.end = self._text(feedback), wrong[0]
        numbers = [self._number(start, end) for _, start, end in self._pieces("=", warn=False)]
        if not numbers:
            raise self._no("no_number", self.start - 1)
        self._check_best(max(number.weight for number in numbers))
        if wrong:
            numbers.append(Number(None, weight=Fraction(0), feedback=otherwise))
            self.end = whole_end
        return tuple(numbers)

    def _number(self, start: int, end: int) -> Number:
        weight, start = self._weight(start, end)
        weight = Fraction(1) if weight is None else weight
        said, feedback = self._said(start, end)
        words, written = self._text(feedback), self.block.words(*said)
        # Full-width forms come in by an input method: “３：２” is what “3:2” is.
        typed = unicodedata.normalize("NFKC", written)
        not_a_number = partial(self._no, "not_a_number", start, text=excerpt(written))
        if typed.partition(":")[0].strip() == "*":
            return Number(None, weight=weight, feedback=words)
        if ".." in typed:
            left, _, right = typed.partition("..")
            low, high = read_decimal(left, decimals=DIGITS), read_decimal(right, decimals=DIGITS)
            if low is None or high is None:
                raise not_a_number()
            if low > high:
                raise self._no("range_reversed", start, low=left.strip(), high=right.strip())
            return Number(*middle(low, high), weight=weight, feedback=words)
        left, colon, right = typed.partition(":")
        value, tolerance = read_decimal(left), read_decimal(right if colon else "0")
        if value is None or tolerance is None:
            raise not_a_number()
        if tolerance < 0:
            raise self._no("negative_tolerance", start, tolerance=right.strip())
        return Number(value, tolerance, weight, words)

    # ---- the pieces ----

    def _pieces(self, marks: str, *, warn: bool = True) -> list[tuple[str, int, int]]:
        """What stands after each mark, trimmed, with its mark; words before the first one are a piece with none."""
        offsets = self.block.split(self.start, self.end, marks)
        bounds = [*offsets, self.end]
        pieces = [
            (self.block.masked[mark], *self.block.trim(mark + 1, following)) for mark, following in pairwise(bounds)
        ]
        start, end = self.block.trim(self.start, bounds[0])
        if start == end:
            return pieces
        if pieces and warn:
            self._warn("text_before_first_mark", start, text=excerpt(self.block.words(start, end)))
        return [("", start, end), *pieces]

    def _parts(self, start: int, end: int, most: int) -> list[tuple[int, int]]:
        """Split at the first # signs into at most so many parts; a further # is a plain one."""
        bounds = [start, *self.block.split(start, end, "#")[: most - 1], end]
        return [(left + (place > 0), right) for place, (left, right) in enumerate(pairwise(bounds))]

    def _said(self, start: int, end: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """The answer, and the feedback behind its #."""
        answer, *feedback = self._parts(start, end, 2)
        return answer, feedback[0] if feedback else (end, end)

    def _weight(self, start: int, end: int) -> tuple[Fraction | None, int]:
        """The weight at the beginning, if there is one, and where the words go on."""
        found = WEIGHT.match(self.block.masked, start, end)
        if found is None:
            return None, start
        weight = read_weight(found[1])
        if abs(weight) > 1:
            raise self._no("weight_out_of_range", start, weight=found[1])
        return weight, found.end()

    def _text(self, span: tuple[int, int]) -> Text:
        return self.block.text(*span, self.format)

    # ---- what is wrong ----

    def _at_least(self, needed: int, found: int) -> None:
        if found < needed:
            raise self._no("too_few_answers", self.start, needed=needed, found=found)

    def _check_best(self, best: Fraction) -> None:
        if best <= 0:
            raise self._no("no_right_answer", self.start)
        if best != 1:
            self._warn("weights_do_not_add_up", self.start, total=write_weight(best))

    def _warn(self, problem: ProblemId, offset: int, **values: str | int) -> None:
        self.warnings.append(self.block.problem(problem, offset, **values))

    def _no(self, problem: ProblemId, offset: int, **values: str | int) -> Unreadable:
        return Unreadable(self.block.problem(problem, offset, **values))
