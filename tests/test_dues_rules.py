"""Does the calculation owe 王芳 to the fen what the articles say?"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.dues import rules
from handlers.dues.cases import judge
from handlers.dues.explain import explain, figure, shortest, yuan
from handlers.dues.rules import Citation, DuesRefused, Item
from handlers.dues.tables import dues_table

TABLE = dues_table(date(2026, 11, 24))
CASES = json.loads((Path(__file__).parent / "data" / "dues_cases.json").read_text(encoding="utf-8"))
JUDGED = {
    "wage", "annual_salary", "quarter_average", "pension", "fixed", "composition", "rounding", "invalid"
}  # fmt: skip

wages = st.integers(0, 10_000_000)
"""Bases in fen, to 100,000 yuan: on both sides of every edge and of the ceiling."""
slow = settings(deadline=None, max_examples=200)


def test_every_case_of_the_eight_kinds_is_decided_as_the_file_expects() -> None:
    verdict = judge(CASES, TABLE)
    assert verdict.disagreeing == ()
    assert verdict.agreeing == sum(case["kind"] in JUDGED for case in CASES) == 54
    assert verdict.not_judged == Counter(case["kind"] for case in CASES if case["kind"] not in JUDGED)


def test_a_table_with_a_wrong_rate_disagrees_exactly_where_that_rate_is_used() -> None:
    scale = TABLE.scales["wage"]
    third = scale.brackets[2]
    wrong = (*scale.brackets[:2], replace(third, rate=Fraction(2, 100)), scale.brackets[3])
    table = replace(TABLE, scales={**TABLE.scales, "wage": replace(scale, brackets=wrong)})
    verdict = judge(CASES, table)
    assert {each.field for each in verdict.disagreeing} == {"rate", "exact", "due"}
    assert {each.id for each in verdict.disagreeing} == {
        case["id"] for case in CASES if case["kind"] in JUDGED and case["expect"].get("rate") == "0.015"
    }


def test_a_table_that_bills_above_the_ceiling_disagrees() -> None:
    verdict = judge(CASES, replace(TABLE, ceiling=None))
    assert {each.id for each in verdict.disagreeing} == {"dues-wage-15", "dues-annual-salary-02"}


def test_the_rate_is_applied_to_the_whole_base_not_to_the_part_above_the_edge() -> None:
    assert rules.wage(300_000, TABLE).due_fen == 1500
    assert rules.wage(300_001, TABLE).due_fen == 3000


def test_a_quarter_that_averages_a_third_of_a_fen_above_the_edge_is_above_it() -> None:
    shown = explain(rules.quarter_average((300_000, 300_000, 300_001), TABLE))
    assert (shown.base, shown.percent, shown.due) == ("3000.0033…", "1%", "30.00")


def test_a_quarter_of_losses_is_a_base_of_nothing_for_a_person_to_look_at() -> None:
    found = rules.quarter_average((-500_000, 100_000, 0), TABLE)
    assert (found.base, found.due_fen) == (Fraction(0), 0)
    assert found.review == ("no_income",)
    assert found.choices == ("loss_counts", "loss_is_zero")


def test_a_branch_that_rounds_to_ten_fen_bills_whole_ten_fen() -> None:
    assert rules.wage(201_000, TABLE, unit_fen=10).due_fen == 1010
    with pytest.raises(DuesRefused) as refused:
        rules.wage(201_000, TABLE, unit_fen=100)
    assert refused.value.reason == "unit_not_allowed"


def test_a_bonus_counts_only_when_regular_and_for_everybody() -> None:
    def base(*, regular: bool, universal: bool) -> int:
        items = [Item("basic_wage", 400_000), Item("bonus", 100_000, regular=regular, universal=universal)]
        return rules.compose(items, 50_000, 0, TABLE).base_fen

    assert base(regular=True, universal=True) == 450_000
    assert {base(regular=True, universal=False), base(regular=False, universal=True)} == {350_000}


def test_a_payslip_line_in_no_table_is_not_guessed_and_its_name_is_not_repeated() -> None:
    with pytest.raises(DuesRefused) as refused:
        rules.compose([Item("basic_wage", 1), Item("secret_bonus", 1)], 0, 0, TABLE)
    assert (refused.value.reason, refused.value.field) == ("unknown_item", "items[1].code")
    assert "secret" not in str(refused.value)


def test_deductions_above_the_counted_income_are_refused_with_the_article() -> None:
    with pytest.raises(DuesRefused) as refused:
        rules.compose([Item("basic_wage", 100_000), Item("housing_allowance", 500_000)], 120_000, 0, TABLE)
    assert refused.value.reason == "deductions_exceed_income"
    assert refused.value.articles[0].article == "第一条"


@pytest.mark.parametrize(
    ("category", "chosen_fen", "reason", "limit_fen"),
    [
        ("farmer", None, "amount_required", None),
        ("farmer", 19, "below_minimum", 20),
        ("farmer", 101, "above_maximum", 100),
        ("student", 100, "above_maximum", 20),
        ("wage", 100, "unknown_category", None),
        ("astronaut", None, "unknown_category", None),
    ],
)
def test_a_fixed_amount_outside_its_article_is_refused_with_the_limit(
    category: str, chosen_fen: int | None, reason: str, limit_fen: int | None
) -> None:
    with pytest.raises(DuesRefused) as refused:
        rules.fixed(category, chosen_fen, TABLE)
    assert (refused.value.reason, refused.value.limit_fen) == (reason, limit_fen)


def test_a_student_has_no_scale_and_a_negative_wage_no_bracket() -> None:
    for category, base, reason in [("student", 1, "unknown_category"), ("wage", -1, "negative")]:
        with pytest.raises(DuesRefused) as refused:
            rules.assess(category, Fraction(base), TABLE)
        assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "empty"), ("", "empty"), (" \t", "empty"),
        ("-1", "negative"), ("-0", "negative"),
        ("1.234", "too_many_decimals"), ("9" * 13, "too_large"), ("9" * 9000, "too_large"),
        ("+1", "not_a_number"), ("1e3", "not_a_number"), ("NaN", "not_a_number"), ("1,000", "not_a_number"),
        ("１００", "not_a_number"), ("٣", "not_a_number"), ("1元", "not_a_number"), ("1.", "not_a_number"),
        (".5", "not_a_number"), (" 1", "not_a_number"), ("1\n", "not_a_number"), ("--1", "not_a_number"),
    ],
)  # fmt: skip
def test_data_is_plain_digits_or_refused(text: str | None, reason: str) -> None:
    with pytest.raises(DuesRefused) as refused:
        rules.parse_fen(text, "base")
    assert refused.value.reason == reason
    assert str(refused.value) == f"{reason}: base"


def test_data_of_plain_digits_is_read_to_the_fen() -> None:
    read = [rules.parse_fen(text, "base") for text in ("0", "0.2", "3000", "3000.5", "0003000.05")]
    assert read == [0, 20, 300_000, 300_050, 300_005]
    assert rules.parse_fen("-2000", "month", loss=True) == -200_000


def test_a_month_is_closed_up_to_and_with_the_last_closed_one() -> None:
    june = rules.parse_month("2026-06", "month")
    rules.refuse_closed(date(2026, 7, 1), june)
    rules.refuse_closed(june, None)
    for month in (june, date(2026, 6, 30), date(2025, 12, 1)):
        with pytest.raises(DuesRefused, match="period_closed"):
            rules.refuse_closed(month, june)
    for text in ("2026-13", "2026-6", "0000-01", "2026-06\n", "二〇二六年六月"):
        with pytest.raises(DuesRefused, match="not_a_month"):
            rules.parse_month(text, "month")


@slow
@given(wages, wages)
def test_a_higher_wage_never_owes_less(one: int, other: int) -> None:
    low, high = sorted((one, other))
    for decide in (rules.wage, rules.pension, rules.annual_salary):
        assert decide(low, TABLE).due_fen <= decide(high, TABLE).due_fen


@slow
@given(wages)
def test_one_fen_more_moves_the_dues_by_more_than_a_fen_only_at_an_edge(base_fen: int) -> None:
    step = rules.wage(base_fen + 1, TABLE).due_fen - rules.wage(base_fen, TABLE).due_fen
    assert step <= 1 or base_fen in {300_000, 500_000, 1_000_000}


@slow
@given(wages, st.sampled_from([1, 10]))
def test_rounding_is_once_and_half_up_as_decimal_arithmetic_does_it(base_fen: int, unit_fen: int) -> None:
    base = Decimal(base_fen) / 100
    rate = Decimal("0.005") if base <= 3000 else Decimal("0.01") if base <= 5000 else Decimal("0.015")
    rate = rate if base <= 10_000 else Decimal("0.02")
    unit = Decimal(unit_fen) / 100
    owed = min((base * rate / unit).quantize(Decimal(1), ROUND_HALF_UP) * unit, Decimal(1000))
    assert rules.wage(base_fen, TABLE, unit_fen=unit_fen).due_fen == int(owed * 100)


@slow
@given(st.integers(0, 20_000_000))
def test_the_ceiling_is_applied_exactly_when_the_unrounded_amount_is_above_it(base_fen: int) -> None:
    found = rules.wage(base_fen, TABLE)
    assert found.ceiling_applied == (found.exact > 1000)
    assert found.due_fen <= 100_000


@slow
@given(st.tuples(*[st.integers(-2_000_000, 2_000_000)] * 3))
def test_three_months_owe_the_same_in_any_order(months: tuple[int, int, int]) -> None:
    one, two, three = months
    found = rules.quarter_average(months, TABLE)
    assert found == rules.quarter_average((three, one, two), TABLE)
    assert found.base == max(Fraction(one + two + three, 300), Fraction(0))
    assert ("no_income" in found.review) == (found.base == 0)


def test_an_ordinary_wage_is_explained_with_both_articles() -> None:
    shown = explain(rules.wage(540_000, TABLE))
    assert (shown.base, shown.percent, shown.figure, shown.due) == ("5400.00", "1.5%", "81.00", "81.00")
    assert (shown.over, shown.up_to, shown.unrounded, shown.ceiling) == ("5000.00", "10000.00", None, None)
    assert shown.basis == ("《关于中国共产党党费收缴、使用和管理的规定》（中组发〔2008〕3号）第一条、第二条",)
    assert shown.quotes == ("工资总额中相对固定的、经常性的工资收入（税后）",)
    assert not shown.to_be_confirmed


def test_a_rounded_amount_shows_what_it_was_and_a_capped_one_its_ceiling() -> None:
    rounded = explain(rules.wage(500_100, TABLE))
    assert (rounded.unrounded, rounded.due, rounded.choices) == ("75.015", "75.02", ("rounding",))
    capped = explain(rules.wage(6_000_000, TABLE))
    assert (capped.figure, capped.ceiling, capped.due) == ("1200.00", "1000.00", "1000.00")
    assert capped.basis[1] == "《关于进一步规范党费工作的通知》（组电明字〔2017〕5号）一（1）"
    assert (capped.up_to, capped.unrounded) == (None, None)


def test_a_fixed_amount_is_explained_without_a_calculation() -> None:
    shown = explain(rules.fixed("student", None, TABLE))
    assert (shown.base, shown.percent, shown.figure, shown.due) == (None, None, None, "0.20")
    assert shown.basis[0].endswith("第六条")


def test_only_wording_that_was_seen_can_be_a_quotation() -> None:
    with pytest.raises(ValueError, match="quoted"):
        Citation("某规定", "", "第一条", "Q", date(2008, 4, 1), "听说是这样")
    with pytest.raises(ValueError, match="has none"):
        Citation("某规定", "", "第一条", "D", date(2008, 4, 1))


def test_an_article_that_awaits_confirmation_is_marked_so() -> None:
    category = TABLE.categories["wage"]
    doubtful = Citation("某规定", "", "第九条", "M", date(2008, 4, 1))
    table = replace(TABLE, categories={**TABLE.categories, "wage": replace(category, citation=doubtful)})
    shown = explain(rules.wage(1, table))
    assert shown.to_be_confirmed
    assert shown.basis[0] == "《某规定》第九条"


@slow
@given(st.integers(-(10**9), 10**9), st.integers(1, 10**6))
def test_a_shortest_decimal_is_exact_or_there_is_none(numerator: int, denominator: int) -> None:
    value = Fraction(numerator, denominator)
    short = shortest(value)
    if short is None:
        assert 10**30 % value.denominator != 0
    else:
        assert Fraction(short) == value
        assert "." not in short or not short.endswith(("0", "."))


@slow
@given(st.integers(-(10**9), 10**9))
def test_fen_written_as_yuan_are_the_same_money(fen: int) -> None:
    assert Fraction(yuan(fen)) * 100 == fen
    assert figure(Fraction(fen, 100)) == yuan(fen)
