"""Who may read a statement of dues, from the desk and from the command line, and what does it say?"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli.main import app
from bot.core.reply import Refused
from handlers.dues import desk
from storage import audit, people
from storage.audit import OPERATOR, Actor
from tests.people import House

REGULATION = "《关于中国共产党党费收缴、使用和管理的规定》（中组发〔2008〕3号）"


def test_a_statement_of_somebody_else_is_logged_and_ones_own_is_not(house: House) -> None:
    with house.app.database.write() as tx:
        people.change(tx, house.ids["王芳"], dues_category="wage", dues_base=540000)
        wang = people.get(tx, house.ids["王芳"])
        own = desk.statement(tx, house.now, Actor(wang.id, wang.name, "cli"), wang)
        assert audit.log(tx, action="dues.read") == []
        other = desk.statement(tx, house.now, OPERATOR, wang)
        (entry,) = audit.log(tx, action="dues.read")
    assert own == other
    assert own.due is not None
    assert own.due.assessment is not None
    assert (own.branch, own.due.assessment.due_fen) == ("海川公司党委/第一支部", 8100)
    assert (entry["subject"], entry["details"]) == ("1001", {})


def test_nobody_reads_the_statement_of_another_without_the_right(house: House) -> None:
    with house.app.database.write() as tx:
        wang, sun = people.get(tx, house.ids["王芳"]), people.get(tx, house.ids["孙明"])
        with pytest.raises(Refused):
            desk.statement(tx, house.now, Actor(sun.id, sun.name, "cli"), wang)
        assert audit.log(tx, action="dues.read") == []


# -- tiexin dues statement ------------------------------------------------------------------------------------


@pytest.fixture
def tiexin(house: House, tmp_path: Path) -> Callable[..., Result]:
    """The command line in this house."""
    file = tmp_path / "config.toml"
    lines = (f'[database]\nurl = "{house.app.config.database.url}"', f'[security]\nkey_file = "{tmp_path}/key"')
    file.write_text("\n".join(lines), encoding="utf-8")
    return lambda *words: CliRunner().invoke(app, ["dues", *words, "--config", str(file)])


def test_the_operator_reads_a_statement_in_words(house: House, tiexin: Callable[..., Result]) -> None:
    with house.app.database.write() as tx:
        people.change(tx, house.ids["王芳"], dues_category="wage", dues_base=500100)
    said = tiexin("statement", "1001")
    assert said.exit_code == 0
    assert said.output.startswith("王芳（1001），正式党员，海川公司党委/第一支部\n")
    assert "应交：75.02元\n类别：按月领取工资\n基数：5001.00元" in said.output
    assert said.output.endswith(f"依据：{REGULATION}第一条、第二条\n")
    with house.app.database.read() as tx:
        (entry,) = audit.log(tx, action="dues.read")
    assert (entry["name"], entry["subject"]) == ("operator", "1001")


def test_a_statement_is_there_for_programs_as_well(house: House, tiexin: Callable[..., Result]) -> None:
    with house.app.database.write() as tx:
        people.change(tx, house.ids["王芳"], dues_category="wage", dues_base=500100)
    found = json.loads(tiexin("statement", "1001", "--json").output)
    assert (found["number"], found["category"], found["category_assumed"]) == ("1001", "wage", False)
    assert [found[name] for name in ("base", "rate", "exact", "due")] == ["5001.00", "1.5%", "75.015", "75.02"]
    assert (found["assessed"], found["review"], found["ceiling_applied"]) == (True, [], False)
    assert found["basis"] == [f"{REGULATION}第一条、第二条"]
    unsettled = json.loads(tiexin("statement", "1003", "--json").output)
    assert (unsettled["pays"], unsettled["assessed"], unsettled["due"]) == (True, False, None)
    free = json.loads(tiexin("statement", "1004", "--json").output)
    assert (free["pays"], free["basis"]) == (False, [f"{REGULATION}第八条"])


def test_a_statement_says_who_pays_nothing_and_who_is_not_assessed(tiexin: Callable[..., Result]) -> None:
    assert "不交党费。依据：" in tiexin("statement", "1004").output
    assert "：未核定" in tiexin("statement", "1003").output


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["statement", "9999"], "没有员工号是“9999”的人"),
        (["statement", "2001", "--as", "1002"], "您的职务不能在「第二支部」"),
    ],
)
def test_a_no_at_the_command_line_is_one_line_and_exit_1(
    tiexin: Callable[..., Result], words: list[str], answer: str
) -> None:
    said = tiexin(*words)
    assert said.exit_code == 1
    assert said.stdout == ""
    assert answer in said.stderr
    assert said.stderr.count("\n") == 1


def test_a_member_may_ask_for_their_own_statement_at_the_command_line(tiexin: Callable[..., Result]) -> None:
    assert tiexin("statement", "1001", "--as", "1001").exit_code == 0
