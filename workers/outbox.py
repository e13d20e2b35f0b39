"""The outbox: deliver what is due, once, as fast as each channel allows."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from bot.core.event import Address
from bot.core.reply import Message, Parcel, Undelivered
from bot.logs import frames
from storage import addresses, campaigns, deliveries, rates, standby
from storage.campaigns import Telling
from storage.database import Database
from storage.deliveries import Due, Outcome
from storage.house import Tx
from storage.rates import Limit
from storage.writer import Busy, Writer

log = structlog.get_logger()

LEASE = timedelta(seconds=60)
WAVE = 100
"""Deliveries claimed and sent together: all that a crash can leave in doubt on one channel."""
POLL = 1.0
"""Seconds after which an idle drain looks again by itself; it is woken when something is known to wait."""
GATHER = 0.05
"""Seconds from a wake to the look: under a stream of votes one look does for all that wake it meanwhile."""
MAYBE = "it may have arrived"
"""What a channel says that was asked for a delivery again and cannot know: nobody else's turn comes for that."""
ATTEMPTS = 8
"""Tries of a delivery before it has failed: the waits are 5, 10, 20 … seconds, ten minutes at the most."""


class Channel(Protocol):
    """What the outbox needs to know of a channel. `send` and `revise` raise Undelivered."""

    @property
    def name(self) -> str: ...

    @property
    def repeatable(self) -> bool:
        """Whether the same delivery sent twice is seen once: then a crash leaves nothing `unknown`."""

    def limits(self, key: str) -> Mapping[str, Limit]:
        """The rates a message to this key counts against, by name; the channel's own budget is the first."""

    def admit(self, tx: Tx, now: datetime, parcel: Parcel) -> Parcel | str:
        """In the transaction that marks a delivery `sending`: the parcel as this channel will carry it now, or in a
        few English words why nothing can be sent there now, which makes it `skipped` and no failure."""

    async def send(self, parcel: Parcel) -> str:
        """Send; the channel's own id of the message (at most 60 characters), by which it can be revised."""

    async def revise(self, parcel: Parcel, ref: str) -> None:
        """Change a message that was sent."""


Compose = Callable[[Tx, datetime, Telling, int], Message | None]
Fit = Callable[[Tx, datetime, Message, Address, int], Message]
"""The message as it may go to an address of a person: what may not stands behind a link."""


@dataclass(frozen=True, slots=True)
class _Letter:
    due: Due
    parcel: Parcel | None
    """None: it need not be said any more."""
    quiet: bool = False
    """Nobody is to be woken by it."""


@dataclass(frozen=True, slots=True)
class _Result:
    """What a sending led to: for the delivery, for its address (`dead`), for the whole channel (`pause`)."""

    outcome: Outcome
    due: Due
    dead: bool = False
    pause: datetime | None = None


class Outbox:
    """Drains every channel by its own task, so that a slow or dead one delays no other."""

    def __init__(
        self,
        database: Database,
        writer: Writer,
        compose: Compose,
        fit: Fit,
        channels: Iterable[Channel],
        clock: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database, self._writer, self._compose, self._fit = database, writer, compose, fit
        self._clock, self._sleep = clock, sleep
        self._channels = {channel.name: channel for channel in channels}
        self._owner = secrets.token_hex(8)
        self._wakes = {name: asyncio.Event() for name in self._channels}
        self._expand = asyncio.Event()
        self._stopping = False
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Settle what the last run left in doubt, then begin."""
        repeatable = [c.name for c in self._channels.values() if c.repeatable]
        if self._database.sqlite:  # nobody else writes here: whatever holds a lease is dead
            await self._writer.run(lambda tx: deliveries.take_over(tx, self._clock(), repeatable))
        self._tasks = [asyncio.create_task(self._forever(self._expand, self.expand, "expand"))]
        for name, channel in self._channels.items():
            drain = self._forever(self._wakes[name], lambda c=channel: self.drain(c), name)  # type: ignore[misc]  # bound at once
            self._tasks.append(asyncio.create_task(drain))

    async def stop(self) -> None:
        """Finish what is on its way, begin nothing more."""
        self._stopping = True
        self.wake()
        await asyncio.gather(*self._tasks)

    def wake(self) -> None:
        """Something may be due now."""
        self._expand.set()
        for wake in self._wakes.values():
            wake.set()

    async def _forever(self, wake: asyncio.Event, work: Callable[[], object], name: str) -> None:
        while not self._stopping:
            wake.clear()
            try:
                did = await work()  # type: ignore[misc]  # both drains are coroutine functions
            except Busy:
                did = 0
            except Exception as error:
                log.error("outbox failed", part=name, error=type(error).__name__, frames=frames(error))
                did = 0
            if did:
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), POLL)
                await asyncio.sleep(GATHER)

    async def expand(self) -> int:
        """Write the deliveries of one batch of recipients; how many recipients it covered."""
        repeatable = [c.name for c in self._channels.values() if c.repeatable]

        def work(tx: Tx) -> int:
            deliveries.recover(tx, self._clock(), repeatable)
            return campaigns.expand(tx, self._clock())

        covered = await self._writer.run(work)
        if covered:
            for wake in self._wakes.values():
                wake.set()
        return covered

    async def drain(self, channel: Channel, most: int = WAVE) -> int:
        """Deliver one wave on a channel; how many deliveries were settled or put off."""
        now = self._clock()
        due = await self._writer.run(lambda tx: deliveries.claim(tx, now, self._owner, channel.name, most, LEASE))
        if not due:
            return 0
        letters = await asyncio.to_thread(self._write, due)
        await self._drop([letter.due for letter in letters if letter.parcel is None])
        waiting = await self._by_day([letter for letter in letters if letter.parcel is not None])
        started = self._clock()
        while waiting and not self._stopping and self._clock() - started < LEASE / 2:
            going, waiting, wait = await self._begin(channel, waiting)
            await self._settle(channel, await asyncio.gather(*(self._send(channel, letter) for letter in going)))
            if waiting:
                await self._sleep(min(max(wait, 0.01), 5))
        if waiting:
            ids = [letter.due.id for letter in waiting]
            await self._writer.run(lambda tx: deliveries.let_go(tx, self._owner, ids))
        return len(due)

    def _write(self, due: Sequence[Due]) -> list[_Letter]:
        """The words of each, in its reader's language, as things stand now."""
        tellings: dict[int, Telling] = {}
        with self._database.read() as tx:
            letters = []
            for one in due:
                if one.campaign_id not in tellings:
                    tellings[one.campaign_id] = campaigns.get(tx, one.campaign_id)
                telling = tellings[one.campaign_id]
                stopped = telling.state == "cancelled" and not one.revise
                message = None if stopped else self._compose(tx, self._clock(), telling, one.person_id)
                parcel = _parcel(one, telling, message) if message else None
                letters.append(_Letter(one, parcel, quiet=bool(telling.values.get("quiet"))))
        return letters

    async def _drop(self, due: Sequence[Due]) -> None:
        """What need not be said any more is not said; a copy that cannot be improved stays as it is."""
        if not due:
            return
        skipped = [Outcome(one.id, "skipped", reason="no longer due") for one in due if not one.revise]
        kept = [one.id for one in due if one.revise]

        def work(tx: Tx) -> None:
            now, chains = self._clock(), [one.chain for one in due if one.rank and not one.revise]
            deliveries.finish(tx, now, self._owner, skipped)
            deliveries.revised(tx, self._owner, kept)
            standby.end(tx, now, chains, "no longer due")

        await self._writer.run(work)

    async def _by_day(self, letters: list[_Letter]) -> list[_Letter]:
        """Those that may leave at this hour. What is `quiet` and was held up into the night waits for morning."""
        morning = self._database.house.quiet_until(self._clock())
        held = [letter for letter in letters if morning and letter.quiet and not letter.due.revise]
        if held:
            off = [Outcome(one.due.id, "queued", reason="quiet hours", again_at=morning) for one in held]
            await self._writer.run(lambda tx: deliveries.finish(tx, self._clock(), self._owner, off))
        return [letter for letter in letters if letter not in held]

    async def _begin(
        self, channel: Channel, letters: Sequence[_Letter]
    ) -> tuple[list[_Letter], list[_Letter], float]:
        """Those that may leave now, marked `sending`; those that have to wait; how long (seconds)."""

        woken: set[str] = set()

        def work(tx: Tx) -> tuple[list[_Letter], list[_Letter], float]:
            now = self._clock()
            going, waiting, shortest = [], [], 5.0
            full: dict[str, float] = {}  # asked once: a slow channel has a hundred that wait, each time one may leave
            for letter in letters:
                limits = channel.limits(letter.due.address.key)
                wait = max((full[name] for name in limits if name in full), default=0.0)
                if not wait and limits and (wait := rates.reserve(tx, now, limits)):
                    full |= rates.full(tx, now, limits)
                if wait > 0:
                    waiting.append(letter)
                    shortest = min(shortest, wait)
                else:
                    going.append(letter)
            new = [letter.due.id for letter in going if not letter.due.revise]
            ours = deliveries.begin(tx, now, self._owner, new) if new else set()
            going = [letter for letter in going if letter.due.revise or letter.due.id in ours]
            return self._admitted(tx, now, channel, going, woken), waiting, shortest

        begun = await self._writer.run(work)
        self._wake(woken)
        return begun

    def _admitted(
        self, tx: Tx, now: datetime, channel: Channel, letters: Sequence[_Letter], woken: set[str]
    ) -> list[_Letter]:
        """Those that the channel takes, as it carries them. The others are skipped, in its words; `woken` are the
        channels that have work instead."""
        taken, refused = [], []
        chains: list[standby.Chain] = []
        doubtful: list[standby.Chain] = []
        for letter in letters:
            assert letter.parcel is not None
            message = self._fit(tx, now, letter.parcel.message, letter.due.address, letter.due.person_id)
            parcel = replace(letter.parcel, message=message)
            admitted = parcel if letter.due.revise else channel.admit(tx, now, parcel)
            if isinstance(admitted, str):
                state = "unknown" if admitted == MAYBE else "skipped"
                refused.append(Outcome(letter.due.id, state, reason=admitted))
                if letter.due.rank:
                    (doubtful if admitted == MAYBE else chains).append(letter.due.chain)
            else:
                taken.append(_Letter(letter.due, admitted))
        if refused:
            deliveries.finish(tx, now, self._owner, refused)
            standby.wait(tx, now, doubtful)
            woken |= standby.pass_on(tx, now, chains)
        return taken

    async def _send(self, channel: Channel, letter: _Letter) -> _Result:
        """One call to the channel, and what became of it."""
        due, parcel = letter.due, letter.parcel
        assert parcel is not None
        try:
            if due.revise:
                await channel.revise(parcel, due.message or "")
                return _Result(Outcome(due.id, "revised"), due)
            ref = await channel.send(parcel)
            return _Result(Outcome(due.id, "accepted", message=ref), due)
        except Undelivered as no:
            return self._undelivered(due, no)
        except Exception as error:
            log.error(
                "sending failed",
                channel=channel.name,
                delivery=due.id,
                error=type(error).__name__,
                frames=frames(error),
            )
            # It may have left before it went wrong: where it would be seen twice, it is not sent again.
            return self._undelivered(due, Undelivered("error", unknown=not channel.repeatable))

    def _undelivered(self, due: Due, no: Undelivered) -> _Result:
        now = self._clock()
        if no.retry_after is not None:
            until = now + timedelta(seconds=no.retry_after)
            return _Result(Outcome(due.id, "queued", reason="paused", again_at=until), due, pause=until)
        if due.revise and (no.permanent or no.unknown or no.closed or due.attempts + 1 >= ATTEMPTS):
            return _Result(Outcome(due.id, "revised"), due, dead=no.dead)
        if no.again is not None and not due.revise:
            later = now + timedelta(seconds=no.again)
            return _Result(Outcome(due.id, "queued", reason=no.reason, again_at=later), due)
        if no.closed:
            return _Result(Outcome(due.id, "skipped", reason=no.reason), due)
        if no.permanent:
            return _Result(Outcome(due.id, "failed", reason=no.reason), due, dead=no.dead)
        if no.unknown:
            return _Result(Outcome(due.id, "unknown", reason=no.reason), due)
        if due.attempts + 1 >= ATTEMPTS:
            return _Result(Outcome(due.id, "failed", reason=f"gave up: {no.reason}"), due)
        again = now + timedelta(seconds=min(5 * 2**due.attempts, 600))
        return _Result(Outcome(due.id, "queued", reason=no.reason, again_at=again), due)

    async def _settle(self, channel: Channel, results: Sequence[_Result]) -> None:
        """Write everything down that became known in this wave."""
        if not results:
            return

        def work(tx: Tx) -> set[str]:
            now, outcomes = self._clock(), [result.outcome for result in results]
            deliveries.revised(tx, self._owner, [o.id for o in outcomes if o.state == "revised"])
            deliveries.finish(tx, now, self._owner, [o for o in outcomes if o.state != "revised"])
            for result in results:
                if result.dead:
                    addresses.set_dead(tx, result.due.address, dead=True)
                if result.pause and (limits := channel.limits(result.due.address.key)):
                    name, limit = next(iter(limits.items()))
                    rates.pause(tx, name, limit, result.pause)
            chained = [(result.outcome.state, result.due.chain) for result in results if result.due.rank]
            if not chained:
                return set()
            standby.wait(tx, now, [chain for state, chain in chained if state in ("accepted", "unknown")])
            return standby.pass_on(tx, now, [chain for state, chain in chained if state in ("failed", "skipped")])

        self._wake(await self._writer.run(work))

    def _wake(self, channels: Iterable[str]) -> None:
        """It is their turn."""
        for name in channels:
            if name in self._wakes:
                self._wakes[name].set()


def _parcel(due: Due, telling: Telling, message: Message) -> Parcel:
    return Parcel(
        due.id,
        due.address.key,
        message,
        due.person_id,
        thread=f"{telling.kind}-{telling.subject}",
        reminder=bool(telling.values.get("nudge")),
    )
