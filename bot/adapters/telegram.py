"""telegram: what does an update say, and what goes back in the answer to it?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from telegram import Update
from telegram.constants import ChatType

from bot.core.event import Address, Pressed, Said
from bot.core.reply import Key, Message

# Figures of the Bot API as of 22 November 2026.
TEXT = 4096
"""Code points in a message."""
TOAST = 200
"""Characters in the answer to a tap."""
LABEL = 60
"""Characters of a button that are worth sending; a phone shows fewer."""
WANTED = ("message", "callback_query", "my_chat_member")


@dataclass(frozen=True, slots=True)
class Heard:
    """Something a person said or pressed; of a press also its id and the message it stood under."""

    event: Said | Pressed
    tap: str | None = None
    under: int | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """Somebody blocked the bot (`alive` False) or came back."""

    address: Address
    alive: bool


@dataclass(frozen=True, slots=True)
class Call:
    """A call of the Bot API: its method and parameters."""

    method: str
    values: Mapping[str, Any]


class Malformed(ValueError):
    """JSON that is no update."""


def read(raw: object) -> Heard | Reach | None:
    """What an update is about; None for kinds we do not read, groups among them. Raises Malformed.

    In a group nobody is answered: that somebody is a member is not a group's business.
    """
    if not isinstance(raw, dict) or not isinstance(raw.get("update_id"), int):
        raise Malformed
    try:
        update = Update.de_json(raw, None)
    except Exception as error:  # de_json fails in as many ways as an update can be malformed
        raise Malformed(type(error).__name__) from None
    event_id = f"u{update.update_id}"
    if query := update.callback_query:
        if not isinstance(query.data, str):
            return None
        if query.message and query.message.chat.type != ChatType.PRIVATE:
            return None
        address = Address("telegram", str(query.from_user.id))
        pressed = Pressed(address, event_id, query.data, query.from_user.language_code)
        return Heard(pressed, query.id, query.message.message_id if query.message else None)
    if (message := update.message) and message.from_user and message.chat.type == ChatType.PRIVATE:
        address = Address("telegram", str(message.from_user.id))
        text = message.text if isinstance(message.text, str) else ""
        return Heard(Said(address, event_id, text, message.from_user.language_code))
    if (change := update.my_chat_member) and change.chat.type == ChatType.PRIVATE:
        alive = change.new_chat_member.status not in ("kicked", "left")
        return Reach(Address("telegram", str(change.from_user.id)), alive)
    return None


def write(heard: Heard, messages: Sequence[Message], *, late: bool = False) -> tuple[Call, list[Call]]:
    """The one call that rides in the answer to the update, and those that follow from memory, best effort.

    What must arrive rides: of a press that shows a toast, the toast; else the message. `late`: a toast may come
    too late to be seen (a tap waits up to 150 s with Telegram, its toast only about 15), so a message follows.
    """
    chat = int(heard.event.address.key)
    if heard.tap is None:
        first, *rest = (call for message in messages for call in sends(chat, message))
        return first, rest
    message = messages[-1]
    if message.toast:
        shown = {"callback_query_id": heard.tap, "text": message.toast[:TOAST], "show_alert": not message.replaces}
        toast = Call("answerCallbackQuery", shown)
        if message.replaces and heard.under is not None:
            return toast, [edit(chat, heard.under, message)]
        whole = message.replaces or late or message.keys or message.text != message.toast
        return toast, list(sends(chat, message)) if whole else []
    hush = Call("answerCallbackQuery", {"callback_query_id": heard.tap})
    if message.replaces and heard.under is not None:
        return edit(chat, heard.under, message), [hush]
    first, *rest = (call for message in messages for call in sends(chat, message))
    return first, [hush, *rest]


def sends(chat: int, message: Message) -> Iterator[Call]:
    """The message in as many parts as it needs; the buttons stand under the last."""
    parts = list(split(message.text, TEXT))
    for place, part in enumerate(parts, 1):
        values: dict[str, Any] = {"chat_id": chat, "text": part}
        if place == len(parts) and (keyboard := markup(message)):
            values["reply_markup"] = keyboard
        yield Call("sendMessage", values)


def edit(chat: int, under: int, message: Message) -> Call:
    """Put a message in the place of one that stands there."""
    text = next(split(message.text, TEXT))
    return Call(
        "editMessageText", {"chat_id": chat, "message_id": under, "text": text, "reply_markup": markup(message)}
    )


def markup(message: Message) -> dict[str, Any]:
    """The buttons as an inline keyboard; empty where there are none (an edit then takes them away)."""
    rows = [[_button(key) for key in row] for row in message.keys]
    return {"inline_keyboard": [row for row in rows if row]} if rows else {}


def _button(key: Key) -> dict[str, str]:
    label = key.label if len(key.label) <= LABEL else f"{key.label[: LABEL - 1]}…"
    return {"text": label, "url": key.path} if key.path else {"text": label, "callback_data": key.payload or ""}


def split(text: str, most: int) -> Iterator[str]:
    """Parts of at most so many characters, cut at a line's or a sentence's end where there is one."""
    while len(text) > most:
        cut = max(text.rfind("\n", most // 2, most), text.rfind("。", most // 2, most) + 1)
        cut = cut if cut > 0 else most
        yield text[:cut].rstrip()
        text = text[cut:].lstrip("\n")
    yield text or " "
