"""Can everybody sit an examination as they like, does every acknowledged answer count, and once?"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from handlers.quizzes import rules
from storage import campaigns, quizzes
from tests.people import Chat, House
from tests.quizzes import best, open_exam, paper, slots


def sit(house: House, name: str = "王芳", channel: str = "telegram") -> Chat:
    """Somebody in front of the first question."""
    chat = house.chat(name, channel)
    chat.say("我要考试")
    chat.tap("党务小测")
    chat.tap("答题")
    return chat


def answers(house: House, exam: Any, name: str = "王芳") -> dict[int, Any]:
    found = paper(house, exam, name)
    assert found is not None
    return found.answers


def at(house: House, exam: Any, kind: type[rules.Question], name: str = "王芳") -> int:
    """Where the question of this kind stands for somebody."""
    return next(one.at for one in slots(house, exam, name) if isinstance(one.question, kind))


def go_to(chat: Chat, place: int) -> None:
    for _ in range(place):
        chat.tap("下一题")


def test_who_answers_everything_rightly_gets_a_hundred_points(house_on: House) -> None:
    exam = open_exam(house_on)
    wang = sit(house_on)
    for one in slots(house_on, exam, "王芳"):
        wang.say(best(one))
    assert "都答完了" in wang.text
    assert "得分：100分（满分100，共6题），及格" in wang.tap("确定交卷")
    found = paper(house_on, exam, "王芳")
    assert found is not None
    assert (found.score, found.handed_in_by) == (Fraction(6), "self")


def test_every_kind_of_question_can_be_answered_by_taps(house: House) -> None:
    exam = open_exam(house)
    wang = sit(house)
    shown = slots(house, exam, "王芳")
    for one in shown:
        solution = rules.solution(one.question)
        if isinstance(solution, bool):
            wang.tap("对" if solution else "错")
        elif isinstance(solution, int):
            wang.tap(f"{one.letter(solution)}. ")
        elif isinstance(solution, frozenset):
            for place in solution:
                wang.tap(f"☐ {one.letter(place)}")
            wang.tap("确定（已选2项）")
        elif isinstance(solution, tuple):
            for given in solution:
                wang.tap(one.letter(given or 0))
        else:
            wang.say(str(solution))
    assert "都答完了" in wang.text
    assert "得分：100分" in wang.tap("确定交卷")


def test_an_answer_can_be_changed_until_handing_in_and_never_after(house: House) -> None:
    exam = open_exam(house)
    wang = sit(house)
    place = at(house, exam, rules.TrueFalse)
    go_to(wang, place)
    wang.tap("对")
    stale = wang.key("对").payload or ""
    wang.tap("上一题")
    assert "目前的答案：对" in wang.text
    wang.tap("错")
    assert answers(house, exam)[slots(house, exam, "王芳")[place].place] is False
    wang.tap("交卷")
    assert "还没答的：第" in wang.text
    wang.tap("确定交卷")
    score = paper(house, exam, "王芳")
    assert "不能再改" in wang.press(stale)
    after = paper(house, exam, "王芳")
    assert score is not None
    assert after is not None
    assert (after.score, after.kept) == (score.score, score.kept) == (Fraction(1), score.kept)


def test_marks_count_as_they_are_made_and_can_be_taken_off(house: House) -> None:
    exam = open_exam(house)
    wang = sit(house)
    go_to(wang, at(house, exam, rules.MultipleChoice))
    one = slots(house, exam, "王芳")[at(house, exam, rules.MultipleChoice)]
    wang.tap("☐ A")
    wang.tap("☐ B")
    wang.tap("☑ A")
    assert answers(house, exam)[one.place] == [one.shown[1]]
    assert "确定（已选1项）" in wang.labels
    assert "目前的答案：B" in wang.text
    assert "目前的答案" not in wang.tap("☑ B"), "no empty answer is read back"


def test_pairs_are_matched_one_by_one_and_can_be_taken_apart(house: House) -> None:
    exam = open_exam(house)
    wang = sit(house)
    place = at(house, exam, rules.Matching)
    go_to(wang, place)
    one = slots(house, exam, "王芳")[place]
    first = wang.key("B").payload or ""
    wang.tap("B")
    wang.press(first)  # a double tap answers the same pair again, not the next
    assert answers(house, exam)[one.place] == [one.shown[1], None]
    wang.tap("重新配对")
    assert one.place not in {p for p, given in answers(house, exam).items() if given}
    wang.tap("A")
    assert "已记下：1-A 2-B" in wang.tap("B")


@pytest.mark.parametrize(
    ("kind", "typed", "stands"),
    [
        (rules.TrueFalse, "对", "对"),
        (rules.TrueFalse, " 错误。", "错"),
        (rules.TrueFalse, "×", "错"),
        (rules.TrueFalse, "Ｔ", "对"),
        (rules.SingleChoice, "b", "B"),
        (rules.SingleChoice, "Ｃ", "C"),
        (rules.SingleChoice, "2", "B"),
        (rules.SingleChoice, "我选A", "A"),
        (rules.SingleChoice, "每季度", "C"),
        (rules.MultipleChoice, "A、C", "A、C"),
        (rules.MultipleChoice, "c a", "A、C"),
        (rules.MultipleChoice, "１，３", "A、C"),
        (rules.MultipleChoice, "AC", "A、C"),
        (rules.Matching, "1-b 2-a", "1-B 2-A"),
        (rules.Matching, "１－ｂ，２－ａ", "1-B 2-A"),
        (rules.Matching, "ba", "1-B 2-A"),
        (rules.Numerical, "１２", "１２"),
        (rules.Numerical, "十二", "十二"),
        (rules.ShortAnswer, "答：党费", "党费"),
        (rules.ShortAnswer, "主题党日活动", "主题党日活动"),
    ],
)
def test_what_people_type_is_understood(house: House, kind: type[rules.Question], typed: str, stands: str) -> None:
    exam = open_exam(house)
    wang = sit(house)
    place = at(house, exam, kind)
    go_to(wang, place)
    wang.say(typed)
    assert f"第{place + 1}题已记下：{stands}" in wang.text


@pytest.mark.parametrize(
    ("kind", "typed"),
    [
        (rules.TrueFalse, "也许"),
        (rules.SingleChoice, "A、B"),
        (rules.SingleChoice, "Z"),
        (rules.SingleChoice, "9"),
        (rules.MultipleChoice, "A、Z"),
        (rules.Matching, "1-Z"),
        (rules.Matching, "3-A"),
        (rules.Numerical, "不少"),
    ],
)
def test_what_cannot_be_an_answer_is_asked_again(house: House, kind: type[rules.Question], typed: str) -> None:
    exam = open_exam(house)
    wang = sit(house)
    place = at(house, exam, kind)
    go_to(wang, place)
    assert "没看懂这个答案，没有记下" in wang.say(typed)
    assert f"第{place + 1}/6题" in wang.text
    assert answers(house, exam) == {}


def test_where_buttons_are_words_handing_in_is_typed_twice(house: House) -> None:
    """After a word that was not understood nothing on the page could be typed any more."""
    exam = open_exam(house)
    wang = house.chat("王芳", "wechat")
    for word in ("我要考试", "1", "1", "交卷"):
        wang.say(word)
    assert "确定交卷" in wang.labels
    assert wang.say("嗯嗯").startswith("没看懂，卷子还没有交。")
    assert "第1/6题" in wang.say("1"), "the numbers still stand"
    wang.say("交卷")
    assert "「党务小测」已交卷" in wang.say("交卷。")
    kept = paper(house, exam, "王芳")
    assert kept is not None
    assert kept.handed_in_by == "self"


def test_a_command_is_still_a_command_while_a_question_stands(house: House) -> None:
    exam = open_exam(house)
    wang = sit(house)
    assert "帮助" in wang.say("帮助") or "我能" in wang.text
    assert "没看懂" not in wang.say("12"), "the question does not stand here any more"
    assert answers(house, exam) == {}


def test_a_report_half_written_outlives_an_examination(house: House) -> None:
    open_exam(house)
    sun = house.chat("孙明")
    sun.say("思想汇报")
    sun.say("这个月我参加了两次主题党日，")
    sun = sit(house, "孙明")
    sun.tap("下一题")
    sun.tap("继续填「思想汇报」")
    assert "已经收到14字" in sun.text


def test_a_person_on_two_channels_writes_one_paper(house: House) -> None:
    exam = open_exam(house)
    there, here = sit(house), sit(house, channel="wechat")
    shown = slots(house, exam, "王芳")
    for one in shown[:3]:
        there.say(best(one))
    here.say("我要考试")
    assert "已答3题" in here.text
    here.tap("党务小测")
    here.tap("继续答题")
    assert "第4/6题" in here.text
    for one in shown[3:]:
        here.say(best(one))
    here.tap("确定交卷")
    assert "得分：100分" in here.text
    assert "已经交卷" in there.tap("交卷") or "得分：100分" in there.text
    with house.app.database.read() as tx:
        assert sum(one.paper is not None for one in quizzes.standing(tx, exam.id)) == 1


def test_a_tap_delivered_twice_toggles_once(house: House) -> None:
    exam = open_exam(house)
    wang = sit(house)
    place = at(house, exam, rules.MultipleChoice)
    go_to(wang, place)
    payload = wang.key("☐ A").payload or ""
    wang.press(payload, "u1")
    wang.press(payload, "u1")
    one = slots(house, exam, "王芳")[place]
    assert answers(house, exam)[one.place] == [one.shown[0]]


def test_at_the_end_what_was_acknowledged_is_handed_in_by_itself(house_on: House) -> None:
    house = house_on
    exam = open_exam(house)
    wang = sit(house)
    shown = slots(house, exam, "王芳")
    for one in shown[:2]:
        wang.say(best(one))
    house.later(hours=24)
    late = wang.say(best(shown[2]))
    assert "已在2026年11月25日（周三）10:00（北京时间）结束" in late
    assert house.tick() >= 1
    house.tick()
    found = paper(house, exam, "王芳")
    assert found is not None
    assert (found.score, found.handed_in_by, found.handed_in_at) == (Fraction(2), "clock", exam.closes_at)
    assert paper(house, exam, "孙明") is None
    with house.app.database.read() as tx:
        (telling,) = campaigns.about(tx, "quiz_result", exam.id)
        assert campaigns.recipients(tx, telling.id) == [house.ids["王芳"]]
    said = wang.see(house.compose(telling, "王芳"))
    assert "时间到，已自动交卷" in said
    assert "得分：33.3分（满分100，共6题），没有达到60分的及格线" in said


def test_the_copies_of_the_announcement_say_that_one_has_handed_in(house: House) -> None:
    exam = open_exam(house)
    with house.app.database.read() as tx:
        (telling,) = campaigns.about(tx, "quiz", exam.id)
    wang = house.chat("王芳")
    assert "【考试】党务小测" in wang.see(house.compose(telling, "王芳"))
    wang.tap("开始答题")
    wang.tap("交卷")
    wang.tap("确定交卷")
    assert "您已交卷" in wang.see(house.compose(telling, "王芳"))
    assert "得分" in wang.tap("看得分")
    assert house.compose(telling, "孙明") is not None
    house.later(hours=25)
    house.tick()
    assert house.compose(telling, "孙明") is None, "nobody is asked to what is over"


def test_an_examination_for_later_begins_by_itself(house: House) -> None:
    opens = house.now.replace(hour=6)
    exam = open_exam(house, hours=48, opens=opens)
    wang = house.chat("王芳")
    assert exam.state == "waiting"
    assert "眼下没有要您参加的考试" in wang.say("我要考试")
    house.later(hours=4)
    house.tick()
    assert "党务小测" in wang.say("我要考试")


def test_editing_a_bank_changes_nothing_in_an_examination_that_runs(house: House) -> None:
    from tests.quizzes import GIFT, bank

    exam = open_exam(house)
    before = slots(house, exam, "王芳")
    bank(house, GIFT.replace("{#12 ", "{#24 ").replace("每周", "每天"))
    wang = sit(house)
    assert slots(house, exam, "王芳") == before
    for one in before:
        wang.say(best(one))
    assert "得分：100分" in wang.tap("确定交卷")


def test_everybody_gets_the_same_questions_each_in_an_order_of_their_own(house: House) -> None:
    exam = open_exam(house)
    orders = {name: [one.place for one in slots(house, exam, name)] for name in house.ids}
    assert {tuple(sorted(order)) for order in orders.values()} == {tuple(range(6))}
    assert len({tuple(order) for order in orders.values()}) > 3


def test_me_and_the_desk_show_what_waits(house: House) -> None:
    open_exam(house)
    assert "考试「党务小测」，2026年11月25日（周三）10:00（北京时间）结束（还没开始）" in house.chat("王芳").say(
        "我的"
    )
    wang = sit(house)
    assert "已开始，没交卷" in wang.say("我的")
    wang.tap("党务小测")
    wang.tap("继续答题")
    wang.tap("交卷")
    wang.tap("确定交卷")
    assert "党务小测" not in wang.say("我的")
    assert "考试「党务小测」已交卷 1/7" in house.chat("赵书记").say("工作台")
