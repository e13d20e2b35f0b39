"""report: who has handed in a thought report, what does it say, and how is a branch's period filed?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from bot.cli.door import Wrong, door
from bot.cli.nouns import noun

if TYPE_CHECKING:
    from handlers.reports.rules import Period

app = noun("Thought reports: who has handed in, reading, comments, export. Reading needs --as.")

PERIOD = typer.Option("", "--period", metavar="PERIOD", help="As 2026-11 or 2026-Q4; the running ones if not given.")
ID = typer.Argument(metavar="ID", help="The number of the report.", min=1)


@app.command()
def status(ctx: typer.Context, period: str = PERIOD, org: str = typer.Option("", help="One organisation.")) -> None:
    """Show by branch who has handed in, who was late, and who has not."""
    from bot.core.reply import words
    from bot.parts import now
    from handlers.reports import desk
    from handlers.reports.acts import named
    from handlers.scope import one_org

    here, moment = door(ctx), now()
    with here.read() as tx:
        actor, where = here.actor(tx), one_org(tx, org) if org else None
        periods = [_period(period)] if period else desk.current_periods(tx, moment)
        found = [branch for one in periods for branch in desk.status(tx, moment, actor, one, where)]
    data = [
        {
            "organisation": one.org.name, "period": str(one.period), "total": one.total,
            "done": [name for _, name in one.done], "late": [name for _, name in one.late],
            "missing": [name for _, name in one.missing],
        }
        for one in found
    ]  # fmt: skip
    said = words(
        "reports.status",
        branches=[(named(one.period), one) for one in found],
        periods=[named(one) for one in periods],
    )
    here.show(data, lambda: here.say(said))


@app.command("list")
def list_(ctx: typer.Context, period: str = PERIOD) -> None:
    """List the reports that --as may read, with their numbers."""
    from bot.parts import now
    from handlers.reports import desk

    here, moment = door(ctx), now()
    with here.read() as tx:
        actor = here.actor(tx)
        periods = [_period(period)] if period else desk.current_periods(tx, moment)
        found = [pair for one in periods for pair in desk.listed(tx, moment, actor.person_id or 0, one)]
    data = [
        {
            "id": report.id, "number": writer.number, "name": writer.name, "period": report.period,
            "version": report.version, "late": report.late, "length": report.length,
        }
        for writer, report in found
    ]  # fmt: skip
    here.show(data, lambda: "\n".join(f"{one['id']}  {one['name']}  {one['period']}" for one in data))


@app.command()
def show(ctx: typer.Context, report_id: int = ID) -> None:
    """Read a report, as whom --as names; it is written down, and the writer sees it."""
    from bot.core.reply import words
    from bot.parts import now
    from handlers.reports import desk
    from handlers.reports.acts import named

    here = door(ctx)
    with here.write() as tx:
        found = desk.read(tx, now(), here.actor(tx), report_id)
    data = {
        "id": found.report.id, "name": found.writer.name, "period": str(found.period), "late": found.report.late,
        "version": found.report.version, "text": found.text, "files": [file.name for file in found.files],
        "comments": [{"by": author, "text": comment.text} for author, comment in found.comments],
    }  # fmt: skip
    here.show(data, lambda: here.say(words("reports.report", found=found, period=named(found.period))))


@app.command()
def comment(
    ctx: typer.Context,
    report_id: int = ID,
    text: str = typer.Option(..., "--text", help="1 to 2000 characters; it goes to the writer."),
) -> None:
    """Say something to a report, as whom --as names."""
    from bot.core.reply import words
    from bot.parts import now
    from handlers.reports import desk

    here = door(ctx)
    with here.write() as tx:
        writer, _ = desk.comment(tx, now(), here.actor(tx), report_id, text)
    here.show({"id": report_id}, lambda: here.say(words("reports.comment_sent", name=writer.name)))


@app.command()
def nudge(ctx: typer.Context, org: str = typer.Option(..., help="The branch."), period: str = PERIOD) -> None:
    """Remind those of a branch who have not handed in, and nobody else."""
    from bot.core.reply import words
    from bot.parts import now
    from handlers.reports import desk
    from handlers.scope import one_org

    here, moment = door(ctx), now()
    with here.write() as tx:
        one = _period(period) if period else desk.current_periods(tx, moment)[0]
        count = desk.nudge(tx, moment, here.actor(tx), one, one_org(tx, org))
    here.show({"nudged": count}, lambda: here.say(words("reports.nudged", count=count)))


@app.command()
def export(
    ctx: typer.Context,
    out: Path = typer.Option(..., metavar="FILE", help=".docx: one document; .zip: one for each, with files."),
    org: str = typer.Option(..., help="The branch."),
    period: str = typer.Option(..., "--period", metavar="PERIOD", help="As 2026-11 or 2026-Q4."),
) -> None:
    """Write all reports of a branch for a period into a file, as whom --as names; each reading is written down."""
    from bot.cli.files import write_private
    from bot.core.reply import words
    from bot.parts import now
    from handlers.reports import bundle
    from handlers.scope import one_org

    here = door(ctx)
    if out.suffix not in (".docx", ".zip"):
        raise Wrong(f"{out}: name a file that ends in .docx or .zip")
    with here.write() as tx:
        where, one = one_org(tx, org), _period(period)
        found = bundle.sheets(tx, now(), here.actor(tx), where, one)
        whole = bundle.archive(found) if out.suffix == ".zip" else bundle.document(found, bundle.title(where, one))
        write_private(out, whole)  # within the transaction: where it cannot be written, nothing was read
    said = words("reports.written", file=str(out), count=len(found))
    here.show({"file": str(out), "reports": len(found)}, lambda: here.say(said))


@app.command()
def contact(
    ctx: typer.Context,
    number: str = typer.Argument(metavar="员工号", help="Who is accompanied."),
    by: str = typer.Option(..., "--by", metavar="员工号", help="The 培养联系人, a full member."),
    ends: bool = typer.Option(False, "--ends", help="They are not any longer."),
) -> None:
    """Put down who accompanies somebody, and may read their reports."""
    from bot.core.reply import words
    from bot.parts import now
    from handlers.organisation import members
    from handlers.reports import desk
    from handlers.rights import Right
    from storage import people

    here, moment = door(ctx), now()
    with here.write() as tx:
        actor = here.actor(tx)
        person = members.one(tx, moment, actor, Right.MEMBER, number)
        other = people.by_number(tx, by)
        if other is None or other.left_on is not None:
            raise Wrong(f"--by {by}: nobody here has this number; `tiexin member list` shows them")
        desk.accompany(tx, moment, actor, person, other, ends=ends)
    template = "reports.accompanied" if ends else "reports.accompanies"
    data: dict[str, Any] = {"person": person.number, "contact": other.number, "ends": ends}
    here.show(data, lambda: here.say(words(template, person=person.name, contact=other.name)))


def _period(text: str) -> Period:
    from handlers.reports.rules import Period

    try:
        return Period.read(text)
    except ValueError as error:
        raise Wrong(f"--period {text}: {error}") from None
