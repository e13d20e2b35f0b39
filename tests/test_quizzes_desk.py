"""Can a secretary hold an examination in the chat: open, look after, remind, end, take it away as a sheet?"""

from __future__ import annotations

import io
from datetime import UTC, datetime
from fractions import Fraction

import openpyxl
import pytest

from handlers.quizzes import desk, results
from handlers.reminders.desk import CAMPAIGN
from storage import audit, campaigns, people, quizzes
from storage.audit import OPERATOR
from tests.people import Chat, House
from tests.quizzes import GIFT, bank, best, open_exam, slots


def sit(house: House, name: str, right: int) -> Chat:
    """Somebody answers so many questions rightly and hands in."""
    exam = next(iter(listed(house)))
    chat = house.chat(name)
    chat.say("我要考试")
    chat.tap(exam.title)
    chat.tap("开始答题")
    for one in slots(house, exam, name)[:right]:
        chat.say(best(one))
    if "确定交卷" not in chat.labels:
        chat.tap("交卷")
    chat.tap("确定交卷")
    return chat


def listed(house: House) -> list[quizzes.Exam]:
    with house.app.database.read() as tx:
        return quizzes.listed(tx)


def test_results_are_told_by_branch_with_those_who_have_not_sat_it(house_on: House) -> None:
    house = house_on
    exam = open_exam(house, scope="kind:member")
    sit(house, "王芳", 6)
    sit(house, "李书记", 3)
    sit(house, "吴强", 4)
    house.chat("孙明").say("我要考试")
    with house.app.database.read() as tx:
        found = results.results(tx, house.now, OPERATOR, exam.id)
    first = next(one for one in found.branches if one.name == "第一支部")
    assert (first.expected, first.done, first.average, first.passed) == (3, 2, Fraction(3, 4), 1)
    assert first.missing == ("孙明",)
    assert (found.done, found.expected, found.passed) == (3, 6, 2)
    assert found.average == Fraction(13, 18)
    zhao = house.chat("赵书记")
    zhao.say("考试情况")
    said = zhao.tap("党务小测")
    assert "已交卷 3/6 人，平均72.2分，及格2人（67%）" in said
    assert "还没交卷：孙明" in said
    assert "王芳" not in said, "nobody is put into an order by what they have reached"


def test_only_those_who_have_not_handed_in_are_reminded_and_not_twice_in_a_minute(house: House) -> None:
    exam = open_exam(house, scope="org:第一支部")
    sit(house, "王芳", 1)
    li = house.chat("李书记")
    li.say("考试情况")
    li.tap("党务小测")
    assert "正在提醒还没交卷的 3 人" in li.tap("提醒还没交卷的3人")
    assert "刚刚提醒过了" in li.tap("提醒还没交卷的3人")
    with house.app.database.read() as tx:
        nudge = campaigns.about(tx, "quiz", exam.id)[-1]
        assert set(campaigns.recipients(tx, nudge.id)) == {house.ids[n] for n in ("李书记", "孙明", "陈晓")}
    message = house.compose(nudge, "孙明")
    assert message is not None
    assert "这场考试还在等您" in message.text
    sit(house, "孙明", 0)
    assert "您已交卷" in getattr(house.compose(nudge, "孙明"), "text", ""), (
        "a copy that is there is brought up to date"
    )


def test_an_examination_ended_early_hands_in_what_is_being_written(house_on: House) -> None:
    house = house_on
    exam = open_exam(house, org="第一支部", scope="org:第一支部")
    wang = house.chat("王芳")
    wang.say("我要考试")
    wang.tap("党务小测")
    wang.tap("开始答题")
    shown = slots(house, exam, "王芳")
    wang.say(best(shown[0]))
    house.later(minutes=10)
    li = house.chat("李书记")
    li.say("考试情况")
    li.tap("党务小测")
    assert "正在答的会马上自动交卷" in li.tap("现在结束")
    assert "已结束" in li.tap("确定结束")
    assert "已在" in wang.say(best(shown[1])) or "已经交卷" in wang.text
    with house.app.database.read() as tx:
        found = quizzes.of_person(tx, exam.id, house.ids["王芳"])
        assert found is not None
        assert (found.score, found.handed_in_by) == (Fraction(1), "closing")
        assert [event["action"] for event in audit.log(tx, action="quiz.close")] == ["quiz.close"]
    assert "已在" in li.tap("确定结束")


def test_more_papers_than_a_tick_takes_are_handed_in_by_the_next(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "BATCH", 2)
    exam = open_exam(house)
    for name in ("王芳", "李书记", "孙明", "陈晓", "吴强"):
        chat = house.chat(name)
        chat.say("我要考试")
        chat.tap("党务小测")
        chat.tap("开始答题")
    house.later(hours=24)
    house.tick()
    assert [one.state for one in listed(house)] == ["open"]
    house.tick()
    house.tick()
    assert [one.state for one in listed(house)] == ["closed"]
    with house.app.database.read() as tx:
        assert quizzes.counts(tx, exam.id) == (5, 7)
        assert len(campaigns.about(tx, "quiz_result", exam.id)) == 1


def test_the_sheet_has_a_page_by_branch_and_one_by_name(house: House) -> None:
    exam = open_exam(house, scope="org:第一支部")
    sit(house, "王芳", 3)
    house.person("=HYPERLINK(1)", "1009")
    with house.app.database.write() as tx:
        people.change(tx, house.ids["孙明"], name="=1+1")
        book = openpyxl.load_workbook(io.BytesIO(results.export(tx, house.now, OPERATOR, exam.id)))
        assert [event["action"] for event in audit.log(tx, action="quiz.export")] == ["quiz.export"]
    branches = [[cell.value for cell in row] for row in book["支部"].rows]
    assert branches[1] == ["第一支部", 4, 1, 3, 50, 0]
    rows = [[cell.value for cell in row] for row in book["名单"].rows]
    assert [row[2:4] for row in rows[1:]] == [
        ["李书记", "未参加"], ["=1+1", "未参加"], ["陈晓", "未参加"], ["王芳", "已交卷"],
    ]  # fmt: skip
    assert rows[-1][5:] == [50, "否"]
    assert book["名单"]["C3"].data_type == "s", "a name is no formula"


def test_somebody_who_has_left_is_not_asked_any_more_and_what_they_wrote_counts(house: House) -> None:
    exam = open_exam(house, scope="org:第一支部")
    sit(house, "王芳", 6)
    with house.app.database.write() as tx:
        for name in ("王芳", "孙明"):
            people.change(tx, house.ids[name], left_on=house.now.date())
        found = results.results(tx, house.now, OPERATOR, exam.id)
        assert desk.silent(tx, house.now, OPERATOR, exam.id) == [house.ids["李书记"], house.ids["陈晓"]]
    assert (found.done, found.expected) == (1, 3)


def test_who_has_not_handed_in_is_reminded_once_before_the_end(house: House) -> None:
    closes = datetime(2026, 11, 27, 10, 0, tzinfo=UTC)  # Friday, 18:00 in Beijing
    open_exam(house, scope="org:第一支部", hours=(closes - house.now).total_seconds() / 3600)
    sit(house, "王芳", 2)
    heard: list[tuple[str, str]] = []
    names, seen = {number: name for name, number in house.ids.items()}, set[int]()
    for _ in range(180):
        while house.tick():
            pass
        with house.app.database.read() as tx:
            for telling in campaigns.sent_by(tx, house.now):
                if telling.kind == CAMPAIGN and telling.id not in seen:
                    seen.add(telling.id)
                    for person in campaigns.recipients(tx, telling.id):
                        message = house.app.reception.compose(tx, house.now, telling, person)
                        if message and "党务小测" in message.text:
                            heard.append((names[person], message.text))
        house.later(minutes=30)
    assert sorted(name for name, _ in heard) == sorted(["李书记", "孙明", "陈晓"])
    assert all(
        "考试「党务小测」2026年11月27日（周五）18:00（北京时间）结束，您还没有参加" in text for _, text in heard
    )


# -- questions in a file ------------------------------------------------------------------------------------------


def test_a_secretary_hands_over_a_file_of_questions_and_draws_from_it(house_on: House) -> None:
    house = house_on
    zhao = house.chat("赵书记", "web")
    bad = GIFT + "\n::坏的::没有答案？{=对 ~%50 错\n"
    said = zhao.hand("题目.gift", bad.encode())
    assert "新题6道" in said
    assert "· 小测：6道" in said
    assert "左花括号 { 没有配上右花括号 }。（这道题没有收）" in said
    assert "收进题库了：新题6道" in zhao.tap("收进题库（6道）")
    assert "已经处理过" in zhao.tap("收进题库（6道）")
    again = zhao.hand("题目.gift", GIFT.replace("{#12", "{#24").encode())
    assert "没有可以收进题库的新题" not in again
    assert "修改1道，题库里已有5道" in again
    assert "没有收进题库" in zhao.tap("先不收")
    zhao.say("组织考试")
    zhao.say("小测")
    assert "小测（6题）" in zhao.labels


def test_a_file_of_questions_is_nothing_to_a_member(house: House) -> None:
    wang = house.chat("王芳", "web")
    assert "题库和考试由" in wang.hand("题目.gift", GIFT.encode())


def test_a_file_with_a_mark_of_secrecy_is_refused(house: House) -> None:
    zhao = house.chat("赵书记", "web")
    assert "秘密" in zhao.hand("机密★题目.gift", GIFT.encode())
    with house.app.database.read() as tx:
        from storage import banks

        assert banks.of_org(tx, house.orgs["海川公司党委"].id, "自有题库") is None


def test_a_branch_draws_from_its_own_bank_and_those_above_it_only(house_on: House) -> None:
    house = house_on
    bank(house, GIFT.replace("小测", "一支部的题"), org="第一支部")
    bank(house, GIFT.replace("小测", "党委的题"), org="海川公司党委")
    seen = {}
    for name in ("李书记", "钱书记"):
        chat = house.chat(name)
        chat.say("组织考试")
        chat.say("年底小测")
        seen[name] = {label.partition("（")[0] for label in chat.labels}
    assert {"一支部的题", "党委的题"} <= seen["李书记"]
    assert "党委的题" in seen["钱书记"]
    assert "一支部的题" not in seen["钱书记"]
