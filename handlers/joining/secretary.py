"""joining, for the branch: 入党申请 – who has applied, read, receive, send back, decline, what is due."""

from __future__ import annotations

from datetime import date, datetime

from bot.core.action import Action, Code
from bot.core.form import Choice
from bot.core.reply import Button, Grade, Phrase, Reply, words
from bot.core.router import Run
from handlers import Answer, Item, Router, Turn, actor
from handlers.joining import branch, chat, dates, desk
from handlers.joining.course import RANK
from handlers.joining.desk import Case
from handlers.rights import Right, may, places, today
from storage import applications
from storage.applications import CANCELLED, DONE, HANDED, OPEN, RETURNED, WITHDRAWN, Stage
from storage.campaigns import Telling
from storage.house import Tx

router = Router()

PAGE = 20
SOON = 30
"""Days ahead that the list looks."""


class Look(Action, tag="jl", light=True):
    """An application and how it stands."""

    application: int


class Read(Action, tag="jr", light=True):
    """What the applicant wrote; the reading is written down."""

    application: int


class Notes(Action, tag="jn", light=True):
    """The records with their notes; the reading is written down."""

    application: int


class Page(Action, tag="jg", light=True):
    """A page of the list."""

    page: int


class Receive(Action, tag="je"):
    """受理 an application."""

    application: int


class SendBack(Action, tag="jb"):
    """退回补充."""

    application: int


class Decline(Action, tag="jd"):
    """End an application by a decision."""

    application: int


class Settle(Action, tag="js"):
    """The branch has seen that it was withdrawn."""

    application: int


class Strike(Action, tag="jx"):
    """Take back the last record; asked once more unless `sure`."""

    application: int
    record: int
    sure: bool


class Steps(Action, tag="jk"):
    """The steps that can be recorded now."""

    application: int


class Register(Action, tag="jh"):
    """Register an application on paper of this person (0: ask whose)."""

    person: int


def sees_applications(turn: Turn) -> bool:
    return turn.sender is not None and may(turn.tx, turn.now, actor(turn), Right.JOIN)


def whose(turn: Turn) -> list[Choice]:
    """The applications within reach, as a form's given answer."""
    return [
        Choice(Code(str(case.filed.id)), f"{case.person.name} {case.person.number}")
        for case in branch.inbox(turn.tx, turn.now, actor(turn))
    ]


# -- 入党申请 --------------------------------------------------------------------------------------------------


@router.command("/applicants", "入党申请", "申请人", rest=True, shown=sees_applications)
def applicants(turn: Turn, rest: str) -> Answer:
    """看看谁申请了入党、走到哪一步，受理、登记，“入党申请 王芳”查一个人"""
    if not rest:
        return _list(turn, 0)
    person, found = branch.of_person(turn.tx, turn.now, actor(turn), rest)
    if found:
        return shown(turn, found)
    row = (Button(words("joining.register"), Register(person.id)),)
    keyboard = (row,) if person.kind != "正式党员" else ()
    said = words("joining.not_recorded", name=person.name, kind=person.kind)
    return Reply(said, keyboard, sensitive=True, grade=Grade.SENSITIVE)


@router.pressed(Page)
def page(turn: Turn, press: Page) -> Answer:
    return _list(turn, press.page)


def _list(turn: Turn, number: int) -> Reply:
    cases = branch.inbox(turn.tx, turn.now, actor(turn))
    cases.sort(key=lambda case: (case.filed.state == OPEN, RANK.index(case.person.kind), case.filed.id))
    pages = max(1, -(-len(cases) // PAGE))
    number = min(number, pages - 1)
    here = cases[number * PAGE : (number + 1) * PAGE]
    soon = dates.within(turn.tx, turn.now, actor(turn), SOON) if number == 0 else []
    day = today(turn.tx, turn.now)
    said = words(
        "joining.list", cases=[_line(case) for case in here], total=len(cases), page=number + 1, pages=pages,
        soon=[_date(one, day) for one in soon], days=SOON,
    )  # fmt: skip
    names = [Button(case.person.name, Look(case.filed.id)) for case in here]
    rows = [tuple(names[at : at + 3]) for at in range(0, len(names), 3)]
    steps = [
        Button(words(f"organisation.{name}"), Page(to), walk=True)
        for name, to in (("page_before", number - 1), ("page_after", number + 1))
        if 0 <= to < pages
    ]
    rows += [tuple(steps)] if steps else []
    rows.append((Button(words("joining.register"), Register(0)),))
    return Reply(said, tuple(rows), sensitive=True, grade=Grade.SENSITIVE)


def _line(case: Case) -> object:
    ahead = chat.window(case.ahead, case.today) if case.ahead else None
    return words("joining.line", person=case.person, org=case.org.name, state=case.filed.state, ahead=ahead)


def _date(one: dates.Coming, day: date) -> object:
    kind = one.kind.removeprefix("join-")
    return words(
        "joining.date", kind=kind, name=one.person.name, day=one.day, over=day > one.day, step=Phrase(one.step.name),
        received=one.received,
    )  # fmt: skip


@router.pressed(Look)
def look(turn: Turn, press: Look) -> Answer:
    return shown(turn, branch.one(turn.tx, turn.now, actor(turn), press.application))


def shown(turn: Turn, found: Case) -> Reply:
    """An application as the branch sees it, without what is written in it."""
    number, state = found.filed.id, found.filed.state
    reasons = (RETURNED, WITHDRAWN, "declined")
    said = words(
        "joining.case", person=found.person, org=found.org.name, status=chat.status(turn.tx, found), state=state,
        reason=applications.reason(turn.tx, number) if state in reasons else "", version=found.text.name,
        records=[chat.done(found, one) for one in found.course.records if isinstance(one, Stage)],
    )  # fmt: skip
    rows: list[tuple[Button, ...]] = []
    if state in (HANDED, RETURNED):
        rows.append((Button(words("joining.receive"), Receive(number)),))
    if state == HANDED:
        rows[-1] = (*rows[-1], Button(words("joining.send_back"), SendBack(number)))
    if state == WITHDRAWN and not found.filed.settled:
        rows.append((Button(words("joining.settle"), Settle(number)),))
    if state == OPEN:
        rows.append((Button(words("joining.record"), Steps(number)),))
    if found.filed.consent:
        rows.append((Button(words("joining.read"), Read(number)),))
    last = branch.last_record(found)
    more: list[Button] = [Button(words("joining.notes"), Notes(number))] if found.course.records else []
    if last and state in (OPEN, DONE, CANCELLED):
        more.append(Button(words("joining.strike"), Strike(number, last.id, sure=False)))
    if found.open and found.person.kind not in desk.MEMBERS:
        more.append(Button(words("joining.decline"), Decline(number)))
    rows += [tuple(more)] if more else []
    rows.append((Button(words("joining.back_to_list"), Page(0)),))
    return Reply(said, tuple(rows), sensitive=True, grade=Grade.SENSITIVE)


@router.pressed(Read)
def read(turn: Turn, press: Read) -> Answer:
    found, text, pages = branch.read(turn.tx, turn.now, actor(turn), press.application)
    said = words("joining.their_words", name=found.person.name, text=text, pages=[page.name for page in pages])
    rows = [(Button(page.name, path=f"/files/{page.id}"),) for page in pages]
    back = (Button(words("joining.back_to_case"), Look(press.application)),)
    return Reply(said, (*rows, back), sensitive=True, grade=Grade.SENSITIVE)


@router.pressed(Notes)
def notes(turn: Turn, press: Notes) -> Answer:
    found = branch.one(turn.tx, turn.now, actor(turn), press.application)
    written = branch.notes(turn.tx, turn.now, actor(turn), press.application)
    rows = []
    for one in found.course.records:
        if isinstance(one, Stage):
            note, facts = written.get(one.id, ("", {}))
            rows.append((chat.done(found, one), one.recorded_by, one.version, note, facts.get("names", [])))
    back = (Button(words("joining.back_to_case"), Look(press.application)),)
    said = words("joining.records", name=found.person.name, rows=rows)
    return Reply(said, (back,), sensitive=True, grade=Grade.SENSITIVE)


# -- 工作台, and what the branch is told ------------------------------------------------------------------------


def items(turn: Turn) -> list[Item]:
    """What a secretary's desk says: how many wait, how much is due. It names nobody."""
    area = places(turn.tx, turn.now, actor(turn), Right.JOIN) if turn.sender else []
    if not area:
        return []
    cases = branch.inbox(turn.tx, turn.now, actor(turn))
    day = today(turn.tx, turn.now)
    soon = [one for one in dates.within(turn.tx, turn.now, actor(turn), SOON) if one.received]
    said = words(
        "joining.desk", waiting=sum(case.filed.state == HANDED for case in cases),
        open=sum(case.filed.state == OPEN for case in cases),
        withdrawn=sum(case.filed.state == WITHDRAWN for case in cases),
        over=sum(one.day < day for one in soon), soon=sum(one.day >= day for one in soon), days=SOON,
    )  # fmt: skip
    return [Item(said, Button(Phrase("入党申请"), Run(Code("applicants"))))]


def inbox(tx: Tx, now: datetime, telling: Telling, person_id: int) -> Reply | None:
    """A new application, or one that was withdrawn, to those who see to it in the branch."""
    filed = applications.get(tx, telling.subject)
    stands = {"handed": HANDED, "withdrawn": WITHDRAWN}[telling.values["event"]]
    if filed is None or filed.state != stands:
        return None
    found = desk.case(tx, now, filed)
    if person_id not in desk.told(tx, now, found.org, but=found.person.id):
        return None
    said = words(
        f"joining.told_{telling.values['event']}", person=found.person, org=found.org.name,
        talk=found.course.table.step("2", found.today), text=found.text,
    )  # fmt: skip
    button = Button(words("joining.back_to_case"), Look(filed.id))
    return Reply(said, ((button,),), sensitive=True, grade=Grade.SENSITIVE, outside=words("joining.outside_branch"))
