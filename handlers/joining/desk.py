"""The applicant's side, as use cases: hand in, complete, see where one is, withdraw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property

from bot.core.kinds import Prose
from bot.core.reply import Refused
from handlers.files import desk as keeping
from handlers.joining import rules
from handlers.joining.course import RANK, Course, Window
from handlers.joining.days import under_age
from handlers.joining.rules import Table, Text
from handlers.joining.tables import table as stages_table
from handlers.rights import Right, may, today
from storage import applications, audit, campaigns, files, offices, organisations, people
from storage.applications import FILES, HANDED, OPEN, RETURNED, WITHDRAWN, Filed
from storage.audit import OPERATOR, Actor
from storage.files import File
from storage.house import Tx
from storage.organisations import Org
from storage.people import Somebody

INBOX, ANSWER = "join.inbox", "join.answer"
"""What is told to the branch, and to the applicant."""
CONSENT = "2026-11"
"""Which text one agrees to (`joining.consent`)."""
TOLD = ("支部书记", "组织委员", "党委书记", "组织员")
"""Who hears of an application, in the nearest organisation that has any of them."""
MEMBERS = ("正式党员", "预备党员")


@dataclass(frozen=True)
class Case:
    """An application with its person, their organisation now, and the way so far."""

    filed: Filed
    person: Somebody
    org: Org
    course: Course
    today: date

    @property
    def open(self) -> bool:
        return self.filed.closed_at is None

    @cached_property
    def ahead(self) -> Window | None:
        """What comes next; None where nothing does, or the application has not been received."""
        if self.filed.state != OPEN:
            return None
        return self.course.ahead(self.today)

    @property
    def text(self) -> Text:
        """The text of today."""
        return self.course.table.on(self.today)


def table(tx: Tx) -> Table:
    """The steps as they are in force here. Raises TableError."""
    return stages_table(tx.house.rules)


def case(tx: Tx, now: datetime, filed: Filed, person: Somebody | None = None) -> Case:
    """An application with all that belongs to it."""
    person = person or people.get(tx, filed.person_id)
    records = applications.stages(tx, [filed.id]).get(filed.id, [])
    org = organisations.get(tx, person.organisation_id)
    return Case(filed, person, org, Course(table(tx), records), today(tx, now))


def handed_on(tx: Tx, filed: Filed) -> date:
    """The organisation's day on which it was handed in."""
    return rules.local_day(filed.handed_at, tx.house.zone)


def talk_by(tx: Tx, found: Case) -> date | None:
    """The last day for the talk of an application that waits: counted from the day it was handed in (第七条)."""
    return rules.by(found.course.table.step("2", found.today).latest, {"1": handed_on(tx, found.filed)})


# -- handing in -----------------------------------------------------------------------------------------------


def mine(tx: Tx, now: datetime, person_id: int) -> Case | None:
    """A person's open application, else their last; None: there never was one."""
    filed = applications.latest_of(tx, person_id)
    return case(tx, now, filed) if filed else None


def birthday(tx: Tx, person_id: int) -> date | None:
    """As the roster knows it."""
    born = people.full(tx, person_id)["born"]
    return born if isinstance(born, date) else None


def may_apply(tx: Tx, now: datetime, person_id: int) -> None:
    """Raises Refused for somebody who has an open application, or is further on the way."""
    person = people.get(tx, person_id)
    if person.left_on is not None or RANK.index(person.kind) > RANK.index("入党申请人"):
        raise Refused("joining.further", kind=person.kind)
    last = applications.latest_of(tx, person_id)
    if last and last.closed_at is None:
        raise Refused("joining.open_already")
    if born := birthday(tx, person_id):
        check_age(tx, now, born)


def check_age(tx: Tx, now: datetime, born: date) -> None:
    """Raises Refused with the earliest day of an application (第五条)."""
    if too_young := under_age(table(tx), born, today(tx, now)):
        raise too_young


def hand_in(tx: Tx, now: datetime, person_id: int, written: Prose, born: date | None) -> Case:
    """Hand in an application; the branch hears of it. Raises Refused."""
    tx.lock("application", person_id)
    may_apply(tx, now, person_id)
    known, person = birthday(tx, person_id), people.get(tx, person_id)
    whole = known or born
    if whole is None:
        raise Refused("joining.no_birthday")
    check_age(tx, now, whole)
    number = applications.add(
        tx, person_id, person.organisation_id, handed_at=now, state=HANDED, statement=written.text,
        born=None if known else whole, consent=CONSENT,
    )  # fmt: skip
    keeping.attach(tx, person_id, written.files, (FILES, number))
    audit.record(
        tx, now, _self(person), "application.hand_in", subject(number), consent=CONSENT, files=len(written.files)
    )
    return _tell_branch(tx, now, number, "handed")


def complete(tx: Tx, now: datetime, person_id: int, more: Prose) -> Case:
    """Add to an application that came back; it waits to be received again. Raises Refused."""
    filed = _open(tx, person_id)
    if filed.state not in (RETURNED, HANDED):
        raise Refused("joining.received_already")
    before = applications.statement(tx, filed.id)
    whole = "\n\n".join(part for part in (before, more.text) if part)
    applications.change(tx, filed.id, state=HANDED, statement=whole or None, handed_at=now)
    keeping.attach(tx, person_id, more.files, (FILES, filed.id))
    audit.record(
        tx, now, _self(people.get(tx, person_id)), "application.complete", subject(filed.id), files=len(more.files)
    )
    return _tell_branch(tx, now, filed.id, "handed")


def withdraw(tx: Tx, now: datetime, person_id: int, why: str = "") -> Case:
    """Withdraw one's application: at any time before one is a member, and without giving a reason."""
    filed = _open(tx, person_id)
    person = people.get(tx, person_id)
    if person.kind in MEMBERS:
        raise Refused("joining.member_already", kind=person.kind)
    applications.change(tx, filed.id, state=WITHDRAWN, closed_at=now, reason=why or None)
    audit.record(tx, now, _self(person), "application.withdraw", subject(filed.id))
    return _tell_branch(tx, now, filed.id, "withdrawn")


def own_words(tx: Tx, now: datetime, person_id: int) -> tuple[Case, str, list[File]]:
    """What one has handed in oneself."""
    found = mine(tx, now, person_id)
    if found is None:
        raise Refused("joining.none")
    return found, *contents(tx, found.filed)


def contents(tx: Tx, filed: Filed) -> tuple[str, list[File]]:
    """Words and files of an application; the caller writes the reading down."""
    return applications.statement(tx, filed.id), files.of(tx, FILES, [filed.id]).get(filed.id, [])


def opens(tx: Tx, now: datetime, person_id: int, file: File) -> bool:
    """Whether somebody may open a page of an application; others' reading is written down."""
    filed = applications.get(tx, file.subject_id)
    if filed is None:
        return False
    if filed.person_id == person_id:
        return True
    org = organisations.get(tx, people.get(tx, filed.person_id).organisation_id)
    reader = Actor(person_id, people.get(tx, person_id).name, "chat")
    if not may(tx, now, reader, Right.JOIN, org):
        return False
    audit.record(tx, now, reader, "application.read", subject(filed.id), file=file.id)
    return True


# -- the branch and the time ----------------------------------------------------------------------------------


def told(tx: Tx, now: datetime, org: Org, but: int = 0) -> Sequence[int]:
    """Who hears of applications there: secretary and 组织委员 of the branch, else of what stands above."""
    day = today(tx, now)
    for place in (org, *reversed(organisations.ancestors(tx, org))):
        held = [one for one in offices.holders(tx, day, org=place, roles=TOLD) if one.org.id == place.id]
        found = dict.fromkeys(one.person_id for one in held if one.person_id != but)
        if found:
            return [person.id for person in people.listed(tx, list(found)) if person.left_on is None]
    return []


def due(tx: Tx, now: datetime) -> int:
    """Delete what ended without a decision long enough ago; end what somebody left open who has gone."""
    for gone in (ended := applications.end_of_left(tx, now)):
        audit.record(tx, now, OPERATOR, "application.end", subject(gone))
    return len(ended) + applications.purge(tx, now - timedelta(days=table(tx).keep_days))


def subject(application_id: int) -> str:
    """An application in the audit."""
    return f"application {application_id}"


def _open(tx: Tx, person_id: int) -> Filed:
    tx.lock("application", person_id)
    filed = applications.latest_of(tx, person_id)
    if filed is None or filed.closed_at is not None:
        raise Refused("joining.none")
    return filed


def _tell_branch(tx: Tx, now: datetime, number: int, event: str) -> Case:
    filed = applications.get(tx, number)
    assert filed is not None
    found = case(tx, now, filed)
    whom = told(tx, now, found.org, but=found.person.id)
    campaigns.create(tx, now, INBOX, number, whom, channels="preferred", event=event)
    return found


def _self(person: Somebody) -> Actor:
    return Actor(person.id, person.name, "chat")
