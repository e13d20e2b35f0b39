"""telegram: what does an update say, and what goes back in the answer to it?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from telegram import Message as Message_
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
class Sent:
    """A photo or a document that somebody sent; fetched only where it is wanted. `size` in bytes, 0: not told."""

    file_id: str
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Heard:
    """Something a person said or pressed; of a press also its id and the message it stood under.

    Of a file, `event` is its caption.
    """

    event: Said | Pressed
    tap: str | None = None
    under: int | None = None
    file: Sent | None = None


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
    """JSON that is no update; says of what kind the mistake is, never what was written."""


def read(raw: object) -> Heard | Reach | None:
    """What an update is about; None for kinds we do not read, groups among them. Raises Malformed.

    In a group nobody is answered: that somebody is a member is not a group's business.
    """
    if not isinstance(raw, dict) or type(number := raw.get("update_id")) is not int or not 0 <= number < 2**63:
        raise Malformed("no update")
    try:
        if query := raw.get("callback_query"):
            return _pressed(f"u{number}", query)
        return _heard(f"u{number}", Update.de_json(raw, None))
    except Malformed:
        raise
    except Exception as error:  # de_json fails in as many ways as an update can be malformed
        raise Malformed(type(error).__name__) from None


def _heard(event_id: str, update: Update) -> Heard | Reach | None:
    if (message := update.message) and message.from_user and message.chat.type == ChatType.PRIVATE:
        text = message.text or message.caption
        if text is None and not message.effective_attachment:
            return None  # Telegram's own notes: pinned, a new picture, messages that vanish
        address, language = _who(message.from_user.id, message.from_user.language_code)
        return Heard(Said(address, event_id, _plain(text or ""), language), file=_file(message))
    if (change := update.my_chat_member) and change.chat.type == ChatType.PRIVATE:
        address, _ = _who(change.from_user.id)
        return Reach(address, change.new_chat_member.status not in ("kicked", "left"))
    return None


def _pressed(event_id: str, query: dict[str, Any]) -> Heard | None:
    """A tap, by hand: of sender and message de_json would make a hundred fields, at thrice the price of all else."""
    message, data = query.get("message"), query.get("data")
    if data is None or (message and message["chat"]["type"] != ChatType.PRIVATE):
        return None
    address, language = _who(query["from"]["id"], query["from"].get("language_code"))
    under = message["message_id"] if message else None  # known even of a message too old to be shown
    if type(under) not in (int, type(None)):
        raise Malformed("message")
    return Heard(Pressed(address, event_id, _plain(data), language), _plain(query["id"]), under)


def _file(message: Message_) -> Sent | None:
    """The document, or the photo in its largest size; of nothing else anything can be made."""
    found = message.document or (message.photo[-1] if message.photo else None)
    if found is None:
        return None
    name = getattr(found, "file_name", None) or ""  # Telegram has no name for a photo
    size = found.file_size or 0
    if type(size) is not int:
        raise Malformed("file")
    return Sent(_plain(found.file_id), _plain(name), size)


def _who(user: object, language: object = None) -> tuple[Address, str | None]:
    """Their address and language. de_json believes whatever types it is given; past this door nobody asks."""
    if type(user) is not int or not 0 < user < 2**63:
        raise Malformed("user")
    return Address("telegram", str(user)), language if isinstance(language, str) else None


def _plain(text: object) -> str:
    """A text that every store and every channel can hold: JSON may carry halves of characters."""
    if not isinstance(text, str):
        raise Malformed("text")
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def write(heard: Heard, messages: Sequence[Message], *, late: bool = False) -> tuple[Call, list[Call]]:
    """The one call that rides in the answer to the update, and those that follow from memory, best effort.

    What must arrive rides: of a press that shows a toast, the toast; else the message. `late`: a toast may come
    too late to be seen (a tap waits up to 150 s with Telegram, its toast only about 15), so the message rides.
    """
    chat = int(heard.event.address.key)
    if heard.tap is None:
        first, *rest = (call for message in messages for call in sends(chat, message))
        return first, rest
    *others, message = messages
    before = [call for other in others for call in sends(chat, other)]
    if message.replaces and heard.under is not None:
        shown = list(_instead(chat, heard.under, message))
    else:
        shown = list(sends(chat, message))
    toast = _toast(heard.tap, message)
    if message.toast and not late:
        whole = message.replaces or message.keys or message.text != message.toast
        return toast, [*before, *shown] if whole else []
    first, *rest = [*before, *shown]
    return first, [toast, *rest]


def _toast(tap: str, message: Message) -> Call:
    """The end of the spinner, with words where there are any; a box to be closed where nothing else shows them."""
    values: dict[str, Any] = {"callback_query_id": tap}
    if message.toast:
        values |= {"text": message.toast[:TOAST], "show_alert": not message.replaces}
    return Call("answerCallbackQuery", values)


def sends(chat: int, message: Message) -> Iterator[Call]:
    """The message in as many parts as it needs; the buttons stand under the last."""
    return _posts(chat, split(message.text, TEXT), message)


def _posts(chat: int, parts: Sequence[str], message: Message) -> Iterator[Call]:
    for place, part in enumerate(parts, 1):
        last = place == len(parts) and bool(message.keys)
        keyboard = {"reply_markup": markup(message)} if last else {}
        yield Call("sendMessage", {"chat_id": chat, "text": part, **keyboard})


def _instead(chat: int, under: int, message: Message) -> Iterator[Call]:
    """A message in the place of the one that was tapped; what does not fit into one follows it."""
    first, *rest = split(message.text, TEXT)
    yield _edited(chat, under, first, {"inline_keyboard": []} if rest else markup(message))
    yield from _posts(chat, rest, message)


def edit(chat: int, under: int, message: Message) -> Call:
    """Bring a copy up to date: the part under which its buttons stand, which is the last."""
    *_, last = split(message.text, TEXT)
    return _edited(chat, under, last, markup(message))


def _edited(chat: int, under: int, text: str, keyboard: Mapping[str, Any]) -> Call:
    values = {"chat_id": chat, "message_id": under, "text": text, "reply_markup": keyboard}
    return Call("editMessageText", values)


@lru_cache(256)
def markup(message: Message) -> Mapping[str, Any]:
    """The buttons as an inline keyboard; empty where there are none (an edit then takes them away)."""
    rows = [[_button(key) for key in row] for row in message.keys]
    return {"inline_keyboard": [row for row in rows if row]}


def _button(key: Key) -> dict[str, str]:
    label = key.label if len(key.label) <= LABEL else f"{key.label[: LABEL - 1]}…"
    return {"text": label, "url": key.path} if key.path else {"text": label, "callback_data": key.payload or ""}


def split(text: str, most: int) -> list[str]:
    """Parts of at most so many characters, cut at the end of a line or else of a sentence where there is one."""
    parts, text = [], text.strip()
    while len(text) > most:
        line, sentence = text.rfind("\n", most // 2, most), text.rfind("。", most // 2, most) + 1
        cut = line if line > 0 else sentence or most
        parts.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    parts.append(text)
    return [part for part in parts if part] or ["…"]  # Telegram refuses a message without a visible character
