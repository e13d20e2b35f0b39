"""Does a notice find its way out through real mail servers, and what comes of it its way back?"""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from pathlib import Path

import aiosmtplib
import pytest
from flufl.bounce import all_failures
from imap_tools import MailBoxUnencrypted, MailMessage

from bot.core.event import Address
from handlers.notices import desk
from handlers.notices.desk import Draft
from storage import addresses
from storage.audit import OPERATOR
from tests.fakes.mail import Mail, Mailbox, Origin, Person
from tests.letters import Door, door, notice
from tests.mail_servers import AUTHSERV_ID, HOSTED, MEMBERS, OURS, PASSWORD, MailServers, mail_servers
from tests.notices import standing
from tests.people import House, build_house
from tests.running import free_port
from tests.stages import WebStage, _serving

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
    for look in range(int(PATIENCE / 0.05)):
        if len(house.envelopes) >= count:
            return
        if look % 100 == 99:
            await asyncio.to_thread(servers.wake)
        await asyncio.sleep(0.05)
    raise AssertionError(f"nothing came: {servers.log()}")


def waits_for(servers: MailServers, user: str, ready: threading.Event) -> MailMessage:
    """Idle before this mailbox until a mail comes, and read it without a mark."""
    with MailBoxUnencrypted("127.0.0.1", servers.imap, timeout=PATIENCE).login(user, PASSWORD) as box:
        before = set(box.uids())
        with box.idle as idle:
            ready.set()
            until = time.monotonic() + PATIENCE
            while not any(b"EXISTS" in line for line in idle.poll(timeout=PATIENCE)):  # Dovecot says more than that
                assert time.monotonic() < until, servers.log()
        (uid,) = set(box.uids()) - before
        (message,) = box.fetch(f"UID {uid}", mark_seen=False)
        return message


async def next_mail(servers: MailServers, user: str) -> asyncio.Task[MailMessage]:
    """Idle before a mailbox in the background, from now on."""
    ready = threading.Event()
    waiting = asyncio.create_task(asyncio.to_thread(waits_for, servers, user, ready))
    await asyncio.to_thread(ready.wait)
    return waiting


async def test_a_notice_stands_in_her_mailbox_and_she_is_told_of_it_at_once(servers: MailServers) -> None:
    waiting = await next_mail(servers, WANG)
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
    waiting = await next_mail(servers, f"box@{HOSTED}")
    wang = Person(Town(servers), Mailbox(WANG), "王芳")
    await wang.writes(f"box+r.abc234@{HOSTED}", "收到", "收到")
    message = await waiting
    mail = Mail(WANG, "", message.obj.as_bytes())
    assert mail.header("Delivered-To") == f"box+r.abc234@{HOSTED}"
    assert mail.header("Return-Path") == f"<{WANG}>"
    assert mail.text.strip() == "收到"


# -- the house itself -------------------------------------------------------------------------------------------


@asynccontextmanager
async def serving(folder: Path, servers: MailServers, **settings: str) -> AsyncIterator[House]:
    """The whole house, served, with 王芳's mailbox and that of 孙明, who is not there any more."""
    port = free_port()
    house = build_house(
        folder, server__port=str(port), server__public_url=f"http://127.0.0.1:{port}", email__smtp_host="127.0.0.1",
        email__smtp_port=str(servers.submission), email__smtp_security="none", email__authserv_id=AUTHSERV_ID,
        **settings,
    )  # fmt: skip
    with house.app.database.write() as tx:
        for name, key in (("王芳", WANG), ("孙明", f"nobody@{MEMBERS}")):
            addresses.bind(tx, house.ids[name], Address("email", key), house.now, consent="test")
    WebStage(house, port, lambda: pytest.fail("nobody has a browser"))  # its clock runs on from the house's time
    async with _serving(house, port):
        yield house


def publish(house: House) -> int:
    draft = Draft(title="支部大会", body="周五下午三点开会。", scope="all", ask_ack=True)
    with house.app.database.write() as tx:
        return desk.send(tx, house.now, OPERATOR, None, draft)


async def until(true: Callable[[], bool], servers: MailServers) -> None:
    for _ in range(int(PATIENCE / 0.1)):
        if await asyncio.to_thread(true):
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"it did not happen: {servers.log()}")


def dead(house: House, key: str) -> bool:
    with house.app.database.read() as tx:
        found = addresses.find(tx, Address("email", key))
        return found is not None and found.dead


@pytest.mark.parametrize("way", ["lmtp", "imap"])
async def test_a_notice_goes_out_is_confirmed_by_mail_and_comes_back_from_who_is_gone(
    tmp_path: Path, servers: MailServers, way: str
) -> None:
    settings = {"email__sender": f"tiexin@{OURS}", "email__lmtp_port": str(servers.lmtp)}
    if way == "imap":
        settings = {
            "email__sender": f"tiexin@{HOSTED}", "email__imap_host": "127.0.0.1", "email__imap_security": "none",
            "email__imap_port": str(servers.imap), "email__imap_user": f"tiexin@{HOSTED}",
            "email__imap_password": PASSWORD,
        }  # fmt: skip
    async with serving(tmp_path, servers, **settings) as house:
        waiting = await next_mail(servers, WANG)
        number = await asyncio.to_thread(publish, house)
        told = Mail("", WANG, (await waiting).obj.as_bytes(), time.time())
        assert "周五下午三点开会。" in told.text

        await until(lambda: dead(house, f"nobody@{MEMBERS}"), servers)
        assert not dead(house, WANG)

        wang = Person(Town(servers), Mailbox(WANG), "王芳", "qq")
        waiting = await next_mail(servers, WANG)
        await wang.replies(told, "收到")
        await until(lambda: standing(house, number).confirmed == 1, servers)
        answer = await waiting
        assert answer.subject.startswith("Re: ")
        assert answer.headers["return-path"] == ("<>",)
