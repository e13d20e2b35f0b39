"""Does the judge of case files agree only with what is right, whatever the file holds?"""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.casebook import CaseFileError, Disagreement, Fields, Malformed, agrees, judge, read_cases, whole
from handlers.dues.cases import kinds
from handlers.dues.tables import dues_table

DUES = kinds(dues_table(date(2026, 11, 24)))


def double(given: Fields) -> Fields:
    return {"twice": whole(given, "number") * 2}


def test_only_the_fields_a_case_names_are_judged_and_other_kinds_are_counted_by_name() -> None:
    cases = [
        {"id": "a", "kind": "double", "input": {"number": 2}, "expect": {"twice": 4}},
        {"id": "b", "kind": "double", "input": {"number": 2}, "expect": {"twice": 5, "thrice": 6}},
        {"id": "c", "kind": "halve"},
        {"id": "d", "kind": "halve"},
    ]
    verdict = judge(cases, {"double": double})
    assert verdict.agreeing == 1
    assert verdict.not_judged == Counter(halve=2)
    assert verdict.disagreeing == (
        Disagreement("b", "double", "twice", 5, 4),
        Disagreement("b", "double", "thrice", 6, "(nothing)"),
    )


@pytest.mark.parametrize(
    ("case", "name", "field"),
    [
        (3, "#1", "case"),
        (None, "#1", "case"),
        ({}, "#1", "kind"),
        ({"id": "x", "kind": ["wage"]}, "x", "kind"),
        ({"id": "x", "kind": "wage"}, "x", "input"),
        ({"id": 7, "kind": "wage", "input": {"base": "1"}, "expect": {}}, "#1", "expect"),
        ({"id": "x", "kind": "wage", "input": {}, "expect": {"due": "1"}}, "x", "input.base"),
        ({"id": "x", "kind": "wage", "input": {"base": 3000.5}, "expect": {"due": "1"}}, "x", "input.base"),
        (
            {
                "id": "x",
                "kind": "quarter_average",
                "input": {"previous_quarter": ["1"]},
                "expect": {"due": "1"},
            },
            "x",
            "input.previous_quarter",
        ),
        (
            {"id": "x", "kind": "composition", "input": {"items": [3]}, "expect": {"due": "1"}},
            "x",
            "input.items",
        ),
    ],
)
def test_a_case_of_the_wrong_shape_disagrees_and_says_where(case: object, name: str, field: str) -> None:
    verdict = judge([case], DUES)
    assert [(each.id, each.field) for each in verdict.disagreeing] == [(name, field)]
    assert verdict.agreeing == 0


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
names = st.sampled_from(
    ["base", "previous_quarter", "items", "category", "chosen", "unit", "month", "closed_until", "code",
     "amount", "received_this_month", "personal_contributions", "income_tax_on_counted"]
)  # fmt: skip
likely = st.sampled_from(["3000", "-1", "", "farmer", "wage", "2026-03", "basic_wage"]) | json_values
inputs = st.dictionaries(names, likely | st.lists(st.dictionaries(names, likely), max_size=2), max_size=6)


@settings(deadline=None, max_examples=300)
@given(
    st.lists(
        json_values
        | st.fixed_dictionaries(
            {"kind": st.sampled_from([*DUES, "other"]), "input": inputs | json_values, "expect": json_values}
        )
        | st.fixed_dictionaries(
            {"kind": st.sampled_from(list(DUES)), "input": inputs, "expect": st.just({"due": "0.20"})}
        ),
        max_size=4,
    )
)
def test_no_file_however_odd_makes_the_judge_stumble(cases: list[object]) -> None:
    verdict = judge(cases, DUES)
    disagreeing = {each.id for each in verdict.disagreeing}
    assert verdict.agreeing + len(disagreeing) + verdict.not_judged.total() == len(cases)


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        ("81.00", "81.0"), ("5", "5"), ("-0.50", "-0.5"), (None, None), (True, True), (3, 3),
        (["a", "b"], ["b", "a"]), ([], ()), (["a"], {"a"}),
        ({"P": ["1.0"]}, {"P": ["1.00"]}), ([["a"], 1], [1, ["a"]]),
    ],
)  # fmt: skip
def test_the_same_said_differently_agrees(expected: object, got: object) -> None:
    assert agrees(expected, got)


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        ("81.00", "81.01"), ("1", "01"), (1, True), (True, 1), (False, None), (None, "0"), ("3", 3),
        (["a"], ["a", "a"]), (["a", "a"], ["a"]), (["a"], "a"),
        ({"P": 1}, {"P": 1, "Q": 2}), ({"P": 1}, {"Q": 1}),
        ("2026-03", "2026-3"), ("1.0", "NaN"), ("1.0", "1e0"),
    ],
)  # fmt: skip
def test_the_nearly_same_disagrees(expected: object, got: object) -> None:
    assert not agrees(expected, got)


def test_a_wrong_shape_names_the_field() -> None:
    with pytest.raises(Malformed, match="number: a whole number"):
        whole({"number": True}, "number")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[", "is not JSON"),
        (b'{"id": "x"}', "must be a list of cases"),
        ("[“]".encode("gb18030"), "is not UTF-8"),
        (b"[" * 100_000, "beyond reason"),
        (b"[" + b"9" * 5000 + b"]", "beyond reason"),
    ],
)
def test_a_file_that_holds_no_cases_is_named_with_what_is_wrong(tmp_path: Path, content: bytes, words: str) -> None:
    file = tmp_path / "cases.json"
    file.write_bytes(content)
    with pytest.raises(CaseFileError) as found:
        read_cases(file)
    assert str(found.value).startswith(f"{file}: ")
    assert words in str(found.value)


def test_a_file_with_a_byte_order_mark_is_read_and_a_missing_one_is_named(tmp_path: Path) -> None:
    file = tmp_path / "cases.json"
    file.write_bytes(b'\xef\xbb\xbf[{"kind": "x"}]')
    assert read_cases(file) == [{"kind": "x"}]
    with pytest.raises(CaseFileError, match="cannot be read"):
        read_cases(tmp_path / "none.json")
