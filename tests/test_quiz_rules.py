"""What is each answer of 王芳 worth, and do all draw the same questions from the same seed?"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.quizzes import rules
from handlers.quizzes.gift import read
from handlers.quizzes.rules import Answer, Misfit, Question, Text, draw, fits, order, read_number, score, shuffle


def asked(gift: str) -> Question:
    """The one question of a GIFT text."""
    [question] = read(gift).questions
    return question


# ---- choices ----


@pytest.mark.parametrize(("choice", "won"), [(0, 0), (1, "1/2"), (2, 1), (3, 0), (None, 0)])
def test_a_single_choice_brings_the_weight_of_its_option(choice: int | None, won: str | int) -> None:
    question = asked("题{~甲 ~%50%乙 =丙 ~%-50%丁}")
    assert score(question, choice).fraction == Fraction(won)


@pytest.mark.parametrize(
    ("chosen", "won"),
    [
        ({0, 1}, 1),
        ({0}, "1/2"),
        ({0, 2}, 0),
        ({0, 1, 2}, "1/2"),
        ({0, 1, 2, 3}, 0),
        ({2, 3}, 0),  # never below zero
        (set(), 0),
    ],
)
def test_the_weights_of_all_that_was_ticked_are_added(chosen: set[int], won: str | int) -> None:
    question = asked("题{~%50%甲 ~%50%乙 ~%-50%丙 ~%-50%丁}")
    assert score(question, frozenset(chosen)).fraction == Fraction(won)


def test_three_thirds_are_one() -> None:
    question = asked("题{~%33.33333%甲 ~%33.33333%乙 ~%33.33333%丙 ~丁}")
    assert score(question, frozenset({0, 1, 2})).right
    assert score(question, frozenset({0, 2})).fraction == Fraction(2, 3)


def test_more_than_the_whole_mark_cannot_be_won() -> None:
    assert score(asked("题{~%75%甲 ~%75%乙}"), frozenset({0, 1})).fraction == 1


@pytest.mark.parametrize(
    ("correct", "answer", "won"), [("T", True, 1), ("T", False, 0), ("F", True, 0), ("F", False, 1)]
)
def test_true_or_false_is_all_or_nothing(correct: str, answer: bool, won: int) -> None:
    assert score(asked(f"题{{{correct}}}"), answer).fraction == won


# ---- short answers ----


@pytest.mark.parametrize(
    ("pattern", "typed", "fit"),
    [
        ("民主集中制", "民主集中制", True),
        ("民主集中制", " 民主集中制。", True),
        ("民主集中制", "民主 集中 制", True),
        ("民主集中制", "“民主集中制”！", True),
        ("民主集中制", "集中制", False),
        ("中国共产党章程", "《中国共产党章程》", True),
        ("《党章》", "党章", True),
        ("Frog", "frog", True),
        ("Frog", "ＦＲＯＧ", True),
        ("Frog", "F rog", False),
        ("red wine", "red   wine", True),
        ("甲，乙、丙", "甲,乙，丙", True),
        ("（一）", "(一)", True),
        ("24", "２４", True),
        ("3.5", "3．5", True),
        ("a-b", "a—b", True),
        ("?", "？", True),
        ("?", "!", False),
        ("“”", "“”", True),
        ("*", "什么都行", True),
        ("*主题党日*", "每月的主题党日活动", True),
        ("*主题党日*", "主题党日", True),
        ("*主题党日*", "党日", False),
        ("中国*党", "中国共产党。", True),
        ("中国*党", "中国党", True),
        ("中国*党", "中国", False),
        ("中国*党", "党中国", False),
        ("a*b*c", "a1b2c", True),
        ("a*b*c", "acb", False),
        ("a*a", "a", False),  # one letter is not both ends
        ("ab*ba", "aba", False),
        ("**a**", "bab", True),
        ("*.5", ".5", True),
        ("5.*", "5.", True),
        (r"\*", "*", True),
        (r"\*", "＊", True),
        (r"\*", "x", False),
        (r"2\*3*", "2*3=6", True),
        (r"2\*3*", "213", False),
        ("a.c", "abc", False),  # nothing but * is special
        ("[甲]", "甲", False),
    ],
)
def test_typed_words_fit_as_a_considerate_reader_would_say(pattern: str, typed: str, fit: bool) -> None:
    assert fits(pattern, typed) is fit


def test_case_counts_only_where_it_is_said_to() -> None:
    question = asked("题{=GB}")
    assert score(question, "gb").right
    assert not score(question, "gb", case_matters=True).right
    assert score(question, "ＧＢ", case_matters=True).right


def test_the_first_pattern_that_fits_decides() -> None:
    question = asked("题{=自行脱党 =%50%*脱党*#近了 =%0%*#不对}")
    assert score(question, "自行脱党").fraction == 1
    assert score(question, "脱党处理") == rules.Score(Fraction(1, 2), (Text("近了"),))
    assert score(question, "开除") == rules.Score(Fraction(0), (Text("不对"),))
    assert score(question, "  ") == rules.Score(Fraction(0))


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_words_upset_the_comparison(pattern: str, typed: str) -> None:
    assert isinstance(fits(pattern, typed), bool)


@given(st.text(st.characters(exclude_characters="*\\"), min_size=1, max_size=40))
def test_words_always_fit_themselves_and_the_wildcard(words: str) -> None:
    assert fits(words, words)
    assert fits("*", words)


def test_many_wildcards_cost_no_time() -> None:
    assert not fits("*a" * 500 + "*b", "a" * 5000)


# ---- figures ----


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("12", "12"), ("１２", "12"), (" 12 ", "12"),
        ("- 12 %", "-12"), ("012", "12"), ("1,000", "1000"), ("1，000", "1000"),
        ("１，０００．５", "1000.5"), ("-3.5", "-3.5"), ("－3。5", "-3.5"),
        ("负三", "-3"), ("+7", "7"), (".5", "0.5"), ("5.", "5"),
        ("50%", "50"), ("５０％", "50"), ("零", "0"), ("五", "5"),
        ("两", "2"), ("十", "10"), ("十二", "12"), ("二十", "20"),
        ("二十四", "24"), ("一百零五", "105"), ("三百二十一", "321"),
        ("一千零一十五", "1015"), ("两千", "2000"), ("五千", "5000"),
        ("一万", "10000"), ("十二万", "120000"),
        ("一万二千", "12000"), ("二〇二六", "2026"), ("二零二六", "2026"),
    ],
)  # fmt: skip
def test_figures_are_read_as_people_type_them(typed: str, number: str) -> None:
    assert read_number(typed) == Decimal(number)


@pytest.mark.parametrize(
    "typed",
    ["", " ", ".", "-", "%", "负", "五年", "5年", "1,00", "1,0000", "3,14", "1.2.3", "1 2", "--5", "1e5", "0x10",
     "三百五", "一万五", "万", "百", "五五十", "二十三十", "十百", "一万万", "½", "9" * 17, "九" * 16, "1" * 100],
)  # fmt: skip
def test_what_is_no_figure_or_may_be_two_is_not_guessed(typed: str) -> None:
    assert read_number(typed) is None


@given(st.text(max_size=70) | st.text("零一二三四五六七八九十百千万两〇负-+.,%0123456789", max_size=20))
def test_nothing_typed_upsets_the_reader_of_figures(typed: str) -> None:
    number = read_number(typed)
    assert number is None or number.is_finite()


@given(st.integers(0, 99_999_999))
def test_a_numeral_written_in_full_is_read(value: int) -> None:
    assert read_number(spelled(value)) == value


def spelled(value: int) -> str:
    """The numeral as it is written out in full: 100203 is 一十万零二百零三."""
    if value >= 10_000:
        rest = value % 10_000
        gap = "零" if 0 < rest < 1000 else ""
        return spelled(value // 10_000) + "万" + (gap + spelled(rest) if rest else "")
    digits, said = str(value), ""
    for place, digit in enumerate(digits):
        unit = ["", "十", "百", "千"][len(digits) - place - 1]
        said += "零一二三四五六七八九"[int(digit)] + (unit if digit != "0" else "")
    while "零零" in said:
        said = said.replace("零零", "零")
    return said if said == "零" else said.rstrip("零")


@pytest.mark.parametrize(
    ("typed", "won"),
    [
        ("2008", 1), ("２００８", 1), ("二〇〇八", 1),
        ("2008.0", 1), ("2009", "1/2"), ("2010", "1/2"), ("2006", "1/2"),
        ("2010.0000000000001", 0), ("2011", 0), ("两千零八", 1), ("去年", 0), ("", 0),
    ],
)  # fmt: skip
def test_a_figure_within_the_margin_counts(typed: str, won: str | int) -> None:
    question = asked("何年？{#=2008:0 =%50%2008:2}")
    assert score(question, typed).fraction == Fraction(won)


@pytest.mark.parametrize(
    ("typed", "right"), [("3.141", True), ("3.142", True), ("3.1409999999", False), ("3.1420000001", False)]
)
def test_both_ends_of_a_range_belong_to_it(typed: str, right: bool) -> None:
    assert score(asked("圆周率{#3.141..3.142}"), typed).right is right


def test_what_is_said_to_any_other_number_is_said_to_numbers_only() -> None:
    question = asked("几天？{#5~#请再看看}")
    assert score(question, "6").feedback == (Text("请再看看"),)
    assert score(question, "五天左右").feedback == ()
    assert score(question, "五").right


# ---- matching ----

PAIRS = "任期{=委员会 -> 五年 =总支 -> 三年 =支部 -> 三年 = -> 两年}"


@pytest.mark.parametrize(
    ("places", "won"),
    [
        ((0, 1, 1), 1),
        ((0, 1, None), "2/3"),
        ((0, 2, 2), "1/3"),
        ((None, None, None), 0),
        ((1, 0, 0), 0),
    ],
)
def test_each_pair_brings_its_share(places: tuple[int | None, ...], won: str | int) -> None:
    question = asked(PAIRS)
    assert isinstance(question, rules.Matching)
    assert question.choices == ("五年", "三年", "两年")
    assert [pair.stem.text for pair in question.stems] == ["委员会", "总支", "支部"]
    assert score(question, places).fraction == Fraction(won)


# ---- what belongs to no kind ----


@pytest.mark.parametrize("gift", ["谈体会{}", "说明"])
def test_free_words_are_for_a_person_to_read(gift: str) -> None:
    question = asked(gift)
    assert not rules.gradable(question)
    assert score(question, "写了很多").fraction is None
    assert not score(question, "写了很多").right
    assert rules.solution(question) is None


@pytest.mark.parametrize(
    ("gift", "answer"),
    [
        ("题{=甲 ~乙}", 2),
        ("题{=甲 ~乙}", -1),
        ("题{=甲 ~乙}", True),
        ("题{=甲 ~乙}", "甲"),
        ("题{~%100%甲 ~乙}", frozenset({2})),
        ("题{~%100%甲 ~乙}", 0),
        ("题{T}", 1),
        ("题{=甲}", 0),
        ("题{#5}", 5),
        (PAIRS, (0, 1)),
        (PAIRS, (0, 1, 3)),
        (PAIRS, "0,1,1"),
    ],
)
def test_an_answer_of_another_kind_is_a_mistake_of_the_caller(gift: str, answer: Answer) -> None:
    with pytest.raises(Misfit):
        score(asked(gift), answer)


def test_feedback_belongs_to_what_was_answered() -> None:
    choice = asked("题{~%50%甲#一 ~%50%乙 ~%-50%丙#三}")
    assert score(choice, frozenset({2, 0})).feedback == (Text("一"), Text("三"))
    truth = asked("题{F#选了对#选了错}")
    assert score(truth, True).feedback == (Text("选了对"),)
    assert score(truth, False).feedback == (Text("选了错"),)


# ---- order ----


@pytest.mark.parametrize(
    ("seed", "count", "places"),
    [
        ("王芳", 5, (2, 0, 1, 4, 3)),
        ("2026-11-24/甲", 10, (7, 4, 5, 6, 3, 1, 8, 9, 2, 0)),
        ("", 3, (2, 0, 1)),
        ("seed", 1, (0,)),
        ("seed", 0, ()),
    ],
)
def test_a_seed_always_means_the_same_order(seed: str, count: int, places: tuple[int, ...]) -> None:
    """Worked out by another program in another language: an examination of today must be explained in years."""
    assert order(count, seed) == places


@given(st.integers(0, 60), st.text(max_size=20))
def test_an_order_has_every_place_once(count: int, seed: str) -> None:
    assert sorted(order(count, seed)) == list(range(count))


def test_every_order_is_about_as_likely_as_another() -> None:
    seen = Counter(order(4, f"种子{number}") for number in range(2400))
    assert len(seen) == 24
    assert 60 < min(seen.values()) <= max(seen.values()) < 145  # 100 expected; four standard deviations


def test_no_question_is_drawn_twice_and_another_seed_draws_others() -> None:
    bank = [f"题{number}" for number in range(80)]
    paper = draw(bank, 20, "2026-11/王芳")
    assert len(set(paper)) == 20
    assert paper == draw(bank, 20, "2026-11/王芳") == shuffle(bank, "2026-11/王芳")[:20]
    assert paper != draw(bank, 20, "2026-11/李书记")
    assert sorted(draw(bank, 80, "全部")) == sorted(bank)
    assert draw(bank, 0, "无") == ()


@pytest.mark.parametrize("count", [-1, 4])
def test_more_questions_than_there_are_cannot_be_drawn(count: int) -> None:
    with pytest.raises(ValueError, match="cannot draw"):
        draw(["甲", "乙", "丙"], count, "种子")
