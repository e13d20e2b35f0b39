"""summaries: 支部小结 – hand in what the branch did this month and plans for the next; read those of all branches."""

from __future__ import annotations

from datetime import timedelta

from bot.core.action import Action, Code
from bot.core.form import Choice, Form, ask
from bot.core.kinds import Pick, Prose
from bot.core.reply import Button, Keyboard, Phrase, Refused, Reply, words
from bot.core.router import Begin, Run
from handlers import Answer, Item, Router, Turn, actor
from handlers.reports import summaries
from handlers.reports.acts import named, pressed
from handlers.reports.rules import Every, Period
from handlers.rights import today
from storage import organisations

router = Router()

NEAR = timedelta(days=7)
"""From how long before the deadline on 工作台 speaks of a summary that is missing."""


class OpenSummary(Action, tag="uo", light=True):
    """Read what a branch says of its month."""

    summary: int


class Month(Action, tag="um", light=True):
    """What the branches said of a month."""

    period: int


def _orgs(turn: Turn) -> list[Choice]:
    found = summaries.own_branches(turn.tx, turn.now, turn.member.id)
    return [Choice(Code(f"o{org.id}"), org.name) for org in found]


def _months(turn: Turn) -> list[Choice]:
    """This month first: it is nearly always meant, until the next has begun."""
    return [
        Choice(Code(str(period)), words("reports.choice", period=named(period), deadline=period.last))
        for period in summaries.open_periods(turn.tx, turn.now)
    ]


class MonthOfBranch(Form):
    """支部小结"""

    lifetime = timedelta(days=14)

    org: Pick = ask("是哪个支部的小结？", title="支部", choices=_orgs)
    period: Pick = ask("是哪个月的小结？", title="月份", choices=_months)
    done: Prose = ask(
        "这个月支部做了哪些工作？可以分几条发，写完发“完”。", title="本月小结", min_length=10, max_length=8000
    )  # fmt: skip
    plan: Prose = ask("下个月打算做什么？可以分几条发，写完发“完”。", title="下月计划", min_length=5, max_length=8000)


def _hands_in(turn: Turn) -> bool:
    return turn.sender is not None and bool(summaries.own_branches(turn.tx, turn.now, turn.sender.id))


def _reads(turn: Turn) -> bool:
    return turn.sender is not None and summaries.may_read(turn.tx, turn.now, turn.sender.id)


@router.command("/summary", "支部小结", "交支部小结", shown=_hands_in)
def summary(turn: Turn, _rest: str) -> Answer:
    """交支部的每月小结和下月计划"""
    orgs = summaries.own_branches(turn.tx, turn.now, turn.member.id)
    given = {"org": f"o{orgs[0].id}"} if len(orgs) == 1 else {}
    periods = summaries.open_periods(turn.tx, turn.now)
    if orgs and (len(periods) == 1 or not summaries.missing(turn.tx, periods[0], orgs)):
        given["period"] = str(periods[-1])
    return Begin(MonthOfBranch, given, resumes=True)


@router.form(MonthOfBranch)
def submit(turn: Turn, form: MonthOfBranch) -> Answer:
    org = organisations.get(turn.tx, int(form.org[1:]))
    period = Period.read(form.period)
    found = summaries.submit(turn.tx, turn.now, actor(turn), org, period, form.done, form.plan)
    row = (
        Button(words("reports.look_at_it"), OpenSummary(found.id)),
        Button(Phrase("各支部小结"), Run(Code("summaries"))),
    )
    said = words("reports.summary_taken", summary=found, org=org.name, period=named(period))
    return Reply(said, (row,))


@router.command("/summaries", "各支部小结", shown=_reads, closed="reports.no_summaries")
def all_of_them(turn: Turn, _rest: str) -> Answer:
    """看各支部的每月小结和下月计划"""
    current = Period.of(today(turn.tx, turn.now), Every.MONTH)
    found = summaries.listed(turn.tx, turn.now, turn.member.id, current)
    return _month(turn, current if any(one for _, one in found) else current.before)


@router.pressed(Month)
def month(turn: Turn, press: Month) -> Answer:
    period = pressed(press.period)
    if period.quarterly:
        raise Refused("conversation.stale")
    return _month(turn, period)


def _month(turn: Turn, period: Period) -> Reply:
    found = summaries.listed(turn.tx, turn.now, turn.member.id, period)
    rows: list[tuple[Button, ...]] = [(Button(org.name, OpenSummary(one.id)),) for org, one in found if one]
    walk = [Button(words("reports.month_before", period=named(period.before)), Month(period.before.number))]
    if period.after.first <= today(turn.tx, turn.now):
        walk.append(Button(words("reports.month_before", period=named(period.after)), Month(period.after.number)))
    rows.append(tuple(walk))
    silent = [org.name for org, one in found if one is None]
    said = words(
        "reports.summaries", period=named(period), silent=silent, found=[(org.name, one) for org, one in found if one]
    )  # fmt: skip
    return Reply(said, tuple(rows))


@router.pressed(OpenSummary)
def open_(turn: Turn, press: OpenSummary) -> Answer:
    found, org, author = summaries.read(turn.tx, turn.now, turn.member.id, press.summary)
    period = Period.read(found.period)
    said = words(
        "reports.summary", summary=found, org=org.name, author=author, period=named(period), next=named(period.after)
    )  # fmt: skip
    back: Keyboard = ((Button(Phrase("各支部小结"), Run(Code("summaries"))),),)
    return Reply(said, back)


def items(turn: Turn) -> list[Item]:
    """What a secretary's desk says of a month that is missing and nearly over, or just over."""
    if turn.sender is None:
        return []
    orgs = summaries.own_branches(turn.tx, turn.now, turn.sender.id)
    found = []
    for period in summaries.open_periods(turn.tx, turn.now) if orgs else ():
        if turn.now < period.deadline(turn.zone) - NEAR:
            continue
        for org in summaries.missing(turn.tx, period, orgs):
            said = words("reports.desk_summary", org=org.name, period=named(period), deadline=period.last)
            found.append(Item(said, Button(Phrase("支部小结"), Run(Code("summary")))))
    return found
