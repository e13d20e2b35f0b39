"""telegram_check: does Telegram know this bot and reach us, and if not, what is to be done?"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from telegram import Bot, WebhookInfo
from telegram.error import InvalidToken, TelegramError

from bot.adapters.telegram_channel import BUDGET
from bot.adapters.telegram_errors import reason
from bot.adapters.telegram_request import AiohttpRequest
from bot.config import Telegram
from storage import rates
from storage.house import Tx
from storage.rates import Limit

FULL = 1.0
"""Seconds until there is a place again, from which on it is a pause that Telegram has asked for."""
FRESH = timedelta(minutes=10)
"""An error older than this is history, unless updates still wait."""


async def check(settings: Telegram | None, public_url: str | None = None, now: datetime | None = None) -> str:
    """One line for `tiexin check`: what works, what does not, what to do. Changes nothing and never raises."""
    if settings is None:
        return "telegram: not configured; to use it, put the token from @BotFather into the section [telegram]"
    request = AiohttpRequest()
    bot = Bot(
        settings.token.get_secret_value(), base_url=f"{settings.api_base}/bot", request=request,
        get_updates_request=request,
    )  # fmt: skip
    await request.initialize()
    try:
        name = (await bot.get_me()).username
        info = await bot.get_webhook_info()
    except InvalidToken:
        return "telegram: the token is refused; copy it once more from @BotFather (/mybots, API Token)"
    except TelegramError as error:
        return (
            f"telegram: {settings.api_base} gives no answer ({reason(error)}); may this machine reach it? "
            "If not, telegram.api_base can name a Bot API server that it may reach"
        )
    finally:
        await request.shutdown()
    if settings.mode == "polling":
        return f"telegram: {_polling(name, info)}"
    return f"telegram: {_webhook(name, info, public_url, now or datetime.now(UTC))}"


def quota(settings: Telegram, tx: Tx, now: datetime) -> str:
    """What may be sent now; Telegram counts no days."""
    wait = rates.full(tx, now, {BUDGET: Limit(settings.rate_global, settings.burst)}).get(BUDGET, 0.0)
    if wait > FULL:
        return f"nothing is sent for {wait / 60:.0f} minutes more, as Telegram has asked for"
    return f"at most {settings.rate_global:g} messages a second"


def _polling(name: str | None, info: WebhookInfo) -> str:
    if info.url:
        return f"@{name} answers, but a webhook is set while the mode is polling; `tiexin serve` takes it away"
    return f"@{name} answers; updates are fetched, {_waiting(info)}"


def _webhook(name: str | None, info: WebhookInfo, public_url: str | None, now: datetime) -> str:
    if not public_url:
        return f"@{name} answers, but cannot reach us without server.public_url; set it, or the mode to polling"
    if not info.url:
        return f"@{name} answers, but no webhook is set; `tiexin serve` sets it"
    if not info.url.startswith(f"{public_url.rstrip('/')}/"):
        return (
            f"@{name} answers, but its updates go to another address than server.public_url; does another "
            "installation use the same token? `tiexin serve` brings them here"
        )
    at = info.last_error_date
    if at and info.last_error_message and (now - at < FRESH or info.pending_update_count):
        return (
            f"@{name} answers, its webhook is set, {_waiting(info)}; at {at.astimezone(UTC):%m-%d %H:%M} UTC it "
            f"could not bring one (“{info.last_error_message[:120]}”): is `tiexin serve` running, and can "
            f"{public_url} be reached from outside over https with a valid certificate?"
        )
    return f"@{name} answers, its webhook is set, {_waiting(info)}"


def _waiting(info: WebhookInfo) -> str:
    return f"{info.pending_update_count or 'no'} update{'' if info.pending_update_count == 1 else 's'} waiting"
