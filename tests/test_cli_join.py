"""Does the admin's door list, show and advance applications with the same rights and refusals as the chat?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine
from typer.testing import CliRunner, Result

from bot.cli.main import app
from storage import audit, people
from tests.applicants import STATEMENT, apply, kind, record, work
from tests.people import NOW, House

CASES = Path(__file__).parent / "data" / "date_cases.json"
DONE, REFUSED, WRONG = 0, 1, 2
Tiexin = Callable[..., Result]


@pytest.fixture
def tiexin(house: House) -> Iterator[Tiexin]:
    """`tiexin("join", "list")` in the house of the tests, at its time."""
    config = house.app.config
    environment = {
        "TIEXIN_DATABASE__URL": config.database.url,
        "TIEXIN_SECURITY__KEY_FILE": str(config.security.key_file),
    }
    with time_machine.travel(NOW, tick=False):
        yield lambda *words: CliRunner().invoke(app, [str(word) for word in words], env=environment)


def ok(result: Result) -> Any:
    assert result.exit_code == DONE, result.output
    return json.loads(result.stdout)


def no(result: Result, code: int) -> str:
    """The one line with which a command ended."""
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    assert len(result.stderr.strip().splitlines()) == 1, result.stderr
    return result.stderr.strip()


def advance(tiexin: Tiexin, step: str, on: str, *more: str) -> Result:
    return tiexin("join", "advance", "1004", "--step", step, "--on", on, "--json", *more)


def test_an_application_on_paper_is_taken_over_step_by_step(house: House, tiexin: Tiexin) -> None:
    assert ok(tiexin("join", "list", "--json")) == []
    first = ok(advance(tiexin, "1", "2025-01-06", "--by", "李书记"))
    assert (first["state"], first["received"], first["next"]["step"]) == ("open", "2025-01-06", "2")
    late = ok(advance(tiexin, "2", "2025-02-07"))
    assert late["version"] == "2014"
    assert any("2025年2月6日" in warning for warning in late["warnings"])
    assert any("待核" in warning for warning in late["warnings"])
    ok(advance(tiexin, "3", "2025-03-01", "--by", "支委会", "--note", "全体同意"))
    said = no(advance(tiexin, "7", "2026-02-28"), REFUSED)
    assert "第5步" in said
    ok(advance(tiexin, "5", "2025-03-02", "--contact", "1001", "--contact", "李书记"))
    assert "2026年3月1日" in no(advance(tiexin, "7", "2026-02-28"), REFUSED)
    record(house, "陈晓", "7", "2026-05-20")
    dry = advance(tiexin, "8", "2026-05-26", "--posted", "2026-05-20", "--dry-run")
    assert dry.exit_code == REFUSED
    assert "5个工作日" in json.loads(dry.stdout)["refused"][0]
    listed = ok(advance(tiexin, "8", "2026-05-28", "--posted", "2026-05-20"))
    assert (listed["version"], listed["kind"]) == ("2026", "发展对象")
    shown = ok(tiexin("join", "show", "1004", "--notes", "--json"))
    assert [one["step"] for one in shown["records"]] == ["1", "2", "3", "5", "7", "8"]
    assert shown["records"][2]["note"] == "全体同意"
    assert shown["records"][3]["facts"]["names"] == ["王芳 1001", "李书记 1002"]
    text = tiexin("join", "show", "陈晓").stdout
    assert "第8步 公示，列为发展对象" in text
    assert "全体同意" not in text


def test_each_step_asks_for_its_own_facts(house: House, tiexin: Tiexin) -> None:
    ok(advance(tiexin, "1", "2025-01-06"))
    for step, day, facts in (
        ("2", "2025-01-20", {}), ("3", "2025-03-01", {}), ("5", "2025-03-02", {"contacts": ("1001",)}),
        ("7", "2026-05-05", {}), ("8", "2026-05-08", {}),
    ):  # fmt: skip
        record(house, "陈晓", step, day, **facts)
    ok(advance(tiexin, "9", "2026-06-01", "--introducer", "1001", "--introducer", "1002"))
    assert "不合格" in no(advance(tiexin, "10", "2026-06-02", "--not-cleared"), REFUSED)
    ok(advance(tiexin, "10", "2026-06-02", "--cleared"))
    assert "24学时" in no(advance(tiexin, "11", "2026-06-03", "--days", "2", "--hours", "20"), REFUSED)
    ok(advance(tiexin, "11", "2026-06-03", "--hours", "24"))
    record(house, "陈晓", "12", "2026-06-04")
    record(house, "陈晓", "13", "2026-06-05")
    meeting = ("--expected", "22", "--present", "20")
    assert "不少于12票" in no(advance(tiexin, "15", "2026-06-20", *meeting, "--favour", "11"), REFUSED)
    ok(advance(tiexin, "15", "2026-06-20", *meeting, "--favour", "12"))
    record(house, "陈晓", "16", "2026-06-22")
    admitted = ok(advance(tiexin, "17", "2026-07-01"))
    assert (admitted["kind"], admitted["probation_ends"]) == ("预备党员", "2027-06-20")
    said = no(advance(tiexin, "23", "2026-11-01", *meeting, "--favour", "12", "--outcome", "confirm"), REFUSED)
    assert "2027年6月20日" in said
    assert kind(house, "陈晓") == "预备党员"


def test_a_contact_who_is_no_full_member_is_refused(tiexin: Tiexin) -> None:
    ok(advance(tiexin, "1", "2026-06-01"))
    ok(advance(tiexin, "2", "2026-06-02"))
    ok(advance(tiexin, "3", "2026-06-03"))
    assert "正式党员" in no(advance(tiexin, "5", "2026-06-04", "--contact", "1003"), REFUSED)
    assert "一至两名" in no(advance(tiexin, "5", "2026-06-04"), REFUSED)


def test_what_was_handed_in_is_received_read_and_declined(house: House, tiexin: Tiexin) -> None:
    apply(house)
    number = work(house, lambda tx: people.get(tx, house.ids["周敏"]).number)
    listed = ok(tiexin("join", "list", "--json"))
    assert [(one["name"], one["state"], one["next"]) for one in listed] == [("周敏", "handed", None)]
    assert "周敏" in tiexin("join", "list").stdout
    assert "statement" not in ok(tiexin("join", "show", number, "--json"))
    assert STATEMENT in ok(tiexin("join", "show", number, "--statement", "--json"))["statement"]
    read = work(house, lambda tx: audit.log(tx, action="application.read"))
    assert [one["name"] for one in read] == ["operator"]
    assert "请先受理" in no(tiexin("join", "advance", number, "--step", "2"), REFUSED)
    ok(tiexin("join", "advance", number, "--step", "1", "--on", "2026-11-24", "--json"))
    due = ok(tiexin("join", "due", "--json"))
    assert [(one["name"], one["day"], one["step"], one["overdue"]) for one in due] == [
        ("周敏", "2026-12-24", "2", False)
    ]
    assert "2026-12-24" in tiexin("join", "due").stdout
    assert ok(tiexin("join", "due", "--days", "10", "--json")) == []
    reason = ("--by", "支委会", "--reason", "您下月调往外地工作。")
    assert "申请已终止" in tiexin("join", "decline", number, *reason).stdout
    declined = ok(tiexin("join", "show", number, "--json"))
    assert (declined["state"], declined["kind"]) == ("declined", "群众")
    assert ok(tiexin("join", "list", "--json")) == []


def test_somebody_without_the_right_is_refused(house: House, tiexin: Tiexin) -> None:
    apply(house)
    assert "入党申请由" in no(tiexin("join", "list", "--as", "1001"), REFUSED)
    assert ok(tiexin("join", "list", "--as", "2002", "--json")) == []
    for number in ("1001", "2002"):
        no(tiexin("join", "show", "周敏", "--as", number, "--statement"), REFUSED)
        no(tiexin("join", "advance", "周敏", "--step", "1", "--as", number), REFUSED)
    assert work(house, lambda tx: audit.log(tx, action="application.read")) == []
    assert "入党申请由" in no(tiexin("join", "due", "--as", "1001"), REFUSED), "not a table without a line"
    assert ok(tiexin("join", "due", "--as", "2002", "--json")) == []


def test_wrong_usage_is_told_in_one_line(tiexin: Tiexin) -> None:
    assert "--penalty" in no(advance(tiexin, "9", "2026-06-01", "--penalty", "some"), WRONG)
    assert "还没有登记" in no(tiexin("join", "show", "1004"), REFUSED)
    assert "还没到" in no(advance(tiexin, "1", "2026-12-24"), REFUSED)


def test_the_cases_of_joining_are_judged_at_the_door(tiexin: Tiexin) -> None:
    result = tiexin("rules", "check", CASES, "--json")
    found = ok(result)
    assert found["disagreeing"] == []
    assert found["agreeing"] >= 46
    assert set(found["not_judged"]) <= {"arrears", "lost_contact", "periods", "transfer_letter"}
    assert "入党申请书" in tiexin("rules", "show", "stages").stdout
