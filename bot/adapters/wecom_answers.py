"""wecom_answers: by which way does an answer go back – in the answer to the push, or by calls of its own?

Words ride in the answer to the push: that costs nothing and counts against nothing. Buttons need a card, and a card
a call, so it is kept in the transaction that answers and leaves after its commit. A card that was tapped changes in
the answer to the tap. Where a member's minute is full, words and numbers ride once more.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from bot.adapters.numbered import numbered
from bot.adapters.wecom import CHANNEL, Heard, Tap, split
from bot.adapters.wecom_cards import DONE, Cards, Json
from bot.adapters.wecom_channel import SURELY_SAME, WeComChannel, posts
from bot.core.event import Address
from bot.core.reply import Message, Undelivered
from bot.logs import frames
from storage import addresses, cards, rates
from storage.cards import Kept
from storage.house import Tx
from storage.writer import Busy, Writer

log = structlog.get_logger()

AFTER = timedelta(seconds=1)
"""The rest of a long text, after its beginning, which rides."""
AGAIN = timedelta(seconds=5)
"""Until an answer that did not get through is tried again."""
WAVE = 50
POLL = 5.0
"""Seconds after which an idle loop looks by itself: another process may have died with answers in its hands."""
PURGE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Ride:
    """What goes back in the answer to the push: a text, a card in the place of another, a grey button, nothing."""

    text: str = ""
    card: Json | None = None
    button: str = ""


class Answers:
    """Plans each answer in its transaction, and sends what does not ride."""

    def __init__(
        self, channel: WeComChannel, looks: Cards, writer: Writer, clock: Callable[[], datetime], *, alone: bool
    ) -> None:
        self._channel, self._looks, self._writer, self._clock = channel, looks, writer, clock
        self._alone = alone
        """No other process writes to this database."""
        self._wake, self._stopping, self._one = asyncio.Event(), False, asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._purged: datetime | None = None

    # -- in the transaction -----------------------------------------------------------------------------------

    def plan(self, tx: Tx, now: datetime, heard: Heard, messages: Sequence[Message], *, again: bool) -> Ride:
        """What rides; the rest is kept, to leave after the commit. `again`: it was answered before, like this."""
        event = heard.event
        base = f"a{tx.house.keys.digest('wecom answer', event.address, event.event_id).hex()[:24]}"
        *others, message = messages
        if not again:
            for place, other in enumerate(others):
                self._keep(tx, now, f"{base}-{place}", event.address.key, other)
        if heard.tap is None:
            return self._said(tx, now, base, event.address.key, message, again)
        return self._tapped(tx, now, base, event.address.key, heard.tap, message, again)

    def _said(self, tx: Tx, now: datetime, base: str, key: str, message: Message, again: bool) -> Ride:
        sheet = self._looks.sheet(message)
        if again and cards.get(tx, base):
            return Ride()
        if not again and sheet.card is not None and self._room(tx, now, key, len(sheet.texts) + 1):
            self._keep(tx, now, base, key, message, booked=True)
            return Ride()
        first, *rest = split(numbered(message))
        if rest and not again:
            calls = posts(key, f"{base}-r", rest, None)
            cards.add(tx, now, f"{base}-r", key, calls, "", None, due_at=now + AFTER)
        return Ride(text=first)

    def _tapped(self, tx: Tx, now: datetime, base: str, key: str, tap: Tap, message: Message, again: bool) -> Ride:
        kept = cards.get(tx, tap.task_id)
        kept = kept if kept and kept.key == key else None
        if kept and tap.code and not again:
            cards.keep_code(tx, now, tap.task_id, tap.code)
        look = self._looks.look(message, kept.shown if kept else "") if message.replaces else None
        if again and kept and message.replaces and look is not None:
            look = kept.look  # that of the first time, or a newer one
        if look is not None:
            if kept and not again:
                cards.changed(tx, kept, message.text, look)
            return Ride(card=look)
        if not again:
            self._keep(tx, now, base, key, message)
        return Ride(button=DONE) if message.replaces else Ride()

    def _room(self, tx: Tx, now: datetime, key: str, places: int) -> bool:
        """Take so many places among what this member may be sent now."""
        limits = self._channel.prompt(key)
        return all(rates.reserve(tx, now, limits) == 0 for _ in range(places))

    def _keep(self, tx: Tx, now: datetime, task_id: str, key: str, message: Message, *, booked: bool = False) -> None:
        sheet = self._looks.sheet(message)
        calls = posts(key, task_id, sheet.texts, sheet.card)
        cards.add(tx, now, task_id, key, calls, message.text, sheet.card, booked=booked)

    # -- after the commit -------------------------------------------------------------------------------------

    async def open(self) -> None:
        if self._alone:
            await self._writer.run(lambda tx: cards.take_over(tx, self._clock()))
        self._task = asyncio.create_task(self._forever())

    async def close(self) -> None:
        """End what is under way; what still waits leaves after the next start."""
        self._stopping = True
        self._wake.set()
        if self._task:
            await self._task
        await self.rest()

    def wake(self) -> None:
        """An answer may wait."""
        self._wake.set()

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return bool(self._under_way)

    async def rest(self) -> None:
        """Until nothing is under way."""
        while self._under_way:
            await asyncio.gather(*self._under_way.values())

    async def _forever(self) -> None:
        while not self._stopping:
            self._wake.clear()
            try:
                wait = await self.drain()
            except Busy:
                wait = 1.0
            except Exception as error:
                log.error("answers failed", error=type(error).__name__, frames=frames(error))
                wait = POLL
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), max(wait, 0.001))

    async def drain(self) -> float:
        """Begin to send what is due; the seconds until more may be, 0 where something leaves.

        Each member's answers leave one after the other, and nobody waits for anybody else's.
        """
        busy = set(self._under_way)

        def work(tx: Tx) -> tuple[list[Kept], datetime | None]:
            now = self._clock()
            if self._purged is None or now - self._purged > PURGE:
                cards.purge(tx, now)
                self._purged = now
            going = [kept for kept in cards.claim(tx, now, WAVE, busy) if self._leaves(tx, now, kept)]
            return going, cards.next_due(tx, busy)

        async with self._one:
            going, next_due = await self._writer.run(work)
            by_key: dict[str, list[Kept]] = {}
            for kept in going:
                by_key.setdefault(kept.key, []).append(kept)
            for key, waiting in by_key.items():
                self._begin(key, waiting)
        if going:
            return 0.0
        return POLL if next_due is None else min(POLL, max((next_due - self._clock()).total_seconds(), 0.01))

    def _begin(self, key: str, waiting: Sequence[Kept]) -> None:
        before = self._under_way.get(key)

        async def work() -> None:
            if before:
                await before
            try:
                await self._send(waiting)
            except Exception as error:  # what was not written down is sent again, as it was
                log.error("answers failed", error=type(error).__name__, frames=frames(error))

        task = self._under_way[key] = asyncio.create_task(work())
        task.add_done_callback(lambda _: self._ended(key, task))

    def _ended(self, key: str, task: asyncio.Task[None]) -> None:
        if self._under_way.get(key) is task:
            del self._under_way[key]
            self._wake.set()  # more may have come for them meanwhile

    def _leaves(self, tx: Tx, now: datetime, kept: Kept) -> bool:
        """Whether there is room for it now; else it is put off until there is."""
        wait = 0.0 if kept.booked else rates.reserve(tx, now, self._channel.prompt(kept.key))
        if wait > 0:
            cards.put_off(tx, [kept.task_id], now + timedelta(seconds=wait))
            return False
        cards.leaves(tx, kept.task_id)
        return True

    async def _send(self, waiting: Sequence[Kept]) -> None:
        """One member's answers, in their order; what is put off puts off those after it."""
        for place, kept in enumerate(waiting):
            try:
                await self._channel.deliver(kept.task_id, doubt=kept.doubt)
            except Undelivered as no:
                old = self._clock() - kept.made_at > SURELY_SAME
                if no.permanent or no.unknown or old:
                    await self._give_up(kept, dead=no.dead)
                    continue
                after = AGAIN if no.retry_after is None else timedelta(seconds=no.retry_after)
                await self._put_off(waiting[place:], after)
                return

    async def _give_up(self, kept: Kept, *, dead: bool) -> None:
        def work(tx: Tx) -> None:
            cards.give_up(tx, kept.task_id)
            if dead:
                addresses.set_dead(tx, Address(CHANNEL, kept.key), dead=True)

        await self._writer.run(work)

    async def _put_off(self, waiting: Iterable[Kept], after: timedelta) -> None:
        ids = [kept.task_id for kept in waiting]
        await self._writer.run(lambda tx: cards.put_off(tx, ids, self._clock() + after))
