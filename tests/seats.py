"""Seats: people in front of a channel, for the transcripts.

`TextStage` is a channel without buttons: everything is read and typed, choices by their number. The web chat's and
Telegram's stages stand with the tests of those channels.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.adapters.numbered import numbered
from bot.core.memory import Memory
from bot.core.reply import Message
from bot.reception import offers
from storage import campaigns, dialogues
from storage.campaigns import Telling
from storage.house import Tx
from tests.people import Chat, House


@dataclass
class TextSeat:
    """Somebody who sees only text and answers with numbers and words."""

    chat: Chat
    deliver: Callable[[], None]
    _text: str = ""
    _labels: list[str] = field(default_factory=list)

    async def say(self, text: str) -> None:
        self.chat.say(text)
        self._see(self.chat.heard[-1])

    async def tap(self, label: str) -> None:
        """Type the number of a choice that is on the screen, or the word of a step."""
        screen = numbered(self.chat.heard[-1])
        choice = re.search(rf"^(\d+)\. .*{re.escape(label)}.*$", screen, re.MULTILINE)
        assert choice or f"“{label}”" in screen, f"no choice {label!r} on the screen:\n{screen}"
        self.chat.say(choice[1] if choice else label)
        self._see(self.chat.heard[-1])

    async def wait_for(self, text: str) -> None:
        self.deliver()
        found = [message for message in self.chat.heard if text in message.text]
        assert found, f"nothing with {text!r} was delivered"
        self._see(found[-1])

    def _see(self, message: Message) -> None:
        self._text = message.text
        self._labels = [key.label for row in message.keys for key in row]

    @property
    def text(self) -> str:
        return self._text

    @property
    def labels(self) -> list[str] | None:
        return self._labels


class TextStage:
    """A channel of plain text: the least that a channel can be."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.seats: dict[str, TextSeat] = {}
        self.told: set[tuple[int, str]] = set()
        self.names: dict[str, str] = {}

    async def seat(self, name: str) -> TextSeat:
        if name not in self.seats:
            self.seats[name] = TextSeat(self.house.chat(name), self.deliver)
        return self.seats[name]

    async def pass_time(self, **delta: float) -> None:
        self.house.later(**delta)
        self.house.tick()

    async def prepare(self, work: Callable[..., object]) -> None:
        work(self.house, self)

    def deliver(self) -> None:
        """What the outbox would bring: every campaign once to each of its people who sits here."""
        with self.house.app.database.write() as tx:
            for telling in campaigns.sent_by(tx, self.house.now):
                recipients = campaigns.recipients(tx, telling.id)
                for name, seat in self.seats.items():
                    person = self.house.ids.get(name)
                    if person in recipients and (telling.id, name) not in self.told:
                        self.told.add((telling.id, name))
                        self._bring(tx, telling, person, seat)

    def _bring(self, tx: Tx, telling: Telling, person: int, seat: TextSeat) -> None:
        message = self.house.app.reception.compose(tx, self.house.now, telling, person)
        if message is not None:
            dialogues.stand(tx, seat.chat.address, Memory(offers=offers([message])))
            seat.chat.heard.append(message)
