"""wechat_check: does WeChat know this account and reach us, and if not, what is to be done?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from bot.adapters.tencent_client import ApiError
from bot.adapters.wechat import VERIFIED
from bot.adapters.wechat_channel import fetch_token
from bot.adapters.wechat_errors import judged
from bot.adapters.wechat_ways import CHANNEL, MSGMENU, Ways
from bot.config import WeChat
from storage import settings as kept
from storage import windows
from storage.house import BEIJING, Tx

SILENT = timedelta(days=7)
"""So long without a push, and somebody should look."""
_REMEDIES = {
    40013: "copy wechat.app_id once more from the console (开发 → 基本配置)",
    40125: "copy wechat.app_secret once more from the console (开发 → 基本配置)",
    40164: "add this machine's address to the console's IP白名单 (开发 → 基本配置)",
    48004: "read the console's messages: WeChat has banned the account from its interfaces",
    50002: "read the console's messages: WeChat has limited the account",
}


class Found(NamedTuple):
    """Whether it works, what was found, and the remedy where it does not."""

    works: bool
    found: str
    remedy: str = ""


def check(settings: WeChat, tx: Tx | None, public_url: str | None, now: datetime) -> Found:
    """The line of `tiexin check`. Changes nothing and never raises; without a database it knows less."""
    try:
        fetch_token(settings)(False)  # WeChat repeats the one that is valid: nobody's is ended by asking
    except ApiError as error:
        return _refused(settings, error)
    if not public_url or not public_url.startswith("https://"):
        return Found(
            False, f"{settings.app_id} is known", "set server.public_url to an https address for its callback"
        )
    if tx is None:
        return Found(False, f"{settings.app_id} is known", "run `tiexin init`")
    verified, heard = kept.moment(tx, VERIFIED), windows.newest(tx, CHANNEL)
    if verified is None and heard is None:
        remedy = (
            f"in the console (开发 → 基本配置) enter {public_url}/wechat/callback, its token and key, and enable it"
        )
        return Found(False, f"{settings.app_id} is known, its callback was never verified", remedy)
    known = [f"{settings.app_id} is known", f"callback verified {_when(verified)}", f"last push {_when(heard)}"]
    shut = windows.shut_paths(tx, now, CHANNEL)
    known += [f"{path} shut until {_when(until)} ({reason})" for path, (until, reason) in shut.items()]
    if not any(path != MSGMENU for path in shut):
        return Found(True, ", ".join([*known, _left(settings, tx, now)]))
    return Found(False, ", ".join(known), "look at the console; until then other channels take over")


def _refused(settings: WeChat, error: ApiError) -> Found:
    if error.code is None:
        remedy = "may this machine reach it? If not, wechat.api_base can name a proxy that it may reach"
        return Found(False, f"{settings.api_base} gives no answer", remedy)
    reason = judged(error.code, left=False).reason
    return Found(False, f"WeChat refuses the account: {reason}", _REMEDIES.get(error.code, "look at the console"))


def _left(settings: WeChat, tx: Tx, now: datetime) -> str:
    """What is left of today's quota."""
    granted = Ways(settings).granted
    if "template" not in granted or not settings.template_id:
        return (
            "no template: who is silent is not reached"
            if "custom" in granted
            else "this kind of account only answers"
        )
    left = settings.templates_a_day - windows.used(tx, now, CHANNEL, "template")
    return f"{max(left, 0)} templates left today"


def _when(moment: datetime | None) -> str:
    return f"{moment.astimezone(BEIJING):%m-%d %H:%M}" if moment else "never"
