"""telegram_channel: how does a message get to Telegram, and what does Telegram's answer mean?"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from telegram import Bot, BotCommand, BotCommandScopeAllPrivateChats
from telegram.error import RetryAfter, TelegramError

from bot.adapters.telegram import WANTED, Call, edit, sends
from bot.adapters.telegram_errors import is_fine, judged, seconds
from bot.adapters.telegram_request import AiohttpRequest
from bot.core.reply import Parcel, Undelivered
from bot.logs import frames
from storage.house import Tx
from storage.rates import Limit

log = structlog.get_logger()

ASIDES = 500
"""Courtesies kept in memory at most; the oldest give way to new ones."""
TOGETHER = 8
"""Courtesies under way at once, no two of them to one chat."""
COUNTED = ("sendMessage", "editMessageText")
"""What counts against Telegram's limits."""
BUDGET = "tg:global"
"""Under which name the bot's own budget is kept, with the pause that Telegram has asked for."""
CHAT_BURST = 4
"""Messages and edits that one chat may get at once before it waits. Telegram says “short bursts”; this is short."""
ROOM = 0.2
"""Seconds that notices step back for those who are talking to us now."""
PATIENCE = 60.0
"""Seconds that a courtesy waits when Telegram asks for it; after that nobody looks at that message any more."""
BETWEEN_PARTS = 20.0
"""Seconds that the rest of a message that has begun waits; a third of the time for which the outbox holds it."""
DOWNLOAD = 20.0
"""Seconds for fetching a file."""
GRACE = 2.0
"""Seconds for the courtesies when we stop."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What Telegram lets through, per second (groups are never written to). Configuration, with its date there."""

    overall: float = 25
    """Notices. What lies between this and the ceiling is for those who are talking to us now."""
    burst: int = 5
    chat: float = 1
    ceiling: int = 30
    """The bot's whole budget, Telegram's own figure as of November 2026."""


class TelegramChannel:
    """Telegram as the outbox sees it, and the bot's own affairs: webhook, commands, courtesies after a tap.

    `sleep` and `clock` count seconds; tests hand in their own.
    """

    name = "telegram"
    repeatable = False

    def __init__(
        self,
        token: str,
        api_base: str,
        pace: Pace = Pace(),
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pace, self._sleep, self._clock = pace, sleep, clock
        self._request = AiohttpRequest()
        self.bot = Bot(
            token,
            base_url=f"{api_base}/bot",
            base_file_url=f"{api_base}/file/bot",
            request=self._request,
            get_updates_request=self._request,
        )
        self._recent: list[float] = []
        self._chats: dict[int, float] = {}
        self._asides: dict[tuple[Any, ...], Call] = {}
        self._held: dict[Any, float] = {}
        self._some, self._none = asyncio.Event(), asyncio.Event()
        self._none.set()
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Open the connections; says nothing to Telegram yet."""
        await self._request.initialize()
        self._task = asyncio.create_task(self._courtesies())

    async def close(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._none.wait(), GRACE)
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._request.shutdown()

    # -- as the outbox sees it ----------------------------------------------------------------------------

    def limits(self, key: str) -> Mapping[str, Limit]:
        return {
            BUDGET: Limit(self._pace.overall, self._pace.burst),
            f"tg:chat:{key}": Limit(self._pace.chat),
        }

    def admit(self, _tx: Tx, _now: datetime, parcel: Parcel) -> Parcel:
        """Everything, at any time: whoever has blocked the bot is found out by asking."""
        return parcel

    async def send(self, parcel: Parcel) -> str:
        """Send; the id of the message that carries the buttons. Raises Undelivered."""
        if self.is_full():
            raise Undelivered("others first", retry_after=ROOM)
        ref = ""
        for place, call in enumerate(sends(int(parcel.key), parcel.message)):
            result = await self._part(call, begun=place > 0)
            ref = str(result["message_id"]) if isinstance(result, dict) else ""
        return ref

    async def _part(self, call: Call, *, begun: bool) -> Any:
        """A part of a message. Once one has been sent, the message is never sent again as a whole."""
        waited = 0.0
        while True:
            try:
                return await self._do(call)
            except TelegramError as error:
                no = judged(error, sending=True)
            if not begun:
                raise no
            if no.retry_after is None or (waited := waited + max(no.retry_after, 1)) > BETWEEN_PARTS:
                raise Undelivered(f"in part: {no.reason}", unknown=True)
            await self._sleep(no.retry_after)

    async def revise(self, parcel: Parcel, ref: str) -> None:
        """Change a message. That it already looks like this is success. Raises Undelivered."""
        await self.perform(edit(int(parcel.key), int(ref), parcel.message))

    # -- courtesies ---------------------------------------------------------------------------------------

    def aside(self, calls: Sequence[Call], after: float = 0) -> None:
        """Make these calls soon, from memory, best effort: nothing depends on them but a prettier screen.

        `after`: the seconds for which Telegram wants their chats to be left alone.
        """
        for call in calls if after <= PATIENCE else ():
            if after:
                self._held[call.values.get("chat_id")] = self._clock() + after
            what = _what(call)
            self._asides.pop(what, None)  # only the newest look of a message counts
            self._asides[what] = call
        while len(self._asides) > ASIDES:
            del self._asides[next(iter(self._asides))]
        if self._asides:
            self._none.clear()
            self._some.set()

    @property
    def at_rest(self) -> bool:
        """Whether there is no courtesy left to do."""
        return self._none.is_set()

    def is_full(self, chat: int | None = None) -> bool:
        """Whether one message or edit more might be too many: for the bot as a whole, or for a chat."""
        return self._room() <= 0 or chat in self._crowded()

    def _room(self) -> int:
        """How many messages and edits the bot may still make within this second; one place is kept free."""
        now = self._clock()
        self._recent = [at for at in self._recent if at > now - 1]
        return self._pace.ceiling - 1 - len(self._recent)

    def _crowded(self) -> set[int]:
        """The chats that have had their burst. `_chats` is when each would be empty again (as `storage.rates`)."""
        now, interval = self._clock(), 1 / self._pace.chat
        self._chats = {chat: empty for chat, empty in self._chats.items() if empty > now}
        return {chat for chat, empty in self._chats.items() if empty - (CHAT_BURST - 1) * interval > now}

    def may_ride(self, call: Call) -> bool:
        """Whether a call may go in the answer to an update: now, and not before what its chat still waits for."""
        chat = call.values.get("chat_id")
        if chat is None:  # a toast
            return True
        return not self.is_full(chat) and not any(what[:2] == ("sendMessage", chat) for what in self._asides)

    def count(self, call: Call) -> None:
        """Remember that a message or an edit went out, be it in the answer to an update. All else is free."""
        if call.method in COUNTED:
            now, chat = self._clock(), call.values["chat_id"]
            self._recent.append(now)
            self._chats[chat] = max(self._chats.get(chat, now), now) + 1 / self._pace.chat
            self._asides.pop(_what(call), None)  # an older look of the same message, which must not come after it

    async def _courtesies(self) -> None:
        """A few at a time, within the bot's own budget; a refusal is nobody's loss."""
        while True:
            if not self._asides:
                self._none.set()
                self._some.clear()
                await self._some.wait()
            if going := self._going():
                calls = [(what, self._asides.pop(what)) for what in going]
                await asyncio.gather(*(self._courtesy(what, call) for what, call in calls))
            else:
                await self._sleep(0.1)

    def _going(self) -> list[tuple[Any, ...]]:
        """Those that may leave now: toasts at once, since they are seen for some seconds only; one for each chat."""
        if toasts := [what for what in self._asides if what[1] is None][:TOGETHER]:
            return toasts
        now = self._clock()
        self._held = {chat: until for chat, until in self._held.items() if until > now}
        if None in self._held or (room := self._room()) <= 0:
            return []
        waiting = {*self._held, *self._crowded()}
        first = {what[1]: what for what in reversed(self._asides) if what[1] not in waiting}
        return list(reversed(first.values()))[: min(TOGETHER, room)]

    async def _courtesy(self, what: tuple[Any, ...], call: Call) -> None:
        try:
            await self._do(call)
        except RetryAfter as error:
            wait = seconds(error)
            if wait <= PATIENCE:
                # One chat is flooded, or the bot is: when a second chat is told the same, nobody is asked more.
                everybody = any(chat != what[1] for chat in self._held)
                self._held[None if everybody else what[1]] = self._clock() + wait
                self._asides = {what: call, **self._asides}  # before what followed it; a newer look of it stays
        except TelegramError as error:
            if not is_fine(error):
                log.info("courtesy refused", method=call.method, error=type(error).__name__)
        except Exception as error:  # one that cannot be made must not end the others
            log.error("courtesy failed", method=call.method, error=type(error).__name__, frames=frames(error))

    # -- the bot's own affairs ----------------------------------------------------------------------------

    async def register(self, url: str, secret: str) -> None:
        """Have updates brought to this address. Raises TelegramError."""
        await self.bot.set_webhook(url, secret_token=secret, allowed_updates=WANTED, max_connections=40)

    async def unregister(self) -> None:
        """Have updates fetched instead; what waits is kept. Raises TelegramError."""
        await self.bot.delete_webhook()

    async def publish(self, commands: Mapping[str, Sequence[tuple[str, str]]]) -> None:
        """The menu of commands, by language; the Chinese one is everybody's who has none of their own.

        Raises TelegramError.
        """
        for language, listed in commands.items():
            menu = [BotCommand(name, line[:256]) for name, line in listed][:100]
            code = None if language == "zh" else language
            await self.bot.set_my_commands(menu, scope=BotCommandScopeAllPrivateChats(), language_code=code)

    async def fetch(self, offset: int, wait: int = 50) -> list[dict[str, Any]]:
        """Updates from `offset` on, after at most `wait` seconds; asking acknowledges all before it.

        Raises Undelivered.
        """
        values = {"offset": offset, "timeout": wait, "limit": 100, "allowed_updates": list(WANTED)}
        try:
            updates = await self._do(Call("getUpdates", values), read_timeout=wait + 10)
        except TelegramError as error:
            raise judged(error, sending=False) from None
        return list(updates)

    async def download(self, file_id: str, most: int) -> bytes | None:
        """What is in a file that somebody sent; None: it is larger than `most` bytes. Raises Undelivered."""
        try:
            found = await self._do(Call("getFile", {"file_id": file_id}))
            if int(found.get("file_size") or 0) > most:
                return None
            url = f"{self.bot.base_file_url}/{found['file_path']}"
            content = await self._request.retrieve(url, read_timeout=DOWNLOAD)
        except TelegramError as error:
            raise judged(error, sending=False) from None
        return content if len(content) <= most else None

    async def perform(self, call: Call) -> None:
        """Make one call now. Raises Undelivered, unless there is nothing left to do."""
        try:
            await self._do(call)
        except TelegramError as error:
            if not is_fine(error):
                raise judged(error, sending=call.method == "sendMessage") from None

    async def _do(self, call: Call, *, read_timeout: float = 5.0) -> Any:
        self.count(call)
        # Telegram reads a method's name in any case. In small letters it is none of the library's own functions,
        # which build an object of every answer: nobody here looks at more than an id.
        return await self.bot.do_api_request(
            call.method.lower(), api_kwargs=dict(call.values), read_timeout=read_timeout
        )


def _what(call: Call) -> tuple[Any, ...]:
    """What a call changes: method, chat, and the message or tap; of two with the same the newer counts."""
    which = call.values.get("message_id") or call.values.get("callback_query_id") or object()
    return call.method, call.values.get("chat_id"), which
