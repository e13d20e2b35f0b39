"""telegram_channel: how does a message get to Telegram, and what does Telegram's answer mean?"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from telegram import Bot, BotCommand, BotCommandScopeAllPrivateChats, WebhookInfo
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)

from bot.adapters.telegram import WANTED, Call, edit, sends
from bot.adapters.telegram_request import AiohttpRequest, NotSent
from bot.core.reply import Message, Undelivered
from storage.rates import Limit

log = structlog.get_logger()

STOPPED = 60.0
"""Seconds the channel rests when Telegram refuses the bot itself (a wrong token, a second poller)."""
ASIDES = 500
"""Edits kept in memory at most; they are a courtesy and give way to new ones."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What Telegram lets through, per second (groups are never written to). Configuration, with its date there."""

    overall: float = 25
    burst: int = 5
    chat: float = 1


class TelegramChannel:
    """Telegram as the outbox sees it, and the bot's own affairs: webhook, commands, courtesies after a tap."""

    name = "telegram"
    repeatable = False

    def __init__(self, token: str, api_base: str, pace: Pace = Pace()) -> None:
        self._pace = pace
        self._requests = AiohttpRequest(connections=1, read_timeout=60), AiohttpRequest()
        fetching, calling = self._requests
        self.bot = Bot(
            token,
            base_url=f"{api_base}/bot",
            base_file_url=f"{api_base}/file/bot",
            request=calling,
            get_updates_request=fetching,
        )
        self._asides: OrderedDict[tuple[Any, ...], Call] = OrderedDict()
        self._aside = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Open the connections; says nothing to Telegram yet."""
        for request in self._requests:
            await request.initialize()
        self._task = asyncio.create_task(self._courtesies())

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for request in self._requests:
            await request.shutdown()

    # -- as the outbox sees it ----------------------------------------------------------------------------

    def limits(self, key: str) -> Mapping[str, Limit]:
        return {
            "tg:global": Limit(self._pace.overall, self._pace.burst),
            f"tg:chat:{key}": Limit(self._pace.chat),
        }

    async def send(self, key: str, _delivery_id: int, message: Message) -> str:
        """Send; the id of the message that carries the buttons. Raises Undelivered."""
        ref = ""
        for call in sends(int(key), message):
            try:
                ref = str((await self._do(call))["message_id"])
            except TelegramError as error:
                raise judged(error, sending=True) from None
        return ref

    async def revise(self, key: str, ref: str, message: Message) -> None:
        """Change a message. That it already looks like this is success. Raises Undelivered."""
        try:
            await self._do(edit(int(key), int(ref), message))
        except TelegramError as error:
            if not is_fine(error):
                raise judged(error, sending=False) from None

    # -- courtesies ---------------------------------------------------------------------------------------

    def aside(self, calls: Sequence[Call]) -> None:
        """Make these calls soon, from memory, best effort: nothing depends on them but a prettier screen."""
        for call in calls:
            what = call.values.get("message_id") or call.values.get("callback_query_id") or id(call)
            self._asides.pop((call.method, call.values.get("chat_id"), what), None)
            self._asides[(call.method, call.values.get("chat_id"), what)] = call
        while len(self._asides) > ASIDES:
            self._asides.popitem(last=False)
        self._aside.set()

    async def _courtesies(self) -> None:
        """One after the other, within the bot's own budget; a refusal is nobody's loss."""
        while True:
            await self._aside.wait()
            self._aside.clear()
            while self._asides:
                _, call = self._asides.popitem(last=False)
                try:
                    await self._do(call)
                except RetryAfter as error:
                    await asyncio.sleep(_seconds(error))
                except TelegramError as error:
                    if not is_fine(error):
                        log.info("courtesy refused", method=call.method, error=type(error).__name__)
                if call.method != "answerCallbackQuery":  # which has no limit
                    await asyncio.sleep(1 / self._pace.overall)

    # -- the bot's own affairs ----------------------------------------------------------------------------

    async def register(self, url: str, secret: str) -> None:
        """Have updates brought to this address. Raises TelegramError."""
        await self.bot.set_webhook(url, secret_token=secret, allowed_updates=WANTED, max_connections=40)

    async def unregister(self) -> None:
        """Have updates fetched instead; what waits is kept."""
        await self.bot.delete_webhook()

    async def publish(self, commands: Mapping[str, Sequence[tuple[str, str]]]) -> None:
        """The menu of commands, by language; the Chinese one is everybody's who has none of their own."""
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
            updates = await self.bot.do_api_request("getUpdates", api_kwargs=values, read_timeout=wait + 10)
        except TelegramError as error:
            raise judged(error, sending=False) from None
        return list(updates)

    async def look(self) -> tuple[str, WebhookInfo]:
        """The bot's name, and what Telegram says of its webhook. Raises TelegramError."""
        me = await self.bot.get_me()
        return me.username or "", await self.bot.get_webhook_info()

    async def perform(self, call: Call) -> None:
        """Make one call now (where there is no answer for it to ride in). Raises Undelivered."""
        try:
            await self._do(call)
        except TelegramError as error:
            if not is_fine(error):
                raise judged(error, sending=call.method == "sendMessage") from None

    async def _do(self, call: Call) -> Any:
        return await self.bot.do_api_request(call.method, api_kwargs=dict(call.values))


def is_fine(error: TelegramError) -> bool:
    """Refusals that mean there is nothing left to do."""
    text = error.message.lower()
    return isinstance(error, BadRequest) and ("not modified" in text or "query is too old" in text)


def judged(error: TelegramError, *, sending: bool) -> Undelivered:
    """What to do about an error, by its exact class: BadRequest and TimedOut are NetworkErrors too."""
    if isinstance(error, RetryAfter):
        return Undelivered("too many requests", retry_after=_seconds(error))
    if isinstance(error, Forbidden):
        return Undelivered("blocked", dead=True)
    if isinstance(error, ChatMigrated):
        return Undelivered("became a supergroup", dead=True)
    if isinstance(error, InvalidToken | Conflict):
        log.error("telegram refuses the bot", error=type(error).__name__)
        return Undelivered("bot refused", retry_after=STOPPED)
    if isinstance(error, BadRequest):
        if "chat not found" in error.message.lower():
            return Undelivered("chat not found", dead=True)
        log.error("telegram refuses a message", reason=error.message[:80])
        return Undelivered("refused", permanent=True)
    if isinstance(error, NotSent):
        return Undelivered("no connection")
    if isinstance(error, NetworkError):  # it may have been sent, and the Bot API knows no idempotency key
        return Undelivered("no answer", unknown=sending)
    return Undelivered("error")


def _seconds(error: RetryAfter) -> float:
    after = error.retry_after
    return float(after if isinstance(after, int | float) else after.total_seconds())
