"""joining, for the branch: 受理, 退回补充, 终止, 登记纸质申请, 更正 – each a decision of a named person."""

from __future__ import annotations

from bot.core.form import Form, ask
from bot.core.kinds import Pick, Prose
from bot.core.reply import Button, Grade, Refused, Reply, words
from bot.core.router import Begin
from handlers import Answer, Router, Turn, actor
from handlers.joining import branch, chat
from handlers.joining.days import PastDay
from handlers.joining.desk import Case
from handlers.joining.secretary import Decline, Look, Page, Receive, Register, SendBack, Settle, Strike, whose
from handlers.rights import today
from storage import organisations, people

router = Router()


class Receiving(Form):
    """受理入党申请"""

    decision = True
    grade = Grade.SENSITIVE

    case: Pick = ask("受理谁的申请？", title="申请人", choices=whose)
    on: PastDay = ask(
        "哪一天收到申请书的？一个月内要派人谈话，从这一天算起。", title="收到日期", default=lambda turn: _day(turn)
    )
    by: str = ask("由谁受理？", title="受理人", default=lambda turn: turn.member.name, max_length=60)


class Returning(Form):
    """退回补充"""

    decision = True
    grade = Grade.SENSITIVE

    case: Pick = ask("退回谁的申请？", title="申请人", choices=whose)
    why: Prose = ask(
        "请写明要补充什么，会原样告诉申请人。写完了，发“完”。",
        title="要补充",
        min_length=branch.REASON[0],
        max_length=branch.REASON[1],
    )


class Declining(Form):
    """终止入党申请"""

    decision = True
    grade = Grade.SENSITIVE

    case: Pick = ask("终止谁的申请？", title="申请人", choices=whose)
    by: str = ask(
        "这是由哪个组织、在什么会上决定的？例如“支部委员会11月20日会议”。",
        title="决定的组织",
        min_length=2,
        max_length=100,
    )
    why: Prose = ask(
        "请写明理由，会原样告诉申请人，请写得诚恳、具体。写完了，发“完”。",
        title="理由",
        min_length=branch.REASON[0],
        max_length=branch.REASON[1],
    )


class Registering(Form):
    """登记纸质入党申请"""

    decision = True
    grade = Grade.SENSITIVE

    member: str = ask("登记谁的申请？请发员工号或姓名。", title="申请人", max_length=60)
    on: PastDay = ask("哪一天收到申请书的？", title="收到日期", default=lambda turn: _day(turn))
    by: str = ask("由谁受理的？", title="受理人", default=lambda turn: turn.member.name, max_length=60)


def _day(turn: Turn) -> str:
    return today(turn.tx, turn.now).isoformat()


def _given(turn: Turn, application: int) -> dict[str, str]:
    """The form's first answer. Raises Refused beyond reach: a button is a claim."""
    branch.one(turn.tx, turn.now, actor(turn), application)
    return {"case": str(application)}


@router.pressed(Receive)
def receive(turn: Turn, press: Receive) -> Answer:
    return Begin(Receiving, _given(turn, press.application))


@router.form(Receiving)
def received(turn: Turn, form: Receiving) -> Answer:
    found = branch.receive(turn.tx, turn.now, actor(turn), int(form.case), form.on, form.by)
    return _done(turn, found, "joining.received")


@router.pressed(SendBack)
def send_back(turn: Turn, press: SendBack) -> Answer:
    return Begin(Returning, _given(turn, press.application))


@router.form(Returning)
def sent_back(turn: Turn, form: Returning) -> Answer:
    found = branch.send_back(turn.tx, turn.now, actor(turn), int(form.case), form.why)
    return _done(turn, found, "joining.sent_back")


@router.pressed(Decline)
def decline(turn: Turn, press: Decline) -> Answer:
    return Begin(Declining, _given(turn, press.application))


@router.form(Declining)
def declined(turn: Turn, form: Declining) -> Answer:
    found = branch.decline(turn.tx, turn.now, actor(turn), int(form.case), form.by, form.why)
    return _done(turn, found, "joining.declined")


@router.pressed(Settle)
def settle(turn: Turn, press: Settle) -> Answer:
    return _done(turn, branch.settle(turn.tx, turn.now, actor(turn), press.application), "joining.settled")


@router.pressed(Strike)
def strike(turn: Turn, press: Strike) -> Answer:
    if press.sure:
        found = branch.strike(turn.tx, turn.now, actor(turn), press.application, press.record)
        return _done(turn, found, "joining.struck")
    found = branch.one(turn.tx, turn.now, actor(turn), press.application)
    last = branch.last_record(found)
    if last is None or last.id != press.record:
        raise Refused("joining.not_the_last")
    row = (
        Button(words("joining.strike_sure"), Strike(press.application, press.record, sure=True)),
        Button(words("joining.back_to_case"), Look(press.application)),
    )
    said = words("joining.strike_ask", name=found.person.name, record=chat.done(found, last))
    return Reply(said, (row,), sensitive=True, grade=Grade.SENSITIVE)


@router.pressed(Register)
def register(turn: Turn, press: Register) -> Answer:
    if not press.person:
        return Begin(Registering)
    found = next((p for p in people.listed(turn.tx, [press.person])), None)
    if found is None:
        raise Refused("conversation.stale")
    return Begin(Registering, {"member": found.number})


def _whose(turn: Turn, form: Registering) -> Reply:
    """Whose application it would be, by name: a number is easily mistyped."""
    person = branch.to_register(turn.tx, turn.now, actor(turn), form.member)
    org = organisations.get(turn.tx, person.organisation_id)
    return Reply(words("joining.before_register", person=person, org=org.name))


@router.form(Registering, preview=_whose)
def registered(turn: Turn, form: Registering) -> Answer:
    person = branch.to_register(turn.tx, turn.now, actor(turn), form.member)
    found = branch.register(turn.tx, turn.now, actor(turn), person, form.on, form.by)
    return _done(turn, found, "joining.registered")


def _done(turn: Turn, found: Case, template: str) -> Reply:
    said = words(
        template, name=found.person.name, by=found.filed.received_by, on=found.filed.received_on,
        ahead=chat.window(found.ahead, found.today) if found.ahead else None, kind=found.person.kind,
    )  # fmt: skip
    row = (
        Button(words("joining.back_to_case"), Look(found.filed.id)),
        Button(words("joining.back_to_list"), Page(0)),
    )
    return Reply(said, (row,), sensitive=True, grade=Grade.SENSITIVE)
