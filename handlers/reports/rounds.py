"""rounds: who is reminded of what they have not handed in yet, and when?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial

from bot.core.action import Code
from bot.core.reply import Button, Phrase, words
from bot.core.router import Run
from handlers import Item, Kind, Round
from handlers.overseers import overseers
from handlers.reports import desk, summaries
from handlers.reports.acts import named
from handlers.reports.rules import Call, Every, Period, calls
from handlers.reports.table import table
from handlers.rights import Right, places, today
from handlers.workdays import workdays
from storage import offices, people
from storage.audit import Actor
from storage.house import Tx
from storage.reminders import Kept

REPORT, LIST = "report", "report.list"
SUMMARY, SUMMARY_LIST = "summary", "summary.list"
_WRITE = Button(Phrase("思想汇报"), Run(Code("report")))
_STATUS = Button(Phrase("汇报情况"), Run(Code("reports")))
_HAND_IN = Button(Phrase("支部小结"), Run(Code("summary")))
_SUMMARIES = Button(Phrase("各支部小结"), Run(Code("summaries")))


def rounds(tx: Tx, now: datetime) -> Iterator[Round]:
    """The rounds that may be due: those of the running period and of the last. Asks the database nothing."""
    rule, day, calendar = table(tx.house.rules), today(tx, now), workdays(tx.house.rules)
    for often in (Every.MONTH, Every.QUARTER):
        if not rule.kinds(often):
            continue
        current = Period.of(day, often)
        for period in (current.before, current):
            for call in calls(period, tx.house.zone, calendar, rule.steps):
                if call.at <= now < call.until:
                    people_of = partial(_of_report, tx, now, period, call)
                    kind = LIST if call.step == "list" else REPORT
                    yield Round(kind, f"{period} {call.step}", period.number, call.at, call.until, people_of)
    current = Period.of(day, Every.MONTH)
    for period in (current.before, current):
        for call in calls(period, tx.house.zone, calendar, rule.steps):
            if call.at <= now < call.until:
                people_of = partial(_of_summary, tx, now, period, call)
                kind = SUMMARY_LIST if call.step == "list" else SUMMARY
                yield Round(kind, f"{period} {call.step}", period.number, call.at, call.until, people_of)


def _of_report(tx: Tx, now: datetime, period: Period, call: Call) -> list[int]:
    silent = desk.missing(tx, period)
    if call.step != "list":
        return silent
    homes = {person.organisation_id for person in people.listed(tx, silent)}
    return overseers(tx, now, homes)


def _of_summary(tx: Tx, now: datetime, period: Period, call: Call) -> list[int]:
    silent = summaries.missing(tx, period)
    return summaries.superiors(tx, now, silent) if call.step == "list" else summaries.responsible(tx, now, silent)


# -- their lines, now -------------------------------------------------------------------------------------------


def report_line(tx: Tx, now: datetime, kept: Kept) -> Item | None:
    period = Period.numbered(kept.subject)
    if not desk.still_missing(tx, kept.person_id, period):
        return None
    return Item(words("reports.remind", period=named(period), step=kept.key.rpartition(" ")[2]), _WRITE)


def list_line(tx: Tx, now: datetime, kept: Kept) -> Item | None:
    period = Period.numbered(kept.subject)
    actor = Actor(kept.person_id, people.get(tx, kept.person_id).name, "chat")
    if not places(tx, now, actor, Right.REPORT):
        return None
    count = sum(len(branch.missing) for branch in desk.status(tx, now, actor, period))
    return Item(words("reports.remind_list", period=named(period), count=count), _STATUS) if count else None


def summary_line(tx: Tx, now: datetime, kept: Kept) -> Item | None:
    period = Period.numbered(kept.subject)
    orgs = summaries.missing(tx, period, summaries.own_branches(tx, now, kept.person_id))
    if not orgs:
        return None
    step = kept.key.rpartition(" ")[2]
    return Item(
        words("reports.remind_summary", period=named(period), step=step, orgs=[org.name for org in orgs]), _HAND_IN
    )


def summary_list_line(tx: Tx, now: datetime, kept: Kept) -> Item | None:
    period, day = Period.numbered(kept.subject), today(tx, now)
    held = [one.org for one in offices.of_person(tx, kept.person_id, day)]
    orgs = [org for org in summaries.missing(tx, period) if any(one.holds(org) and one.id != org.id for one in held)]
    if not orgs:
        return None
    return Item(
        words("reports.remind_summary_list", period=named(period), orgs=[org.name for org in orgs]), _SUMMARIES
    )


KINDS = {
    REPORT: Kind(Phrase("思想汇报"), report_line),
    LIST: Kind(Phrase("汇报没交的名单"), list_line, officers=True),
    SUMMARY: Kind(Phrase("支部小结"), summary_line, officers=True),
    SUMMARY_LIST: Kind(Phrase("小结没交的名单"), summary_list_line, officers=True),
}
