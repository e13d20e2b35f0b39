"""smtp: what does the server say to whom it is handed a mail?

Enough of RFC 5321, 3207 and 4954 for aiosmtplib, smtplib, nodemailer and Postfix, and no library of the product's.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from tests.fakes.mail import faults
from tests.fakes.mail.faults import Answer, At, Fault

Security = Literal["none", "starttls", "tls"]


class Office(Protocol):
    """Who decides what the server says, and takes what it was given."""

    def fault(self, at: At, recipient: str | None) -> Fault | None: ...

    def refuses(self, recipient: str) -> Answer | None: ...

    def take(self, sender: str, recipients: list[str], raw: bytes, fault: Fault | None) -> None: ...


class _Broken(Exception):
    """The line is cut."""


@dataclass
class _Envelope:
    sender: str | None = None
    recipients: list[str] = field(default_factory=list)


class SmtpServer:
    """A server at 127.0.0.1 before which the product stands as a client."""

    def __init__(
        self,
        office: Office,
        *,
        security: Security = "none",
        context: ssl.SSLContext | None = None,
        credentials: tuple[str, str] | None = None,
        largest: int = 10 * 1024 * 1024,
        name: str = "mx.example",
    ) -> None:
        self.office, self.security, self.context = office, security, context
        self.credentials, self.largest, self.name = credentials, largest, name
        self.dialogues: list[list[str]] = []
        """Every connection's commands, without what was secret in them."""
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._port = 0

    @property
    def port(self) -> int:
        return self._port

    async def open(self) -> None:
        """Listen; after `close`, on the same port again."""
        self._server = await asyncio.start_server(
            self._serve,
            "127.0.0.1",
            self._port,
            limit=self.largest + 65_536,
            ssl=self.context if self.security == "tls" else None,
        )
        self._port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop; whoever comes now is refused."""
        if self._server is not None:
            self._server.close()
            for writer in list(self._writers):
                writer.transport.abort()
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        session = _Session(self, reader, writer)
        try:
            with contextlib.suppress(_Broken, ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, EOFError):
                await session.talk()
        finally:
            writer.transport.abort() if session.cut else writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()
            self._writers.discard(writer)


class _Session:
    """One connection."""

    def __init__(self, server: SmtpServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server, self._reader, self._writer = server, reader, writer
        self._secure = server.security == "tls"
        self._known = server.credentials is None
        self._envelope = _Envelope()
        self._said: list[str] = []
        server.dialogues.append(self._said)
        self.cut = False
        self._verbs: dict[str, Callable[[str], object]] = {
            "EHLO": self._ehlo, "HELO": self._helo, "STARTTLS": self._starttls, "AUTH": self._auth,
            "MAIL": self._mail, "RCPT": self._rcpt, "DATA": self._data, "RSET": self._rset, "NOOP": self._noop,
        }  # fmt: skip

    async def talk(self) -> None:
        if not await self._misfortune("connect"):
            await self._say(Answer(220, text=f"{self._server.name} ESMTP"))
        while line := await self._reader.readline():
            command = line.decode("utf-8", "replace").rstrip("\r\n")
            verb, _, rest = command.partition(" ")
            self._said.append(command if verb.upper() != "AUTH" else f"AUTH {rest.split(' ')[0]}")
            if verb.upper() == "QUIT":
                await self._say(Answer(221, "2.0.0", "Bye"))
                return
            act = self._verbs.get(verb.upper())
            if act is None:
                await self._say(Answer(502, "5.5.2", "Error: command not recognized"))
            else:
                await act(rest.strip())  # type: ignore[misc]  # every one is a coroutine

    async def _say(self, *answers: Answer | str) -> None:
        self._writer.write("".join(f"{answer}\r\n" for answer in answers).encode())
        await self._writer.drain()

    async def _misfortune(self, at: At, recipient: str | None = None) -> bool:
        """Whether a scripted fault has answered in our place."""
        fault = self._server.office.fault(at, recipient)
        if fault is None:
            return False
        await self._suffer(fault)
        return True

    async def _suffer(self, fault: Fault) -> None:
        if fault.hangs:
            await self._reader.read()  # until the other side gives up
            raise _Broken
        if fault.breaks:
            self.cut = True
            raise _Broken
        assert fault.answer
        await self._say(fault.answer)
        if fault.answer.code == 421:
            raise _Broken

    # -- verbs -----------------------------------------------------------------------------------------------

    async def _ehlo(self, _: str) -> None:
        self._envelope = _Envelope()
        offers = [f"SIZE {self._server.largest}", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"]
        if self._server.security == "starttls" and not self._secure:
            offers.append("STARTTLS")
        if self._server.credentials and (self._secure or self._server.security == "none"):
            offers.append("AUTH PLAIN LOGIN")
        lines = [self._server.name, *offers]
        await self._say(*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}")

    async def _helo(self, _: str) -> None:
        self._envelope = _Envelope()
        await self._say(Answer(250, text=self._server.name))

    async def _noop(self, _: str) -> None:
        await self._say(Answer(250, "2.0.0", "Ok"))

    async def _rset(self, _: str) -> None:
        self._envelope = _Envelope()
        await self._say(Answer(250, "2.0.0", "Ok"))

    async def _starttls(self, _: str) -> None:
        if self._server.security != "starttls" or self._secure or self._server.context is None:
            await self._say(Answer(502, "5.5.1", "Error: command not implemented"))
            return
        await self._say(Answer(220, "2.0.0", "Ready to start TLS"))
        await self._writer.start_tls(self._server.context)
        self._secure, self._envelope = True, _Envelope()

    async def _auth(self, rest: str) -> None:
        if await self._misfortune("auth"):
            return
        mechanism, _, initial = rest.partition(" ")
        if mechanism.upper() == "PLAIN":
            if not initial:
                initial = await self._asks("")
            parts = _unpacked(initial).split("\0")
            given = (parts[1], parts[2]) if len(parts) == 3 else ("", "")
        elif mechanism.upper() == "LOGIN":
            user = _unpacked(initial or await self._asks("Username:"))
            given = (user, _unpacked(await self._asks("Password:")))
        else:
            await self._say(Answer(504, "5.5.4", "Unrecognized authentication type"))
            return
        self._known = given == self._server.credentials
        await self._say(Answer(235, "2.7.0", "Authentication successful") if self._known else faults.LOGIN_WRONG)

    async def _asks(self, what: str) -> str:
        await self._say(Answer(334, text=base64.b64encode(what.encode()).decode()) if what else "334 ")
        return (await self._reader.readline()).decode().strip()

    async def _mail(self, rest: str) -> None:
        sender = _path(rest, "FROM:")
        if not self._known:
            await self._say(faults.LOGIN_NEEDED)
        elif self._server.security == "starttls" and not self._secure:
            await self._say(Answer(530, "5.7.0", "Must issue a STARTTLS command first"))
        elif sender is None:
            await self._say(Answer(501, "5.5.4", "Syntax: MAIL FROM:<address>"))
        elif not await self._misfortune("sender", sender):
            self._envelope = _Envelope(sender)
            await self._say(Answer(250, "2.1.0", "Ok"))

    async def _rcpt(self, rest: str) -> None:
        recipient = _path(rest, "TO:")
        if self._envelope.sender is None:
            await self._say(Answer(503, "5.5.1", "Error: need MAIL command"))
        elif not recipient or "@" not in recipient:
            await self._say(Answer(501, "5.1.3", "Bad recipient address syntax"))
        elif not await self._misfortune("recipient", recipient):
            answer = self._server.office.refuses(recipient)
            if answer is None:
                self._envelope.recipients.append(recipient)
            await self._say(answer or Answer(250, "2.1.5", "Ok"))

    async def _data(self, _: str) -> None:
        if not self._envelope.recipients:
            await self._say(Answer(503, "5.5.1", "Error: need RCPT command"))
            return
        fault = self._server.office.fault("dot", self._envelope.recipients[0])
        await self._say(Answer(354, text="End data with <CR><LF>.<CR><LF>"))
        if fault is not None and fault.breaks and not fault.accepted:
            await self._suffer(fault)  # before the first byte has been read: nothing can have arrived
        raw = await self._content()
        envelope, self._envelope = self._envelope, _Envelope()
        assert envelope.sender is not None
        if len(raw) > self._server.largest:
            await self._say(faults.TOO_BIG)
            return
        taken = fault is None or fault.accepted or (fault.answer is None and not fault.hangs)
        if taken:
            self._server.office.take(envelope.sender, envelope.recipients, raw, fault)
        if fault is not None and (fault.breaks or fault.hangs or fault.answer):
            await self._suffer(fault)
        else:
            await self._say(faults.OK)

    async def _content(self) -> bytes:
        """Everything up to the line with the dot, which stuffed dots are not."""
        lines: list[bytes] = []
        while True:
            line = await self._reader.readline()
            if not line.endswith(b"\n"):
                raise asyncio.IncompleteReadError(line, None)
            if line in (b".\r\n", b".\n"):
                return b"".join(lines)
            lines.append(line[1:] if line.startswith(b".") else line)


def _unpacked(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _path(rest: str, keyword: str) -> str | None:
    """The address of MAIL FROM or RCPT TO; "" is the null sender, None is nonsense."""
    if not rest.upper().startswith(keyword):
        return None
    path = rest[len(keyword) :].strip()
    if not path.startswith("<") or ">" not in path:
        return None
    return path[1 : path.index(">")]
