"""errors: in which numbers does WeCom refuse, and how else may a call go wrong?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Json = dict[str, Any]

BUSY = -1
BAD_CREDENTIAL = 40001
BAD_CORP = 40013
BAD_TOKEN = 40014
BAD_AGENT = 40056
BAD_PARAMETER = 40058
NO_TOKEN = 41001
EXPIRED_TOKEN = 42001
EMPTY = 44004
OVER_QUOTA = 45009
TOO_FAST = 45011
NOT_JSON = 47001
FROM_ELSEWHERE = 60020
NOBODY = 81013

# No public list gives the numbers of these three refusals: whoever reads them must not depend on them.
TASK_ID_USED = 45150
CODE_NO_GOOD = 45151
TOO_OLD_TO_RECALL = 45152


class ApiError(Exception):
    """A refusal as WeCom answers it: HTTP 200, errcode and errmsg, and sometimes more."""

    def __init__(self, errcode: int, errmsg: str, **more: object) -> None:
        super().__init__(f"{errcode} {errmsg}")
        self.errcode, self.errmsg, self.more = errcode, errmsg, more

    def as_json(self) -> Json:
        return {"errcode": self.errcode, "errmsg": self.errmsg, **self.more}


@dataclass
class Fault:
    """A misfortune written into the script: it meets the next matching calls."""

    errcode: int = 0
    accepted: bool = False
    """Was the call carried out before things went wrong?"""
    ending: Literal["answer", "drop", "hang", "gateway", "page"] = "answer"


def refused(errcode: int) -> Fault:
    return Fault(errcode)


def lost(*, accepted: bool = True) -> Fault:
    """The connection breaks before the answer; the message has (or has not) gone out."""
    return Fault(accepted=accepted, ending="drop")


def silence(*, accepted: bool = True) -> Fault:
    """No answer ever comes: the caller runs into its own timeout."""
    return Fault(accepted=accepted, ending="hang")


def bad_gateway(*, accepted: bool = False) -> Fault:
    """502 with a page of HTML."""
    return Fault(accepted=accepted, ending="gateway")


def page(*, accepted: bool = False) -> Fault:
    """200, and yet a page of HTML: some proxy wants a password."""
    return Fault(accepted=accepted, ending="page")
