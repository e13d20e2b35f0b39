"""days: how is a day read that lies behind us – a birthday, a meeting, the day of a receipt?"""

from __future__ import annotations

import unicodedata
from contextlib import suppress
from datetime import date, timedelta
from typing import ClassVar

from bot.core.kinds import KINDS, Kind, Reading
from bot.core.reply import Refused
from handlers.joining import rules
from handlers.joining.course import RECEIVED
from handlers.joining.rules import Table
from handlers.joining.tables import table

OLDEST = timedelta(days=120 * 366)


class Birthday(date):
    """A day of birth, with its year."""

    kind: ClassVar[Kind]


class PastDay(date):
    """A day up to today: “11月20日” without a year is the last one there was, not the next one."""

    kind: ClassVar[Kind]


def _read_birthday(text: str, at: Reading) -> date:
    day: date = KINDS[date].read(text, at)
    if not _names_year(text, day) or not _today(at) - OLDEST < day <= _today(at):
        raise Refused("joining.bad_birthday")
    if too_young := under_age(table(), day, _today(at)):  # said at once, before a long application is written
        raise too_young
    return day


def under_age(rule: Table, born: date, today: date) -> Refused | None:
    """The no to somebody who cannot apply yet, with the earliest day (第五条)."""
    earliest = rules.of_age(born, rule.numbers.age)
    if today >= earliest:
        return None
    step = rule.step(RECEIVED, earliest)
    return Refused("joining.too_young", earliest=earliest, age=rule.numbers.age, step=step, text=rule.on(earliest))


def _read_past(text: str, at: Reading) -> date:
    day: date = KINDS[date].read(text, at)
    if day > _today(at) and not _names_year(text, day):
        with suppress(ValueError):  # 29 February has no day a year before
            day = day.replace(year=day.year - 1)
    if day > _today(at):
        raise Refused("joining.no_future")
    return day


def _names_year(text: str, day: date) -> bool:
    return str(day.year) in unicodedata.normalize("NFKC", text)


def _today(at: Reading) -> date:
    return at.now.astimezone(at.zone).date()


Birthday.kind = Kind(_read_birthday, date.isoformat, date.fromisoformat, sample="day")
PastDay.kind = Kind(_read_past, date.isoformat, date.fromisoformat, sample="day")
