"""How does a message look on WeCom, and is every card one that WeCom takes?"""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.wecom import card_answer, split, text_answer
from bot.adapters.wecom_cards import Cards
from bot.adapters.wecom_channel import posts
from bot.core.reply import Key, Message
from tests.fakes.wecom import Limits
from tests.fakes.wecom.cards import from_xml, look, task_id
from tests.people import NOW

CARDS = Cards({"zh": "提交", "en": "Submit"})
LIMITS = Limits()


def message(text: str, *labels: str, walk: tuple[str, ...] = (), replaces: bool = False) -> Message:
    keys = [Key(label, f"v:1:{place}") for place, label in enumerate(labels)]
    keys += [Key(label, f"f:1:{place}", walk=True) for place, label in enumerate(walk)]
    return Message(text, tuple((key,) for key in keys), replaces=replaces)


def test_words_alone_are_a_text() -> None:
    sheet = CARDS.sheet(message("眼下没有等您投的票。"))
    assert (sheet.texts, sheet.card) == (["眼下没有等您投的票。"], None)


def test_a_notice_without_buttons_has_its_title_in_bold() -> None:
    text = "【通知】支部大会\n\n周五下午三点开会。\n\n第一支部 李书记"
    (call,) = posts("1001", "d1", [text], None, CARDS.titled)
    assert call["msgtype"] == "markdown"
    assert call["markdown"]["content"] == "**【通知】支部大会**\n\n周五下午三点开会。\n\n第一支部 李书记"


@pytest.mark.parametrize(
    "text",
    [
        "只有一行",
        "标题\n一*二*三",
        "标题\n[链接](http://example.org)",
        "标题\n# 不是标题",
        "标题\n- 不是清单",
        "标题\n1. 也不是清单",
        '标题\n<font color="warning">红</font>',
        "标题\nhttp://example.org/a_b",
        "很长的标题" * 10 + "\n正文",
        "标题\n" + "文" * 700,
    ],
)
def test_what_markdown_would_change_or_cut_stays_a_text(text: str) -> None:
    assert CARDS.titled(text) is None
    calls = posts("1001", "d1", split(text), None, CARDS.titled)
    assert {call["msgtype"] for call in calls} == {"text"}


def test_where_cards_do_not_show_nothing_is_marked() -> None:
    assert Cards({"zh": "提交", "en": "Submit"}, on=False).titled("【通知】支部大会\n周五开会。") is None


@given(st.text(max_size=300))
def test_no_word_is_lost_in_bold(text: str) -> None:
    marked = CARDS.titled(text)
    if marked is not None:
        assert marked.replace("**", "") == text.strip()


def test_up_to_six_buttons_stand_under_a_card() -> None:
    sheet = CARDS.sheet(message("（3/5）发给谁？\n选组织。", "第一支部", "全体党员", walk=("上一步", "取消")))
    assert sheet.texts == ()
    assert sheet.card
    shown = look(sheet.card, LIMITS)
    assert (shown.title, shown.text) == ("（3/5）发给谁？", "选组织。")
    assert shown.labels == ["第一支部", "全体党员", "上一步", "取消"]


def test_a_button_holds_ten_characters_and_a_line_of_a_list_more() -> None:
    """WeCom shows about ten; what is cut off might be the difference between two."""
    kinds = []
    for label in ("同意推荐他为先锋岗哦", "不同意推荐他为先锋岗哦"):
        sheet = CARDS.sheet(message("请选择", label, "弃权"))
        assert sheet.card
        kinds.append(look(sheet.card, LIMITS).kind)
    assert kinds == ["button_interaction", "vote_interaction"]


def test_steps_of_a_dialogue_are_words_where_there_is_no_room_for_them() -> None:
    sheet = CARDS.sheet(message("请核对一下", "提交", "改甲", "改乙", "改丙", "改丁", walk=("上一步", "取消")))
    assert sheet.card
    shown = look(sheet.card, LIMITS)
    assert shown.labels == ["提交", "改甲", "改乙", "改丙", "改丁"]
    assert shown.text == "“上一步”　“取消”"


def test_more_choices_are_a_list() -> None:
    sheet = CARDS.sheet(message("请选一项", *(f"候选人{n}" for n in range(20))))
    assert sheet.card
    shown = look(sheet.card, LIMITS)
    assert shown.kind == "vote_interaction"
    assert len(shown.labels) == 20
    assert shown.submit
    assert (shown.submit.text, shown.submit.key) == ("提交", "pick")


def test_more_than_a_list_holds_are_numbers() -> None:
    sheet = CARDS.sheet(message("请选一项", *(f"候选人{n}" for n in range(21))))
    assert sheet.card is None
    assert "21. 候选人20" in sheet.texts[0]


def test_choices_that_would_look_alike_are_numbers() -> None:
    alike = "中国共产党某某集团有限责任公司委员会第"
    sheet = CARDS.sheet(message("请选一项", f"{alike}一支部", f"{alike}二支部"))
    assert sheet.card is None
    assert f"2. {alike}二支部" in sheet.texts[0]


def test_choices_that_are_marked_are_a_list_with_marks() -> None:
    sheet = CARDS.sheet(message("可选2项", "☑ 甲", "☐ 乙", "提交（已选1项）"))
    assert sheet.card
    (question,) = look(sheet.card, LIMITS).questions
    assert question.several
    assert [(option.text, option.checked) for option in question.options] == [("甲", True), ("乙", False)]


def test_a_link_is_a_button_that_opens_a_page() -> None:
    page = Key("打开网页", path="https://tiexin.example.org/l/abc")
    sheet = CARDS.sheet(Message("请在网页上填写", ((page,),)))
    assert sheet.card
    (button,) = look(sheet.card, LIMITS).buttons
    assert (button.text, button.url) == ("打开网页", "https://tiexin.example.org/l/abc")


def test_many_words_go_before_the_card_and_none_is_lost() -> None:
    text = "绑定之前，需要您单独同意：\n\n" + "内容。" * 100 + "\n（版本 2026-11）"
    sheet = CARDS.sheet(message(text, "同意", "不同意"))
    assert sheet.texts == [text]
    assert sheet.card
    shown = look(sheet.card, LIMITS)
    assert (shown.title, shown.text) == ("绑定之前，需要您单独同意：", "（版本 2026-11）")


def test_an_english_reader_submits_in_english() -> None:
    sheet = CARDS.sheet(message("Please choose one.", *(f"candidate {n}" for n in range(9))))
    assert sheet.card
    shown = look(sheet.card, LIMITS)
    assert shown.submit
    assert shown.submit.text == "Submit"


def test_a_card_on_which_nothing_is_left_to_press_has_one_grey_button() -> None:
    card = CARDS.look(message("已记录：孙明", replaces=True))
    assert card
    assert look(card, LIMITS).replaced == "✓"


def test_a_card_does_not_change_into_words_that_it_cannot_hold() -> None:
    assert CARDS.look(message("很长。" * 100, "改投")) is None
    seen = "【通知】支部大会\n" + "很长。" * 100
    card = CARDS.look(message(f"{seen}\n✓ 已确认"), seen)
    assert card
    assert (look(card, LIMITS).title, look(card, LIMITS).text) == ("【通知】支部大会", "✓ 已确认")


def test_a_card_in_the_answer_to_a_tap_is_the_card_that_a_call_would_bring() -> None:
    for one in (message("]]>已记录：孙明", "改投", "<&>"), message("请选一项", *(f"候选人{n}" for n in range(9)))):
        card = CARDS.look(one)
        assert card
        xml = ElementTree.fromstring(card_answer("wang", "ww1", NOW, card))  # noqa: S314 - written above
        written = xml.find("TemplateCard")
        assert written is not None
        assert look(from_xml(written), LIMITS) == look(card, LIMITS)


labels = st.text(min_size=1, max_size=40).filter(lambda text: text.strip() == text and text.isprintable())


@given(
    text=st.text(min_size=1, max_size=3000),
    choices=st.lists(labels, max_size=25, unique=True),
    walks=st.lists(st.sampled_from(["上一步", "取消", "跳过"]), max_size=3, unique=True),
)
def test_whatever_is_said_wecom_takes_it(text: str, choices: list[str], walks: list[str]) -> None:
    one = message(text, *choices, walk=tuple(walks))
    sheet = CARDS.sheet(one)
    assert all(0 < len(part.encode()) <= LIMITS.text_bytes for part in sheet.texts)
    for call in posts("wang", "a0123", sheet.texts, sheet.card):
        if "template_card" in call:
            assert task_id(call["template_card"], LIMITS) == "a0123"
            look(call["template_card"], LIMITS)
    if (card := CARDS.look(one)) is not None:
        look(card, LIMITS)
        ElementTree.fromstring(card_answer("wang", "ww1", NOW, card))  # noqa: S314 - written above


@given(text=st.text(max_size=5000), most=st.integers(16, 2048))
def test_a_text_in_parts_is_whole_and_no_character_is_cut(text: str, most: int) -> None:
    parts = split(text, most)
    assert all(0 < len(part.encode()) <= most for part in parts)
    assert "".join("".join(parts).split()) == ("".join(text.split()) or "…")


@pytest.mark.parametrize("text", ["]]>", "a]]>b]]]>c", "<b>&amp;", "\x00\x1bx"])
def test_no_words_end_the_xml_they_stand_in(text: str) -> None:
    xml = ElementTree.fromstring(text_answer("wang", "ww1", NOW, text))  # noqa: S314 - written above
    assert xml.findtext("Content") == text.replace("\x00", "").replace("\x1b", "")
