"""What goes out: words without a language yet, buttons, a no, and a message that did not arrive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.core.action import Action


@dataclass(frozen=True, slots=True)
class Words:
    """Something to say: the name of a block in `templates/` and the values put into it."""

    template: str
    values: Mapping[str, object] = field(default_factory=dict)


def words(template: str, /, **values: object) -> Words:
    """`words("dues.owed", amount=4500)` – the block `owed` of `templates/dues/`."""
    return Words(template, values)


@dataclass(frozen=True, slots=True)
class Phrase:
    """A form's question or a command's line, in Chinese as its source; the catalogue has the rest."""

    source: str


Label = Words | Phrase | str
"""A button's text; a plain string is somebody's data (an option, a name) and is never translated."""


@dataclass(frozen=True, slots=True)
class Button:
    """Something to press: an action, or a path on our own pages to open."""

    label: Label
    action: Action | None = None
    path: str | None = None
    walk: bool = False
    """A step of a dialogue (上一步, 取消 …): shown as a word, never as a number."""


Keyboard = tuple[tuple[Button, ...], ...]


class Grade(IntEnum):
    """How personal a reply is, which decides what may carry it (the organisation's policy for its channels)."""

    PUBLIC = 0
    """Published regulations, the time of a general meeting."""
    GENERAL = 1
    """“您有一项待办”: says nothing about anybody."""
    PERSONAL = 2
    """The reader's own dues, next step, hours of study."""
    SENSITIVE = 3
    """The way into the Party, opinions of others, reports, an income."""
    POLL = 4
    """A poll that no regulation makes formal."""
    BALLOT = 5
    """A formal ballot."""
    NOMINATION = 6
    """A poll whose options are people."""


ANY = frozenset(Grade)


@dataclass(frozen=True, slots=True, eq=False)
class Reply:
    """An answer. Rendered in the reader's language by the one who sends it.

    Told apart by identity, so that a reply that many get (a vote has few outcomes) can be made once and is then
    rendered once: see `Renderer.message`.
    """

    words: Words
    buttons: Keyboard = ()
    toast: Words | None = None
    """At most 200 characters, shown for a moment over the pressed button where a channel can."""
    replaces: bool = False
    """Takes the place of the message whose button was pressed, where a channel can."""
    sensitive: bool = False
    """Stored answers are encrypted anyway; a sensitive one is purged after 48 hours."""
    grade: Grade = Grade.GENERAL
    outside: Words | None = None
    """What may be said of it anywhere, where it may not be shown itself: “您有一条新通知”."""
    hears: Action | None = None
    """What is typed next and is neither a button nor a command goes to this action (`Router.heard`)."""
    taken_back: bool = False
    """Stands for a message that its sender has taken back; a channel that can makes it disappear."""

    def with_row(self, *row: Button) -> Reply:
        return replace(self, buttons=(*self.buttons, row))


class Refused(Exception):
    """A no, with its own words: what was wrong, the rule with the numbers put in, what to do.

    It is about the rule, not about anybody; where it has to name somebody, its `grade` says so.
    """

    grade = Grade.PUBLIC
    forgets = False
    """Nothing of what was said is to be kept, not even in the sender's own chat."""

    def __init__(self, template: str, /, **values: object) -> None:
        super().__init__(template)
        self.words = Words(template, values)
        self.buttons: Keyboard = ()


class Undelivered(Exception):
    """A channel could not deliver. With none of these, it is tried again after a while.

    `permanent`: this message will never arrive there; `dead`: nor will any other until its owner writes again.
    `retry_after`: seconds; the whole channel pauses. `unknown`: it may have arrived, so it is not sent again.
    `closed`: nothing may be sent there now, which is nobody's fault (a window, a quota): another channel's turn.
    `again`: seconds after which this one is tried again, however often that was already; the channel gives it up.
    """

    def __init__(
        self,
        reason: str,
        *,
        permanent: bool = False,
        dead: bool = False,
        retry_after: float | None = None,
        unknown: bool = False,
        closed: bool = False,
        again: float | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent or dead
        self.dead = dead
        self.retry_after = retry_after
        self.unknown = unknown
        self.closed = closed
        self.again = again


@dataclass(frozen=True, slots=True)
class Key:
    """A button in the reader's language: what it says, and what comes back when it is pressed."""

    label: str
    payload: str | None = None
    path: str | None = None
    walk: bool = False
    light: bool = False
    """May act on a channel where only light actions do (`Action`)."""


@dataclass(frozen=True, slots=True)
class Message:
    """A reply in the reader's language: what a channel shows."""

    text: str
    keys: tuple[tuple[Key, ...], ...] = ()
    toast: str | None = None
    replaces: bool = False
    sensitive: bool = False
    grade: Grade = Grade.GENERAL
    outside: str = ""
    """What a channel says that may not carry it."""
    hears: str = ""
    """The payload of the action that takes what is typed under it."""
    taken_back: bool = False


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message on its way to one key of a channel."""

    delivery: int
    key: str
    message: Message
    person: int = 0
    thread: str = ""
    """What belongs together: `notice-12` are a notice and its nudges."""
    reminder: bool = False
    """Says again what was said before; its reader may ask for no more of these."""
    way: str = ""
    """How it goes, where a channel has several ways; the channel's own word."""
