"""email_errors: what is to be done about a refusal or a silence of a mail server's?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from aiosmtplib import (
    SMTPAuthenticationError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPRecipientsRefused,
    SMTPResponseException,
)

_STATUS = re.compile(r"(?<![\d.])([45]\.\d{1,3}\.\d{1,3})(?![\d.])")
_NOBODY = re.compile(
    r"user (?:unknown|not found|does(?:n't| not) exist)|no such (?:user|mailbox|recipient)|unknown user|"
    r"mailbox (?:not found|unavailable|does not exist)|recipient not found|用户不存在|邮箱不存在|收件人不存在",
    re.IGNORECASE,
)
_TOO_OFTEN = re.compile(r"frequen|too many|rate limit|limited|频率|过于频繁", re.IGNORECASE)


class What(Enum):
    """What an answer of a mail server's means for us."""

    LATER = "try this mail again later"
    BUSY = "try the whole server again later"
    FULL = "the mailbox is full"
    DEAD = "there is no such address"
    REFUSED = "refused by policy"
    LOCKED = "the log-in is wrong"
    MALFORMED = "our mistake"
    LOST = "nobody knows whether it arrived"


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a mail: the meaning, and the code for the log (never the text, which may quote us)."""

    what: What
    code: str = ""


def judged(error: BaseException, *, dot: bool) -> Answer:
    """What an error means. `dot`: the end of the mail may have left us, so that silence means nothing.

    The members of SMTPRecipientsRefused are looked into: 550 and 452 come in the same wrapping.
    """
    if isinstance(error, SMTPRecipientsRefused):
        return _by_code(error.recipients[0], to_recipient=True)
    if isinstance(error, SMTPAuthenticationError):
        temporary = error.code // 100 == 4
        return Answer(What.BUSY if temporary else What.LOCKED, str(error.code))
    if isinstance(error, SMTPResponseException) and error.code > 0:
        return _by_code(error, to_recipient=isinstance(error, SMTPRecipientRefused))
    if isinstance(error, ValueError | UnicodeError) or (
        isinstance(error, SMTPException) and not isinstance(error, OSError)
    ):
        return Answer(What.MALFORMED, type(error).__name__)
    return Answer(What.LOST if dot else What.BUSY, type(error).__name__)


def _by_code(error: SMTPResponseException, *, to_recipient: bool) -> Answer:
    code, text = error.code, str(error.message)
    found = _STATUS.search(text)
    status = found[1] if found else ""
    name = f"{code} {status}".strip()
    return Answer(_what(code, status, text, to_recipient=to_recipient), name)


def _what(code: int, status: str, text: str, *, to_recipient: bool) -> What:
    rest = status[2:]
    if rest == "2.2":
        return What.FULL
    if code in (530, 534, 535, 538):
        return What.LOCKED
    if code == 421:
        return What.BUSY
    if code // 100 == 4:
        return What.FULL if code == 452 and not status else What.LATER
    if rest.startswith("1."):
        return What.DEAD if rest in ("1.0", "1.1", "1.2", "1.3", "1.6", "1.10") else What.REFUSED
    if rest == "2.1":
        return What.DEAD if _NOBODY.search(text) else What.REFUSED
    if rest.startswith("7."):
        return What.REFUSED
    if rest.startswith(("5.", "6.")) or rest == "3.4" or code in (500, 501, 502, 503, 504, 552, 555):
        return What.MALFORMED
    if _TOO_OFTEN.search(text):
        return What.LATER  # 550 “Domain frequency limited”: no verdict on the address
    if to_recipient and (_NOBODY.search(text) or code in (551, 553)):
        return What.DEAD
    return What.REFUSED
