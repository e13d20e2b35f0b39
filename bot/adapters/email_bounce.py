"""email_bounce: what does a bounce say, and what is to be done about it?

Who is meant, the address it came to has told already; here it is only why. By the standard (RFC 3464) where it is
written so, by the code of the answer that it quotes, by flufl.bounce's collection of forms, or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message as Parsed
from enum import StrEnum

from flufl.bounce import scan_message

from bot.adapters.email_in import NO_PERSON, body, decoded, first


class Verdict(StrEnum):
    """Why a mail came back."""

    DEAD = "dead"
    """There is no such address."""
    FULL = "full"
    """The mailbox is full; the address is as good as before."""
    REFUSED = "refused"
    """By policy: taken for spam, a blocked sender."""
    MALFORMED = "malformed"
    """Too big, or wrongly made: a mistake of ours."""
    FAILED = "failed"
    """It did not arrive, for another reason."""
    DELAYED = "delayed"
    """It is still on its way: no bounce."""
    UNREADABLE = "unreadable"
    """A bounce, and nobody knows why."""
    NONE = "none"
    """No bounce at all: an automatic answer that went to the envelope's sender."""


_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_CODE = re.compile(r"\b(?:5\d\d|4\d\d)[ \-#]*(?:\(?#?([45]\.\d{1,3}\.\d{1,3})\)?)")
_PLAIN = re.compile(r"\b(55[0-4])\b")
_NOBODY = re.compile(
    r"user (?:unknown|not found|does(?:n't| not) exist)|no such (?:user|mailbox|recipient)|"
    r"unknown (?:user|recipient)|"
    r"mailbox (?:not found|unavailable|does not exist)|address (?:rejected|does not exist)|account .{0,40}disabled|"
    r"用户不存在|收件人不存在|邮箱不存在|地址不存在|账号不存在|帐号不存在|"
    r"找不到.{0,6}(?:用户|收件人|邮箱)|無此用戶|邮箱地址有误",
    re.IGNORECASE,
)
_FULL = re.compile(
    r"(?:mailbox|quota|storage).{0,40}(?:full|exceed)|over quota|"
    r"容量已满|邮箱已满|空间不足|邮箱容量|超出.{0,6}(?:容量|配额)",
    re.IGNORECASE,
)
_REFUSED = re.compile(
    r"spam|blocked|blacklist|block list|policy|rejected by|not allowed|dmarc|"
    r"反垃圾|垃圾邮件|拒绝接收|被拒|黑名单|拒收",
    re.IGNORECASE,
)
_BOUNCE = re.compile(
    r"退信|未送达|未送達|无法投递|投递失败|无法送达|发送失败|undeliver|deliver|failure|fail(?:ed)?\b|returned|bounce",
    re.IGNORECASE,
)
_DELAYED = re.compile(r"delay|will (?:be )?retr|still trying|延迟|仍在尝试|将继续尝试", re.IGNORECASE)
LOOKED_AT = 20_000
"""Characters of a bounce's text; the reason stands at its beginning."""


def judge(parsed: Parsed) -> Verdict:
    """What a mail that came to a bounce address says. Never raises."""
    reports = list(_reports(parsed))
    if reports:
        return _worst(_reported(one) for one in reports)
    if not _is_bounce(parsed):
        return Verdict.NONE
    text = body(parsed)[:LOOKED_AT]
    found = _said(text)
    if found is not Verdict.UNREADABLE:
        return found
    if _DELAYED.search(decoded(first(parsed, "subject"))):
        return Verdict.DELAYED
    try:
        return Verdict.DEAD if scan_message(parsed) else Verdict.UNREADABLE
    except Exception:  # its forty detectors read whatever comes
        return Verdict.UNREADABLE


def _is_bounce(parsed: Parsed) -> bool:
    """Whether it comes from a mail system and says so; holiday notices come to the same address."""
    if parsed.get_content_type() == "multipart/report":
        return True
    sender = first(parsed, "from").lower()
    subject = decoded(first(parsed, "subject"))
    machine = bool(NO_PERSON.search(sender)) or first(parsed, "return-path") == "<>"
    return machine and bool(_BOUNCE.search(subject))


def _reports(parsed: Parsed) -> Iterator[Parsed]:
    """The blocks of a delivery status that are about a recipient."""
    for part in parsed.walk():
        if part.get_content_type() in ("message/delivery-status", "message/global-delivery-status"):
            payload = part.get_payload()
            for block in payload if isinstance(payload, list) else ():
                if isinstance(block, Parsed) and first(block, "action"):
                    yield block


def _reported(block: Parsed) -> Verdict:
    action = first(block, "action").split("(")[0].strip().lower()
    if action == "delayed":
        return Verdict.DELAYED
    if action != "failed":  # delivered, relayed, expanded: receipts nobody asked for
        return Verdict.NONE
    diagnosis = first(block, "diagnostic-code")
    status = _STATUS.search(first(block, "status"))
    if status is None or (status[2], status[3]) == ("0", "0"):
        return _said(diagnosis, Verdict.FAILED)
    return _by_status(status[0], diagnosis)


def _said(text: str, otherwise: Verdict = Verdict.UNREADABLE) -> Verdict:
    """By the code that a mail server answered with, as the text quotes it; else by its words."""
    if code := _CODE.search(text):
        return _by_status(code[1], text)
    for pattern, verdict in ((_FULL, Verdict.FULL), (_NOBODY, Verdict.DEAD), (_REFUSED, Verdict.REFUSED)):
        if pattern.search(text):
            return verdict
    return Verdict.FAILED if otherwise is Verdict.FAILED or _PLAIN.search(text) else otherwise


def _by_status(status: str, text: str) -> Verdict:
    """By an enhanced status code (RFC 3463)."""
    kind, subject, detail = status.split(".")
    if (subject, detail) == ("2", "2"):
        return Verdict.FULL
    if kind == "4":
        return Verdict.FAILED  # it was tried until it was given up
    if subject == "1" and detail in ("0", "1", "2", "3", "6", "10"):
        return Verdict.DEAD
    if (subject, detail) == ("2", "1"):
        return Verdict.DEAD if _NOBODY.search(text) else Verdict.FAILED
    if subject == "7":
        return Verdict.REFUSED
    if subject in ("5", "6") or (subject, detail) == ("3", "4"):
        return Verdict.FULL if _FULL.search(text) else Verdict.MALFORMED
    return Verdict.FAILED


def _worst(verdicts: Iterator[Verdict]) -> Verdict:
    """One mail has one recipient; where a report names more, an address is not given up for another's sake."""
    found = set(verdicts)
    if len(found) == 1:
        return found.pop()
    order = (Verdict.FAILED, Verdict.REFUSED, Verdict.FULL, Verdict.MALFORMED, Verdict.DEAD, Verdict.DELAYED)
    return next((one for one in order if one in found), Verdict.NONE)
