"""Does this bear a mark of secrecy, and may it be told at all?

保守国家秘密法 29, 31 and 64: nothing secret goes over the internet or stands on a machine that is not made for it. So
what bears a mark is refused and not kept. A document's number (文号) is no mark: most notices handed down carry one.
"""

from __future__ import annotations

import re

from bot.core.reply import Refused

# A mark as documents bear it: 机密★10年, 【秘密】, 密级：内部, a line of its own. “保守党的秘密” is none.
# Spaces are possessive (*+): a stranger's line of 30,000 of them would else be gone through for hours.
_LEVEL = r"绝\s?密|机\s?密|秘\s?密"
_INNER = r"内部(?:资料|文件|材料|刊物|使用|发行|参考)?"
_TEXT = re.compile(
    rf"(?P<star>{_LEVEL})\s*[★☆*＊]"
    rf"|(?:密\s*+级|保密等级)\s*+(?:为|是)?\s*+[:：]?\s*+(?P<said>{_LEVEL}|内部)"
    rf"|[【〔\[（(《]\s*(?P<framed>{_LEVEL}|{_INNER})\s*+[,，、;；]?\s*+(?:注意保存|不得外传|请勿外传)?\s*+[】〕\]）)》]"
    rf"|^[ \t　]*+(?P<alone>{_LEVEL}|{_INNER})[ \t　]*+(?:[,，]?\s*+(?:注意保存|不得外传|请勿外传))?[ \t　。]*+$",
    re.MULTILINE,
)
_NAME = re.compile(
    r"(?P<high>绝密|机密)|(?<![守业的])(?P<low>秘密)|(?P<inner>内部(?:资料|文件|材料|刊物|使用|发行|参考))"
    r"|(?:^|[\s_\-.【\[（(])(?P<bare>内部)(?=[\s_\-.】\]）)★]|$)"
)
_NUMBER = re.compile(
    r"[\u4e00-\u9fff]{1,12}(?:〔|\[|［|（|\(|【)\s*(?:19|20)\d{2}\s*(?:〕|\]|］|）|\)|】)\s*(?:第\s*)?\d{1,5}\s*号"
)
# What is written before a number, and does not belong to it: 认真学习中组发〔2008〕3号.
_BEFORE = re.compile(
    r"^.*(?:学习|根据|按照|依据|依照|参照|传达|转发|贯彻|落实|执行|遵照|关于|详见|见|按)(?=\S+[〔\[［(（【])"
)


def refuses(text: str, filename: str = "") -> str:
    """The mark of secrecy (`机密`) that a text or the name of a file bears; empty: none."""
    for pattern, where in ((_TEXT, text), (_NAME, filename)):
        if found := pattern.search(where):
            mark = next(part for part in found.groupdict().values() if part)
            return "".join(mark.split())
    return ""


def asks(text: str) -> str:
    """The number of a document (`中组发〔2008〕3号`) that a text carries: then one asks 可公开传达？ Empty: none."""
    found = _NUMBER.search(text)
    return "".join(_BEFORE.sub("", found[0]).split()) if found else ""


class Secret(Refused):
    """What was said or sent bears a mark: refused, and nothing of it is to be kept anywhere."""

    forgets = True

    def __init__(self, mark: str) -> None:
        super().__init__("secrecy.marked", mark=mark)


def check(text: str, filename: str = "") -> None:
    """Raises Secret where a text or the name of a file bears a mark of secrecy."""
    if mark := refuses(text, filename):
        raise Secret(mark)
