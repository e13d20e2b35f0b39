"""When are those reminded who have not done yet what closes soon?"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from handlers.workdays import workdays
from storage.house import Tx

BEFORE = timedelta(hours=24)
"""How long before the close; earlier where that is a day off."""
FRESH = timedelta(hours=4)
"""So long after its opening nobody is reminded of anything: they have only just read of it."""
AHEAD = timedelta(days=14)
"""How far ahead one has to look: longer than the longest holiday and a day."""


def reminded_at(tx: Tx, opens: datetime, closes: datetime) -> datetime:
    """A day before the close, or at nine on the last workday before that day; never right after the opening."""
    at = closes - BEFORE
    zone, calendar = tx.house.zone, workdays(tx.house.rules)
    day = at.astimezone(zone).date()
    if not calendar.is_workday(day):
        at = datetime.combine(calendar.on_or_before(day), time(9), tzinfo=zone).astimezone(UTC)
    return max(at, opens + FRESH)
