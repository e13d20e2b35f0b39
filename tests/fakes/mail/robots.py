"""robots: what answers in a person's name while nobody is there?

Each says what it answers to a mail, or None. The words of QQ and 163 are those their users know; the rest is ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.fakes.mail.model import Mail

_REST = (
    "这是来自QQ邮箱的假期自动回复邮件。\n \n"
    "您好，我最近正在休假中，无法亲自回复您的邮件。我将在假期结束后，尽快给您回复。"
)


@dataclass(frozen=True, slots=True)
class Robotic:
    """An answer: its subject and text, more headers, and another envelope sender ("" being the null one)."""

    subject: str
    text: str
    headers: dict[str, str] = field(default_factory=dict)
    sender: str | None = None
    to_envelope: bool = False
    """Whether it goes to the envelope's sender, as RFC 3834 asks, and not to Reply-To."""
    content: str = ""
    """The content headers and the body, where they are not a plain text."""


Robot = Callable[[Mail], Robotic | None]


def vacation(mail: Mail) -> Robotic | None:
    """One that keeps RFC 3834: silent towards machines and lists, and itself marked."""
    marked = mail.header("Auto-Submitted").lower() not in ("", "no") or not mail.sender
    if marked or mail.header("Precedence").lower() in ("bulk", "junk", "list") or mail.header("List-Id"):
        return None
    return Robotic(f"Auto: {mail.subject}", "I am away until Monday.", {"Auto-Submitted": "auto-replied"}, "", True)


def exchange(mail: Mail) -> Robotic | None:
    """Exchange's OOF: silent only where X-Auto-Response-Suppress asks for it."""
    asked = {word.strip().lower() for word in mail.header("X-Auto-Response-Suppress").split(",")}
    if asked & {"oof", "all", "autoreply"}:
        return None
    headers = {"X-Auto-Response-Suppress": "All", "Auto-Submitted": "auto-generated"}
    return Robotic(f"自动答复: {mail.subject}", "我正在休假，11月30日回来。", headers, "", True)


def qq_holiday(mail: Mail) -> Robotic | None:
    """QQ's: answers everything once, and tells it is a robot in its subject and its words only."""
    return Robotic(f"自动回复: {mail.subject}", _REST)


def netease_holiday(mail: Mail) -> Robotic | None:
    """163's: answers everything, marked by a header of its own."""
    return Robotic(
        f"自动回复：{mail.subject}", "您好，邮件已收到，谢谢！", {"X-Autoreply": "yes", "Precedence": "auto_reply"}
    )


def simple(mail: Mail) -> Robotic | None:
    """A help desk's script that answers every mail, itself included, and carries no mark at all."""
    return Robotic(f"Re: {mail.subject}", "您的来信已收到，我们会尽快处理。")


def yes_man(mail: Mail) -> Robotic | None:
    """One whose whole answer is a word that means something to us, marked as RFC 3834 asks."""
    return Robotic(f"Re: {mail.subject}", "收到", {"Auto-Submitted": "auto-replied"})


def read_receipt(mail: Mail) -> Robotic | None:
    """The note that a mail was opened (RFC 8098), as Outlook sends it where its owner allows."""
    content = f"""\
Content-Type: multipart/report; report-type=disposition-notification; boundary="=_read"

--=_read
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

您的邮件

    收件人: {mail.recipient}
    主题: {mail.subject}

已被阅读。
--=_read
Content-Type: message/disposition-notification

Reporting-UA: outlook; Microsoft Outlook 16.0
Final-Recipient: rfc822;{mail.recipient}
Original-Message-ID: {mail.id}
Disposition: manual-action/MDN-sent-manually; displayed

--=_read--
"""
    return Robotic(f"已读: {mail.subject}", "", {}, "", content=content.replace("\n", "\r\n"))


def mirror(mail: Mail) -> Robotic | None:
    """A forwarding gone wrong: what comes is sent back as it came, with all its headers."""
    kept = {name: str(mail.parsed[name]) for name in ("X-Loop", "Auto-Submitted", "Precedence") if mail.parsed[name]}
    return Robotic(mail.subject, mail.text, kept)


ROBOTS: dict[str, Robot] = {
    "vacation": vacation,
    "exchange": exchange,
    "qq": qq_holiday,
    "163": netease_holiday,
    "simple": simple,
    "yes_man": yes_man,
    "read_receipt": read_receipt,
    "mirror": mirror,
}
