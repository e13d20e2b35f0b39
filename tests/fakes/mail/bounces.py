"""bounces: what does a server write when it could not deliver a mail?

`failed` and `delayed` are laid out as Postfix 3.7.11 lays them out; `headers_only` and `one_line` are what other
servers make of RFC 3464. Those of QQ and 163 follow no standard; they are written after the words of their public
help pages, not captured.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from tests.fakes.mail.faults import Answer
from tests.fakes.mail.model import Mail


@dataclass(frozen=True, slots=True)
class Bounced:
    """What could not be delivered: the mail, why, by which server, when, and the number of the bounce."""

    mail: Mail
    answer: Answer
    host: str
    at: float
    serial: int

    @property
    def when(self) -> str:
        return f"{format_datetime(datetime.fromtimestamp(self.at, UTC))} (UTC)"

    @property
    def queue_id(self) -> str:
        return f"{0x65673222092 + self.serial:X}"

    @property
    def boundary(self) -> str:
        return f"{self.queue_id}.{int(self.at)}/{self.host}"

    @property
    def domain(self) -> str:
        return self.mail.recipient.rpartition("@")[2]

    @property
    def said(self) -> str:
        return f"host mx.{self.domain}[203.0.113.25] said: {self.answer}"

    @property
    def head(self) -> bytes:
        """The headers of the mail that came back."""
        return self.mail.raw.partition(b"\r\n\r\n")[0] + b"\r\n"


_APOLOGY = """\
I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. It's attached below.
"""
_WARNING = """\
####################################################################
# THIS IS A WARNING ONLY.  YOU DO NOT NEED TO RESEND YOUR MESSAGE. #
####################################################################

Your message could not be delivered for more than 4 hour(s).
It will be retried until it is 5 day(s) old.
"""


def failed(bounced: Bounced) -> bytes:
    """Given up: `Action: failed`, with the whole mail."""
    whole = (
        "Content-Description: Undelivered Message\nContent-Type: message/rfc822\nContent-Transfer-Encoding: 8bit\n"
    )
    return _report(
        bounced,
        "Undelivered Mail Returned to Sender",
        _APOLOGY,
        "failed",
        "",
        whole,
        _returned(bounced, bounced.mail.raw),
    )


def delayed(bounced: Bounced) -> bytes:
    """Still trying: `Action: delayed`, with the headers alone. No bounce."""
    until = datetime.fromtimestamp(bounced.at, UTC) + timedelta(days=5)
    heads = (
        "Content-Description: Undelivered Message Headers\n"
        "Content-Type: text/rfc822-headers\nContent-Transfer-Encoding: 8bit\n"
    )
    more = f"Will-Retry-Until: {format_datetime(until)} (UTC)\n"
    subject = "Delayed Mail (still being retried)"
    return _report(bounced, subject, _WARNING, "delayed", more, heads, _returned(bounced, bounced.head))


def _returned(bounced: Bounced, raw: bytes) -> bytes:
    return f"Return-Path: <{bounced.mail.sender}>\r\n".encode() + raw


def _report(bounced: Bounced, subject: str, words: str, action: str, more: str, heads: str, returned: bytes) -> bytes:
    mail, answer = bounced.mail, bounced.answer
    before = f"""\
Date: {bounced.when}
From: Mail Delivery System <MAILER-DAEMON@{bounced.host}>
Subject: {subject}
To: {mail.sender}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="{bounced.boundary}"
Content-Transfer-Encoding: 8bit
Message-Id: <{int(bounced.at)}.{bounced.queue_id}@{bounced.host}>

This is a MIME-encapsulated message.

--{bounced.boundary}
Content-Description: Notification
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

This is the mail system at host {bounced.host}.

{words}
For further assistance, please send mail to postmaster.

If you do so, please include this problem report. You can
delete your own text from the attached returned message.

                   The mail system

<{mail.recipient}>: {bounced.said}
    (in reply to RCPT TO command)

--{bounced.boundary}
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; {bounced.host}
X-Postfix-Queue-ID: {bounced.queue_id}
X-Postfix-Sender: rfc822; {mail.sender}
Arrival-Date: {bounced.when}

Final-Recipient: rfc822; {mail.recipient}
Original-Recipient: rfc822;{mail.recipient}
Action: {action}
Status: {answer.status or f"{answer.code // 100}.0.0"}
Remote-MTA: dns; mx.{bounced.domain}
Diagnostic-Code: smtp; {answer}
{more}
--{bounced.boundary}
{heads}
"""
    return _crlf(before) + returned + f"\r\n--{bounced.boundary}--\r\n".encode()


def headers_only(bounced: Bounced) -> bytes:
    """As Exchange writes it: another spelling of the fields, the reason in HTML, and only headers of the mail."""
    mail, answer = bounced.mail, bounced.answer
    text = f"""\
From: Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@{bounced.domain}>
To: <{mail.sender}>
Date: {bounced.when}
Subject: =?utf-8?B?{base64.b64encode(f"未送达: {mail.subject}".encode()).decode()}?=
Content-Type: multipart/report; report-type=delivery-status; boundary="=_exchange"
X-MS-Exchange-Message-Is-Ndr:
Auto-Submitted: auto-replied
MIME-Version: 1.0

--=_exchange
Content-Type: text/html; charset=utf-8

<html><body><p><b>无法将邮件传递到下列收件人:</b></p><p>{mail.recipient}</p></body></html>

--=_exchange
Content-Type: message/delivery-status

Reporting-MTA: dns;EX01.{bounced.domain}

Final-recipient: RFC822;
 {mail.recipient}
Action: failed
Status: {answer.status or "5.0.0"}
X-Display-Name: x

--=_exchange
Content-Type: text/rfc822-headers

"""
    return _crlf(text) + bounced.head + b"\r\n--=_exchange--\r\n"


def one_line(bounced: Bounced) -> bytes:
    """As qmail writes it: plain words, the mail below a line."""
    text = f"""\
Date: {bounced.when}
From: MAILER-DAEMON@{bounced.host}
To: {bounced.mail.sender}
Subject: failure notice

Hi. This is the qmail-send program at {bounced.host}.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<{bounced.mail.recipient}>:
203.0.113.25 does not like recipient.
Remote host said: {bounced.answer}
Giving up on 203.0.113.25.

--- Below this line is a copy of the message.

"""
    return _crlf(text) + bounced.mail.raw


def qq(bounced: Bounced) -> bytes:
    """As QQ writes it: GB18030, no report, no enhanced code."""
    words = f"""\
尊敬的用户，您好！

很抱歉，您的邮件被退回，以下是该邮件的相关信息：

被退回邮件
主题：{bounced.mail.subject}
时间：{datetime.fromtimestamp(bounced.mail.at, UTC) + timedelta(hours=8):%Y-%m-%d %H:%M:%S}

无法发送到
{bounced.mail.recipient}

退信原因
{_reason(bounced)}
{bounced.said}

解决方案
请确认收件人地址后重新发送。
"""
    return _chinese(bounced, "QQMail Postmaster <PostMaster@qq.com>", f"来自{bounced.domain}的退信", words, "gb18030")


def netease(bounced: Bounced) -> bytes:
    """As 163 writes it: GBK, a sender of its own instead of none, no report."""
    words = f"""\
抱歉，您的邮件被退回来了……

原邮件信息：
时间: {datetime.fromtimestamp(bounced.mail.at, UTC) + timedelta(hours=8):%Y-%m-%d %H:%M:%S}
主题: {bounced.mail.subject}
收件人: {bounced.mail.recipient}

退信原因:
{_reason(bounced)}
英文说明: {bounced.answer}

建议解决方案：
温馨提示：请您检查收件人地址是否正确。
"""
    return _chinese(bounced, f"Postmaster@{bounced.domain}", "系统退信", words, "gbk")


def _reason(bounced: Bounced) -> str:
    said = str(bounced.answer).lower()
    if "full" in said:
        return "收件人邮箱已满，邮件无法送达。"
    if any(word in said for word in ("5.1.1", "mailbox", "user")):
        return f"收件人邮箱地址({bounced.mail.recipient})不存在，邮件无法送达。"
    return "对方服务器拒收了此邮件。"


def _chinese(bounced: Bounced, author: str, subject: str, words: str, charset: str) -> bytes:
    def packed(text: str) -> str:
        return base64.b64encode(text.encode("gb18030")).decode()

    lines = base64.encodebytes(words.replace("\n", "\r\n").encode("gb18030")).decode()
    return _crlf(f"""\
From: {author}
To: {bounced.mail.sender}
Subject: =?{charset}?B?{packed(subject)}?=
Date: {bounced.when}
MIME-Version: 1.0
Content-Type: text/plain; charset={charset}
Content-Transfer-Encoding: base64

{lines}""")


def _crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()


BOUNCES: dict[str, Callable[[Bounced], bytes]] = {
    "failed": failed,
    "delayed": delayed,
    "exchange": headers_only,
    "qmail": one_line,
    "qq": qq,
    "163": netease,
}

SENDERS = {"163": "Postmaster@163.com"}
"""The envelope senders of those that are not the null sender."""
