"""email_context: what does an answer answer?

Each mail is a conversation of its own: a “2” answers the mail under which it is written, whatever has come since. So
before an answer is heard, what stood in that mail stands again.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.event import Address
from bot.core.kinds import clean
from bot.core.memory import Draft, Memory, Offer, offers
from storage import dialogues, web
from storage.house import Tx
from storage.mails import Letter

NO_EVENT = bytes(16)
LASTING = timedelta(days=3)
"""How long a link is good that asks whether a mail was meant."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What stands at an address now: the draft, and whether its question is open here."""

    draft: Draft | None
    asking: int
    drafts: int = 0
    """How many forms are half filled in."""

    @property
    def at(self) -> str:
        """The name of the open question; empty where none is."""
        return self.draft.at if self.draft and self.asking == self.draft.id else ""


def situation(tx: Tx, address: Address) -> Situation:
    memory = dialogues.look(tx, address, NO_EVENT).memory
    return Situation(memory.draft, memory.asking, len(memory.drafts))


def put_up(tx: Tx, address: Address, letter: Letter | None) -> Situation:
    """Let stand at an address what stood in a mail; nothing, where no mail is answered.

    A question that has been answered meanwhile does not open again: free words would be taken for another's answer.
    """
    drafts = dialogues.look(tx, address, NO_EVENT).memory.drafts
    stood, asking = standing(letter), 0
    draft = drafts[0] if drafts else None
    for one in drafts:
        if letter and one.id == letter.body.asking and one.at == letter.body.at:
            draft, asking = one, one.id
    dialogues.stand(tx, address, Memory(offers=stood, asking=asking))
    return Situation(draft, asking, len(drafts))


def offered(text: str, letter: Letter) -> Offer | None:
    """The button of a mail that a text names as a whole, by its number or its label."""
    stood = standing(letter)
    text = clean(text).lower()
    if text.isdecimal() and len(text) <= 3:
        choices = [offer for offer in stood if not offer.walk]
        return choices[int(text) - 1] if 0 < int(text) <= len(choices) else None
    return next((offer for offer in stood if clean(offer.label).lower() == text), None)


def standing(letter: Letter | None) -> tuple[Offer, ...]:
    """The buttons of a mail."""
    if letter is None or not letter.body.messages:
        return ()
    return tuple(offer for one in dialogues.load_messages(letter.body.messages) for offer in offers(one))


def mean(tx: Tx, now: datetime, person_id: int, meant: Mapping[str, str]) -> str:
    """The address of a link that does what a mail says, once its owner presses the button of its page.

    `meant`: `text`, what was said; `tag`, the mail it answers (hex), or empty; `about`, what that was about.
    """
    token = secrets.token_urlsafe(24)
    web.add_link(tx, token, person_id, now + LASTING, body={"meant": dict(meant)})
    return f"{tx.house.public_url}/l/{token}"
