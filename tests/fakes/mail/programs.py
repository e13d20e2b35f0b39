"""programs: how does a mail program write an answer?

Written after the habits of these programs as they are known from mailing lists and forums, not captured from them.
Each has its quote header, its place for the answer, its signature, its character set, and the label it gives that.
"""

from __future__ import annotations

import base64
import html
import quopri
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address

_DAYS = "一二三四五六日"
_ENGLISH_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Original:
    """The mail that is answered, as the program shows it; `at` is local time."""

    at: datetime
    name: str
    address: str
    to_name: str
    to: str
    subject: str
    text: str

    @property
    def words(self) -> dict[str, str]:
        """Everything a quote header is made of."""
        at, day = self.at, self.at.weekday()
        half = "上午" if at.hour < 12 else "下午"
        return {
            "name": self.name, "address": self.address, "to_name": self.to_name, "to": self.to,
            "subject": self.subject, "day": _DAYS[day], "tian": "天" if day == 6 else _DAYS[day],
            "Day": _ENGLISH_DAYS[day], "Mon": _MONTHS[at.month - 1], "half": half,
            "y": f"{at:%Y}", "m": str(at.month), "d": str(at.day),
            "AM": "AM" if at.hour < 12 else "PM", "H": str(at.hour), "h": str((at.hour - 1) % 12 + 1),
            "iso": f"{at:%Y-%m-%d}", "time": f"{at:%H:%M}", "min": f"{at:%M}",
            "sec": f"{at:%H:%M:%S}", "slash": f"{at:%Y/%m/%d}",
        }  # fmt: skip

    @property
    def arrows(self) -> str:
        """The quoted text with `> ` before every line."""
        return "\n".join(f"> {line}".rstrip() for line in self.text.splitlines())


@dataclass(frozen=True, slots=True)
class Program:
    """One program. `layout` has {said}, {quote} or {arrows}, and the words of a quote header.

    label and codec: what Content-Type says, and what the bytes really are.
    parts: which of the text and the HTML part there are.
    """

    layout: str
    label: str = "utf-8"
    codec: str = "utf-8"
    mailer: str = ""
    prefix: str = "回复："
    parts: tuple[str, ...] = ("plain", "html")
    frame: str = "<div>{said}</div><br><div>{head}</div><blockquote>{body}</blockquote>"
    in_quoted_printable: bool = False
    wraps: int = 0
    threads: bool = True

    def text(self, said: str, original: Original) -> str:
        """The text part."""
        words = {"said": said, "quote": original.text, "arrows": original.arrows} | original.words
        return _wrapped(self.layout.format(**words), self.wraps)

    def html(self, said: str, original: Original) -> str:
        """The HTML part: the frame around the answer, the words between, and the quote."""
        between = self.layout.replace("{said}", "").replace("{quote}", "").replace("{arrows}", "")
        heads = [html.unescape(line) for line in between.strip().format(**original.words).splitlines()]
        head = "<br>".join(html.escape(line, quote=False) for line in heads)
        lines = "<br>".join(html.escape(line, quote=False) or "&nbsp;" for line in said.splitlines())
        body = "<br>".join(html.escape(line, quote=False) for line in original.text.splitlines())
        page = self.frame.replace("{said}", lines).replace("{head}", head).replace("{body}", body)
        return f"<html><head></head><body>{page}</body></html>"


def _wrapped(text: str, width: int) -> str:
    """Lines broken at a space where they are longer, as Gmail breaks its quote headers."""
    if not width:
        return text
    lines = []
    for line in text.split("\n"):
        while len(line) > width and not line.startswith(">") and " " in line[:width].strip():
            cut = line.rindex(" ", 0, width)
            lines.append(line[:cut])
            line = line[cut + 1 :]
        lines.append(line)
    return "\n".join(lines)


_QQ = """{said}



------------------&nbsp;原始邮件&nbsp;------------------
发件人:                                                                                                                        "{name}"                                                                                    <{address}&gt;;
发送时间:&nbsp;{y}年{m}月{d}日(星期{tian}) {half}{h}:{min}
收件人:&nbsp;"{to_name}"<{to}&gt;;

主题:&nbsp;{subject}



{quote}"""  # noqa: E501  # QQ's own spaces

_OUTLOOK_FRAME = (
    '<div class="WordSection1"><p class="MsoNormal"><span lang="EN-US">{said}<o:p></o:p></span></p>'
    '<p class="MsoNormal"><o:p>&nbsp;</o:p></p>'
    '<div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm">'
    '<p class="MsoNormal">{head}</p></div><p class="MsoNormal">{body}</p></div>'
)
_GMAIL_FRAME = (
    '<div dir="ltr">{said}</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">{head}<br></div>'
    '<blockquote class="gmail_quote" style="margin:0px 0px 0px 0.8ex">{body}</blockquote></div>'
)
_APPLE_FRAME = (
    '<div dir="auto">{said}<br><br><div dir="ltr"></div><div dir="ltr"><br><blockquote type="cite">{head}<br><br>'
    '</blockquote></div><blockquote type="cite"><div dir="ltr">{body}</div></blockquote></div>'
)
_NETEASE_FRAME = (
    '<div style="line-height:1.7;color:#000000;font-size:14px;font-family:Arial">{said}</div><br><pre>{head}</pre>'
    '<blockquote id="isReplyContent" style="padding-left:1ex;border-left:#ccc 1px solid">{body}</blockquote>'
)

PROGRAMS: dict[str, Program] = {
    "qq": Program(_QQ, "gb18030", "gb18030", "QQMail 2.x"),
    "qq_phone": Program(
        "{said}\n\n\n发自我的iPhone\n\n\n" + _QQ.removeprefix("{said}").lstrip("\n"),
        "gb18030", "gb18030", "QQMail 2.x",
    ),
    "163": Program(
        '{said}\n\n\n\n\n\n\n\n在 {iso} {sec}，"{name}" <{address}> 写道：\n\n{quote}\n',
        "GBK", "gb18030", "Coremail Webmail Server", "Re:", frame=_NETEASE_FRAME,
    ),
    "163_at": Program(
        '{said}\n\n\n\n\n\n\n\nAt {iso} {sec}, "{name}" <{address}> wrote:\n\n{quote}\n',
        "GBK", "gb18030", "Coremail Webmail Server", "Re:", frame=_NETEASE_FRAME,
    ),
    "netease_phone": Program(
        "{said}\n\n\n| |\n{to_name}\n|\n|\n{to}\n|\n\n\n---- 回复的原邮件 ----\n| 发件人 | {name}<{address}> |\n"
        "| 日期 | {y}年{m}月{d}日 {time} |\n| 收件人 | {to_name}<{to}> |\n| 主题 | {subject} |\n{quote}",
        mailer="NetEase Mail Master",
    ),
    "foxmail": Program(
        "{said}\n\n\n\n{to}\n \n发件人： {name}\n发送时间： {iso} {time}\n"
        "收件人： {to_name}\n主题： {subject}\n{quote}\n",
        "GB2312", "gb18030", "Foxmail 7.2.25.228[cn]", "回复: ",
    ),
    "outlook_zh": Program(
        "{said}\n\n\n\n发件人: {name} <{address}> \n发送时间: {y}年{m}月{d}日 {H}:{min}\n"
        "收件人: {to_name} <{to}>\n主题: {subject}\n\n\n\n{quote}\n",
        "gb2312", "gb18030", "Microsoft Outlook 16.0", "答复: ", frame=_OUTLOOK_FRAME,
    ),
    "outlook_old_zh": Program(
        "{said}\n\n-----邮件原件-----\n发件人: {name} [mailto:{address}] \n"
        "发送时间: {y}年{m}月{d}日 {H}:{min}\n收件人: {to_name}\n主题: {subject}\n\n{quote}\n",
        "gb2312", "gb18030", "Microsoft Office Outlook 12.0", "答复: ", ("plain",),
    ),
    "outlook_en": Program(
        "{said}\n\nFrom: {name} <{address}> \nSent: {Day}, {Mon} {d}, {y} {h}:{min} {AM}\n"
        "To: {to_name} <{to}>\nSubject: {subject}\n\n{quote}\n",
        mailer="Microsoft Outlook 16.0", prefix="RE: ", frame=_OUTLOOK_FRAME,
    ),
    "outlook_phone": Program(
        "{said}\n\n获取 Outlook for Android<https://aka.example/AAb9ysg>\n________________________________\n"
        "From: {name} <{address}>\nSent: {Day}, {Mon} {d}, {y} {h}:{min} {AM}\n"
        "To: {to_name} <{to}>\nSubject: {subject}\n\n{quote}",
        prefix="Re: ", in_quoted_printable=True,
    ),
    "outlook_html_only": Program(
        "{said}\n________________________________\n发件人: {name} <{address}>\n"
        "发送时间: {y}年{m}月{d}日 {time}\n收件人: {to_name} <{to}>\n主题: {subject}\n\n{quote}",
        "gb2312", "gb18030", "Microsoft Outlook 16.0", "答复: ", ("html",), _OUTLOOK_FRAME,
    ),
    "gmail_zh": Program(
        "{said}\n\n{name} <{address}> 于{y}年{m}月{d}日周{day} {time}写道：\n\n{arrows}\n",
        prefix="Re: ", frame=_GMAIL_FRAME, wraps=78,
    ),
    "gmail_en": Program(
        "{said}\n\nOn {Day}, {Mon} {d}, {y} at {h}:{min} {AM} {name} <{address}>\nwrote:\n\n{arrows}\n",
        prefix="Re: ", frame=_GMAIL_FRAME, wraps=78,
    ),
    "ios_zh": Program(
        "{said}\n\n发自我的 iPhone\n\n> {y}年{m}月{d}日 {time}，{name} <{address}> 写道：\n> \n{arrows}\n",
        mailer="iPhone Mail (22A3354)", prefix="Re: ", frame=_APPLE_FRAME, in_quoted_printable=True,
    ),
    "ios_en": Program(
        "{said}\n\nSent from my iPhone\n\n> On {Mon} {d}, {y}, at {time}, {name} <{address}> wrote:\n> \n{arrows}\n",
        mailer="iPhone Mail (22A3354)", prefix="Re: ", frame=_APPLE_FRAME, in_quoted_printable=True,
    ),
    "apple_mail": Program(
        "{said}\n\n> {y}年{m}月{d}日 {half}{h}:{min}，{name} <{address}> 写道：\n>\n{arrows}\n",
        mailer="Apple Mail (2.3774.600.62)", prefix="Re: ", frame=_APPLE_FRAME,
    ),
    "coremail": Program(
        "{said}\n\n\n-----原始邮件-----\n发件人:{name} <{address}>\n发送时间:{iso} {sec} (星期{day})\n"
        "收件人: {to_name} <{to}>\n抄送: \n主题: {subject}\n\n{quote}\n",
        "GBK", "gb18030", "Coremail Webmail Server Version XT5.0", "Re: ",
    ),
    "huawei": Program(
        "{said}\n\n\n发自我的华为手机\n\n\n-------- 原始邮件 --------\n发件人： {name} <{address}>\n"
        "日期： {y}年{m}月{d}日周{day} {half}{h}:{min}\n收件人： {to}\n主题： {subject}\n{quote}\n",
        in_quoted_printable=True,
    ),
    "xiaomi": Program(
        "{said}\n\n\n发自我的小米手机\n在 {name} <{address}>，{y}年{m}月{d}日 {half}{h}:{min}写道：\n\n{arrows}\n",
    ),
    "exmail": Program(
        '{said}\n \n \n------------------ Original ------------------\nFrom:  "{name}"<{address}>;\n'
        'Date:  {Day}, {Mon} {d}, {y} {time} {AM}\nTo:  "{to_name}"<{to}>;\n\nSubject:  {subject}\n\n \n\n{quote}',
        "utf-8", "utf-8", "QQMail 2.x", "Re:",
    ),
    "aliyun": Program(
        "{said}\n\n------------------------------------------------------------------\n发件人：{name} <{address}>\n"
        "发送时间：{y}年{m}月{d}日(星期{day}) {time}\n收件人：{to_name} <{to}>\n主　题：{subject}\n\n{quote}\n",
        mailer="Alimail-Mailagent", prefix="回复：",
    ),
    "139": Program(
        "{said}\n\n\n----邮件原文----\n发件人：{name} <{address}>\n收 件 人：{to_name} <{to}>\n抄 送： \n"
        "发送时间：{iso} {sec}\n主题：{subject}\n\n{quote}\n",
        prefix="回复:", in_quoted_printable=True,
    ),
    "thunderbird": Program(
        "{said}\n\n在 {slash} {time}, {name} 写道:\n{arrows}\n", mailer="Mozilla Thunderbird", prefix="Re: ",
        parts=("plain",),
    ),
    "bottom": Program(
        "On {iso} {time}, {name} wrote:\n{arrows}\n\n{said}\n", mailer="Mozilla Thunderbird", prefix="Re: ",
        parts=("plain",),
    ),
    "mutt": Program(
        "On {Day}, {Mon} {d}, {y} at {sec}{AM} +0800, {name} wrote:\n{arrows}\n\n{said}\n\n-- \n{to_name}\n",
        mailer="Mutt/2.2.12 (2023-09-09)", prefix="Re: ", parts=("plain",),
    ),
    "bare": Program("{said}\n", prefix="", parts=("plain",), threads=False),
}  # fmt: skip


def encoded_header(text: str, program: Program) -> str:
    """The words of a header as this program encodes them (RFC 2047), in pieces of at most 75 octets."""
    if text.isascii():
        return text
    pieces, piece = [], ""
    for letter in text:
        if len(base64.b64encode((piece + letter).encode(program.codec))) > 75 - 8 - len(program.label):
            pieces.append(piece)
            piece = ""
        piece += letter
    pieces.append(piece)
    return "\r\n ".join(
        f"=?{program.label}?B?{base64.b64encode(piece.encode(program.codec)).decode()}?=" for piece in pieces
    )


def encoded_address(name: str, address: str, program: Program) -> str:
    """A From or To header."""
    if not name:
        return address
    return str(Address(name, addr_spec=address)) if name.isascii() else f"{encoded_header(name, program)} <{address}>"


def written(program: Program, said: str, original: Original) -> str:
    """Content headers and body of the answer; CR LF at the end of every line."""
    write: dict[str, Callable[[str, Original], str]] = {"plain": program.text, "html": program.html}
    parts = [part(kind, write[kind](said, original), program) for kind in program.parts]
    if len(parts) == 1:
        return parts[0]
    boundary = "----=_NextPart_000_0001_01DC5B8F.A2C4D6E0"
    inner = "".join(f"--{boundary}\r\n{one}" for one in parts)
    return f'Content-Type: multipart/alternative;\r\n\tboundary="{boundary}"\r\n\r\n{inner}--{boundary}--\r\n'


def part(kind: str, text: str, program: Program) -> str:
    """One part with its headers."""
    body = text.replace("\n", "\r\n").encode(program.codec)
    if program.in_quoted_printable:
        coding, lines = "quoted-printable", _quoted_printable(body)
    else:
        coding, lines = "base64", base64.encodebytes(body).decode().replace("\n", "\r\n")
    kind = f'Content-Type: text/{kind};\r\n\tcharset="{program.label}"'
    return f"{kind}\r\nContent-Transfer-Encoding: {coding}\r\n\r\n{lines}"


def _quoted_printable(body: bytes) -> str:
    return quopri.encodestring(body.replace(b"\r\n", b"\n")).decode().replace("\n", "\r\n") + "\r\n"
