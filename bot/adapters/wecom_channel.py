"""wecom_channel: how does a message get to a member's WeCom, once, and never faster than it is shown?

Above 30 messages a minute or 1,000 an hour for one member WeCom drops them and answers as if all were well. So a
limit of our own, kept in the store for all processes, stays below both. What has left and was not answered leaves
again as it was kept, letter by letter: WeCom compares, for four hours, and sends it once.
"""

from __future__ import annotations

import asyncio
import secrets
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

import structlog

from bot.adapters.beside import worded
from bot.adapters.tencent_client import ApiError
from bot.adapters.wecom_api import WeComApi
from bot.adapters.wecom_cards import DONE, Cards
from bot.adapters.wecom_errors import judged
from bot.core.event import Address
from bot.core.reply import Message, Parcel, Undelivered
from storage import cards, rates
from storage.database import Database
from storage.house import Tx
from storage.rates import Limit
from storage.writer import Busy, Writer

R = TypeVar("R")
Json = Mapping[str, Any]

log = structlog.get_logger()

AT_ONCE = 16
"""Calls under way at once."""
BURST = 10
"""Messages that one member may get at once; the rest of the minute's are spread over it."""
HOUR = Limit(500 / 3600, burst=400)
"""Messages that one member may get in an hour: 900 at the most, of the 1,000 that are shown."""
SAME = 4 * 3600
"""Seconds for which WeCom remembers what was sent, at the most (November 2026)."""
SURELY_SAME = timedelta(seconds=SAME) - timedelta(minutes=75)
"""How long a message in doubt is repeated: what each asks WeCom to remember is up to an hour less."""
ROOM = 20.0
"""Seconds that the second part of a message waits for its place."""
CROWDED = (timedelta(seconds=-15), timedelta(seconds=75))
"""Around every full and half hour, when everybody's clocks go off; WeCom asks to stay away from them."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What WeCom lets through (November 2026), and what we make of it: messages a minute for one member, a second
    for the application, and a second around the full and half hours."""

    member: float = 20
    overall: float = 100
    burst: int = 500
    """Together 6,500 in the first minute, of the 10,000 that an interface takes."""
    crowded: float = 2

    @property
    def at_once(self) -> int:
        return max(1, min(BURST, int(self.member / 2)))

    @property
    def steady(self) -> float:
        """Messages a second for one member: with the burst they make the minute's number, and no more."""
        return max(self.member - self.at_once, 0.5) / 60


def post(key: str, task_id: str, content: Json) -> Json:
    """A call that sends: to one member, and to be remembered. Two alike that are two differ in for how long."""
    remember = SAME - zlib.crc32(task_id.encode()) % 3600
    return {"touser": key, **content, "enable_duplicate_check": 1, "duplicate_check_interval": remember}


def posts(
    key: str, task_id: str, texts: Sequence[str], card: Json | None, titled: Callable[[str], str | None] | None = None
) -> list[Json]:
    """The calls that a sheet takes. `titled` says how a text that is not in parts looks as markdown, where it may."""
    title = titled if len(texts) == 1 else None
    calls = [post(key, f"{task_id}.{n}", _content(text, title)) for n, text in enumerate(texts)]
    if card is not None:
        content = {"msgtype": "template_card", "template_card": {**card, "task_id": task_id}}
        calls.append(post(key, task_id, content))
    return calls


def _content(text: str, titled: Callable[[str], str | None] | None) -> Json:
    if titled and (marked := titled(text)):
        return {"msgtype": "markdown", "markdown": {"content": marked}}
    return {"msgtype": "text", "text": {"content": text}}


class WeComChannel:
    """WeCom as the outbox sees it. `sleep` is that of the threads in which calls are made."""

    name = "wecom"
    repeatable = True

    def __init__(
        self, api: WeComApi, looks: Cards, database: Database, writer: Writer, clock: Callable[[], datetime],
        pace: Pace = Pace(), sleep: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        self._api, self._looks, self._database, self._writer = api, looks, database, writer
        self._clock, self._pace, self._sleep = clock, pace, sleep
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="wecom")
        self._loop: asyncio.AbstractEventLoop | None = None

    def limits(self, key: str) -> Mapping[str, Limit]:
        crowded = {"wecom:crowded": Limit(self._pace.crowded, 2)} if _is_crowded(self._clock()) else {}
        return {**self.prompt(key), **crowded}

    def prompt(self, key: str) -> Mapping[str, Limit]:
        """What an answer counts against: whoever has just written is not kept waiting by the hour."""
        return {"wecom:app": Limit(self._pace.overall, self._pace.burst), **self.member(key)}

    def member(self, key: str) -> Mapping[str, Limit]:
        """One member's own limits: of their minute, and of their hour."""
        return {f"wecom:member:{key}": Limit(self._pace.steady, self._pace.at_once), f"wecom:hour:{key}": HOUR}

    # -- deliveries -----------------------------------------------------------------------------------------

    def admit(self, tx: Tx, now: datetime, parcel: Parcel) -> Parcel | str:
        """What left before leaves as it was; else it is written now, and kept."""
        kept = cards.of_delivery(tx, parcel.delivery)
        if kept is None:
            task_id = f"d{secrets.token_hex(12)}"
            sheet = self._looks.sheet(parcel.message)
            if sheet.card is None and parcel.message.keys:
                sheet = self._looks.sheet(worded(tx, Address(self.name, parcel.key), parcel.message))
            calls = posts(parcel.key, task_id, sheet.texts, sheet.card, self._looks.titled)
            cards.add(tx, now, task_id, parcel.key, calls, parcel.message.text, sheet.card, delivery=parcel.delivery)
        else:
            task_id = kept.task_id
        cards.leaves(tx, task_id)
        return replace(parcel, way=f"{task_id}{'?' if kept and kept.doubt else ''}")

    async def send(self, parcel: Parcel) -> str:
        """Send what was admitted; our own id of it. Raises Undelivered."""
        task_id, doubt, _ = parcel.way.partition("?")
        await self.deliver(task_id, doubt=bool(doubt))
        return task_id

    async def deliver(self, task_id: str, *, doubt: bool) -> None:
        """Send what was kept. Raises Undelivered.

        `doubt`: it may have arrived before; a refusal then only says that it has (a task id is used once).
        """
        try:
            await self._in_thread(lambda: self._deliver(task_id, doubt))
        except Busy:
            raise Undelivered("busy") from None

    def _deliver(self, task_id: str, doubt: bool) -> None:
        with self._database.read() as tx:
            kept = cards.get(tx, task_id)
        if kept is None:
            raise Undelivered("kept no longer", unknown=True)
        has_card = bool(kept.posts) and "template_card" in kept.posts[-1]
        if doubt and not has_card and self._clock() - kept.made_at > SURELY_SAME:
            raise Undelivered("in doubt for too long", unknown=True)
        msgids, code = list[str](), ""
        for place, call in enumerate(kept.posts):
            if place:
                self._wait_for_room(kept.key)
            try:
                accepted = self._api.send(call)
            except ApiError as error:
                no = judged(error)
                if no.permanent and not no.dead and doubt and "template_card" in call:
                    log.info("a card in doubt had arrived", errcode=error.code)
                    continue
                if error.code is not None or not error.left:
                    self._settled(lambda tx: cards.refused(tx, task_id))
                raise no from None
            if kept.key in accepted.invalid:
                raise Undelivered("not in the company", dead=True)
            if kept.key in accepted.unlicensed:
                log.error("a member has no licence for the interface of wecom")
                raise Undelivered("no licence", permanent=True)
            msgids.append(accepted.msgid)
            code = accepted.code
        self._settled(lambda tx: cards.sent(tx, self._clock(), task_id, msgids, code))

    def _wait_for_room(self, key: str) -> None:
        """Take a place among the member's messages for a further part."""
        waited = 0.0
        while (wait := self.write(lambda tx: rates.reserve(tx, self._clock(), self.member(key)))) > 0:
            if waited > ROOM:
                raise Undelivered("in part")
            waited += min(wait, 5.0)
            self._sleep(min(wait, 5.0))

    # -- changes ---------------------------------------------------------------------------------------------

    async def revise(self, parcel: Parcel, ref: str) -> None:
        """Change the card, once: then the permission is used up, until its reader taps it. Raises Undelivered.

        What its sender has taken back is recalled, within a day.
        """
        if parcel.message.taken_back:
            await self.recall(ref)
            return
        try:
            await self._in_thread(lambda: self._revise(ref, parcel.message))
        except Busy:
            raise Undelivered("busy", retry_after=2) from None

    def _revise(self, task_id: str, message: Message) -> None:
        with self._database.read() as tx:
            kept = cards.get(tx, task_id)
        if kept is None or kept.look is None:
            raise Undelivered("cannot be changed", permanent=True)
        look = self._looks.look(message, kept.shown)
        if look is not None and look == kept.look:
            return
        code = self.write(lambda tx: cards.take_code(tx, self._clock(), task_id))
        if code is None:
            raise Undelivered("may not be changed any more", permanent=True)
        try:
            self._api.update(kept.key, code, card=look, name=DONE)
        except ApiError as error:
            log.info("a card was not changed", errcode=error.code)
            raise Undelivered("not changed", permanent=True) from None
        self._settled(lambda tx: cards.changed(tx, kept, message.text, look or {}))

    async def recall(self, ref: str) -> None:
        """Take back what was sent within the last day, in all its parts. Raises Undelivered."""

        def work() -> None:
            with self._database.read() as tx:
                msgids = cards.message_ids(tx, ref)
            if not msgids:
                raise Undelivered("kept no longer", permanent=True)
            refusals = []
            for msgid in reversed(msgids):
                try:
                    self._api.recall(msgid)
                except ApiError as error:
                    refusals.append(judged(error))
            if refusals:  # one that may pass, before one that only says that its part has gone already
                raise min(refusals, key=lambda no: no.permanent)

        await self._in_thread(work)

    async def download(self, media_id: str, most: int) -> bytes | None:
        """A picture or a file that a member sent; None: it is larger than so many bytes. Raises Undelivered."""
        try:
            return await self._in_thread(lambda: self._api.fetch(media_id, most))
        except ApiError as error:
            raise Undelivered(str(error)) from None

    # -- between threads ---------------------------------------------------------------------------------------

    async def _in_thread(self, work: Callable[[], R]) -> R:
        self._loop = asyncio.get_running_loop()
        return await self._loop.run_in_executor(self._pool, work)

    def write(self, work: Callable[[Tx], R]) -> R:
        """Write from one of the threads in which calls are made. Raises Busy."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(self._writer.run(work), self._loop).result()

    def _settled(self, work: Callable[[Tx], None]) -> None:
        """Write down what became of something. If that fails it stays in doubt, which is no harm."""
        try:
            self.write(work)
        except Busy:
            log.warning("not written down", part="wecom")


def _is_crowded(now: datetime) -> bool:
    """Whether a full or half hour is near."""
    before, after = CROWDED
    past = timedelta(minutes=now.minute % 30, seconds=now.second)
    return past < after or past - timedelta(minutes=30) >= before
