"""joining, for whoever wants to join: 我要入党 – the application, where I am, withdraw."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from bot.core.action import Action, Code
from bot.core.form import Choice, Form, ask
from bot.core.kinds import Pick, Prose
from bot.core.reply import Button, Grade, Phrase, Refused, Reply, Words, words
from bot.core.router import Begin, Run
from handlers import Answer, Item, Router, Turn
from handlers.joining import desk, rules
from handlers.joining.course import RECEIVED, Window
from handlers.joining.days import Birthday
from handlers.joining.desk import Case
from handlers.rights import today
from storage import applications, organisations, people
from storage.applications import DECLINED, HANDED, OPEN, RETURNED, WITHDRAWN, Stage
from storage.campaigns import Telling
from storage.house import Tx

router = Router()

_BACK = (Button(Phrase("我要入党"), Run(Code("join"))),)


class Start(Action, tag="ja", light=True):
    """Begin an application."""


class Complete(Action, tag="jc", light=True):
    """Add to an application that came back."""


class Path(Action, tag="jp", light=True):
    """All the steps, with what is done and what comes when."""


class Mine(Action, tag="jm", light=True):
    """Read one's own application."""


class Withdraw(Action, tag="jw"):
    """Withdraw one's application; asked once more unless `sure`."""

    sure: bool


class Join(Form):
    """我要入党"""

    lifetime = timedelta(days=60)
    grade = Grade.PERSONAL
    answer_grade = Grade.SENSITIVE

    consent: Pick = ask(
        "先说明一下：申请书和出生日期属于敏感个人信息，只用于办理您的入党申请；加密保存，只有所在党组织负责发展党员工作的"
        "同志可以看，每次查看都有记录。您随时可以撤回，撤回后到期删除。同意单独为此收集、使用这些信息吗？不同意就点“取消”，"
        "交纸质申请书同样有效。",
        title="个人信息",
        choices=lambda _turn: [Choice(Code("yes"), Phrase("我同意"))],
    )
    born: Birthday = ask(
        "您的出生日期是哪天？例如 2001-05-04。名册里还没有，只用来核对是否年满十八岁。", title="出生日期"
    )
    statement: Prose = ask(
        "请把入党申请书发给我：可以打字，分几条发；也可以拍下手写的原件，一页一张。一般写明为什么要入党、自己的经历和表现、"
        "今后的努力方向。可以分几天写，写好的不会丢。发完了，发“完”。",
        title="入党申请书",
        min_length=100,
        max_length=10000,
        files=True,
    )


class More(Form):
    """补充入党申请"""

    lifetime = timedelta(days=60)
    grade = Grade.PERSONAL
    answer_grade = Grade.SENSITIVE

    statement: Prose = ask(
        "请把要补充的内容发来，文字或照片都可以，会接在原来的申请书后面。发完了，发“完”。",
        title="补充的内容",
        max_length=10000,
        files=True,
    )


class Leave(Form):
    """撤回入党申请"""

    grade = Grade.PERSONAL
    answer_grade = Grade.SENSITIVE

    reason: Prose = ask(
        "愿意的话，可以写一句原因，只给支部看；不写也可以，点“跳过”。写完了，发“完”。",
        title="原因",
        optional=True,
        max_length=500,
    )


# -- 我要入党 --------------------------------------------------------------------------------------------------


@router.command("/join", "我要入党", "入党", "我的进度")
def join(turn: Turn, _rest: str) -> Answer:
    """申请入党；已经申请的，看看走到哪一步、下一步是什么"""
    found = desk.mine(turn.tx, turn.now, turn.member.id)
    if found and found.open:
        return _where(turn, found)
    person = people.get(turn.tx, turn.member.id)
    if person.kind not in ("群众", "入党申请人"):
        return _further(turn, found)
    desk.may_apply(turn.tx, turn.now, turn.member.id)
    rule, day = desk.table(turn.tx), today(turn.tx, turn.now)
    said = words(
        "joining.intro", age=rule.numbers.age, step=rule.step(RECEIVED, day), talk=rule.step("2", day),
        text=rule.on(day), keep=rule.keep_days, org=organisations.get(turn.tx, person.organisation_id).name,
        before=found.filed.state if found else "",
    )  # fmt: skip
    rows = [(Button(words("joining.start"), Start()),)]
    rows += [(Button(words("joining.my_words"), Mine()),)] if found and found.filed.consent else []
    return Reply(said, tuple(rows), grade=Grade.PERSONAL if found else Grade.PUBLIC)


@router.command("/confirm", "我要转正", "转正")
def confirm(turn: Turn, _rest: str) -> Answer:
    """预备党员看看预备期到哪天满、什么时候提出书面转正申请"""
    person, found = people.get(turn.tx, turn.member.id), desk.mine(turn.tx, turn.now, turn.member.id)
    if person.kind not in desk.MEMBERS:
        raise Refused("joining.not_on_probation", kind=person.kind)
    return _where(turn, found) if found and found.open else _further(turn, found)


@router.pressed(Start)
def start(turn: Turn, _press: Start) -> Answer:
    desk.may_apply(turn.tx, turn.now, turn.member.id)
    born = desk.birthday(turn.tx, turn.member.id)
    return Begin(Join, {"born": born.isoformat()} if born else {}, resumes=True)


def _fits(turn: Turn, form: Join) -> Reply:
    desk.may_apply(turn.tx, turn.now, turn.member.id)
    desk.check_age(turn.tx, turn.now, desk.birthday(turn.tx, turn.member.id) or form.born)
    return Reply(words("joining.before_sending", org=_org_name(turn)))


@router.form(Join, preview=_fits)
def hand_in(turn: Turn, form: Join) -> Answer:
    found = desk.hand_in(turn.tx, turn.now, turn.member.id, form.statement, form.born)
    return _thanks(found, "joining.handed_in")


@router.pressed(Complete)
def complete(turn: Turn, _press: Complete) -> Answer:
    return Begin(More, resumes=True)


@router.form(More)
def completed(turn: Turn, form: More) -> Answer:
    return _thanks(desk.complete(turn.tx, turn.now, turn.member.id, form.statement), "joining.completed")


def _thanks(found: Case, template: str) -> Reply:
    step = found.course.table.step("2", found.today)
    said = words(template, org=found.org.name, talk=step, text=found.text, today=found.today)
    return Reply(said, ((Button(Phrase("我要入党"), Run(Code("join"))),),), sensitive=True, grade=Grade.PERSONAL)


# -- where am I -----------------------------------------------------------------------------------------------


def window(found: Window, today_: date) -> Words:
    """A step and its days in words."""
    return words(
        "joining.window", step=found.step, name=Phrase(found.step.name), who=Phrase(found.step.who),
        earliest=found.earliest if found.earliest and found.earliest > today_ else None, latest=found.latest,
        utmost=found.utmost, usual=found.usual, overdue=found.overdue(today_), convention=found.step.number == "22",
    )  # fmt: skip


def done(found: Case, record: Stage) -> Words:
    """A recorded step in words: which, when, by whom, what came out."""
    step = found.course.table.step(record.step, record.day)
    return words(
        "joining.done", number=record.step, name=Phrase(step.name), day=record.day, by=Phrase(record.decided_by),
        outcome=words(f"joining.outcome_{record.outcome}") if record.outcome else None, months=record.months,
    )  # fmt: skip


def status(tx: Tx, found: Case) -> Words:
    """Where an application is, since when, and what comes next, with the article."""
    last = found.course.last() if found.filed.state == OPEN else None
    course = found.course
    at_seven = found.ahead is not None and found.ahead.step.number == "7"
    early = course.window("7", found.today).earliest if course.has("3") and not course.has("7") else None
    return words(
        "joining.status", state=found.filed.state, org=found.org.name, text=found.text,
        handed=desk.handed_on(tx, found.filed), paper=not found.filed.consent, received=found.filed.received_on,
        by=found.filed.received_by, talk=course.table.step("2", found.today), talk_by=desk.talk_by(tx, found),
        today=found.today,
        last=done(found, last) if isinstance(last, Stage) else None,
        ahead=window(found.ahead, found.today) if found.ahead else None,
        review=course.review(found.today), review_step=course.table.step("6", found.today),
        ends=course.ends if course.has("17") and not course.has("24") else None,
        development=early if early and early > found.today and not at_seven else None,
    )  # fmt: skip


def _where(turn: Turn, found: Case) -> Reply:
    said = words(
        "joining.mine", status=status(turn.tx, found), state=found.filed.state,
        reason=applications.reason(turn.tx, found.filed.id) if found.filed.state == RETURNED else "",
    )  # fmt: skip
    rows: list[tuple[Button, ...]] = []
    if found.filed.state == RETURNED:
        rows.append((Button(words("joining.complete"), Complete()),))
    rows.append((Button(words("joining.all_steps"), Path()), Button(words("joining.my_words"), Mine())))
    if found.person.kind not in desk.MEMBERS:
        rows.append((Button(words("joining.withdraw"), Withdraw(sure=False)),))
    grade = Grade.SENSITIVE if found.filed.state == RETURNED else Grade.PERSONAL
    return Reply(said, tuple(rows), sensitive=True, grade=grade)


def _further(turn: Turn, found: Case | None) -> Reply:
    """For those who are further on the way without an open application: where they stand."""
    person = people.get(turn.tx, turn.member.id)
    known = people.full(turn.tx, person.id)
    rule, day, admitted = desk.table(turn.tx), today(turn.tx, turn.now), known["admitted_on"]
    ends = rules.probation_ends(admitted, rule.numbers) if person.kind == "预备党员" and admitted else None
    said = words(
        "joining.stands", kind=person.kind, org=_org_name(turn), admitted=admitted, confirmed=known["confirmed_on"],
        ends=ends, apply=rule.step("22", day), text=rule.on(day),
    )  # fmt: skip
    rows = ((Button(words("joining.all_steps"), Path()),),) if found else ()
    return Reply(said, rows, sensitive=True, grade=Grade.PERSONAL)


@router.pressed(Path)
def path(turn: Turn, _press: Path) -> Answer:
    found = desk.mine(turn.tx, turn.now, turn.member.id)
    if found is None:
        raise Refused("joining.none")
    return Reply(steps(found, desk.handed_on(turn.tx, found.filed)), (_BACK,), sensitive=True, grade=Grade.PERSONAL)


def steps(found: Case, handed: date) -> Words:
    """Every step of the way, done or to come. `handed`: the day on which it was handed in."""
    records = [one for one in found.course.counted if isinstance(one, Stage)]
    rows = []
    for number, step in found.text.steps.items():
        its = [one for one in records if one.step == number]
        shown = found.course.window(number, found.today)
        coming = None if its or found.filed.state != OPEN or step.repeats else window(shown, found.today)
        days = bool(shown.latest or (shown.step.earliest and shown.earliest))
        told = [done(found, one) for one in its]
        if number == RECEIVED and not its and found.filed.consent:  # handed in, and not received yet
            told = [words("joining.handed_step", number=number, name=Phrase(step.name), day=handed)]
        rows.append((step, Phrase(step.name), told, coming if days else None))
    return words("joining.path", rows=rows, text=found.text)


@router.pressed(Mine)
def read_mine(turn: Turn, _press: Mine) -> Answer:
    found, text, pages = desk.own_words(turn.tx, turn.now, turn.member.id)
    said = words("joining.own", text=text, pages=[page.name for page in pages], paper=not found.filed.consent)
    rows = tuple((Button(page.name, path=f"/files/{page.id}"),) for page in pages)
    return Reply(said, (*rows, _BACK), sensitive=True, grade=Grade.SENSITIVE)


@router.pressed(Withdraw)
def withdraw(turn: Turn, press: Withdraw) -> Answer:
    found = desk.mine(turn.tx, turn.now, turn.member.id)
    if found is None or not found.open:
        raise Refused("joining.none")
    if found.person.kind in desk.MEMBERS:
        raise Refused("joining.member_already", kind=found.person.kind)
    if press.sure:
        return Begin(Leave)
    keep = found.course.table.keep_days
    row = (
        Button(words("joining.withdraw_sure"), Withdraw(sure=True)),
        Button(words("joining.withdraw_not"), Run(Code("join"))),
    )
    return Reply(words("joining.withdraw_ask", keep=keep), (row,), grade=Grade.PERSONAL)


@router.form(Leave)
def leave(turn: Turn, form: Leave) -> Answer:
    found = desk.withdraw(turn.tx, turn.now, turn.member.id, form.reason or "")
    said = words("joining.withdrawn", name=found.person.name, org=found.org.name, keep=found.course.table.keep_days)
    return Reply(said, grade=Grade.PERSONAL)


def sheet(turn: Turn) -> list[Item]:
    """What 我的 says: an application that is under way."""
    found = desk.mine(turn.tx, turn.now, turn.member.id)
    if found is None or not found.open:
        return []
    template = "joining.sheet_returned" if found.filed.state == RETURNED else "joining.sheet"
    return [Item(words(template), Button(Phrase("我要入党"), Run(Code("join"))))]


# -- what the applicant is told -------------------------------------------------------------------------------


def answer(tx: Tx, now: datetime, telling: Telling, person_id: int) -> Reply | None:
    """What the branch has done with an application, to the one whose it is."""
    filed = applications.get(tx, telling.subject)
    if filed is None or filed.person_id != person_id:
        return None
    found, event = desk.case(tx, now, filed), telling.values["event"]
    stands = {"received": OPEN, "returned": RETURNED, "declined": DECLINED}.get(event)
    if event == "unreceived":
        stands = HANDED if filed.consent else WITHDRAWN
    if filed.state != stands if stands else filed.state in (DECLINED, WITHDRAWN):
        return None
    button = Button(Phrase("我要入党"), Run(Code("join")))
    common = {"name": found.person.name, "org": found.org.name}
    if event == "received":
        behind = found.ahead is not None and found.ahead.overdue(found.today)  # the branch has still to catch up
        said = words(
            "joining.told_received" if filed.consent else "joining.told_registered", **common, by=filed.received_by,
            on=filed.received_on, status=None if behind and not filed.consent else status(tx, found),
        )  # fmt: skip
    elif event == "unreceived":
        said = words("joining.told_unreceived", **common, paper=not filed.consent)
    elif event == "returned":
        said = words("joining.told_returned", **common, reason=applications.reason(tx, filed.id))
    elif event == "declined":
        keep = found.course.table.keep_days
        said = words("joining.told_declined", **common, reason=applications.reason(tx, filed.id), keep=keep)
    else:
        record = next((one for one in found.course.records if one.id == telling.values["record"]), None)
        if not isinstance(record, Stage):  # it was struck
            return None
        ahead = window(found.ahead, found.today) if found.ahead else None
        said = words("joining.told_recorded", **common, done=done(found, record), ahead=ahead)
    grade = Grade.SENSITIVE if event in ("returned", "declined") else Grade.PERSONAL
    return Reply(said, ((button,),), sensitive=True, grade=grade, outside=words("joining.outside"))


def _org_name(turn: Turn) -> str:
    return organisations.get(turn.tx, people.get(turn.tx, turn.member.id).organisation_id).name
