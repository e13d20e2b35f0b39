"""Reception: one event in, one answer out, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import structlog

from bot.carriage import LIGHT_ONLY, Carriage
from bot.core.conversation import Conversation
from bot.core.event import Address, Event, Pressed
from bot.core.memory import offers
from bot.core.reply import Grade, Message, Phrase, Refused, Reply, words
from bot.core.router import Sender, Turn
from bot.logs import frames
from bot.render import LANGUAGES, Renderer
from handlers import Capability, Router, alarm
from storage import addresses, campaigns, dialogues, people, standby
from storage.campaigns import Telling
from storage.database import is_trouble
from storage.files import File
from storage.house import Tx

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered. `again`: the event had been answered before, with exactly this."""

    messages: list[Message]
    person_id: int | None
    again: bool = False
    broken: str | None = None
    """The number of an error of ours, as the person was told it."""
    forgets: bool = False
    """Nothing of what was said is to be kept, not even in the sender's own chat."""


class Reception:
    """Knows every capability; sees to it that the same event gets the same answer, and that a bug is one."""

    def __init__(self, capabilities: Iterable[Capability], renderer: Renderer) -> None:
        self.capabilities = tuple(capabilities)
        self.renderer = renderer
        self.carriage = Carriage(renderer)
        router = Router()
        router.include(capability.router for capability in self.capabilities)
        self.conversation = Conversation(router)
        self.router = self.conversation.router
        self._tell = {kind: compose for c in self.capabilities for kind, compose in c.tell.items()}
        self._opens = {kind: may for c in self.capabilities for kind, may in c.opens.items()}
        self._waits = {kind: waits for c in self.capabilities for kind, waits in c.waits.items()}
        renderer.check(self._phrases())

    def receive(self, tx: Tx, event: Event, now: datetime) -> Answered:
        """Answer an event. Everything it changed, and the answer itself, is in the transaction.

        Raises only what the database raises when it cannot be written to: then nothing was done.
        """
        digest = dialogues.digest(tx, event.address, event.event_id)
        before = dialogues.look(tx, event.address, digest)
        if before.answer is not None:
            return Answered(before.answer, before.person_id, again=True)
        if before.dead:
            addresses.set_dead(tx, event.address, dead=False)
        sender = None if before.person_id is None else Sender(before.person_id, before.name)
        channel, language = event.address.channel, self._language(tx, before.language, event)
        light_only, grades = channel in LIGHT_ONLY, self.carriage.grades(tx.house, event.address)
        turn = Turn(tx, sender, event.address, now, tx.house.zone, language, light_only, grades)
        memory, broken, forgets = before.memory, None, False
        try:
            with tx.savepoint():
                messages = [self.renderer.message(self.conversation.answer(turn, event, memory), turn.language)]
        except Refused as no:
            forgets = no.forgets
            toast = no.words if isinstance(event, Pressed) else None
            reply = Reply(no.words, no.buttons, toast=toast, grade=no.grade)
            messages = [self.renderer.message(reply, turn.language)]
        except Exception as error:
            if is_trouble(error):
                raise
            broken = digest.hex()[:6].upper()
            memory = dialogues.look(tx, event.address, digest).memory  # as if it had not been asked
            log.error("handler failed", number=broken, error=type(error).__name__, frames=frames(error))
            alarm.sound(tx, now, broken)
            said = Reply(words("conversation.broken", number=broken), grade=Grade.PUBLIC)
            messages = [self.renderer.message(said, turn.language)]
        if sender and channel != "web":
            fit, at = self.carriage.fit, event.address
            messages = [fit(tx, now, one, at, sender.id, turn.language, asked=True) for one in messages]
        memory.offers = tuple(offer for message in messages for offer in offers(message))
        after = addresses.find(tx, event.address) if sender is None else None
        owner = after.person_id if after else before.person_id
        dialogues.keep(tx, now, event.address, digest, owner, memory, messages, before)
        return Answered(messages, owner, broken=broken, forgets=forgets)

    def wants_file(self, tx: Tx, address: Address, now: datetime) -> bool:
        """Whether somebody is being asked for files, so that one that comes from this address is worth fetching."""
        before = dialogues.look(tx, address, b"")
        sender = None if before.person_id is None else Sender(before.person_id, before.name)
        turn = Turn(tx, sender, address, now, tx.house.zone, tx.house.language)
        return self.conversation.wants_file(turn, before.memory)

    def opens(self, tx: Tx, now: datetime, person_id: int, file: File) -> bool:
        """Whether a person may open a file. The capability that it belongs to says so, and writes it down."""
        if file.loose:
            return file.owner_id == person_id
        may = self._opens.get(file.subject_kind)
        return bool(may and may(tx, now, person_id, file))

    def compose(self, tx: Tx, now: datetime, telling: Telling, person_id: int) -> Message | None:
        """What a campaign says to a person now, in their language; None: it need not be said any more."""
        reply = self._tell[telling.kind](tx, now, telling, person_id)
        if reply is None:
            return None
        language = people.get(tx, person_id).language or tx.house.language
        return self.renderer.message(reply, language)

    def fit(self, tx: Tx, now: datetime, message: Message, address: Address, person_id: int) -> Message:
        """A composed message as it may go to an address; where a link is needed, it is made in the transaction."""
        if self.carriage.fits(tx.house, message, address):
            return message
        language = people.get(tx, person_id).language or tx.house.language
        return self.carriage.fit(tx, now, message, address, person_id, language)

    def due(self, tx: Tx, now: datetime) -> int:
        """Do what is due now, everywhere; how much there was."""
        done = sum(capability.due(tx, now) for capability in self.capabilities if capability.due)
        return done + self.silence(tx, now)

    def silence(self, tx: Tx, now: datetime) -> int:
        """Where an answer has been waited for long enough, the next channel's turn comes; in how many cases.

        What comes by itself comes by day: a silence that ends at night is heard in the morning.
        """
        if tx.house.quiet_until(now):
            return 0
        chains, tellings = standby.silent(tx, now), dict[int, Telling]()
        for chain in chains:
            campaign_id, person_id = chain
            telling = tellings.setdefault(campaign_id, campaigns.get(tx, campaign_id))
            waits = self._waits.get(telling.kind)
            if standby.in_doubt(tx, chain) or (waits and waits(tx, now, telling, person_id)):
                standby.step_back(tx, now, chain)
                standby.pass_on(tx, now, [chain])
            else:
                standby.end(tx, now, [chain], "not needed")
        return len(chains)

    def menu(self) -> dict[str, list[tuple[str, str]]]:
        """The commands that are everybody's, by language: (name without the slash, its line)."""
        listed = [command for command in self.router.commands.values() if command.public]
        return {
            language: [(str(c.name), self.renderer.label(c.line, language)) for c in listed] for language in LANGUAGES
        }

    @staticmethod
    def _language(tx: Tx, own: str, event: Event) -> str:
        hint = (event.language or "")[:2].lower()
        return own or (hint if hint in LANGUAGES else tx.house.language)

    def _phrases(self) -> Iterable[Phrase]:
        for command in self.router.commands.values():
            yield command.line
            yield from (Phrase(word) for word in command.words[:1])
        for capability in self.capabilities:
            yield from (kind.called for kind in capability.reminders.values())
        for use in self.router.forms.values():
            yield use.form.called
            for question in use.form.questions.values():
                yield question.text
                yield question.title
