"""wecom_errors: what is to be done about a refusal or a silence of WeCom's?"""

from __future__ import annotations

import structlog

from bot.adapters.tencent_client import STALE, ApiError
from bot.core.reply import Undelivered

log = structlog.get_logger()

STOPPED = 60.0
"""Seconds the channel rests when WeCom refuses the application itself, or has had enough for now."""
UNREACHABLE = 5.0
"""Seconds it rests when WeCom cannot be reached. No message is given up for that, however long it takes."""

# As of November 2026.
NOBODY = 81013
"""Nobody of those named is there, or may see the application."""
CREDENTIAL = (*STALE, 40013, 40056, 301002)
"""Secret, corp id or agent id are wrong; the token is, once more, after another was fetched."""
ELSEWHERE = 60020
"""We call from an address that is not among the trusted ones (企业可信IP)."""
QUOTA = 45009
BUSY = (-1, 45011)


def judged(error: ApiError) -> Undelivered:
    """What to do about a call that did not end well.

    One that may have been carried out is repeated, as it was: WeCom then sends it once.
    """
    code = error.code
    if code is None:
        if error.left:
            return Undelivered("no answer")
        return Undelivered("no connection", retry_after=UNREACHABLE)
    if code == NOBODY:
        return Undelivered("not in the company", dead=True)
    if code in CREDENTIAL:
        log.error("wecom refuses the application", errcode=code)
        return Undelivered("application refused", retry_after=STOPPED)
    if code == ELSEWHERE:
        log.error("wecom does not trust this address", errcode=code)
        return Undelivered("address not trusted", retry_after=STOPPED)
    if code == QUOTA:
        log.error("wecom's quota is used up", errcode=code)
        return Undelivered("quota used up", retry_after=STOPPED)
    if code in BUSY:
        return Undelivered("busy")
    log.error("wecom refuses a message", errcode=code)
    return Undelivered(f"errcode {code}", permanent=True)


def stops(no: Undelivered) -> bool:
    """Whether it is no use to try anything else on this channel for a while."""
    return no.retry_after is not None
