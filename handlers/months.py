"""months: which day is so many months on?"""

from __future__ import annotations

import calendar
from datetime import date


def months_later(day: date, months: int) -> date:
    """The same day so many months on (or back, below zero), else the last day of that month.

    31 January and one month are 28 February. Several terms are counted from the first date, not from each other.
    """
    total = day.year * 12 + day.month - 1 + months
    year, month = divmod(total, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
