"""What a conversation remembers between two messages: the draft, the offered buttons, the open question."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

REVIEW = "="
"""`Draft.at` when everything is answered and the whole is being looked over."""


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


@dataclass(frozen=True, slots=True)
class Offer:
    """A button that stands at an address: its label in the reader's language, and its payload."""

    label: str
    payload: str
    walk: bool = False


@dataclass(slots=True)
class Memory:
    """`asking` is the id of the draft whose question stands open *at this address*; 0 for none."""

    draft: Draft | None = None
    offers: tuple[Offer, ...] = ()
    asking: int = 0
