"""imap: how is the hosted mailbox read?

Enough of RFC 9051, 2177 (IDLE) and 4315 (UIDPLUS) for imaplib, imap-tools and imapflow.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from tests.fakes.mail.imap_folder import Folder, Stored, Token, numbers, search, tokens

_LITERAL = re.compile(rb"\{(\d+)(\+?)\}\r?\n$")
_FLAGS = r"(\Answered \Flagged \Deleted \Seen \Draft)"


class ImapServer:
    """A server at 127.0.0.1 with one account and its INBOX; with a context it speaks TLS from the first byte."""

    def __init__(
        self, folder: Folder, *, context: ssl.SSLContext | None = None, credentials: tuple[str, str] | None = None
    ) -> None:
        self.folder, self.context, self.credentials = folder, context, credentials
        self.commands: list[str] = []
        """What clients asked for, without passwords."""
        self.idles = True
        """Whether IDLE is offered; without it a client has to look by itself."""
        self.mute = False
        """Whether IDLE is taken and then never says anything, as behind a broken proxy."""
        self.breaks_at: set[str] = set()
        """Verbs at which the line breaks once, before anything is done: {"FETCH"}; {"STORE"} loses the flag."""
        self.meanwhile: dict[str, Callable[[], object]] = {}
        """What happens once while a command of this verb is at work, as in {"STORE": …}: a mail arrives, say."""
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._port = 0

    @property
    def port(self) -> int:
        return self._port

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port, limit=2**25, ssl=self.context)
        self._port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self.hangs_up()
            await self._server.wait_closed()
            self._server = None

    def hangs_up(self) -> None:
        """Cut every line."""
        for writer in list(self._writers):
            writer.transport.abort()

    def renumbers(self) -> None:
        """UIDVALIDITY changes, and everybody has to come again."""
        self.folder.renumber()
        self.hangs_up()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        session = _Session(self, reader, writer)
        self.folder.watchers.append(session.stir)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, EOFError):
                await session.talk()
        finally:
            self.folder.watchers.remove(session.stir)
            self._writers.discard(writer)
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await writer.wait_closed()


class _Session:
    """One connection. `_view` is what this client knows of the folder: the UIDs, in order."""

    def __init__(self, server: ImapServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._server, self._reader, self._writer = server, reader, writer
        self._known = False
        self._selected = self._read_only = False
        self._view: list[int] = []
        self._stirred = asyncio.Event()

    def stir(self) -> None:
        """The folder has changed."""
        self._stirred.set()

    async def talk(self) -> None:
        await self._say(f"* OK [CAPABILITY {self._offers}] ready")
        while line := await self._command():
            tag, _, rest = line.partition(" ")
            verb, _, words = rest.strip().partition(" ")
            by_uid = verb.upper() == "UID"
            if by_uid:
                verb, _, words = words.partition(" ")
            verb = verb.upper()
            self._server.commands.append(f"{'UID ' if by_uid else ''}{verb}{'' if verb == 'LOGIN' else ' ' + words}")
            if verb in self._server.breaks_at:
                self._server.breaks_at.discard(verb)
                self._writer.transport.abort()
                return
            if meanwhile := self._server.meanwhile.pop(verb, None):
                meanwhile()
            if verb == "LOGOUT":
                await self._say("* BYE", f"{tag} OK LOGOUT completed")
                return
            await self._act(tag, verb, words, by_uid)

    @property
    def _offers(self) -> str:
        return "IMAP4rev1 UIDPLUS MOVE ID" + (" IDLE" if self._server.idles else "")

    async def _command(self) -> str:
        """One command with its literals in place."""
        whole = b""
        while True:
            line = await self._reader.readline()
            whole += line
            found = _LITERAL.search(line)
            if found is None:
                return whole.decode("utf-8", "replace").rstrip("\r\n")
            if not found[2]:
                await self._say("+ go ahead")
            text = await self._reader.readexactly(int(found[1]))
            quoted = text.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
            whole = whole[: -len(found[0])] + b'"' + quoted + b'"'

    async def _say(self, *lines: str) -> None:
        self._writer.write("".join(f"{line}\r\n" for line in lines).encode())
        await self._writer.drain()

    async def _act(self, tag: str, verb: str, words: str, by_uid: bool) -> None:
        try:
            parts = tokens(words)
        except ValueError:
            await self._say(f"{tag} BAD syntax")
            return
        if verb == "IDLE" and self._server.idles:
            await self._idle(tag)
            return
        plain: dict[str, Callable[[list[Token]], list[str] | str]] = {
            "CAPABILITY": lambda _: [f"* CAPABILITY {self._offers}"], "NOOP": lambda _: [], "CHECK": lambda _: [],
            "ID": lambda _: ['* ID ("name" "fake")'], "LOGIN": self._login, "LIST": self._list, "LSUB": self._list,
            "STATUS": self._status, "NAMESPACE": lambda _: ['* NAMESPACE (("" "/")) NIL NIL'],
            "ENABLE": lambda _: ["* ENABLED"],
        }  # fmt: skip
        inside: dict[str, Callable[[list[Token], bool], list[str] | str]] = {
            "SEARCH": self._search, "STORE": self._store, "EXPUNGE": self._expunge, "CLOSE": self._close,
            "UNSELECT": self._close,
        }  # fmt: skip
        if verb == "LOGIN" or verb in ("CAPABILITY", "NOOP", "ID") or self._known:
            if verb in ("SELECT", "EXAMINE"):
                await self._select(tag, verb, parts)
                return
            if verb in plain:
                await self._answer(tag, verb, plain[verb](parts))
                return
            if self._selected and verb == "FETCH":
                await self._fetch(tag, parts, by_uid)
                return
            if self._selected and verb in inside:
                await self._answer(tag, verb, inside[verb](parts, by_uid))
                return
        await self._say(f"{tag} BAD unknown, or not now")

    async def _answer(self, tag: str, verb: str, result: list[str] | str) -> None:
        """Untagged lines and OK; or, as one string, a NO."""
        if isinstance(result, str):
            await self._say(f"{tag} NO {result}")
        else:
            await self._say(*result, *self._news(), f"{tag} OK {verb} completed")

    def _news(self) -> list[str]:
        """What has changed in the folder since this client was last told."""
        if not self._selected:
            return []
        lines, now = [], [mail.uid for mail in self._server.folder.mails]
        for number in range(len(self._view), 0, -1):
            if self._view[number - 1] not in now:
                lines.append(f"* {number} EXPUNGE")
        left = [uid for uid in self._view if uid in now]
        if now != left:
            lines.append(f"* {len(now)} EXISTS")
        self._view = now
        return lines

    # -- verbs -----------------------------------------------------------------------------------------------

    def _login(self, parts: list[Token]) -> list[str] | str:
        wanted = self._server.credentials
        self._known = wanted is None or [str(one) for one in parts[:2]] == list(wanted)
        return [] if self._known else "[AUTHENTICATIONFAILED] Invalid credentials"

    def _list(self, _: list[Token]) -> list[str]:
        return [r'* LIST (\HasNoChildren) "/" INBOX']

    def _status(self, parts: list[Token]) -> list[str]:
        folder = self._server.folder
        values = {
            "MESSAGES": len(folder.mails), "RECENT": 0, "UIDNEXT": folder.next_uid, "UIDVALIDITY": folder.validity,
            "UNSEEN": len(folder.unseen),
        }  # fmt: skip
        asked = [str(one).upper() for one in parts[1]] if isinstance(parts[1], list) else []
        return [f"* STATUS INBOX ({' '.join(f'{name} {values[name]}' for name in asked if name in values)})"]

    async def _select(self, tag: str, verb: str, parts: list[Token]) -> None:
        if not parts or str(parts[0]).upper() != "INBOX":
            await self._say(f"{tag} NO [NONEXISTENT] no such mailbox")
            return
        folder = self._server.folder
        self._selected, self._read_only = True, verb == "EXAMINE"
        self._view = [mail.uid for mail in folder.mails]
        mode = "READ-ONLY" if self._read_only else "READ-WRITE"
        await self._say(
            f"* FLAGS {_FLAGS}", r"* OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] yes",
            f"* {len(folder.mails)} EXISTS", "* 0 RECENT", f"* OK [UIDVALIDITY {folder.validity}] valid",
            f"* OK [UIDNEXT {folder.next_uid}] next", f"{tag} OK [{mode}] {verb} completed",
        )  # fmt: skip

    async def _idle(self, tag: str) -> None:
        await self._say("+ idling")
        done = asyncio.ensure_future(self._reader.readline())
        while True:
            self._stirred.clear()
            if not self._server.mute:
                await self._say(*self._news())
            stirred = asyncio.ensure_future(self._stirred.wait())
            await asyncio.wait({done, stirred}, return_when=asyncio.FIRST_COMPLETED)
            stirred.cancel()
            if done.done():
                if (await done).strip().upper() != b"DONE":
                    raise EOFError
                await self._say(f"{tag} OK IDLE completed")
                return

    def _chosen(self, text: str, by_uid: bool) -> list[tuple[int, Stored]]:
        mails = [mail for mail in self._server.folder.mails if mail.uid in self._view]
        if by_uid:
            wanted = numbers(text, max(self._view, default=0))
            return [(number, mail) for number, mail in enumerate(mails, 1) if mail.uid in wanted]
        wanted = numbers(text, len(mails))
        return [(number, mail) for number, mail in enumerate(mails, 1) if number in wanted]

    def _search(self, parts: list[Token], by_uid: bool) -> list[str] | str:
        mails = [mail for mail in self._server.folder.mails if mail.uid in self._view]
        try:
            found = search(mails, parts)
        except ValueError:
            return "[CANNOT] unknown search key"
        given = [str(mail.uid if by_uid else mails.index(mail) + 1) for mail in found]
        return [" ".join(["* SEARCH", *given])]

    async def _fetch(self, tag: str, parts: list[Token], by_uid: bool) -> None:
        asked = parts[1] if isinstance(parts[1], list) else parts[1:]
        items = [str(one).upper() for one in asked]
        if by_uid and "UID" not in items:
            items.append("UID")
        for number, mail in self._chosen(str(parts[0]), by_uid):
            if not self._read_only and any(one.startswith("BODY[") or one == "RFC822" for one in items):
                mail.flags.add("\\Seen")
            pieces = [piece for item in items if (piece := _item(item, mail))]
            self._writer.write(f"* {number} FETCH (".encode() + b" ".join(pieces) + b")\r\n")
        await self._say(*self._news(), f"{tag} OK FETCH completed")

    def _store(self, parts: list[Token], by_uid: bool) -> list[str] | str:
        if self._read_only:
            return "[CANNOT] read only"
        how, flags = str(parts[1]).upper(), parts[2:] if not isinstance(parts[2], list) else parts[2]
        given, lines = {_spelt(str(flag)) for flag in flags}, []
        for number, mail in self._chosen(str(parts[0]), by_uid):
            kept = set() if how.startswith("FLAGS") else mail.flags
            mail.flags = kept - given if how.startswith("-") else kept | given
            if not how.endswith(".SILENT"):
                uid = f"UID {mail.uid} " if by_uid else ""
                lines.append(f"* {number} FETCH ({uid}FLAGS ({' '.join(sorted(mail.flags))}))")
        return lines

    def _expunge(self, parts: list[Token], by_uid: bool) -> list[str] | str:
        only = numbers(str(parts[0]), max(self._view, default=0)) if by_uid else set(self._view)
        mails = self._server.folder.mails
        self._server.folder.remove([mail.uid for mail in mails if "\\Deleted" in mail.flags and mail.uid in only])
        return []

    def _close(self, _: list[Token], by_uid: bool) -> list[str]:
        self._selected = False
        return []


def _spelt(flag: str) -> str:
    return flag.capitalize() if not flag.startswith("\\") else "\\" + flag[1:].capitalize()


def _item(item: str, mail: Stored) -> bytes:
    """One thing asked of a mail, as FETCH says it; empty for what is not known here."""
    if item == "UID":
        return f"UID {mail.uid}".encode()
    if item == "FLAGS":
        return f"FLAGS ({' '.join(sorted(mail.flags))})".encode()
    if item == "RFC822.SIZE":
        return f"RFC822.SIZE {len(mail.raw)}".encode()
    if item == "INTERNALDATE":
        return f'INTERNALDATE "{datetime.fromtimestamp(mail.at, UTC):%d-%b-%Y %H:%M:%S} +0000"'.encode()
    contents = {
        "RFC822": mail.raw, "BODY[]": mail.raw, "BODY.PEEK[]": mail.raw, "RFC822.HEADER": mail.head,
        "BODY[HEADER]": mail.head, "BODY.PEEK[HEADER]": mail.head,
    }  # fmt: skip
    named = re.fullmatch(r"BODY(?:\.PEEK)?\[HEADER\.FIELDS \(([^)]*)\)\]", item)
    content = contents.get(item)
    if named:
        content = _some(mail.head, named[1].split())
    if content is None:
        return b""
    return f"{item.replace('.PEEK', '')} {{{len(content)}}}\r\n".encode() + content


def _some(head: bytes, names: Sequence[str]) -> bytes:
    wanted = {name.strip('"').upper().encode() for name in names}
    lines = re.split(rb"\r\n(?![ \t])", head.rstrip(b"\r\n"))
    return b"".join(line + b"\r\n" for line in lines if line.partition(b":")[0].upper() in wanted) + b"\r\n"
