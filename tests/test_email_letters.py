"""How does a mail of ours look, to programs and to people?"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.email_frame import Frame
from bot.adapters.email_in import read
from bot.adapters.email_out import Letter, Posted, compose
from bot.adapters.email_sink import Sink
from bot.adapters.email_token import LOCAL, Postmark
from bot.core.reply import Key, Message
from bot.render import renderer
from storage.keys import Keys
from storage.mails import Body
from storage.mails import Letter as Kept
from tests.fakes.mail import Mail

POSTMARK = Postmark(Keys(bytes(32)), "tiexin@party.example")
AT = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
TAG = bytes(range(8))
ACK = Message("【通知】支部大会\n\n周五下午三点开会，请带笔记本。", ((Key("收到", "na:1", light=True),),))
ASKING = Message(
    "按哪一类交党费？",
    (
        (Key("按月领取工资", "f:1:pick:wage:1", light=True),),
        (Key("离退休", "f:1:pick:pension:1", light=True),),
        (Key("上一步", "f:1:back::1", walk=True, light=True), Key("取消", "f:1:cancel::0", walk=True, light=True)),
    ),
)
BALLOT = Message("【投票】推荐优秀党员", ((Key("打开网页", path="https://tiexin.example/l/TOKEN"),),))


def letter(*messages: Message, **values: object) -> Letter:
    frame = Frame(renderer(ZoneInfo("Asia/Shanghai")), "海川公司党委", "zh")
    language = str(values.pop("language", "zh"))
    kept = Kept(1, TAG, 7, "wangfang@qq.com", 1, "", language, "made", 0, 0, AT, Body())
    trim = frame.trim(kept, messages)
    given = {"thread": "notice-12", **values}
    return Letter(TAG, "wangfang@qq.com", 7, AT, messages, trim, **given)  # type: ignore[arg-type]  # named by the test


def posted(*messages: Message, **values: object) -> Posted:
    return compose(letter(*messages, **values), POSTMARK, "海川公司党委")


def parsed(post: Posted) -> EmailMessage:
    found = message_from_bytes(post.content, policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def mail(*messages: Message, **values: object) -> Mail:
    post = posted(*messages, **values)
    return Mail(post.mail_from, post.to, post.content, AT.timestamp())


def test_it_is_marked_as_what_it_is() -> None:
    head = parsed(posted(ACK))
    assert str(head["From"]) == "海川公司党委 <tiexin@party.example>"
    assert head["Auto-Submitted"] == "auto-generated"
    assert head["Precedence"] == "bulk"
    assert head["X-Auto-Response-Suppress"] == "OOF, AutoReply", "All would suppress bounces as well"
    assert head["X-Loop"] == "tiexin@party.example"
    assert head["Subject"] == "【通知】支部大会"
    assert not head["List-Unsubscribe"]
    assert not head["Disposition-Notification-To"]


def test_bounces_and_answers_come_to_addresses_of_their_own() -> None:
    post = posted(ACK)
    answers = parsed(post)["Reply-To"].addresses[0].addr_spec
    assert re.fullmatch(r"tiexin\+b\.[a-z2-7]{29}@party\.example", post.mail_from)
    assert re.fullmatch(r"tiexin\+r\.[a-z2-7]{29}@party\.example", answers)
    assert post.mail_from.partition(".")[2] != answers.partition(".")[2]
    assert len(answers.partition("@")[0]) <= LOCAL


def test_the_same_mail_has_the_same_bytes() -> None:
    assert posted(ACK).content == posted(ACK).content


def test_what_belongs_together_stands_together_for_each_reader_apart() -> None:
    first, nudge = posted(ACK), posted(ACK)
    assert parsed(first)["References"] == parsed(nudge)["References"] == POSTMARK.root("notice-12", 7)
    assert POSTMARK.root("notice-12", 8) != POSTMARK.root("notice-12", 7)
    assert parsed(first)["Message-ID"] == POSTMARK.message_id(TAG)


def test_an_answer_comes_from_nobody_and_stands_under_what_it_answers() -> None:
    post = posted(ACK, thread="", answers="<m1@qq.com>", subject="党费")
    head = parsed(post)
    assert post.mail_from == ""
    assert head["Auto-Submitted"] == "auto-replied"
    assert (head["In-Reply-To"], head["References"], head["Subject"]) == ("<m1@qq.com>", "<m1@qq.com>", "Re: 党费")
    assert "Precedence" not in head


def test_only_a_reminder_can_be_stopped_and_by_one_click() -> None:
    head = parsed(posted(ACK, stop="https://tiexin.example/l/m/TOKEN"))
    assert head["List-Unsubscribe"] == "<https://tiexin.example/l/m/TOKEN>"
    assert head["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


@pytest.mark.parametrize(
    ("text", "sensitive", "subject"),
    [
        ("\n\n  【通知】支部大会  \n更多", False, "【通知】支部大会"),
        ("长" * 80, False, "长" * 59 + "…"),
        ("您的登录验证码是 123456", True, "您有一条新消息"),
        ("一行\r\nBcc: evil@evil.example", False, "一行"),
        ("一\u2028Bcc: x\u0000y", False, "一"),
    ],
)
def test_the_subject_is_the_first_line_and_nothing_else(text: str, sensitive: bool, subject: str) -> None:
    head = parsed(posted(Message(text, sensitive=sensitive)))
    assert head["Subject"] == subject
    assert "Bcc" not in head


def test_our_line_stands_first_in_both_parts() -> None:
    one = mail(ACK)
    assert one.text.startswith("——请在此线以上回复——")
    body = one.html[one.html.index("<body") :]
    assert re.sub(r"<[^>]+>", "", body).strip().startswith("——请在此线以上回复——")


def test_choices_are_numbered_and_steps_are_words() -> None:
    one = mail(ASKING)
    assert one.numbered() == {"按月领取工资": "1", "离退休": "2"}
    assert "“上一步”　“取消”" in one.text
    assert "写一个数字" in one.text
    assert [label for label, url in one.links if url.startswith("mailto:")] == [
        "1. 按月领取工资", "2. 离退休", "上一步", "取消",
    ]  # fmt: skip


def test_a_single_answer_is_a_button_that_writes_the_mail() -> None:
    one = mail(ACK)
    link = one.link("收到")
    assert link.startswith(f"mailto:{one.reply_to}?subject=Re%3A%20")
    assert link.endswith("&body=%E6%94%B6%E5%88%B0")
    assert "写“收到”" in one.text


def test_what_is_done_on_our_page_is_one_link() -> None:
    one = mail(BALLOT)
    assert [url for _, url in one.links] == ["https://tiexin.example/l/TOKEN"] * 2
    assert one.numbered() == {}
    assert "直接回复" not in one.text


def test_nothing_reports_that_it_was_read_and_nothing_is_fetched() -> None:
    for message in (ACK, ASKING, BALLOT):
        one = mail(message)
        assert one.loads == []
        assert not re.search(r"<img|<script|url\(|@import|<link|<iframe", one.html)


def test_words_from_outside_do_not_become_elements() -> None:
    one = mail(Message('<script>alert(1)</script> & "王"', ((Key('<b>"x"&', "na:1", light=True),),)))
    assert "<script" not in one.html
    assert "<b>" not in one.html
    assert '<script>alert(1)</script> & "王"' in one.text


def test_english_is_complete() -> None:
    one = mail(ACK, language="en")
    assert one.text.startswith("—— Please reply above this line ——")
    assert "Reply to this mail" in one.text


def test_no_line_is_longer_than_mail_allows() -> None:
    post = posted(Message("字" * 5000), thread="n" * 40)
    assert max(map(len, post.content.split(b"\r\n"))) <= 998
    head = post.content.partition(b"\r\n\r\n")[0]
    assert max(map(len, head.split(b"\r\n"))) <= 80
    assert b"\n" not in post.content.replace(b"\r\n", b"")


def test_what_we_send_is_known_as_ours_when_it_comes_back() -> None:
    assert read(posted(ACK).content, POSTMARK.sender).machine == "auto-submitted"


def test_the_sink_keeps_the_same_mail_once(tmp_path: Path) -> None:
    import asyncio

    async def twice() -> None:
        sink = Sink(tmp_path / "mail")

        async def leaving() -> None:
            pass

        await sink.hand(posted(ACK), leaving)
        await sink.hand(posted(ACK), leaving)

    asyncio.run(twice())
    (file,) = (tmp_path / "mail").iterdir()
    assert file.suffix == ".eml"
    assert file.read_bytes() == posted(ACK).content


# -- tokens -----------------------------------------------------------------------------------------------------


@given(st.binary(min_size=8, max_size=8))
def test_a_token_survives_what_servers_do_to_letters(tag: bytes) -> None:
    for address, purpose in ((POSTMARK.answers_to(tag), "r"), (POSTMARK.bounces_to(tag), "b")):
        for spelled in (address, address.upper(), f"  {address}  "):
            named = POSTMARK.read(spelled)
            assert named
            assert (named.purpose, named.tag) == (purpose, tag)
    assert POSTMARK.read_message_id(POSTMARK.message_id(tag).upper()) == tag


@given(st.text(max_size=80))
def test_whatever_else_is_written_is_no_token(text: str) -> None:
    assert POSTMARK.read(text) is None
    assert POSTMARK.read_message_id(text) is None


def test_another_house_another_purpose_another_domain_are_no_token_of_ours() -> None:
    other = Postmark(Keys(bytes([1]) * 32), "tiexin@party.example")
    assert other.read(POSTMARK.answers_to(TAG)) is None
    assert POSTMARK.read(POSTMARK.answers_to(TAG).replace("+r.", "+b.")) is None
    assert POSTMARK.read(POSTMARK.answers_to(TAG).replace("party.example", "evil.example")) is None
    assert POSTMARK.read_message_id(f"<{POSTMARK.token('r', TAG)}@party.example>") is None


@pytest.mark.parametrize("sender", ["", "tiexin", "@party.example", "x" * 40 + "@party.example"])
def test_an_address_that_leaves_no_room_is_refused_at_once(sender: str) -> None:
    with pytest.raises(ValueError, match=r"email\.sender"):
        Postmark(Keys(bytes(32)), sender)
