"""office: who takes up an office, who ends one, and who holds which?"""

from __future__ import annotations

from typing import Any

import typer

from bot.cli.door import day, door, table
from bot.cli.nouns import noun

app = noun("Offices: who holds which, where.")


@app.command()
def appoint(
    ctx: typer.Context,
    number: str = typer.Argument(metavar="员工号"),
    role: str = typer.Argument(metavar="OFFICE", help="Such as 支部书记."),
    org: str = typer.Option("", help="Where; their own organisation if not given."),
    since: str = typer.Option("", help="The first day; today if not given."),
) -> None:
    """Somebody takes up an office."""
    from bot.parts import now
    from handlers.organisation import desk, members
    from handlers.rights import Right
    from handlers.roster.desk import columns
    from handlers.scope import one_org
    from storage import organisations

    here, moment = door(ctx), now()
    with here.write() as tx:
        actor = here.actor(tx)
        person = members.one(tx, moment, actor, Right.OFFICE, number)
        where = one_org(tx, org) if org else organisations.get(tx, person.organisation_id)
        held = desk.appoint(
            tx, moment, actor, person, where, role, columns(tx), since=day(since) if since else None
        )  # fmt: skip
    here.show(_row(held, person), f"{person.name} ({person.number}): {where.name} {role}, since {held.since}")


@app.command()
def end(
    ctx: typer.Context,
    number: str = typer.Argument(metavar="员工号"),
    role: str = typer.Argument(metavar="OFFICE"),
    org: str = typer.Option("", help="Where, if they hold it in several organisations."),
    until: str = typer.Option("", help="The last day; over at once if not given."),
) -> None:
    """An office ends."""
    from bot.parts import now
    from handlers.organisation import desk, members
    from handlers.rights import Right
    from handlers.scope import one_org

    here, moment = door(ctx), now()
    with here.write() as tx:
        actor = here.actor(tx)
        person = members.one(tx, moment, actor, Right.OFFICE, number)
        where = one_org(tx, org) if org else None
        ended = desk.end(tx, moment, actor, person, role, org=where, until=day(until) if until else None)
    said = [f"{person.name} ({person.number}): {held.org.name} {held.role} has ended" for held in ended]
    here.show([_row(held, person) for held in ended], "\n".join(said))


@app.command("list")
def list_(ctx: typer.Context, org: str = typer.Option("", help="Only there and below.")) -> None:
    """Show who holds which office today."""
    from bot.parts import now
    from handlers.organisation import desk
    from handlers.scope import one_org

    here = door(ctx)
    with here.read() as tx:
        found = desk.holders(tx, now(), here.actor(tx), one_org(tx, org) if org else None)
    rows = [(held.org.name, held.role, who.name, who.number, held.since, held.until) for held, who in found]
    headings = ("organisation", "office", "name", "number", "since", "until")
    here.show([_row(held, who) for held, who in found], lambda: table(headings, rows))


def _row(held: Any, person: Any) -> dict[str, object]:
    return {
        "number": person.number, "name": person.name, "role": held.role, "org": held.org.name,
        "org_code": held.org.code, "since": held.since, "until": held.until,
    }  # fmt: skip
