"""Seats: people in front of a channel, for the transcripts.

`TextStage` is a channel without buttons: everything is read and typed, choices by their number. Those of the web chat
and Telegram stand in `stages`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from bot.adapters.numbered import numbered
from bot.core.memory import Memory, offers
from storage import campaigns, dialogues
from storage.campaigns import Telling
from storage.house import Tx
from tests.people import Chat, House
from tests.transcript import Shown


@dataclass
class TextSeat:
    """Somebody who sees only text and answers with numbers and words."""

    chat: Chat
    deliver: Callable[[], None]
    wanted: str = ""
    slow: bool = False

    async def say(self, text: str) -> None:
        self.wanted = ""
        self.chat.say(text)

    async def tap(self, label: str) -> None:
        """Type the number of a choice that is on the screen, or the word of a step."""
        self.wanted = ""
        screen = numbered(self.chat.heard[-1])
        choice = re.search(rf"^(\d+)\. .*{re.escape(label)}.*$", screen, re.MULTILINE)
        assert choice or f"“{label}”" in screen, f"no choice {label!r} on the screen:\n{screen}"
        self.chat.say(choice[1] if choice else label)

    async def expect(self, text: str) -> None:
        self.deliver()
        self.wanted = text

    async def screen(self) -> list[Shown]:
        found = [message for message in self.chat.heard if self.wanted in message.text][-1:]
        return [Shown(m.text, [key.label for row in m.keys for key in row]) for m in found]


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
            dialogues.stand(tx, seat.chat.address, Memory(offers=offers(message)))
            seat.chat.heard.append(message)
