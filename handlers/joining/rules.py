"""rules: what does the law say about the way into the Party – from which day, until which day, with how many?

Articles are those of 《中国共产党发展党员工作细则》. Every function computes and none decides: 发展, 转正, 政审 and
the like are decided by people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Protocol

from handlers.months import months_later

DAY = timedelta(days=1)
END = "end"
"""What a term may be counted from beside a step: the end of probation."""


class Calendar(Protocol):
    """On which days is work done?"""

    def is_workday(self, day: date) -> bool: ...


@dataclass(frozen=True, slots=True)
class Term:
    """So many months from the day of a step (or `END`); the last day is included. `usual`: 一般."""

    after: str
    months: int
    usual: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the way as one text has it."""

    number: str
    name: str
    who: str
    article: str
    needs: tuple[str, ...] = ()
    earliest: Term | None = None
    latest: Term | None = None
    utmost: Term | None = None
    """With special reasons."""
    decision: bool = False
    kind: str = ""
    """What somebody becomes by it (入党积极分子)."""
    repeats: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """A version of the regulation. `confirmed`: its wording has been seen on an official page; else 待核."""

    name: str
    since: date
    title: str
    issued: str
    confirmed: bool
    publicity: bool
    superior_to_list: str
    """`file` (备案) or `agree` (同意)."""
    penalties_advise: bool
    """Whether a penalty in effect makes an introducer «不宜»."""
    steps: Mapping[str, Step]


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers of the regulation."""

    age: int
    review_months: int
    publicity_days: int
    contacts: tuple[int, int]
    introducers: int
    training_days: int
    training_hours: int
    leaving_months: int
    probation_months: int
    extension_months: tuple[int, int]
    postponed_months: int
    application_from: int
    application_by: int


@dataclass(frozen=True, slots=True)
class Table:
    """Every version, oldest first, and the numbers all of them share."""

    texts: tuple[Text, ...]
    numbers: Numbers
    posting_day_counts: bool
    keep_days: int

    def on(self, day: date) -> Text:
        """The text by which a step of this day is checked; the oldest for whatever was before."""
        return next((text for text in reversed(self.texts) if text.since <= day), self.texts[0])

    def step(self, number: str, day: date) -> Step:
        """A step as the text of a day has it. Raises KeyError."""
        return self.on(day).steps[number]


# -- the applicant --------------------------------------------------------------------------------------------


def of_age(born: date, years: int) -> date:
    """The earliest day of an application: the birthday; born on 29 February: 1 March in a common year (第五条)."""
    day = months_later(born, 12 * years)
    return day if day.day == born.day else day + DAY


def local_day(at: datetime, zone: tzinfo) -> date:
    """The organisation's day of an instant."""
    return at.astimezone(zone).date()


def by(term: Term | None, days: Mapping[str, date]) -> date | None:
    """The day that a term comes to; None without a term, or where its first day is not known."""
    return months_later(days[term.after], term.months) if term and term.after in days else None


# -- the activist ---------------------------------------------------------------------------------------------


def reviews(activist_on: date, months: int, count: int) -> list[date]:
    """The days of the first reviews, each counted from the first day (第十一条)."""
    return [months_later(activist_on, months * number) for number in range(1, count + 1)]


def contacts_fit(count: int, numbers: Numbers) -> bool:
    """One or two 培养联系人 (第九条)."""
    least, most = numbers.contacts
    return least <= count <= most


@dataclass(frozen=True, slots=True)
class Publicity:
    """A public notice: its last day, and the first on which somebody may be listed (第十三条)."""

    last_day: date
    earliest_listing: date


def publicity(starts: date, days: int, calendar: Calendar, *, posting_day_counts: bool) -> Publicity:
    """A notice of so many working days that was posted on a day."""
    last = starts - DAY if posting_day_counts else starts
    for _ in range(days):
        last += DAY
        while not calendar.is_workday(last):
            last += DAY
    return Publicity(last, last + DAY)


# -- the development object -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Introducer:
    """Somebody who is to be 入党介绍人. `penalty`: none, warning, serious_warning, removed_from_post,
    probation_in_party; `in_effect` is asked of the first three, `rights_restored` of the last."""

    full_member: bool
    penalty: str = "none"
    in_effect: bool = False
    rights_restored: bool = False


def introducers(found: Sequence[Introducer], numbers: Numbers, *, penalties_advise: bool) -> tuple[str, list[str]]:
    """`ok`, `warn` or `block`, and why (第十四条)."""
    blocks = []
    if len(found) != numbers.introducers:
        blocks.append("two_required")
    if any(not one.full_member for one in found):
        blocks.append("not_a_full_member")
    if any(one.penalty == "probation_in_party" and not one.rights_restored for one in found):
        blocks.append("rights_not_restored")
    if blocks:
        return "block", blocks
    punished = any(one.penalty not in ("none", "probation_in_party") and one.in_effect for one in found)
    return ("warn", ["penalty_in_effect"]) if punished and penalties_advise else ("ok", [])


def trained(days: int, hours: int, numbers: Numbers) -> bool:
    """At least three days or at least 24 学时 (第十七条)."""
    return days >= numbers.training_days or hours >= numbers.training_hours


def leaves_soon(pre_review_on: date, leaves_on: date, numbers: Numbers) -> bool:
    """Whether they leave within three months of the pre-review, the last day included (第二十二条)."""
    return leaves_on <= months_later(pre_review_on, numbers.leaving_months)


def meeting_met(expected: int, present: int) -> bool:
    """More than half of those who should be there are there (第十九条)."""
    return 2 * present > expected


def passed(expected: int, favour: int) -> bool:
    """More than half of those who should be there are in favour, written opinions included (第二十条)."""
    return 2 * favour > expected


# -- the probationary member ----------------------------------------------------------------------------------


def probation_ends(meeting_on: date, numbers: Numbers, extended: int = 0) -> date:
    """One year from the meeting, and the extension (months) from its end (第三十一条)."""
    ends = months_later(meeting_on, numbers.probation_months)
    return months_later(ends, extended) if extended else ends


def extension(months: int, before: int, numbers: Numbers) -> str:
    """Why probation cannot be extended by so many months (第三十一条), after so many extensions; empty: it can."""
    least, most = numbers.extension_months
    if before:
        return "already_extended"
    if months < least:
        return "below_six_months"
    return "above_twelve_months" if months > most else ""


def postponed_until(ends: date, numbers: Numbers) -> date:
    """Until when the discussion may be put off for somebody who transferred in on probation (第三十五条)."""
    return months_later(ends, numbers.postponed_months)
