"""email_in: what does a mail say, who says it, and was it written by a person?

Content never kills the intake: whatever cannot be read is read as well as can be.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message as Parsed
from email.parser import BytesParser
from email.policy import compat32

from bot.adapters.email_html import plain
from bot.adapters.email_quote import Own, own_words

TEXT = 1 << 20
"""Characters of a body that are looked at; a mail may have more, an answer never has."""
LINE = 8_000
"""Bytes of what a header says about a part; what is longer has been written to keep us busy."""
AUTHOR = 1_000
"""Characters of a From header; a longer one names nobody."""
DEEP = 40
"""Parts within parts."""
_ADDR = r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?"
_ONE = re.compile(rf"\s*(?:[^<>@,;:]*<\s*(?P<angle>{_ADDR})\s*>|(?P<bare>{_ADDR}))\s*")
_TWICE = re.compile(rf"\s*({_ADDR})\s*<\s*\1\s*>\s*", re.IGNORECASE)
_ANY = re.compile(_ADDR)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_COMMENT = re.compile(r"\((?:[^()\\]|\\.)*\)")
_WORD = re.compile(r"=\?([^?\s]+)\?([bBqQ])\?([^?]*)\?=")
_ID = re.compile(r"<[^<>\s]{1,250}>")
_ON_THE_WAY = {
    "received", "delivered-to", "x-original-to", "return-path", "authentication-results", "received-spf",
    "dkim-signature", "arc-seal", "arc-message-signature", "arc-authentication-results", "envelope-to", "x-received",
}  # fmt: skip
"""What mail servers add; the same mail brought twice differs in these."""

NO_PERSON = re.compile(r"mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?|daemon", re.IGNORECASE)
_SUBJECT = re.compile(
    r"\s*(?:自动回复|自動回覆|自动答复|automatic reply|auto(?:matic)?[ -]?(?:reply|response)|autoreply|"
    r"out of (?:the )?office|已读|已讀|read:|未送达|未送達|系统退信|来自\S+的退信|退信|undeliver|"
    r"delivery (?:status|failure)|returned mail|mail delivery|failure notice).*",
    re.IGNORECASE | re.DOTALL,
)
_LONG = re.compile(
    rb"^(content-[a-z-]{1,40}:(?:[^\n]|\n[ \t]){%d})(?:[^\n]|\n[ \t])+" % LINE, re.IGNORECASE | re.MULTILINE
)
_REPLY = re.compile(r"\s*(?:(?:re|fw|fwd|aw|回复|回覆|答复|转发|轉發)\s*[:：]\s*)+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as far as we read it."""

    digest: bytes
    """Of what its author sent: the same mail brought twice has the same."""
    sender: str = ""
    """The one address of the one From header, in lower case; empty where there is not exactly one."""
    claimed: tuple[str, ...] = ()
    """Every address that stands in a From header, however many there are."""
    recipients: tuple[str, ...] = ()
    """Ours or not, from the headers."""
    message_id: str = ""
    answers: tuple[str, ...] = ()
    """The Message-IDs it answers or refers to, the nearest first."""
    subject: str = ""
    replying: bool = False
    """Whether the subject says that it answers something (Re:, 回复：)."""
    own: Own = field(default_factory=Own)
    machine: str = ""
    """Why no person has written it; empty: one may have."""
    parsed: Parsed = field(default_factory=Parsed, repr=False)


def read(raw: bytes, own_mark: str, *, mail_from: str | None = None) -> Mail:
    """Read a mail. `own_mark` is our X-Loop; `mail_from` the envelope's sender, None where nobody told us."""
    parsed = _parsed(raw)
    froms = headers(parsed, "from")
    subject = decoded(first(parsed, "subject"))
    sender = one_address(froms[0]) if len(froms) == 1 else ""
    return Mail(
        digest=_digest(parsed, raw),
        sender=sender,
        claimed=tuple(address.lower() for one in froms for address in _ANY.findall(one)),
        recipients=tuple(
            dict.fromkeys(
                address.lower()
                for name in ("delivered-to", "x-original-to", "envelope-to", "to", "cc", "reply-to")
                for one in headers(parsed, name)
                for address in _ANY.findall(one)
            )
        ),
        message_id=next(iter(_ID.findall(first(parsed, "message-id"))), ""),
        answers=tuple(dict.fromkeys(
            [*_ID.findall(first(parsed, "in-reply-to")), *reversed(_ID.findall(first(parsed, "references")))]
        )),
        subject=_REPLY.sub("", subject, count=1).strip(),
        replying=bool(_REPLY.match(subject)),
        own=own_words(body(parsed)),
        machine=_machine(parsed, sender, subject, own_mark, mail_from),
        parsed=parsed,
    )  # fmt: skip


def _parsed(raw: bytes) -> Parsed:
    """The mail in its parts; of one that nobody can have meant so (a thousand within each other) only its headers.

    The library follows parts into each other, and looks for parameters, in time that grows with the square.
    """
    parser = BytesParser(policy=compat32)
    try:
        parsed = parser.parsebytes(_LONG.sub(rb"\1", raw))
        level, depth = [parsed], 0
        while level and depth <= DEEP:
            within = (inside for part in level if isinstance(inside := part.get_payload(), list))
            level = [one for inside in within for one in inside if isinstance(one, Parsed)]
            depth += 1
        if depth <= DEEP:
            return parsed
    except RecursionError:
        pass
    return parser.parsebytes(raw, headersonly=True)


# -- headers ------------------------------------------------------------------------------------------------


def headers(parsed: Parsed, name: str) -> list[str]:
    """The values of every header of this name, as they came, on one line each, from top to bottom."""
    name = name.lower()
    return [_unfolded(str(value)) for key, value in parsed.raw_items() if key.lower() == name]


def first(parsed: Parsed, name: str) -> str:
    return next(iter(headers(parsed, name)), "")


def one_address(value: str) -> str:
    """The address of a header that holds exactly one, in lower case; else empty.

    The name before it may hold whatever it likes in quotes: `"z@org" <evil@x>` is evil@x.
    """
    if len(value) > AUTHOR:
        return ""
    bare = _COMMENT.sub(" ", _QUOTED.sub(" ", value))
    if same := _TWICE.fullmatch(bare):  # some programs give the address as the name, without the quotes it needs
        return same[1].lower()
    found = _ONE.fullmatch(bare)
    return (found["angle"] or found["bare"]).lower() if found else ""


def decoded(value: str) -> str:
    """A header's text: encoded words of every charset, and bytes that nobody declared."""
    out, at, joined = "", 0, b""
    charset = ""
    for found in _WORD.finditer(value):
        between = value[at : found.start()]
        label, data = found[1].split("*")[0].lower(), _word(found[2], found[3])
        if joined and between.strip() == "" and label == charset:
            joined += data  # a character may be cut between two words
        else:
            out += decode(joined, charset) + ("" if joined and between.strip() == "" else _undeclared(between))
            joined, charset = data, label
        at = found.end()
    text = out + decode(joined, charset) + _undeclared(value[at:])
    return " ".join(text.split())


def _word(encoding: str, text: str) -> bytes:
    raw = text.encode("ascii", "replace")
    if encoding in "qQ":
        return quopri.decodestring(raw, header=True)
    try:
        return base64.b64decode(raw + b"=" * (-len(raw) % 4))
    except binascii.Error:
        return b""


def _unfolded(value: str) -> str:
    return re.sub(r"[\r\n]+", " ", value).strip()


def _undeclared(text: str) -> str:
    raw = text.encode("utf-8", "surrogateescape")
    return decode(raw, "")


def decode(data: bytes, charset: str) -> str:
    """Bytes as text. Every gb* is read as GB18030, which holds them all and the names that they lack."""
    label = charset.strip().strip('"').lower()
    if label.startswith(("gb", "x-gb", "cp936", "ms936", "x-euc-cn", "euc-cn", "csgb", "chinese")):
        label = "gb18030"
    for codec in (label, "utf-8", "gb18030"):
        try:
            if codec:  # not by `codecs`: “base64” and “zlib” are none of text, and make bytes of bytes
                return data.decode(codec)
        except (LookupError, ValueError):
            continue
    return data.decode("latin-1")


# -- the body -------------------------------------------------------------------------------------------------


def body(parsed: Parsed) -> str:
    """The text of a mail: its plain part, or else its HTML as text."""
    html = ""
    for part in _parts(parsed):
        kind = part.get_content_type()
        if kind not in ("text/plain", "text/html") or part.get_content_disposition() == "attachment":
            continue
        text = decode(_bytes(part), part.get_content_charset() or "")[:TEXT]
        if kind == "text/plain" and text.strip():
            return _reflowed(part, text)
        html = html or (plain(text) if kind == "text/html" else "")
    return html


def _parts(parsed: Parsed) -> Iterator[Parsed]:
    """The parts of the mail itself, not those of a mail that is enclosed."""
    if parsed.get_content_maintype() == "message":
        return
    payload = parsed.get_payload()
    if isinstance(payload, list):
        for part in payload:
            if isinstance(part, Parsed):
                yield from _parts(part)
    else:
        yield parsed


def _bytes(part: Parsed) -> bytes:
    try:
        payload = part.get_payload(decode=True)
    except (ValueError, AssertionError):  # a transfer encoding that is none
        payload = None
    return payload if isinstance(payload, bytes) else str(part.get_payload()).encode("utf-8", "surrogateescape")


def _reflowed(part: Parsed, text: str) -> str:
    """The lines of format=flowed as they were typed (RFC 3676)."""
    if str(part.get_param("format", "")).lower() != "flowed":
        return text
    glue = "" if str(part.get_param("delsp", "")).lower() == "yes" else " "
    lines: list[str] = []
    flows = False
    for line in text.replace("\r\n", "\n").split("\n"):
        if flows and not line.startswith(">"):
            lines[-1] += glue + line.strip(" ") if glue else line.rstrip(" ")
        else:
            lines.append(line.rstrip(" ") if line != "-- " else line)
        flows = line.endswith(" ") and line != "-- " and not line.startswith(">")
    return "\n".join(lines)


# -- who wrote it ---------------------------------------------------------------------------------------------


def _machine(parsed: Parsed, sender: str, subject: str, own_mark: str, mail_from: str | None) -> str:
    """Why no person has written a mail. X-Auto-Response-Suppress is no sign: people's programs send it too."""
    if mail_from == "" or first(parsed, "return-path") == "<>":
        return "null sender"
    submitted = first(parsed, "auto-submitted").partition(";")[0].strip().lower()
    if submitted not in ("", "no"):
        return "auto-submitted"
    if first(parsed, "precedence").strip().lower() in ("bulk", "junk", "list", "auto_reply"):
        return "precedence"
    for name in ("list-id", "x-autoreply", "x-autorespond", "x-autorespond-to"):
        if headers(parsed, name):
            return name
    if any(value.strip().lower() == own_mark.lower() for value in headers(parsed, "x-loop")):
        return "our own"
    if parsed.get_content_type() == "multipart/report":
        return "report"
    if NO_PERSON.fullmatch(sender.partition("@")[0].partition("+")[0]):
        return "no person's address"
    return "subject" if _SUBJECT.fullmatch(subject) else ""


def _digest(parsed: Parsed, raw: bytes) -> bytes:
    """Of a mail as it left its author: without what servers on the way have added at the top."""
    kept = sorted(
        f"{key.lower()}:{_unfolded(str(value))}"
        for key, value in parsed.raw_items()
        if key.lower() not in _ON_THE_WAY and not key.lower().startswith("x-")
    )
    whole = hashlib.sha256("\n".join(kept).encode("utf-8", "surrogateescape"))
    normal = raw.replace(b"\r\n", b"\n")
    whole.update(normal.partition(b"\n\n")[2].rstrip(b"\n"))
    return whole.digest()
