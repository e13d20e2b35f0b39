"""telegram_errors: what is to be done about a refusal or a silence of Telegram's?"""

from __future__ import annotations

import re
from datetime import timedelta

import structlog
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

from bot.adapters.telegram_request import NotSent
from bot.core.reply import Undelivered

log = structlog.get_logger()

STOPPED = 60.0
"""Seconds the channel rests when Telegram refuses the bot itself (a wrong token, a second poller)."""
UNREACHABLE = 5.0
"""Seconds it rests when Telegram cannot be reached. No message is given up for that, however long it takes."""

MARGIN = 0.1
"""Seconds that are added to those Telegram asks for: an instant too early, and it asks for them again."""

# As of November 2026, without the “Bad Request: ” before them.
NOTHING_TO_DO = ("not modified", "query is too old", "message to edit not found", "message can't be edited")
NOBODY_THERE = ("chat not found", "user not found", "peer_id_invalid", "user is deactivated")


def is_fine(error: TelegramError) -> bool:
    """Refusals that mean there is nothing left to do."""
    return isinstance(error, BadRequest) and _says(error, NOTHING_TO_DO)


def judged(error: TelegramError, *, sending: bool) -> Undelivered:
    """What to do about an error, by its exact class: BadRequest and TimedOut are NetworkErrors too.

    `sending`: of a message, which nobody wants to see twice, where an edit may be repeated.
    """
    if isinstance(error, RetryAfter):
        return Undelivered("too many requests", retry_after=seconds(error) + MARGIN)
    if isinstance(error, Forbidden):
        return Undelivered("blocked", dead=True)
    if isinstance(error, ChatMigrated):
        return Undelivered("became a supergroup", dead=True)
    if isinstance(error, InvalidToken | Conflict):
        log.error("telegram refuses the bot", error=type(error).__name__)
        return Undelivered("bot refused", retry_after=STOPPED)
    if isinstance(error, BadRequest):
        if _says(error, NOBODY_THERE):
            return Undelivered("chat not found", dead=True)
        log.error("telegram refuses a message", reason=reason(error))
        return Undelivered("refused", permanent=True)
    if isinstance(error, NotSent):
        return Undelivered("no connection", retry_after=UNREACHABLE)
    # It may have been sent, and the Bot API knows no idempotency key.
    return Undelivered("no answer" if isinstance(error, NetworkError) else "error", unknown=sending)


def seconds(error: RetryAfter) -> float:
    """How long Telegram asks us to wait."""
    after = error.retry_after
    return after.total_seconds() if isinstance(after, timedelta) else float(after)


def reason(error: TelegramError) -> str:
    """Telegram's words, up to where it begins to quote us."""
    return re.split(r"[\"'“`<]|https?:", error.message)[0][:80].strip()


def _says(error: TelegramError, words: tuple[str, ...]) -> bool:
    text = error.message.lower()
    return any(word in text for word in words)
