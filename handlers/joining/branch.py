"""The branch's side, as use cases: read, receive, send back, decline, record a step, correct.

Nothing moves a case but a recorded decision of people; what somebody is in the roster follows through its own desk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from bot.core.reply import Refused
from handlers.joining import desk
from handlers.joining.course import CONFIRMED, CONTACTS, FILED, RANK, RECEIVED, Course
from handlers.joining.desk import ANSWER, Case, subject
from handlers.joining.guards import ASKED, Facts, Verdict, check
from handlers.joining.rules import Introducer
from handlers.organisation import members
from handlers.rights import Right, places, require, roles_with, today
from handlers.roster.desk import columns
from handlers.workdays import workdays
from storage import applications, audit, campaigns, contacts, organisations, people
from storage.applications import CANCELLED, DECLINED, DONE, HANDED, OPEN, RETURNED, WITHDRAWN, Filed, Stage
from storage.audit import Actor
from storage.files import File
from storage.house import Tx
from storage.organisations import Org
from storage.people import Somebody

REASON = (5, 500)
"""Characters of a reason."""
BY = (60, 100)
"""Characters at the most of who has received an application, and of who has decided a step."""
ON_THE_WAY = ("入党申请人", "入党积极分子", "发展对象")


@dataclass(frozen=True, slots=True)
class Entry:
    """A step as somebody wants it recorded. `by`: the body that decided or did it."""

    step: str
    day: date
    by: str = ""
    facts: Facts = field(default_factory=Facts)
    note: str = ""
    names: tuple[str, ...] = ()
    """The contacts or introducers, as they are kept with it."""


# -- looking --------------------------------------------------------------------------------------------------


def reach(tx: Tx, now: datetime, actor: Actor) -> list[Org]:
    """Whose applications an actor sees to: those of these organisations. Raises Refused for somebody without any."""
    area = places(tx, now, actor, Right.JOIN)
    if not area:
        raise Refused("joining.nowhere", offices=roles_with(Right.JOIN))
    return area


def inbox(tx: Tx, now: datetime, actor: Actor) -> list[Case]:
    """The applications under way within an actor's reach. Raises Refused as `reach` does."""
    area = reach(tx, now, actor)
    found = [(filed, person) for filed, person in applications.under_way(tx, area) if person.id != actor.person_id]
    records = applications.stages(tx, [filed.id for filed, _ in found])
    orgs = {org.id: org for org in organisations.all_of(tx, closed=True)}
    rule, day = desk.table(tx), today(tx, now)
    return [
        Case(filed, person, orgs[person.organisation_id], Course(rule, records.get(filed.id, [])), day)
        for filed, person in found
    ]


def one(tx: Tx, now: datetime, actor: Actor, application_id: int) -> Case:
    """An application, for somebody who sees to it. Raises Refused for any other, as if there were none."""
    filed = applications.get(tx, application_id)
    if filed is None:
        raise Refused("joining.no_such")
    found = desk.case(tx, now, filed)
    if not any(place.holds(found.org) for place in places(tx, now, actor, Right.JOIN)):
        raise Refused("joining.no_such")
    if found.person.id == actor.person_id:
        raise Refused("joining.own_case")
    return found


def of_person(tx: Tx, now: datetime, actor: Actor, written: str) -> tuple[Somebody, Case | None]:
    """Somebody by number or name, with their open application, else the last. Raises Refused."""
    person = members.one(tx, now, actor, Right.JOIN, written)
    filed = applications.latest_of(tx, person.id)
    return person, one(tx, now, actor, filed.id) if filed else None


def read(tx: Tx, now: datetime, actor: Actor, application_id: int) -> tuple[Case, str, list[File]]:
    """What the applicant wrote. Reading it is written down."""
    found = one(tx, now, actor, application_id)
    audit.record(tx, now, actor, "application.read", subject(application_id), of=found.person.number)
    return found, *desk.contents(tx, found.filed)


def notes(tx: Tx, now: datetime, actor: Actor, application_id: int) -> dict[int, tuple[str, Mapping[str, Any]]]:
    """Notes and facts of the records, by the number of the record. Reading them is written down."""
    found = one(tx, now, actor, application_id)
    audit.record(tx, now, actor, "application.notes", subject(application_id), of=found.person.number)
    return {number: (note, facts) for number, (note, facts) in applications.notes(tx, application_id).items()}


def introducers(full: Sequence[bool], penalty: str) -> tuple[Introducer, ...]:
    """Who is to introduce, each with whether they are 正式党员; `penalty` of one of them: none, effect, probation."""
    given = {"effect": ("warning", True), "probation": ("probation_in_party", False)}
    name, in_effect = given.get(penalty, ("none", False))
    return tuple(Introducer(one, name if at == 0 else "none", in_effect and at == 0) for at, one in enumerate(full))


# -- deciding -------------------------------------------------------------------------------------------------


def receive(tx: Tx, now: datetime, actor: Actor, application_id: int, on: date, by: str) -> Case:
    """受理: somebody has received it on a day, from which the month for the talk runs (第七条)."""
    found = _decide(tx, now, actor, application_id, HANDED, RETURNED)
    if on > found.today:
        raise Refused("joining.no_future")
    if on < (handed := desk.handed_on(tx, found.filed)):
        raise Refused("joining.before_handed", on=handed)
    return _received(tx, now, actor, found.filed, on, by)


def to_register(tx: Tx, now: datetime, actor: Actor, written: str) -> Somebody:
    """Somebody by number or name whose application on paper may be registered. Raises Refused."""
    person = members.one(tx, now, actor, Right.JOIN, written)
    _registrable(tx, now, actor, person)
    return person


def _registrable(tx: Tx, now: datetime, actor: Actor, person: Somebody) -> None:
    require(tx, now, actor, Right.JOIN, organisations.get(tx, person.organisation_id))
    if person.id == actor.person_id:
        raise Refused("joining.own_case")
    last = applications.latest_of(tx, person.id)
    if last and last.closed_at is None:
        raise Refused("joining.registered_already", name=person.name)
    if person.left_on is not None or person.kind == "正式党员":
        raise Refused("joining.nothing_to_register", name=person.name, kind=person.kind)


def register(tx: Tx, now: datetime, actor: Actor, person: Somebody, on: date, by: str) -> Case:
    """Register an application that was handed in on paper, at whatever step it is by now."""
    tx.lock("application", person.id)
    _registrable(tx, now, actor, person)
    if on > today(tx, now):
        raise Refused("joining.no_future")
    number = applications.add(tx, person.id, person.organisation_id, handed_at=now, state=HANDED)
    filed = applications.get(tx, number)
    assert filed is not None
    return _received(tx, now, actor, filed, on, by)


def _received(tx: Tx, now: datetime, actor: Actor, filed: Filed, on: date, by: str) -> Case:
    by = _body(by, BY[0]) or actor.name
    applications.change(
        tx, filed.id, state=OPEN, received_on=on, received_by=by, received_by_id=actor.person_id, reason=None
    )
    _record(tx, now, actor, filed, Entry(RECEIVED, on, by), desk.table(tx).on(on).name)
    return _follow(tx, now, actor, filed.id, "received")


def send_back(tx: Tx, now: datetime, actor: Actor, application_id: int, why: str) -> Case:
    """退回补充: ask the applicant to complete it."""
    found = _decide(tx, now, actor, application_id, HANDED)
    applications.change(tx, found.filed.id, state=RETURNED, reason=_reason(why))
    audit.record(tx, now, actor, "application.return", subject(application_id))
    return _follow(tx, now, actor, application_id, "returned")


def decline(tx: Tx, now: datetime, actor: Actor, application_id: int, by: str, why: str) -> Case:
    """End an application by a decision of the branch, with its reason; not that of somebody who is a member."""
    found = _decide(tx, now, actor, application_id, HANDED, RETURNED, OPEN)
    if found.person.kind in desk.MEMBERS:
        raise Refused("joining.member_already", kind=found.person.kind)
    applications.change(tx, found.filed.id, state=DECLINED, reason=_reason(why), closed_at=now)
    audit.record(
        tx, now, actor, "application.decline", subject(application_id), decided_by=_body(by, BY[1]) or found.org.name
    )
    _off_the_way(tx, now, actor, found.person)
    return _follow(tx, now, actor, application_id, "declined")


def settle(tx: Tx, now: datetime, actor: Actor, application_id: int) -> Case:
    """The branch has seen that somebody withdrew: in the roster they are 群众 again."""
    found = _decide(tx, now, actor, application_id, WITHDRAWN)
    applications.change(tx, found.filed.id, settled=True)
    audit.record(tx, now, actor, "application.settle", subject(application_id))
    last = applications.latest_of(tx, found.person.id)
    if last is None or last.id == application_id:
        _off_the_way(tx, now, actor, found.person)
    return one(tx, now, actor, application_id)


def judge(tx: Tx, case: Case, entry: Entry) -> Verdict:
    """What stands against a record, and what has to be considered; nothing is written."""
    calendar = workdays(tx.house.rules)
    known = calendar.knows(entry.day.year)
    return check(case.course, entry.step, entry.day, case.today, entry.facts, calendar, knows_year=known)


def record(tx: Tx, now: datetime, actor: Actor, application_id: int, entry: Entry) -> tuple[Case, Verdict]:
    """Record a step that people have taken or decided. Raises Refused with what the regulation has against it."""
    case = _decide(tx, now, actor, application_id, OPEN)
    if entry.step not in desk.table(tx).on(entry.day).steps or entry.step == RECEIVED:
        raise Refused("joining.no_such_step", step=entry.step)
    verdict = judge(tx, case, entry)
    if verdict.refused:
        first = verdict.refused[0]
        raise Refused(f"joining.{first.code}", **first.values)
    if entry.step == CONFIRMED and (before := case.course.discussed):
        facts = replace(entry.facts, outcome=before.outcome, months=before.months)
        entry = replace(entry, facts=facts)
    body = _body(entry.by, BY[1]) or verdict.step.who
    _record(tx, now, actor, case.filed, replace(entry, by=body), verdict.version)
    if entry.step == CONTACTS:
        _accompany(tx, now, actor, case.person, entry.facts.contacts, entry.day)
    if over := _over(entry):
        applications.change(tx, case.filed.id, state=over, closed_at=now)
    # What was done before an application on paper was registered here is no news: one message has told of it.
    caught_up = not case.filed.consent and entry.day < desk.handed_on(tx, case.filed)
    quiet = verdict.step.repeats or caught_up
    return _follow(tx, now, actor, application_id, "recorded", quiet=quiet), verdict


def _over(entry: Entry) -> str:
    """How an application ends by a step; empty: it goes on."""
    if entry.step == CONFIRMED and entry.facts.outcome == "cancel":
        return CANCELLED
    return DONE if entry.step == FILED else ""


def last_record(case: Case) -> Stage | None:
    """The record that was made last: the one that can be struck."""
    records = [one for one in case.course.records if isinstance(one, Stage)]
    return max(records, key=lambda one: one.id, default=None)


def strike(tx: Tx, now: datetime, actor: Actor, application_id: int, stage_id: int) -> Case:
    """Take back the record that was made last: it was wrong. It stays in the books and counts no more."""
    case = _decide(tx, now, actor, application_id, OPEN, DONE, CANCELLED)
    last = last_record(case)
    if last is None or last.id != stage_id:
        raise Refused("joining.not_the_last")
    newer = applications.latest_of(tx, case.person.id)
    if newer and newer.id != application_id:
        raise Refused("joining.registered_already", name=case.person.name)
    was = case.course.standing[0]
    applications.strike(tx, now, stage_id, actor.name)
    audit.record(tx, now, actor, "application.strike", subject(application_id), step=last.step, day=last.day)
    if last.step == RECEIVED:
        paper = not case.filed.consent
        values: dict[str, Any] = {"state": HANDED, "received_on": None, "received_by": "", "received_by_id": None}
        if paper:
            values |= {"state": WITHDRAWN, "closed_at": now, "settled": True}
        applications.change(tx, application_id, **values)
        if not paper and case.person.kind == "入党申请人":
            _off_the_way(tx, now, actor, case.person)
        return _follow(tx, now, actor, application_id, "unreceived")
    if last.step == CONTACTS:
        _accompany(tx, now, actor, case.person, (), last.day)
    applications.change(tx, application_id, state=OPEN, closed_at=None)
    after = one(tx, now, actor, application_id)
    kind, admitted, confirmed = after.course.standing
    if was != kind and case.person.kind == was:
        _become(tx, now, actor, after.person, kind, admitted, confirmed)
    return one(tx, now, actor, application_id)


# -- inside ---------------------------------------------------------------------------------------------------


def _decide(tx: Tx, now: datetime, actor: Actor, application_id: int, *states: str) -> Case:
    """A case in one of these states, locked. Raises Refused."""
    tx.lock("application case", application_id)
    found = one(tx, now, actor, application_id)
    if found.filed.state not in states:
        waits = states == (OPEN,) and found.filed.state in (HANDED, RETURNED)
        raise Refused("joining.not_received" if waits else "joining.not_now", name=found.person.name)
    return found


def _record(tx: Tx, now: datetime, actor: Actor, filed: Filed, entry: Entry, version: str) -> None:
    asked = ASKED.get(entry.step, ())
    facts = {name: value for name, value in asdict(entry.facts).items() if name in asked}
    if entry.names:
        facts["names"] = list(entry.names)
    applications.record(
        tx, now, filed.id, step=entry.step, version=version, day=entry.day, decided_by=entry.by,
        recorded_by=actor.name, recorded_by_id=actor.person_id, outcome=entry.facts.outcome,
        months=entry.facts.months if entry.facts.outcome == "extend" else 0, note=entry.note.strip(), facts=facts,
    )  # fmt: skip
    audit.record(
        tx, now, actor, "application.record", subject(filed.id), step=entry.step, day=entry.day, version=version,
        decided_by=entry.by,
    )  # fmt: skip


def _accompany(tx: Tx, now: datetime, actor: Actor, person: Somebody, numbers: Sequence[str], day: date) -> None:
    """From a day on these are somebody's 培养联系人, and nobody else: they may read what the house lets them."""
    wanted = {found.id for number in numbers if (found := people.by_number(tx, number))}
    before = set(contacts.of_person(tx, person.id, day))
    for one_ in before - wanted:
        contacts.end(tx, person.id, one_, day - timedelta(days=1))
    for one_ in sorted(wanted - before):
        contacts.assign(tx, person.id, one_, day)
    audit.record(tx, now, actor, "contact.assign", person.number, contacts=list(numbers), day=day)


def _follow(tx: Tx, now: datetime, actor: Actor, application_id: int, event: str, *, quiet: bool = False) -> Case:
    """Let the roster follow, and tell the applicant."""
    case = one(tx, now, actor, application_id)
    kind, admitted, confirmed = case.course.standing
    further = RANK.index(kind) > RANK.index(case.person.kind) or case.filed.state == CANCELLED
    if event in ("received", "recorded") and further:
        _become(tx, now, actor, case.person, kind, admitted, confirmed)
    if not quiet:
        last = last_record(case)
        record = last.id if last and event == "recorded" else 0
        campaigns.create(
            tx, now, ANSWER, application_id, [case.person.id], channels="preferred", event=event, record=record
        )
    return one(tx, now, actor, application_id)


def _off_the_way(tx: Tx, now: datetime, actor: Actor, person: Somebody) -> None:
    if person.kind in ON_THE_WAY:
        _become(tx, now, actor, person, "群众", None, None)


def _become(
    tx: Tx, now: datetime, actor: Actor, person: Somebody, kind: str, admitted: date | None, confirmed: date | None
) -> None:  # fmt: skip
    """The roster's own desk changes what somebody is: it checks the right and writes it down."""
    known = people.full(tx, person.id)
    wanted: dict[str, object] = {"kind": kind, "admitted": admitted, "confirmed": confirmed}
    has = {"kind": known["kind"], "admitted": known["admitted_on"], "confirmed": known["confirmed_on"]}
    written = {name: str(value) if value else "" for name, value in wanted.items() if value != has[name]}
    if written:
        members.edit(tx, now, actor, person, columns(tx), written)


def _body(by: str, most: int) -> str:
    if len(by := by.strip()) > most:
        raise Refused("joining.bad_by", length=len(by), most=most)
    return by


def _reason(why: str) -> str:
    why, (least, most) = why.strip(), REASON
    if not least <= len(why) <= most:
        raise Refused("joining.bad_reason", length=len(why), least=least, most=most)
    return why
