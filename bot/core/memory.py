"""What a conversation remembers between two messages: the draft, the offered buttons, the open question."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache

from bot.core.reply import Message

REVIEW = "="
"""`Draft.at` when everything is answered and the whole is being looked over."""
ASIDE = 5
"""Forms that are kept half filled in beside the one at hand; of more, the oldest goes."""


@dataclass(slots=True)
class Draft:
    """A form half filled in. It belongs to the person, so it can be begun on one channel and ended on another.

    Answers are kept as texts by field name; an empty one was skipped. `given` came with the form's beginning.
    """

    id: int
    form: str
    expires: datetime
    answers: dict[str, str] = field(default_factory=dict)
    given: dict[str, str] = field(default_factory=dict)
    at: str = ""
    parts: list[str] = field(default_factory=list)
    left: dict[str, list[str]] = field(default_factory=dict)
    """Pieces of an answer that was left unfinished by a step back: they are there again when its question is."""
    brought: dict[str, str] = field(default_factory=dict)
    """Answers that it began with and that may be changed (`Begin.drafted`)."""

    def come_to(self, question: str) -> None:
        """Its question is asked, with what was sent for it before."""
        if question != self.at:
            self.go_back(question)
        self.parts = self.parts or self.left.pop(question, [])

    def go_back(self, question: str) -> None:
        """Step to another question from whatever is open now."""
        if self.parts:
            self.left[self.at] = self.parts
        self.at, self.parts = question, []

    @property
    def pieces(self) -> list[str]:
        """All that was sent and is not yet an answer."""
        return [*self.parts, *(part for parts in self.left.values() for part in parts)]

    @property
    def begun(self) -> bool:
        """Whether anything has been answered that did not come with its beginning."""
        return bool(self.pieces) or any(name not in self.given for name in self.answers)


@dataclass(frozen=True, slots=True)
class Offer:
    """A button that stands at an address: its label in the reader's language, and its payload.

    One without a label is no button: it takes the words that are typed.
    """

    label: str
    payload: str
    walk: bool = False


@dataclass(slots=True)
class Memory:
    """`asking` is the id of the draft whose question stands open *at this address*; 0 for none."""

    draft: Draft | None = None
    offers: tuple[Offer, ...] = ()
    asking: int = 0
    aside: list[Draft] = field(default_factory=list)
    """Forms left half filled in for another, the latest last: what was acknowledged is not lost by beginning one."""

    @property
    def drafts(self) -> list[Draft]:
        """Every form that is half filled in, the one at hand first."""
        return [*([self.draft] if self.draft else []), *reversed(self.aside)]

    def put_aside(self) -> None:
        """Keep the form at hand for later, if anything has been answered in it; the caller takes up another."""
        if self.draft and self.draft.begun:
            self.aside = [*self.aside, self.draft][-ASIDE:]
        self.draft = None

    def bring(self, draft: Draft) -> None:
        """Take up a form again that was put aside."""
        self.aside.remove(draft)
        self.put_aside()
        self.draft = draft


@lru_cache(256)
def offers(message: Message) -> tuple[Offer, ...]:
    """What stands at an address after this message."""
    keys = [key for row in message.keys for key in row]
    buttons = [Offer(key.label, key.payload, key.walk) for key in keys if key.payload is not None]
    return (*buttons, *([Offer("", message.hears, walk=True)] if message.hears else []))
