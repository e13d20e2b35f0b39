"""model: of what is a chat with an official account made? People, lines, choices, pushes and calls."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.fakes.wechat.errors import Json
from tests.fakes.wechat.limits import Windows

Via = Literal["member", "passive", "custom", "template", "subscribe", "system"]
Mode = Literal["plain", "compatible", "safe"]
Kind = Literal["service", "subscription", "sandbox"]


@dataclass(frozen=True)
class Choice:
    """One thing in a message that can be tapped and comes back: a line of a msgmenu, or a text link."""

    label: str
    says: str
    """What stands in the chat, and in Content, when it was tapped."""
    id: str
    link: bool = False
    """Is it a link in a passive reply? (Otherwise it is a line of a msgmenu.)"""


@dataclass
class Line:
    """One line of a chat, as the person sees it."""

    via: Via
    text: str
    at: float
    choices: tuple[Choice, ...] = ()
    fields: dict[str, str] = field(default_factory=dict)
    """Of a template message or a subscription notice, as shown: 20 characters at most."""
    url: str = ""
    msgid: int | None = None

    @property
    def from_bot(self) -> bool:
        return self.via not in {"member", "system"}

    @property
    def labels(self) -> list[str]:
        return [choice.label for choice in self.choices]


@dataclass
class Follower:
    """All that WeChat knows of one person and this account."""

    openid: str
    name: str
    windows: Windows
    following: bool = True
    since: float = 0.0
    lines: list[Line] = field(default_factory=list)
    credits: Counter[str] = field(default_factory=Counter)
    """One-time subscription credits, by template."""
    template_status: str = "success"
    """How a template message to this person ends: success, failed:user block, failed: system failed."""
    menu: list[Json] = field(default_factory=list)
    menu_at: float = float("-inf")


@dataclass
class Template:
    """A template of the account: its typed keys, `thing1`, `time2` …, in order."""

    id: str
    title: str
    fields: tuple[str, ...]
    one_time: bool = False
    """Is it a subscription notice, which costs a credit?"""


@dataclass(frozen=True)
class QrCode:
    """A code with a scene."""

    ticket: str
    scene: str
    until: float | None


@dataclass
class Push:
    """Something the account is told: its text is fixed at birth, its seal anew for each attempt."""

    serial: int
    openid: str
    kind: str
    """text, image …, or the name of the event."""
    xml: str
    """All that stands inside <xml>."""
    by_person: bool = True
    """Does the person in front of the phone wait for an answer?"""
    tries: int = 0
    sealed: tuple[dict[str, str], bytes] | None = None
    answered: bool = False


@dataclass(frozen=True)
class Attempt:
    """One try to tell the account something."""

    push: Push
    number: int
    """1, 2 or 3."""
    at: float
    status: int | None
    """The HTTP status, None if none came (refused, dropped, timed out)."""
    note: str
    delivered: bool
    reply: str = ""
    """The passive reply, opened; empty if there was none."""


@dataclass(frozen=True)
class Call:
    """One call the account made. Its token and secret are not kept."""

    path: str
    """Below /cgi-bin/."""
    params: dict[str, Any]
    at: float
    errcode: int
    result: Json
    scripted: bool = False
    """Did a misfortune of the script decide it?"""
