"""limits: how much does WeCom let through, and what happens to the rest?

The numbers are those of November 2026, all settable: WeCom changes them without notice. Seconds, unless the name says
otherwise.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0


@dataclass
class Limits:
    """Every number the fake goes by."""

    member_minute: int = 30
    member_hour: int = 1_000
    """Messages to one member; the excess is dropped, and the answer still says errcode 0."""
    per_account_day: int = 200
    """Times the number of accounts: messages of the application on one day."""
    interface_minute: int = 10_000
    recipients: int = 1_000

    text_bytes: int = 2_048
    task_id_bytes: int = 128
    buttons: int = 6
    key_bytes: int = 1_024
    options: int = 20
    option_id_bytes: int = 128
    selections: int = 3
    selection_options: int = 10

    echo_timeout: float = 1.0
    push_timeout: float = 5.0
    push_attempts: int = 3
    token_life: int = 7_200
    code_life: int = 72 * 3_600
    recall_within: int = 24 * 3_600
    duplicate_interval: int = 1_800
    duplicate_most: int = 4 * 3_600


@dataclass
class Window:
    """How often something happened within the last so many seconds."""

    seconds: float
    times: deque[float] = field(default_factory=deque)

    def count(self, now: float) -> int:
        while self.times and self.times[0] <= now - self.seconds:
            self.times.popleft()
        return len(self.times)

    def note(self, now: float, times: int = 1) -> None:
        self.times.extend([now] * times)


class Budgets:
    """Who has been sent how much lately."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._minutes: dict[str, Window] = defaultdict(lambda: Window(MINUTE))
        self._hours: dict[str, Window] = defaultdict(lambda: Window(HOUR))
        self._interfaces: dict[str, Window] = defaultdict(lambda: Window(MINUTE))
        self._days: dict[int, int] = defaultdict(int)
        self.dropped = 0
        """Messages that were answered with errcode 0 and never shown to anybody."""
        self.busiest = 0
        """The most messages that any member was sent within a minute."""

    def may_call(self, interface: str, now: float) -> bool:
        window = self._interfaces[interface]
        if window.count(now) >= self.limits.interface_minute:
            return False
        window.note(now)
        return True

    def may_send(self, people: int, accounts: int, now: float) -> bool:
        """The application's own day, in UTC+8."""
        today = int((now + 8 * HOUR) // DAY)
        if self._days[today] + people > accounts * self.limits.per_account_day:
            return False
        self._days[today] += people
        return True

    def arrives(self, userid: str, now: float) -> bool:
        """Whether a message to this member is shown; counts what is dropped."""
        minute, hour = self._minutes[userid], self._hours[userid]
        if minute.count(now) >= self.limits.member_minute or hour.count(now) >= self.limits.member_hour:
            self.dropped += 1
            return False
        minute.note(now)
        hour.note(now)
        self.busiest = max(self.busiest, minute.count(now))
        return True
