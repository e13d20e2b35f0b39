"""Does each construct of GIFT read as a person says it should?

The files in data/gift come in twos: what is written, and what it means, set down by hand. In the JSON a text is
plain (moodle) or {format: words}, a weight is a percentage, and what is absent is empty.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

import pytest

from handlers.quizzes import rules
from handlers.quizzes.gift import Reading, read
from handlers.quizzes.gift_problems import VALUES
from handlers.quizzes.gift_writing import write
from handlers.quizzes.rules import Number, Option, Pair, Pattern, Question, Text

DATA = Path(__file__).parent / "data" / "gift"
NAMES = sorted(path.stem for path in DATA.glob("*.gift"))
KINDS = {
    "single": rules.SingleChoice,
    "multiple": rules.MultipleChoice,
    "true_false": rules.TrueFalse,
    "short": rules.ShortAnswer,
    "numerical": rules.Numerical,
    "matching": rules.Matching,
    "essay": rules.Essay,
    "description": rules.Description,
}


def reading(name: str) -> Reading:
    return read((DATA / f"{name}.gift").read_bytes())


def expected(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


def text(said: str | Mapping[rules.Format, str]) -> Text:
    if isinstance(said, str):
        return Text(said)
    [(form, words)] = said.items()
    return Text(words, form)


def meant(item: Mapping[str, Any]) -> Question:
    """The question that an entry of the JSON describes."""
    known = {"line", "kind", "text", "title", "general", "category", "id", "tags"}
    head = {
        "text": text(item["text"]),
        "title": item.get("title", ""),
        "general": text(item.get("general", "")),
        "category": item.get("category", ""),
        "idnumber": item.get("id", ""),
        "tags": tuple(item.get("tags", ())),
    }
    own: dict[str, Any] = {}
    for key in item.keys() - known:
        said = item[key]
        if key == "options":
            own[key] = tuple(Option(text(t), Fraction(w) / 100, text((*f, "")[0])) for w, t, *f in said)
        elif key == "patterns":
            own[key] = tuple(Pattern(t, Fraction(w) / 100, text((*f, "")[0])) for w, t, *f in said)
        elif key == "numbers":
            own[key] = tuple(
                Number(None if v == "*" else Decimal(v), Decimal(t), Fraction(w) / 100, text((*f, "")[0]))
                for w, v, t, *f in said
            )
        elif key == "pairs":
            own[key] = tuple(Pair(text(stem), answer) for stem, answer in said)
        elif key == "answer":
            own["correct"] = said
        else:
            own[key] = text(said)
    question: Question = KINDS[item["kind"]](**head, **own)
    return question


@pytest.mark.parametrize("name", NAMES)
def test_every_item_reads_as_it_is_meant(name: str) -> None:
    found, wanted = reading(name), expected(name)
    for question, item in zip(found.questions, wanted["questions"], strict=True):
        assert question == meant(item)
        assert question.line == item.get("line", question.line)


@pytest.mark.parametrize("name", NAMES)
def test_every_mistake_is_named_with_its_place(name: str) -> None:
    found = [[each.id, each.line, each.column, dict(each.values)] for each in reading(name).problems]
    assert found == expected(name)["problems"]


@pytest.mark.parametrize("name", NAMES)
def test_every_item_survives_being_written(name: str) -> None:
    questions = reading(name).questions
    assert read(write(questions)).questions == questions


def test_there_are_enough_items_of_every_kind() -> None:
    kinds = [item["kind"] for name in NAMES for item in expected(name)["questions"]]
    mistakes = [problem[0] for name in NAMES for problem in expected(name)["problems"]]
    assert len(kinds) >= 120
    assert {kind: kinds.count(kind) >= 5 for kind in KINDS} == dict.fromkeys(KINDS, True)
    assert set(KINDS.values()) == set(get_args(Question))
    assert set(VALUES) - set(mistakes) == {"not_text", "nothing_in_file"}  # those two are in test_gift.py
