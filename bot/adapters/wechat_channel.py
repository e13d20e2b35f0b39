"""wechat_channel: how does a message get to somebody on WeChat, and what does WeChat's answer mean?"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

import structlog

from bot.adapters import links
from bot.adapters.beside import worded
from bot.adapters.tencent_client import ApiError, Run, SafeClient, SharedTokens, Tokens, done, stable_token
from bot.adapters.wechat import MORE, MORE_ID, choices, page, pages, shown, tap
from bot.adapters.wechat_errors import Then, Verdict, judged
from bot.adapters.wechat_ways import CHANNEL, Way, Ways
from bot.config import WeChat
from bot.core.event import Address
from bot.core.reply import Message, Parcel, Undelivered
from storage import people, receipts, rests
from storage.house import BEIJING, Tx
from storage.rates import Limit
from storage.writer import Busy, Writer

R = TypeVar("R")

log = structlog.get_logger()

THREADS = 4
"""Calls under way at once; each thread has a client of its own."""
FIELD = 20
"""Characters of a template's field; WeChat cuts off what exceeds them and tells nobody (November 2026)."""
HOURLY = 3600.0
"""Seconds between two alarms about the same thing."""

Say = Callable[[str, str, Mapping[str, object]], str]
"""Words of ours by name, in a language, with their values."""


class WeChatChannel:
    """The official account as the outbox sees it. What cannot arrive is not attempted: `admit` asks the ledger."""

    name = CHANNEL
    repeatable = False

    def __init__(
        self, settings: WeChat, writer: Writer, clock: Callable[[], datetime], say: Say, tokens: Tokens | None = None
    ) -> None:
        self._settings, self._writer, self._clock, self._say = settings, writer, clock, say
        self.ways = Ways(settings)
        self.tokens = tokens or SharedTokens(token_name(settings), self._from_thread, fetch_token(settings), clock)
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="wechat")
        self._local = threading.local()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._alarms: dict[str, datetime] = {}
        self._closed = False

    async def open(self) -> None:
        self._loop = asyncio.get_running_loop()

    async def close(self) -> None:
        self._closed = True
        await asyncio.to_thread(self._pool.shutdown)

    # -- as the outbox sees it ------------------------------------------------------------------------------

    def limits(self, key: str) -> Mapping[str, Limit]:
        return {"wechat:global": Limit(self._settings.rate, max(1, int(self._settings.rate)))}

    def admit(self, tx: Tx, now: datetime, parcel: Parcel) -> Parcel | str:
        """The parcel with the way it goes, booked; or why it cannot go now."""
        address = Address(CHANNEL, parcel.key)
        outlook = self.ways.book(tx, now, address)
        if outlook.way is None:
            return outlook.reason
        if outlook.way == "custom":
            language = self._language(tx, parcel.person)
            way = f"custom {language} {'menu' if self.ways.menus(tx, now) else 'text'}"
            message = worded(tx, address, parcel.message)
            if len(parts := self._pages(message, language, menu=way.endswith("menu"))) > 1:
                rests.keep(tx, now, address, f"d{parcel.delivery}", parts)
            return replace(parcel, message=message, way=way)
        # A template holds a title and a time. The message itself is behind it, on the reader's own page.
        url = links.carry(tx, now, parcel.person, parcel.message)
        again = receipts.failures(tx, CHANNEL, parcel.delivery)
        return replace(parcel, way=f"{outlook.way} {again} {url}")

    async def send(self, parcel: Parcel) -> str:
        """Send; WeChat's id of a template or a notice (a customer-service message has none). Raises Undelivered."""
        for _ in (*self.ways.granted, ""):  # each way once, and a menu once more as text
            try:
                ref = await self._post(parcel)
            except ApiError as error:
                verdict = judged(error.code, left=error.left)
            except Busy:
                raise Undelivered("busy", retry_after=2) from None
            else:
                await self._sent(parcel, ref)
                return ref
            if verdict.then is Then.SENT:
                return ""
            parcel = await self._otherwise(parcel, verdict)
        raise Undelivered("no way left", closed=True)

    async def _sent(self, parcel: Parcel, ref: str) -> None:
        """Remember under which id it was taken: its receipt will name that. Without it nothing is sent twice."""
        if ref:
            with contextlib.suppress(Busy):
                await self._writer.run(lambda tx: receipts.sent(tx, self._clock(), CHANNEL, ref, parcel.delivery))

    async def revise(self, parcel: Parcel, ref: str) -> None:
        """Nothing that stands in a WeChat chat can be changed."""

    # -- what an answer means -------------------------------------------------------------------------------

    async def _otherwise(self, parcel: Parcel, verdict: Verdict) -> Parcel:
        """The parcel by another way, where a refusal leaves one. Raises Undelivered."""
        address, way = Address(CHANNEL, parcel.key), _way(parcel)

        def work(tx: Tx) -> Parcel | str:
            now = self._clock()
            self.ways.learn(tx, now, address, way, verdict)
            if verdict.then is Then.NO_MENU:  # the same once more, in a simpler shape; it stays booked
                return replace(parcel, way=parcel.way.replace(" menu", " text"))
            if verdict.then in (Then.CLOSED, Then.NO_CREDIT, Then.SPENT, Then.NOT_GRANTED):
                other = self.admit(tx, now, replace(parcel, way=""))
                return other if isinstance(other, Parcel) else verdict.reason
            return verdict.reason

        try:
            found = await self._writer.run(work)
        except Busy:
            raise Undelivered("busy", retry_after=2) from None
        if isinstance(found, Parcel):
            return found
        match verdict.then:
            case Then.STOP:
                self._alarm(verdict.reason)
                raise Undelivered(verdict.reason, retry_after=verdict.rest)
            case Then.WAIT:
                raise Undelivered(verdict.reason, retry_after=verdict.rest)
            case Then.DEAD:
                raise Undelivered(verdict.reason, dead=True)
            case Then.UNKNOWN:
                raise Undelivered(verdict.reason, unknown=True)
            case Then.WRONG:
                log.error("wechat refuses a message", reason=verdict.reason, way=way)
                raise Undelivered(verdict.reason, permanent=True)
        if verdict.then is not Then.CLOSED:
            self._alarm(verdict.reason)
        raise Undelivered(verdict.reason, closed=True)

    def _alarm(self, reason: str) -> None:
        """Something that the operator has to look at: in the log, once an hour."""
        now, last = self._clock(), self._alarms.get(reason)
        if last is None or (now - last).total_seconds() >= HOURLY:
            self._alarms[reason] = now
            log.error("wechat refuses the account", reason=reason)

    # -- calls ----------------------------------------------------------------------------------------------

    async def call(self, work: Callable[[SafeClient], R]) -> R:
        """Something done with a client, in a thread of its own. Raises ApiError, and Busy."""
        if self._closed:
            raise ApiError(None)
        return await asyncio.get_running_loop().run_in_executor(self._pool, lambda: work(self._client()))

    async def download(self, media_id: str, most: int) -> bytes | None:
        """A picture that somebody sent; None: it is larger than so many bytes. Raises Undelivered."""
        try:
            return await self.call(lambda client: client.fetch(media_id, most))
        except ApiError as error:
            raise Undelivered(str(error)) from None

    def _client(self) -> SafeClient:
        """This thread's own: what it is made of promises nothing to two threads at once."""
        client: SafeClient | None = getattr(self._local, "client", None)
        if client is None:
            client = self._local.client = SafeClient(self._settings.app_id, self._settings.api_base, self.tokens)
        return client

    async def _post(self, parcel: Parcel) -> str:
        """One message, by the way that was booked. Raises ApiError."""
        way, _, rest = parcel.way.partition(" ")
        if way == "custom":
            language, shape = rest.split(" ")
            body = self._custom(parcel, language, menu=shape == "menu")
            await self.call(lambda client: done(client.post("message/custom/send", data=body)))
            return ""
        again, _, url = rest.partition(" ")
        body = {"touser": parcel.key, "data": self._fields(parcel.message, way)}
        if way == "credit":
            body |= {"template_id": self._settings.subscription_id, "page": url}
            result = await self.call(lambda client: done(client.post("message/subscribe/bizsend", data=body)))
        else:
            # Whoever sends the same id again within ten minutes has sent once.
            once = f"d{parcel.delivery}-{again}"
            body |= {"template_id": self._settings.template_id, "url": url, "client_msg_id": once}
            result = await self._twice(lambda client: done(client.post("message/template/send", data=body)))
        return str(result.get("msgid", ""))[:60]

    async def _twice(self, work: Callable[[SafeClient], R]) -> R:
        """Something that may be repeated: where no verdict came, once more."""
        try:
            return await self.call(work)
        except ApiError as error:
            if error.code is not None or not error.left:
                raise
        return await self.call(work)

    def _custom(self, parcel: Parcel, language: str, *, menu: bool) -> dict[str, Any]:
        lines = choices(parcel.message)
        if menu and lines and self._menu_fits(parcel.message, language):
            listed = [{"id": payload, "content": label} for payload, label in lines]
            head = f"{page(parcel.message)}\n\n{self._say('choose', language, {})}"
            return {
                "touser": parcel.key,
                "msgtype": "msgmenu",
                "msgmenu": {"head_content": head, "list": listed, "tail_content": ""},
            }
        text = self._pages(parcel.message, language, menu=False)[0]
        return {"touser": parcel.key, "msgtype": "text", "text": {"content": text}}

    def _menu_fits(self, message: Message, language: str) -> bool:
        parts = [page(message), self._say("choose", language, {}), *(label for _, label in choices(message))]
        return len("\n\n".join(parts).encode()) <= self._settings.text_bytes

    def _fields(self, message: Message, way: str) -> dict[str, dict[str, str]]:
        """What a template shows: of what it is about as much as fits, and when that was."""
        s = self._settings
        title, time = (
            (s.subscription_title, s.subscription_time) if way == "credit" else (s.template_title, s.template_time)
        )
        about = " ".join(message.text.strip().split("\n")[0].split())
        cut = about if len(about) <= FIELD else f"{about[: FIELD - 1]}…"
        local = self._clock().astimezone(BEIJING)
        moment = f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}"
        return {title: {"value": cut or "…"}, time: {"value": moment}}

    # -- words ----------------------------------------------------------------------------------------------

    def text(self, messages: Sequence[Message], language: Callable[[], str]) -> list[str]:
        """An answer in the parts it needs; links in it can be tapped where that is wished. `language`: for many."""
        text = shown(messages, tappable=self._settings.text_links, most=self._settings.text_bytes)
        return pages(text, self._settings.text_bytes, lambda part, parts: self._more(language(), part, parts))

    def _pages(self, message: Message, language: str, *, menu: bool) -> list[str]:
        if menu and choices(message) and self._menu_fits(message, language):
            return [""]
        text = shown([message], tappable=False, most=self._settings.text_bytes)
        return pages(
            text, self._settings.text_bytes, lambda part, parts: self._more(language, part, parts, tappable=False)
        )

    def _more(self, language: str, part: int, parts: int, *, tappable: bool = True) -> str:
        word = MORE[0] if language == "zh" else MORE[1]
        linked = tap(word, MORE_ID) if tappable and self._settings.text_links else word
        return self._say("more", language, {"part": part, "parts": parts, "word": linked})

    @staticmethod
    def _language(tx: Tx, person_id: int) -> str:
        return (people.get(tx, person_id).language if person_id else "") or tx.house.language

    # -- transactions ---------------------------------------------------------------------------------------

    def _from_thread(self, work: Callable[[Tx], R]) -> R:
        """A transaction for a thread that may wait: one writer writes, whoever asks."""
        assert self._loop is not None, "the channel is not open"
        return asyncio.run_coroutine_threadsafe(self._writer.run(work), self._loop).result()


def _way(parcel: Parcel) -> Way:
    way: Way = parcel.way.partition(" ")[0]  # type: ignore[assignment]  # `admit` wrote it
    return way


def token_name(settings: WeChat) -> str:
    """By what name the database knows this account's token."""
    return f"{CHANNEL}:{settings.app_id}"


def fetch_token(settings: WeChat) -> Callable[[bool], tuple[str, float]]:
    return stable_token(settings.app_id, settings.app_secret.get_secret_value(), settings.api_base)


def client_for(settings: WeChat, run: Run, clock: Callable[[], datetime]) -> SafeClient:
    """A client for the command line; `run` opens a transaction of its own."""
    return SafeClient(
        settings.app_id, settings.api_base, SharedTokens(token_name(settings), run, fetch_token(settings), clock)
    )
