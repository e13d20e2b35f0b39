"""email_out: how does a message look as a mail?

The same mail has the same bytes whenever it is made: a repeat after a lost connection is the same mail.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape
from urllib.parse import quote

from bot.adapters.email_token import Postmark
from bot.core.reply import Key, Message

SUBJECT = 60
"""Characters of a subject that are worth sending; a phone shows about thirty."""

# Written into every element: mail programs know no style sheets.
_FONT = "font-family:-apple-system,BlinkMacSystemFont,'PingFang SC','Microsoft YaHei','Noto Sans SC',sans-serif"
_PAGE = f"margin:0;padding:0;background:#f6f3ef;color:#2b2622;{_FONT}"
_MARK = f"margin:0;padding:12px 20px 0;font-size:12px;line-height:1.5;color:#6b625a;{_FONT}"
_CARD = "background:#ffffff;border:1px solid #e8e1d9;border-radius:12px;padding:20px"
_TEXT = f"margin:0 0 12px;font-size:17px;line-height:1.65;color:#2b2622;{_FONT};word-break:break-word"
_MAIN = (
    "display:block;padding:13px 16px;margin:0 0 10px;border-radius:10px;background:#b3261e;color:#ffffff;"
    f"font-size:17px;line-height:1.4;text-align:center;text-decoration:none;{_FONT}"
)
_CHOICE = (
    "display:block;padding:12px 16px;margin:0 0 10px;border-radius:10px;border:1px solid #b3261e;background:#ffffff;"
    f"color:#b3261e;font-size:17px;line-height:1.4;text-align:left;text-decoration:none;{_FONT}"
)
_STEP = f"display:inline-block;padding:11px 14px;margin:0 6px 0 0;color:#6b625a;font-size:15px;{_FONT}"
_FINE = f"margin:0 0 6px;font-size:13px;line-height:1.6;color:#6b625a;{_FONT}"


@dataclass(frozen=True, slots=True)
class Trim:
    """The words around a message, in its reader's language (`templates/mail/`)."""

    mark: str
    """——请在此线以上回复——"""
    how: str
    """How to answer; empty where nothing can be answered."""
    foot: str
    stop: str
    """“No more reminders by mail”, the words of its link."""
    neutral: str
    """The subject of a mail whose first line is not for everybody who sees the list of mails."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail of ours, before it is one. `at` is when it was first made."""

    tag: bytes
    to: str
    person: int
    at: datetime
    messages: Sequence[Message]
    trim: Trim
    thread: str = ""
    answers: str = ""
    """The Message-ID it answers; it is then an automatic answer and comes from nobody."""
    subject: str = ""
    """That of the mail it answers."""
    stop: str = ""
    """Where reminders are ended; only a reminder has one."""


@dataclass(frozen=True, slots=True)
class Posted:
    """What is handed to a mail server."""

    mail_from: str
    to: str
    content: bytes
    message_id: str


def subject_of(message: Message, neutral: str) -> str:
    """A subject from the first line of a message."""
    line = next((one.strip() for one in message.text.splitlines() if one.strip()), "")
    if message.sensitive or not line:
        return neutral
    return line if len(line) <= SUBJECT else f"{line[: SUBJECT - 1]}…"


def compose(letter: Letter, postmark: Postmark, house: str) -> Posted:
    """The mail, ready to be sent. `house` is the name it comes from."""
    answer = bool(letter.answers or letter.subject)  # some programs give a mail no Message-ID
    own_id = postmark.message_id(letter.tag)
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(_one_line(house), addr_spec=postmark.sender)
    mail["To"] = Address(addr_spec=letter.to)
    mail["Reply-To"] = Address(addr_spec=postmark.answers_to(letter.tag))
    mail["Subject"] = _subject(letter)
    mail["Date"] = format_datetime(letter.at)
    mail["Message-ID"] = own_id
    root = postmark.root(letter.thread, letter.person) if letter.thread else ""
    if refers := " ".join(one for one in (root, letter.answers) if one):
        mail["References"] = refers
    if letter.answers or root:
        mail["In-Reply-To"] = letter.answers or root
    mail["Auto-Submitted"] = "auto-replied" if answer else "auto-generated"
    if letter.thread:
        mail["Precedence"] = "bulk"
    mail["X-Auto-Response-Suppress"] = "OOF, AutoReply"  # “All” would suppress the bounces of Exchange as well
    mail["X-Loop"] = postmark.sender
    if letter.stop:
        mail["List-Unsubscribe"] = f"<{letter.stop}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(text(letter), cte="base64")
    mail.add_alternative(html(letter, postmark), subtype="html", cte="base64")
    mail.set_boundary(f"=_{letter.tag.hex()}")
    return Posted("" if answer else postmark.bounces_to(letter.tag), letter.to, mail.as_bytes(), own_id)


def _subject(letter: Letter) -> str:
    if letter.subject:
        return f"Re: {_one_line(letter.subject)[:SUBJECT]}"
    return _one_line(subject_of(letter.messages[0], letter.trim.neutral))


def _one_line(value: str) -> str:
    """Nothing from outside begins a header of its own."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in value).split())


# -- as text --------------------------------------------------------------------------------------------------


def choices(message: Message) -> list[Key]:
    """The keys that are answered with a number, in their order: as the conversation counts them."""
    return [key for row in message.keys for key in row if key.payload is not None and not key.walk]


def _links(message: Message) -> list[Key]:
    return [key for row in message.keys for key in row if key.path is not None]


def _steps(message: Message) -> list[Key]:
    return [key for row in message.keys for key in row if key.payload is not None and key.walk]


def text(letter: Letter) -> str:
    """The plain part: our line first, so that a quoted mail ends where it begins."""
    blocks = [letter.trim.mark]
    place = 0
    for message in letter.messages:
        blocks.append(message.text)
        lines = []
        for key in choices(message):
            place += 1
            lines.append(f"{place}. {key.label}")
        lines += [f"{key.label}\n{key.path}" for key in _links(message)]
        if steps := _steps(message):
            lines.append("　".join(f"“{key.label}”" for key in steps))
        if lines:
            blocks.append("\n".join(lines))
    if letter.trim.how:
        blocks.append(letter.trim.how)
    blocks.append(f"--\n{letter.trim.foot}" + (f"\n{letter.trim.stop}\n{letter.stop}" if letter.stop else ""))
    return "\n\n".join(blocks) + "\n"


# -- as HTML --------------------------------------------------------------------------------------------------


def html(letter: Letter, postmark: Postmark) -> str:
    """The HTML part: one column, large type, buttons for a thumb. No picture, no script, nothing that reports."""
    to = postmark.answers_to(letter.tag)
    cards = "".join(_card(message, to, letter) for message in letter.messages)
    how = f'<p style="{_FINE}">{_lines(letter.trim.how)}</p>' if letter.trim.how else ""
    stop = ""
    if letter.stop:
        link = f'<a href="{escape(letter.stop)}" style="color:#6b625a">{escape(letter.trim.stop)}</a>'
        stop = f'<p style="{_FINE}">{link}</p>'
    return (
        '<!doctype html>\n<html><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light"><title></title></head>'
        f'<body style="{_PAGE}">'
        '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr>'
        '<td align="center" style="padding:0 0 24px">'
        '<div style="max-width:600px;margin:0 auto;text-align:left">'
        f'<p style="{_MARK}">{escape(letter.trim.mark)}</p>'
        f"{cards}"
        f'<div style="padding:4px 20px 0">{how}<p style="{_FINE}">{_lines(letter.trim.foot)}</p>{stop}</div>'
        "</div></td></tr></table></body></html>\n"
    )


def _card(message: Message, to: str, letter: Letter) -> str:
    paragraphs = [part for part in re.split(r"\n{2,}", message.text.strip()) if part]
    body = "".join(f'<p style="{_TEXT}">{_lines(part)}</p>' for part in paragraphs)
    subject = f"Re: {_subject(letter)}" if not letter.subject else _subject(letter)
    keys = choices(message)
    numbered = len(keys) > 1
    buttons = [
        _mailto(to, subject, key.label, _CHOICE if numbered else _MAIN, f"{place}. " if numbered else "")
        for place, key in enumerate(keys, 1)
    ]
    buttons += [
        f'<a href="{escape(key.path or "")}" style="{_MAIN}">{escape(key.label)}</a>' for key in _links(message)
    ]
    steps = "".join(_mailto(to, subject, key.label, _STEP, "") for key in _steps(message))
    under = "".join(buttons) + (f"<div>{steps}</div>" if steps else "")
    gap = f'<div style="padding-top:6px">{under}</div>' if under else ""
    return f'<div style="padding:8px 12px"><div style="{_CARD}">{body}{gap}</div></div>'


def _mailto(to: str, subject: str, label: str, style: str, before: str) -> str:
    """A button that opens an answer, already written; sending it is the press."""
    href = f"mailto:{quote(to, safe='@+')}?subject={quote(subject, safe='')}&body={quote(label, safe='')}"
    return f'<a href="{escape(href)}" style="{style}">{escape(before + label)}</a>'


def _lines(words: str) -> str:
    return escape(words).replace("\n", "<br>")
