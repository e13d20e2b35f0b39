"""What is said to whatever comes in: slips, nonsense, forgeries, and errors of ours?"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from bot.app import App, capabilities
from bot.core.action import Action, Code
from bot.core.reply import Reply, words
from bot.core.router import Run
from bot.reception import Reception
from handlers import Answer, Capability, Router, Turn
from storage import audit, people
from storage.audit import OPERATOR
from tests.people import Chat, House, build_house
from tests.polls import open_poll, votes


@pytest.fixture(scope="module")
def wide_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One house for many random sentences."""
    built = build_house(tmp_path_factory.mktemp("house"))
    yield built
    built.app.database.close()


# -- slips ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("头票", "投票"), ("toupiao", "投票"), ("dangfei", "党费"), ("党肥", "党费"), ("/hlep", "帮助"),
     ("邦助", "帮助"),     ("jiebang", "解绑")],
)  # fmt: skip
def test_a_slip_is_asked_back_and_one_tap_mends_it(house: House, typed: str, meant: str) -> None:
    wang = house.chat("王芳")
    assert wang.say(typed) == f"您是说「{meant}」吗？"
    assert wang.labels == [meant]
    mended = wang.tap(meant)
    assert mended == wang.say(meant)


def test_a_slash_may_be_left_out_but_not_in_the_middle_of_a_text(house: House) -> None:
    wang, li = house.chat("王芳"), house.chat("李书记")
    assert wang.say("Dues") == wang.say("/dues")
    assert "给支部书记等工作人员用的" in wang.say("broadcast")
    li.say("发通知")
    assert "请写下通知的内容" in li.say("vote")
    assert "请发送支部书记给您的绑定码" in house.chat("周").say("dues")


def test_a_slip_never_suggests_what_is_not_ones_own(house: House) -> None:
    assert house.chat("李书记").say("fa qi toupiao") == "您是说「发起投票」吗？"
    assert "发起投票" not in house.chat("王芳").say("fa qi toupiao")


@pytest.mark.parametrize("text", ["您好", "谢谢！", "🙂", "？", "12", "1", "999999", "مرحبا بالعالم", "ok"])
def test_what_means_nothing_is_answered_kindly(house: House, text: str) -> None:
    wang = house.chat("王芳")
    assert wang.say(text) == "没太明白您的意思。发“帮助”可以看看我能做什么。"
    assert wang.labels == ["帮助"]


@pytest.mark.parametrize("text", ["", "  \n\t", "\u200b\u200e", "\ufeff", "\u202e\u202c", "\x00", "\ud800", "\ufffe"])
def test_a_message_without_words_is_answered_too(house: House, text: str) -> None:
    assert house.chat("王芳").say(text) == "这条消息里没有我能读的文字。发“帮助”可以看看我能做什么。"
    assert "文字" in house.chat("周").say(text)


@pytest.mark.parametrize(
    "text", ["投\u200b票", "\u202e投票\u202c", " 投票\n", "\u2067投票\u2069", "/VOTE", "/vote@tiexin_bot"]
)
def test_what_nobody_sees_does_not_hide_a_command(house: House, text: str) -> None:
    assert house.chat("王芳").say(text).startswith("眼下没有等您投的票")


def test_a_message_of_five_thousand_characters_is_answered(house: House) -> None:
    assert house.chat("王芳").say("长" * 5000).startswith("没太明白")
    assert house.chat("周").say("K7M2P" * 1000).startswith("您好，我是")
    house.chat("李书记").say("发起投票")
    assert "现在5000字，最多100字" in house.chat("李书记").say("题" * 5000)


# -- forgeries --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "payload",
    ["", "zzz", "v", "v:1", "old_button", "c:nothing", "f:1:send::0", "{}", "v:1:abc:", "\ud800", "党" * 30],
)
def test_a_forged_or_ancient_button_is_answered_and_does_nothing(house: House, payload: str) -> None:
    assert house.chat("王芳").press(payload) == "这个按钮已经过期了，发“帮助”可以重新开始。"
    assert house.chat("周").press(payload)


@pytest.mark.parametrize(
    "payload", ["v:1:abc", "vs:1", "vw:1", "vn:1", "vc:1:1", "vh:1", "va:1", "v:zzzzzzzzzzzz:abc"]
)
def test_a_button_for_what_is_not_there_is_refused_in_words(house: House, payload: str) -> None:
    said = house.chat("王芳").press(payload)
    assert "名单上" in said or "没有第" in said


def test_a_stranger_learns_nothing_by_pressing(house: House) -> None:
    poll = open_poll(house, "推荐优秀党员")
    zhou = house.chat("周")
    for payload in (f"vs:{poll:x}", f"vw:{poll:x}", "c:me", "c:desk", "c:vote", "br:1:1", "l:en", "f:1:resume::0"):
        said = zhou.press(payload)
        assert not any(name in said for name in ("推荐优秀党员", "王芳", "李书记", "第一支部"))


def test_a_member_cannot_press_what_is_a_secretarys(house: House) -> None:
    poll = open_poll(house)
    wang = house.chat("王芳")
    for payload in (f"vw:{poll}", f"vn:{poll}", f"vc:{poll}:1"):
        assert "您的职务不能" in wang.press(payload)
    for word in ("发起投票", "工作台", "截止投票"):
        assert "是给支部书记等工作人员用的" in wang.say(word)
    assert "已投：0/7人" in wang.say("投票")


def test_a_file_nobody_asked_for_is_not_kept(house: House) -> None:
    assert house.chat("周").hand("名单.xlsx", b"\0" * 100) == "现在不需要文件，这个文件没有保存。"


# -- 帮助 ---------------------------------------------------------------------------------------------------------


def helped(chat: Chat, language: str | None = None) -> set[str]:
    """The slash names that 帮助 lists."""
    chat.language = language
    text = chat.say("帮助")
    if language == "en":
        return {line[1:].split(" ")[0] for line in text.split("\n") if line.startswith("/")}
    return {line.split("（/")[1].split("）")[0] for line in text.split("\n") if "（/" in line}


def test_help_is_what_one_may_do(house: House) -> None:
    zhou, wang, li = (helped(house.chat(name)) for name in ("周", "王芳", "李书记"))
    assert zhou == {"help", "back", "cancel"}
    assert {"vote", "me", "unbind", "help", "lang", "back", "cancel"} <= wang
    assert not wang & {"desk", "poll", "closepoll"}
    assert {"desk", "poll", "closepoll"} <= li
    assert wang < li


@pytest.mark.parametrize("name", ["周", "王芳", "李书记"])
def test_help_is_the_same_in_english(house: House, name: str) -> None:
    assert helped(house.chat(name, key="a"), "en") == helped(house.chat(name, key="b"), "zh-hans")


def test_help_in_english_has_no_chinese_in_it(house: House) -> None:
    li = house.chat("李书记")
    li.language = "en"
    text = li.say("/help")
    said = [re.sub(r"/\w+ \S+", "", line) for line in text.split("\n")]  # an example may name a person
    assert [line for line in said if re.search("[\u4e00-\u9fff]", line)] == []
    assert "/vote – Vote: " in text


def test_a_language_once_chosen_wins_over_the_phones(house: House) -> None:
    wang = house.chat("王芳")
    wang.language = "en-US"
    assert wang.say("nonsense!").startswith("I am not sure")
    wang.say("/lang")
    assert wang.tap("中文") == "好的，以后用中文回答您。"
    assert wang.say("nonsense!").startswith("没太明白")
    assert house.chat("王芳", "web").say("nonsense!").startswith("没太明白")


def test_a_language_nobody_speaks_here_is_answered_in_that_of_the_house(house: House) -> None:
    zhou = house.chat("周")
    zhou.language = "fr"
    assert zhou.say("bonjour").startswith("您好，我是")


# -- errors of ours -------------------------------------------------------------------------------------------------


class Boom(Action, tag="zb"):
    """A button whose answer fails."""


def faulty(house: House) -> House:
    """A house where /boom writes something and then fails."""
    router = Router()

    @router.command("/boom", "截止")  # a word and a line that are in the catalogue
    def boom(turn: Turn, _rest: str) -> Answer:
        """看看我能做什么"""
        people.change(turn.tx, turn.member.id, name="不该留下的名字")
        audit.record(turn.tx, turn.now, OPERATOR, "boom", "nothing")
        raise ZeroDivisionError("王芳写的秘密")

    @router.pressed(Boom)
    def pressed(_turn: Turn, _press: Boom) -> Answer:
        return Reply(words("no.such_block"))

    app = house.app
    extra = [*capabilities(), Capability(router)]
    house.app = App(app.config, app.database, Reception(extra, app.reception.renderer), app.clock)
    return house


def test_an_error_of_ours_has_a_number_and_undoes_what_was_begun(house_on: House) -> None:
    house = faulty(house_on)
    wang = house.chat("王芳")
    said = wang.say("/boom", "update-1")
    assert said.startswith("抱歉，出错了（编号 ")
    assert wang.say("/boom", "update-1") == said, "delivered again, it gets the same number"
    assert wang.say("/boom", "update-2") != said
    assert "王芳同志（1001）" in wang.say("我的"), "the next one is answered as if nothing had been"
    with house.app.database.read() as tx:
        assert audit.log(tx, action="boom") == []


def test_an_error_of_ours_is_logged_without_what_was_written(house: House) -> None:
    wang = faulty(house).chat("王芳")
    with capture_logs(processors=[structlog.stdlib.add_log_level]) as lines:
        said = wang.say("/boom 我的秘密")
    (line,) = [line for line in lines if line["event"] == "handler failed"]
    assert line["number"] in said
    assert line["error"] == "ZeroDivisionError"
    assert "boom" in line["frames"][-1]
    assert "秘密" not in json.dumps(lines, ensure_ascii=False)


def test_an_answer_that_cannot_be_put_into_words_is_an_error_of_ours(house: House) -> None:
    wang = faulty(house).chat("王芳")
    assert wang.press(Boom().encode()).startswith("抱歉，出错了（编号 ")


def test_an_error_of_ours_gives_its_number_in_english_too(house: House) -> None:
    wang = faulty(house).chat("王芳")
    wang.language = "en"
    assert wang.say("/boom").startswith("Sorry, something went wrong (number ")


# -- anything at all ----------------------------------------------------------------------------------------------

WORDS = st.sampled_from(
    ["投票", "帮助", "绑定", "解绑", "我的", "工作台", "发起投票", "党费", "/vote", "/start", "取消", "上一步",
     "继续", "重新开始", "不理会", "提交", "完", "1", "2", "３", "单选", "多选", "明天 18:00", "王芳\n孙明",
     "K7M2P9QRST", "en", "English", "@", "/", " "]
)  # fmt: skip
ANYTHING = st.one_of(st.text(max_size=60), st.text(st.characters(), max_size=20), WORDS,
                     st.lists(WORDS, max_size=4).map("".join))  # fmt: skip


@given(st.sampled_from(["王芳", "李书记", "赵书记", "周"]), st.lists(ANYTHING, min_size=1, max_size=6))
def test_anybody_may_write_anything(wide_house: House, name: str, texts: list[str]) -> None:
    chat = wide_house.chat(name)
    for text in texts:
        said = chat.say(text)
        assert said
        assert not said.startswith(("抱歉，出错了", "Sorry, something")), "no error of ours"


PAYLOADS = st.one_of(
    st.text(max_size=70),
    st.tuples(
        st.sampled_from(["v", "vs", "va", "vh", "vw", "vn", "vc", "bc", "br", "c", "f", "l"]),
        st.lists(st.sampled_from(["0", "1", "2", "3w5e11264sgsf", "me", "desk", "resume", "en", ""]), max_size=4),
    ).map(lambda parts: ":".join([parts[0], *parts[1]])),
)


@given(st.sampled_from(["王芳", "李书记", "赵书记", "周"]), st.lists(PAYLOADS, min_size=1, max_size=4))
def test_anybody_may_press_anything(wide_house: House, name: str, payloads: list[str]) -> None:
    chat = wide_house.chat(name)
    for payload in payloads:
        assert not chat.press(payload).startswith(("抱歉，出错了", "Sorry, something"))


def test_a_number_presses_the_button_that_stands_there_and_no_other(house: House) -> None:
    poll = open_poll(house)
    phone, browser = house.chat("王芳"), house.chat("王芳", "web")
    phone.say("投票")
    assert browser.say("2").startswith("没太明白"), "the menu stands on the phone"
    assert phone.say("2").startswith("已记录：孙明")
    assert phone.say("2").startswith("没太明白"), "there is one button now: 改投"
    assert votes(house, poll) == {house.ids["王芳"]: (2,)}
    assert Run(Code("help")).encode() == "c:help"


def test_a_number_that_is_none_of_the_choices_does_not_take_them_away(house: House) -> None:
    """It was answered with a button for help, and the 1 that was typed next was help and no vote."""
    poll = open_poll(house)
    phone = house.chat("王芳", "wechat")
    phone.say("投票")
    assert phone.say("4") == "没太明白您的意思：能选的是1到3。"
    assert phone.labels == ["王芳", "孙明", "吴强"]
    assert "已记录：孙明" in phone.say("2")
    assert len(votes(house, poll)) == 1
    assert phone.say("7") == "没太明白您的意思：能选的只有1。"
    assert "没太明白您的意思。" in phone.say("同意"), "words are no number"


def test_each_answer_is_kept_sealed(house: House) -> None:
    house.chat("王芳").say("我的")
    assert house.app.config.database.url.startswith("sqlite:///")
    kept = b"".join(file.read_bytes() for file in Path(house.app.config.database.url[10:]).parent.glob("tiexin.db*"))
    assert "眼下没有要您办的事".encode() not in kept
