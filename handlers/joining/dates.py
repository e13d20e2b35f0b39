"""dates: which dates come up on the way of whom, and who is reminded of them, when?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial

from bot.core.action import Code
from bot.core.reply import Button, Phrase, words
from bot.core.router import Run
from handlers import Item, Kind, Round
from handlers.joining import desk, rules
from handlers.joining.course import APPLIED, DISCUSSED, MEETING, Course
from handlers.joining.desk import Case
from handlers.joining.rules import Step
from handlers.months import months_later
from handlers.rights import Right, may, places, today
from storage import applications, organisations, people
from storage.applications import HANDED, OPEN
from storage.audit import Actor
from storage.house import Tx
from storage.organisations import Org
from storage.people import Somebody
from storage.reminders import Kept

TERM, REVIEW, PROBATION = "join-term", "join-review", "join-probation"
WEEK = timedelta(days=7)
DAYS = {TERM: (-7, -1, 0), REVIEW: (-14, 0), PROBATION: (0,)}
"""Days before the day itself on which it is called to mind; probation also a month before its end."""
AFTER = {TERM: 7, REVIEW: 28, PROBATION: 28}
"""Days between two reminders once the day has passed."""


@dataclass(frozen=True, slots=True)
class Coming:
    """A date that comes up: the last day of a term, a review, or the end of probation."""

    kind: str
    person: Somebody
    org: Org
    day: date
    step: Step
    application: int = 0
    """0: somebody on probation whose way is not recorded here."""
    received: bool = True

    @property
    def subject(self) -> int:
        return self.person.id if self.kind == PROBATION else self.application


def coming(tx: Tx, now: datetime, area: Sequence[Org] | None = None) -> list[Coming]:
    """Every date that is ahead or overdue, of those who are in these organisations (None: of everybody)."""
    if area is not None and not area:
        return []
    rule, day = desk.table(tx), today(tx, now)
    under_way = applications.under_way(tx, area)
    records = applications.stages(tx, [filed.id for filed, _ in under_way])
    orgs = {org.id: org for org in organisations.all_of(tx, closed=True)}
    found: list[Coming] = []
    known: set[int] = set()
    for filed, person in under_way:
        case = Case(filed, person, orgs[person.organisation_id], Course(rule, records.get(filed.id, [])), day)
        if filed.state in (HANDED, OPEN):
            found += _of(tx, case)
        if case.course.has(MEETING):
            known.add(person.id)
    for person, admitted in applications.probationary(tx, area):
        if person.id not in known:
            ends = rules.probation_ends(admitted, rule.numbers)
            found.append(Coming(PROBATION, person, orgs[person.organisation_id], ends, rule.step(DISCUSSED, day)))
    return sorted(found, key=lambda one: (one.day, one.person.number))


def _of(tx: Tx, case: Case) -> Iterable[Coming]:
    """The dates of one application."""
    course, day = case.course, case.today
    if case.filed.state == HANDED:  # not received yet: the month is counted from the day it was handed in
        step = course.table.step("2", day)
        if last := rules.by(step.latest, {"1": desk.handed_on(tx, case.filed)}):
            yield Coming(TERM, case.person, case.org, last, step, case.filed.id, received=False)
        return
    ahead = case.ahead
    if ahead and ahead.latest and ahead.step.number != APPLIED:
        yield Coming(TERM, case.person, case.org, ahead.latest, ahead.step, case.filed.id)
    if review := course.review(day):
        yield Coming(REVIEW, case.person, case.org, review, course.table.step("6", day), case.filed.id)
    if course.ends and case.person.kind == "预备党员" and not course.has(DISCUSSED):
        yield Coming(PROBATION, case.person, case.org, course.ends, course.table.step(DISCUSSED, day), case.filed.id)


def within(tx: Tx, now: datetime, actor: Actor, days: int) -> list[Coming]:
    """What is overdue, and what comes up within so many days, within an actor's reach."""
    last = today(tx, now) + timedelta(days=days)
    found = coming(tx, now, places(tx, now, actor, Right.JOIN))
    return [one for one in found if one.day <= last and one.person.id != actor.person_id]


# -- rounds ---------------------------------------------------------------------------------------------------


def rounds(tx: Tx, now: datetime) -> Iterable[Round]:
    """A round for each date that is to be called to mind now."""
    day = today(tx, now)
    for one in coming(tx, now):
        stands = reminder(one, day)
        if stands is None:
            continue
        on, until = (_instant(tx, each) for each in stands)
        key = f"{one.subject}/{one.step.number}/{one.day}/{(stands[0] - one.day).days}"
        whom = partial(_whom, tx, now, one)
        # 第七条 and its like set these terms: the branch is told, whatever else it hears this week
        yield Round(one.kind, key, one.subject, on, until, whom, regulated=one.kind == TERM and not _usual(one))


def _usual(one: Coming) -> bool:
    return one.step.latest is not None and one.step.latest.usual


def reminder(one: Coming, day: date) -> tuple[date, date] | None:
    """The reminder that stands on a day, with the day on which the next takes its place; None: not yet."""
    days = [one.day + timedelta(days=before) for before in DAYS[one.kind]]
    if one.kind == PROBATION:
        days.insert(0, months_later(one.day, -1))
    every = AFTER[one.kind]
    over = max((day - one.day).days // every, 0)
    days += [one.day + timedelta(days=every * (over + more)) for more in (0, 1) if over + more]
    due = [each for each in days if each <= day]
    return (due[-1], next(each for each in days if each > day)) if due else None


def _whom(tx: Tx, now: datetime, one: Coming) -> Sequence[int]:
    found = list(desk.told(tx, now, one.org, but=one.person.id))
    return [*found, one.person.id] if one.kind == PROBATION and today(tx, now) < one.day else found


def line(tx: Tx, now: datetime, kept: Kept) -> Item | None:
    """What is said of it now; None once it is done, or is no more this reader's.

    It names nobody: who wants to join is shown where the policy lets it be shown.
    """
    number, day = kept.key.split("/")[1:3]
    for one in _about(tx, now, kept):
        its = (one.kind, one.subject, one.step.number, one.day.isoformat())
        if its != (kept.kind, kept.subject, number, day):
            continue
        if one.person.id == kept.person_id:
            return Item(words("joining.remind_me"), Button(Phrase("我要入党"), Run(Code("join"))))
        if not may(tx, now, Actor(kept.person_id, people.get(tx, kept.person_id).name, "chat"), Right.JOIN, one.org):
            return None
        said = words(
            f"joining.remind_{kept.kind.removeprefix('join-')}", day=one.day, over=today(tx, now) > one.day,
            step=Phrase(one.step.name), article=one.step.article, title=desk.table(tx).on(one.day).title,
            received=one.received, org=one.org.name,
        )  # fmt: skip
        return Item(said, Button(Phrase("入党申请"), Run(Code("applicants"))))
    return None


def _about(tx: Tx, now: datetime, kept: Kept) -> Iterable[Coming]:
    """The dates of the application, or of the person, that a reminder is about."""
    if kept.kind != PROBATION:
        filed = applications.get(tx, kept.subject)
        case = desk.case(tx, now, filed) if filed else None
        return _of(tx, case) if case and case.filed.state in (HANDED, OPEN) and case.person.left_on is None else ()
    person = people.get(tx, kept.subject)
    return coming(tx, now, [organisations.get(tx, person.organisation_id)]) if person.left_on is None else ()


REMINDERS = {
    TERM: Kind(Phrase("发展党员期限"), line, officers=True),
    REVIEW: Kind(Phrase("积极分子考察"), line, officers=True),
    PROBATION: Kind(Phrase("预备期满"), line),
}


def _instant(tx: Tx, day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=tx.house.zone).astimezone(UTC)
