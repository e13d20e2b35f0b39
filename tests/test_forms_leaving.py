"""Is a long form ever lost by one word? Where much would be lost 取消 asks once, and where little would, never."""

from __future__ import annotations

import pytest

from tests.applicants import apply
from tests.forms import Forms, fill
from tests.reports import PHOTO, WORDS


def test_a_long_form_is_given_up_only_when_its_writer_is_sure(forms: Forms) -> None:
    wang = forms.house.chat("王芳")
    fill(wang, "看病", "2", "明天")
    assert wang.say("取消") == (
        "「外出报备」里已经填了：\n· 事由\n· 天数\n· 动身\n取消以后，这些都不保存了，找不回来。确定取消吗？"
    )
    assert wang.labels == ["确定取消", "接着填"]
    forms.restart()
    assert wang.tap("接着填") == "（4/5）谁替您值班？没有可以跳过。"
    wang.tap("取消")
    assert wang.tap("确定取消") == "好的，「外出报备」已取消，填过的内容没有保存。"
    assert "目前是" not in wang.say("外出报备")


def test_a_second_cancel_is_sure(forms: Forms) -> None:
    wang = forms.house.chat("王芳")
    fill(wang, "看病", "2", "明天", "跳过")
    wang.say("坐高铁去。")
    assert "· 安排（5字）" in wang.say("取消")
    assert wang.say("取消。").startswith("好的，「外出报备」已取消")


@pytest.mark.parametrize(("word", "gone"), [("1", True), ("确认", True), ("是", True), ("2", False), ("不", False)])
def test_what_is_typed_answers_what_was_asked_and_not_the_form(forms: Forms, word: str, gone: bool) -> None:
    """确认 in a review sends a form off, and a number is an answer to 去几天."""
    wang = forms.house.chat("王芳")
    fill(wang, "看病", "2", "明天", "跳过", WORDS[:40], "完")
    wang.tap("改：天数")
    wang.say("取消")
    said = wang.say(word)
    assert said.startswith("好的，「外出报备」已取消") if gone else "目前是：2" in said
    assert forms.taken == []
    fill(wang, "看病", "2", "明天", "跳过", WORDS[:40], "完")
    wang.say("取消")
    assert wang.say(word).startswith("好的" if gone else "请核对")
    assert forms.taken == []


def test_whoever_simply_writes_on_goes_on(forms: Forms) -> None:
    wang = forms.house.chat("王芳")
    wang.say("思想汇报")
    wang.say(WORDS)
    wang.say("取消")
    assert wang.say("再补一句。").startswith("收到，已有59字")
    assert wang.say("取消").endswith("确定取消吗？"), "what was asked before was for before"


def test_a_double_tap_loses_nothing(forms: Forms) -> None:
    wang = forms.house.chat("王芳")
    wang.say("思想汇报")
    wang.say(WORDS)
    cancel = wang.key("取消").payload or ""
    wang.press(cancel)
    assert wang.press(cancel).endswith("确定取消吗？")
    assert "已经收到53字" in wang.tap("接着填")


def test_a_file_alone_is_worth_asking(forms: Forms) -> None:
    wang = forms.house.chat("王芳")
    wang.say("思想汇报")
    wang.hand("第一页.png", PHOTO)
    assert "（1个文件）" in wang.say("取消")
    wang.language = "en"
    wang.say("语言")
    wang.tap("English")
    wang.tap("Go on with “Thought report”")
    assert "(1 file)" in wang.say("cancel")
    assert wang.labels == ["Yes, cancel", "Keep filling it in"]


def test_where_little_is_lost_nothing_is_asked(forms: Forms) -> None:
    wang, li = forms.house.chat("王芳"), forms.house.chat("李书记")
    fill(wang, "看病", "2")
    assert wang.say("取消").startswith("好的")
    wang.say("病假报备")
    wang.say("2")
    wang.say("明天")
    assert wang.say("取消").startswith("好的"), "the reason came with its beginning"
    li.say("通知模板")
    li.press(next(key.payload or "" for row in li.heard[-1].keys for key in row))
    assert li.say("取消").startswith("好的"), "the pattern is still there"


def test_to_start_again_asks_as_well(forms: Forms) -> None:
    wang, browser = forms.house.chat("王芳"), forms.house.chat("王芳", "web")
    wang.say("思想汇报")
    wang.say(WORDS)
    browser.say("你好")
    assert browser.tap("重新开始").endswith("确定重新开始吗？")
    assert browser.labels == ["确定重新开始", "接着填"]
    assert "已经收到53字" in browser.tap("接着填")
    wang.say("你好")
    wang.tap("重新开始")
    assert "已经收到" not in wang.tap("确定重新开始")


def test_skipping_keeps_what_was_already_sent_for_the_question(forms: Forms) -> None:
    """The review of a withdrawal said 未填 where its reason had been acknowledged."""
    chat = apply(forms.house)
    chat.say("我要入党")
    chat.tap("撤回申请")
    chat.tap("确定撤回")
    assert "跳过" in chat.labels
    chat.say("想再准备准备。")
    assert chat.labels == ["写完了", "取消"]
    assert "· 原因：想再准备准备。" in chat.say("跳过")
