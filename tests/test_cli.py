"""Does the admin's door do what it says, end as it should, and tell a no in one line?"""

from __future__ import annotations

import json
import os
import re
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli.door import PARTLY, REFUSED, WRONG
from bot.cli.main import app
from storage import audit
from tests.admin import CODE, Admin, environment_of
from tests.people import NOW, House
from tests.rosters import LI, WANG_FANG, Cell


@pytest.fixture
def bare(tmp_path: Path) -> Admin:
    """Nothing is set up yet."""
    return Admin(environment_of(tmp_path), tmp_path)


@pytest.fixture
def tiexin(house: House, tmp_path: Path) -> Admin:
    """The command line of a house with a committee and two branches."""
    return Admin(environment_of(tmp_path), tmp_path)


# -- how a house begins ---------------------------------------------------------------------------------------


def test_a_house_begins_with_its_key_tables_organisation_and_secretary(bare: Admin) -> None:
    begun = bare.json("init", "--name", "海川公司党委", "--secretary", "0001:赵红")
    assert (begun["organisation"]["name"], begun["new_key"]) == ("海川公司党委", True)
    assert stat.S_IMODE((bare.folder / "key").stat().st_mode) == 0o600
    assert [who["role"] for who in bare.json("office", "list")] == ["党委书记"]
    again = bare.json("init", "--name", "别的", "--secretary", "0001:赵红")
    assert (again["organisation"], again["new_key"]) == (begun["organisation"], False)
    assert len(bare.json("member", "list")) == 1


def test_a_house_begun_in_a_pipe_waits_for_its_secretary_until_the_first_import(bare: Admin) -> None:
    assert bare.json("init")["secretary"] == []
    secretary: dict[str, Cell] = {**LI, "所在支部": "党委", "党内职务": "党委书记"}
    bare("member", "import", bare.file("r.csv", secretary))
    assert [(who["name"], who["role"]) for who in bare.json("office", "list")] == [("李建国", "党委书记")]


def test_a_new_key_never_takes_the_place_of_a_lost_one(tiexin: Admin) -> None:
    (tiexin.folder / "key").unlink()
    assert "put it back" in tiexin.no("init", ends=WRONG)
    assert "key_file" in tiexin.no("member", "list", ends=WRONG)
    assert not (tiexin.folder / "key").exists()


def test_without_tables_the_remedy_is_named(bare: Admin) -> None:
    assert bare.no("member", "list", ends=WRONG).endswith("run `tiexin init`")


def test_a_wrong_key_in_the_configuration_is_named(bare: Admin) -> None:
    bare.environment["TIEXIN_ORG__LANGAUGE"] = "zh"
    assert bare.no("org", "tree", ends=WRONG) == "org.langauge: unknown key; did you mean language?"


def test_a_configuration_file_is_read_wherever_its_option_stands(tiexin: Admin, tmp_path: Path) -> None:
    file = tmp_path / "other.toml"
    file.write_text('[org]\nlanguage = "en"\n')
    said = tiexin.no("office", "end", "1001", "支部书记", "--config", str(file))
    assert said == "王芳 is not branch secretary."
    assert tiexin.no(f"--config={tmp_path}/none.toml", "org", "tree", ends=WRONG).startswith(f"{tmp_path}/none.toml")


def test_wrong_usage_ends_with_two() -> None:
    for args in (["nonsense"], ["member", "show"], ["--as"], ["rules", "check", "--on", "gestern", "x"]):
        assert CliRunner().invoke(app, args).exit_code == WRONG


# -- organisations, people, offices ---------------------------------------------------------------------------


def test_the_tree_grows_is_renamed_and_closes(tiexin: Admin) -> None:
    tiexin("org", "add", "第三支部", "第四支部")
    tiexin("org", "add", "甲组", "--under", "海川公司党委/第三支部", "--code", "G1")
    tiexin("org", "rename", "G1", "乙组")
    assert "海川公司党委/第三支部/乙组" in [org["path"] for org in tiexin.json("org", "tree")]
    assert "第三支部" in tiexin.no("org", "close", "第三支部")
    tiexin("org", "close", "乙组")
    tiexin("org", "close", "第三支部")
    assert "还有4人" in tiexin.no("org", "close", "第一支部")


def test_an_ambiguous_name_lists_the_paths(tiexin: Admin) -> None:
    tiexin("org", "add", "甲组", "--under", "第一支部")
    tiexin("org", "add", "甲组", "--under", "第二支部")
    said = tiexin.no("org", "close", "甲组")
    assert "海川公司党委/第一支部/甲组" in said
    assert "海川公司党委/第二支部/甲组" in said


def test_somebody_is_added_shown_changed_and_leaves(tiexin: Admin) -> None:
    tiexin("member", "add", "1010", "何田", "--branch", "DW01", "--kind", "群众", "--phone", "17000000010")
    tiexin("member", "edit", "1010", "--kind", "入党申请人", "--branch", "第二支部")
    shown = tiexin.json("member", "show", "1010")
    assert (shown["kind"], shown["path"], shown["phone"]) == ("入党申请人", "海川公司党委/第二支部", "17000000010")
    assert "何田" in tiexin("member", "list", "org:第二支部")
    tiexin("member", "leave", "1010")
    assert "何田" not in tiexin("member", "list")
    assert [who["number"] for who in tiexin.json("member", "list", "--left")] == ["1010"]
    assert "转出" in tiexin.no("member", "code", "1010")
    tiexin("member", "edit", "1010", "--returned")
    assert "何田" in tiexin("member", "list")


def test_whom_as_names_is_responsible_and_has_their_rights_only(tiexin: Admin) -> None:
    assert {who["org"] for who in tiexin.json("--as", "1002", "member", "list")} == {"第一支部"}
    assert "没有找到" in tiexin.no("--as", "1002", "member", "show", "2001")
    tiexin("member", "edit", "1001", "--gender", "女", "--as=1002")
    entry = tiexin.json("audit", "log", "--limit", "1")[0]
    assert (entry["name"], entry["via"], entry["action"], entry["subject"]) == (
        "李书记",
        "cli",
        "member.edit",
        "1001",
    )
    assert "nobody here" in tiexin.no("--as", "9", "member", "list", ends=WRONG)


def test_the_operator_is_responsible_where_nobody_is_named(tiexin: Admin) -> None:
    tiexin.environment["TIEXIN_ORG__OPERATOR"] = "10001"
    tiexin("office", "appoint", "1001", "组织委员")
    assert tiexin.json("audit", "log", "--limit", "1")[0]["name"] == "10001"
    tiexin("office", "end", "1001", "组织委员")
    assert "1001" not in [who["number"] for who in tiexin.json("office", "list")]


def test_a_code_binds_and_is_nowhere_in_the_database(tiexin: Admin, house: House) -> None:
    code = tiexin.json("member", "code", "1001")["code"]
    chat = house.chat("周", "telegram", "a phone")
    chat.say(code)
    assert "绑定好了" in chat.tap("同意")
    content = (tiexin.folder / "tiexin.db").read_bytes() + (tiexin.folder / "tiexin.db-wal").read_bytes()
    assert code.replace("-", "").encode() not in content
    assert tiexin.json("member", "unbind", "1001")["released"] == ["telegram"]


def test_a_page_of_slips_has_a_code_for_everybody_who_is_not_bound(tiexin: Admin, house: House) -> None:
    house.chat("王芳")
    out = tiexin.folder / "slips.html"
    made = tiexin.json("member", "codes", "org:第一支部", "--out", str(out), "--telegram", "tiexin_bot")
    page = out.read_text()
    assert (made["slips"], len(set(CODE.findall(page))), page.count("<svg")) == (3, 3, 3)
    assert "王芳" not in page
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert "http-equiv" in page
    assert not re.search(r'(src|href)="', page)
    assert "there already" in tiexin.no("member", "codes", "all", "--out", str(out))
    tiexin("member", "codes", "org:第二支部", "--out", str(out), "--overwrite")
    stranger = house.chat("周", "telegram", "another phone")
    stranger.say(CODE.findall(out.read_text())[0])
    assert "绑定好了" in stranger.tap("同意")


def test_slips_for_a_scope_beyond_reach_are_refused(tiexin: Admin) -> None:
    said = tiexin.no("--as", "1002", "member", "codes", "org:第二支部", "--out", str(tiexin.folder / "s.html"))
    assert "超出" in said
    assert not (tiexin.folder / "s.html").exists()


# -- member import --------------------------------------------------------------------------------------------


def test_a_dry_run_stores_nothing(tiexin: Admin) -> None:
    before = tiexin.json("member", "list")
    plan = tiexin.json("member", "import", tiexin.file("r.csv", WANG_FANG), "--dry-run")
    assert (plan["dry_run"], [one["number"] for one in plan["add"]], plan["done"]) == (True, ["0007"], None)
    assert tiexin.json("member", "list") == before
    assert tiexin.json("audit", "log") == []


def test_the_log_speaks_of_one_time_only(tiexin: Admin, house: House) -> None:
    """The hour in the details stood in UTC beside one of Beijing."""
    with house.app.database.write() as tx:
        audit.record(tx, house.now, audit.OPERATOR, "notice.send", "notice 1", at=house.now)
    said = tiexin("audit", "log")
    assert said.count("2026-11-24 10:00:00") == 2
    assert "+00:00" not in said


def test_a_bad_row_is_rejected_alone_and_the_import_ends_with_three(tiexin: Admin) -> None:
    bad: dict[str, Cell] = {**LI, "员工号": "0009", "手机": "1"}
    said = tiexin("member", "import", tiexin.file("r.csv", WANG_FANG, bad), ends=PARTLY)
    assert "第3行：手机号不对" in said
    assert [who["number"] for who in tiexin.json("member", "list", "member:0007")] == ["0007"]
    assert "没有找到" in tiexin.no("member", "show", "0009")


def test_changes_wait_for_accept_changes(tiexin: Admin) -> None:
    tiexin("member", "import", tiexin.file("r.csv", WANG_FANG))
    moved = tiexin.file("r.csv", {**WANG_FANG, "所在支部": "第二支部"})
    assert tiexin.json("member", "import", moved, ends=PARTLY)["changes"][0]["new"] == "第二支部"
    assert tiexin.json("member", "show", "0007")["path"].endswith("第一支部")
    tiexin("member", "import", moved, "--accept-changes")
    assert tiexin.json("member", "show", "0007")["path"].endswith("第二支部")
    assert tiexin.json("member", "import", moved)["unchanged"] == 1


def test_many_rows_go_in_by_many_short_transactions(tiexin: Admin) -> None:
    rows: list[dict[str, Cell]] = [
        {"员工号": f"5{n:03d}", "姓名": f"同志{n}", "所在支部": "第二支部", "人员类别": "群众"} for n in range(300)
    ]
    assert tiexin.json("member", "import", tiexin.file("r.csv", *rows))["done"]["added"] == 300
    imports = [
        entry for entry in tiexin.json("audit", "log", "--action", "roster.import") if entry["subject"] == "r.csv"
    ]
    assert len(imports) > 1
    assert sum(len(entry["details"]["added"]) for entry in imports) == 300


def test_branches_that_are_not_known_are_added_if_that_is_wanted(tiexin: Admin) -> None:
    file = tiexin.file("r.csv", {**WANG_FANG, "所在支部": "子公司/第九支部"})
    assert tiexin.json("member", "import", file, ends=PARTLY)["problems"][0]["reason"] == "unknown_branch"
    planned = tiexin.json("member", "import", file, "--add-branches", "--dry-run")
    assert (len(planned["add"]), planned["problems"]) == (1, []), "what it would do with them"
    assert "第九支部" not in tiexin("org", "tree"), "a rehearsal keeps nothing"
    assert tiexin.json("member", "import", file, "--add-branches")["new_branches"] == ["子公司/第九支部"]
    assert tiexin.json("member", "show", "0007")["path"] == "海川公司党委/子公司/第九支部"


def test_a_file_that_cannot_be_read_is_refused_in_one_line(tiexin: Admin) -> None:
    (tiexin.folder / "r.xls").write_bytes(b"%PDF-1.7")
    assert "PDF" in tiexin.no("member", "import", str(tiexin.folder / "r.xls"))
    said = tiexin.no("member", "import", "none.csv", ends=WRONG)
    assert said.strip() == "none.csv cannot be read (No such file or directory)", "no errno"


def test_an_export_is_for_its_owner_only_and_imports_again(tiexin: Admin) -> None:
    out = str(tiexin.folder / "out.xlsx")
    tiexin("member", "export", out)
    assert stat.S_IMODE(os.stat(out).st_mode) == 0o600
    again = tiexin.json("member", "import", out)
    assert (again["unchanged"], again["changes"], again["absent"]) == (7, [], [])
    assert "there already" in tiexin.no("member", "export", out)


# -- rules, clock, check ----------------------------------------------------------------------------------------


def test_a_file_of_cases_is_judged(tiexin: Admin) -> None:
    cases = [
        {"id": "a", "kind": "wage", "input": {"base": "5400.00"}, "expect": {"due": "81.00"}},
        {"id": "b", "kind": "wage", "input": {"base": "3000.00"}, "expect": {"due": "30.00"}},
        {"id": "c", "kind": "weather", "input": {}, "expect": {"rain": True}},
    ]
    file = tiexin.folder / "cases.json"
    file.write_text(json.dumps(cases))
    judged = tiexin.json("rules", "check", str(file), ends=REFUSED)
    assert (judged["agreeing"], judged["not_judged"]) == (1, {"weather": 1})
    assert [(one["id"], one["got"]) for one in judged["disagreeing"]] == [("b", "15.00")]
    file.write_text(json.dumps([cases[0], cases[2]]))
    assert "1 agree, 0 disagree, 1 not judged" in tiexin("rules", "check", str(file))
    file.write_text("{}")
    assert "must be a list of cases" in tiexin.no("rules", "check", str(file), ends=WRONG)


def test_the_rules_are_listed_and_shown(tiexin: Admin) -> None:
    rules = [rule["rule"] for rule in tiexin.json("rules", "list")]
    assert rules == ["dues", "columns", "terms", "stages", "reports", "rights"]
    assert "category" in json.dumps(tiexin.json("rules", "show", "dues"))
    assert "there are dues" in tiexin.no("rules", "show", "weather", ends=WRONG)


def test_the_clock_does_what_is_due_at_the_moment_given(tiexin: Admin, house: House) -> None:
    from tests.polls import open_poll

    open_poll(house, hours=24)
    assert tiexin.json("clock", "--now", NOW.isoformat())["done"] == 0
    first, *more = [tiexin.json("clock", "--now", "2026-11-25T10:00")["done"] for _ in range(8)]
    assert first > 0  # on the clock of Beijing
    assert more[-1] == 0, "the poll is closed once, and each round of reminders begun once"


def test_check_says_what_works_and_what_is_to_be_done(tiexin: Admin, bare: Admin) -> None:
    assert all(line["works"] for line in tiexin.json("check"))
    (tiexin.folder / "key").write_bytes(os.urandom(32))
    tiexin.environment["TIEXIN_SERVER__PUBLIC_URL"] = "http://tiexin.example.org"
    (tiexin.folder / "key").chmod(0o644)
    lines = {line["part"]: line for line in tiexin.json("check", ends=REFUSED)}
    assert [part for part, line in lines.items() if not line["works"]] == ["key", "web chat"]
    assert all(line["remedy"] for line in lines.values() if not line["works"])
    bare.environment["TIEXIN_ORG__LANGUAGE"] = "de"
    assert "NO  configuration: org.language" in bare("check", ends=WRONG)


def test_check_knows_a_key_that_did_not_seal_the_database(tiexin: Admin) -> None:
    tiexin("member", "edit", "1001", "--phone", "17000000001")
    (tiexin.folder / "key").write_bytes(os.urandom(32))
    lines = {line["part"]: line for line in tiexin.json("check", ends=REFUSED)}
    assert "did not seal" in lines["key"]["found"]
