"""join: who wants to join the Party, how far are they, what is due, and what has been decided?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from bot.cli.door import Door, Wrong, day, door, table
from bot.cli.nouns import noun

if TYPE_CHECKING:
    from datetime import date

    from handlers.joining.branch import Entry
    from handlers.joining.desk import Case
    from storage.audit import Actor
    from storage.house import Tx

app = noun("Applications to join: who, how far, what is due; receive, record, decline.")

NUMBER = typer.Argument(metavar="员工号", help="The employee number, or the name, of the applicant.")


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """Show the applications under way, with the next step of each."""
    from bot.parts import now
    from handlers.joining import branch

    here = door(ctx)
    with here.read() as tx:
        found = branch.inbox(tx, now(), here.actor(tx))
    rows = [_row(case) for case in found]
    headings = ("number", "name", "org", "kind", "state", "step", "latest")

    def text() -> str:
        cells = [[(row["next"] or {}).get(name) if name in ("step", "latest") else row[name] for name in headings]
                 for row in rows]  # fmt: skip
        return table(headings, cells)

    here.show(rows, text)


@app.command()
def show(
    ctx: typer.Context,
    number: str = NUMBER,
    statement: bool = typer.Option(False, "--statement", help="Also what the applicant wrote. Reading it is logged."),
    notes: bool = typer.Option(False, "--notes", help="Also the notes of the records. Reading them is logged."),
) -> None:
    """Show where somebody's application is: records, next step, dates, articles."""
    from bot.core.reply import words
    from bot.parts import now
    from handlers.joining import branch, chat
    from storage import applications
    from storage.applications import Stage

    here, moment = door(ctx), now()
    with here.write() as tx:  # what is read is logged
        actor = here.actor(tx)
        case = _case(tx, moment, actor, number)
        text, pages = branch.read(tx, moment, actor, case.filed.id)[1:] if statement else ("", [])
        written = branch.notes(tx, moment, actor, case.filed.id) if notes else {}
        status = chat.status(tx, case)
        reason = applications.reason(tx, case.filed.id) if case.filed.state in ("returned", "declined") else ""
    records = [one for one in case.course.records if isinstance(one, Stage)]
    data = _row(case) | {
        "records": [
            {
                "step": one.step, "version": one.version, "day": one.day, "decided_by": one.decided_by,
                "outcome": one.outcome, "months": one.months, "recorded_by": one.recorded_by,
                **(dict(zip(("note", "facts"), written.get(one.id, ("", {})), strict=True)) if notes else {}),
            }
            for one in records
        ],
        **({"statement": text, "pages": [page.name for page in pages]} if statement else {}),
    }  # fmt: skip

    def told() -> str:
        said = words(
            "joining.case", person=case.person, org=case.org.name, status=status, state=case.filed.state,
            reason=reason, records=[chat.done(case, one) for one in records],
        )  # fmt: skip
        more = [f"{one.step}: {written[one.id][0]}" for one in records if one.id in written and written[one.id][0]]
        return "\n".join([here.say(said), *more, *([text, *(page.name for page in pages)] if statement else [])])

    here.show(data, told)


@app.command()
def advance(
    ctx: typer.Context,
    number: str = NUMBER,
    step: str = typer.Option(..., help="1 to 25, or 6a. 1 receives an application, also one on paper."),
    on: str = typer.Option("", help="The day on which it was decided or done; today if not given."),
    by: str = typer.Option("", help="The body that decided, or whoever received it; else as the regulation says."),
    note: str = typer.Option("", help="Kept encrypted."),
    contact: list[str] = typer.Option([], help="Step 5: a contact's number; up to two."),
    posted: str = typer.Option("", help="Step 8: the first day of the public notice."),
    objections: bool = typer.Option(False, "--objections", help="Step 8: the result stands against it."),
    introducer: list[str] = typer.Option([], help="Step 9: an introducer's number; two."),
    penalty: str = typer.Option("none", help="Step 9: none, effect (a penalty in effect) or probation (留党察看)."),
    cleared: bool | None = typer.Option(None, "--cleared/--not-cleared", help="Step 10: the written conclusion."),
    days: int = typer.Option(0, help="Step 11: days of training.", min=0),
    hours: int = typer.Option(0, help="Step 11: hours of training.", min=0),
    special: bool = typer.Option(False, "--special", help="Step 11: an approved and recorded special case."),
    leaves: str = typer.Option("", help="Step 13: when they leave, if they do."),
    expected: int | None = typer.Option(None, help="Steps 15, 23: members with the right to vote.", min=0),
    present: int | None = typer.Option(None, help="Steps 15, 23: of them present.", min=0),
    favour: int | None = typer.Option(None, help="Steps 15, 23: in favour, written opinions included.", min=0),
    outcome: str = typer.Option("", help="Step 23: confirm, extend or cancel."),
    months: int = typer.Option(0, help="Step 23: by how many months.", min=0),
    dry_run: bool = typer.Option(False, "--dry-run", help="Say what stands against it; record nothing."),
) -> None:
    """Record a step that was decided or done. What the regulation forbids is refused (1)."""
    from bot.parts import now
    from handlers.joining import branch
    from handlers.joining.guards import Facts
    from handlers.organisation import members
    from handlers.rights import Right

    here, moment = door(ctx), now()
    when = day(on) if on else moment.astimezone(here.config.org.zone).date()
    if penalty not in ("none", "effect", "probation"):
        raise Wrong("--penalty: none, effect or probation")
    with here.write() as tx:
        actor = here.actor(tx)
        if step == "1":
            _receive(here, tx, actor, number, when, by, dry_run=dry_run)
            return
        found = [members.one(tx, moment, actor, Right.ROSTER, who) for who in (contact or introducer)]
        full = [person.kind == "正式党员" for person in found]
        facts = Facts(
            contacts=tuple(person.number for person in found) if contact else (), contacts_full=all(full),
            introducers=branch.introducers(full, penalty) if introducer else (),
            posted_on=day(posted) if posted else None, objections=objections, cleared=cleared, days=days, hours=hours,
            special=special, leaves_on=day(leaves) if leaves else None, expected=expected, present=present,
            favour=favour, outcome=outcome, months=months,
        )  # fmt: skip
        names = tuple(f"{person.name} {person.number}" for person in found)
        case = _case(tx, moment, actor, number)
        entry = branch.Entry(step, when, by, facts, note, names)
        if dry_run:
            _judged(here, tx, case, entry)
            return
        case, verdict = branch.record(tx, moment, actor, case.filed.id, entry)
    warned = [_say(here, one.code, one.values) for one in verdict.warned]
    data = _row(case) | {"recorded": step, "version": verdict.version, "warnings": warned}
    here.show(data, lambda: "\n".join([_line(here, case), *warned]))


@app.command()
def decline(
    ctx: typer.Context,
    number: str = NUMBER,
    reason: str = typer.Option(..., help="Told to the applicant as it is."),
    by: str = typer.Option(..., help="The body that decided it."),
) -> None:
    """End an application by a decision; the applicant is told the reason."""
    from bot.parts import now
    from handlers.joining import branch

    here, moment = door(ctx), now()
    with here.write() as tx:
        actor = here.actor(tx)
        case = branch.decline(tx, moment, actor, _case(tx, moment, actor, number).filed.id, by, reason)
    here.show(_row(case), lambda: _line(here, case))


@app.command()
def due(ctx: typer.Context, days: int = typer.Option(30, min=0, max=3660, help="How many days ahead.")) -> None:
    """Show what is overdue and what comes up: terms, half-yearly reviews, ends of probation."""
    from bot.parts import now
    from handlers.joining import branch, dates
    from handlers.rights import today

    here, moment = door(ctx), now()
    with here.read() as tx:
        branch.reach(tx, moment, here.actor(tx))
        found = dates.within(tx, moment, here.actor(tx), days)
        here_and_now = today(tx, moment)
    rows: list[dict[str, Any]] = [
        {
            "day": one.day, "overdue": here_and_now > one.day, "number": one.person.number, "name": one.person.name,
            "org": one.org.name, "what": one.kind.removeprefix("join-"), "step": one.step.number,
            "called": one.step.name, "article": one.step.article, "received": one.received,
        }
        for one in found
    ]  # fmt: skip
    headings = ("day", "overdue", "number", "name", "org", "what", "step", "called", "article")

    def text() -> str:
        cells = [
            [("!" if row[name] else "") if name == "overdue" else row[name] for name in headings] for row in rows
        ]
        return table(headings, cells)

    here.show(rows, text)


# -- inside ---------------------------------------------------------------------------------------------------


def _case(tx: Tx, moment: Any, actor: Actor, number: str) -> Case:
    """The application of somebody. Raises Refused where none is recorded."""
    from bot.core.reply import Refused
    from handlers.joining import branch

    person, case = branch.of_person(tx, moment, actor, number)
    if case is None:
        raise Refused("joining.not_recorded", name=person.name, kind=person.kind)
    return case


def _receive(here: Door, tx: Tx, actor: Actor, number: str, when: date, by: str, *, dry_run: bool) -> None:
    """Step 1: what was handed in is received; where nothing was, it was handed in on paper."""
    from bot.parts import now
    from handlers.joining import branch

    person, case = branch.of_person(tx, now(), actor, number)
    if dry_run:
        raise Wrong("--dry-run: there is nothing to judge about step 1")
    if case and case.open:
        case = branch.receive(tx, now(), actor, case.filed.id, when, by)
    else:
        case = branch.register(tx, now(), actor, person, when, by)
    received = case
    here.show(_row(received) | {"recorded": "1"}, lambda: _line(here, received))


def _judged(here: Door, tx: Tx, case: Case, entry: Entry) -> None:
    from bot.cli.door import DONE, REFUSED
    from handlers.joining import branch

    verdict = branch.judge(tx, case, entry)
    refused, warned = (
        [_say(here, one.code, one.values) for one in said] for said in (verdict.refused, verdict.warned)
    )
    data = {"version": verdict.version, "refused": refused, "warnings": warned}
    here.show(data, lambda: "\n".join([*refused, *warned]) or "nothing stands against it")
    raise typer.Exit(REFUSED if refused else DONE)


def _say(here: Door, code: str, values: Any) -> str:
    from bot.core.reply import words

    return here.say(words(f"joining.{code}", **values))


def _line(here: Door, case: Case) -> str:
    from bot.core.reply import words
    from handlers.joining import chat

    ahead = chat.window(case.ahead, case.today) if case.ahead else None
    said = words("joining.line", person=case.person, org=case.org.name, state=case.filed.state, ahead=ahead)
    return here.say(said)


def _row(case: Case) -> dict[str, Any]:
    """An application as JSON has it; days are local."""
    ahead = case.ahead
    upcoming = {
        "step": ahead.step.number, "called": ahead.step.name, "who": ahead.step.who, "article": ahead.step.article,
        "earliest": ahead.earliest, "latest": ahead.latest, "utmost": ahead.utmost,
        "overdue": ahead.overdue(case.today),
    } if ahead else None  # fmt: skip
    return {
        "number": case.person.number, "name": case.person.name, "org": case.org.name, "kind": case.person.kind,
        "state": case.filed.state, "handed": case.filed.handed_at, "received": case.filed.received_on,
        "received_by": case.filed.received_by, "next": upcoming, "review": case.course.review(case.today),
        "probation_ends": case.course.ends,
    }  # fmt: skip
