"""dues: what does a member owe, and why?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from bot.cli.door import Door, door
from bot.cli.nouns import noun

if TYPE_CHECKING:
    from handlers.dues.desk import Statement

app = noun("Dues: what a member owes, and why.")


@app.callback()
def dues() -> None:
    """Dues: what a member owes, and why."""


@app.command()
def statement(
    ctx: typer.Context, number: str = typer.Argument(metavar="员工号", help="The employee number of the member.")
) -> None:
    """Show this month's dues of a member, how they come about, and the articles. Reading them is logged."""
    from bot.core.reply import Refused
    from handlers.dues import desk
    from storage import people

    here = door(ctx)
    with here.write() as tx:  # reading somebody's base is logged
        person = people.by_number(tx, number)
        if person is None:
            raise Refused("dues.nobody_here", number=number)
        found = desk.statement(tx, here.app.clock(), here.actor(tx), person)
    here.show(plain(found), lambda: _told(here, found))


def _told(here: Door, found: Statement) -> str:
    from bot.core.reply import words

    how = None
    if found.due and found.due.assessment:
        how = words(
            "dues.how",
            assessment=found.due.assessment,
            explanation=found.due.explanation,
            category=found.due.category,
        )
    return here.say(
        words("dues.statement", person=found.person, branch=found.branch, due=found.due, start=found.start, how=how)
    )


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
