"""limits: how much does Telegram allow, and when does it say “too many”?

The numbers are those of November 2026, all settable: Telegram changes them without notice.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

from tests.fakes.telegram.errors import ApiError, too_many_requests


@dataclass
class Limits:
    """Every number the fake goes by. Seconds, unless the name says otherwise."""

    tap_lifetime: int = 150
    message_lifetime: int = 86_400
    inline_lifetime: int = 30

    retry_cap: tuple[int, int] = (60, 120)
    """A waiting time that has doubled beyond this is replaced by a random one from this range."""
    retry_after_max: int = 3_600
    webhook_timeout: int = 60
    gone_for: int = 23 * 3_600
    """A webhook that answers 410 for this long is removed."""
    pace_connections: bool = True
    """New connections: 10 per 0.5 s; after 10 s without a success only one, retried every 2 s."""

    per_second: int = 30
    chat_rate: float = 1.0
    chat_burst: int = 5
    """Telegram says “short bursts pass” and gives no number; five is our guess."""
    group_per_minute: int = 20
    flood_wait: int = 2
    """The shortest `retry_after`; while it runs, everything in its scope is refused."""

    toast_deadline: float = 15.0
    delete_within: int = 48 * 3_600
    callback_data_bytes: int = 64
    text_chars: int = 4_096
    caption_chars: int = 1_024
    toast_chars: int = 200
    upload_bytes: int = 50 * 1024 * 1024
    buttons: int = 100
    buttons_per_row: int = 8


@dataclass
class _Bucket:
    """Tokens of one private chat: a burst at once, then one a second."""

    tokens: float
    at: float


@dataclass
class Budgets:
    """Who has sent how much lately."""

    limits: Limits
    _bot: deque[float] = field(default_factory=deque)
    _groups: dict[int, deque[float]] = field(default_factory=dict)
    _chats: dict[int, _Bucket] = field(default_factory=dict)
    _waits: dict[int | None, float] = field(default_factory=dict)
    refused: int = 0
    """How many calls drew a 429."""

    def spend(self, chat_id: int, *, group: bool, now: float) -> None:
        """Count one message or edit to this chat. Raises ApiError 429 if it is one too many."""
        for scope in (None, chat_id):
            until = self._waits.get(scope, 0.0)
            if until > now:
                self._refuse(scope, until, now)
        self._bot_has_room(now)
        if group:
            self._group_has_room(chat_id, now)
        else:
            self._chat_has_room(chat_id, now)
        self._bot.append(now)

    def _bot_has_room(self, now: float) -> None:
        while self._bot and self._bot[0] <= now - 1.0:
            self._bot.popleft()
        if len(self._bot) >= self.limits.per_second:
            self._refuse(None, self._bot[0] + 1.0, now)

    def _group_has_room(self, chat_id: int, now: float) -> None:
        sent = self._groups.setdefault(chat_id, deque())
        while sent and sent[0] <= now - 60.0:
            sent.popleft()
        if len(sent) >= self.limits.group_per_minute:
            self._refuse(chat_id, sent[0] + 60.0, now)
        sent.append(now)

    def _chat_has_room(self, chat_id: int, now: float) -> None:
        burst = float(self.limits.chat_burst)
        bucket = self._chats.setdefault(chat_id, _Bucket(burst, now))
        bucket.tokens = min(burst, bucket.tokens + (now - bucket.at) * self.limits.chat_rate)
        bucket.at = now
        if bucket.tokens < 1.0:
            self._refuse(chat_id, now + (1.0 - bucket.tokens) / self.limits.chat_rate, now)
        bucket.tokens -= 1.0

    def _refuse(self, scope: int | None, free_at: float, now: float) -> None:
        wait = math.ceil(free_at - now)
        if self._waits.get(scope, 0.0) <= now:
            wait = max(self.limits.flood_wait, wait)
            self._waits[scope] = now + wait
        self.refused += 1
        raise ApiError(*too_many_requests(max(1, wait)))
