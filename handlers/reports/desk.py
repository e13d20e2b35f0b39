"""Thought reports, as use cases: hand in, read, comment, see who has not, ask those once more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.kinds import Prose
from bot.core.reply import Refused
from handlers import secrecy
from handlers.files import desk as keeping
from handlers.reports.acts import named
from handlers.reports.rules import Every, Period
from handlers.reports.table import table
from handlers.rights import Right, places, require, today
from storage import audit, campaigns, contacts, files, offices, organisations, people, reports
from storage.audit import Actor
from storage.files import File
from storage.house import Tx
from storage.organisations import Org
from storage.people import Somebody
from storage.reports import SUBJECT, Comment, Report

NUDGE, COMMENT = "report_nudge", "report_comment"
"""Kinds of campaigns."""
LONGEST_COMMENT = 2000
SOON = timedelta(hours=20)
"""Asked again within this, somebody has had no night to write it."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was handed in, and for when it was due. `hint`: characters that are usual, where there were fewer."""

    report: Report
    period: Period
    files: int
    deadline: datetime
    hint: int


@dataclass(frozen=True, slots=True)
class Opened:
    """A report as somebody reads it. `readers`: who has read it, and when – told to its writer alone."""

    report: Report
    period: Period
    writer: Somebody
    branch: str
    text: str
    files: list[File]
    versions: list[Report]
    comments: list[tuple[str, Comment]]
    readers: list[tuple[str, datetime]]
    mine: bool


@dataclass(frozen=True, slots=True)
class Branch:
    """How a branch stands with a period: who has handed in, who was late, who has not. People are (id, name)."""

    org: Org
    period: Period
    done: list[tuple[int, str]]
    late: list[tuple[int, str]]
    missing: list[tuple[int, str]]

    @property
    def total(self) -> int:
        return len(self.done) + len(self.late) + len(self.missing)


# -- handing in -------------------------------------------------------------------------------------------------


def every(tx: Tx, person: Somebody) -> Every | None:
    """How often somebody hands in a report; None: not at all."""
    return table(tx.house.rules).every.get(person.kind)


def open_periods(tx: Tx, now: datetime, person: Somebody) -> list[Period]:
    """For which periods somebody may hand one in now: the last one, where it is missing and not too old; this one.

    Raises Refused for somebody who hands in none.
    """
    often = every(tx, person)
    if often is None:
        raise Refused("reports.not_asked", kind=person.kind)
    current = Period.of(today(tx, now), often)
    last, days = current.before, timedelta(days=table(tx.house.rules).late_days)
    expected = often is not Every.FREE and _was_here(tx, person, last)
    if expected and now < last.deadline(tx.house.zone) + days and not reports.has(tx, person.id, str(last)):
        return [last, current]
    return [current]


def is_open(tx: Tx, now: datetime, period: Period) -> bool:
    """Whether anybody may hand in for a period now: it has begun, and late ones are still taken."""
    days = timedelta(days=table(tx.house.rules).late_days)
    return period.first <= today(tx, now) and now < period.deadline(tx.house.zone) + days


def _was_here(tx: Tx, person: Somebody, period: Period) -> bool:
    org = organisations.get(tx, person.organisation_id)
    here = reports.expected(tx, [person.kind], period.deadline(tx.house.zone), org=org, exactly=True)
    return any(one[0] == person.id for one in here)


def submit(tx: Tx, now: datetime, person_id: int, period: Period, prose: Prose, channel: str) -> Receipt:
    """Hand in a report: the next version. Raises Refused for a period that is not open, and for a mark of secrecy."""
    person = people.get(tx, person_id)
    if period not in open_periods(tx, now, person):
        raise Refused("reports.not_open", period=named(period))
    secrecy.check(prose.text)
    deadline = period.deadline(tx.house.zone)
    report = reports.add(
        tx, now, person_id=person_id, organisation_id=person.organisation_id, period=str(period),
        late=now >= deadline, text=prose.text, channel=channel,
    )  # fmt: skip
    keeping.attach(tx, person_id, prose.files, (SUBJECT, report.id))
    hint = table(tx.house.rules).hint
    return Receipt(report, period, len(prose.files), deadline, 0 if prose.files or report.length >= hint else hint)


# -- reading ----------------------------------------------------------------------------------------------------


def reads(tx: Tx, now: datetime, person_id: int, report: Report) -> bool:
    """Whether somebody may read a report: its writer; by the table, their 培养联系人, offices of that very branch."""
    if people.get(tx, person_id).left_on is not None:
        return False
    if person_id == report.person_id:
        return True
    rule, day = table(tx.house.rules), today(tx, now)
    if rule.contact and person_id in contacts.of_person(tx, report.person_id, day):
        return True
    held = offices.of_person(tx, person_id, day)
    return any(one.org.id == report.organisation_id and one.role in rule.readers for one in held)


def read(tx: Tx, now: datetime, actor: Actor, report_id: int) -> Opened:
    """Open a report; the reading is written down. Raises Refused, the same for one that is not there."""
    report = _readable(tx, now, actor, report_id)
    mine = actor.person_id == report.person_id
    _note(tx, now, actor, report)
    versions = reports.of_person(tx, report.person_id, period=report.period)
    said = reports.comments(tx, [one.id for one in versions])
    names = {one.id: one.name for one in people.listed(tx, sorted({one.author_id for one in said}))}
    if mine:
        reports.seen(tx, now, [one.id for one in versions])
    return Opened(
        report,
        Period.read(report.period),
        people.get(tx, report.person_id),
        organisations.get(tx, report.organisation_id).name,
        reports.text(tx, report.id),
        files.of(tx, SUBJECT, [report.id]).get(report.id, []),
        versions,
        [(names[one.author_id], one) for one in said],
        readers(tx, report) if mine else [],
        mine,
    )


def _readable(tx: Tx, now: datetime, actor: Actor, report_id: int) -> Report:
    report = reports.get(tx, report_id)
    if report is None or actor.person_id is None or not reads(tx, now, actor.person_id, report):
        raise Refused("reports.operator" if actor.is_operator else "reports.not_yours")
    return report


def _note(tx: Tx, now: datetime, actor: Actor, report: Report) -> None:
    """Write a reading down; the writer's own is nobody's business."""
    if actor.person_id != report.person_id:
        audit.record(
            tx, now, actor, "report.read", f"report:{report.id}", period=report.period, version=report.version
        )


def readers(tx: Tx, report: Report) -> list[tuple[str, datetime]]:
    """Who has read a version, and when first."""
    return audit.first_by_name(tx, "report.read", f"report:{report.id}")


def opens(tx: Tx, now: datetime, person_id: int, file: File) -> bool:
    """Whether somebody may open a file of a report; the reading is written down."""
    report = reports.get(tx, file.subject_id)
    if report is None or not reads(tx, now, person_id, report):
        return False
    _note(tx, now, Actor(person_id, people.get(tx, person_id).name, "chat"), report)
    return True


def readable_branches(tx: Tx, now: datetime, person_id: int) -> list[Org]:
    """The branches whose reports somebody reads by office."""
    rule = table(tx.house.rules)
    held = offices.of_person(tx, person_id, today(tx, now))
    return list({one.org.id: one.org for one in held if one.role in rule.readers}.values())


def listed(tx: Tx, now: datetime, person_id: int, period: Period) -> list[tuple[Somebody, Report]]:
    """The newest reports of a period that somebody may read of others, by number: of a branch, and as a contact."""
    found = {
        report.id: report
        for org in readable_branches(tx, now, person_id)
        for report in reports.of_branch(tx, org.id, str(period))
    }
    if table(tx.house.rules).contact:
        theirs = contacts.with_contact(tx, person_id, today(tx, now))
        for versions in reports.handed_in(tx, [str(period)], theirs).values():
            found[versions[-1].id] = versions[-1]
    others = [one for one in found.values() if one.person_id != person_id]
    writers = {one.id: one for one in people.listed(tx, [one.person_id for one in others])}
    return sorted(((writers[one.person_id], one) for one in others), key=lambda pair: pair[0].number)


# -- commenting -------------------------------------------------------------------------------------------------


def comment(tx: Tx, now: datetime, actor: Actor, report_id: int, said: str) -> tuple[Somebody, Period]:
    """Say something to a report; to whom it goes, and about which period. Raises Refused for one's own."""
    report = _readable(tx, now, actor, report_id)
    if actor.person_id is None or actor.person_id == report.person_id:
        raise Refused("reports.own_comment")
    if not 1 <= len(said.strip()) <= LONGEST_COMMENT:
        raise Refused("reports.bad_comment", length=len(said.strip()), most=LONGEST_COMMENT)
    secrecy.check(said)
    number = reports.comment(tx, now, report.id, actor.person_id, said.strip())
    campaigns.create(tx, now, COMMENT, number, [report.person_id], channels="preferred")
    audit.record(tx, now, actor, "report.comment", f"report:{report.id}")
    return people.get(tx, report.person_id), Period.read(report.period)


# -- who has not ------------------------------------------------------------------------------------------------


def status(tx: Tx, now: datetime, actor: Actor, period: Period, org: Org | None = None) -> list[Branch]:
    """How each branch within an actor's reach stands with a period. Raises Refused where there is no such reach."""
    area = places(tx, now, actor, Right.REPORT)
    if org is not None:
        require(tx, now, actor, Right.REPORT, org)
        area = [org]
    if not area:
        raise Refused("reports.no_branch")
    rule = table(tx.house.rules)
    kinds = rule.kinds(Every.QUARTER if period.quarterly else Every.MONTH)
    before = period.deadline(tx.house.zone)
    found = []
    for place in area:
        expected = reports.expected(tx, kinds, before, org=place)
        key = str(period)
        handed = reports.handed_in(tx, [key], [one[0] for one in expected])
        branches = {org.id: Branch(org, period, [], [], []) for org in organisations.all_of(tx, below=place)}
        for person_id, _, name, home in expected:
            if one := branches.get(home):
                versions = handed.get((person_id, key), [])
                late = bool(versions) and all(version.late for version in versions)
                (one.late if late else one.done if versions else one.missing).append((person_id, name))
        found += [one for one in branches.values() if one.total]
    return found


def current_periods(tx: Tx, now: datetime) -> list[Period]:
    """The periods that run now, of those that anybody hands in for: the month, the quarter."""
    rule, day = table(tx.house.rules), today(tx, now)
    return [Period.of(day, often) for often in (Every.MONTH, Every.QUARTER) if rule.kinds(often)]


def missing(tx: Tx, period: Period, people_ids: Sequence[int] | None = None) -> list[int]:
    """Who is expected to hand in for a period and has not."""
    rule = table(tx.house.rules)
    kinds = rule.kinds(Every.QUARTER if period.quarterly else Every.MONTH)
    before = period.deadline(tx.house.zone)
    expected = [one[0] for one in reports.expected(tx, kinds, before)]
    if people_ids is not None:
        asked = set(people_ids)
        expected = [one for one in expected if one in asked]
    handed = reports.handed_in(tx, [str(period)], expected)
    return [one for one in expected if (one, str(period)) not in handed]


def still_missing(tx: Tx, person_id: int, period: Period) -> bool:
    """Whether somebody still has to hand in for a period, as far as one can tell without asking for everybody."""
    person = people.get(tx, person_id)
    often = every(tx, person)
    fits = often is (Every.QUARTER if period.quarterly else Every.MONTH)
    return person.left_on is None and fits and not reports.has(tx, person_id, str(period))


def nudge(tx: Tx, now: datetime, actor: Actor, period: Period, org: Org) -> int:
    """Ask those of a branch who have not handed in, and nobody else; how many. Raises Refused."""
    silent = [one for branch in status(tx, now, actor, period, org) for one, _ in branch.missing]
    if not is_open(tx, now, period):
        raise Refused("reports.nobody_may", period=named(period))
    if not silent:
        raise Refused("reports.nobody_missing", org=org.name)
    before = [one for one in campaigns.about(tx, NUDGE, period.number) if one.values.get("org") == org.id]
    if any(now - one.due_at < SOON for one in before):
        raise Refused("reports.just_nudged")
    campaigns.create(tx, now, NUDGE, period.number, silent, channels="preferred", org=org.id)
    audit.record(tx, now, actor, "report.nudge", f"org:{org.code}", period=str(period), people=len(silent))
    return len(silent)


# -- who accompanies whom ---------------------------------------------------------------------------------------


def accompany(
    tx: Tx, now: datetime, actor: Actor, person: Somebody, contact: Somebody, *, ends: bool = False
) -> None:
    """Let somebody be another's 培养联系人 from today, or end it. Raises Refused without the right."""
    require(tx, now, actor, Right.MEMBER, organisations.get(tx, person.organisation_id))
    day = today(tx, now)
    known = contact.id in contacts.of_person(tx, person.id, day)
    if known is not ends or contact.id == person.id or (not ends and contact.kind != "正式党员"):
        raise Refused("reports.no_contact", name=contact.name)
    if ends:
        contacts.end(tx, person.id, contact.id, day - timedelta(days=1))
    else:
        contacts.assign(tx, person.id, contact.id, day)
    audit.record(tx, now, actor, "contact.end" if ends else "contact.assign", person.number, contact=contact.number)
