"""reports, for those who see to them: who has handed in, remind the others, read, comment, take them all along."""

from __future__ import annotations

from datetime import datetime

from bot.core.action import Code
from bot.core.form import Form, ask
from bot.core.kinds import Prose
from bot.core.reply import Button, Grade, Phrase, Refused, Reply, Words, words
from bot.core.router import Begin, Run
from handlers import Answer, Item, Router, Turn, actor
from handlers.reports import desk
from handlers.reports.acts import Comment, Export, Listed, Nudge, Open, Status, named, pressed
from handlers.reports.desk import LONGEST_COMMENT, Branch
from handlers.reports.rules import Period
from handlers.reports.table import table
from handlers.rights import Right, may, today
from storage import contacts, organisations
from storage.organisations import Org

router = Router()

PAGE = 30
"""Reports that are offered at once."""
MANY = 20
"""Branches that are told of at once; of more, those in which the most is missing."""


class ReportComment(Form):
    """给思想汇报写评语"""

    review = False
    grade = Grade.SENSITIVE

    report: int = ask("给哪一份思想汇报写评语？请从“汇报情况”里打开它。", title="汇报")
    text: Prose = ask(
        "请写下评语，会转给汇报人；可以分几条发，写完发“完”。", title="评语", max_length=LONGEST_COMMENT
    )  # fmt: skip


def _sees_to_reports(turn: Turn) -> bool:
    """Whether somebody has a branch to see to, or is somebody's 培养联系人."""
    if turn.sender is None:
        return False
    if may(turn.tx, turn.now, actor(turn), Right.REPORT) or desk.readable_branches(turn.tx, turn.now, turn.sender.id):
        return True
    theirs = contacts.with_contact(turn.tx, turn.sender.id, today(turn.tx, turn.now))
    return bool(theirs) and table(turn.tx.house.rules).contact


@router.command("/reports", "汇报情况", "思想汇报情况", rest=True, shown=_sees_to_reports)
def reports_(turn: Turn, rest: str) -> Answer:
    """看谁交了思想汇报、读汇报、写评语，“汇报情况 2026-11”看别的月份"""
    if not rest:
        return _status(turn, _due_now(turn))
    try:
        period = Period.said(rest, today(turn.tx, turn.now))
    except ValueError:
        raise Refused("reports.bad_period") from None
    return _status(turn, [period])


def _due_now(turn: Turn) -> list[Period]:
    """The running periods, and within their first days those that are just over."""
    current = desk.current_periods(turn.tx, turn.now)
    fresh = [one.before for one in current if (today(turn.tx, turn.now) - one.first).days < 10]
    return [*fresh, *current]


@router.pressed(Status)
def status(turn: Turn, press: Status) -> Answer:
    return _status(turn, [pressed(press.period)])


def _status(turn: Turn, periods: list[Period]) -> Reply:
    tx, who = turn.tx, actor(turn)
    if any(period.first > today(tx, turn.now) for period in periods):
        raise Refused("reports.not_begun", period=named(periods[0]))
    branches: list[Branch] = []
    if may(tx, turn.now, who, Right.REPORT):
        branches = [one for period in periods for one in desk.status(tx, turn.now, who, period)]
    every, branches = branches, _worst(branches)
    readable = {period: desk.listed(tx, turn.now, who.person_id or 0, period) for period in periods}
    if not every and not any(readable.values()) and not _sees_to_reports(turn):
        raise Refused("reports.no_branch")
    rows: list[tuple[Button, ...]] = []
    for period in periods:
        if readable[period]:
            rows.append((Button(words("reports.read_them", period=named(period)), Listed(period.number)),))
    several = len({branch.org.id for branch in branches}) > 1
    for branch in branches:
        if branch.missing and desk.is_open(tx, turn.now, branch.period):
            org = branch.org.name if several else ""
            label = words("reports.remind_them", org=org, period=named(branch.period), count=len(branch.missing))
            rows.append((Button(label, Nudge(branch.period.number, branch.org.id)),))
    own = {org.id for org in desk.readable_branches(tx, turn.now, who.person_id or 0)}
    for branch in every:
        if branch.org.id in own and branch.done + branch.late:
            label = words("reports.take_along", period=named(branch.period))
            rows.append((Button(label, Export(branch.period.number, branch.org.id)),))
    return Reply(
        words(
            "reports.status",
            branches=[(named(one.period), one) for one in branches],
            periods=[named(one) for one in periods],
            rest=_rest(every, len(branches)),
        ),
        tuple(rows),
        grade=Grade.PERSONAL,
    )


def _worst(branches: list[Branch]) -> list[Branch]:
    """Those that a message has room for."""
    if len(branches) <= MANY:
        return branches
    return sorted((one for one in branches if one.missing), key=lambda one: -len(one.missing))[:MANY]


def _rest(branches: list[Branch], shown: int) -> Words | str:
    """What there is to say of all of them, where there are more than are shown; else nothing."""
    if len(branches) <= MANY:
        return ""
    total, missing = sum(one.total for one in branches), sum(len(one.missing) for one in branches)
    open_ = sum(bool(one.missing) for one in branches)
    return words("reports.status_many", total=total, done=total - missing, open=open_, shown=shown)


@router.pressed(Listed)
def listed(turn: Turn, press: Listed) -> Answer:
    period = pressed(press.period)
    found = desk.listed(turn.tx, turn.now, turn.member.id, period)[:PAGE]
    if not found:
        raise Refused("reports.nothing_to_read", period=named(period))
    buttons = [Button(writer.name, Open(report.id)) for writer, report in found]
    rows = tuple(tuple(buttons[at : at + 3]) for at in range(0, len(buttons), 3))
    return Reply(words("reports.list", period=named(period), found=found), rows, grade=Grade.PERSONAL)


@router.pressed(Nudge)
def nudge(turn: Turn, press: Nudge) -> Answer:
    count = desk.nudge(turn.tx, turn.now, actor(turn), pressed(press.period), _org(turn, press.org))
    row = (Button(Phrase("汇报情况"), Run(Code("reports"))),)
    said = words("reports.nudged", count=count)
    return Reply(said, (row,), toast=said, grade=Grade.PUBLIC)


def _org(turn: Turn, org_id: int) -> Org:
    """The organisation of a button: a claim, whose rights the desk looks at."""
    for org in organisations.all_of(turn.tx):
        if org.id == org_id:
            return org
    raise Refused("conversation.stale")


@router.pressed(Comment)
def comment(turn: Turn, press: Comment) -> Answer:
    found = desk.read(turn.tx, turn.now, actor(turn), press.report)  # whoever cannot read it says nothing to it
    if found.mine:
        raise Refused("reports.own_comment")
    return Begin(ReportComment, {"report": str(press.report)})


@router.form(ReportComment)
def said(turn: Turn, form: ReportComment) -> Answer:
    writer, period = desk.comment(turn.tx, turn.now, actor(turn), form.report, form.text)
    back = Button(words("reports.back_to_list"), Listed(period.number))
    return Reply(words("reports.comment_sent", name=writer.name), ((back,),), grade=Grade.PERSONAL)


@router.pressed(Export)
def export(turn: Turn, press: Export) -> Answer:
    from handlers.reports import bundle  # loads what writes Word files, for the few who ever ask for one

    file = bundle.keep(turn.tx, turn.now, actor(turn), _org(turn, press.org), pressed(press.period))
    said = words("reports.exported", file=file)
    row = (Button(f"📎 {file.name}", path=f"/files/{file.id}"),)
    return Reply(said, (row,), grade=Grade.PERSONAL)


def items(turn: Turn) -> list[Item]:
    """What a secretary's desk says of the running periods."""
    if not may(turn.tx, turn.now, actor(turn), Right.REPORT):
        return []
    found = []
    for period in _due_now(turn):
        branches = desk.status(turn.tx, turn.now, actor(turn), period)
        total, missing = sum(one.total for one in branches), sum(len(one.missing) for one in branches)
        over: datetime = period.deadline(turn.zone)
        if total and (missing or turn.now < over):
            said = words("reports.desk_line", period=named(period), done=total - missing, total=total)
            found.append(Item(said, Button(Phrase("汇报情况"), Run(Code("reports")))))
    return found
