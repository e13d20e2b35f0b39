"""people: what do the people in Telegram do, and what do they see?"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol

from tests.fakes.telegram.model import Account, Chat, Document, Message, Tap, Toast
from tests.fakes.telegram.params import Upload
from tests.fakes.telegram.world import World

_PAYLOAD = re.compile(r"[A-Za-z0-9_-]{0,64}")


class Stage(Protocol):
    """What people need of the server: its world, and time that passes around their acts."""

    world: World

    async def moment(self) -> None: ...

    async def after_act(self, wait: bool) -> None: ...

    async def until(self, true: Callable[[], bool], what: str, patience: float | None = None) -> None: ...


class Group:
    """A group with the bot in it."""

    def __init__(self, stage: Stage, room: Chat) -> None:
        self._stage = stage
        self.room = room

    @property
    def id(self) -> int:
        return self.room.id

    @property
    def chat(self) -> list[Message | Toast]:
        """What stands there now."""
        return self.room.lines

    async def removes_bot(self, by: Person, *, wait: bool = True) -> None:
        """An administrator takes the bot out."""
        await self._stage.moment()
        self.room.bot_is_in = False
        self._stage.world.tell_membership(self.room, by.account, "member", "kicked")
        await self._stage.after_act(wait)

    async def upgrades(self, by: Person, *, wait: bool = True) -> int:
        """The group becomes a supergroup; returns its new id. The old id is refused from now on."""
        await self._stage.moment()
        world, old = self._stage.world, self.room
        new = Chat(-1_000_000_000_000 + old.id, "supergroup", old.title, members=set(old.members))
        new.privacy = old.privacy
        world.chats[new.id] = self.room = new
        old.migrated_to = new.id
        note = world.say(old, by.account, "").as_json(old)
        del note["text"]
        old.lines.pop()
        note["migrate_to_chat_id"] = new.id
        world.updates.add("message", f"chat:{old.id}", world.limits.message_lifetime, note)
        await self._stage.after_act(wait)
        return new.id


class Person:
    """Somebody with a phone. Every act takes its effect before the call returns (on a virtual clock)."""

    def __init__(self, stage: Stage, account: Account, room: Chat) -> None:
        self._stage = stage
        self.account = account
        self.room = room

    # -- acts ------------------------------------------------------------------------------------------------

    async def start(self, payload: str = "", *, wait: bool = True) -> Message:
        """Press Start, perhaps by a link with a payload; undoes a block."""
        if not _PAYLOAD.fullmatch(payload):
            raise AssertionError("a start payload is 64 characters of A-Za-z0-9_- at most")
        self.room.started = True
        if self.room.blocked:
            await self.unblocks(wait=wait)
        return await self.says(f"/start {payload}".rstrip(), wait=wait)

    async def says(self, text: str, *, chat: Group | None = None, wait: bool = True) -> Message:
        """Send a text, in the private chat if none is given; the last message of it is returned.

        A client cuts what is longer than 4,096 characters into several messages.
        """
        room = self._enter(chat)
        await self._stage.moment()
        size = self._stage.world.limits.text_chars
        for begin in range(0, len(text), size):
            message = self._stage.world.say(room, self.account, text[begin : begin + size])
            if self._is_read(room, message.text):
                self._stage.world.tell_message(room, message)
        await self._stage.after_act(wait)
        return message

    async def edits(self, message: Message, text: str, *, wait: bool = True) -> None:
        """Change one's own message."""
        await self._stage.moment()
        world = self._stage.world
        room = world.chats[message.chat_id]
        message.text, message.edited_at = text, world.clock.now()
        if self._is_read(room, text):
            world.tell_message(room, message, kind="edited_message")
        await self._stage.after_act(wait)

    async def sends_file(
        self, name: str, content: bytes, *, kind: str = "application/octet-stream", wait: bool = True
    ) -> Message:
        """Send a document in the private chat."""
        room = self._enter(None)
        await self._stage.moment()
        world = self._stage.world
        message = world.say(room, self.account, "")
        message.document = world.store(Document(f"doc{world.serial()}", Upload(name, content, kind)))
        world.tell_message(room, message)
        await self._stage.after_act(wait)
        return message

    async def taps(
        self,
        button: str,
        *,
        on: Message | str | None = None,
        chat: Group | None = None,
        forged: bool = False,
        inaccessible: bool = False,
        wait: bool = True,
    ) -> Tap:
        """Press the button with this label (or data).

        on: the message, or words in it; otherwise the newest message that has such a button.
        forged: send `button` as the data though no message has it, as a client out of control can.
        inaccessible: the bot gets no more of the message than its id.
        """
        room = chat.room if chat is not None else self.room
        if isinstance(on, Message):
            room = self._stage.world.chats[on.chat_id]
        message, data = self._find(button, room, on, forged)
        await self._stage.moment()
        world = self._stage.world
        tap = Tap(str(world.rng.getrandbits(62)), self.account, room.id, message.id, data, world.clock.now())
        world.taps[tap.id] = tap
        shown = message.as_json(room)
        if inaccessible:
            shown = {"message_id": message.id, "chat": room.as_json(), "date": 0}
        world.tell_tap(room, tap, shown)
        await self._stage.after_act(wait)
        return tap

    async def blocks(self, *, wait: bool = True) -> None:
        """Block the bot: it is told once, and every message to this person is refused."""
        await self._stage.moment()
        self.room.blocked = True
        self._stage.world.tell_membership(self.room, self.account, "member", "kicked")
        await self._stage.after_act(wait)

    async def unblocks(self, *, wait: bool = True) -> None:
        await self._stage.moment()
        self.room.blocked = False
        self._stage.world.tell_membership(self.room, self.account, "kicked", "member")
        await self._stage.after_act(wait)

    async def looks_up(self, query: str, *, wait: bool = True) -> None:
        """Type `@bot query` somewhere: an update that lives for half a minute."""
        await self._stage.moment()
        world = self._stage.world
        body = {"id": str(world.serial()), "from": self.account.as_json(), "query": query, "offset": ""}
        world.updates.add("inline_query", f"inline:{self.id}", world.limits.inline_lifetime, body)
        await self._stage.after_act(wait)

    def deactivates(self) -> None:
        """Delete one's account."""
        self.account.deactivated = True

    # -- sights ----------------------------------------------------------------------------------------------

    @property
    def id(self) -> int:
        return self.account.id

    @property
    def chat(self) -> list[Message | Toast]:
        """What stands in the private chat now, after all edits; toasts where they were shown."""
        return self.room.lines

    @property
    def last(self) -> Message:
        """The newest message from the bot."""
        return next(line for line in reversed(self.chat) if isinstance(line, Message) and line.from_bot)

    @property
    def toast(self) -> str:
        """The newest toast, empty if there was none."""
        return next((line.text for line in reversed(self.chat) if isinstance(line, Toast)), "")

    @property
    def spinning(self) -> list[Tap]:
        """The taps nobody has answered."""
        taps = self._stage.world.taps.values()
        return [tap for tap in taps if tap.account is self.account and tap.answer is None]

    @property
    def menu(self) -> dict[str, str]:
        """The commands this person is offered in the private chat: name and description."""
        scopes = [f"chat:{self.id}", "all_private_chats", "default"]
        listed = self._stage.world.menu(scopes, self.account.language_code or "")
        return {one["command"]: one["description"] for one in listed}

    async def sees(self, words: str, *, patience: float | None = None) -> Message:
        """Wait until a message of the bot with these words stands in the chat, and return the newest such."""
        await self._stage.until(lambda: bool(self._showing(words)), f"“{words}” before {self.id}", patience)
        return self._showing(words)[-1]

    def _showing(self, words: str) -> list[Message]:
        lines = [line for line in self.chat if isinstance(line, Message)]
        return [line for line in lines if line.from_bot and words in line.text]

    def transcript(self, chat: Group | None = None) -> str:
        """The chat as text: `>` said by people, `<` by the bot, `[…]` its buttons, `*` a toast."""
        room = chat.room if chat is not None else self.room
        return "\n".join(_as_text(line, room) for line in room.lines)

    # -- details ---------------------------------------------------------------------------------------------

    def _enter(self, chat: Group | None) -> Chat:
        if chat is not None:
            return chat.room
        if self.room.blocked or not self.room.started:
            raise AssertionError(f"{self.id} has to press Start first: `await person.start()`")
        return self.room

    def _is_read(self, room: Chat, text: str) -> bool:
        """In a group the bot is told of commands and of its own name only."""
        mentioned = f"@{self._stage.world.bot.username}" in text
        return not (room.is_group and room.privacy) or text.startswith("/") or mentioned

    def _find(self, button: str, room: Chat, on: Message | str | None, forged: bool) -> tuple[Message, str]:
        if isinstance(on, Message):
            messages = [on]
        else:
            messages = [line for line in reversed(room.lines) if isinstance(line, Message) and line.from_bot]
            messages = [line for line in messages if on is None or on in line.text]
        for message in messages:
            key = message.button(button)
            if key is not None and key.data is not None:
                return message, key.data
            if forged:
                return message, button
        offered = [message.labels for message in messages]
        raise AssertionError(f"there is no button “{button}”, only {offered}")


def _as_text(line: Message | Toast, room: Chat) -> str:
    if isinstance(line, Toast):
        return f"* {line.text}"
    text = line.text if line.document is None else f"({line.document.upload.name}) {line.text}".rstrip()
    who = "<" if line.from_bot else ">"
    if room.is_group and not line.from_bot:
        text = f"{line.sender.first_name}: {text}"
    keys = ["  " + " ".join(f"[{key.label}]" for key in row) for row in line.buttons]
    return "\n".join([f"{who} {text}", *keys])
