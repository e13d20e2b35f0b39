"""model: of what does a member's chat with the application consist?"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tests.fakes.wecom.errors import Json


@dataclass(frozen=True)
class Button:
    """A key of a card: pressed it comes back with `key`, or it opens a page."""

    text: str
    key: str = ""
    url: str = ""


@dataclass(frozen=True)
class Option:
    """Something that can be chosen in a card."""

    id: str
    text: str
    checked: bool = False


@dataclass(frozen=True)
class Question:
    """A list of a card: of a vote, or of a multiple choice."""

    key: str
    options: tuple[Option, ...]
    title: str = ""
    several: bool = False
    disabled: bool = False


@dataclass(frozen=True)
class Look:
    """A card as it looks to somebody now."""

    kind: str
    title: str = ""
    desc: str = ""
    text: str = ""
    buttons: tuple[Button, ...] = ()
    questions: tuple[Question, ...] = ()
    submit: Button | None = None
    replaced: str = ""
    """What stands on the one grey button that has taken the place of all others."""

    @property
    def words(self) -> str:
        return "\n".join(part for part in (self.title, self.desc, self.text) if part)

    @property
    def labels(self) -> list[str]:
        """What can be pressed or chosen."""
        if self.replaced:
            return []
        return [b.text for b in self.buttons] + [o.text for q in self.questions for o in q.options]

    def done(self, name: str) -> Look:
        return replace(self, replaced=name)


@dataclass
class Card:
    """A card that was sent once, to one member or to several."""

    task_id: str
    lines: list[Line] = field(default_factory=list)


@dataclass
class Line:
    """Something in a chat. A card's look changes in place."""

    at: float
    from_app: bool
    text: str
    kind: str = "text"
    msgid: str = ""
    card: Card | None = None
    look: Look | None = None
    passive: bool = False
    """It came in the answer to a push, not by a call."""
    revised: int = 0

    @property
    def words(self) -> str:
        return self.look.words if self.look else self.text

    @property
    def labels(self) -> list[str]:
        return self.look.labels if self.look else []


@dataclass
class Member:
    """Somebody in the company's address book."""

    userid: str
    name: str = ""
    active: bool = True
    """Has not left, and the application may be seen by them."""
    licensed: bool = True
    lines: list[Line] = field(default_factory=list)


@dataclass
class Code:
    """Permission for one update of one card."""

    card: Card
    until: float
    used: bool = False


@dataclass
class Sent:
    """What a message/send led to, by its msgid."""

    at: float
    members: list[Member]


@dataclass(frozen=True)
class Call:
    """A call that was made: its path, what it said, what it was answered (0: carried out)."""

    method: str
    body: Json
    errcode: int
    at: float
    answered: bool = True


@dataclass
class Push:
    """Something the application was told: the plain XML, the status of each attempt (0: none in time)."""

    xml: str
    statuses: list[int] = field(default_factory=list)
    reply: str = ""
    """The plain XML of the passive answer."""

    @property
    def acknowledged(self) -> bool:
        return bool(self.statuses) and self.statuses[-1] == 200
