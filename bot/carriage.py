"""Carriage: what may a channel carry to this person, and what does it carry instead?"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.adapters import links
from bot.core.reply import Key, Message, words
from bot.render import Renderer
from storage.house import Tx

LIGHT_ONLY = frozenset({"email"})
"""Channels that show their sender only by a mail they sent: what is not light is done on our own pages."""
PATIENT = frozenset({"email"})
"""Channels that are read when there is time: their links wait for days."""


class Carriage:
    """Fits messages to channels. What a channel cannot carry stands behind a signed link to the web chat."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    @staticmethod
    def fits(message: Message, channel: str) -> bool:
        """Whether this channel may carry the message as it is."""
        linked = any(key.path is not None for row in message.keys for key in row)
        return channel == "web" or not (linked or _too_heavy(message, channel))

    def fit(self, tx: Tx, now: datetime, message: Message, channel: str, person_id: int, language: str) -> Message:
        """The message as this channel may carry it to this person; links are made in the transaction."""
        if self.fits(message, channel):
            return message
        if _too_heavy(message, channel):
            return self._without_heavy(tx, now, message, person_id, language)
        lasting = links.DAYS if channel in PATIENT else links.SOON
        rows = tuple(tuple(_signed(tx, now, key, person_id, lasting) for key in row) for row in message.keys)
        return replace(message, keys=rows)

    def _without_heavy(self, tx: Tx, now: datetime, message: Message, person_id: int, language: str) -> Message:
        """What acts is behind one link, the whole message with it; what only shows stays."""
        page = Key(
            self._renderer.say(words("conversation.our_page"), language),
            path=links.carry(tx, now, person_id, message, links.DAYS),
        )
        rows = [tuple(key for key in row if key.payload is not None and key.light) for row in message.keys]
        return replace(message, keys=((page,), *(row for row in rows if row)))


def _too_heavy(message: Message, channel: str) -> bool:
    keys = (key for row in message.keys for key in row)
    return channel in LIGHT_ONLY and any(key.payload is not None and not key.light for key in keys)


def _signed(tx: Tx, now: datetime, key: Key, person_id: int, lasting: timedelta) -> Key:
    return key if key.path is None else replace(key, path=links.to(tx, now, person_id, key.path, lasting))
