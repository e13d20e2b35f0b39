"""How does mail reach us and leave us? E-mail's part of the process."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.adapters.email_channel import EmailChannel, Told
from bot.adapters.email_frame import Frame
from bot.adapters.email_in import read
from bot.adapters.email_post import MailServer, Post
from bot.adapters.email_sink import Sink
from bot.adapters.email_token import Postmark
from bot.config import Email
from bot.core.reply import Undelivered
from bot.intake import Wiring
from bot.intake.email_imap import Imap
from bot.intake.email_lmtp import Lmtp
from bot.intake.email_taking import Taking
from bot.logs import frames
from handlers.binding import email as binding
from storage import mails
from storage.house import Tx
from storage.mails import Letter
from storage.rates import Limit
from storage.writer import Busy

log = structlog.get_logger()

POLL = 1.0
"""Seconds between two looks for answers that wait to be sent."""
AGAIN = 60.0
"""Seconds before an answer that was put off is tried again, where nothing else is said."""


class _Told(Told):
    """Who hears of what the channel finds out."""

    def dead(self, tx: Tx, now: datetime, person_id: int | None, key: str) -> None:
        binding.died(tx, now, person_id, key)

    def stopped(self, tx: Tx, now: datetime, why: str) -> None:
        binding.alarm(tx, now, why)


class _Door(Protocol):
    async def open(self) -> None: ...

    async def close(self) -> None: ...


class EmailPart:
    """E-mail's part of the process: its channel, the doors by which mail comes in, and the answers that go out.

    `context` is for servers whose certificate no authority has signed; tests hand in theirs.
    """

    def __init__(self, wiring: Wiring, settings: Email, *, context: ssl.SSLContext | None = None) -> None:
        app = wiring.app
        self._app, self._writer, self._wiring = app, wiring.writer, wiring
        self.postmark = Postmark(app.house.keys, settings.sender, plus=settings.plus_addresses)
        post: Post = (
            Sink(settings.sink)
            if settings.sink
            else MailServer(settings, context=context, clock=lambda: app.clock().timestamp())
        )
        frame = Frame(app.reception.renderer, app.house.name, app.house.language)
        limit = Limit(settings.rate, settings.burst)
        self.channel = EmailChannel(
            post, self.postmark, app.house, wiring.writer, frame, _Told(), app.clock, limit=limit
        )
        self._taking = Taking(app, self.postmark, settings)
        self._doors: list[_Door] = []
        self.lmtp: Lmtp | None = None
        if settings.lmtp_port:
            self.lmtp = Lmtp(self.take, self.postmark.takes, settings.lmtp_host, settings.lmtp_port, settings.largest)
            self._doors.append(self.lmtp)
        if settings.imap_host:
            self._doors.append(Imap(self.take, settings, context=context))
        self._some, self._stopping = asyncio.Event(), False
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        for door in self._doors:
            await door.open()
        self._task = asyncio.create_task(self._answering())

    async def close(self) -> None:
        for door in self._doors:
            await door.close()
        self._stopping = True
        self._some.set()
        if self._task:
            await asyncio.gather(self._task, return_exceptions=True)
        await self.channel.close()

    async def take(self, raw: bytes, mail_from: str | None, recipients: Sequence[str], *, cut: bool = False) -> str:
        """Take a mail (`cut`: too large, only its headers); when this returns, it is committed.

        Raises Busy when nothing was.
        """
        mail = await asyncio.to_thread(read, raw, self.postmark.sender, mail_from=mail_from)
        whom = list(recipients) or list(mail.recipients)
        try:
            kind = await self._writer.run(lambda tx: self._taking.take(tx, self._app.clock(), mail, whom, cut=cut))
        except Busy:
            self._wiring.note("email", "busy")
            raise
        self._wiring.note("email", kind)
        self._wiring.wake()
        self._some.set()
        return kind

    # -- answers ----------------------------------------------------------------------------------------------

    async def _answering(self) -> None:
        while not self._stopping:
            self._some.clear()
            try:
                sent = await self.answer()
            except Exception as error:  # one round that went wrong must not be the last
                log.error("answering failed", error=type(error).__name__, frames=frames(error))
                sent = 0
            if not sent:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._some.wait(), POLL)

    async def answer(self) -> int:
        """Send the answers that wait; how many left."""
        waiting = await asyncio.to_thread(self._waiting)
        sent = 0
        for letter in waiting:
            if self._stopping:
                break
            try:
                await self.channel.hand(letter)
                sent += 1
            except Undelivered as no:
                await self._put_off(letter, no)
                if no.retry_after is not None:
                    break
        return sent

    def _waiting(self) -> list[Letter]:
        with self._app.database.read() as tx:
            return mails.due(tx, self._app.clock())

    async def _put_off(self, letter: Letter, no: Undelivered) -> None:
        over = no.permanent or no.unknown
        until = self._app.clock() + timedelta(seconds=no.again or no.retry_after or AGAIN)

        def work(tx: Tx) -> None:
            if over:
                mails.mark(tx, letter.tag, "failed")
            else:
                mails.put_off(tx, letter, until)

        with contextlib.suppress(Busy):
            await self._writer.run(work)
