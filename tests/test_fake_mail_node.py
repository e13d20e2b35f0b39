"""Do nodemailer and imapflow find in the fake of mail what they look for in mail servers?"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.fakes.mail import FakeMail, answers, breaks_after_the_dot, faults
from tests.fakes.mail.certificate import certificate
from tests.fakes.mail.smtp import Security
from tests.letters import REPLY, VERP, WANG
from tests.node import ask

USER, WORD = "tiexin@party.example", "secret"
MAIL = {
    "from": "党支部 <tiexin@party.example>", "to": WANG, "subject": "主题党日：11月28日下午两点",
    "text": "1. 参加\n.\n2. 不参加\n", "envelope": {"from": VERP, "to": WANG},
}  # fmt: skip


async def nodemailer(mail: FakeMail, security: Security = "none", word: str = WORD) -> dict[str, Any]:
    question: dict[str, Any] = {"port": mail.smtp_port, "security": security, "mail": MAIL}
    if mail.smtp.credentials:
        question |= {"user": USER, "password": word}
    if security != "none":
        question["certificate"] = certificate().decode()
    told: dict[str, Any] = await ask("nodemailer.js", question)
    return told


@pytest.mark.parametrize("security", ["none", "starttls", "tls"])
async def test_nodemailer_logs_in_and_its_mail_stands_there_dot_and_all(security: Security) -> None:
    async with FakeMail(security=security, credentials=(USER, WORD)) as mail:
        assert (await nodemailer(mail, security))["accepted"] == [WANG]
        got = mail.person(WANG).last
        assert (got.sender, got.subject, got.text) == (VERP, MAIL["subject"], MAIL["text"])
        assert (await nodemailer(mail, security, "wrong"))["code"] == 535


async def test_nodemailer_is_told_why() -> None:
    async with FakeMail() as mail:
        for answer in (faults.NO_SUCH_USER, faults.GREYLISTED, faults.FULL):
            mail.script(answers(answer))
            assert await nodemailer(mail) == {"code": answer.code, "command": "RCPT TO", "kind": "EENVELOPE"}
        mail.script(answers(faults.TOO_BIG, at="dot"))
        assert (await nodemailer(mail))["code"] == 552
        mail.script(breaks_after_the_dot())
        assert (await nodemailer(mail))["code"] == 0
        assert len(mail.mails) == 1


@pytest.mark.parametrize("security", ["none", "tls"])
async def test_imapflow_idles_reads_and_marks_afterwards(security: Security) -> None:
    async with FakeMail(security=security, credentials=(USER, WORD)) as mail:
        question: dict[str, Any] = {"port": mail.imap_port, "user": USER, "password": WORD, "count": 2}
        if security == "tls":
            question["certificate"] = certificate().decode()
        wang = mail.person(WANG, "王芳", "bare")
        await wang.writes(REPLY, "first", "1")
        answer = asyncio.create_task(ask("imapflow.js", question))
        while not any(command.startswith("IDLE") for command in mail.imap.commands):
            assert not answer.done(), await answer
            await asyncio.sleep(0.02)
        await wang.writes(REPLY, "second", "2")
        told = await answer
        assert told["validity"] == str(mail.hosted.validity)
        assert [one["uid"] for one in told["mails"]] == [1, 2]
        assert all("\\Seen" not in one["flags"] for one in told["mails"])
        assert [one["source"].encode("latin-1") for one in told["mails"]] == [one.raw for one in mail.hosted.mails]
        assert mail.hosted.unseen == []
