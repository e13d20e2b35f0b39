"""Step: what can be done in a dialogue besides answering, by a button or a word?"""

from __future__ import annotations

import zlib

from bot.core.action import Action, Code
from bot.core.memory import Draft
from bot.core.reply import Button, Phrase

WORDS = {
    "back": {"上一步", "返回", "back", "/back"},
    "cancel": {"取消", "算了", "cancel", "/cancel"},
    "skip": {"跳过", "skip"},
    "done": {"完", "完了", "写完了", "发完了", "done"},
    "send": {"提交", "确认", "确认提交", "submit"},
}
"""What may be typed instead of pressing a step's button."""


class Step(Action, tag="f", light=True):
    """A step in a dialogue. `draft` tells a button of this draft from one of an older; `at`, where it is not 0,
    the question it stood under: a double tap on 是 must not answer the next question as well."""

    draft: int
    do: Code
    arg: Code
    at: int = 0


def plain(text: str) -> str:
    """A typed word as it is looked up: in small letters, without the stop at its end."""
    return text.lower().strip("。.!！ ")


def place(question: str) -> int:
    """A question's name (or that of the review) in few bytes; never 0."""
    return zlib.crc32(question.encode()) or 1


def button(label: str, draft: Draft, do: str, *, walk: bool = True) -> Button:
    """The button of a step; any other label is somebody's data."""
    named = {"上一步", "取消", "跳过", "写完了", "提交"}
    text = Phrase(label) if label in named else label
    at = 0 if do == "cancel" else place(draft.at)
    return Button(text, Step(draft.id, Code(do), Code(""), at), walk=walk and label in named)
