"""tiexin dues: what does a member owe?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:  # the rest is imported when a command runs, so that --help is there at once
    from bot.app import App
    from handlers.dues.desk import Statement

app = typer.Typer(help="Dues: what a member owes, and why.", no_args_is_help=True)


@app.callback()
def dues() -> None:
    """Dues: what a member owes, and why."""


@app.command()
def statement(
    number: Annotated[str, typer.Argument(metavar="员工号", help="The employee number of the member.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    responsible: Annotated[
        str, typer.Option("--as", metavar="员工号", help="Who asks; the operator unless you say so.")
    ] = "",
    config: Annotated[Path | None, typer.Option("--config", metavar="FILE", help="The configuration.")] = None,
) -> None:
    """Show this month's dues of a member, how they come about, and the articles. Reading them is logged."""
    import os

    from bot.app import build
    from bot.config import ConfigError, load
    from bot.core.reply import Refused

    try:
        parts = build(load(config, os.environ))
    except ConfigError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    try:
        typer.echo(sheet(parts, number, responsible=responsible, as_json=as_json))
    except Refused as no:
        typer.echo(parts.reception.renderer.say(no.words, parts.house.language), err=True)
        raise typer.Exit(1) from None
    finally:
        parts.database.close()


def sheet(parts: App, number: str, *, responsible: str = "", as_json: bool = False) -> str:
    """The statement of a member as text or JSON. Raises Refused: nobody of that number, or no right to see it."""
    from bot.core.reply import Refused, words
    from handlers.dues import desk
    from storage import people
    from storage.audit import OPERATOR, Actor

    with parts.database.write() as tx:  # reading somebody's base is logged
        actor = OPERATOR
        if responsible:
            asker = people.by_number(tx, responsible)
            if asker is None or asker.left_on is not None:
                raise Refused("dues.nobody_here", number=responsible)
            actor = Actor(asker.id, asker.name, "cli")
        person = people.by_number(tx, number)
        if person is None:
            raise Refused("dues.nobody_here", number=number)
        found = desk.statement(tx, parts.clock(), actor, person)
    if as_json:
        return json.dumps(plain(found), ensure_ascii=False, indent=2)
    how = None
    if found.due and found.due.assessment:
        how = words(
            "dues.how",
            assessment=found.due.assessment,
            explanation=found.due.explanation,
            category=found.due.category,
        )
    said = words(
        "dues.statement", person=found.person, branch=found.branch, due=found.due, start=found.start, how=how
    )
    return parts.reception.renderer.say(said, parts.house.language)


def plain(found: Statement) -> dict[str, Any]:
    """A statement as JSON has it: amounts are texts in yuan; what has not been settled is null."""
    from handlers.dues.explain import yuan

    person, due = found.person, found.due
    out: dict[str, Any] = {
        "number": person.number, "name": person.name, "kind": person.kind, "branch": found.branch,
        "pays": due is not None, "assessed": False, "month": None, "category": None, "category_assumed": None,
        "base": None, "rate": None, "exact": None, "due": None, "ceiling_applied": None, "review": [],
        "basis": [found.start.reference] if found.start else [],
        "to_be_confirmed": bool(found.start and found.start.to_be_confirmed),
    }  # fmt: skip
    if due is None:
        return out
    out |= {"month": f"{due.month:%Y-%m}", "category": due.category.name, "category_assumed": due.assumed}
    out["base"] = None if due.base_fen is None else yuan(due.base_fen)
    explanation = due.explanation
    if due.assessment is None or explanation is None:
        return out
    return out | {
        "assessed": True,
        "rate": explanation.percent,
        "exact": explanation.figure,
        "due": explanation.due,
        "ceiling_applied": due.assessment.ceiling_applied,
        "review": list(explanation.review),
        "basis": list(explanation.basis),
        "to_be_confirmed": explanation.to_be_confirmed,
    }
