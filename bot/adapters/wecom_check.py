"""wecom_check: does WeCom know this application and reach us, and if not, what is to be done?"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import NamedTuple

from bot.adapters.tencent_client import ApiError, corp_token
from bot.adapters.wecom import CHANNEL, VERIFIED
from bot.adapters.wecom_api import WeComApi
from bot.config import WeCom
from storage import addresses, cards
from storage import settings as kept
from storage.house import BEIJING, Tx

SILENT = timedelta(days=7)
"""So long without a push, and somebody should look."""
A_DAY = 200
"""Messages that an application may send a day for each account of the company (November 2026)."""
_REMEDIES = {
    40001: "copy wecom.secret once more from the console (应用管理 → 自建 → Secret)",
    40013: "copy wecom.corp_id once more from the console (我的企业 → 企业信息)",
    40056: "copy wecom.agent_id once more from the console (应用管理 → 自建 → AgentId)",
    60020: "add this machine's address to the console's 企业可信IP (应用管理 → 自建)",
}


class Found(NamedTuple):
    """Whether it works, what was found, and the remedy where it does not."""

    works: bool
    found: str
    remedy: str = ""


class _OneToken:
    """The token for this one look, which nobody else is told of: WeCom repeats the one that is valid."""

    def __init__(self, section: WeCom) -> None:
        self._fetch = corp_token(section.corp_id, section.secret.get_secret_value(), section.api_base)

    def get(self) -> str:
        return self._fetch(False)[0]

    def drop(self, token: str) -> bool:
        """It is that of everybody, and was asked for a moment ago."""
        return False


def check(section: WeCom, tx: Tx | None, public_url: str | None, now: datetime) -> Found:
    """The line of `tiexin check`. Changes nothing and never raises; without a database it knows less."""
    try:
        name = WeComApi(section.corp_id, section.agent_id, section.api_base, _OneToken(section)).agent()
    except ApiError as error:
        return _refused(section, error)
    known = f"the application {name or section.agent_id} is known"
    if not public_url or not public_url.startswith("https://"):
        return Found(False, known, "set server.public_url to an https address for its callback")
    if tx is None:
        return Found(False, known, "run `tiexin init`")
    heard = kept.moment(tx, VERIFIED)
    if heard is None:
        remedy = f"in the console (应用管理 → 自建 → 接收消息) enter {public_url}/wecom/callback, its token and key"
        return Found(False, f"{known}, its callback was never verified", remedy)
    today = datetime.combine(now.astimezone(BEIJING).date(), time(), BEIJING)
    left = _left(addresses.count(tx, CHANNEL), cards.count_since(tx, today))
    known = f"{known}, callback verified, last heard of {heard.astimezone(BEIJING):%m-%d %H:%M}, {left}"
    if now - heard > SILENT:
        return Found(True, known, "silent for a week: say something to the application, and see whether it answers")
    return Found(True, known)


def _left(accounts: int, sent: int) -> str:
    """What is left of today's quota, at the least: the company may have more accounts than are bound."""
    if not accounts:
        return f"{A_DAY} messages a day for each account, and none is bound yet"
    return f"at least {max(A_DAY * accounts - sent, 0)} messages left today ({A_DAY} for each account)"


def _refused(section: WeCom, error: ApiError) -> Found:
    if error.code is None:
        remedy = "may this machine reach it? If not, wecom.api_base can name a proxy that it may reach"
        return Found(False, f"{section.api_base} gives no answer", remedy)
    remedy = _REMEDIES.get(error.code, "look it up in the console")
    return Found(False, f"WeCom refuses the application (errcode {error.code})", remedy)
