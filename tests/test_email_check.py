"""Does `tiexin check` say in one line how mail stands, and what to do?"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.adapters.email_check import check
from bot.config import Email
from tests.fakes.mail import FakeMail, client_context
from tests.fakes.telegram import RealClock

LOGIN = ("tiexin@party.example", "the-password")


@asynccontextmanager
async def world(**values: Any) -> AsyncIterator[FakeMail]:
    async with FakeMail("party.example", clock=RealClock(), credentials=LOGIN, **values) as mail:
        yield mail


def settings(mail: FakeMail, **more: Any) -> Email:
    given: dict[str, Any] = {
        "sender": LOGIN[0], "smtp_host": "127.0.0.1", "smtp_port": mail.smtp_port, "smtp_security": "none",
        "smtp_user": LOGIN[0], "smtp_password": SecretStr(LOGIN[1]), "imap_host": "127.0.0.1",
        "imap_port": mail.imap_port, "imap_security": "none", "imap_user": LOGIN[0],
        "imap_password": SecretStr(LOGIN[1]), "authserv_id": "mx.party.example",
    }  # fmt: skip
    return Email(**{**given, **more})


async def test_everything_works() -> None:
    async with world() as mail:
        found = await check(settings(mail))
        assert found.works
        assert f"127.0.0.1:{mail.smtp_port} takes our mail, no unread in INBOX" in found.found
        assert found.remedy == ""
        assert mail.mails == [], "nothing was sent"


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_an_encrypted_server_whose_certificate_is_trusted(security: Any) -> None:
    async with world(security=security) as mail:
        found = await check(settings(mail, smtp_security=security, imap_security="tls"), context=client_context())
        assert found.works, found


async def test_a_certificate_that_nobody_trusts_is_not_used() -> None:
    async with world(security="tls") as mail:
        found = await check(settings(mail, smtp_security="tls", imap_security="tls"))
        assert not found.works
        assert "smtp_security" in found.remedy


@pytest.mark.parametrize(
    ("wrong", "remedy"),
    [
        ({"smtp_password": SecretStr("wrong")}, "email.smtp_password"),
        ({"smtp_port": 1}, "may this machine reach it"),
        ({"imap_password": SecretStr("wrong")}, "imap_password"),
        ({"imap_port": 1}, "imap_host"),
        ({"imap_folder": "Nowhere"}, "imap_folder"),
        ({"imap_host": ""}, "set email.lmtp_port, or email.imap_host"),
        ({"authserv_id": ""}, "email.authserv_id"),
    ],
    ids=str,
)
async def test_what_does_not_work_names_its_remedy_and_no_secret(wrong: dict[str, Any], remedy: str) -> None:
    async with world() as mail:
        found = await check(settings(mail, **wrong))
        assert remedy in found.remedy
        assert found.works is ("authserv_id" in wrong)
        assert "wrong" not in f"{found.found} {found.remedy}"


async def test_a_sink_sends_nothing(tmp_path: Path) -> None:
    found = await check(Email(sender=LOGIN[0], sink=tmp_path))
    assert found.works
    assert "none is sent" in found.found


async def test_lmtp_waits_for_the_server_to_run() -> None:
    async with world() as mail:
        found = await check(settings(mail, imap_host="", lmtp_port=1))
        assert "while `tiexin serve` runs" in found.found
