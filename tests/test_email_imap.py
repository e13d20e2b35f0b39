"""A hosted mailbox: is every mail taken once, and marked as read only when it is committed?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from pydantic import SecretStr

from bot.config import Email
from bot.intake import email_imap
from bot.intake.email_imap import Imap
from storage.writer import Busy
from tests.fakes.mail import FakeMail
from tests.fakes.telegram import RealClock

ACCOUNT = ("tiexin@party.example", "the-password")


@dataclass
class Taker:
    """Whoever takes the mails: `moods` raise, one for each mail, before it is taken."""

    moods: list[Exception] = field(default_factory=list)
    taken: list[bytes] = field(default_factory=list)
    cut: list[bool] = field(default_factory=list)
    seen_when_taken: list[int] = field(default_factory=list)
    marked: Callable[[], int] = lambda: 0

    async def take(self, raw: bytes, mail_from: str | None, recipients: object, *, cut: bool = False) -> str:
        self.seen_when_taken.append(self.marked())
        if self.moods:
            raise self.moods.pop(0)
        self.taken.append(raw)
        self.cut.append(cut)
        return "answered"


def marked(mail: FakeMail) -> int:
    """How many mails of the mailbox are marked as read."""
    return sum("\\Seen" in stored.flags for stored in mail.hosted.mails)


@asynccontextmanager
async def watching(mail: FakeMail, taker: Taker, largest: int = 10 << 20) -> AsyncIterator[Imap]:
    settings = Email(
        sender=ACCOUNT[0], smtp_host="127.0.0.1", imap_host="127.0.0.1", imap_port=mail.imap_port,
        imap_security="none", imap_user=ACCOUNT[0], imap_password=SecretStr(ACCOUNT[1]),
        largest=largest,
    )  # fmt: skip
    taker.marked = lambda: marked(mail)
    imap = Imap(taker.take, settings)
    await imap.open()
    try:
        yield imap
    finally:
        await imap.close()


async def until(what: Callable[[], bool]) -> None:
    for _ in range(600):
        if what():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it did not happen")


@asynccontextmanager
async def world() -> AsyncIterator[FakeMail]:
    async with FakeMail("party.example", clock=RealClock(), credentials=ACCOUNT) as mail:
        yield mail


async def test_what_lies_there_and_what_comes_is_taken_and_then_marked() -> None:
    async with world() as mail:
        wang = mail.person("wangfang@qq.com", "王芳")
        await wang.writes(ACCOUNT[0], "一", "党费")
        taker = Taker()
        async with watching(mail, taker):
            await until(lambda: len(taker.taken) == 1)
            await wang.writes(ACCOUNT[0], "二", "投票")
            await until(lambda: marked(mail) == 2)
        assert len(taker.taken) == 2
        assert taker.seen_when_taken == [0, 1], "a mail is marked after it was taken"
        assert "FETCH" in " ".join(mail.imap.commands)
        assert not any("BODY[]" in one.upper() and "PEEK" not in one.upper() for one in mail.imap.commands)


async def test_busy_leaves_it_unread_and_takes_it_later(monkeypatch: pytest.MonkeyPatch) -> None:
    async with world() as mail:
        await mail.person("wangfang@qq.com").writes(ACCOUNT[0], "一", "党费")
        taker = Taker(moods=[Busy(), Busy()])
        async with watching(mail, taker):
            await until(lambda: marked(mail) == 1)
        assert (len(taker.taken), taker.seen_when_taken) == (1, [0, 0, 0])


async def test_a_mail_that_fails_by_our_mistake_keeps_no_other_waiting() -> None:
    async with world() as mail:
        wang = mail.person("wangfang@qq.com")
        await wang.writes(ACCOUNT[0], "一", "党费")
        await wang.writes(ACCOUNT[0], "二", "投票")
        taker = Taker(moods=[RuntimeError("ours")])
        async with watching(mail, taker):
            await until(lambda: len(taker.taken) >= 1)


async def test_a_flag_that_is_lost_brings_the_mail_again_and_not_a_word_less() -> None:
    async with world() as mail:
        mail.imap.breaks_at = {"STORE"}
        await mail.person("wangfang@qq.com").writes(ACCOUNT[0], "一", "党费")
        taker = Taker()
        async with watching(mail, taker):
            await until(lambda: marked(mail) == 1)
        assert len(taker.taken) == 2
        assert taker.taken[0] == taker.taken[1], "so that the store knows it again"


async def test_of_one_that_is_too_large_the_headers_are_taken_so_that_its_author_hears_of_it() -> None:
    async with world() as mail:
        await mail.person("wangfang@qq.com").writes(ACCOUNT[0], "思想汇报", "长" * 40_000)
        taker = Taker()
        async with watching(mail, taker, largest=100_000):
            await until(lambda: marked(mail) == 1)
        assert taker.cut == [True]
        assert b"\r\nSubject: " in taker.taken[0]
        assert len(taker.taken[0]) < 2_000


async def test_a_broken_line_and_new_numbers_lose_nothing() -> None:
    async with world() as mail:
        wang = mail.person("wangfang@qq.com")
        mail.imap.breaks_at = {"FETCH"}
        await wang.writes(ACCOUNT[0], "一", "党费")
        taker = Taker()
        async with watching(mail, taker):
            await until(lambda: marked(mail) == 1)
            mail.imap.renumbers()
            await wang.writes(ACCOUNT[0], "二", "投票")
            await until(lambda: marked(mail) == 2)
        assert len(taker.taken) == 2


async def test_a_proxy_that_takes_idle_and_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(email_imap, "IDLE", 0.3)
    monkeypatch.setattr(email_imap, "SLICE", 0.1)
    async with world() as mail:
        mail.imap.mute = True
        taker = Taker()
        async with watching(mail, taker):
            await until(lambda: bool(mail.imap.commands))
            await mail.person("wangfang@qq.com").writes(ACCOUNT[0], "一", "党费")
            await until(lambda: marked(mail) == 1)


async def test_a_server_without_idle_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(email_imap, "LOOK", 0.2)
    async with world() as mail:
        mail.imap.idles = False
        taker = Taker()
        async with watching(mail, taker):
            await until(lambda: any("UID" in one.upper() for one in mail.imap.commands))
            await mail.person("wangfang@qq.com").writes(ACCOUNT[0], "一", "党费")
            await until(lambda: marked(mail) == 1)


async def test_a_mailbox_that_opens_later_is_waited_for() -> None:
    async with world() as mail:
        await mail.imap.close()
        taker = Taker()
        async with watching(mail, taker):
            await asyncio.sleep(0.2)
            await mail.imap.open()
            await mail.person("wangfang@qq.com").writes(ACCOUNT[0], "一", "党费")
            await until(lambda: marked(mail) == 1)
