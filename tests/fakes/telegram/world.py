"""world: who is there, what has been said, and what is the bot told of it?"""

from __future__ import annotations

import heapq
import itertools
import random
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from tests.fakes.telegram.clock import Clock
from tests.fakes.telegram.errors import ApiError, Json, bad_request, forbidden
from tests.fakes.telegram.limits import Budgets, Limits
from tests.fakes.telegram.model import Account, Chat, Document, Dropped, Message, Tap, Update

_ON_REQUEST = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
"""Kinds a bot gets only if it asks for them by name."""


@dataclass
class Webhook:
    """Where updates are to be sent."""

    url: str
    secret: str = ""
    max_connections: int = 40


class UpdateQueue:
    """What the bot has still to be told: one queue for its webhook or its poller."""

    def __init__(self, clock: Clock, first_id: int) -> None:
        self._clock = clock
        self._ids = itertools.count(first_id)
        self._waiting: dict[int, Update] = {}
        self._ends: list[tuple[int, int]] = []
        self.allowed: frozenset[str] = frozenset()
        self.dropped: list[Dropped] = []
        self.on_new: Callable[[], None] = lambda: None

    def add(self, kind: str, queue: str, lifetime: int, body: Json) -> Update | None:
        """Queue an update; None if the bot did not ask for this kind."""
        if (kind not in self.allowed) if self.allowed else (kind in _ON_REQUEST):
            return None
        update = Update(next(self._ids), kind, queue, int(self._clock.now()) + lifetime, body)
        self._waiting[update.id] = update
        heapq.heappush(self._ends, (update.expires_at, update.id))
        self.on_new()
        return update

    def renumber(self, first_id: int) -> None:
        """Go on from another number, as after a week without updates."""
        self._ids = itertools.count(first_id)

    def waiting(self) -> list[Update]:
        """What waits, the oldest first."""
        self._expire()
        return list(self._waiting.values())

    def _expire(self) -> None:
        now = int(self._clock.now())
        while self._ends and self._ends[0][0] < now:
            update = self._waiting.get(heapq.heappop(self._ends)[1])
            if update is not None:
                self.drop(update, "expired")

    def after(self, update_id: int, limit: int) -> list[Update]:
        """The next `limit` updates with a higher id."""
        self._expire()
        return list(itertools.islice((one for one in self._waiting.values() if one.id > update_id), limit))

    def forget(self, update: Update) -> None:
        self._waiting.pop(update.id, None)

    def drop(self, update: Update, why: Literal["retry too late", "expired"]) -> None:
        """Give up on an update, for ever."""
        if self._waiting.pop(update.id, None) is not None:
            self.dropped.append(Dropped(update, self._clock.now(), why))

    def clear(self) -> None:
        self._waiting.clear()


class World:
    """All that Telegram remembers about one bot."""

    def __init__(self, clock: Clock, limits: Limits, bot: Account, rng: random.Random) -> None:
        self.clock = clock
        self.limits = limits
        self.bot = bot
        self.rng = rng
        self.budgets = Budgets(limits)
        self.updates = UpdateQueue(clock, rng.randrange(100_000_000, 900_000_000))
        self.accounts: dict[int, Account] = {}
        self.chats: dict[int, Chat] = {}
        self.taps: dict[str, Tap] = {}
        self.files: dict[str, Document] = {}
        self.commands: dict[tuple[str, str], list[Json]] = {}
        """By scope (`default`, `all_private_chats`, `chat:5` …) and language."""
        self.webhook: Webhook | None = None
        self.last_error: tuple[float, str] | None = None
        self._message_ids = itertools.count(1)
        self._serials = itertools.count(1)
        self._watchers: deque[Callable[[], None]] = deque()

    # -- what the bot may do ---------------------------------------------------------------------------------

    def chat_for_bot(self, chat_id: str) -> Chat:
        """The chat the bot writes to. Raises ApiError 400 or 403 if there is no way there."""
        if not chat_id:
            raise bad_request("chat_id is empty")
        chat = self.chats.get(int(chat_id)) if chat_id.lstrip("-").isdigit() else None
        if chat is None:
            raise bad_request("chat not found")
        if chat.migrated_to is not None:
            words = "Bad Request: group chat was upgraded to a supergroup chat"
            raise ApiError(400, words, {"migrate_to_chat_id": chat.migrated_to})
        if not chat.bot_is_in:
            raise forbidden(f"bot was kicked from the {chat.kind} chat")
        if chat.account is not None:
            if chat.account.deactivated:
                raise forbidden("user is deactivated")
            if chat.blocked:
                raise forbidden("bot was blocked by the user")
            if not chat.started:
                raise forbidden("bot can't initiate conversation with a user")
        return chat

    def spend(self, chat: Chat) -> None:
        """Count one message or edit. Raises ApiError 429."""
        self.budgets.spend(chat.id, group=chat.is_group, now=self.clock.now())

    # -- what happens ----------------------------------------------------------------------------------------

    def say(self, chat: Chat, sender: Account, text: str) -> Message:
        """Put a message into a chat."""
        message = Message(next(self._message_ids), chat.id, sender, self.clock.now(), text)
        chat.lines.append(message)
        self.changed()
        return message

    def store(self, document: Document) -> Document:
        self.files[document.file_id] = document
        return document

    def serial(self) -> int:
        """A number not given out before."""
        return next(self._serials)

    def tell_message(self, chat: Chat, message: Message, *, kind: str = "message") -> Update | None:
        return self.updates.add(kind, f"chat:{chat.id}", self.limits.message_lifetime, message.as_json(chat))

    def tell_tap(self, chat: Chat, tap: Tap, shown: Json) -> Update | None:
        body: Json = {
            "id": tap.id,
            "from": tap.account.as_json(),
            "message": shown,
            "chat_instance": str(chat.id * 7919),
            "data": tap.data,
        }
        return self.updates.add("callback_query", f"user:{tap.account.id}", self.limits.tap_lifetime, body)

    def tell_membership(self, chat: Chat, by: Account, old: str, new: str) -> Update | None:
        """The bot was blocked or unblocked, added or removed."""

        def standing(status: str) -> Json:
            body: Json = {"status": status, "user": self.bot.as_json()}
            return body | {"until_date": 0} if status == "kicked" else body

        body: Json = {
            "chat": chat.as_json(),
            "from": by.as_json(),
            "date": int(self.clock.now()),
            "old_chat_member": standing(old),
            "new_chat_member": standing(new),
        }
        return self.updates.add("my_chat_member", f"member:{chat.id}", self.limits.message_lifetime, body)

    # -- who watches -----------------------------------------------------------------------------------------

    def watch(self, look: Callable[[], None]) -> None:
        """Call `look` after every change, until `unwatch`."""
        self._watchers.append(look)

    def unwatch(self, look: Callable[[], None]) -> None:
        self._watchers.remove(look)

    def changed(self) -> None:
        for look in list(self._watchers):
            look()

    def menu(self, scopes: Iterable[str], language: str) -> list[Json]:
        """The first list of commands that fits: narrow scopes before wide, one's language before the rest."""
        for scope in scopes:
            for tongue in (language, ""):
                if found := self.commands.get((scope, tongue)):
                    return found
        return []
