"""Letters: a notice as a house sends it, and a plain door where answers are taken."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage

from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.fakes.mail import FakeMail

WANG = "wangfang@qq.com"
VERP = "tiexin+b.abc234@party.example"
REPLY = "tiexin+r.abc234@party.example"


def notice(number: int = 1, url: str = "http://127.0.0.1/l/TOKEN") -> EmailMessage:
    """A question about 主题党日 to 王芳."""
    message = EmailMessage()
    message["From"] = "党支部 <tiexin@party.example>"
    message["To"] = WANG
    message["Reply-To"] = REPLY
    message["Subject"] = "主题党日：11月28日下午两点"
    message["Message-ID"] = f"<n{number}@party.example>"
    message["References"] = "<root@party.example>"
    message["Date"] = "Sun, 22 Nov 2026 09:41:00 +0800"
    message.set_content(f"——请在此线以上回复——\n王芳同志，您是否参加？\n1. 参加\n2. 不参加\n去投票：\n{url}\n")
    message.add_alternative(f'<p>您是否参加？</p><a href="{url}">去投票</a>', subtype="html")
    return message


class Door:
    """A plain LMTP server: says what it is told to, else 250 for each recipient."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []
        self.says: list[str] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.says:
            return self.says.pop(0)
        self.envelopes.append(envelope)
        return "\r\n".join(f"250 2.0.0 <{recipient}> ok" for recipient in envelope.rcpt_tos)

    @property
    def raw(self) -> bytes:
        """The newest mail."""
        return (self.envelopes[-1].original_content or b"") if self.envelopes else b""


@asynccontextmanager
async def door(mail: FakeMail | None = None, port: int = 0) -> AsyncIterator[Door]:
    """Take what comes by LMTP: from the fake, or on a port of one's own."""
    handler = Door()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: LMTP(handler, loop=loop, enable_SMTPUTF8=True), "127.0.0.1", port)
    if mail is not None:
        mail.brings_to("127.0.0.1", server.sockets[0].getsockname()[1])
    try:
        yield handler
    finally:
        server.close()
        await server.wait_closed()
