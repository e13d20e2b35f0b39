"""Do our dues rules decide a case as a case file expects? (`tiexin rules check`)"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from handlers.casebook import (
    Fields,
    Kind,
    Malformed,
    Verdict,
    flag,
    records,
    refusal,
    text,
    text_or_null,
    texts,
)
from handlers.casebook import judge as judge_by
from handlers.dues import rules
from handlers.dues.explain import base_shown, shortest, yuan
from handlers.dues.rules import Assessment, DuesRefused, DuesTable, Item, parse_fen, parse_month


def judge(cases: Sequence[object], table: DuesTable) -> Verdict:
    """Judge the dues cases among `cases` by the rules of one day; other kinds are counted as not judged."""
    return judge_by(cases, kinds(table))


def kinds(table: DuesTable) -> Mapping[str, Kind]:
    """The kinds of case this package decides, by the rules of one day."""
    return {name: _kind(decide, table) for name, decide in KINDS.items()}


def _kind(decide: Callable[[Fields, DuesTable], Fields], table: DuesTable) -> Kind:
    def kind(given: Fields) -> Fields:
        try:
            return decide(given, table)
        except DuesRefused as refused:
            return refusal(refused.reason)

    return kind


def _wage(given: Fields, table: DuesTable) -> Fields:
    return _fields(rules.wage(_amount(given, "base"), table))


def _pension(given: Fields, table: DuesTable) -> Fields:
    return _fields(rules.pension(_amount(given, "base"), table))


def _annual_salary(given: Fields, table: DuesTable) -> Fields:
    return _fields(rules.annual_salary(_amount(given, "received_this_month"), table))


def _quarter_average(given: Fields, table: DuesTable) -> Fields:
    months = [parse_fen(each, "previous_quarter", loss=True) for each in texts(given, "previous_quarter")]
    if len(months) != 3:
        raise Malformed("previous_quarter", "the amounts of three months")
    return _fields(rules.quarter_average((months[0], months[1], months[2]), table))


def _rounding(given: Fields, table: DuesTable) -> Fields:
    unit_fen = parse_fen(text(given, "unit"), "unit")
    return _fields(rules.wage(_amount(given, "base"), table, unit_fen=unit_fen))


def _fixed(given: Fields, table: DuesTable) -> Fields:
    chosen = given.get("chosen")
    chosen_fen = None if chosen is None else _amount(given, "chosen")
    return _fields(rules.fixed(text(given, "category"), chosen_fen, table))


def _composition(given: Fields, table: DuesTable) -> Fields:
    items = [
        Item(
            text(item, "code"),
            _amount(item, "amount"),
            regular=flag(item, "regular", default=False),
            universal=flag(item, "universal", default=False),
        )
        for item in records(given, "items")
    ]
    made = rules.compose(
        items, _amount(given, "personal_contributions"), _amount(given, "income_tax_on_counted"), table
    )
    return {**_fields(rules.wage(made.base_fen, table)), "base": yuan(made.base_fen)}


def _invalid(given: Fields, table: DuesTable) -> Fields:
    category = text(given, "category")
    decide = _BY_CATEGORY.get(category, _fixed)  # which refuses a category it does not know
    if category == "annual_salary" and "base" in given:
        given = {"received_this_month": given["base"], **given}
    fields = decide(given, table)
    if "month" in given and given.get("closed_until") is not None:
        month, closed = text(given, "month"), text(given, "closed_until")
        rules.refuse_closed(parse_month(month, "month"), parse_month(closed, "closed_until"))
    return fields


_BY_CATEGORY: Final[Mapping[str, Callable[[Fields, DuesTable], Fields]]] = {
    "wage": _wage,
    "annual_salary": _annual_salary,
    "quarter_average": _quarter_average,
    "pension": _pension,
}

KINDS: Final[Mapping[str, Callable[[Fields, DuesTable], Fields]]] = {
    **_BY_CATEGORY,
    "fixed": _fixed,
    "composition": _composition,
    "rounding": _rounding,
    "invalid": _invalid,
}


def _amount(given: Fields, name: str) -> int:
    return parse_fen(text_or_null(given, name), name)


def _fields(assessment: Assessment) -> dict[str, object]:
    return {
        "accepted": True,
        "rate": None if assessment.rate is None else shortest(assessment.rate),
        "exact": shortest(assessment.exact),
        "due": yuan(assessment.due_fen),
        "ceiling_applied": assessment.ceiling_applied,
        "review": list(assessment.review),
        "base_shown": None if assessment.base is None else base_shown(assessment.base),
    }
