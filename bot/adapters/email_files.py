"""email_files: which files has a mail brought?"""

from __future__ import annotations

from collections.abc import Iterator
from email.message import Message as Parsed

from bot.adapters.email_in import decoded

MOST = 12
"""Files of one mail that are looked at."""


def files(parsed: Parsed) -> list[tuple[str, bytes]]:
    """The name and the content of each attachment, pictures within the text among them, in their order."""
    found = []
    for part in _parts(parsed):
        kind = part.get_content_maintype()
        name = _name(part)
        attached = part.get_content_disposition() == "attachment" or (name and kind != "text")
        if attached or kind in ("image", "application"):
            content = _content(part)
            if content:
                found.append((name, content))
    return found[:MOST]


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


def _name(part: Parsed) -> str:
    """What a part calls itself: by RFC 2231, or as encoded words, which Chinese programs write though none may."""
    try:
        return decoded(part.get_filename() or "")
    except (ValueError, LookupError, TypeError):  # a charset that nobody knows
        return ""


def _content(part: Parsed) -> bytes:
    try:
        payload = part.get_payload(decode=True)
    except (ValueError, AssertionError):  # a transfer encoding that is none
        payload = None
    return payload if isinstance(payload, bytes) else b""
