"""What does a mailed answer do: once, to the mail it answers, and nothing that it does not say?"""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.writer import open_writer
from tests.email_house import DOMAIN, SENDER, EmailHouse, chat, email_house, said
from tests.fakes.mail import PROGRAMS, Scanner
from tests.fakes.mail.lmtp import deliver
from tests.polls import open_poll, votes


@pytest.mark.parametrize("program", [name for name in PROGRAMS if name != "bare"])
async def test_received_confirms_from_whatever_program_it_is_written(tmp_path: Path, program: str) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        notice = await house.notice("支部大会")
        await wang.replies(wang.last, "收到", program)
        await house.answers()
        assert house.confirmed(notice) == ["王芳"]
        assert "✓ 已确认" in wang.last.text


@pytest.mark.parametrize("text", ["收到", "1", "收到！", "收到。\n\n王芳\n研发部", "  收到  "])
async def test_the_word_or_its_number_alone_on_the_first_line_confirms(tmp_path: Path, text: str) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        notice = await house.notice("支部大会")
        await wang.replies(wang.last, text)
        assert house.confirmed(notice) == ["王芳"]


@pytest.mark.parametrize("text", ["没收到", "收到了吗？", "还没有收到", "不收到", "2", "谁说收到\n收到", ""])
async def test_what_only_contains_the_word_is_asked_back(tmp_path: Path, text: str) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        notice = await house.notice("支部大会")
        await wang.replies(wang.last, text)
        await house.answers()
        assert house.confirmed(notice) == []
        assert "已确认" not in wang.last.text
        assert wang.last.header("Auto-Submitted") == "auto-replied"
        assert "没太明白您的意思" in said(wang.last)
        assert "1. 收到" in said(wang.last)
        await wang.replies(wang.last, "1")  # what could be answered stands in the question back as well
        assert house.confirmed(notice) == ["王芳"]


async def test_words_for_something_else_are_no_question_about_the_mail(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        await house.notice("支部大会")
        for text, answer in (("党费", "党费"), ("语研", "您是说「语言」吗")):
            await wang.replies(wang.mail("支部大会"), text)
            await house.answers()
            assert answer in said(wang.last)
            assert "您回复的是" not in said(wang.last)


async def test_the_button_of_the_mail_writes_the_answer(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        notice = await house.notice("支部大会")
        await wang.mails_to(wang.last.link("收到"))
        assert house.confirmed(notice) == ["王芳"]


async def test_a_number_answers_the_mail_it_is_written_under_and_no_newer_one(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        first, second = await house.notice("支部大会"), await house.notice("植树活动")
        await wang.replies(wang.mail("支部大会"), "1")
        assert (house.confirmed(first), house.confirmed(second)) == (["王芳"], [])


async def test_a_program_that_forgets_which_mail_it_answers_is_known_by_the_address(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        notice = await house.notice("支部大会")
        await wang.replies(wang.last, "收到", threads=False)
        assert house.confirmed(notice) == ["王芳"]


async def test_a_mailbox_without_plus_addresses_is_answered_by_the_message_id(tmp_path: Path) -> None:
    async with email_house(tmp_path, email__plus_addresses="false") as house:
        wang = await house.seat("王芳")
        notice = await house.notice("支部大会")
        assert wang.last.reply_to == SENDER
        await wang.replies(wang.last, "收到")
        assert house.confirmed(notice) == ["王芳"]


async def test_a_mail_delivered_twice_is_answered_once(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        await house.notice("支部大会")
        await wang.replies(wang.last, "收到", copies=2)
        await house.answers()
        assert house.done == {"answered": 1, "again": 1}
        assert len(wang.mails) == 2


async def test_a_lost_250_brings_the_mail_again_and_it_counts_once(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        notice = await house.notice("支部大会")
        house.mail.script_lmtp("after_dot")
        await wang.replies(wang.last, "收到")
        assert house.confirmed(notice) == ["王芳"]
        await house.pass_time(hours=1)
        assert [one.code for one in house.mail.attempts] == [0, 250]
        assert house.done == {"answered": 1, "again": 1}


async def test_what_could_not_be_committed_comes_again_and_says_nothing_of_us(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        notice = await house.notice("支部大会")
        await house.writer.close()  # whoever writes now is told to come again
        await wang.replies(wang.last, "收到")
        assert house.mail.attempts[-1].answer == "451 4.3.0 try again later"
        assert house.confirmed(notice) == []
        house.writer = house.part._writer = open_writer(house.house.app.database)
        await house.mail.advance(hours=1)
        assert house.mail.attempts[-1].code == 250
        assert house.confirmed(notice) == ["王芳"]


async def test_a_mistake_of_ours_keeps_the_mail_with_the_server_and_tells_it_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        await house.notice("支部大会")

        def broken(*_: object) -> str:
            raise RuntimeError("收到 of 王芳 went wrong")

        monkeypatch.setattr(house.part._taking, "take", broken)
        await wang.replies(wang.last, "收到")
        assert house.mail.attempts[-1].answer == "451 4.3.0 try again later"
        raw = house.mail.mx.judged(wang.address, await _written(house, SENDER), wang.origin)
        host, port = house.mail.mx.lmtp or ("", 0)
        both = await deliver(host, port, wang.address, [wang.last.reply_to, SENDER], raw)
        assert both == ["451 4.3.0 try again later"] * 2, "a server that waits for the second waits ten minutes"


async def test_every_recipient_of_one_mail_has_an_answer_of_its_own(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        await house.notice("支部大会")
        ours = [wang.last.reply_to, SENDER, f"somebody@{DOMAIN}"]
        raw = house.mail.mx.judged(wang.address, await _written(house, wang.last.reply_to), wang.origin)
        host, port = house.mail.mx.lmtp or ("", 0)
        assert [answer[:3] for answer in await deliver(host, port, wang.address, ours, raw)] == ["250", "250", "550"]


async def test_whoever_wrote_too_large_a_mail_is_told(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        written = f"From: {wang.address}\r\nTo: {SENDER}\r\nSubject: =?utf-8?B?5oCd5oOz5rGH5oql?=\r\n\r\n".encode()
        assert await house.part.take(written, None, (), cut=True) == "too large"
        assert await house.part.take(b"Auto-Submitted: auto-replied\r\n" + written, None, (), cut=True) == "machine"
        await house.answers()
        assert [mail.subject for mail in wang.mails] == ["Re: 思想汇报"]
        assert "最多10MB），没有保存" in said(wang.last)
        assert (wang.last.header("Auto-Submitted"), wang.last.sender) == ("auto-replied", ""), (
            "without a Message-ID too"
        )


async def _written(house: EmailHouse, to: str) -> bytes:
    somebody = house.mail.person("bystander@elsewhere.example", "路人")
    return await somebody.writes("friend@elsewhere.example", "你好", "你好", headers={"To": to})


async def test_an_answer_that_acted_is_told_on_her_other_channel(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳", phone=True)
        await house.notice("支部大会")
        await wang.replies(wang.last, "收到")
        await house.deliver()
        (key, text) = house.phone.texts[-1]
        assert key == "t-王芳"
        assert "用邮件回复了“收到”" in text
        assert "支部大会" in text


async def test_a_look_at_something_is_told_nowhere_else(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳", phone=True)
        await house.notice("支部大会")
        before = len(house.phone.texts)
        await wang.writes(SENDER, "通知", "")
        await house.deliver()
        await house.answers()
        assert "支部大会" in said(wang.last)
        assert len(house.phone.texts) == before


@pytest.mark.parametrize(
    ("subject", "text"), [("党费", ""), ("你好", "党费"), ("", "党费\n\n王芳"), ("/dues", "谢谢")]
)
async def test_a_command_may_stand_in_the_subject_or_on_the_first_line(
    tmp_path: Path, subject: str, text: str
) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        await wang.writes(SENDER, subject, text)
        await house.answers()
        assert "党费计算基数还没有核定" in wang.last.text


async def test_a_fresh_mail_shows_and_never_answers_what_is_open(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        notice = await house.notice("支部大会")
        await wang.writes(SENDER, "收到", "收到")
        await wang.writes(SENDER, "1", "1")
        assert house.confirmed(notice) == []


async def test_a_vote_is_never_counted_from_a_mail(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        poll = open_poll(house.house)
        await house.deliver()
        ballot = wang.mail("您有一项投票")
        assert ballot.numbered() == {}
        for text in ("1", "孙明", "2"):
            await wang.replies(ballot, text)
            await house.answers()
            assert "回信里写的没有算数" in said(wang.last)
            assert wang.last.link("打开网页") == ballot.link("打开网页"), "and leads to where it can be done"
        assert votes(house.house, poll) == {}


async def test_a_scanner_that_opens_every_link_votes_for_nobody(tmp_path: Path) -> None:
    async with email_house(tmp_path) as house:
        wang = await house.seat("王芳")
        poll = open_poll(house.house)
        await house.deliver()
        ballot = wang.mail("您有一项投票")
        assert set(await Scanner().visits(ballot, scripts=True)) == {200}
        assert votes(house.house, poll) == {}
        page = await wang.presses(ballot, "打开网页")
        assert "推荐优秀党员" in chat(page)[-1]
