"""Does anything that leaves the house before the end say which answer is right?

Two houses hold the same examination and differ in one thing only: which answers are right. Whatever 王芳 does, up to
handing in, both have to say the very same – words, buttons, payloads, toasts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.core.reply import Message
from handlers.quizzes import rules
from handlers.quizzes.reminding import line
from storage import audit, campaigns, quizzes
from storage.reminders import Kept
from tests.admin import Admin, environment_of
from tests.people import Chat, House, build_house
from tests.quizzes import GIFT, RIGHT, bank, open_exam, slots

OTHERWISE = """$CATEGORY: 小测

// [id:t-single]
::大会::支部党员大会一般多久召开一次？{
~每季度
=每周#错了，每季度一次。
~每年
####依据：条例甲
}

// [id:t-several]
::党课::下面哪些属于三会一课？{
~%-50%党课
~%-50%党小组会
~%50%茶话会
~%50%联欢会
####依据：条例乙
}

// [id:t-true]
::预备::预备党员有表决权。{T#####依据：条例丙}

// [id:t-short]
::主题::每月固定的那一天叫什么？{=纪念日 ####依据：条例丁}

// [id:t-number]
::期限::预备期是几个月？{#24 ####依据：条例戊}

// [id:t-pairs]
::任期::请一一配对。{
=基层委员会 -> 三年
=党支部 -> 五年
####依据：条例己
}
"""
"""The same questions, each with another right answer."""


def everything(house: House) -> Iterator[list[Message]]:
    """All that 王芳 is told before she hands in, whatever she does: taps, typed words, rubbish, other commands."""
    exam = open_exam(house)
    wang, sun = house.chat("王芳"), house.chat("孙明", "wechat")
    with house.app.database.read() as tx:
        (telling,) = campaigns.about(tx, "quiz", exam.id)
    wang.see(house.compose(telling, "王芳"))
    wang.say("我要考试")
    wang.tap("党务小测")
    wang.tap("开始答题")
    for one in slots(house, exam, "王芳"):
        wang.say("？？")
        if isinstance(one.question, rules.TrueFalse):
            wang.tap("对")
            wang.tap("上一题")
            wang.tap("错")
        elif isinstance(one.question, rules.SingleChoice):
            for letter in "ABC":
                wang.tap(f"{letter}. ")
                wang.tap("上一题") if "上一题" in wang.labels else None
            wang.tap("下一题") if "下一题" in wang.labels else None
        elif isinstance(one.question, rules.MultipleChoice):
            for letter in "ABCD":
                wang.tap(f"☐ {letter}")
            wang.tap("☑ B")
            wang.tap("确定（已选3项）")
        elif isinstance(one.question, rules.Matching):
            wang.tap("B")
            wang.tap("重新配对")
            wang.say("1-A 2-A")
        else:
            wang.say("12" if isinstance(one.question, rules.Numerical) else "主题党日")
    wang.say("我的")
    wang.say("我要考试")
    wang.tap("党务小测")
    wang.tap("继续答题")
    wang.tap("交卷")
    sun.say("我要考试")
    sun.tap("党务小测")
    sun.tap("开始答题")
    yield wang.heard
    yield sun.heard
    secretary = house.chat("赵书记")
    secretary.say("考试情况")
    secretary.tap("党务小测")
    yield secretary.heard
    with house.app.database.read() as tx:
        kept = Kept(
            1, house.ids["王芳"], "quiz.closing", str(exam.id), exam.id, house.now, exam.closes_at, regulated=False
        )
        said = line(tx, house.now, kept)
        assert said is not None
        yield [Message(house.app.reception.renderer.say(said.words, "zh"))]


@pytest.fixture
def houses(tmp_path: Path) -> Iterator[tuple[House, House]]:
    built = []
    for name, text in (("one", GIFT), ("other", OTHERWISE)):
        (tmp_path / name).mkdir()
        house = build_house(tmp_path / name)
        bank(house, text)
        built.append(house)
    yield built[0], built[1]
    for house in built:
        house.app.database.close()


def test_which_answer_is_right_changes_nothing_that_is_said_before_the_end(houses: tuple[House, House]) -> None:
    for here, there in zip(everything(houses[0]), everything(houses[1]), strict=True):
        assert here == there


def test_no_explanation_leaves_the_house_before_the_end(houses: tuple[House, House]) -> None:
    told = json.dumps([[repr(message) for message in heard] for heard in everything(houses[0])], ensure_ascii=False)
    assert "大会" in told
    assert [words for words in RIGHT if words in told] == []


def test_a_score_comes_at_once_and_the_solutions_when_everybody_is_done(house: House) -> None:
    exam = open_exam(house)
    wang = house.chat("王芳")
    wang.say("我要考试")
    wang.tap("党务小测")
    wang.tap("开始答题")
    wang.tap("交卷")
    handed_in = wang.tap("确定交卷")
    assert "得分：0分" in handed_in
    assert "看解析" not in wang.labels
    from handlers.quizzes.chat import Solutions

    with house.app.database.read() as tx:
        found = quizzes.of_person(tx, exam.id, house.ids["王芳"])
    assert found is not None
    early = wang.press(Solutions(found.id, 0).encode())
    assert "解析要等考试结束" in early
    house.later(hours=24)
    assert "解析要等考试结束" in wang.press(Solutions(found.id, 0).encode()), (
        "papers are handed in by the clock first"
    )
    house.tick()
    assert "依据：条例" in wang.press(Solutions(found.id, 0).encode())
    assert [words for words in RIGHT if words in early + handed_in] == []


def test_an_examination_may_be_set_up_to_explain_at_once(house: House) -> None:
    open_exam(house, at_once=True)
    wang = house.chat("王芳")
    wang.say("我要考试")
    wang.tap("党务小测")
    wang.tap("开始答题")
    wang.tap("交卷")
    wang.tap("确定交卷")
    assert "没有完全答对的有6题" in wang.tap("看解析")
    assert "还有3题" in wang.labels


def test_a_question_of_two_examinations_is_explained_when_both_are_over(house: House) -> None:
    open_exam(house, hours=24)
    open_exam(house, title="另一场", hours=48)
    wang = house.chat("王芳")
    wang.say("我要考试")
    wang.tap("党务小测")
    wang.tap("开始答题")
    wang.tap("交卷")
    wang.tap("确定交卷")
    house.later(hours=25)
    house.tick()
    wang.say("我要考试")
    wang.tap("党务小测")
    said = wang.tap("看解析")
    assert "这道题正在一场考试里用" in said
    assert [words for words in RIGHT if words in said] == []


def test_practice_explains_no_question_of_an_examination_that_runs(house: House) -> None:
    bank(house)
    chen = house.chat("陈晓")
    begun = _practice_in(chen, "小测")
    open_exam(house, scope="member:1001")
    assert "讲解等考试结束后再看" in chen.tap("不会，看解析")
    assert begun
    chen.say("练习")  # whatever is left of the practice is asked in the examination
    assert "小测" not in " ".join(chen.labels)
    assert "眼下没有可以练的题" in _practice_in(chen, "小测")


def _practice_in(chat: Chat, category: str) -> str:
    from bot.core.action import Code
    from handlers.quizzes.banking import code_of
    from handlers.quizzes.practice import Practise

    return chat.press(Practise(Code(code_of(category))).encode())


def test_the_command_line_and_the_log_say_nothing_either(house: House, tmp_path: Path) -> None:
    open_exam(house)
    with house.app.database.read() as tx:
        logged = json.dumps(audit.log(tx), ensure_ascii=False, default=str)
    tiexin = Admin(environment_of(tmp_path), tmp_path)
    shown: list[Callable[[], str]] = [
        lambda: tiexin("quiz", "list"), lambda: tiexin("quiz", "list", "--json"),
        lambda: tiexin("quiz", "results", "1", "--json"), lambda: tiexin("quiz", "results", "1"),
    ]  # fmt: skip
    told = logged + "".join(show() for show in shown)
    assert "党务小测" in told
    assert [words for words in (*RIGHT, "tests") if words in told] == [], "nor the seed, before the end"
