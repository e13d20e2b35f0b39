"""web: how does a message stand in a web chat, and how does one arrive there?"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

from bot.core.event import Address
from bot.core.reply import Message, Parcel, Undelivered
from storage import web
from storage.house import Tx
from storage.rates import Limit
from storage.web import Line
from storage.writer import Busy, Writer

R = TypeVar("R")
CHANNEL = "web"


def person_key(person_id: int) -> str:
    """The chat of somebody who is signed in."""
    return f"p{person_id}"


def person_of(key: str) -> int | None:
    """Whose chat it is; None: a guest's."""
    return int(key[1:]) if key[:1] == "p" and key[1:].isdecimal() else None


def person_address(person_id: int) -> Address:
    return Address(CHANNEL, person_key(person_id))


def body(message: Message, *, revised: bool = False) -> dict[str, Any]:
    """A message as it is kept in a chat: {text, keys: [[{label, press | path}]], revised}."""
    keys = [
        [{"label": key.label, **({"path": key.path} if key.path else {"press": key.payload})} for key in row]
        for row in message.keys
    ]
    return {"text": message.text, "keys": keys, "revised": revised}


def bring(tx: Tx, now: datetime, person_id: int, body: dict[str, Any], token: str) -> None:
    """Put into somebody's chat what stood behind their link, with its buttons."""
    event = "l" + tx.house.keys.digest("line of a link", token).hex()[:32]
    web.add_line(tx, now, person_key(person_id), event, body)


def own(text: str, event_id: str) -> dict[str, Any]:
    """The person's own words; `event` tells their browser that they have arrived."""
    return {"text": text, "keys": [], "event": event_id}


def shown(line: Line) -> dict[str, Any]:
    """A line as a browser gets it."""
    return {"id": line.id, "version": line.version, "mine": line.mine, "at": line.at.isoformat(), **line.body}


class Bells:
    """Wakes whoever is watching a chat, within this process."""

    def __init__(self) -> None:
        self._watching: dict[str, set[asyncio.Event]] = defaultdict(set)
        self.count = 0

    @contextmanager
    def watching(self, key: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever something happens in this chat."""
        bell = asyncio.Event()
        self._watching[key].add(bell)
        self.count += 1
        try:
            yield bell
        finally:
            self.count -= 1
            self._watching[key].discard(bell)
            if not self._watching[key]:
                del self._watching[key]

    def ring(self, key: str) -> None:
        for bell in self._watching.get(key, ()):
            bell.set()

    def ring_all(self) -> None:
        for key in self._watching:
            self.ring(key)


def now() -> datetime:
    """The time, where nobody gives another."""
    return datetime.now(UTC)


class WebChannel:
    """What the outbox needs to know of the web chat: a delivery is a line written into it."""

    name = CHANNEL
    buttons = True
    repeatable = True
    """A delivery writes its line once, however often it is sent."""

    def __init__(self, writer: Writer, bells: Bells, clock: Callable[[], datetime] = now) -> None:
        self._writer, self._bells, self._clock = writer, bells, clock

    def limits(self, key: str) -> Mapping[str, Limit]:
        """None: nobody but ourselves could complain."""
        return {}

    def admit(self, _tx: Tx, _now: datetime, parcel: Parcel) -> Parcel:
        """Everything, always."""
        return parcel

    async def send(self, parcel: Parcel) -> str:
        """Write the line; its id. Raises Undelivered for a guest's chat, and while the database is busy."""
        if person_of(parcel.key) is None:
            raise Undelivered("a guest's chat", permanent=True)

        def work(tx: Tx) -> int:
            return web.add_line(tx, self._clock(), parcel.key, f"d{parcel.delivery}", body(parcel.message))

        line = await self._run(work)
        self._bells.ring(parcel.key)
        return str(line)

    async def revise(self, parcel: Parcel, ref: str) -> None:
        """Change the line. One that has been purged needs no change. Raises Undelivered while busy."""

        def work(tx: Tx) -> None:
            if web.line(tx, parcel.key, int(ref)):
                web.revise_line(tx, int(ref), body(parcel.message, revised=True))

        await self._run(work)
        self._bells.ring(parcel.key)

    async def _run(self, work: Callable[[Tx], R]) -> R:
        try:
            return await self._writer.run(work)
        except Busy:
            raise Undelivered("busy", retry_after=2) from None
