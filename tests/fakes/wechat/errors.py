"""errors: in which words does WeChat refuse?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Json = dict[str, Any]

WORDS = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest",
    40002: "invalid grant_type",
    40003: "invalid openid",
    40008: "invalid message type",
    40013: "invalid appid",
    40016: "invalid button size",
    40017: "invalid button type",
    40018: "invalid button name size",
    40007: "invalid media_id",
    40019: "invalid button key size",
    40020: "invalid button url size",
    40023: "invalid sub button size",
    40025: "invalid sub button name size",
    40037: "invalid template_id",
    40053: "invalid action info",
    40066: "invalid url",
    40125: "invalid appsecret",
    40164: "invalid ip 127.0.0.1, not in whitelist",
    40200: "invalid account type",
    41001: "access_token missing",
    42001: "access_token expired",
    43002: "require POST method",
    43004: "require subscribe",
    43101: "user refuse to accept the msg",
    44002: "empty post data",
    44003: "empty news data",
    44004: "empty content",
    45002: "content size out of limit",
    45008: "article size out of limit",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit, must slower, retry next minute",
    45015: "response out of time limit or subscription is canceled",
    45047: "out of response count limit",
    46003: "menu no exist",
    47001: "data format error",
    47003: "argument invalid!",
    48001: "api unauthorized",
    48006: "forbid to clear quota because of reaching the limit",
}


class ApiError(Exception):
    """A refusal as the API answers it: HTTP 200, an errcode, and words for a programmer."""

    def __init__(self, errcode: int, more: str = "") -> None:
        self.errcode = errcode
        self.errmsg = f"{WORDS.get(errcode, 'error')} {more}".rstrip()
        super().__init__(f"{errcode} {self.errmsg}")

    def as_json(self) -> Json:
        return {"errcode": self.errcode, "errmsg": f"{self.errmsg} rid: 6561b0d2-3b5c1a2e-0fake000"}


Ending = Literal["answer", "drop", "hang", "html", "gateway"]


@dataclass
class Fault:
    """A misfortune written into the script: it meets the next matching calls."""

    error: ApiError | None = None
    accepted: bool = False
    """Was the call carried out before things went wrong?"""
    ending: Ending = "answer"


def refused(errcode: int) -> Fault:
    """This errcode, whatever the reason."""
    return Fault(ApiError(errcode))


def busy() -> Fault:
    """−1: the system is busy; nothing was done."""
    return Fault(ApiError(-1))


def html_page(*, accepted: bool = False) -> Fault:
    """200 with a page of HTML: something between here and there answers in the platform's place."""
    return Fault(accepted=accepted, ending="html")


def bad_gateway(*, accepted: bool = False) -> Fault:
    """502 with a page of HTML."""
    return Fault(accepted=accepted, ending="gateway")


def lost(*, accepted: bool = True) -> Fault:
    """The connection breaks before the answer; the message has (or has not) gone out."""
    return Fault(accepted=accepted, ending="drop")


def silence(*, accepted: bool = True) -> Fault:
    """No answer ever comes: the caller runs into its own timeout."""
    return Fault(accepted=accepted, ending="hang")
