"""joining: do our rules decide cases as a file expects?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import cast

from handlers.casebook import Fields, Kind, Malformed, refusal
from handlers.joining import rules
from handlers.joining.rules import Introducer, Table
from storage.house import BEIJING


def kinds(table: Table) -> Mapping[str, Kind]:
    """The kinds of cases that are decided here."""
    cases = _Cases(table)
    found: dict[str, Kind] = {
        "age": cases.age,
        "talk_deadline": cases.talk_deadline,
        "activist_clock": cases.activist_clock,
        "development_check": cases.development_check,
        "publicity": cases.publicity,
        "training": cases.training,
        "branch_meeting": cases.branch_meeting,
        "admission_clock": cases.admission_clock,
        "conversion": cases.conversion,
        "extension": cases.extension,
        "oath": cases.oath,
        "postponed_discussion": cases.postponed_discussion,
        "leaving_soon": cases.leaving_soon,
        "contact_count": cases.contact_count,
        "introducers": cases.introducers,
        "rule_version": cases.rule_version,
    }
    return {name: _within_the_calendar(kind) for name, kind in found.items()}


def _within_the_calendar(kind: Kind) -> Kind:
    """A kind whose days may lie at the end of the calendar, where nothing is a month later."""

    def decide(given: Fields) -> Fields:
        try:
            return kind(given)
        except Malformed:
            raise
        except (ValueError, OverflowError):
            raise Malformed("", "days within the calendar") from None

    return decide


def _shape(given: Fields, name: str, wanted: str, read: Callable[[object], object]) -> object:
    try:
        return read(given.get(name))
    except (ValueError, TypeError, OverflowError):
        raise Malformed(name, wanted) from None


def _day(given: Fields, name: str) -> date:
    return cast(
        date, _shape(given, name, "a date such as 2026-11-24", lambda text: date.fromisoformat(cast(str, text)))
    )


def _count(given: Fields, name: str, default: int | None = None) -> int:
    value = given.get(name, default)
    if type(value) is not int or not 0 <= value <= 10_000:
        raise Malformed(name, "a whole number from 0 up")
    return value


def _yes(given: Fields, name: str, default: bool | None = None) -> bool:
    value = given.get(name, default)
    if type(value) is not bool:
        raise Malformed(name, "true or false")
    return value


def _days(given: Fields, name: str) -> frozenset[date]:
    def read(found: object) -> frozenset[date]:
        if not isinstance(found, list):
            raise TypeError
        return frozenset(date.fromisoformat(one) for one in found)

    return cast("frozenset[date]", _shape(given, name, "a list of dates", read))


@dataclass(frozen=True, slots=True)
class _Calendar:
    """Monday to Friday but for these days."""

    holidays: frozenset[date]
    working_weekends: frozenset[date]

    def is_workday(self, day: date) -> bool:
        return day in self.working_weekends or (day.weekday() < 5 and day not in self.holidays)


@dataclass(frozen=True, slots=True)
class _Cases:
    """Each kind is decided by the table in force. Days are written as in 2026-11-24."""

    table: Table

    def _by(self, step: str, which: str, after: str, day: date) -> str | None:
        term = getattr(self.table.step(step, day), which)
        found = rules.by(term, {after: day})
        return found.isoformat() if found else None

    def age(self, given: Fields) -> Fields:
        earliest = rules.of_age(_day(given, "born"), self.table.numbers.age)
        return {"accepted": _day(given, "applied") >= earliest, "earliest": earliest.isoformat()}

    def talk_deadline(self, given: Fields) -> Fields:
        if "received_at" in given:
            wanted = "an instant such as 2026-06-14T15:59:59Z"
            at = cast(datetime, _shape(given, "received_at", wanted, lambda t: datetime.fromisoformat(cast(str, t))))
            if at.tzinfo is None:
                raise Malformed("received_at", wanted)
            received = rules.local_day(at, BEIJING)
        else:
            received = _day(given, "received")
        return {"last_day": self._by("2", "latest", "1", received)}

    def activist_clock(self, given: Fields) -> Fields:
        since, numbers = _day(given, "activist_on"), self.table.numbers
        days = rules.reviews(since, numbers.review_months, min(_count(given, "reviews"), 100))
        return {
            "reviews": [day.isoformat() for day in days],
            "earliest_development": self._by("7", "earliest", "3", since),
        }

    def development_check(self, given: Fields) -> Fields:
        since, on = _day(given, "activist_on"), _day(given, "committee_on")
        earliest = rules.by(self.table.step("7", on).earliest, {"3": since})
        told = {"earliest": earliest.isoformat() if earliest else None}
        if earliest and on < earliest:
            return {**refusal("less_than_12_months"), **told}
        return {"accepted": True, **told}

    def publicity(self, given: Fields) -> Fields:
        found = rules.publicity(
            _day(given, "starts"), _count(given, "working_days", self.table.numbers.publicity_days),
            _Calendar(_days(given, "holidays"), _days(given, "working_weekends")),
            posting_day_counts=_yes(given, "posting_day_counts", self.table.posting_day_counts),
        )  # fmt: skip
        return {"last_day": found.last_day.isoformat(), "earliest_listing": found.earliest_listing.isoformat()}

    def training(self, given: Fields) -> Fields:
        if rules.trained(_count(given, "days"), _count(given, "hours"), self.table.numbers):
            return {"accepted": True, "review": []}
        if _yes(given, "special_case", default=False):
            return {"accepted": True, "review": ["special_case"]}
        return refusal("training_too_short")

    def branch_meeting(self, given: Fields) -> Fields:
        on = _day(given, "pre_review_on")
        return {"version": self.table.on(on).name, "meeting_by": self._by("15", "latest", "13", on)}

    def admission_clock(self, given: Fields) -> Fields:
        on = _day(given, "meeting_on")
        return {
            "approve_by": self._by("17", "latest", "15", on),
            "absolute_by": self._by("17", "utmost", "15", on),
            "probation_ends": rules.probation_ends(on, self.table.numbers).isoformat(),
            "dues_from": f"{on:%Y-%m}",
        }

    def conversion(self, given: Fields) -> Fields:
        extended = _count(given, "extension_months", 0)
        ends = rules.probation_ends(_day(given, "admitted_on"), self.table.numbers, extended)
        on = _day(given, "meeting_on")
        if on < ends:
            return {**refusal("probation_not_over"), "probation_ends": ends.isoformat()}
        return {
            "accepted": True, "probation_ends": ends.isoformat(), "party_age_from": ends.isoformat(),
            "approve_by": self._by("24", "latest", "23", on),
        }  # fmt: skip

    def extension(self, given: Fields) -> Fields:
        months, numbers = _count(given, "months"), self.table.numbers
        if reason := rules.extension(months, _count(given, "previous_extensions", 0), numbers):
            return refusal(reason)
        ends = rules.probation_ends(_day(given, "admitted_on"), numbers, months)
        return {"accepted": True, "new_end": ends.isoformat()}

    def oath(self, given: Fields) -> Fields:
        on = _day(given, "approved_on")
        return {"version": self.table.on(on).name, "usual_by": self._by("20", "latest", "17", on)}

    def postponed_discussion(self, given: Fields) -> Fields:
        ends = _day(given, "probation_ends")
        latest = rules.postponed_until(ends, self.table.numbers)
        return {"latest": latest.isoformat(), "converts_from": ends.isoformat()}

    def leaving_soon(self, given: Fields) -> Fields:
        soon = rules.leaves_soon(_day(given, "pre_review_on"), _day(given, "leaves_on"), self.table.numbers)
        return {"warn": soon}

    def contact_count(self, given: Fields) -> Fields:
        return {"accepted": rules.contacts_fit(_count(given, "contacts"), self.table.numbers)}

    def introducers(self, given: Fields) -> Fields:
        written = given.get("introducers")
        if not isinstance(written, list) or not all(isinstance(one, Mapping) for one in written):
            raise Malformed("introducers", "a list of {status, penalty}")
        found = [
            Introducer(
                one.get("status") == "full", str(one.get("penalty", "none")), _yes(one, "in_effect", default=False),
                _yes(one, "rights_restored", default=False),
            )
            for one in written
        ]  # fmt: skip
        advise = self.table.on(_day(given, "on")).penalties_advise
        result, reasons = rules.introducers(found, self.table.numbers, penalties_advise=advise)
        return {"result": result, "reasons": reasons}

    def rule_version(self, given: Fields) -> Fields:
        text = self.table.on(_day(given, "step_on"))
        return {
            "version": text.name, "publicity_required": text.publicity, "superior_to_list": text.superior_to_list,
        }  # fmt: skip
