"""Which traps do Telegram and python-telegram-bot set that show only on a bad day, and do we step into none?"""

from __future__ import annotations

from datetime import timedelta

import pytest
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from bot.adapters.telegram_errors import MARGIN, STOPPED, UNREACHABLE, is_fine, judged
from bot.adapters.telegram_request import AiohttpRequest, NotSent
from bot.core.reply import Undelivered
from bot.server import KEEP_ALIVE

DEAD = Undelivered("", dead=True)
ANSWERS = [
    (Forbidden("Forbidden: bot was blocked by the user"), DEAD),
    (Forbidden("Forbidden: user is deactivated"), DEAD),
    (Forbidden("Forbidden: bot can't initiate conversation with a user"), DEAD),
    (BadRequest("Chat not found"), DEAD),
    (ChatMigrated(-1001), DEAD),
    (BadRequest("Message is too long"), Undelivered("", permanent=True)),
    (BadRequest("Can't parse entities: unsupported start tag"), Undelivered("", permanent=True)),
    (BadRequest("Button_data_invalid"), Undelivered("", permanent=True)),
    (RetryAfter(timedelta(seconds=7)), Undelivered("", retry_after=7 + MARGIN)),
    (RetryAfter(10_072), Undelivered("", retry_after=10_072 + MARGIN)),
    (InvalidToken("Not Found"), Undelivered("", retry_after=STOPPED)),
    (InvalidToken("Unauthorized"), Undelivered("", retry_after=STOPPED)),
    (Conflict("terminated by other getUpdates request"), Undelivered("", retry_after=STOPPED)),
    (NotSent("No connection"), Undelivered("", retry_after=UNREACHABLE)),
    (TimedOut(), Undelivered("", unknown=True)),
    (NetworkError("Bad Gateway"), Undelivered("", unknown=True)),
    (TelegramError("something new"), Undelivered("", unknown=True)),
]
IDS = [f"{type(error).__name__}: {str(error)[:24]}" for error, _ in ANSWERS]


def what(no: Undelivered) -> tuple[object, ...]:
    return no.permanent, no.dead, no.retry_after, no.unknown


@pytest.mark.parametrize(("error", "wanted"), ANSWERS, ids=IDS)
def test_each_refusal_of_a_message_has_its_own_consequence(error: TelegramError, wanted: Undelivered) -> None:
    assert what(judged(error, sending=True)) == what(wanted)


@pytest.mark.parametrize("error", [TimedOut(), NetworkError("Bad Gateway")])
def test_a_change_of_a_message_may_be_repeated_where_a_message_may_not(error: TelegramError) -> None:
    assert not judged(error, sending=False).unknown
    assert judged(error, sending=True).unknown


def test_who_repeats_every_network_error_repeats_what_will_never_be_taken() -> None:
    """python-telegram-bot calls a refusal for ever a NetworkError."""
    never = BadRequest("Message is too long")
    assert isinstance(never, NetworkError)
    assert isinstance(TimedOut(), NetworkError)
    assert judged(never, sending=True).permanent


@pytest.mark.parametrize("said", ["Message is not modified", "Query is too old and response timeout expired"])
def test_what_is_done_already_is_success(said: str) -> None:
    assert is_fine(BadRequest(said))
    assert not is_fine(BadRequest("Message is too long"))


def test_telegram_keeps_an_idle_connection_for_a_minute_and_we_longer_both_ways() -> None:
    """Closed by us in the moment in which Telegram uses it, it would cost the member's tap two seconds."""
    assert KEEP_ALIVE > 60
    assert AiohttpRequest()._keepalive >= 60
