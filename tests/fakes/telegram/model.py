"""model: of what is a chat made? People, chats, messages, buttons, taps and updates, and their JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from tests.fakes.telegram.errors import Json
from tests.fakes.telegram.params import Params, Upload


@dataclass(frozen=True)
class Button:
    """One key under a message: either its data comes back as a tap, or it opens a page."""

    label: str
    data: str | None
    raw: Json
    """The button as it was sent, with whatever else it carries (`url`, `web_app`)."""

    @property
    def url(self) -> str | None:
        address = self.raw.get("url") or self.raw.get("web_app", {}).get("url")
        return str(address) if address else None


Keyboard = tuple[tuple[Button, ...], ...]


@dataclass(frozen=True)
class Document:
    """A file in a chat."""

    file_id: str
    upload: Upload

    def as_json(self) -> Json:
        return {
            "file_id": self.file_id,
            "file_unique_id": f"u{self.file_id}",
            "file_name": self.upload.name,
            "mime_type": self.upload.content_type,
            "file_size": len(self.upload.content),
        }


@dataclass
class Account:
    """A person, or the bot itself, as Telegram knows them."""

    id: int
    first_name: str
    language_code: str | None = None
    username: str | None = None
    is_bot: bool = False
    deactivated: bool = False

    def as_json(self) -> Json:
        body: Json = {"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name}
        if self.username:
            body["username"] = self.username
        if self.language_code:
            body["language_code"] = self.language_code
        return body


@dataclass
class Message:
    """A message as it stands now; edits change it in place."""

    id: int
    chat_id: int
    sender: Account
    date: float
    text: str
    buttons: Keyboard = ()
    document: Document | None = None
    edited_at: float | None = None

    @property
    def labels(self) -> list[str]:
        """The words on the buttons, row after row."""
        return [button.label for row in self.buttons for button in row]

    @property
    def from_bot(self) -> bool:
        return self.sender.is_bot

    def button(self, label_or_data: str) -> Button | None:
        """The button with these words on it, or else with this data."""
        keys = [button for row in self.buttons for button in row]
        for key in keys:
            if key.label == label_or_data:
                return key
        return next((key for key in keys if key.data == label_or_data), None)

    def as_json(self, chat: Chat) -> Json:
        body: Json = {
            "message_id": self.id,
            "from": self.sender.as_json(),
            "chat": chat.as_json(),
            "date": int(self.date),
        }
        if self.edited_at is not None:
            body["edit_date"] = int(self.edited_at)
        if self.document is not None:
            body["document"] = self.document.as_json()
            if self.text:
                body["caption"] = self.text
        else:
            body["text"] = self.text
            command = self.text.split(maxsplit=1)[0] if self.text.startswith("/") else ""
            if len(command) > 1:
                body["entities"] = [{"type": "bot_command", "offset": 0, "length": utf16(command)}]
        if self.buttons:
            body["reply_markup"] = {"inline_keyboard": [[key.raw for key in row] for row in self.buttons]}
        return body


@dataclass(frozen=True)
class Toast:
    """The words shown for a moment after a tap (or in a box, `alert`)."""

    text: str
    alert: bool
    at: float


@dataclass
class Tap:
    """A pressed button; the client shows a spinner until it is answered."""

    id: str
    account: Account
    chat_id: int
    message_id: int
    data: str
    at: float
    answer: Toast | None = None


@dataclass
class Chat:
    """A private chat (its id is the person's) or a group."""

    id: int
    kind: Literal["private", "group", "supergroup"]
    title: str
    account: Account | None = None
    """The person, in a private chat."""
    started: bool = False
    blocked: bool = False
    members: set[int] = field(default_factory=set)
    bot_is_in: bool = True
    privacy: bool = True
    """In a group: does the bot read commands and mentions only?"""
    migrated_to: int | None = None
    lines: list[Message | Toast] = field(default_factory=list)
    """Everything said, in order; deleted messages are gone. Toasts stand where they were shown."""

    @property
    def is_group(self) -> bool:
        return self.kind != "private"

    def message(self, message_id: int) -> Message | None:
        for line in reversed(self.lines):
            if isinstance(line, Message) and line.id == message_id:
                return line
        return None

    def as_json(self) -> Json:
        body: Json = {"id": self.id, "type": self.kind}
        if self.account is None:
            body["title"] = self.title
        else:
            body["first_name"] = self.account.first_name
            if self.account.username:
                body["username"] = self.account.username
        return body


@dataclass(frozen=True)
class Update:
    """Something the bot is told. Updates of one queue are told one after the other."""

    id: int
    kind: str
    queue: str
    expires_at: int
    body: Json

    def as_json(self) -> Json:
        return {"update_id": self.id, self.kind: self.body}


@dataclass(frozen=True)
class Attempt:
    """One try to deliver an update to the webhook."""

    update_id: int
    at: float
    status: int | None
    """The HTTP status, None if none came (refused, dropped, timed out, unreadable)."""
    note: str
    delivered: bool


@dataclass(frozen=True)
class Dropped:
    """An update nobody will hear of again."""

    update: Update
    at: float
    why: Literal["retry too late", "expired"]


@dataclass(frozen=True)
class Call:
    """One call the bot made."""

    method: str
    """In the spelling of the documentation; as it was sent if there is no such method."""
    params: Params
    at: float
    via: Literal["request", "reply"]
    """`reply`: it came in a webhook's reply, so the bot never learned the result."""
    result: object = None
    status: int = 200
    description: str = ""

    @property
    def ok(self) -> bool:
        return self.status == 200


def utf16(text: str) -> int:
    """The length of a text in UTF-16 units, in which Telegram counts offsets."""
    return len(text.encode("utf-16-le")) // 2


def rows(buttons: Sequence[Sequence[Button]]) -> Keyboard:
    """The keyboard with these rows, empty rows left out."""
    return tuple(tuple(row) for row in buttons if row)
