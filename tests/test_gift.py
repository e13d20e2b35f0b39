"""Does a file of questions load whatever wrote it, and does what we write look like Moodle's?"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from handlers.quizzes.gift import category_path, read
from handlers.quizzes.gift_problems import LONGEST_EXCERPT, Problem
from handlers.quizzes.gift_writing import write, write_question
from handlers.quizzes.rules import (
    Description,
    Essay,
    Matching,
    MultipleChoice,
    Number,
    Numerical,
    Option,
    Pair,
    Pattern,
    ShortAnswer,
    SingleChoice,
    Text,
    TrueFalse,
)

TWO = "::党费::何时起交？{\n=通过之日 ~审批之日}\n\n预备党员要交党费。{T}\n"
WHOLE = Fraction(1)
HALF = Fraction(1, 2)
NONE = Fraction(0)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_a_file_loads_from_any_editor(encoding: str, ending: str) -> None:
    reading = read(TWO.replace("\n", ending).encode(encoding))
    assert reading == read(TWO)
    assert [question.line for question in reading.questions] == [1, 4]
    assert reading.problems == ()


def test_files_that_were_joined_keep_no_byte_order_mark() -> None:
    assert read("\ufeff甲{T}\n\n\ufeff乙{F}").questions == read("甲{T}\n\n乙{F}").questions


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\x00\x00", b"\xff\xfe\x00", b"\x80\xff{T}"])
def test_a_picture_is_no_file_of_questions(content: bytes) -> None:
    assert read(content).problems == (Problem("not_text", 1),)


@pytest.mark.parametrize("content", ["", " \n\n", "// 只有注释", "$CATEGORY: 空", "\ufeff"])
def test_a_file_without_questions_says_so(content: str) -> None:
    assert read(content).problems == (Problem("nothing_in_file", 1),)
    assert read(content).problems[0].kept is False


def test_lines_are_separated_by_any_blank_line_also_one_with_an_ideographic_space() -> None:
    assert len(read("甲{T}\n\u3000\n乙{F}\n \t \n丙{T}").questions) == 3


def test_a_file_needs_no_line_break_at_its_end() -> None:
    assert len(read("甲{T}\n\n乙{F}").questions) == 2


def test_good_questions_are_kept_and_all_mistakes_are_told_at_once() -> None:
    reading = read("甲{T}\n\n乙{=一 ~\n\n丙{F}\n\n丁{#五}\n\n戊{~甲 ~%50%乙}")
    assert [question.text.text for question in reading.questions] == ["甲", "丙", "戊"]
    assert [problem.id for problem in reading.problems] == [
        "brace_not_closed",
        "not_a_number",
        "weights_do_not_add_up",
    ]
    assert [problem.id for problem in reading.left_out] == ["brace_not_closed", "not_a_number"]


def test_an_empty_line_inside_braces_is_one_mistake_not_two() -> None:
    reading = read("甲{\n=一\n\n~二\n\n~三\n}\n\n乙{T}")
    assert reading.problems == (Problem("blank_line_inside", 3, None, {"opened": 1}),)
    assert len(reading.questions) == 1


def test_a_brace_that_is_missing_does_not_swallow_the_next_question() -> None:
    reading = read("甲{=一 ~二\n\n::题::乙 }\n\n丙{T}")
    assert [problem.id for problem in reading.problems] == ["brace_not_closed", "brace_not_opened"]
    assert len(reading.questions) == 1


def test_a_place_is_counted_in_the_file_past_comments() -> None:
    [problem] = read("// 注释\n\n// 注释\n甲\n// 注释\n  乙{=丙 ~%500%丁}").problems
    assert (problem.line, problem.column) == (6, 9)


def test_a_long_text_is_shown_by_its_beginning() -> None:
    [problem] = read("甲{#" + "很长" * 100 + "}").problems
    assert len(str(problem.values["text"])) == LONGEST_EXCERPT


def test_the_line_of_a_question_is_no_part_of_it() -> None:
    assert read("\n\n甲{T}").questions == read("甲{T}").questions


@pytest.mark.parametrize(
    ("category", "path"),
    [
        ("党务/党费", ("党务", "党费")),
        ("$course$/top/党务/党费", ("党务", "党费")),
        ("$system$/党务", ("党务",)),
        ("top/党务", ("党务",)),
        ("top", ("top",)),
        ("组织//生活/会", ("组织/生活", "会")),
        ("a // b / c", ("a / b", "c")),
        ("", ()),
    ],
)
def test_a_category_is_a_path_of_names(category: str, path: tuple[str, ...]) -> None:
    assert category_path(category) == path


# ---- what Moodle would write: tabs, a weight for each short answer, TRUE and FALSE ----


def test_a_choice_is_written_as_moodle_does() -> None:
    question = SingleChoice(
        title="起交",
        text=Text("<p>何时\n起交？</p>", "html"),
        options=(
            Option(Text("通过之日", "html"), WHOLE, Text("对", "html")),
            Option(Text("a=b"), NONE),
            Option(Text("审批之日", "html"), HALF),
        ),
        general=Text("第八条", "plain"),
        idnumber="q]1",
        tags=("党费", "基础"),
    )
    assert write_question(question) == (
        "// [id:q\\]1] [tag:党费] [tag:基础]\n"
        "::起交::[html]<p>何时\\n起交？</p>{\n"
        "\t=通过之日#对\n"
        "\t~[moodle]a\\=b\n"
        "\t~%50%审批之日\n"
        "\t####[plain]第八条\n"
        "}\n"
    )


def test_several_right_options_carry_their_weights() -> None:
    options = tuple(Option(Text(name), weight) for name, weight in {"甲": Fraction(1, 3), "乙": -WHOLE}.items())
    assert write_question(MultipleChoice(text=Text("题"), options=options)) == (
        "题{\n\t~%33.33333%甲\n\t~%-100%乙\n}\n"
    )


@pytest.mark.parametrize(
    ("correct", "if_true", "if_false", "written"),
    [
        (True, "", "", "题{TRUE}\n"),
        (False, "", "", "题{FALSE}\n"),
        (True, "对", "", "题{TRUE##对}\n"),
        (True, "", "错", "题{TRUE#错}\n"),
        (True, "对", "错", "题{TRUE#错#对}\n"),
        (False, "错", "对", "题{FALSE#错#对}\n"),
    ],
)
def test_true_and_false_are_written_wrong_feedback_first(
    correct: bool, if_true: str, if_false: str, written: str
) -> None:
    question = TrueFalse(text=Text("题"), correct=correct, if_true=Text(if_true), if_false=Text(if_false))
    assert write_question(question) == written


def test_the_other_kinds_are_written_as_moodle_does() -> None:
    short = ShortAnswer(text=Text("题"), patterns=(Pattern("\\*甲*"), Pattern("乙", HALF, Text("近"))))
    assert write_question(short) == "题{\n\t=%100%\\\\*甲*#\n\t=%50%乙#近\n}\n"
    otherwise = Number(None, Decimal(0), NONE, Text("不对"))
    number = Numerical(text=Text("题"), numbers=(otherwise, Number(Decimal("3.50"), Decimal("1e-3"))))
    assert write_question(number) == "题{#\n\t=%100%3.5:0.001#\n\t~#不对\n}\n"
    pairs = (Pair(Text("甲"), "1"), Pair(Text(""), "2"))
    assert write_question(Matching(text=Text("题"), pairs=pairs)) == "题{\n\t=甲 -> 1\n\t= -> 2\n}\n"
    assert write_question(Essay(text=Text("题"), general=Text("评"))) == "题{####评}\n"
    assert write_question(Description(text=Text("{说明}"), title="a:b")) == "::a\\:b::\\{说明\\}\n"


def test_a_category_is_written_where_it_changes() -> None:
    questions = read("$CATEGORY: 甲\n\n一{T}\n\n二{F}\n\n$CATEGORY: 乙/丙\n\n三{T}").questions
    assert write(questions) == ("$CATEGORY: 甲\n\n一{TRUE}\n\n二{FALSE}\n\n$CATEGORY: 乙/丙\n\n三{TRUE}\n\n")


@pytest.mark.parametrize("words", ["[html]标签", "%50%起", "// 两杠"])
def test_words_that_look_like_a_mark_are_saved_by_their_format(words: str) -> None:
    question = SingleChoice(text=Text(words), options=(Option(Text(words), WHOLE), Option(Text("乙"), NONE)))
    assert read(write([question])).questions == (question,)


def test_what_gift_cannot_say_is_refused_not_changed() -> None:
    with pytest.raises(ValueError, match="arrow in the stem"):
        write_question(Matching(text=Text("题"), pairs=(Pair(Text("甲->乙"), "1"), Pair(Text("丙"), "2"))))
    with pytest.raises(ValueError, match="several short answers"):
        write_question(ShortAnswer(text=Text("题"), patterns=(Pattern("甲->乙"), Pattern("丙"))))
