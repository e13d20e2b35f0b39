"""limits: how much does WeChat allow, and when does it refuse?

The numbers are those of November 2026, all settable: WeChat changes them, and some were only reported.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from tests.fakes.wechat.errors import ApiError

Cause = Literal["message", "tap", "follow", "scan"]
_BEIJING = timedelta(hours=8)


@dataclass
class Limits:
    """Every number the fake goes by. Seconds, unless the name says otherwise."""

    # -- telling the account
    push_timeout: float = 5.0
    push_attempts: int = 3
    retry_on_error: bool = True
    """Is a refused connection or a status other than 200 tried again, as silence is? Nobody has confirmed it."""
    retry_pause: float = 1.0
    """After such an error; after silence the next try comes at once."""
    retry_repeats_nonce: bool = False
    """Does a retry repeat timestamp and nonce? Nobody has confirmed that either."""

    # -- what may be sent to one person
    windows: dict[Cause, tuple[int, float]] = field(
        default_factory=lambda: {
            "message": (5, 48 * 3_600.0), "tap": (3, 60.0), "follow": (3, 60.0), "scan": (3, 60.0)
        }
    )  # fmt: skip
    """How many sends, for how long, by what the person did."""
    choice_opens: Cause = "tap"
    """What tapping a msgmenu counts as (documented)."""
    link_opens: Cause = "tap"
    """What tapping a link in a passive reply counts as (to be confirmed; the narrower is assumed)."""
    unfollowed: int = 43004
    """The errcode of a customer-service message to somebody who has left; 45015 is reported as well."""

    # -- texts
    text_bytes: int = 2_048
    long_reply: Literal["cut", "fail"] = "cut"
    """What happens to a passive text beyond `text_bytes`: the person sees its beginning, or the notice of failure."""
    field_chars: int = 20
    text_links: bool = True
    """Do `weixin://bizmsgmenu` links in passive replies work? (Undocumented.)"""

    # -- tokens
    token_life: int = 7_200
    token_overlap: float = 300.0
    """For how long the previous token of `token` still works."""
    stable_renews: float = 300.0
    """`stable_token` gives the next token this long before the end of the present one."""
    forced_a_day: int = 20
    forced_pause: float = 30.0

    # -- calls: by path below /cgi-bin/
    daily: dict[str, int] = field(
        default_factory=lambda: {
            "token": 2_000,
            "message/custom/send": 500_000,
            "message/template/send": 100_000,
            "menu/create": 1_000,
            "qrcode/create": 100_000,
        }
    )
    per_minute: dict[str, int] = field(default_factory=lambda: {"stable_token": 10_000})
    clear_quota_a_month: int = 10

    # -- the rest
    double_within: float = 600.0
    """How long a client_msg_id is remembered."""
    templates: int = 25
    menu_refresh: float = 300.0
    """How old a client lets its copy of the menu grow."""
    qr_life: int = 2_592_000
    qr_permanent: int = 100_000


@dataclass
class _Window:
    left: int
    until: float


@dataclass
class Windows:
    """What may still be sent to one person by customer-service message.

    The quotas of several causes do not add up: a send counts against every one that is open, and the largest
    decides.
    """

    limits: Limits
    _open: dict[Cause, _Window] = field(default_factory=dict)

    def opens(self, cause: Cause, now: float) -> None:
        count, seconds = self.limits.windows[cause]
        self._open[cause] = _Window(count, now + seconds)

    def close(self) -> None:
        self._open.clear()

    def left(self, now: float) -> int:
        """How many sends are left at this instant."""
        return max((window.left for window in self._at(now)), default=0)

    def spend(self, now: float) -> None:
        """Count one send. Raises ApiError 45015 if no window is open, 45047 if those open are used up."""
        windows = self._at(now)
        if not windows:
            raise ApiError(45015)
        if not self.left(now):
            raise ApiError(45047)
        for window in windows:
            window.left = max(0, window.left - 1)

    def _at(self, now: float) -> list[_Window]:
        return [window for window in self._open.values() if now < window.until]


@dataclass
class Rates:
    """How often each interface was called: today (in Beijing), and in the last minute."""

    limits: Limits
    used: dict[str, int] = field(default_factory=dict)
    _day: str = ""
    _cleared: dict[str, int] = field(default_factory=dict)
    _lately: dict[str, deque[float]] = field(default_factory=dict)

    def count(self, path: str, now: float) -> None:
        """Count one call. Raises ApiError 45009 (the day) or 45011 (the minute)."""
        self._turn_the_page(now)
        lately = self._lately.setdefault(path, deque())
        while lately and lately[0] <= now - 60.0:
            lately.popleft()
        if len(lately) >= self.limits.per_minute.get(path, 1 << 60):
            raise ApiError(45011)
        if self.used.get(path, 0) >= self.limits.daily.get(path, 1 << 60):
            raise ApiError(45009)
        lately.append(now)
        self.used[path] = self.used.get(path, 0) + 1

    def clear(self, now: float) -> None:
        """Forget today's calls. Raises ApiError 48006 the eleventh time in a month."""
        month = _day_of(now)[:7]
        if self._cleared.get(month, 0) >= self.limits.clear_quota_a_month:
            raise ApiError(48006)
        self._cleared[month] = self._cleared.get(month, 0) + 1
        self.used.clear()

    def _turn_the_page(self, now: float) -> None:
        if (today := _day_of(now)) != self._day:
            self._day = today
            self.used.clear()


def _day_of(now: float) -> str:
    return (datetime.fromtimestamp(now, UTC) + _BEIJING).date().isoformat()
