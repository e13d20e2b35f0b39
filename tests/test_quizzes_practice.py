"""Can anybody practise, be told at once why, and stop at any moment?"""

from __future__ import annotations

from bot.core.action import Code
from handlers.quizzes import banking
from handlers.quizzes.practice import Practise
from storage import banks, quizzes
from tests.people import Chat, House
from tests.quizzes import bank

ONE = "$CATEGORY: 一题\n\n下面哪个对？{\n=甲#甲是对的。\n~乙#乙不对。\n####依据：条例\n}\n"


def practise(chat: Chat, category: str) -> str:
    return chat.press(Practise(Code(banking.code_of(category))).encode())


def test_five_questions_each_explained_at_once(house: House) -> None:
    wang = house.chat("王芳")
    wang.say("练习")
    for number in range(1, 6):
        assert f"第{number}/5题" in wang.text
        explained = wang.tap("不会，看解析")
        assert "依据：《" in explained
        wang.tap("下一题" if number < 5 else "看结果")
    assert "一题也没有答" in wang.text
    assert "再练五题" in wang.labels


def test_a_right_answer_and_a_wrong_one_are_told_why(house: House) -> None:
    bank(house, ONE)
    wang = house.chat("王芳")
    practise(wang, "一题")
    said = wang.tap("甲")
    assert said.startswith("答对了。")
    assert "甲是对的。" in said
    assert "您的答案" not in said
    assert "这次练了1题，答对1题。都答对了！" in wang.tap("看结果")
    practise(wang, "一题")
    said = wang.tap("乙")
    assert said.startswith("没答对。")
    assert "乙不对。" in said
    assert "依据：条例" in said


def test_one_may_stop_and_come_back_on_another_channel(house: House) -> None:
    wang, there = house.chat("王芳"), house.chat("王芳", "wechat")
    wang.say("练习")
    wang.tap("不会，看解析")
    wang.tap("下一题")
    assert "/5题" in there.say("练习")
    assert "一题也没有答" in there.tap("不练了")
    assert "已经结束" in wang.tap("不会，看解析")
    assert "第1/5题" in wang.say("练习")


def test_the_same_moment_and_person_draw_the_same_and_others_do_not(house: House) -> None:
    drawn = {}
    for name in ("王芳", "孙明"):
        house.chat(name).say("练习")
        with house.app.database.read() as tx:
            found = quizzes.practice_of(tx, house.ids[name])
        assert found is not None
        drawn[name] = found.sheet
    assert drawn["王芳"] != drawn["孙明"]


def test_practice_that_nobody_finishes_is_thrown_away(house: House) -> None:
    house.chat("王芳").say("练习")
    house.later(days=8)
    house.tick()
    with house.app.database.read() as tx:
        assert quizzes.practice_of(tx, house.ids["王芳"]) is None


def test_the_shipped_bank_is_loaded_once_and_brought_up_to_date(house_on: House) -> None:
    house = house_on
    house.chat("王芳").say("练习")
    with house.app.database.write() as tx:
        bank_ = banks.shipped(tx)
        assert bank_ is not None
        first = banks.questions(tx, [bank_.id])
        assert len(first) > 90
        banks.put(tx, house.now, bank_.id, [], [{"key": first[0].key, "category": "x", "gift": first[1].gift}])
        banks.set_digest(tx, house.now, bank_.id, "an older one")
    house.chat("孙明").say("练习")
    with house.app.database.read() as tx:
        assert banks.questions(tx, [bank_.id]) == first
