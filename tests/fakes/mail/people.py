"""people: what do those do who have a mailbox?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from tests.fakes.mail.browser import Browser, Page
from tests.fakes.mail.model import Mail, Mailbox
from tests.fakes.mail.mx import Origin, honest
from tests.fakes.mail.programs import PROGRAMS, Original, encoded_address, encoded_header, written
from tests.fakes.mail.robots import Robot

ROBOT_TIRES = 50
BEIJING = timezone(timedelta(hours=8))


class Post(Protocol):
    """What people need of the world: the time, a serial number, and somebody who takes their mails."""

    def now(self) -> float: ...

    def serial(self) -> int: ...

    async def posted(
        self, sender: str, recipients: Sequence[str], raw: bytes, origin: Origin, *, copies: int, wait: bool
    ) -> None: ...


class Person:
    """Somebody with a mailbox and a mail program. An act returns when our MX has tried to hand the mail over."""

    def __init__(self, post: Post, mailbox: Mailbox, name: str, program: str = "qq") -> None:
        self._post, self.mailbox, self.name, self.program = post, mailbox, name, program
        self.origin = honest(mailbox.address)
        """The server their mails go out by."""
        self.robot: Robot | None = None
        """Who answers while they are away: one of ROBOTS."""
        self.robotic = 0
        """How often it did; at ROBOT_TIRES it stops, so that a loop ends at last."""

    # -- sights ----------------------------------------------------------------------------------------------

    @property
    def address(self) -> str:
        return self.mailbox.address

    @property
    def mails(self) -> list[Mail]:
        return self.mailbox.mails

    @property
    def last(self) -> Mail:
        """The newest mail."""
        assert self.mails, f"nothing has come to {self.address}"
        return self.mails[-1]

    def mail(self, words: str) -> Mail:
        """The newest mail with these words in its subject or text. AssertionError if there is none."""
        found = [mail for mail in self.mails if words in mail.subject or words in mail.text]
        assert found, f"no mail with {words!r}, only {[mail.subject for mail in self.mails]}"
        return found[-1]

    # -- acts ------------------------------------------------------------------------------------------------

    async def replies(
        self,
        mail: Mail,
        text: str,
        program: str = "",
        *,
        to: str = "",
        sender: str | None = None,
        author: str | None = None,
        headers: dict[str, str] | None = None,
        origin: Origin | None = None,
        threads: bool = True,
        copies: int = 1,
        wait: bool = True,
    ) -> bytes:
        """Answer a mail as `program` (see PROGRAMS) would; the bytes that were sent.

        to: another address than Reply-To. sender: another envelope sender. author: a whole From header.
        headers: more of them, each at the top, a name of the usual ones replacing it. origin: another server.
        threads: False for a program that leaves In-Reply-To and References out.
        """
        style = PROGRAMS[program or self.program]
        given = re.sub(r"^(?:\s*(?:re|回复|答复)\s*[:：]\s*)+", "", mail.subject, flags=re.IGNORECASE)
        at = datetime.fromtimestamp(mail.at, BEIJING)
        shown = Original(at, mail.from_name, mail.reply_to, self.name, self.address, given, mail.text.strip())
        usual = {"Subject": encoded_header(style.prefix + given, style)}
        if threads and style.threads:
            earlier = mail.header("References").split()
            usual |= {"In-Reply-To": mail.id, "References": "\r\n ".join([*earlier, mail.id])}
        raw = self._letter(to or mail.reply_to, written(style, text, shown), usual, author, headers, program)
        return await self._post_it(to or mail.reply_to, raw, sender, origin, copies, wait)

    async def writes(
        self,
        to: str,
        subject: str,
        text: str,
        program: str = "",
        *,
        sender: str | None = None,
        author: str | None = None,
        headers: dict[str, str] | None = None,
        origin: Origin | None = None,
        content: str = "",
        copies: int = 1,
        wait: bool = True,
    ) -> bytes:
        """Write a new mail; see `replies`. `content`: content headers and body of one's own, instead of the text."""
        style = PROGRAMS[program or self.program]
        shown = Original(datetime.fromtimestamp(self._post.now(), BEIJING), "", "", "", "", "", "")
        plain = PROGRAMS["bare"]
        body = written(type(style)("{said}\n", style.label, style.codec, parts=plain.parts), text, shown)
        usual = {"Subject": encoded_header(subject, style)}
        raw = self._letter(to, content or body, usual, author, headers, program)
        return await self._post_it(to, raw, sender, origin, copies, wait)

    async def hears(self, mail: Mail) -> None:
        """A mail has come: the robot, if there is one, answers it."""
        answer = self.robot(mail) if self.robot and self.robotic < ROBOT_TIRES else None
        to = "" if answer is None else mail.sender if answer.to_envelope else mail.reply_to
        if answer is None or not to:
            return
        self.robotic += 1
        headers = answer.headers | ({"In-Reply-To": mail.id} if mail.id else {})
        await self.writes(
            to, answer.subject, answer.text, sender=answer.sender, headers=headers, content=answer.content, wait=False
        )

    async def taps(self, label: str, *, on: Mail | None = None, program: str = "") -> bytes:
        """Answer the newest mail with the number that stands before this choice."""
        mail = on or self.last
        numbers = mail.numbered()
        number = numbers.get(label) or next((one for words, one in numbers.items() if label in words), None)
        assert number, f"no choice {label!r} in the mail, only {list(numbers)}"
        return await self.replies(mail, number, program)

    async def mails_to(self, link: str, *, program: str = "") -> bytes:
        """Press a mailto: link and send what it has prepared."""
        parts = urlsplit(link)
        assert parts.scheme == "mailto", link
        given = {name.lower(): values[0] for name, values in parse_qs(parts.query).items()}
        return await self.writes(unquote(parts.path), given.get("subject", ""), given.get("body", ""), program)

    async def opens(self, mail: Mail, label: str, browser: Browser | None = None) -> Page:
        """Open the link under this label in a browser: a GET and no more."""
        return await (browser or Browser()).get(mail.link(label))

    async def presses(self, mail: Mail, label: str, button: str = "", browser: Browser | None = None) -> Page:
        """Open the link under this label, and press the button (if there is one) of the page that comes."""
        page = await self.opens(mail, label, browser)
        return await page.presses(button) if page.forms else page

    # -- details ---------------------------------------------------------------------------------------------

    def _letter(
        self,
        to: str,
        body: str,
        usual: dict[str, str],
        author: str | None,
        headers: dict[str, str] | None,
        program: str,
    ) -> bytes:
        style = PROGRAMS[program or self.program]
        now = datetime.fromtimestamp(self._post.now(), BEIJING)
        domain = self.address.rpartition("@")[2]
        lines = {
            "From": author if author is not None else encoded_address(self.name, self.address, style),
            "To": to, **usual, "Date": format_datetime(now),
            "Message-ID": f"<m{self._post.serial()}.{int(now.timestamp())}@{domain}>",
            "MIME-Version": "1.0",
        }  # fmt: skip
        if style.mailer:
            lines["X-Mailer"] = style.mailer
        lines = {**(headers or {}), **{name: value for name, value in lines.items() if name not in (headers or {})}}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
        return (head + body).encode("utf-8", "surrogateescape")

    async def _post_it(
        self, to: str, raw: bytes, sender: str | None, origin: Origin | None, copies: int, wait: bool
    ) -> bytes:
        envelope = self.address if sender is None else sender
        await self._post.posted(envelope, [to], raw, origin or self.origin, copies=copies, wait=wait)
        return raw
