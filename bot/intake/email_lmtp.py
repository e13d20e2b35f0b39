"""How does a mail server of the organisation's own bring us mails? By LMTP, acknowledged once they are committed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from bot.logs import frames
from storage.writer import Busy

log = structlog.get_logger()

LATER = "451 4.3.0 try again later"
"""Nothing was committed: the mail server keeps the mail and tries again. No word of ours goes with it."""
PATIENCE = 120.0
"""Seconds a silent connection is kept."""

Take = Callable[[bytes, str | None, Sequence[str]], Awaitable[str]]
"""Take a mail: its bytes, the envelope's sender (None: unknown) and recipients; what became of it. Raises Busy."""


class Lmtp:
    """The LMTP port. `takes` says which addresses are ours, `largest` how many bytes a mail may have."""

    def __init__(self, take: Take, takes: Callable[[str], bool], host: str, port: int, largest: int) -> None:
        self._take, self._takes, self._host, self._port, self._largest = take, takes, host, port, largest
        self._server: asyncio.Server | None = None
        # Its log lines hold addresses, and its warnings whole commands.
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)
        logging.getLogger("mail.debug").setLevel(logging.CRITICAL)

    @property
    def port(self) -> int:
        """The port it listens at."""
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    async def open(self) -> None:
        loop = asyncio.get_running_loop()

        def talk() -> LMTP:
            return LMTP(
                self, data_size_limit=self._largest, enable_SMTPUTF8=True, hostname="tiexin", ident="ready",
                timeout=PATIENCE, loop=loop,
            )  # fmt: skip

        self._server = await loop.create_server(talk, self._host, self._port)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    # -- as aiosmtpd asks ------------------------------------------------------------------------------------

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not self._takes(address):
            return "550 5.1.1 no such address here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """One answer for each recipient, which aiosmtpd leaves to us (RFC 2033, 4.2)."""
        raw = envelope.content or b""
        content = raw if isinstance(raw, bytes) else raw.encode("utf-8", "surrogateescape")
        try:
            await self._take(content, (envelope.mail_from or "").strip("<>"), envelope.rcpt_tos)  # null: “<>”
        except Busy:
            return "\r\n".join([LATER] * len(envelope.rcpt_tos))
        except Exception as error:
            return "\r\n".join([await self.handle_exception(error)] * len(envelope.rcpt_tos))
        return "\r\n".join(["250 2.0.0 taken"] * len(envelope.rcpt_tos))

    async def handle_exception(self, error: Exception) -> str:
        """A mistake of ours. aiosmtpd would say 500 and our error's text, and the member's mail would be lost."""
        log.error("mail failed", error=type(error).__name__, frames=frames(error))
        return LATER
