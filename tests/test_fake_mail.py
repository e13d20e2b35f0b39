"""Does the fake of mail do what mail servers do? Asked with clients that are not ours."""

from __future__ import annotations

import asyncio
import smtplib
from email import message_from_bytes

import aiosmtplib
import pytest

from tests.fakes.mail import (
    FakeMail,
    answers,
    breaks_after_the_dot,
    breaks_before_the_dot,
    client_context,
    faults,
    hangs,
    late,
    twice,
)
from tests.fakes.mail.smtp import Security
from tests.letters import REPLY, VERP, WANG, door, notice


async def send(mail: FakeMail, *, to: str = WANG, timeout: float = 60) -> None:  # noqa: ASYNC109  # the client's own
    await aiosmtplib.send(
        notice(), sender=VERP, recipients=[to], hostname=mail.host, port=mail.smtp_port, start_tls=False,
        timeout=timeout,
    )  # fmt: skip


async def test_a_mail_stands_in_the_mailbox_as_it_was_sent() -> None:
    async with FakeMail() as mail:
        await send(mail)
        got = mail.person(WANG).last
        assert (got.sender, got.recipient, got.from_name) == (VERP, WANG, "党支部")
        assert got.subject == "主题党日：11月28日下午两点"
        assert got.numbered() == {"参加": "1", "不参加": "2"}
        assert got.link("去投票") == "http://127.0.0.1/l/TOKEN"
        assert got.reply_to == REPLY


# -- sending ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        faults.CLOSING, faults.BUSY, faults.GREYLISTED, faults.LOCAL_ERROR, faults.FULL_FOR_NOW, faults.FULL,
        faults.NO_SUCH_USER, faults.NOT_ALLOWED, faults.QQ_TOO_OFTEN, faults.NETEASE_SPAM,
    ],
    ids=str,
)  # fmt: skip
async def test_a_refused_recipient_is_refused_with_its_code(answer: faults.Answer) -> None:
    async with FakeMail() as mail:
        mail.script(answers(answer), to=WANG)
        with pytest.raises(aiosmtplib.SMTPRecipientsRefused) as refused:
            await send(mail)
        assert refused.value.recipients[0].code == answer.code
        assert refused.value.recipients[0].message.startswith(f"{answer.status} {answer.text}".strip())
        await send(mail, to="li@163.com")
        await send(mail)
        assert [one.recipient for one in mail.mails] == ["li@163.com", WANG]


async def test_a_mail_that_is_too_big_is_refused_at_the_dot() -> None:
    async with FakeMail() as mail:
        mail.script(answers(faults.TOO_BIG, at="dot"))
        with pytest.raises(aiosmtplib.SMTPDataError) as refused:
            await send(mail)
        assert (refused.value.code, mail.mails) == (552, [])


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
async def test_whoever_logs_in_rightly_may_send(security: Security) -> None:
    async with FakeMail(security=security, credentials=("tiexin", "secret")) as mail:
        for word in ("wrong", "secret"):
            client = aiosmtplib.SMTP(
                hostname="localhost", port=mail.smtp_port, username="tiexin", password=word,
                use_tls=security == "tls", start_tls=security == "starttls",
                tls_context=None if security == "none" else client_context(),
            )  # fmt: skip
            if word == "wrong":
                with pytest.raises(aiosmtplib.SMTPAuthenticationError) as refused:
                    await client.connect()
                assert refused.value.code == 535
                client.close()
            else:
                async with client:
                    await client.send_message(notice(), sender=VERP, recipients=[WANG])
        assert [one.recipient for one in mail.mails] == [WANG]
        assert all("wrong" not in line and "secret" not in line for said in mail.smtp.dialogues for line in said)


async def test_whoever_does_not_log_in_is_told_to() -> None:
    async with FakeMail(credentials=("tiexin", "secret")) as mail:
        with pytest.raises(aiosmtplib.SMTPSenderRefused) as refused:
            await send(mail)
        assert refused.value.code == 530


async def test_smtplib_is_served_as_well() -> None:
    def work(port: int) -> None:
        with smtplib.SMTP("localhost", port, timeout=30) as client:
            client.starttls(context=client_context())
            client.login("tiexin", "secret")
            client.send_message(notice(), from_addr=VERP, to_addrs=[WANG, "li@163.com"])

    async with FakeMail(security="starttls", credentials=("tiexin", "secret")) as mail:
        await asyncio.to_thread(work, mail.smtp_port)
        assert {one.recipient for one in mail.mails} == {WANG, "li@163.com"}


@pytest.mark.parametrize(
    ("fault", "arrived"),
    [
        (breaks_before_the_dot(), 0), (breaks_after_the_dot(), 1), (breaks_after_the_dot(accepted=False), 0),
        (twice(), 2), (answers(faults.CLOSING, at="connect"), 0), (answers(faults.LOCAL_ERROR, at="sender"), 0),
    ],
)  # fmt: skip
async def test_a_misfortune_leaves_as_many_mails_as_it_says(fault: faults.Fault, arrived: int) -> None:
    async with FakeMail() as mail:
        mail.script(fault)
        if arrived < 2:
            with pytest.raises(aiosmtplib.SMTPException):
                await send(mail)
        else:
            await send(mail)
        assert len(mail.person(WANG).mails) == arrived


async def test_a_server_that_says_nothing_is_given_up_by_the_client() -> None:
    async with FakeMail() as mail:
        mail.script(hangs())
        with pytest.raises(aiosmtplib.SMTPReadTimeoutError):
            await send(mail, timeout=0.2)
        assert mail.mails == []


async def test_a_late_mail_stands_there_only_later() -> None:
    async with FakeMail() as mail:
        mail.script(late(3600))
        await send(mail)
        await mail.advance(3599)
        assert mail.mails == []
        await mail.advance(1)
        assert len(mail.mails) == 1


async def test_a_closed_server_refuses_and_an_opened_one_is_found_again() -> None:
    async with FakeMail() as mail:
        await mail.smtp.close()
        with pytest.raises(aiosmtplib.SMTPConnectError):
            await send(mail)
        await mail.smtp.open()
        await send(mail)
        assert len(mail.mails) == 1


# -- our door ---------------------------------------------------------------------------------------------------


async def test_what_was_deferred_comes_again_and_later_each_time() -> None:
    async with FakeMail() as mail, door(mail) as house:
        wang = mail.person(WANG)
        house.says = ["451 4.3.0 try again"] * 3
        await wang.writes(REPLY, "1", "1")
        await mail.advance(299)
        assert [one.code for one in mail.attempts] == [451]
        await mail.advance(minutes=60)
        assert [one.code for one in mail.attempts] == [451, 451, 451, 250]
        assert len(house.envelopes) == 1


async def test_an_answer_that_was_lost_makes_the_mail_come_twice() -> None:
    async with FakeMail() as mail, door(mail) as house:
        mail.script_lmtp("after_dot")
        await mail.person(WANG).writes(REPLY, "1", "1")
        await mail.advance(300)
        assert [one.answer for one in mail.attempts] == [None, f"250 2.0.0 <{REPLY}> ok"]
        first, second = house.envelopes
        assert first.original_content == second.original_content


async def test_a_mail_that_broke_off_has_not_come() -> None:
    async with FakeMail() as mail, door(mail) as house:
        mail.script_lmtp("before_dot")
        await mail.person(WANG).writes(REPLY, "1", "1")
        assert house.envelopes == []
        await mail.advance(300)
        assert len(house.envelopes) == 1


async def test_after_five_days_a_mail_goes_back_to_its_sender() -> None:
    async with FakeMail() as mail, door(mail) as house:
        house.says = ["451 4.3.0 try again"] * 1000
        await mail.person(WANG).writes(REPLY, "1", "1")
        await mail.advance(days=4)
        assert mail.person(WANG).mails == []
        await mail.advance(days=2)
        assert "451 4.3.0" in mail.person(WANG).last.text


async def test_only_our_own_server_s_judgement_stands_in_the_mail() -> None:
    forged = "mx.party.example; dkim=pass header.d=qq.com"
    async with FakeMail() as mail, door(mail) as house:
        mallory = mail.person("mallory@evil.example", "王芳")
        await mallory.writes(REPLY, "1", "1", author=f"王芳 <{WANG}>", headers={"Authentication-Results": forged})
        parsed = message_from_bytes(house.envelopes[0].original_content or b"")
        (verdict,) = parsed.get_all("Authentication-Results", [])
        assert "dkim=pass header.d=evil.example" in verdict
        assert "dmarc=fail (policy=none) header.from=qq.com" in verdict
