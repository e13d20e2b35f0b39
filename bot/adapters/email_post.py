"""email_post: how is a mail handed to a mail server?

Over one connection for as long as there is something to send. Each mail has one recipient, so that a bounce names one
person and one refusal means one address.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog
from aiosmtplib import SMTP, SMTPException

from bot.adapters.email_errors import Answer, What, judged
from bot.adapters.email_out import Posted
from bot.config import Email

log = structlog.get_logger()

TIMEOUT = 20.0
"""Seconds for each step of a dialogue."""
DOWN = 30.0
"""Seconds the server is left alone after it could not be reached."""
IN_LINE = 40.0
"""Seconds a mail waits for its turn; the outbox holds it for a minute."""


class NotTaken(Exception):
    """The server did not take a mail."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.what.value)
        self.answer = answer


class Post(Protocol):
    """Something that takes mails."""

    async def hand(self, posted: Posted, leaving: Callable[[], Awaitable[None]]) -> None:
        """Hand a mail over. `leaving` is awaited right before its end may be on the way. Raises NotTaken."""

    async def close(self) -> None: ...


class MailServer:
    """The server that sends for us. `clock` counts seconds."""

    def __init__(
        self,
        settings: Email,
        *,
        timeout: float = TIMEOUT,
        context: ssl.SSLContext | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings, self._timeout, self._context, self._clock = settings, timeout, context, clock
        self._lock = asyncio.Lock()
        self._waiting = 0
        self._smtp: SMTP | None = None
        self._down_until = 0.0

    async def hand(self, posted: Posted, leaving: Callable[[], Awaitable[None]]) -> None:
        """Hand a mail over; it is the server's when this returns. Raises NotTaken."""
        self._waiting += 1
        asked = self._clock()
        try:
            async with self._lock:
                if self._clock() - asked > IN_LINE or self._clock() < self._down_until:
                    raise NotTaken(Answer(What.BUSY, "in line"))
                await self._once_or_twice(posted, leaving)
        finally:
            self._waiting -= 1
            if not self._waiting:
                await self.close()

    async def close(self) -> None:
        """Say goodbye, where there is a connection."""
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            with contextlib.suppress(SMTPException, OSError, TimeoutError):
                await asyncio.wait_for(smtp.quit(), 2)
            smtp.close()

    async def greet(self) -> None:
        """Connect, log in and leave: whether the server would let us. Raises NotTaken."""
        try:
            await self._connected()
        except (SMTPException, OSError, ValueError) as error:
            raise NotTaken(judged(error, dot=False)) from None
        finally:
            await self.close()

    async def _once_or_twice(self, posted: Posted, leaving: Callable[[], Awaitable[None]]) -> None:
        """A connection that was kept may be dead: before anything of a mail has left, another is opened."""
        kept = self._smtp is not None
        try:
            await self._dialogue(posted, leaving)
        except NotTaken as no:
            if not (kept and no.answer.what is What.BUSY):
                raise
            self._down_until = 0.0
            await self._dialogue(posted, leaving)

    async def _dialogue(self, posted: Posted, leaving: Callable[[], Awaitable[None]]) -> None:
        dot = False
        try:
            smtp = await self._connected()
            await smtp.mail(posted.mail_from, options=[f"SIZE={len(posted.content)}"] if _sized(smtp) else [])
            await smtp.rcpt(posted.to)
            await leaving()
            dot = True
            await smtp.data(posted.content)
        except (SMTPException, OSError, ValueError) as error:
            answer = judged(error, dot=dot)
        except BaseException:
            self._drop()  # in the middle of a mail: nobody else goes on there
            raise
        else:
            return
        if answer.what in (What.BUSY, What.LOST, What.LOCKED):
            self._drop()
            if answer.what is not What.LOST:
                self._down_until = self._clock() + DOWN
        else:
            await self._reset()
        raise NotTaken(answer)  # outside the handler: the text of the original may quote the mail

    async def _connected(self) -> SMTP:
        if self._smtp is not None and self._smtp.is_connected:
            return self._smtp
        settings = self._settings
        password = settings.smtp_password.get_secret_value() if settings.smtp_password else None
        smtp = SMTP(
            hostname=settings.smtp_host, port=settings.smtp_port, timeout=self._timeout,
            use_tls=settings.smtp_security == "tls", start_tls=settings.smtp_security == "starttls",
            username=settings.smtp_user or None, password=password, tls_context=self._context,
        )  # fmt: skip
        try:
            await smtp.connect()
            if smtp.is_ehlo_or_helo_needed:
                await smtp.ehlo()
        except BaseException:
            smtp.close()
            raise
        self._smtp = smtp
        return smtp

    async def _reset(self) -> None:
        """Make the connection ready for the next mail; one that will not is given up."""
        try:
            if self._smtp is not None:
                await self._smtp.rset()
        except (SMTPException, OSError):
            self._drop()

    def _drop(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            smtp.close()


def _sized(smtp: SMTP) -> bool:
    return smtp.supports_extension("size")
