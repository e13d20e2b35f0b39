"""quiz: which questions are there, who sits an examination, and how did it go?"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from bot.cli.door import DONE, PARTLY, Door, NothingDone, Wrong, asks, door
from bot.cli.nouns import noun

if TYPE_CHECKING:
    from handlers.quizzes.banking import Import
    from handlers.quizzes.results import Results
    from storage.house import Tx
    from storage.quizzes import Exam

app = noun("Quizzes: import questions (GIFT), open, close, results, export.")

ID = typer.Argument(metavar="ID", help="The number of the examination.", min=1)
LISTED = 50
"""Problems of a file spelled out on the screen; --json has all of them."""


@app.command("import")
def import_(
    ctx: typer.Context,
    file: Path = typer.Argument(metavar="FILE.gift", help="Questions as Moodle writes them."),
    org: str = typer.Option("", help="Whose bank; the uppermost organisation of yours if not given."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Only show what would be taken."),
) -> None:
    """Take the good questions of a file; every problem is told with its line. Ends with 3 if some are rejected.

    A question that is there already, by its [id:…] or its words, is replaced; examinations that run keep theirs.
    """
    from bot.core.reply import Refused, words
    from bot.parts import now
    from handlers.quizzes import banking
    from handlers.scope import one_org

    here, moment = door(ctx), now()
    try:
        content = file.read_bytes()
    except OSError as error:
        raise Wrong(f"{file}: cannot be read ({error.strerror}); check its name") from None
    reading = banking.read(content, file.name)
    with here.read() as tx:
        actor = here.actor(tx)
        where = one_org(tx, org) if org else banking.own_organisation(tx, moment, actor)
        plan = banking.plan(tx, moment, actor, where, reading)
    said = words("quizzes.imported", dry_run=dry_run, org=where.name, plan=banking.told(plan, most=LISTED))
    data = _import(here, plan) | {"file": file.name, "organisation": where.name, "dry_run": dry_run}
    if not dry_run and plan.takes:
        with here.write() as tx:
            banking.take(tx, moment, here.actor(tx), where, reading)
    here.show(data, lambda: here.say(said if dry_run or plan.takes else banking.told(plan, most=LISTED)))
    if not dry_run and not plan.takes:
        no = Refused("quizzes.nothing_to_take", same=plan.same, rejected=plan.rejected)
        raise NothingDone(here.say(no.words))
    raise typer.Exit(PARTLY if plan.rejected else DONE)


@app.command("open")
def open_(
    ctx: typer.Context,
    title: str = typer.Option(..., help="1 to 100 characters."),
    to: str = typer.Option(
        ..., metavar="SCOPE", help="all, org:NAME, role:NAME, kind:NAME, member:员工号; “,” any of, “&” all of."
    ),
    questions: int = typer.Option(..., min=1, help="How many are drawn; everybody gets the same."),
    until: str = typer.Option(..., metavar="MOMENT", help="Local, as 2026-12-01 18:00."),
    at: str | None = typer.Option(None, metavar="MOMENT", help="When it begins; now if not given."),
    category: str = typer.Option("", help="Draw from this category and those below it; from all if not given."),
    pass_mark: int | None = typer.Option(None, "--pass", min=1, max=100, help="Points of 100 that are enough."),
    at_once: bool = typer.Option(False, "--solutions-at-once", help="Explain at handing in, not after the end."),
    seed: str = typer.Option("", help="What decides the draw; for a rehearsal."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Show who would be told, and where; open nothing."),
) -> None:
    """Open an examination: the questions and who sits it are settled at once."""
    from bot.core.reply import words
    from bot.parts import now
    from handlers import reaching
    from handlers.quizzes import desk
    from storage import quizzes

    here, moment = door(ctx), now()
    closes = _moment(here, moment, until, "--until")
    plan = desk.Plan(
        title, to, questions, closes, category=category.strip("/"), pass_mark=pass_mark, at_once=at_once,
        opens=_moment(here, moment, at, "--at") if at is not None else None,
    )  # fmt: skip
    with here.write() as tx:  # the shipped bank is loaded at its first use
        actor = here.actor(tx)
        org = desk.organisation_of(tx, moment, actor, to)
        _check_category(tx, moment, plan.category, org)
        if dry_run:
            _, pool = desk.check(tx, moment, actor, org, plan)
            outlook = desk.outlook(tx, moment, actor, to)
            who, data = reaching.unreached(tx, outlook), reaching.rows(tx, outlook)
        else:
            exam = desk.open_(tx, moment, actor, org, plan, seed=seed)
            expected = quizzes.counts(tx, exam.id)[1]
    if dry_run:
        preview = words(
            "quizzes.preview", people=outlook.total, pool=len(pool), outlook=reaching.outlook(outlook)
        )  # fmt: skip
        here.show(data | {"pool": len(pool)}, lambda: here.say(words("quizzes.planned", preview=preview, who=who)))
        return
    said = words("quizzes.opened", exam=exam, expected=expected)
    here.show(_row(here, exam) | {"expected": expected}, lambda: f"{exam.id}  {here.say(said)}")


@app.command()
def close(ctx: typer.Context, exam_id: int = ID) -> None:
    """End an examination before its time; what is being written is handed in."""
    from bot.parts import now
    from handlers.quizzes import desk, results

    here, moment = door(ctx), now()
    with here.write() as tx:
        desk.close(tx, moment, here.actor(tx), exam_id)
        found = results.results(tx, moment, here.actor(tx), exam_id)
    here.show(_results(here, found), lambda: here.say(results.told(found)))


@app.command("results")
def results_(ctx: typer.Context, exam_id: int = ID) -> None:
    """Show by branch how many have sat it, the average, and who has not. Nobody is ranked."""
    from bot.parts import now
    from handlers.quizzes import results

    here = door(ctx)
    with here.read() as tx:
        found = results.results(tx, now(), here.actor(tx), exam_id)
    here.show(_results(here, found), lambda: here.say(results.told(found)))


@app.command()
def nudge(ctx: typer.Context, exam_id: int = ID) -> None:
    """Remind those who have not handed in, and nobody else."""
    from bot.core.reply import words
    from bot.parts import now
    from handlers.quizzes import desk

    here = door(ctx)
    with here.write() as tx:
        count = desk.nudge(tx, now(), here.actor(tx), exam_id)
    here.show({"id": exam_id, "nudged": count}, lambda: here.say(words("quizzes.reminded", count=count)))


@app.command()
def export(
    ctx: typer.Context,
    exam_id: int = ID,
    file: Path = typer.Argument(metavar="FILE.xlsx"),
    overwrite: bool = typer.Option(False, "--overwrite", help="Replace a file that is there."),
) -> None:
    """Write the results to a spreadsheet, readable by its owner only. That it was taken out is logged."""
    from bot.cli.files import write_private
    from bot.parts import now
    from handlers.quizzes import results

    here = door(ctx)
    if file.exists() and not overwrite and not (asks() and typer.confirm(f"Replace {file}?", err=True)):
        raise NothingDone(f"{file} is there already; --overwrite replaces it")
    with here.write() as tx:
        data = results.export(tx, now(), here.actor(tx), exam_id)
        write_private(file, data)  # within the transaction: where it cannot be written, nothing was taken out
    here.show({"file": str(file), "bytes": len(data)}, f"Written: {file}")


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """List the examinations that are yours to see to, newest first."""
    from bot.core.reply import words
    from bot.parts import now
    from handlers.quizzes import desk
    from storage import quizzes

    here = door(ctx)
    with here.read() as tx:
        found = desk.seen_by(tx, now(), here.actor(tx))
        rows = [(exam, words(f"quizzes.state_{exam.state}"), *quizzes.counts(tx, exam.id)) for exam in found]
    data = [_row(here, exam) | {"done": done, "expected": expected} for exam, _, done, expected in rows]
    here.show(data, lambda: here.say(words("quizzes.listed", rows=rows)))


# -- what is told -----------------------------------------------------------------------------------------------


def _import(here: Door, plan: Import) -> dict[str, Any]:
    from handlers.quizzes.banking import problem_words

    return {
        "new": len(plan.new), "changed": len(plan.changed), "same": plan.same, "rejected": plan.rejected,
        "categories": dict(plan.categories),
        "problems": [
            {"id": one.id, "line": one.line, "column": one.column, "kept": one.kept,
             "text": here.say(problem_words(one))}
            for one in plan.problems
        ],
        "twice": [one.line for one in plan.twice], "not_asked": [one.line for one in plan.unasked],
    }  # fmt: skip


def _row(here: Door, exam: Exam) -> dict[str, Any]:
    """An examination as JSON has it. The seed is told once it can no longer foretell anything."""
    return {
        "id": exam.id, "title": exam.title, "state": exam.state, "scope": exam.scope, "category": exam.category,
        "questions": exam.count, "pass": exam.pass_mark, "solutions_at_once": exam.at_once,
        "opens": _local(here, exam.opens_at), "closes": _local(here, exam.closes_at),
        "closed": _local(here, exam.closed_at), "seed": exam.seed if exam.state == "closed" else None,
    }  # fmt: skip


def _results(here: Door, found: Results) -> dict[str, Any]:
    return _row(here, found.exam) | {
        "expected": found.expected, "done": found.done, "whole": found.whole,
        "average": None if found.average is None else str(found.average * 100), "passed": found.passed,
        "branches": [
            {"branch": one.name, "expected": one.expected, "done": one.done, "begun": one.begun,
             "average": None if one.average is None else str(one.average * 100), "passed": one.passed,
             "missing": list(one.missing)}
            for one in found.branches
        ],
    }  # fmt: skip


def _check_category(tx: Tx, now: datetime, category: str, org: Any) -> None:
    """Raises Refused for a category that nobody has heard of, naming those there are."""
    from bot.core.reply import Refused
    from handlers.quizzes import banking

    names = [name for name, _ in banking.categories(tx, now, org)]
    if category and not any(f"{name}/".startswith(f"{category}/") for name in names):
        raise Refused("quizzes.no_such_category", name=category, names=[name for name in names if name])


def _moment(here: Door, now: datetime, written: str, option: str) -> datetime:
    """A moment as it may be typed in the chat. Raises Wrong; Refused for one that is past."""
    from bot.core.kinds import KINDS, Reading
    from bot.core.reply import Refused

    try:
        moment: datetime = KINDS[datetime].read(written, Reading(now, here.config.org.zone))
    except Refused as no:
        if no.words.template == "conversation.past":
            raise
        raise Wrong(f"{option}: {here.say(no.words)}") from None
    return moment


def _local(here: Door, at: datetime | None) -> str | None:
    return at.astimezone(here.config.org.zone).isoformat(timespec="seconds") if at else None
