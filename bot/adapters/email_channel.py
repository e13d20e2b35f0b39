"""email_channel: how does a message get to a mailbox, and is it never there twice?

A mail is remembered before it leaves, when its last byte leaves, and when the server has it. So a process that dies
between any two of these knows afterwards which of its mails may have arrived: each of those is repeated once, with
the same Message-ID and the same bytes, and every other is sent as if nothing had happened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from bot.adapters import email_out
from bot.adapters.email_errors import What
from bot.adapters.email_frame import Frame
from bot.adapters.email_out import Posted
from bot.adapters.email_post import NotTaken, Post
from bot.adapters.email_token import Postmark, new_tag
from bot.core.reply import Parcel, Undelivered
from storage import dialogues, mailbox, mails, people
from storage.house import House, Tx
from storage.mails import Body, Letter
from storage.rates import Limit
from storage.writer import Busy, Writer

log = structlog.get_logger()

GIVE_UP = timedelta(hours=24)
"""After which a mail that the server puts off has failed, and another channel's turn comes."""
BUSY = 30.0
"""Seconds the channel rests when the server cannot be reached or says that it has too much to do."""
LOCKED = 300.0
"""… when it refuses our log-in: somebody has to correct that."""
REFUSED = 5
"""Mails in a row that are refused by policy before the channel rests: then it is us, and no mail will do."""
REFUSED_REST = 900.0
FIRST, LONGEST = 60.0, 3600.0
"""Seconds before a mail that was put off is tried again: half its age, within these bounds."""


class Told:
    """Who is told what the channel has found out; each is called in a transaction of its own."""

    def dead(self, tx: Tx, now: datetime, person_id: int | None, key: str) -> None:
        """There is no such address."""

    def stopped(self, tx: Tx, now: datetime, why: str) -> None:
        """The channel rests, and somebody has to do something: `locked` or `refused`."""


class EmailChannel:
    """E-mail as the outbox sees it; and the way out for answers, which no campaign decided."""

    name = "email"
    repeatable = True
    """A delivery that was interrupted is asked for again; `admit` knows whether it may have arrived."""

    def __init__(
        self, post: Post, postmark: Postmark, house: House, writer: Writer, frame: Frame, told: Told,
        clock: Callable[[], datetime], *, limit: Limit,
    ) -> None:  # fmt: skip
        self._post, self._postmark, self._house, self._writer = post, postmark, house, writer
        self._frame, self._told, self._clock, self._limit = frame, told, clock, limit
        self._letters: dict[int, Letter] = {}
        self._refused = 0
        self._rests_until: datetime | None = None

    def limits(self, key: str) -> Mapping[str, Limit]:
        return {"email": self._limit}

    def admit(self, tx: Tx, now: datetime, parcel: Parcel) -> Parcel | str:
        """The mail, remembered; or why there is none: its reader wants no reminders, or it may be there already."""
        if parcel.reminder and mailbox.quiet(tx, parcel.key):
            return "reminders are stopped"
        body = Body(dialogues.dump_messages([parcel.message]), stop=parcel.reminder)
        letter = mails.of_delivery(tx, parcel.delivery)
        if letter is None:
            language = people.get(tx, parcel.person).language or tx.house.language
            letter = mails.add(
                tx, now, tag=new_tag(), key=parcel.key, body=body, person_id=parcel.person,
                delivery_id=parcel.delivery, thread=parcel.thread, language=language, state="made",
            )  # fmt: skip
        elif letter.state == "handed":
            if letter.repeats:
                return "it may have arrived"
        elif letter.state != "accepted":
            letter = mails.rewrite(tx, letter, body)
        self._letters[parcel.delivery] = letter
        return replace(parcel, way=letter.state)

    async def send(self, parcel: Parcel) -> str:
        """Send it; the tag of the mail. Raises Undelivered."""
        letter = self._letters.pop(parcel.delivery)
        if letter.state != "accepted":  # else only our note of it was lost
            await self.hand(letter)
        return letter.tag.hex()

    async def revise(self, parcel: Parcel, ref: str) -> None:
        """A mail that was sent stays as it is."""

    async def close(self) -> None:
        await self._post.close()

    # -- one mail -------------------------------------------------------------------------------------------

    async def hand(self, letter: Letter) -> None:
        """Hand a mail to the server, once more where nobody knows whether it arrived. Raises Undelivered."""
        self._see_whether_it_rests()
        posted = self.posted(letter)
        repeats = letter.repeats + (letter.state == "handed")
        while True:
            left = False

            async def leaving() -> None:
                nonlocal left
                self._see_whether_it_rests()  # the mail before it in this wave may have been one too many
                await self._note(lambda tx: mails.leave(tx, letter.tag))
                left = True

            try:
                await self._post.hand(posted, leaving)
                break
            except NotTaken as no:
                answer, rest = no.answer, self._count(no.answer.what)
            log.info("mail not taken", code=answer.code, meaning=answer.what.name, delivery=letter.delivery_id)
            if answer.what is What.LOST and not repeats:
                repeats += 1
                continue
            if left and answer.what is not What.LOST:
                await self._note(lambda tx: mails.mark(tx, letter.tag, "made" if letter.delivery_id else "queued"))
            raise await self._undelivered(letter, answer.what, answer.code, rest)
        self._refused = 0
        with suppress(Busy):  # the outbox writes down as well that it was taken
            await self._writer.run(lambda tx: mails.mark(tx, letter.tag, "accepted"))

    def posted(self, letter: Letter) -> Posted:
        """The mail as it leaves; the same for the same letter."""
        messages = self._frame.messages(letter)
        stop = f"{self._house.public_url}/l/m/{self._postmark.token('s', letter.tag)}" if letter.body.stop else ""
        made = email_out.Letter(
            letter.tag, letter.key, letter.person_id or 0, letter.created_at, messages,
            self._frame.trim(letter, messages), letter.thread, letter.body.answers, letter.body.subject, stop,
        )  # fmt: skip
        return email_out.compose(made, self._postmark, self._house.name)

    async def _note(self, work: Callable[[Tx], None]) -> None:
        """Write something down before going on. Raises Undelivered where that cannot be done now."""
        try:
            await self._writer.run(work)
        except Busy:
            raise Undelivered("busy", retry_after=2) from None

    async def _undelivered(self, letter: Letter, what: What, code: str, rest: float) -> Undelivered:
        now, age = self._clock(), self._clock() - letter.created_at
        match what:
            case What.DEAD:
                await self._tell(lambda tx: self._told.dead(tx, now, letter.person_id, letter.key))
                return Undelivered(f"no such address ({code})", dead=True)
            case What.MALFORMED:
                log.error("mail refused as malformed", code=code, delivery=letter.delivery_id)
                return Undelivered(f"malformed ({code})", permanent=True)
            case What.LOST:
                await self._note(lambda tx: mails.mark(tx, letter.tag, "lost"))
                return Undelivered("no answer after the end of the mail", unknown=True)
            case What.LOCKED:
                log.error("mail server refuses our log-in", code=code)
                await self._tell(lambda tx: self._told.stopped(tx, now, "locked"))
                return Undelivered(f"log-in refused ({code})", retry_after=rest)
            case What.REFUSED if rest:
                log.error("mails are refused by policy", code=code)
                await self._tell(lambda tx: self._told.stopped(tx, now, "refused"))
                return Undelivered(f"refused ({code})", retry_after=rest)
            case What.REFUSED:
                return Undelivered(f"refused ({code})", permanent=True)
        if age >= GIVE_UP:
            return Undelivered(f"gave up: {what.value} ({code})", permanent=True)
        if what is What.BUSY:
            return Undelivered(f"server busy ({code})", retry_after=BUSY)
        wait = min(LONGEST, max(FIRST, age.total_seconds() / 2))
        return Undelivered(f"{what.value} ({code})", again=wait)

    def _see_whether_it_rests(self) -> None:
        if self._rests_until and (rest := (self._rests_until - self._clock()).total_seconds()) > 0:
            raise Undelivered("resting", retry_after=rest)

    def _count(self, what: What) -> float:
        """Seconds the channel rests after this answer, beginning at once: the next of the wave is on its way."""
        rest = 0.0
        if what is What.LOCKED:
            rest = LOCKED
        elif what is What.REFUSED:
            self._refused += 1
            rest = REFUSED_REST if self._refused >= REFUSED else 0.0
        if rest:
            self._refused = 0
            self._rests_until = self._clock() + timedelta(seconds=rest)
        return rest

    async def _tell(self, work: Callable[[Tx], None]) -> None:
        with suppress(Busy):
            await self._writer.run(work)
