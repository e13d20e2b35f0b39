"""nearmiss: is a slip recognised, and is a word that only looks like one left alone?"""

from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.core import pinyin
from bot.core.nearmiss import LONGEST, MOST, NearMiss

ROOT = Path(__file__).resolve().parent.parent

WORDS = {
    spelled: key
    for key, words in {
        "start": "/start start 绑定",
        "help": "/help help 帮助",
        "me": "/me me 我的",
        "dues": "/dues dues 党费",
        "join": "/join join 我要入党",
        "confirm": "/confirm confirm 我要转正",
        "report": "/report report 思想汇报",
        "vote": "/vote vote 投票",
        "learn": "/learn learn 在线学习",
        "quiz": "/quiz quiz 我要考试",
        "life": "/life life 组织生活",
        "suggest": "/suggest suggest 建言",
        "notices": "/notices notices 通知",
        "lang": "/lang lang 语言",
        "back": "/back back 上一步",
        "cancel": "/cancel cancel 取消",
        "unbind": "/unbind unbind 解绑",
        "desk": "/desk desk 工作台",
        "broadcast": "/broadcast broadcast 发通知",
        "newpoll": "发起投票",
        "closepoll": "截止投票",
        "roster": "名册",
        "codes": "发绑定码",
    }.items()
    for spelled in words.split()
}

NEAR = {
    # the wrong character from the right keys
    "头票": "vote",
    "投飘": "vote",
    "帮主": "help",
    "绑订": "start",
    "取笑": "cancel",
    "同志": "notices",
    "工做台": "desk",
    "思想会报": "report",
    "四项汇报": "report",
    "我要转证": "confirm",
    "我要入档": "join",
    "组只生活": "life",
    "发帮定码": "codes",
    "截止头票": "closepoll",
    # the same in a dialect
    "明测": "roster",
    "投标票": "vote",
    # traditional characters
    "黨費": "dues",
    "幫助": "help",
    "思想彙報": "report",
    # one character too many, too few or off
    "党费呢": "dues",
    "交党费": "dues",
    "上步": "back",
    "思想汇": "report",
    "我要入单": "join",
    "我要转账": "confirm",
    # letters for characters
    "dangfei": "dues",
    "dang fei": "dues",
    "Dang-Fei!": "dues",
    "dángfèi": "dues",
    "dang3fei4": "dues",
    "党fei": "dues",
    "dang费": "dues",
    "toupiao": "vote",
    "tóu piào": "vote",
    "ｔｏｕｐｉａｏ": "vote",
    "si xiang hui bao": "report",
    "zai xian xue xi": "learn",
    "tongzhi": "notices",
    "fatongzhi": "broadcast",
    "yuyan": "lang",
    "wode": "me",
    # letters in a dialect
    "tongzi": "notices",
    "sang yi bu": "back",
    "shi xiang hui bao": "report",
    "bangdin": "start",
    "minche": "roster",
    "mince": "roster",
    "woyaozuanzen": "confirm",
    "zai xian xue xi ": "learn",
    # slips in letters
    "dangfie": "dues",
    "dangfwi": "dues",
    "toupio": "vote",
    "tuopiao": "vote",
    "banzhu": "help",
    "sixianghuiboa": "report",
    # initials
    "DF": "dues",
    "tp": "vote",
    "sxhb": "report",
    "wyrd": "join",
    # slips in English
    "/dus": "dues",
    "/duess": "dues",
    "/duez": "dues",
    "、dues": "dues",
    "／ＤＵＥＳ": "dues",
    "dus": "dues",
    "hlep": "help",
    "help!": "help",
    "canel": "cancel",
    "brodcast": "broadcast",
    "/党费": "dues",
    "党费。": "dues",
}
NEAR_NOTHING = [
    "",
    " ",
    "2",
    "12",
    "45元",
    "👍",
    "？",
    "/",
    "是",
    "好",
    "ok",
    "OK!",
    "hi",
    "hello",
    "thanks",
    "yes",
    "你好",
    "您好",
    "谢谢",
    "收到",
    "好的",
    "同意",
    "不同意",
    "弃权",
    "王芳",
    "李书记",
    # two characters, one of them right, another word
    "党课",
    "党员",
    "党章",
    "会费",
    "经费",
    "发票",
    "投稿",
    "帮忙",
    "解释",
    "班组",
    "法治",
    # whole syllables, another word
    "dangwei",
    "dangke",
    "tongji",
    "yuyin",
    "yuan",
    "mei",
    # English words a letter away from a command
    "note",
    "like",
    "long",
    "quit",
    "he",
    # half a phrase in common
    "在线考试",
    "组织关系",
    "我要考勤",
    # somebody tells us something
    "请问我今年的党费一共应该交多少钱呢，谢谢您",
    "dangfei dangfei dangfei",
]


@pytest.fixture(scope="module")
def near() -> NearMiss:
    return NearMiss(WORDS)


@pytest.mark.parametrize(("typed", "meant"), NEAR.items())
def test_wang_fang_slips_and_is_asked_whether_she_meant_it(near: NearMiss, typed: str, meant: str) -> None:
    assert near.closest(typed)[:1] == [meant]


@pytest.mark.parametrize("typed", NEAR_NOTHING)
def test_what_wang_fang_meant_as_it_stands_is_not_taken_for_a_slip(near: NearMiss, typed: str) -> None:
    assert near.closest(typed) == []


@pytest.mark.parametrize(("spelled", "key"), WORDS.items())
def test_a_command_spelled_right_is_that_command_alone(near: NearMiss, spelled: str, key: str) -> None:
    assert near.closest(spelled) == [key]
    assert near.closest(f" {spelled.upper()}！") == [key]


def test_initials_that_two_commands_share_suggest_neither() -> None:
    assert NearMiss({"党费": "dues", "投票": "vote"}).closest("df") == ["dues"]
    assert NearMiss({"党费": "dues", "答复": "answer"}).closest("df") == []
    assert NearMiss({"党费": "dues", "党费明细": "dues", "答复": "dues"}).closest("df") == ["dues"]


def test_initials_of_half_a_command_suggest_nothing(near: NearMiss) -> None:
    assert near.closest("sx") == []
    assert near.closest("d") == []


def test_the_nearest_comes_first_and_a_command_with_many_names_comes_once() -> None:
    near = NearMiss({"发起投票": "newpoll", "投票": "vote", "投票表": "form", "/vote": "vote", "头标": "ad"})
    assert near.closest("头票") == ["vote"]
    assert near.closest("投票吧") == ["vote"]
    english = NearMiss({"dudes": "dudes", "dues": "dues", "duties": "duties"})
    assert english.closest("duess") == ["dues", "dudes"]


def test_never_more_suggestions_than_a_glance_takes_in() -> None:
    near = NearMiss({f"思想汇报{mark}": mark for mark in "甲乙丙丁戊"})
    assert near.closest("思想汇报") == ["甲", "乙", "丙"]
    assert len(near.closest("思想汇报")) == MOST


def test_a_bot_without_commands_finds_nothing_near() -> None:
    assert NearMiss({}).closest("党费") == []
    assert NearMiss({"？": "help", "": "none"}).closest("党费") == []


def test_a_word_with_two_readings_is_found_by_either() -> None:
    near = NearMiss({"重播": "again", "行长": "banker", "旅游": "travel"})
    assert near.closest("chongbo") == ["again"]
    assert near.closest("zhongbo") == ["again"]
    assert near.closest("hangzhang") == ["banker"]
    for typed in ("lǚyóu", "lvyou", "luyou", "lyuyou"):
        assert near.closest(typed) == ["travel"]


def test_a_text_of_twenty_characters_is_still_read_and_one_more_is_not() -> None:
    word = "一二三四五六七八九十甲乙丙丁戊己庚辛壬癸"
    near = NearMiss({word: "count", word + "子": "more"})
    assert len(word) == LONGEST
    assert near.closest(word) == ["count"]
    assert near.closest(word + "子") == []


@given(st.text())
def test_whatever_anybody_types_there_is_an_answer(text: str) -> None:
    keys = NearMiss(WORDS).closest(text)
    assert len(keys) == len(set(keys)) <= MOST
    assert set(keys) <= set(WORDS.values())


@given(st.text(alphabet="dangfeitoupiohz党费投票头帮助/、 ǖüń1", max_size=24))
def test_whatever_wang_fang_types_capitals_make_no_difference(text: str) -> None:
    assert NearMiss(WORDS).closest(text.upper()) == NearMiss(WORDS).closest(text)


@given(st.text(), st.text(min_size=1))
def test_whatever_a_command_is_called_its_own_name_is_nearest(called: str, other: str) -> None:
    assume(called != other)
    keys = NearMiss({other: "other", called: "called"}).closest(called)
    assert keys == [] or "called" in keys


def test_syllables_are_told_from_slips() -> None:
    assert pinyin.is_pinyin("dangwei")
    assert pinyin.is_pinyin("xian")
    assert not pinyin.is_pinyin("dangfie")
    assert not pinyin.is_pinyin("")


def test_common_readings_are_kept_and_rare_ones_are_not() -> None:
    assert pinyin.readings("重") == ("zhong", "chong")
    assert set(pinyin.readings("行")) == {"xing", "hang"}
    assert set(pinyin.readings("长")) == {"chang", "zhang"}
    assert pinyin.readings("思") == ("si",)  # sāi stands in one poem
    assert pinyin.readings("女") == ("nv",)
    assert pinyin.readings("黨") == pinyin.readings("党") == ("dang",)
    assert pinyin.readings("a") == pinyin.readings("😀") == ()


def test_the_ways_to_say_a_name_are_few_even_where_every_character_has_two() -> None:
    assert pinyin.said("重庆")[0] == ("zhong", "qing")
    assert len(pinyin.said("重长行" * 6)) == pinyin.MOST_READINGS


def test_the_table_is_what_the_generator_makes_today() -> None:
    made = runpy.run_path(str(ROOT / "tools" / "make_pinyin.py"))["table"]()
    assert (ROOT / "bot" / "core" / "pinyin.txt").read_text(encoding="utf-8") == made
    assert len(made.encode()) < 150_000


def test_the_dictionary_stays_at_home_when_the_bot_runs() -> None:
    program = (
        "import sys; from bot.core.nearmiss import NearMiss; "
        "assert NearMiss({'投票': 'vote'}).closest('toupiao') == ['vote']; "
        "sys.exit(any(name.split('.')[0] == 'pypinyin' for name in sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
