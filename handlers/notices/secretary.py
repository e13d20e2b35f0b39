"""notices, for those who write them: 发通知, who has not confirmed, remind, stop."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.core.action import Action, Code
from bot.core.form import Choice, Form, ask
from bot.core.kinds import Pick, Prose
from bot.core.reply import Button, Grade, Phrase, Refused, Reply, words
from bot.core.router import Begin, Run
from handlers import Answer, Item, Router, Turn, actor, reaching, secrecy
from handlers.notices import changing, desk, following
from handlers.notices.chat import Watch, short
from handlers.notices.desk import BODY, TITLE, Draft
from handlers.notices.looks import looks
from handlers.notices.patterns import patterns
from handlers.rights import Right, may, places
from storage import notices, organisations
from storage.organisations import Org

router = Router()

LATELY = timedelta(days=30)
"""How long 工作台 speaks of a notice."""
MOST_LINES = 8
"""Notices on 工作台."""


class Remind(Action, tag="nn"):
    """Remind those who have not confirmed."""

    notice: int


class Unreached(Action, tag="nu", light=True):
    """Who of those whom a notice means cannot be told now."""

    whom: Code
    ways: Code


class Recall(Action, tag="nb"):
    """Take a notice back where it has arrived as well; asked once more unless `sure`."""

    notice: int
    sure: bool


class Correct(Action, tag="ne"):
    """Correct what a notice says."""

    notice: int


class Again(Action, tag="nq"):
    """Begin a new notice with the words of an earlier one."""

    notice: int


class Pattern(Action, tag="np"):
    """Begin a notice with the words of a pattern."""

    name: Code


class Stop(Action, tag="nx"):
    """Stop what is not sent yet; asked once more unless `sure`."""

    notice: int
    sure: bool


def _sends_notices(turn: Turn) -> bool:
    return turn.sender is not None and may(turn.tx, turn.now, actor(turn), Right.NOTICE)


_GROUPS = {
    "members": ("全体党员", "kind:member"),
    "secretaries": ("各支部书记", "role:支部书记"),
    "activists": ("入党积极分子", "kind:入党积极分子"),
    "probationary": ("预备党员", "kind:预备党员"),
}
"""Common groups within the sender's area: label and scope, by key."""


def _area(turn: Turn) -> list[tuple[Org, int]]:
    """Where the sender's right reaches: each organisation, and how deep it lies."""
    return [
        (org, org.depth - place.depth)
        for place in places(turn.tx, turn.now, actor(turn), Right.NOTICE)
        for org in organisations.all_of(turn.tx, below=place)
    ]


def _whom(turn: Turn) -> list[Choice]:
    area = _area(turn)
    groups = [
        Choice(Code(key), Phrase(label))
        for key, (label, _) in _GROUPS.items()
        if key != "secretaries" or len(area) > 1
    ]
    return [Choice(Code(f"o{org.id}"), f"{'　' * depth}{org.name}") for org, depth in area] + groups


class NewNotice(Form):
    """发通知"""

    decision = True

    title: str = ask("通知的标题是什么？", title="标题", max_length=TITLE)
    body: Prose = ask(
        "请写下通知的内容，可以分几条发；要附的文件（PDF、Word、图片）也直接发在这里。写完发“完”。",
        title="内容",
        max_length=BODY,
        files=True,
    )
    public: Pick = ask(
        "通知里有文号。这份文件可以公开传达给所选的人吗？拿不准的，请先问上级。",
        title="可公开传达",
        choices=lambda _turn: [Choice(Code("yes"), Phrase("可以传达")), Choice(Code("no"), Phrase("不可以"))],
        when=lambda answers: bool(secrecy.asks(f"{answers.get('title', '')}\n{answers.get('body', '')}")),
    )
    whom: Pick = ask(
        "发给谁？选组织，就是发给它和下级组织的所有人（含申请人、积极分子、群众）。", title="发给", choices=_whom
    )
    ask_ack: Pick = ask(
        "要不要请大家点“收到”确认？",
        title="确认",
        choices=lambda _turn: [Choice(Code("yes"), Phrase("要确认")), Choice(Code("no"), Phrase("不用确认"))],
    )
    ways: Pick = ask(
        "发到哪里？“各人首选”是先发到每个人自己排在最前、现在收得到的渠道；发不到，或者要确认而一直没有回音，再换下一个。",
        title="渠道",
        choices=lambda _turn: [
            Choice(Code("all"), Phrase("每个人的全部渠道")),
            Choice(Code("preferred"), Phrase("各人首选渠道")),
        ],
    )
    when: Pick = ask(
        "什么时候发？",
        title="发送",
        choices=lambda _turn: [Choice(Code("now"), Phrase("现在")), Choice(Code("later"), Phrase("定时"))],
    )
    moment: datetime = ask(
        "定在什么时候？例如“明天上午9点”。", title="时间", when=lambda answers: answers.get("when") == "later"
    )


@router.command("/broadcast", "发通知", shown=_sends_notices)
def new_notice(turn: Turn, _rest: str) -> Answer:
    """给您负责的范围发通知，看谁还没确认"""
    return Begin(NewNotice)


@router.command("/patterns", "通知模板", shown=_sends_notices)
def choose_pattern(turn: Turn, _rest: str) -> Answer:
    """从常用的写法开始发通知"""
    found = patterns(turn.tx.house.rules)
    rows = tuple((Button(pattern.title, Pattern(Code(name))),) for name, pattern in found.items())
    return Reply(words("notices.patterns"), rows, grade=Grade.PUBLIC)


@router.pressed(Pattern)
def from_pattern(turn: Turn, press: Pattern) -> Answer:
    _needs_right(turn)
    pattern = patterns(turn.tx.house.rules).get(press.name)
    if pattern is None:
        raise Refused("conversation.stale")
    return Begin(NewNotice, drafted={"title": pattern.title, "body": pattern.body})


@router.pressed(Again)
def again(turn: Turn, press: Again) -> Answer:
    _needs_right(turn)
    earlier = desk.of(turn.tx, turn.now, actor(turn), press.notice)
    return Begin(NewNotice, drafted={"title": earlier.title, "body": earlier.body})


def _needs_right(turn: Turn) -> None:
    if not _sends_notices(turn):
        raise Refused("conversation.not_yours", command=Phrase("发通知"))


def _scope(turn: Turn, whom: str) -> str:
    group = _GROUPS.get(whom)
    return group[1] if group else f"org:{organisations.get(turn.tx, int(whom[1:])).code}"


def _draft(turn: Turn, form: NewNotice) -> Draft:
    scope = _scope(turn, str(form.whom))
    at = form.moment if form.when == "later" else None
    return Draft(
        form.title, form.body.text, scope, ask_ack=form.ask_ack == "yes", channels=str(form.ways), at=at,
        files=form.body.files, public=form.public == "yes",
    )  # fmt: skip


def _preview(turn: Turn, form: NewNotice) -> Reply:
    draft = _draft(turn, form)
    desk.written(draft)
    plan = desk.plan(turn.tx, turn.now, actor(turn), draft)
    at = desk.moment(turn.now, draft.at)
    said = words(
        "notices.preview",
        count=plan.total,
        outlook=reaching.outlook(plan),
        at=at if draft.at else None,
        takes=desk.takes(turn.tx, plan),
        looks=looks(turn.tx, plan, draft.title, draft.body, ask=draft.ask_ack, files=len(draft.files)),
    )
    who = Button(
        words("reach.who", count=len(plan.unreachable)), Unreached(Code(form.whom), Code(form.ways)), walk=True
    )
    return Reply(said, ((who,),) if plan.unreachable else ())


@router.pressed(Unreached)
def unreached(turn: Turn, press: Unreached) -> Answer:
    """Who would not get it now; the notice itself is still to be sent."""
    if press.whom not in {choice.key for choice in _whom(turn)} or press.ways not in desk.WAYS:
        raise Refused("conversation.stale")
    draft = Draft("", "", _scope(turn, press.whom), channels=press.ways)
    plan = desk.plan(turn.tx, turn.now, actor(turn), draft)
    return Reply(reaching.unreached(turn.tx, plan), grade=Grade.PERSONAL)


@router.form(NewNotice, preview=_preview)
def send(turn: Turn, form: NewNotice) -> Answer:
    notice_id = desk.send(turn.tx, turn.now, actor(turn), None, _draft(turn, form))
    standing = desk.standing(turn.tx, turn.now, actor(turn), notice_id)
    if standing.state == "sending" and turn.address.channel in changing.CHANGED_IN_PLACE:
        following.watch(turn.tx, turn.now, notice_id, turn.member.id, turn.address.channel)
    row = (Button(words("notices.watch"), Watch(notice_id)), Button(Phrase("工作台"), Run(Code("desk"))))
    return Reply(words("notices.sent", standing=standing), (row,))


@router.pressed(Watch)
def watch(turn: Turn, press: Watch) -> Answer:
    return _status(turn, press.notice)


@router.pressed(Remind)
def remind(turn: Turn, press: Remind) -> Answer:
    count = desk.nudge(turn.tx, turn.now, actor(turn), press.notice)
    row = (Button(words("notices.watch"), Watch(press.notice)),)
    return Reply(words("notices.nudged", count=count), (row,), toast=words("notices.nudged", count=count))


@router.pressed(Stop)
def stop(turn: Turn, press: Stop) -> Answer:
    if not press.sure:
        standing = desk.standing(turn.tx, turn.now, actor(turn), press.notice)
        if standing.unfinished:
            row = (
                Button(words("notices.stop_sure"), Stop(press.notice, sure=True)),
                Button(words("notices.stop_not"), Watch(press.notice)),
            )
            return Reply(words("notices.stop_ask", standing=standing), (row,))
    stopped, gone = desk.cancel(turn.tx, turn.now, actor(turn), press.notice)
    return Reply(words("notices.stopped", stopped=stopped, gone=gone), replaces=True)


@router.pressed(Recall)
def recall(turn: Turn, press: Recall) -> Answer:
    if not press.sure:
        standing = desk.standing(turn.tx, turn.now, actor(turn), press.notice)
        row = (
            Button(words("notices.recall_sure"), Recall(press.notice, sure=True)),
            Button(words("notices.stop_not"), Watch(press.notice)),
        )
        return Reply(words("notices.recall_ask", standing=standing), (row,))
    gone, beyond = changing.recall(turn.tx, turn.now, actor(turn), press.notice)
    return Reply(words("notices.was_recalled", gone=gone, beyond=beyond), replaces=True)


class Correction(Form):
    """更正通知"""

    decision = True

    notice: int = ask("更正哪一条？写它的号。", title="第几号")
    title: str = ask("更正后的标题是什么？", title="标题", max_length=TITLE)
    body: Prose = ask("请写下更正后的全文，可以分几条发，写完发“完”。", title="内容", max_length=BODY)
    public: Pick = ask(
        "通知里有文号。这份文件可以公开传达给所选的人吗？拿不准的，请先问上级。",
        title="可公开传达",
        choices=lambda _turn: [Choice(Code("yes"), Phrase("可以传达")), Choice(Code("no"), Phrase("不可以"))],
        when=lambda answers: bool(secrecy.asks(f"{answers.get('title', '')}\n{answers.get('body', '')}")),
    )


@router.pressed(Correct)
def correct(turn: Turn, press: Correct) -> Answer:
    notice = desk.of(turn.tx, turn.now, actor(turn), press.notice)
    return Begin(
        Correction,
        {"notice": str(notice.id)},
        drafted={"title": notice.title, "body": notice.body or changing.NO_TEXT},
    )


@router.form(Correction)
def corrected(turn: Turn, form: Correction) -> Answer:
    told = changing.correct(
        turn.tx, turn.now, actor(turn), form.notice, form.title, form.body.text, public=form.public == "yes"
    )
    row = (Button(words("notices.watch"), Watch(form.notice)),)
    return Reply(words("notices.was_corrected", told=told), (row,))


def _status(turn: Turn, notice_id: int) -> Reply:
    standing = desk.standing(turn.tx, turn.now, actor(turn), notice_id)
    buttons: list[Button] = []
    if standing.silent and standing.state in ("sending", "sent"):
        buttons.append(Button(words("notices.remind", count=standing.silent), Remind(notice_id)))
    if not standing.whole:
        rows = tuple((button,) for button in buttons)
        return Reply(words("notices.status", standing=standing), rows, grade=Grade.PERSONAL)
    if standing.unfinished and standing.state != "cancelled":
        buttons.append(Button(words("notices.stop"), Stop(notice_id, sure=False)))
    if not standing.notice.recalled:
        if standing.steps["reached"]:
            buttons.append(Button(words("notices.recall"), Recall(notice_id, sure=False)))
        buttons.append(Button(words("notices.correct"), Correct(notice_id)))
    buttons.append(Button(words("notices.again"), Again(notice_id)))
    rows = tuple((button,) for button in buttons)
    return Reply(words("notices.status", standing=standing), rows, grade=Grade.PERSONAL)


def items(turn: Turn) -> list[Item]:
    """What a secretary's desk says about notices: those that wait for people, or for their time."""
    if not _sends_notices(turn):
        return []
    lately = [
        notice
        for notice in desk.seen_to_by(turn.tx, turn.now, actor(turn))
        if notice.at > turn.now - LATELY and not notice.cancelled_at
    ]
    tally = notices.tally(turn.tx, [notice.id for notice in lately])
    lines = []
    for notice in lately:
        confirmed, total = tally[notice.id]
        button = Button(short(notice.title), Watch(notice.id))
        if notice.at > turn.now:
            lines.append(Item(words("notices.desk_scheduled", notice=notice, total=total), button))
        elif notice.ask_ack and confirmed < total:
            said = words("notices.desk_line", notice=notice, whole=True, confirmed=confirmed, total=total)
            lines.append(Item(said, button))
    for notice, confirmed, total in desk.above(turn.tx, turn.now, actor(turn), turn.now - LATELY):
        if confirmed < total:
            said = words("notices.desk_line", notice=notice, whole=False, confirmed=confirmed, total=total)
            lines.append(Item(said, Button(short(notice.title), Watch(notice.id))))
    new = Item(words("notices.desk_new"), Button(Phrase("发通知"), Run(Code("broadcast"))))
    return [*lines[:MOST_LINES], new]
