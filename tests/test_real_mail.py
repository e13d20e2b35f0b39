"""Does a notice find its way out through real mail servers, and what comes of it its way back?"""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import Iterator, Sequence
from email import message_from_bytes, policy

import aiosmtplib
import pytest
from flufl.bounce import all_failures
from imap_tools import MailBoxUnencrypted, MailMessage

from tests.fakes.mail import Mail, Mailbox, Origin, Person
from tests.letters import Door, door, notice
from tests.mail_servers import AUTHSERV_ID, HOSTED, MEMBERS, OURS, PASSWORD, MailServers, mail_servers

WANG = f"wangfang@{MEMBERS}"
VERP, REPLY = f"tiexin+b.abc234@{OURS}", f"tiexin+r.abc234@{OURS}"
PATIENCE = 60.0


@pytest.fixture(scope="module")
def servers() -> Iterator[MailServers]:
    with mail_servers() as running:
        yield running


class Town:
    """The world of the fake's people, with real servers under it."""

    def __init__(self, servers: MailServers) -> None:
        self._servers = servers
        self._serial = itertools.count(1)

    def now(self) -> float:
        return time.time()

    def serial(self) -> int:
        return next(self._serial)

    async def posted(
        self, sender: str, recipients: Sequence[str], raw: bytes, origin: Origin, *, copies: int, wait: bool
    ) -> None:
        await asyncio.to_thread(self._servers.brings, sender, recipients, raw)


async def sends(servers: MailServers, to: str) -> None:
    message = notice()
    del message["To"], message["Reply-To"]
    message["To"], message["Reply-To"] = to, REPLY
    await aiosmtplib.send(
        message, sender=VERP, recipients=[to], hostname="127.0.0.1", port=servers.submission, start_tls=False
    )


async def arrived(house: Door, servers: MailServers, count: int = 1) -> None:
    """Wait until so many mails have come to our door."""
    for _ in range(int(PATIENCE / 0.05)):
        if len(house.envelopes) >= count:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"nothing came: {servers.log()}")


def waits_for(servers: MailServers, user: str, ready: threading.Event) -> MailMessage:
    """Idle before this mailbox until a mail comes, and read it without a mark."""
    with MailBoxUnencrypted("127.0.0.1", servers.imap, timeout=PATIENCE).login(user, PASSWORD) as box:
        before = set(box.uids())
        with box.idle as idle:
            ready.set()
            assert idle.poll(timeout=PATIENCE), servers.log()
        (uid,) = set(box.uids()) - before
        (message,) = box.fetch(f"UID {uid}", mark_seen=False)
        return message


async def test_a_notice_stands_in_her_mailbox_and_she_is_told_of_it_at_once(servers: MailServers) -> None:
    ready = threading.Event()
    waiting = asyncio.create_task(asyncio.to_thread(waits_for, servers, WANG, ready))
    await asyncio.to_thread(ready.wait)
    await sends(servers, WANG)
    message = await waiting
    mail = Mail(VERP, WANG, message.obj.as_bytes())
    assert message.subject == "主题党日：11月28日下午两点"
    assert mail.header("Return-Path") == f"<{VERP}>"
    assert mail.numbered() == {"参加": "1", "不参加": "2"}


async def test_a_mail_to_nobody_comes_back_to_the_address_it_was_sent_from(servers: MailServers) -> None:
    async with door(port=servers.lmtp) as house:
        nobody = f"nobody@{MEMBERS}"
        await sends(servers, nobody)
        await arrived(house, servers)
        (bounce,) = house.envelopes
        assert (bounce.mail_from, bounce.rcpt_tos) == ("<>", [VERP])
        passing, lasting = all_failures(message_from_bytes(house.raw))
        assert (set(passing), set(lasting)) == (set(), {nobody.encode()})


@pytest.mark.parametrize("program", ["qq", "foxmail", "outlook_html_only", "gmail_zh", "bottom"])
async def test_an_answer_comes_to_the_address_it_was_written_to_judged_by_our_server(
    servers: MailServers, program: str
) -> None:
    async with door(port=servers.lmtp) as house:
        wang = Person(Town(servers), Mailbox(WANG), "王芳", program)
        question = Mail(VERP, WANG, notice().as_bytes(policy=policy.SMTP), time.time())
        forged = f"{AUTHSERV_ID}; dkim=pass header.d={MEMBERS}"
        await wang.replies(question, "1", to=REPLY, headers={"Authentication-Results": forged})
        await arrived(house, servers)
        (envelope,) = house.envelopes
        assert (envelope.mail_from, envelope.rcpt_tos) == (WANG, [REPLY])
        results = message_from_bytes(house.raw).get_all("Authentication-Results")
        assert results == [f"{AUTHSERV_ID}; spf=pass smtp.mailfrom={MEMBERS}"]


async def test_an_answer_that_we_could_not_keep_comes_again(servers: MailServers) -> None:
    async with door(port=servers.lmtp) as house:
        house.says = ["451 4.3.0 try again", "451 4.3.0 try again"]
        wang = Person(Town(servers), Mailbox(WANG), "王芳")
        await wang.writes(REPLY, "收到", "收到")
        await arrived(house, servers)
        assert house.says == []
        assert len(house.envelopes) == 1


async def test_an_answer_to_a_hosted_mailbox_is_told_of_at_once_and_still_names_its_address(
    servers: MailServers,
) -> None:
    ready = threading.Event()
    waiting = asyncio.create_task(asyncio.to_thread(waits_for, servers, f"tiexin@{HOSTED}", ready))
    await asyncio.to_thread(ready.wait)
    wang = Person(Town(servers), Mailbox(WANG), "王芳")
    await wang.writes(f"tiexin+r.abc234@{HOSTED}", "收到", "收到")
    message = await waiting
    mail = Mail(WANG, "", message.obj.as_bytes())
    assert mail.header("Delivered-To") == f"tiexin+r.abc234@{HOSTED}"
    assert mail.header("Return-Path") == f"<{WANG}>"
    assert mail.text.strip() == "收到"
