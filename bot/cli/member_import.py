"""member import: what would a roster change, and then let it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from bot.cli.door import DONE, PARTLY, Door, Wrong, asks, door, progress

if TYPE_CHECKING:
    from datetime import datetime

    from handlers.roster.desk import Applied
    from handlers.roster.plan import ImportPlan
    from handlers.roster.reading import Roster
    from handlers.roster.rows import RosterRow
    from storage.audit import Actor
    from storage.house import Tx

WRITING = 0.05
"""Seconds that one transaction may take: members' taps wait for it."""
FEW, MANY = 5, 500
"""Rows in one transaction."""
LISTED = 50
"""Rows spelled out on the screen; --json has all of them."""


def import_(
    ctx: typer.Context,
    file: Path = typer.Argument(metavar="FILE", help="A roster: .xlsx or .csv."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Only show what would be done."),
    accept_changes: bool = typer.Option(False, "--accept-changes", help="Replace what is known by what differs."),
    add_branches: bool = typer.Option(False, "--add-branches", help="Add organisations that are not known yet."),
) -> None:
    """Import a roster: adds people, fills in blanks; changes need --accept-changes. Ends with 3 if rows are left.

    A second run goes on where the first was stopped. People whom the file does not name are listed, never touched.
    """
    from bot.parts import now
    from handlers.roster import desk

    here, moment = door(ctx), now()
    try:
        data = file.read_bytes()
    except OSError as error:
        raise Wrong(f"{file} cannot be read ({error.strerror})") from None
    with here.read() as tx:
        actor = here.actor(tx)
        desk.check_right(tx, moment, actor)
        roster = desk.read(tx, moment, data, file.name)
    new = _new_branches(here, moment, roster) if add_branches else []
    if new and not dry_run:
        with here.write() as tx:
            _add_branches(tx, moment, actor, new)
    if new and dry_run:
        plan = _as_if(here, moment, roster, new)
    else:
        with here.read() as tx:
            plan = desk.plan(tx, moment, actor, roster)
    if not here.as_json:
        print(_told(here, plan, roster, new))
    if plan.waiting and not accept_changes and not dry_run and asks():
        accept_changes = typer.confirm(f"Accept the changes of {len(plan.waiting)} people?", err=True)
    done = None if dry_run else _apply(here, moment, plan, accept_changes, file.name)
    rejected = sorted({*plan.rejected, *(problem.line for problem in done.problems)} if done else plan.rejected)
    if here.as_json:
        here.show(_data(here, plan, roster, done, rejected, new), "")
    elif done:
        from bot.core.reply import words

        print(here.say(words("roster.applied", done=done, rejected=len(rejected))))
        if done.waiting:
            print("With --accept-changes they are imported as well.")
    left = rejected or (plan.waiting and not accept_changes)
    raise typer.Exit(PARTLY if left else DONE)


def _apply(here: Door, now: datetime, plan: ImportPlan, accept: bool, file: str) -> Applied:
    """In many short transactions, each about as long as one member's tap may wait."""
    from handlers.roster import desk

    done, size, at = desk.Applied(), FEW, 0
    rows: list[RosterRow] = [step.row for step in plan.steps]
    with progress(len(rows), "Importing") as advance:
        while at < len(rows):
            some = rows[at : at + size]
            started = time.monotonic()
            with here.write() as tx:
                done += desk.apply(tx, now, here.actor(tx), some, accept_changes=accept, file=file)
            took = time.monotonic() - started
            at += len(some)
            advance(len(some))
            size = max(FEW, min(MANY, int(len(some) * WRITING / 2 / max(took, 0.001))))
    return done


# -- organisations that are not known yet ------------------------------------------------------------------------


def _new_branches(here: Door, now: datetime, roster: Roster) -> list[str]:
    """The names and paths of branches in the file that nothing here is called by."""
    from storage import organisations

    with here.read() as tx:
        named = dict.fromkeys(row.branch for row in roster.rows if row.branch)
        return [name for name in named if not organisations.named(tx, name)]


def _add_branches(tx: Tx, now: datetime, actor: Actor, names: list[str]) -> None:
    """Add them, each below what its path names, else below the uppermost."""
    from handlers.organisation import desk
    from handlers.scope import one_org
    from storage import organisations

    root = next(org for org in organisations.all_of(tx) if org.parent_id is None)
    for name in names:
        parent, path = root, list[str]()
        for part in name.strip("/").split("/"):
            path.append(part)
            if part == root.name and len(path) == 1:
                continue
            if organisations.named(tx, "/".join(path)):
                parent = one_org(tx, "/".join(path))
            else:
                parent = desk.add(tx, now, actor, name=part, parent=parent)


def _as_if(here: Door, now: datetime, roster: Roster, names: list[str]) -> ImportPlan:
    """What the file would do once these organisations were there; nothing of it is kept."""
    from handlers.roster import desk

    class Enough(Exception):
        """Takes back what was written."""

    try:
        with here.write() as tx:
            _add_branches(tx, now, here.actor(tx), names)
            plan = desk.plan(tx, now, here.actor(tx), roster)
            raise Enough
    except Enough:
        return plan


# -- what is told ------------------------------------------------------------------------------------------------


def _told(here: Door, plan: ImportPlan, roster: Roster, new: list[str]) -> str:
    from handlers.roster import desk
    from handlers.roster.preview import preview

    with here.read() as tx:
        said = here.say(preview(plan, roster, desk.columns(tx), most=LISTED))
    return "\n\n".join([said, *([f"New organisations: {', '.join(new)}"] if new else [])])


def _data(
    here: Door, plan: ImportPlan, roster: Roster, done: Applied | None, rejected: list[int], new: list[str]
) -> dict[str, Any]:
    """Everything about an import, without anything private of a row."""
    from handlers.roster import desk
    from handlers.roster.preview import problem_words

    with here.read() as tx:
        aliases = desk.columns(tx)
        problems = [
            {"line": p.line, "column": p.column, "reason": p.reason, "text": here.say(problem_words(p, aliases))}
            for p in (*plan.problems, *(done.problems if done else ()))
        ]
    changes = [
        {"line": c.line, "number": c.number, "name": c.name, "column": c.column, "old": c.old, "new": c.new}
        for c in plan.changes
    ]
    return {
        "file": roster.file,
        "dry_run": done is None,
        "lines": roster.lines,
        "add": [{"line": step.row.line, "number": step.number, "name": step.name} for step in plan.adds],
        "fill": [{"line": s.row.line, "number": s.number, "columns": sorted(s.values)} for s in plan.fills],
        "changes": changes,
        "proposals": [{"line": s.row.line, "number": s.number, "name": s.name} for s in plan.proposals],
        "unchanged": plan.unchanged,
        "kept": [{"line": s.row.line, "number": s.number, "columns": list(s.kept)} for s in plan.kept],
        "rejected": rejected,
        "problems": problems,
        "absent": [{"number": person.number, "name": person.name} for person in plan.absent],
        "ignored_columns": [column.heading for column in roster.ignored],
        "new_branches": new,
        "done": None if done is None else {
            "added": done.added, "filled": done.filled, "changed": done.changed, "waiting": done.waiting,
            "unchanged": done.unchanged,
        },
    }  # fmt: skip
