"""email_quote: which lines of a mail did its author write, and which are quoted, signed or added by a program?

Nothing is searched for inside a line: 不同意 contains 同意, and the quoted question contains both. Lines are told
apart as wholes. The forms are those of QQ, 163, Foxmail, Outlook, Gmail, iOS, Coremail, Huawei and exmail, in Chinese
and English.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_MARKER = re.compile(r"[\s|*—–_\-]*(请在此线以上回复|please reply above this line)[\s|*—–_\-]*", re.IGNORECASE)
"""The line that every mail of ours begins with (`mail.reply_line`)."""

_OLD = r"原始邮件|原邮件|原始郵件|原始信息|回复的原邮件|回复的邮件|邮件原件|邮件原文|转发的邮件|转发邮件信息"
_OLD_EN = r"original(?: message| mail)?|replied message|reply message|forwarded message|original appointment"
_RULED = re.compile(rf"[\s*>]*[-—–_=]{{2,}}\s*(?:{_OLD}|{_OLD_EN})\s*[-—–_=]{{2,}}[\s*]*", re.IGNORECASE)
_LABELS_FROM = re.compile(r"[\s*|]*(发件人|寄件人|寄件者|from)\s*\|?\s*[:：|*]", re.IGNORECASE)
_LABELS_REST = re.compile(
    r"[\s*|]*(发送时间|发送日期|发件时间|寄件日期|日期|时间|收件人|收件者|主题|主旨|抄送|sent|date|to|subject|cc)"
    r"\s*\|?\s*[:：|*]",
    re.IGNORECASE,
)
_SAME_LINE = re.compile(r".*(发送时间|发件时间|日期|时间|date|sent)\s*[:：].*", re.IGNORECASE)
# A sentence that ends in 写道 is only a header with a date or an address in it.
_WROTE = re.compile(r"(?=.*(?:\d{1,4}\s*[-/年.:]|\d{4}|@)).{4,400}(?:写道|寫道|wrote|写到)\s*[:：]?", re.IGNORECASE)
_WROTE_BEGINS = re.compile(
    r"(?:on|at|在|于)\s*\S.*|.*<[^<>]*@[^<>]*>?.*|.*(?:于|在)\s*\d{4}\s*[年\-/].*", re.IGNORECASE
)
_RULE = re.compile(r"[-—–_=*]{2,}|(?=.*\|)[|\s]+")
_ADDRESS = re.compile(r"<?[\w.+-]+@[\w.-]+>?")
_SENT_FROM = re.compile(
    r"[\s\-—]*(?:发自|来自|從|从|使用|通过|獲取|获取|下载|sent from|sent via|get|via)\s*.{0,50}"
    r"(?:iphone|ipad|手机|手機|outlook|邮箱|邮件|mail|android|客户端|华为|小米|huawei|foxmail|网易|qq)"
    r"[^。；;]{0,60}",
    re.IGNORECASE,
)
_SPACES = str.maketrans({"\u00a0": " ", "\u3000": " ", "\ufeff": None, "\u200b": None, "\t": " "})
HEADER_LINES = 3
"""A header may be broken over so many lines."""


@dataclass(frozen=True, slots=True)
class Own:
    """What the author wrote: the first line, and all of it. Both empty where nothing is left."""

    first: str = ""
    whole: str = ""


def own_words(text: str) -> Own:
    """The author's own words, written above what they answer or (English habit) below it."""
    lines = text.replace("&nbsp;", " ").replace("\r\n", "\n").replace("\r", "\n").translate(_SPACES).split("\n")
    kept: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at].strip()
        written = any(kept)
        if line.startswith((">", "＞")):
            if written:
                break
        elif _MARKER.fullmatch(line):
            break
        elif after := _header(lines, at):
            if written or not _quoted_from(lines, after):
                break
            at = after
            continue
        elif _RULE.fullmatch(line):
            if written or line == "--" or "|" in line:  # a signature begins
                break
        elif not _SENT_FROM.fullmatch(line):
            kept.append(line)
        at += 1
    while kept and (not kept[-1] or _ADDRESS.fullmatch(kept[-1])) and len(kept) > 1:
        kept.pop()  # a program's own signature is the writer's address
    whole = re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()
    return Own(whole.split("\n")[0], whole)


def _header(lines: list[str], at: int) -> int:
    """Where the line after a quote's header stands, if one begins here; 0: none does."""
    line = lines[at].strip()
    if not line:
        return 0
    if _RULED.fullmatch(line):
        return at + 1
    if _LABELS_FROM.match(line):
        rest = [other for other in (one.strip() for one in lines[at + 1 : at + 12]) if other][:4]
        if _SAME_LINE.fullmatch(line) or any(_LABELS_REST.match(other) for other in rest):
            return at + 1
    if _RULE.fullmatch(line):
        later = [place for place in range(at + 1, min(at + 4, len(lines))) if lines[place].strip()]
        return _header(lines, later[0]) if later and _LABELS_FROM.match(lines[later[0]].strip()) else 0
    for count in range(1, HEADER_LINES + 1):
        part = [one.strip() for one in lines[at : at + count]]
        if count > 1 and (not all(part) or not _WROTE_BEGINS.fullmatch(part[0])):
            break
        if _WROTE.fullmatch(" ".join(part)):
            return at + count
    return 0


def _quoted_from(lines: list[str], at: int) -> bool:
    """Whether what follows is marked as quoted line by line, so that own words may stand below it."""
    following = next((one.strip() for one in lines[at:] if one.strip()), "")
    return following.startswith((">", "＞"))
