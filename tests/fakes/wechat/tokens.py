"""tokens: which access token is good now?"""

from __future__ import annotations

import random
import string
from dataclasses import dataclass
from typing import Literal

from tests.fakes.wechat.errors import ApiError
from tests.fakes.wechat.limits import Limits

Sort = Literal["token", "stable_token"]
_LETTERS = string.ascii_letters + string.digits + "-_"


@dataclass
class _Issued:
    value: str
    until: float
    superseded: float = float("inf")
    """When a later token of its sort takes its place for good."""


class Tokens:
    """The tokens of one account. Those of `token` and of `stable_token` do not know each other."""

    def __init__(self, limits: Limits, rng: random.Random) -> None:
        self._limits, self._rng = limits, rng
        self._latest: dict[Sort, _Issued] = {}
        self._all: dict[str, _Issued] = {}
        self._forced: list[float] = []
        self.issued = 0
        """How many different tokens there have been."""

    def plain(self, now: float) -> tuple[str, int]:
        """A new token at each call, and its life; the previous one lives on for five minutes."""
        return self._new("token", now, self._limits.token_overlap)

    def stable(self, now: float, *, force: bool) -> tuple[str, int]:
        """The token in force and the rest of its life. Raises ApiError 45009 if it was forced too often today."""
        present = self._latest.get("stable_token")
        if force and (not self._forced or now - self._forced[-1] >= self._limits.forced_pause):
            self._forced = [at for at in self._forced if at > now - 86_400]
            if len(self._forced) >= self._limits.forced_a_day:
                raise ApiError(45009)
            self._forced.append(now)
            return self._new("stable_token", now, 0.0)
        if present is None or present.superseded <= now or present.until - now <= self._limits.stable_renews:
            return self._new("stable_token", now, self._limits.token_overlap)
        return present.value, int(present.until - now)

    def foreign(self, sort: Sort, now: float, *, overlap: bool) -> None:
        """Somebody else who has the secret asked for a new token of this sort."""
        self._new(sort, now, self._limits.token_overlap if overlap else 0.0)

    def check(self, value: str, now: float) -> None:
        """Raises ApiError 41001 (none), 40001 (unknown, or no longer the latest), 42001 (too old)."""
        if not value:
            raise ApiError(41001)
        issued = self._all.get(value)
        if issued is None or now >= issued.superseded:
            raise ApiError(40001)
        if now >= issued.until:
            raise ApiError(42001)

    def _new(self, sort: Sort, now: float, overlap: float) -> tuple[str, int]:
        previous = self._latest.get(sort)
        if previous is not None:
            previous.superseded = min(previous.superseded, now + overlap)
        value = "".join(self._rng.choices(_LETTERS, k=138))
        life = self._limits.token_life
        self._latest[sort] = self._all[value] = _Issued(value, now + life)
        self.issued += 1
        return value, life
