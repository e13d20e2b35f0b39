"""guards: may this step be recorded with this day, and what has to be said about it?

What the regulation forbids is refused, what it advises against is warned of, and a term that was missed is said and
not undone: what has been decided is for people.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from handlers.joining import rules
from handlers.joining.course import APPLIED, CONTACTS, DISCUSSED, LISTED, MEETING, Course
from handlers.joining.rules import Calendar, Introducer, Step


@dataclass(frozen=True, slots=True)
class Facts:
    """What a step is checked by, beside its day; what was not told is None or empty."""

    contacts: tuple[str, ...] = ()
    contacts_full: bool = True
    """Whether all of them are 正式党员, as far as the roster knows."""
    introducers: tuple[Introducer, ...] = ()
    posted_on: date | None = None
    objections: bool = False
    """The result of the notice stands against it."""
    cleared: bool | None = None
    """The written conclusion of the political review."""
    days: int = 0
    hours: int = 0
    special: bool = False
    leaves_on: date | None = None
    expected: int | None = None
    present: int | None = None
    favour: int | None = None
    outcome: str = ""
    months: int = 0


@dataclass(frozen=True, slots=True)
class Said:
    """A no or a warning: its block in `joining`, and the values put into it."""

    code: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass
class Verdict:
    """What stands against a record, and what has to be considered."""

    version: str
    step: Step
    refused: list[Said] = field(default_factory=list)
    warned: list[Said] = field(default_factory=list)

    def no(self, code: str, **values: object) -> None:
        self.refused.append(Said(f"no_{code}", values))

    def warn(self, code: str, **values: object) -> None:
        self.warned.append(Said(f"warn_{code}", values))


def check(
    course: Course, number: str, day: date, today: date, facts: Facts, calendar: Calendar, *, knows_year: bool = True
) -> Verdict:  # fmt: skip
    """Judge a record before it is made, by the text of its own day. `knows_year`: the calendar's year is known."""
    text = course.table.on(day)
    found = Verdict(text.name, step := text.steps[number])
    if day > today:
        found.no("future")
    if course.has(number) and not step.repeats:
        found.no("twice", on=course.on(number))
    for need in step.needs:
        before = course.on(need)
        if before is None:
            found.no("missing", needs=_named(course, need, day), number=need)
        elif day < before:
            found.no("before", needs=_named(course, need, day), number=need, on=before)
    _order(course, found, number, day)
    _terms(course, found, number, day)
    if special := _OF.get(number):
        special(course, found, day, facts, calendar)
    if number == LISTED and not knows_year:
        found.warn("weekdays_only")
    if not text.confirmed:
        found.warn("unconfirmed")
    return found


def _named(course: Course, number: str, day: date) -> str:
    return course.table.step(number, day).name


def _order(course: Course, found: Verdict, number: str, day: date) -> None:
    """A step before this one that is not there, although nothing demands it."""
    steps = course.table.on(day).steps
    if steps[number].repeats:
        return
    for other, its in steps.items():
        if other == number:
            return
        if not its.repeats and not course.has(other) and other not in steps[number].needs:
            found.warn("skipped", number=other, name=its.name)


def _terms(course: Course, found: Verdict, number: str, day: date) -> None:
    window = course.window(number, day)
    earliest = rules.by(window.step.earliest, course.days)
    if earliest and day < earliest:
        found.no("too_early" if number != DISCUSSED else "probation_not_over", earliest=earliest, step=window.step)
    if number == APPLIED:
        return  # its days are a convention
    if window.utmost and day > window.utmost:
        found.warn("beyond", utmost=window.utmost, step=window.step)
    elif window.latest and day > window.latest:
        code = "special" if window.utmost else "usual" if window.usual else "late"
        found.warn(code, latest=window.latest, utmost=window.utmost, step=window.step)


# -- what single steps ask for --------------------------------------------------------------------------------


def _contacts(course: Course, found: Verdict, _day: date, facts: Facts, _calendar: Calendar) -> None:
    if not rules.contacts_fit(len(facts.contacts), course.table.numbers):
        found.no("contacts", count=len(facts.contacts), step=found.step)
    elif not facts.contacts_full:
        found.no("contact_not_full", step=found.step)


def _listing(course: Course, found: Verdict, day: date, facts: Facts, calendar: Calendar) -> None:
    if facts.objections:
        found.no("objections", step=found.step)
    if not course.table.on(day).publicity and facts.posted_on is None:
        return
    if facts.posted_on is None:
        found.no("not_posted", step=found.step, days=course.table.numbers.publicity_days)
        return
    sent_up = course.on("7")
    if sent_up and facts.posted_on < sent_up:
        found.no("posted_before", on=sent_up, step=found.step)
    notice = rules.publicity(
        facts.posted_on, course.table.numbers.publicity_days, calendar,
        posting_day_counts=course.table.posting_day_counts,
    )  # fmt: skip
    if day < notice.earliest_listing:
        found.no(
            "posted_too_short", last=notice.last_day, earliest=notice.earliest_listing, step=found.step,
            days=course.table.numbers.publicity_days,
        )  # fmt: skip


def _introducers(course: Course, found: Verdict, day: date, facts: Facts, _calendar: Calendar) -> None:
    advise = course.table.on(day).penalties_advise
    result, reasons = rules.introducers(facts.introducers, course.table.numbers, penalties_advise=advise)
    for reason in reasons:
        (found.no if result == "block" else found.warn)(reason, step=found.step, count=len(facts.introducers))


def _review(_course: Course, found: Verdict, _day: date, facts: Facts, _calendar: Calendar) -> None:
    if not facts.cleared:
        found.no("not_cleared" if facts.cleared is False else "no_conclusion", step=found.step)


def _training(course: Course, found: Verdict, _day: date, facts: Facts, _calendar: Calendar) -> None:
    numbers = course.table.numbers
    if rules.trained(facts.days, facts.hours, numbers):
        return
    told = {"days": numbers.training_days, "hours": numbers.training_hours, "step": found.step}
    (found.warn if facts.special else found.no)("training_special" if facts.special else "training_too_short", **told)


def _pre_review(course: Course, found: Verdict, day: date, facts: Facts, _calendar: Calendar) -> None:
    if facts.leaves_on and rules.leaves_soon(day, facts.leaves_on, course.table.numbers):
        found.warn("leaves_soon", months=course.table.numbers.leaving_months, step=found.step)


def _vote(_course: Course, found: Verdict, _day: date, facts: Facts, _calendar: Calendar) -> None:
    expected, present, favour = facts.expected, facts.present, facts.favour
    if expected is None or present is None or favour is None:
        found.no("no_numbers", step=found.step)
    elif present > expected or favour > expected:
        found.no("impossible", expected=expected, present=present, favour=favour)
    elif not rules.meeting_met(expected, present):
        found.no("not_met", expected=expected, present=present, needed=expected // 2 + 1, step=found.step)
    elif not rules.passed(expected, favour):
        found.no("not_passed", expected=expected, favour=favour, needed=expected // 2 + 1, step=found.step)


def _discussion(course: Course, found: Verdict, day: date, facts: Facts, calendar: Calendar) -> None:
    _vote(course, found, day, facts, calendar)
    if facts.outcome not in ("confirm", "extend", "cancel"):
        found.no("no_outcome", step=found.step)
    elif facts.outcome == "extend":
        reason = rules.extension(facts.months, course.extensions, course.table.numbers)
        if reason:
            least, most = course.table.numbers.extension_months
            found.no(reason, months=facts.months, least=least, most=most, step=found.step)


_OF = {
    CONTACTS: _contacts,
    LISTED: _listing,
    "9": _introducers,
    "10": _review,
    "11": _training,
    "13": _pre_review,
    MEETING: _vote,
    DISCUSSED: _discussion,
}
"""What single steps are checked by."""
ASKED: Mapping[str, tuple[str, ...]] = {
    CONTACTS: ("contacts",),
    LISTED: ("posted_on", "objections"),
    "9": ("introducers",),
    "10": ("cleared",),
    "11": ("days", "hours", "special"),
    "13": ("leaves_on",),
    MEETING: ("expected", "present", "favour"),
    DISCUSSED: ("expected", "present", "favour", "outcome", "months"),
}
"""Which facts a step asks for."""
