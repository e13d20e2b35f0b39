"""Does the fake's hosted mailbox read like one? Asked with imaplib and imap-tools."""

from __future__ import annotations

import asyncio
import imaplib
import threading
from collections.abc import Callable
from typing import TypeVar

import pytest
from imap_tools import AND, MailBox, MailBoxUnencrypted, MailMessageFlags
from imap_tools.errors import MailboxLoginError

from tests.fakes.mail import FakeMail, client_context
from tests.letters import REPLY, WANG

T = TypeVar("T")
NAME, WORD = "tiexin@party.example", "secret"


async def aside(work: Callable[[], T]) -> T:
    return await asyncio.to_thread(work)


def entered(mail: FakeMail) -> MailBoxUnencrypted:
    box = MailBoxUnencrypted(mail.host, mail.imap_port, timeout=30)
    box.login(NAME, WORD)
    return box


def hosted() -> FakeMail:
    return FakeMail(credentials=(NAME, WORD))


async def test_a_mail_is_read_without_being_marked_and_marked_afterwards() -> None:
    def work(mail: FakeMail) -> list[tuple[str | None, str, str]]:
        with entered(mail) as box:
            seen = [(one.uid, one.subject, one.headers["delivered-to"][0]) for one in box.fetch(mark_seen=False)]
            assert box.uids(AND(seen=False)) == ["1"]
            box.flag("1", MailMessageFlags.SEEN, True)
            assert box.uids(AND(seen=False)) == []
            assert box.folder.status("INBOX")["UNSEEN"] == 0
            return seen

    async with hosted() as mail:
        await mail.person(WANG, "王芳").writes(REPLY, "收到", "收到")
        assert await aside(lambda: work(mail)) == [("1", "收到", REPLY)]
        assert mail.hosted.unseen == []


async def test_a_plain_fetch_marks_the_mail_before_anything_is_done_with_it() -> None:
    def work(mail: FakeMail) -> None:
        with entered(mail) as box:
            list(box.fetch())

    async with hosted() as mail:
        await mail.person(WANG, "王芳").writes(REPLY, "收到", "收到")
        await aside(lambda: work(mail))
        assert mail.hosted.unseen == []


@pytest.mark.parametrize("mute", [False, True])
async def test_who_idles_is_told_of_a_mail_unless_the_line_is_mute(mute: bool) -> None:
    ready = threading.Event()

    def work(mail: FakeMail) -> list[bytes]:
        with entered(mail) as box, box.idle as idle:
            ready.set()
            return list(idle.poll(timeout=0.5 if mute else 60))

    async with hosted() as mail:
        mail.imap.mute = mute
        waiting = asyncio.create_task(aside(lambda: work(mail)))
        await aside(ready.wait)
        await mail.person(WANG, "王芳").writes(REPLY, "收到", "收到")
        assert await waiting == ([] if mute else [b"* 1 EXISTS"])


async def test_a_mail_that_comes_while_another_is_marked_is_told_of_then_and_not_again() -> None:
    """Whoever goes on to IDLE without a look at that answer sleeps while a mail lies there."""

    def work(mail: FakeMail) -> tuple[list[bytes], object]:
        with entered(mail) as box:
            box.client.response("EXISTS")
            box.flag("1", MailMessageFlags.SEEN, True)
            told = box.client.response("EXISTS")[1]
            with box.idle as idle:
                return list(idle.poll(timeout=0.5)), told

    async with hosted() as mail:
        wang = mail.person(WANG, "王芳", "bare")
        await wang.writes(REPLY, "first", "1")
        first = mail.hosted.mails[0].raw
        mail.imap.meanwhile["STORE"] = lambda: mail.hosted.add(first)
        assert await aside(lambda: work(mail)) == ([], [b"2"])


async def test_a_new_uidvalidity_comes_with_other_uids_for_the_same_mails() -> None:
    def work(mail: FakeMail) -> tuple[int, list[str]]:
        with entered(mail) as box:
            return box.folder.status("INBOX")["UIDVALIDITY"], box.uids()

    async with hosted() as mail:
        wang = mail.person(WANG, "王芳")
        for subject in "一二三":
            await wang.writes(REPLY, subject, subject)
        mail.hosted.remove([1])
        before, uids = await aside(lambda: work(mail))
        assert uids == ["2", "3"]
        mail.imap.renumbers()
        after, uids = await aside(lambda: work(mail))
        assert (after - before, uids) == (1, ["1", "2"])


async def test_a_line_that_breaks_at_the_flag_leaves_the_mail_unseen() -> None:
    def work(mail: FakeMail) -> None:
        box = entered(mail)
        with pytest.raises((imaplib.IMAP4.abort, ConnectionError)):
            box.flag("1", MailMessageFlags.SEEN, True)
        box.client.shutdown()

    async with hosted() as mail:
        mail.imap.breaks_at = {"STORE"}
        await mail.person(WANG, "王芳").writes(REPLY, "收到", "收到")
        await aside(lambda: work(mail))
        assert len(mail.hosted.unseen) == 1


async def test_a_wrong_password_is_refused() -> None:
    def work(mail: FakeMail) -> None:
        with MailBoxUnencrypted(mail.host, mail.imap_port) as box, pytest.raises(MailboxLoginError):
            box.login(NAME, "wrong")

    async with hosted() as mail:
        await aside(lambda: work(mail))
        assert not any("wrong" in command for command in mail.imap.commands)


async def test_imap_tools_comes_in_by_tls() -> None:
    def work(mail: FakeMail) -> list[str]:
        with MailBox("localhost", mail.imap_port, ssl_context=client_context()).login(NAME, WORD) as box:
            return [one.text.strip() for one in box.fetch(mark_seen=False)]

    async with FakeMail(security="tls", credentials=(NAME, WORD)) as mail:
        await mail.person(WANG, "王芳").writes(REPLY, "收到", "收到", "gmail_zh")
        assert await aside(lambda: work(mail)) == ["收到"]


async def test_imaplib_finds_reads_marks_and_removes() -> None:
    def work(mail: FakeMail) -> None:
        with imaplib.IMAP4(mail.host, mail.imap_port, timeout=30) as client:
            client.login(NAME, WORD)
            assert client.select("INBOX") == ("OK", [b"2"])
            assert client.uid("SEARCH", "UNSEEN", "SUBJECT", '"second"') == ("OK", [b"2"])
            _, answer = client.uid("FETCH", "2", "(UID FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
            assert answer[0][1] == b"Subject: second\r\n\r\n"
            client.uid("STORE", "1", "+FLAGS", r"(\Deleted)")
            client.expunge()
            assert client.uid("SEARCH", "ALL") == ("OK", [b"2"])

    async with hosted() as mail:
        wang = mail.person(WANG, "王芳", "bare")
        await wang.writes(REPLY, "first", "1")
        await wang.writes(REPLY, "second", "2")
        await aside(lambda: work(mail))
        assert [stored.uid for stored in mail.hosted.mails] == [2]
