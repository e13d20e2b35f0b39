"""links: how does a message lead to our own pages?"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from bot.adapters import web as chat
from bot.core.reply import Message
from storage import web
from storage.house import Tx

SOON = timedelta(minutes=15)
"""How long a link from a live chat is good: whoever pressed for it is still there."""
DAYS = timedelta(days=3)
"""How long one in a message is good that may be read later. It shows nothing and does nothing by being opened."""


def to(tx: Tx, now: datetime, person_id: int, path: str = "/chat", lasting: timedelta = SOON) -> str:
    """The address of a link that signs this person in, once, and shows them a page of ours."""
    return _add(tx, now, person_id, lasting, path, None)


def carry(tx: Tx, now: datetime, person_id: int, message: Message, lasting: timedelta = DAYS) -> str:
    """The address of a link behind which exactly this message stands in the person's web chat, buttons and all."""
    return _add(tx, now, person_id, lasting, "/chat", message)


def _add(tx: Tx, now: datetime, person_id: int, lasting: timedelta, path: str, message: Message | None) -> str:
    token = secrets.token_urlsafe(24)
    web.add_link(tx, token, person_id, now + lasting, path=path, body=chat.body(message) if message else None)
    return f"{tx.house.public_url}/l/{token}"
