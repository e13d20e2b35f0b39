"""What becomes of a form half filled in when another is begun? It waits, and nothing of it is lost."""

from __future__ import annotations

from bot.core.memory import ASIDE, Draft, Memory
from tests.forms import Forms
from tests.people import NOW
from tests.reports import PHOTO, WORDS


def test_another_form_in_between_loses_nothing_of_the_first(forms: Forms) -> None:
    """Half a report that had been acknowledged was gone when its writer began a study note."""
    wang = forms.house.chat("王芳")
    wang.say("思想汇报")
    assert wang.say(WORDS).startswith("收到，已有53字")
    wang.say("外出报备")
    wang.tap("看病")
    forms.restart()
    for answer in ("2", "明天", "跳过", "坐高铁去，住两晚，周四回来。", "完"):
        wang.say(answer)
    assert wang.tap("提交") == "已报备：2天。"
    assert wang.labels == ["继续填「思想汇报」"]
    forms.restart()
    assert "已经收到53字" in wang.tap("继续填")
    assert wang.say("完").startswith("收到您2026年第四季度的思想汇报，第1版，53字")
    assert "没填完" not in wang.say("您好")


def test_its_word_takes_a_form_up_where_it_was_left(forms: Forms) -> None:
    wang = forms.house.chat("王芳")
    wang.say("思想汇报")
    wang.say(WORDS)
    wang.say("学习心得")
    wang.say("先记清楚班组里每个人的难处。")
    assert "已经收到53字" in wang.say("思想汇报")
    wang.say("完")
    assert "继续填「学习心得」" in wang.labels
    assert "已经收到14字" in wang.say("学习心得")


def test_cancelling_one_leaves_the_other(forms: Forms) -> None:
    wang = forms.house.chat("王芳")
    wang.say("思想汇报")
    wang.say(WORDS)
    wang.say("学习心得")
    assert wang.say("取消").startswith("好的，「学习心得」已取消")
    assert wang.labels == ["继续填「思想汇报」"]
    assert wang.say("取消").startswith("现在没有正在填写的内容"), "nothing stands open here"
    assert "已经收到53字" in wang.tap("继续填")


def test_each_chat_goes_on_with_the_question_that_stands_in_it(forms: Forms) -> None:
    phone, browser = forms.house.chat("王芳"), forms.house.chat("王芳", "web")
    phone.say("思想汇报")
    phone.say(WORDS)
    browser.say("外出报备")
    browser.tap("出差")
    assert phone.say("再补一句。").startswith("收到，已有59字")
    assert "去几天" in browser.say("南京")
    assert phone.tap("写完了").startswith("收到您")
    assert "哪天动身" in browser.say("3")


def test_a_button_of_the_form_that_waits_still_works(forms: Forms) -> None:
    wang = forms.house.chat("王芳")
    wang.say("思想汇报")
    wang.say(WORDS)
    done = wang.key("写完了").payload or ""
    wang.say("外出报备")
    wang.tap("看病")
    assert wang.press(done).startswith("收到您")
    assert "去几天" in wang.tap("继续填「外出报备」")


def test_what_has_not_been_begun_does_not_wait(forms: Forms) -> None:
    wang = forms.house.chat("王芳")
    wang.say("思想汇报")
    wang.say("外出报备")
    wang.say("取消")
    assert wang.labels == []


def test_each_that_waits_has_its_own_lifetime(forms: Forms) -> None:
    wang = forms.house.chat("王芳")
    wang.say("外出报备")
    wang.tap("看病")
    wang.say("思想汇报")
    wang.say(WORDS)
    forms.house.later(days=4)
    forms.house.tick()
    assert wang.say("完").startswith("收到您")
    assert wang.labels == ["看一看"], "三天没填的外出报备 is over"


def test_a_photo_of_a_form_that_waits_is_kept(forms: Forms) -> None:
    wang = forms.house.chat("王芳")
    wang.say("思想汇报")
    wang.hand("第一页.png", PHOTO)
    wang.say("外出报备")
    wang.tap("看病")
    forms.house.later(days=2)
    wang.say("2")
    forms.house.later(days=2)
    forms.house.tick()
    wang.say("取消")
    wang.tap("继续填「思想汇报」")
    assert "1个文件" in wang.say("完")


def test_each_form_that_waits_can_be_taken_up(forms: Forms) -> None:
    """Of three forms left half filled in, only the last was ever offered."""
    wang = forms.house.chat("王芳")
    wang.say("思想汇报")
    wang.say(WORDS)
    wang.say("学习心得")
    wang.say("先记清楚班组里每个人的难处。")
    wang.say("外出报备")
    wang.tap("看病")
    three = ["继续填「外出报备」", "继续填「学习心得」", "继续填「思想汇报」"]
    wang.say("帮助")
    assert wang.labels[-3:] == three
    assert wang.say("对了，还有件事") == "您有3份没填完的，要接着填哪一份？"
    assert wang.labels == [*three, "不理会"]
    assert "已经收到53字" in wang.say("3")
    assert wang.say("完").startswith("收到您")
    assert wang.labels[-2:] == three[:2]


def test_of_too_many_the_oldest_goes() -> None:
    memory = Memory()
    for number in range(1, ASIDE + 3):
        memory.put_aside()
        memory.draft = Draft(number, f"form {number}", NOW, {"name": "x"})
    assert [draft.id for draft in memory.drafts] == [7, 6, 5, 4, 3, 2]
