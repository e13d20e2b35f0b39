"""wechat_errors: what is to be done about a refusal of WeChat's?"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

# Errcodes as of November 2026.


class Then(Enum):
    """What follows from a refusal."""

    STOP = auto()
    """The account itself is refused: the channel rests, and somebody has to look."""
    WAIT = auto()
    """Too fast, or nobody is there: the channel rests a while, and the message is not lost."""
    DEAD = auto()
    """Nothing reaches this address until its owner comes back."""
    CLOSED = auto()
    """Their window is shut, or used up: another way, or another channel."""
    NO_CREDIT = auto()
    """They have asked for no such notice: another way, or another channel."""
    SPENT = auto()
    """This way is used up for today: another one, or another channel."""
    NOT_GRANTED = auto()
    """The account may not go this way: another one, or another channel."""
    NO_MENU = auto()
    """This kind of account has no msgmenu: the same as text."""
    SENT = auto()
    """It has been sent before."""
    WRONG = auto()
    """The message is at fault, that is we are. It is given up."""
    UNKNOWN = auto()
    """No verdict: it may have arrived."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do about an errcode; `rest`: seconds for which the channel rests."""

    then: Then
    reason: str
    rest: float = 0

    @property
    def free(self) -> bool:
        """Whether the sending certainly did not count."""
        return self.then not in (Then.CLOSED, Then.NO_CREDIT, Then.SENT, Then.UNKNOWN, Then.DEAD)


_TABLE: dict[int, Verdict] = {
    **dict.fromkeys((40001, 40014, 42001), Verdict(Then.STOP, "token refused", 60)),
    40013: Verdict(Then.STOP, "app id refused", 300),
    40125: Verdict(Then.STOP, "secret refused", 300),
    40164: Verdict(Then.STOP, "our address is not on the list", 300),
    48004: Verdict(Then.STOP, "the account is banned", 300),
    50002: Verdict(Then.STOP, "the account is limited", 300),
    40003: Verdict(Then.DEAD, "openid of another account"),
    43004: Verdict(Then.DEAD, "does not follow"),
    50005: Verdict(Then.DEAD, "does not follow"),
    43019: Verdict(Then.DEAD, "refuses messages"),
    48002: Verdict(Then.DEAD, "refuses messages"),
    45015: Verdict(Then.CLOSED, "45015 outside the window"),
    45047: Verdict(Then.CLOSED, "45047 the window is used up"),
    43101: Verdict(Then.NO_CREDIT, "43101 no subscription"),
    45009: Verdict(Then.SPENT, "45009 today's are used up"),
    45028: Verdict(Then.SPENT, "45028 today's are used up"),
    48001: Verdict(Then.NOT_GRANTED, "48001 not granted to the account"),
    48008: Verdict(Then.NOT_GRANTED, "48008 not granted to the account"),
    40200: Verdict(Then.NO_MENU, "40200 wrong kind of account"),
    45065: Verdict(Then.SENT, "sent before"),
    45011: Verdict(Then.WAIT, "45011 too many in a minute", 60),
    -1: Verdict(Then.WAIT, "busy", 5),
}  # fmt: skip


def judged(code: int | None, *, left: bool) -> Verdict:
    """What to do about an errcode. None: there was no verdict; `left`: the message may be there."""
    if code is None:
        return Verdict(Then.UNKNOWN, "no answer") if left else Verdict(Then.WAIT, "no connection", 5)
    return _TABLE.get(code, Verdict(Then.WRONG, f"errcode {code}"))
