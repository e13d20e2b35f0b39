"""Can an office hold examinations from a shell, and are a file's faults told by line?"""

from __future__ import annotations

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest

from bot.cli.door import PARTLY, REFUSED, WRONG
from handlers.quizzes import gift_problems
from storage import banks, quizzes
from tests.admin import Admin, environment_of
from tests.people import House
from tests.quizzes import GIFT, best, slots

FAULTS = GIFT + "\n::坏::哪个对？{\n=对\n~%150%错\n}\n\n::少::哪个对？{~%100%对}\n"


@pytest.fixture
def tiexin(house: House, tmp_path: Path) -> Admin:
    """The command line of a house with a committee and two branches, today."""
    house.now = datetime.now(UTC)
    return Admin(environment_of(tmp_path), tmp_path)


def written(tiexin: Admin, text: str = GIFT) -> str:
    file = tiexin.folder / "questions.gift"
    file.write_text(text, encoding="utf-8")
    return str(file)


def opened(tiexin: Admin, *more: str, to: str = "all") -> int:
    """An examination of three questions, for three days."""
    tiexin("quiz", "import", written(tiexin))
    until = (datetime.now(UTC) + timedelta(days=3)).strftime("%Y-%m-%d 18:00")
    row = tiexin.json(
        "quiz", "open", "--title", "小测", "--to", to, "--questions", "3", "--until", until, "--category", "小测",
        "--seed", "shell", *more,
    )  # fmt: skip
    return int(row["id"])


def test_a_preview_stores_nothing_and_the_second_run_finds_nothing_new(tiexin: Admin, house: House) -> None:
    file = written(tiexin)
    assert "这是预览" in tiexin("quiz", "import", file, "--dry-run")
    with house.app.database.read() as tx:
        assert banks.of_org(tx, house.orgs["海川公司党委"].id, "自有题库") is None
    row = tiexin.json("quiz", "import", file)
    assert (row["new"], row["changed"], row["same"], row["rejected"]) == (6, 0, 0, 0)
    assert row["categories"] == {"小测": 6}
    assert "已有6道" in tiexin("quiz", "import", file, ends=REFUSED)
    row = tiexin.json("quiz", "import", written(tiexin, GIFT.replace("{#12", "{#24")))
    assert (row["new"], row["changed"], row["same"]) == (0, 1, 5)


def test_a_file_that_is_not_there_is_told_by_its_name(tiexin: Admin) -> None:
    assert "there is none.gift: cannot be read" in tiexin.no("quiz", "import", "there is none.gift", ends=WRONG)


def test_what_is_wrong_is_told_by_line_and_the_rest_is_taken(tiexin: Admin) -> None:
    line = FAULTS[: FAULTS.index("::坏::")].count("\n") + 1
    said = tiexin("quiz", "import", written(tiexin, FAULTS), ends=PARTLY)
    assert f"第{line + 2}行：分值 150% 不在 -100% 到 100% 之间。（这道题没有收）" in said
    assert "至少要有2个答案，现在有1个" in said
    row = tiexin.json("quiz", "import", written(tiexin, FAULTS + "\n::新::对吗？{T}\n"), ends=PARTLY)
    assert [problem["id"] for problem in row["problems"]] == ["weight_out_of_range", "too_few_answers"]
    assert (row["new"], row["rejected"]) == (1, 2)


def test_every_problem_has_its_words_in_both_languages(house: House) -> None:
    for name, values in gift_problems.VALUES.items():
        problem = gift_problems.Problem(name, 7, None, {value: "甲乙丙"[:2] + value for value in values})
        from handlers.quizzes.banking import problem_words

        for language, number in (("zh", "第7行"), ("en", "Line 7")):
            said = house.app.reception.renderer.say(problem_words(problem), language)
            assert number in said
            assert all(f"甲乙{value}" in said for value in values), name
            assert ("left out" in said or "没有收" in said) == (name not in gift_problems.WARNINGS)


def test_essays_and_the_same_question_twice_are_left_out(tiexin: Admin) -> None:
    text = GIFT + "\n::写::谈谈体会{}\n\n// [id:t-true]\n::再来::又一题{T}\n"
    row = tiexin.json("quiz", "import", written(tiexin, text), ends=PARTLY)
    assert (row["new"], len(row["not_asked"]), len(row["twice"]), row["rejected"]) == (6, 1, 1, 1)


def test_an_examination_from_opening_to_the_sheet(tiexin: Admin, house: House) -> None:
    number = opened(tiexin, "--pass", "60")
    wang = house.chat("王芳")
    wang.say("我要考试")
    wang.tap("小测")
    wang.tap("开始答题")
    with house.app.database.read() as tx:
        exam = quizzes.get(tx, number)
    assert exam is not None
    for one in slots(house, exam, "王芳"):
        wang.say(best(one))
    wang.tap("确定交卷")
    row = tiexin.json("quiz", "results", str(number))
    assert (row["done"], row["expected"], row["average"], row["passed"], row["seed"]) == (1, 7, "100", 1, None)
    assert "还没交卷：李书记、孙明、陈晓" in tiexin("quiz", "results", str(number))
    assert tiexin.json("quiz", "nudge", str(number))["nudged"] == 6
    row = tiexin.json("quiz", "close", str(number))
    assert (row["state"], row["seed"]) == ("closed", "shell")
    assert "已在" in tiexin.no("quiz", "close", str(number))
    sheet = tiexin.folder / "out.xlsx"
    tiexin("quiz", "export", str(number), str(sheet))
    assert stat.S_IMODE(sheet.stat().st_mode) == 0o600
    assert openpyxl.load_workbook(sheet)["名单"].max_row == 8
    assert "--overwrite" in tiexin.no("quiz", "export", str(number), str(sheet))
    assert tiexin.json("quiz", "list")[0]["state"] == "closed"


def test_a_rehearsal_opens_nothing(tiexin: Admin) -> None:
    tiexin("quiz", "import", written(tiexin))
    until = (datetime.now(UTC) + timedelta(days=3)).strftime("%Y-%m-%d 18:00")
    row = tiexin.json("quiz", "open", "--title", "小测", "--to", "org:第一支部", "--questions", "3", "--until", until,
                      "--category", "小测", "--dry-run")  # fmt: skip
    assert (row["total"], row["pool"]) == (4, 6)
    assert tiexin.json("quiz", "list") == []


def test_what_cannot_be_opened_is_told_with_its_remedy(tiexin: Admin) -> None:
    tiexin("quiz", "import", written(tiexin))
    until = (datetime.now(UTC) + timedelta(days=3)).strftime("%Y-%m-%d 18:00")
    common = ("quiz", "open", "--title", "小测", "--until", until)
    assert "现在有：小测、党务知识/党费" in tiexin.no(
        *common, "--to", "all", "--questions", "3", "--category", "没有的"
    )
    assert "可以抽1到6题" in tiexin.no(*common, "--to", "all", "--questions", "7", "--category", "小测")
    assert "第二支部" in tiexin.no(*common, "--to", "org:第二支部", "--questions", "3", "--as", "1002")
    assert "--until" in tiexin.no(
        "quiz", "open", "--title", "小测", "--to", "all", "--questions", "3", "--until", "哪天", ends=WRONG
    )
    assert "没有第 99 号考试" in tiexin.no("quiz", "results", "99")


def test_what_is_over_is_said_to_be_over(tiexin: Admin) -> None:
    number = str(opened(tiexin))
    tiexin("quiz", "close", number)
    for verb in ("close", "nudge"):
        assert "答卷都收齐了" in tiexin.no("quiz", verb, number), "what is said to who sits it says nothing here"


def test_a_branch_secretary_sees_their_own_part_of_the_committees_examination(tiexin: Admin) -> None:
    number = opened(tiexin)
    row = tiexin.json("quiz", "results", str(number), "--as", "1002")
    assert [branch["branch"] for branch in row["branches"]] == ["第一支部"]
    assert (row["whole"], row["expected"]) == (False, 4)
    assert "海川公司党委" in tiexin.no("quiz", "close", str(number), "--as", "1002")
    assert "海川公司党委" in tiexin.no("quiz", "results", str(number), "--as", "1001")
