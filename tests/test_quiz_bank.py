"""Can every question of the starter bank be asked, answered and looked up?"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from handlers.quizzes import rules
from handlers.quizzes.gift import category_path, read
from handlers.quizzes.gift_writing import write

FILE = Path(rules.__file__).with_name("bank.gift")
CONTENT = FILE.read_text(encoding="utf-8")
READING = read(FILE.read_bytes())
BANK = READING.questions

SOURCE = re.compile(r"依据：《(?P<title>[^》]+)》(?P<article>.*)")
NUMERAL = "[一二三四五六七八九十百]+"
ARTICLE = re.compile(f"第{NUMERAL}条(、第{NUMERAL}条)*")
WITHOUT_ARTICLES = {
    "关于进一步规范党费工作的通知": re.compile(rf"{NUMERAL}（\d）"),
    "关于党的基层组织任期的意见": re.compile(""),
}


def source(question: rules.Question) -> re.Match[str]:
    found = SOURCE.fullmatch(question.general.text)
    assert found is not None, question.title
    return found


def test_the_bank_loads_without_a_single_problem() -> None:
    assert READING.problems == ()
    assert len(BANK) >= 80
    assert read(write(BANK)).questions == BANK


def test_every_kind_that_a_program_can_mark_is_there() -> None:
    kinds = Counter(type(question) for question in BANK)
    marked = (
        rules.SingleChoice, rules.MultipleChoice, rules.TrueFalse, rules.Numerical, rules.Matching, rules.ShortAnswer
    )  # fmt: skip
    assert kinds.keys() == set(marked)
    assert min(kinds.values()) >= 5


def test_every_question_names_its_article() -> None:
    for question in BANK:
        found = source(question)
        wanted = WITHOUT_ARTICLES.get(found["title"], ARTICLE)
        assert wanted.fullmatch(found["article"]), question.title


def test_every_text_that_is_cited_is_named_with_its_version_above() -> None:
    named = set(re.findall(r"^// 版本：《([^》]+)》，.*\d{4}[年〕]", CONTENT, re.MULTILINE))
    assert {source(question)["title"] for question in BANK} == named


@pytest.mark.parametrize("question", BANK, ids=lambda question: question.idnumber)
def test_the_right_answer_can_be_given_and_nothing_given_wins_nothing(question: rules.Question) -> None:
    best = rules.score(question, rules.solution(question))
    assert best.right
    assert rules.score(question, None).fraction == 0


def test_only_one_option_of_a_single_choice_is_right() -> None:
    for question in BANK:
        if isinstance(question, rules.SingleChoice):
            assert sorted(option.weight for option in question.options) == [0] * (len(question.options) - 1) + [1]


def test_ticking_everything_does_not_win_a_multiple_choice() -> None:
    for question in BANK:
        if isinstance(question, rules.MultipleChoice):
            everything = rules.score(question, frozenset(range(len(question.options))))
            assert everything.fraction is not None
            assert everything.fraction < 1, question.title


def test_no_wildcard_takes_a_wrong_answer_for_a_right_one() -> None:
    for question in BANK:
        if isinstance(question, rules.ShortAnswer):
            assert not rules.score(question, "不知道").right, question.title


def test_a_question_that_wants_figures_says_so() -> None:
    assert [
        question.title
        for question in BANK
        if isinstance(question, rules.Numerical) != question.text.text.endswith("（请只填数字）")
    ] == []


def test_true_is_not_always_the_answer() -> None:
    said = Counter(question.correct for question in BANK if isinstance(question, rules.TrueFalse))
    assert min(said[True], said[False]) >= 4


def test_no_question_is_asked_twice() -> None:
    for field in ("idnumber", "title"):
        assert [name for name, times in Counter(getattr(each, field) for each in BANK).items() if times > 1] == []
    letters = Counter(re.sub(r"\W", "", question.text.text) for question in BANK)
    assert [text for text, times in letters.items() if times > 1] == []


def test_options_stay_true_when_they_are_shuffled() -> None:
    """“以上都对” is nonsense in another order."""
    for question in BANK:
        if isinstance(question, rules.SingleChoice | rules.MultipleChoice):
            words = [option.text.text for option in question.options]
            assert len(set(words)) == len(words)
            assert not any(re.search("以上[都各三几]|上述|前两|[ABCD]和", each) for each in words), question.title


def test_no_question_leans_on_another() -> None:
    """“上题里” means nothing in an order that is drawn."""
    told = [each.text.text + each.general.text for each in BANK]
    assert [text for text in told if re.search("[上前下]一?[道]?题|[上前]述|同上|^同一", text)] == []


def test_every_question_has_a_subject_and_texts_that_fit_a_button() -> None:
    assert {category_path(question.category)[0] for question in BANK} == {"党务知识"}
    assert all(len(category_path(question.category)) == 2 for question in BANK)
    assert [question.title for question in BANK if not question.title or len(question.title) > 20] == []
    longest = max(
        len(option.text.text)
        for question in BANK
        if isinstance(question, rules.SingleChoice | rules.MultipleChoice)
        for option in question.options
    )
    assert longest <= 32
