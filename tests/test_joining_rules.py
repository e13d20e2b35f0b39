"""Does the law of joining decide as expected, by the text of the day?"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest

from handlers.casebook import judge, read_cases
from handlers.joining import cases, rules
from handlers.joining.course import Course
from handlers.joining.guards import Facts, check
from handlers.joining.rules import Introducer
from handlers.joining.tables import SHIPPED, table
from handlers.ruletable import TableError
from handlers.workdays import workdays

CASES = Path(__file__).parent / "data" / "date_cases.json"
JOINING = 44
"""Cases of kinds that belong to joining."""
TODAY = date(2030, 1, 1)


@dataclass(frozen=True)
class Record:
    step: str
    day: date
    outcome: str = ""
    months: int = 0
    id: int = field(default=0)


def course(**days: str) -> Course:
    """A way with these steps on these days: `course(s1="2026-01-31")`."""
    records = [Record(step[1:], date.fromisoformat(day)) for step, day in days.items()]
    return Course(table(), sorted(records, key=lambda one: one.day))


def refused(way: Course, step: str, day: str, **facts: object) -> list[str]:
    found = check(way, step, date.fromisoformat(day), TODAY, Facts(**facts), workdays())  # type: ignore[arg-type]  # as written
    return [one.code for one in found.refused]


def warned(way: Course, step: str, day: str, **facts: object) -> list[str]:
    found = check(way, step, date.fromisoformat(day), TODAY, Facts(**facts), workdays())  # type: ignore[arg-type]  # as written
    return [one.code for one in found.warned if one.code != "warn_skipped"]


LISTED = {"s1": "2025-11-01", "s2": "2025-11-10", "s3": "2025-11-20", "s4": "2025-11-25", "s5": "2025-11-26",
          "s7": "2026-11-20"}  # fmt: skip
REVIEWED = {**LISTED, "s8": "2026-12-01", "s9": "2026-12-02", "s10": "2026-12-03", "s11": "2026-12-04",
            "s12": "2026-12-05", "s13": "2026-12-10"}  # fmt: skip
ADMITTED = {**REVIEWED, "s14": "2026-12-11", "s15": "2026-12-20", "s16": "2026-12-21", "s17": "2026-12-28"}
VOTES = {"expected": 22, "present": 12, "favour": 12}


def test_the_cases_of_joining_agree() -> None:
    verdict = judge(read_cases(CASES), cases.kinds(table()))
    assert verdict.disagreeing == ()
    assert verdict.agreeing == JOINING
    assert set(verdict.not_judged) == {"arrears", "transfer_letter", "periods", "term", "lost_contact"}


def test_a_case_of_a_wrong_shape_is_named() -> None:
    wrong = [
        {"id": "x", "kind": "age", "input": {"born": "soon", "applied": "2026-11-22"}, "expect": {"accepted": True}},
        {"id": "y", "kind": "training", "input": {"days": True, "hours": 1}, "expect": {"accepted": True}},
        {"id": "z", "kind": "talk_deadline", "input": {"received_at": "2026-01-01T00:00:00"}, "expect": {"x": ""}},
        {"id": "w", "kind": "introducers", "input": {"introducers": 2}, "expect": {"result": "ok"}},
        {"id": "v", "kind": "publicity", "input": {"starts": "2026-11-23", "holidays": 1}, "expect": {"x": ""}},
    ]  # fmt: skip
    verdict = judge(wrong, cases.kinds(table()))
    assert {one.field for one in verdict.disagreeing} == {
        "input.born", "input.days", "input.received_at", "input.introducers", "input.holidays",
    }  # fmt: skip


@pytest.mark.parametrize("kind", sorted(cases.kinds(table())))
def test_no_case_of_whatever_shape_breaks_the_judge(kind: str) -> None:
    shapes: list[object] = [None, "", "9999-12-31", -1, 10**9, True, [], {}, [{}], "二〇二六年"]
    fields = ("born", "applied", "received", "activist_on", "committee_on", "starts", "pre_review_on", "meeting_on",
              "admitted_on", "approved_on", "probation_ends", "leaves_on", "on", "step_on", "days", "hours",
              "reviews", "months", "contacts", "introducers", "holidays", "working_weekends")  # fmt: skip
    odd = [{"id": "x", "kind": kind, "input": dict.fromkeys(fields, shape), "expect": {"x": 1}} for shape in shapes]
    assert len(judge(odd, cases.kinds(table())).disagreeing) == len(shapes)


def test_the_text_of_2014_names_no_term_for_the_meeting_and_the_oath() -> None:
    old = date(2026, 5, 10)
    assert table().step("15", old).latest is None
    assert table().step("20", old).latest is None
    assert "备案" in table().step("7", old).name
    assert "公示" not in table().step("8", old).name
    assert "同意" in table().step("7", date(2026, 5, 11)).name


def test_one_and_the_same_way_goes_by_two_texts() -> None:
    way = course(s1="2024-01-01", s2="2024-01-10", s3="2024-02-01", s5="2024-02-02", s7="2026-05-01")
    assert refused(way, "8", "2026-05-10") == []
    assert warned(way, "8", "2026-05-10") == ["warn_unconfirmed"]
    assert refused(way, "8", "2026-05-11") == ["no_not_posted"]


@pytest.mark.parametrize(
    ("days", "step", "day", "facts", "expected"),
    [
        ({}, "2", "2026-06-01", {}, ["no_missing"]),
        ({"s1": "2026-06-10"}, "2", "2026-06-01", {}, ["no_before"]),
        ({"s1": "2026-06-10"}, "2", "2030-01-02", {}, ["no_future"]),
        ({"s1": "2026-06-10", "s2": "2026-06-11"}, "2", "2026-06-12", {}, ["no_twice"]),
        ({"s1": "2025-01-01", "s2": "2025-01-02", "s3": "2025-11-20", "s5": "2025-12-01"}, "7", "2026-11-19", {},
         ["no_too_early"]),
        ({"s1": "2025-01-01", "s2": "2025-01-02", "s3": "2025-11-20", "s5": "2025-12-01"}, "7", "2026-11-20", {}, []),
        (LISTED, "5", "2026-11-21", {"contacts": ("甲",)}, ["no_twice"]),
        (LISTED, "8", "2026-11-30", {"posted_on": date(2026, 11, 23)}, ["no_posted_too_short"]),
        (LISTED, "8", "2026-12-01", {"posted_on": date(2026, 11, 23)}, []),
        (LISTED, "8", "2026-12-01", {"posted_on": date(2026, 11, 19)}, ["no_posted_before"]),
        (LISTED, "8", "2026-12-01", {"posted_on": date(2026, 11, 23), "objections": True}, ["no_objections"]),
        ({**LISTED, "s8": "2026-12-01"}, "9", "2026-12-02", {"introducers": (Introducer(True),)},
         ["no_two_required"]),
        ({**LISTED, "s8": "2026-12-01"}, "9", "2026-12-02",
         {"introducers": (Introducer(True), Introducer(True, "probation_in_party"))}, ["no_rights_not_restored"]),
        ({**LISTED, "s8": "2026-12-01"}, "10", "2026-12-02", {}, ["no_no_conclusion"]),
        ({**LISTED, "s8": "2026-12-01"}, "10", "2026-12-02", {"cleared": False}, ["no_not_cleared"]),
        ({**LISTED, "s8": "2026-12-01"}, "11", "2026-12-02", {"days": 2, "hours": 23}, ["no_training_too_short"]),
        ({**LISTED, "s8": "2026-12-01"}, "12", "2026-12-02", {}, ["no_missing", "no_missing", "no_missing"]),
        (REVIEWED, "15", "2026-12-20", {}, ["no_no_numbers"]),
        (REVIEWED, "15", "2026-12-20", {"expected": 22, "present": 11, "favour": 11}, ["no_not_met"]),
        (REVIEWED, "15", "2026-12-20", {"expected": 22, "present": 20, "favour": 11}, ["no_not_passed"]),
        (REVIEWED, "15", "2026-12-20", {"expected": 22, "present": 23, "favour": 11}, ["no_impossible"]),
        (REVIEWED, "15", "2026-12-20", VOTES, []),
        (ADMITTED, "23", "2027-12-19", {**VOTES, "outcome": "confirm"}, ["no_probation_not_over"]),
        (ADMITTED, "23", "2027-12-20", {**VOTES, "outcome": "confirm"}, []),
        (ADMITTED, "23", "2027-12-20", VOTES, ["no_no_outcome"]),
        (ADMITTED, "23", "2027-12-20", {**VOTES, "outcome": "extend", "months": 5}, ["no_below_six_months"]),
        (ADMITTED, "23", "2027-12-20", {**VOTES, "outcome": "extend", "months": 13}, ["no_above_twelve_months"]),
    ],
)  # fmt: skip
def test_what_the_regulation_forbids_is_refused(
    days: dict[str, str], step: str, day: str, facts: dict[str, object], expected: list[str]
) -> None:
    assert refused(course(**days), step, day, **facts) == expected


@pytest.mark.parametrize(
    ("days", "step", "day", "facts", "expected"),
    [
        ({"s1": "2026-06-10"}, "2", "2026-07-10", {}, []),
        ({"s1": "2026-06-10"}, "2", "2026-07-11", {}, ["warn_late"]),
        (REVIEWED, "15", "2027-01-10", VOTES, []),
        (REVIEWED, "15", "2027-01-11", VOTES, ["warn_late"]),
        ({**ADMITTED, "s17": "2027-03-20"}, "20", "2027-04-21", {}, ["warn_usual"]),
        ({key: day for key, day in ADMITTED.items() if key != "s17"}, "17", "2027-03-20", {}, []),
        ({key: day for key, day in ADMITTED.items() if key != "s17"}, "17", "2027-03-21", {}, ["warn_special"]),
        ({key: day for key, day in ADMITTED.items() if key != "s17"}, "17", "2027-06-21", {}, ["warn_beyond"]),
        ({**LISTED, "s8": "2026-12-01"}, "11", "2026-12-02", {"special": True}, ["warn_training_special"]),
        ({**LISTED, "s8": "2026-12-01"}, "9", "2026-12-02",
         {"introducers": (Introducer(True), Introducer(True, "warning", in_effect=True))},
         ["warn_penalty_in_effect"]),
        ({key: day for key, day in REVIEWED.items() if key != "s13"}, "13", "2026-10-31",
         {"leaves_on": date(2027, 1, 31)}, ["warn_leaves_soon"]),
        ({key: day for key, day in REVIEWED.items() if key != "s13"}, "13", "2026-12-10",
         {"leaves_on": date(2027, 3, 11)}, []),
    ],
)  # fmt: skip
def test_what_is_late_or_not_advised_is_said_and_not_undone(
    days: dict[str, str], step: str, day: str, facts: dict[str, object], expected: list[str]
) -> None:
    assert warned(course(**days), step, day, **facts) == expected


def test_a_step_left_out_is_named() -> None:
    way = course(s1="2025-11-01", s2="2025-11-10", s3="2025-11-20", s5="2025-11-26")
    found = check(way, "7", date(2026, 11, 20), TODAY, Facts(), workdays())
    assert [one.values["number"] for one in found.warned] == ["4"]


def test_what_comes_next_has_its_days() -> None:
    ahead = course(s1="2026-08-31").ahead(date(2026, 9, 1))
    assert ahead is not None
    assert (ahead.step.number, ahead.latest, ahead.overdue(date(2026, 10, 1))) == ("2", date(2026, 9, 30), True)
    later = course(**{key: day for key, day in LISTED.items() if key != "s7"}).ahead(date(2026, 9, 1))
    assert later is not None
    assert (later.step.number, later.earliest) == ("7", date(2026, 11, 20))


def test_probation_counts_from_the_meeting_and_the_党龄_from_its_end() -> None:
    way = course(**ADMITTED)
    assert way.ends == date(2027, 12, 20)
    assert way.standing == ("预备党员", date(2026, 12, 20), None)
    late = Course(table(), [*way.records, Record("23", date(2028, 1, 15), "confirm"),
                            Record("24", date(2028, 2, 1), "confirm")])  # fmt: skip
    assert late.standing == ("正式党员", date(2026, 12, 20), date(2027, 12, 20))


def test_probation_is_extended_once_and_the_meeting_comes_again() -> None:
    way = course(**ADMITTED)
    longer = Course(
        table(),
        [*way.records, Record("22", date(2027, 12, 1)), Record("23", date(2027, 12, 20), "extend", 6),
         Record("24", date(2028, 1, 5), "extend", 6)],
    )  # fmt: skip
    assert longer.ends == date(2028, 6, 20)
    assert longer.standing[0] == "预备党员"
    assert [step.number for step in longer.recordable(date(2028, 7, 1)) if step.number in ("22", "23", "24")] == [
        "22",
        "23",
    ]
    assert refused(longer, "23", "2028-06-19", **VOTES, outcome="confirm") == ["no_probation_not_over"]
    assert refused(longer, "23", "2028-06-20", **VOTES, outcome="extend", months=6) == ["no_already_extended"]
    assert refused(longer, "23", "2028-06-20", **VOTES, outcome="confirm") == []


def test_somebody_whose_probation_was_cancelled_is_no_member() -> None:
    way = course(**ADMITTED)
    over = Course(table(), [*way.records, Record("23", date(2027, 12, 20), "cancel"),
                            Record("24", date(2028, 1, 5), "cancel")])  # fmt: skip
    assert over.standing == ("群众", None, None)


@pytest.mark.parametrize(
    ("held", "today", "expected"),
    [
        ([], "2026-01-01", "2026-05-20"),
        ([], "2026-05-20", "2026-05-20"),
        ([], "2026-08-01", "2026-05-20"),
        (["2026-05-18"], "2026-05-20", "2026-11-20"),
        (["2026-05-18"], "2026-11-20", "2026-11-20"),
        (["2026-11-01"], "2026-11-10", "2027-05-20"),
    ],
)
def test_the_half_yearly_review_counts_from_the_first_day(held: list[str], today: str, expected: str) -> None:
    records = [Record("3", date(2025, 11, 20)), *(Record("6", date.fromisoformat(day)) for day in held)]
    assert Course(table(), records).review(date.fromisoformat(today)) == date.fromisoformat(expected)


def test_no_review_is_due_once_somebody_is_listed() -> None:
    assert course(**REVIEWED).review(date(2027, 1, 1)) is None
    assert course(s1="2026-01-01").review(date(2027, 1, 1)) is None


def test_born_on_29_february_one_is_of_age_on_1_march_in_a_common_year() -> None:
    assert rules.of_age(date(2008, 2, 29), 18) == date(2026, 3, 1)
    assert rules.of_age(date(2008, 2, 29), 20) == date(2028, 2, 29)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('needs = ["1"]', 'needs = ["99"]', "no step"),
        ('number = "2"', 'number = "1"', "once"),
        ('kind = "发展对象"', 'kind = "党员"', "none of"),
        ("since = 2014-05-28", "since = 2027-05-28", "oldest first"),
        ("contacts = [1, 2]", "contacts = [2]", "least and the most"),
        ('superior_to_list = "agree"', 'superior_to_list = "maybe"', "none of"),
        ("repeats = true", 'repeats = "yes"', "true or false"),
        ("age = 18", "ages = 18", "age"),
    ],
)
def test_a_table_that_is_wrong_says_where(tmp_path: Path, old: str, new: str, told: str) -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "stages.toml").write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(TableError, match=told):
        table(tmp_path)


def test_a_local_table_takes_the_place_of_the_shipped(tmp_path: Path) -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    (tmp_path / "stages.toml").write_text(text.replace("keep_days = 365", "keep_days = 30"), encoding="utf-8")
    assert table(tmp_path).keep_days == 30
    assert table().keep_days == 365
