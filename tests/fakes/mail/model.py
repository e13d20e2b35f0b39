"""model: what is a mail, and what does its reader see of it?"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from functools import cached_property
from html.parser import HTMLParser

from tests.fakes.mail.faults import Answer

_URL = re.compile(r"https?://[^\s<>\"'“”（）【】]+|mailto:[^\s<>\"“”（）【】]+")
_BLOCKS = {"p", "div", "br", "tr", "li", "h1", "h2", "h3", "h4", "table", "blockquote", "ol", "ul", "hr"}


class _Page(HTMLParser):
    """The words of a HTML mail line by line, and its links with the words they stand under."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[tuple[str, str]] = []
        self.sources: list[str] = []
        self._href: str | None = None
        self._label: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in ("style", "script", "title"):
            self._unseen += 1
        if tag in _BLOCKS:
            self.words.append("\n")
        if tag == "a" and values.get("href"):
            self._href, self._label = values["href"], []
        if source := values.get("src"):
            self.sources.append(source)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("style", "script", "title"):
            self._unseen -= 1
        if tag in _BLOCKS - {"br"}:
            self.words.append("\n")
        if tag == "a" and self._href is not None:
            self.links.append((" ".join("".join(self._label).split()), self._href))
            self._href = None

    def handle_data(self, data: str) -> None:
        if self._unseen:
            return
        self.words.append(" ".join(data.split()) if data.strip() else " ")
        if self._href is not None:
            self._label.append(data)


@dataclass(frozen=True)
class Mail:
    """One mail as it arrived: the envelope, the bytes, and when (seconds since 1970)."""

    sender: str
    recipient: str
    raw: bytes = field(repr=False)
    at: float = 0.0

    @cached_property
    def parsed(self) -> EmailMessage:
        return message_from_bytes(self.raw, policy=policy.default)

    def header(self, name: str) -> str:
        """The header in words; empty if it is not there."""
        return str(self.parsed.get(name, ""))

    def headers(self, name: str) -> list[str]:
        return [str(one) for one in self.parsed.get_all(name, [])]

    @property
    def id(self) -> str:
        return self.header("Message-ID")

    @property
    def subject(self) -> str:
        return self.header("Subject")

    @property
    def from_name(self) -> str:
        return self._from.display_name

    @property
    def from_address(self) -> str:
        return self._from.addr_spec

    @property
    def reply_to(self) -> str:
        """Where a mail program sends the answer."""
        header = self.parsed.get("Reply-To")
        return str(header.addresses[0].addr_spec) if header is not None and header.addresses else self.from_address

    @property
    def _from(self) -> Address:
        addresses = self.parsed["From"].addresses
        return addresses[0] if addresses else Address()

    @property
    def date(self) -> str:
        return parsedate_to_datetime(self.header("Date")).isoformat()

    @cached_property
    def text(self) -> str:
        """The text part, or the words of the HTML part if there is none."""
        part = self.parsed.get_body(("plain",))
        if isinstance(part, EmailMessage):
            return str(part.get_content())
        lines = "".join(self._page.words).splitlines()
        return re.sub(r"\n{3,}", "\n\n", "\n".join(line.strip() for line in lines)).strip()

    @cached_property
    def html(self) -> str:
        part = self.parsed.get_body(("html",))
        return str(part.get_content()) if isinstance(part, EmailMessage) else ""

    @cached_property
    def _page(self) -> _Page:
        page = _Page()
        page.feed(self.html)
        page.close()
        return page

    @property
    def loads(self) -> list[str]:
        """What showing the mail would fetch from elsewhere: pictures, that is tracking pixels."""
        return self._page.sources

    @cached_property
    def links(self) -> list[tuple[str, str]]:
        """(label, URL): those of the HTML part, then those of the text with the line they stand in or under."""
        found = list(self._page.links)
        before = ""
        for line in self.text.splitlines() if self.parsed.get_body(("plain",)) is not None else []:
            urls = _URL.findall(line)
            rest = _URL.sub("", line).strip(" :：<>|-\t")
            found += [(rest or before, url) for url in urls]
            before = rest or before
        return found

    def link(self, label: str) -> str:
        """The URL under this label: the label itself, else one that contains it. AssertionError if none does."""
        exact = [url for words, url in self.links if words == label]
        found = exact or [url for words, url in self.links if label in words]
        assert found, f"no link {label!r} in the mail, only {[words for words, _ in self.links]}"
        return found[0]

    def numbered(self) -> dict[str, str]:
        """The choices of the mail: label → the number that stands before it."""
        return {
            label.strip(): number
            for number, label in re.findall(r"^\s*(\d{1,3})\s*[.．、)）:：]\s*(.+?)\s*$", self.text, re.MULTILINE)
        }


@dataclass
class Mailbox:
    """What lies before one address.

    answer: what its server says to every RCPT, None being 250.
    bounces: it takes every mail and sends one of BOUNCES back, with the answer that is told in it.
    """

    address: str
    mails: list[Mail] = field(default_factory=list)
    answer: Answer | None = None
    bounces: tuple[str, Answer] | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try of our MX to hand a mail over: `answer` is None if no answer was seen."""

    recipient: str
    answer: str | None
    at: float

    @property
    def code(self) -> int:
        return int(self.answer[:3]) if self.answer else 0
