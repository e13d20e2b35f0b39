"""Does a question survive being written and read again, and can any text at all upset the reader?"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import get_args

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from handlers.quizzes import rules
from handlers.quizzes.gift import read
from handlers.quizzes.gift_answers import Head
from handlers.quizzes.gift_numbers import read_decimal, read_weight, write_decimal, write_weight
from handlers.quizzes.gift_problems import VALUES, WARNINGS, ProblemId
from handlers.quizzes.gift_writing import write
from handlers.quizzes.rules import Number, Option, Pair, Pattern, Text

slow = settings(deadline=None, max_examples=300)

# ---- what 王芳 might paste: marks of the format, blank lines and Chinese, in any order ----

SCRAPS = (
    "::", "{", "}", "=", "~", "#", "####", "->", "//", "\n", "\n\n", "\r\n", "\\", "\\n", "\\\\", "\\=", "\\{", "\\}",
    "\\#", "\\:", "\\~", "%50%", "%-100%", "%33.333%", "%100%", "%", "[html]", "[plain]", "[x]", "T", "FALSE",
    "#1..5", "#3:2", "*", "$CATEGORY: 党务/党费", "$CATEGORY:", "// [id:a] [tag:b\\]c]", "// [tag:\\] x", "\ufeff",
    "\0", "\u2028", "\t", "\u3000", " ", "支部", "半数以上", "答案 a", "1822", "_____", "｛", "｝", ".",
    ":", "e9", "１２",
)  # fmt: skip
heaps = st.lists(st.sampled_from(SCRAPS) | st.text(max_size=3), max_size=40).map("".join)


def shaped(answers: str) -> st.SearchStrategy[str]:
    """A question that is nearly right, so that the search reaches the rooms behind the door."""
    piece = st.lists(st.sampled_from(SCRAPS), max_size=4).map("".join)
    bodies = st.lists(st.tuples(st.sampled_from(answers.split()), piece), max_size=5).map(
        lambda pieces: " ".join(mark + words for mark, words in pieces)
    )
    return st.builds("{}支部{}{{{}}}{}".format, st.sampled_from(["", "::题::", "// [tag:x]\n"]), piece, bodies, piece)


pastes = st.lists(
    heaps
    | shaped("~ = ~%50% =%25% ####")
    | shaped("~%50%a ~b ~%50%")
    | shaped("#1 = =%50%2:1 ~#")
    | shaped("=a->b =c->")
    | shaped("T #"),
    max_size=4,
).map("\n\n".join)


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")) | pastes)
@slow
def test_no_text_upsets_the_reader(content: str) -> None:
    reading = read(content)
    lines = content.replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1
    assert reading.questions or reading.problems or not content.strip()
    for problem in reading.problems:
        assert 1 <= problem.line <= lines
        assert problem.column is None or problem.column >= 1
        assert set(problem.values) == set(VALUES[problem.id])


@given(st.binary(max_size=400))
@slow
def test_no_bytes_upset_the_reader(content: bytes) -> None:
    assert read(content).problems is not None


@given(pastes)
@example("{%100%a->b}支部")  # a short answer with an arrow is one only without its =
@example("支部{~%100%a =b}")  # two right options: one must keep its ~
@example("支部{~%0%%50%a =b}")  # words that look like a weight
@example("支部{#1.000000000000001..2}")  # the middle has one decimal more than its ends
@example("$CATEGORY: 党务/党费\0\u2028一\n\n支部{T}")  # whatever stands in a category stays
@slow
def test_what_was_read_and_written_reads_as_the_same(content: str) -> None:
    first = read(content)
    again = read(write(first.questions))
    assert again.questions == first.questions
    assert again.left_out == () or not first.questions
    assert write(again.questions) == write(first.questions)


# ---- questions that were made, not read ----

clean = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufeff") | st.sampled_from("=~#{}:\\[]%/*-\n"),
    max_size=12,
).map(str.strip)
words = clean.filter(bool)
formats = st.sampled_from(get_args(rules.Format))
texts = st.builds(Text, words, formats)
maybe = st.just(rules.NOTHING) | texts
shares = st.sampled_from(
    [Fraction(1, 3), Fraction(2, 3), Fraction(1, 7), Fraction(1, 2), Fraction(0), Fraction(-1, 4)]
)
figures = st.decimals(-(10**9), 10**9, places=6)
right = Fraction(1)

heads: st.SearchStrategy[Head] = st.builds(
    Head,
    text=texts.filter(lambda text: text.text != "_____"),
    title=clean.map(lambda title: " ".join(title.split())),
    general=maybe,
    category=clean.map(lambda path: " ".join(path.split())),
    idnumber=clean.map(lambda token: " ".join(token.split())),
    tags=st.lists(st.sampled_from(["党费", "a]b", "end\\", "[x"]), max_size=3).map(tuple),
    line=st.just(0),
)
options = st.builds(Option, texts, shares, maybe)
patterns = st.builds(Pattern, words.filter(lambda each: "->" not in each), shares, maybe)
numbers = st.builds(Number, figures, figures.map(abs), shares, maybe)
pairs = st.builds(Pair, maybe.filter(lambda stem: "->" not in stem.text), words)


@st.composite
def questions(pick: st.DrawFn) -> rules.Question:
    head = pick(heads)
    kind = pick(st.sampled_from(get_args(rules.Question)))
    if kind is rules.SingleChoice:
        best = pick(st.builds(Option, texts, st.just(right), maybe))
        return rules.SingleChoice(**head, options=(*pick(st.lists(options, min_size=1, max_size=4)), best))
    if kind is rules.MultipleChoice:
        best = pick(st.builds(Option, texts, st.sampled_from([right, Fraction(1, 2)]), maybe))
        return rules.MultipleChoice(**head, options=(best, *pick(st.lists(options, min_size=1, max_size=4))))
    if kind is rules.TrueFalse:
        return rules.TrueFalse(**head, correct=pick(st.booleans()), if_true=pick(maybe), if_false=pick(maybe))
    if kind is rules.ShortAnswer:
        first = pick(patterns)
        further = pick(
            st.lists(patterns, max_size=3).filter(lambda all_: all("->" not in p.feedback.text for p in all_))
        )
        if "->" in first.feedback.text:
            further = []
        return rules.ShortAnswer(**head, patterns=(replace(first, weight=right), *further))
    if kind is rules.Numerical:
        otherwise = pick(st.just([]) | st.builds(lambda said: [Number(None, Decimal(0), Fraction(0), said)], maybe))
        number = replace(pick(numbers), weight=right)
        return rules.Numerical(**head, numbers=(number, *pick(st.lists(numbers)), *otherwise))
    if kind is rules.Matching:
        pair = Pair(pick(pairs.filter(lambda pair: pair.stem != rules.NOTHING)).stem, pick(words))
        return rules.Matching(**head, pairs=(pair, *pick(st.lists(pairs, min_size=1, max_size=4))))
    if kind is rules.Description:
        return replace(rules.Description(**head), general=rules.NOTHING)
    return rules.Essay(**head)


@given(st.lists(questions(), min_size=1, max_size=3))
@slow
def test_what_was_made_and_written_reads_as_the_same(made: list[rules.Question]) -> None:
    reading = read(write(made))
    assert reading.left_out == ()
    assert reading.questions == tuple(made)


@given(st.integers(-100 * 10**6, 100 * 10**6))
@slow
def test_a_weight_survives(millionths: int) -> None:
    weight = Fraction(millionths, 100 * 10**6)
    assert read_weight(write_weight(weight)) == weight


@pytest.mark.parametrize("whole", [*range(1, 8), 9, 11, 12])
def test_a_simple_share_is_written_as_moodle_does_and_read_exactly(whole: int) -> None:
    for part in range(-whole, whole + 1):
        share = Fraction(part, whole)
        assert read_weight(write_weight(share)) == share
        assert abs(Fraction(write_weight(share)) - share * 100) < Fraction(1, 10**5)


@given(st.decimals(-(10**14), 10**14, places=16))
@slow
def test_a_number_survives(number: Decimal) -> None:
    assert read_decimal(write_decimal(number)) == number


def test_every_problem_has_its_values_and_every_warning_is_a_problem() -> None:
    assert set(VALUES) == set(get_args(ProblemId))
    assert set(VALUES) > WARNINGS
