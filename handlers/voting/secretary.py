"""voting, for those who run it: 发起投票, 截止投票, who has not voted."""

from __future__ import annotations

from datetime import datetime

from bot.core.action import Action, Code
from bot.core.form import Choice, Form, ask
from bot.core.kinds import Lines, Pick
from bot.core.reply import Button, Grade, Phrase, Refused, Reply, words
from bot.core.router import Begin, Run
from handlers import Answer, Item, Router, Turn, actor, reaching
from handlers.rights import Right, may, places
from handlers.voting import desk
from storage import organisations, polls

router = Router()


class Watch(Action, tag="vw", light=True):
    """Look after a poll: turnout, who has not voted."""

    poll: int


class Remind(Action, tag="vn"):
    """Ask those who have not voted once more."""

    poll: int


class Close(Action, tag="vc"):
    """Close a poll now; asked once more unless `sure`."""

    poll: int
    sure: bool


def _runs_polls(turn: Turn) -> bool:
    return turn.sender is not None and may(turn.tx, turn.now, actor(turn), Right.POLL)


def _areas(turn: Turn) -> list[Choice]:
    """Where the sender's right reaches, each organisation with everything below it."""
    reach = places(turn.tx, turn.now, actor(turn), Right.POLL)
    return [
        Choice(Code(str(org.id)), f"{'　' * (org.depth - place.depth)}{org.name}")
        for place in reach
        for org in organisations.all_of(turn.tx, below=place)
    ]


class Unreached(Action, tag="vu", light=True):
    """Who of those whom a poll means cannot be asked now."""

    area: int
    who: Code


class NewPoll(Form):
    """发起投票"""

    decision = True

    title: str = ask("投票的题目是什么？", title="题目", min_length=2, max_length=100)
    options: Lines = ask(
        "有哪些选项？一行写一个，发在一条消息里，2到20个。", title="选项", min_length=2, max_length=desk.MOST_OPTIONS
    )
    several: Pick = ask(
        "每人选一个，还是可以选几个？",
        title="选法",
        choices=lambda _turn: [Choice(Code("one"), Phrase("单选")), Choice(Code("several"), Phrase("多选"))],
    )
    most: int = ask("每人最多选几个？请发一个数字。", title="最多选", when=lambda a: a.get("several") == "several")
    area: Pick = ask("请哪个范围的党员投票？包括它下面的组织。", title="范围", choices=_areas)
    who: Pick = ask(
        "范围里的哪些人可以投？",
        title="投票人",
        choices=lambda _turn: [
            Choice(Code("full"), Phrase("正式党员")),
            Choice(Code("members"), Phrase("正式党员和预备党员")),
            Choice(Code("all"), Phrase("所有人（含申请人、积极分子、群众）")),
        ],
    )
    closes: datetime = ask("什么时候截止？例如“11月30日 18:00”。", title="截止")


_WHO = {"full": "&kind:正式党员", "members": "&kind:member", "all": ""}


@router.command("/poll", "发起投票", shown=_runs_polls)
def new_poll(turn: Turn, _rest: str) -> Answer:
    """发起一次记名投票，截止后结果自动告诉大家"""
    return Begin(NewPoll)


def _plan(turn: Turn, form: NewPoll) -> desk.Plan:
    org = organisations.get(turn.tx, int(form.area))
    most = form.most if form.several == "several" else 1
    return desk.Plan(
        title=form.title, options=form.options, electorate=f"org:{org.code}{_WHO[form.who]}", closes=form.closes,
        choose=(1, most), secret=False,
    )  # fmt: skip


def _preview(turn: Turn, form: NewPoll) -> Reply:
    plan = _plan(turn, form)
    if plan.choose[1] > len(plan.options) or plan.choose[1] < 1:
        raise Refused("voting.bad_choose", least=1, most=plan.choose[1], count=len(plan.options))
    outlook = desk.plan(turn.tx, turn.now, actor(turn), plan.electorate)
    said = words("voting.preview", expected=outlook.total, outlook=reaching.outlook(outlook))
    count = len(outlook.unreachable)
    who = Button(words("reach.who", count=count), Unreached(int(form.area), Code(form.who)), walk=True)
    return Reply(said, ((who,),) if count else ())


@router.pressed(Unreached)
def unreached(turn: Turn, press: Unreached) -> Answer:
    """Who could not be asked now; the poll itself is still to be opened."""
    org = next((org for org in organisations.all_of(turn.tx) if org.id == press.area), None)
    if org is None or press.who not in _WHO:
        raise Refused("conversation.stale")
    plan = desk.plan(turn.tx, turn.now, actor(turn), f"org:{org.code}{_WHO[press.who]}")
    return Reply(reaching.unreached(turn.tx, plan), grade=Grade.PERSONAL)


@router.form(NewPoll, preview=_preview)
def create(turn: Turn, form: NewPoll) -> Answer:
    org = organisations.get(turn.tx, int(form.area))
    poll_id = desk.create(turn.tx, turn.now, actor(turn), org, _plan(turn, form))
    poll = desk.open_(turn.tx, turn.now, actor(turn), poll_id)
    expected = polls.turnout(turn.tx, poll_id)[1]
    row = (Button(words("voting.watch"), Watch(poll_id)), Button(Phrase("工作台"), Run(Code("desk"))))
    return Reply(words("voting.opened", poll=poll, expected=expected), (row,))


@router.command("/closepoll", "截止投票", shown=_runs_polls)
def close_poll(turn: Turn, _rest: str) -> Answer:
    """看看进行中的投票，需要时提前截止"""
    open_polls = [p for p in desk.run_by(turn.tx, turn.now, actor(turn)) if p.state == "open"]
    if not open_polls:
        return Reply(words("voting.none_to_close"), grade=Grade.PUBLIC)
    rows = tuple((Button(poll.title[:20], Watch(poll.id)),) for poll in open_polls)
    return Reply(words("voting.which_to_close"), rows)


@router.pressed(Watch)
def watch(turn: Turn, press: Watch) -> Answer:
    found = desk.turnout(turn.tx, turn.now, actor(turn), press.poll)
    poll = found.poll
    if poll.state == "closed" and found.whole:
        return Reply(words("voting.result", poll=poll, result=polls.result(turn.tx, poll.id)), grade=Grade.PERSONAL)
    rows: tuple[tuple[Button, ...], ...] = ()
    if poll.state == "open":
        close = Button(words("voting.close_now"), Close(poll.id, sure=False))
        remind = Button(words("voting.remind", count=len(found.silent)), Remind(poll.id))
        rows = ((*([remind] if found.silent else []), *([close] if found.whole else [])),)
    return Reply(words("voting.turnout", found=found), rows if any(rows) else (), grade=Grade.PERSONAL)


@router.pressed(Remind)
def remind(turn: Turn, press: Remind) -> Answer:
    return Reply(words("voting.reminded", count=desk.nudge(turn.tx, turn.now, actor(turn), press.poll)))


@router.pressed(Close)
def close(turn: Turn, press: Close) -> Answer:
    poll = desk.of(turn.tx, turn.now, actor(turn), press.poll)
    if poll.state == "open" and not press.sure:
        voted, expected = polls.turnout(turn.tx, poll.id)
        row = (
            Button(words("voting.close_sure"), Close(poll.id, sure=True)),
            Button(words("voting.close_not"), Watch(poll.id)),
        )
        return Reply(words("voting.close_ask", poll=poll, voted=voted, expected=expected), (row,))
    result = desk.close(turn.tx, turn.now, actor(turn), press.poll)
    return Reply(words("voting.result", poll=poll, result=result), replaces=True, grade=Grade.PERSONAL)


def items(turn: Turn) -> list[Item]:
    """What a secretary's desk says about polls."""
    if not _runs_polls(turn):
        return []
    lines = []
    running = {poll.id for poll in desk.run_by(turn.tx, turn.now, actor(turn)) if poll.state == "open"}
    for poll in desk.seen_by(turn.tx, turn.now, actor(turn)):
        if whole := poll.id in running:
            voted, expected = polls.turnout(turn.tx, poll.id)
        else:
            found = desk.turnout(turn.tx, turn.now, actor(turn), poll.id)
            voted, expected = found.voted, found.expected
        said = words("voting.desk_line", poll=poll, whole=whole, voted=voted, expected=expected)
        lines.append(Item(said, Button(poll.title[:20], Watch(poll.id))))
    new = Item(words("voting.desk_new"), Button(Phrase("发起投票"), Run(Code("poll"))))
    return [
        *lines,
        new,
        *([Item(words("voting.desk_close"), Button(Phrase("截止投票"), Run(Code("closepoll"))))] if running else []),
    ]
