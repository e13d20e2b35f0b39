"""reports, for those who write them: 思想汇报 – hand one in, look at one's own, hear what was said to it."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.core.action import Code
from bot.core.form import Choice, Form, ask
from bot.core.kinds import Pick, Prose
from bot.core.reply import Button, Grade, Keyboard, Phrase, Refused, Reply, words
from bot.core.router import Begin, Run
from handlers import Answer, Item, Router, Turn, actor
from handlers.reports import desk
from handlers.reports.acts import Comment, Listed, Open, Write, named, pressed
from handlers.reports.desk import Opened
from handlers.reports.rules import Every, Period
from storage import people, reports
from storage.campaigns import Telling
from storage.house import Tx
from storage.reports import Report

router = Router()

SHORTEST, LONGEST = 50, 20_000
"""Characters of a report; a photo of a page needs none beside it."""
NEAR = timedelta(days=10)
"""From how long before the deadline on 我的 speaks of a report that is missing."""
JUST_OVER = timedelta(days=10)
"""What is mailed within this after a deadline is meant for the period that is over."""
MINE = 6
"""Periods of one's own that are offered to look at."""


def _periods(turn: Turn) -> list[Choice]:
    person = people.get(turn.tx, turn.member.id)
    if desk.every(turn.tx, person) is None:  # while they were writing: said when they hand it in, not before
        periods = desk.current_periods(turn.tx, turn.now)
    else:
        periods = desk.open_periods(turn.tx, turn.now, person)
    return [
        Choice(Code(str(period)), words("reports.choice", period=named(period), deadline=period.last))
        for period in periods
    ]


class ThoughtReport(Form):
    """思想汇报"""

    lifetime = timedelta(days=31)
    review = False
    grade = Grade.PUBLIC
    answer_grade = Grade.SENSITIVE

    period: Pick = ask("这是哪一期的思想汇报？", title="期次", choices=_periods)
    text: Prose = ask(
        "请写下您的思想汇报，可以分几条发，也可以发手写稿的照片、PDF 或 Word；写完发“完”。",
        title="汇报", min_length=SHORTEST, max_length=LONGEST, files=True,
    )  # fmt: skip


@router.command("/report", "思想汇报", "交思想汇报", rest=True, letters=True)
def report(turn: Turn, rest: str) -> Answer:
    """交思想汇报，看自己交过的和评语"""
    person = people.get(turn.tx, turn.member.id)
    periods = desk.open_periods(turn.tx, turn.now, person)
    if rest:
        return Begin(ThoughtReport, {"period": str(_meant(turn, periods))}, resumes=True, said=rest)
    mine = reports.of_person(turn.tx, person.id)
    done = [period for period in periods if any(one.period == str(period) for one in mine)]
    if len(done) < len(periods):
        given = {"period": str(periods[0])} if len(periods) == 1 else {}
        return Begin(ThoughtReport, given, resumes=True)
    return _mine(turn, mine, periods[-1])


def _meant(turn: Turn, periods: list[Period]) -> Period:
    """For which of the open periods a text is that names none."""
    last = periods[0]
    late = len(periods) > 1 and turn.now < last.deadline(turn.zone) + JUST_OVER
    return last if late else periods[-1]


def _mine(turn: Turn, mine: list[Report], current: Period) -> Reply:
    newest: dict[str, Report] = {}
    for one in mine:
        newest.setdefault(one.period, one)
    shown = list(newest.values())[:MINE]
    new = set(reports.unseen(turn.tx, turn.member.id))
    commented = {one.period for one in mine if one.id in new}
    rows: list[tuple[Button, ...]] = [
        (Button(words("reports.look", period=named(Period.read(one.period))), Open(one.id)),) for one in shown
    ]
    rows.append((Button(words("reports.another_version"), Write(current.number)),))
    said = words(
        "reports.mine", current=named(current), deadline=current.last,
        reports=[(named(Period.read(one.period)), one, one.period in commented) for one in shown],
    )  # fmt: skip
    return Reply(said, tuple(rows), grade=Grade.PERSONAL)


@router.pressed(Write)
def write(turn: Turn, press: Write) -> Answer:
    period = pressed(press.period)
    if period not in desk.open_periods(turn.tx, turn.now, people.get(turn.tx, turn.member.id)):
        raise Refused("reports.not_open", period=named(period))
    return Begin(ThoughtReport, {"period": str(period)}, resumes=True)


@router.form(ThoughtReport)
def submit(turn: Turn, form: ThoughtReport) -> Answer:
    receipt = desk.submit(
        turn.tx, turn.now, turn.member.id, Period.read(form.period), form.text, turn.address.channel
    )  # fmt: skip
    look = Button(words("reports.look_at_it"), Open(receipt.report.id))
    return Reply(
        words("reports.receipt", receipt=receipt, period=named(receipt.period)), ((look,),), grade=Grade.PUBLIC
    )


@router.pressed(Open)
def open_(turn: Turn, press: Open) -> Answer:
    return opened(turn, desk.read(turn.tx, turn.now, actor(turn), press.report))


def opened(turn: Turn, found: Opened) -> Reply:
    """A report on the screen, with what may be done to it."""
    rows: list[tuple[Button, ...]] = [(Button(f"📎 {file.name}", path=f"/files/{file.id}"),) for file in found.files]
    others = [one for one in found.versions if one.id != found.report.id]
    rows += [(Button(words("reports.version", version=one.version), Open(one.id)),) for one in others[:MINE]]
    rows += _acts(found)
    return Reply(
        words("reports.report", found=found, period=named(found.period)),
        tuple(rows),
        sensitive=True,
        grade=Grade.SENSITIVE,
    )


def _acts(found: Opened) -> Keyboard:
    if found.mine:
        return ()
    comment = Button(words("reports.write_comment"), Comment(found.report.id))
    return ((comment, Button(words("reports.back_to_list"), Listed(found.period.number))),)


# -- what reaches them --------------------------------------------------------------------------------------------


def commented(tx: Tx, _now: datetime, telling: Telling, person_id: int) -> Reply | None:
    """What a reader said, as it reaches the writer; not any more once they have read it there."""
    comment = reports.one_comment(tx, telling.subject)
    report = reports.get(tx, comment.report_id) if comment else None
    if comment is None or report is None or report.person_id != person_id or comment.seen_at:
        return None
    said = words(
        "reports.commented", period=named(Period.read(report.period)), author=people.get(tx, comment.author_id).name,
        text=comment.text,
    )  # fmt: skip
    row = (Button(words("reports.look_at_it"), Open(report.id)),)
    return Reply(said, (row,), sensitive=True, grade=Grade.SENSITIVE, outside=words("reports.commented_outside"))


def nudged(tx: Tx, _now: datetime, telling: Telling, person_id: int) -> Reply | None:
    """Asked once more by the secretary; not any more once it is handed in."""
    period = Period.numbered(telling.subject)
    if not desk.still_missing(tx, person_id, period):
        return None
    row = (Button(Phrase("思想汇报"), Run(Code("report"))),)
    return Reply(words("reports.nudge", period=named(period), deadline=period.last), (row,))


def sheet(turn: Turn) -> list[Item]:
    """What 我的 says: a report that is missing and nearly due, or late; words of a reader that wait."""
    person = people.get(turn.tx, turn.member.id)
    often = desk.every(turn.tx, person)
    write_it = Button(Phrase("思想汇报"), Run(Code("report")))
    items = []
    if often not in (None, Every.FREE):
        for period in desk.open_periods(turn.tx, turn.now, person):
            near = turn.now >= period.deadline(turn.zone) - NEAR
            if near and not reports.has(turn.tx, person.id, str(period)):
                late = turn.now >= period.deadline(turn.zone)
                items.append(
                    Item(words("reports.due", period=named(period), deadline=period.last, late=late), write_it)
                )
    for number in reports.unseen(turn.tx, person.id)[:MINE]:
        report = reports.get(turn.tx, number)
        if report:
            look = Button(Phrase("看评语"), Open(number))
            items.append(Item(words("reports.has_comment", period=named(Period.read(report.period))), look))
    return items
