"""What comes in: somebody said something, pressed a button, or handed over a file."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Address:
    """Where a person can be reached: a channel (`telegram`, `web`, …) and that channel's own key for them."""

    channel: str
    key: str

    def __str__(self) -> str:
        return f"{self.channel}:{self.key}"


@dataclass(frozen=True, slots=True)
class Said:
    """Words typed into a chat. `event_id` is the channel's own and is the same when it delivers again."""

    address: Address
    event_id: str
    text: str
    language: str | None = None
    """What the channel says the reader prefers; a stranger is answered in it."""


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button. The payload is a claim by whoever pressed it, never a proof of anything."""

    address: Address
    event_id: str
    payload: str
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Handed:
    """A file handed over. Kept only if somebody asked for one.

    `text` are words that came with it (a caption). `lost`: why it is not here, `too_large` or `not_fetched`;
    then `content` is empty.
    """

    address: Address
    event_id: str
    filename: str
    content: bytes
    language: str | None = None
    text: str = ""
    lost: str = ""


Event = Said | Pressed | Handed
