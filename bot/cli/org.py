"""org: which organisations are there, and how are they related?"""

from __future__ import annotations

from typing import Any

import typer

from bot.cli.door import door
from bot.cli.nouns import noun

app = noun("The organisations, to any depth.")


@app.command()
def tree(ctx: typer.Context, closed: bool = typer.Option(False, help="Closed ones too.")) -> None:
    """Show the tree with the number of people in each."""
    from bot.parts import now
    from handlers.organisation import desk
    from storage import organisations

    here = door(ctx)
    with here.read() as tx:
        found = desk.tree(tx, now(), here.actor(tx), closed=closed)
        data = [
            {**_row(branch.org), "path": organisations.path_name(tx, branch.org), "people": branch.people}
            for branch in found
        ]
    lines = [
        f"{'  ' * branch.depth}{branch.org.name} ({branch.org.code}) {branch.people}"
        f"{f', closed {branch.org.closed_on}' if branch.org.closed_on else ''}"
        for branch in found
    ]
    here.show(data, "\n".join(lines))


@app.command()
def add(
    ctx: typer.Context,
    names: list[str] = typer.Argument(metavar="NAME...", help="One or several."),
    under: str = typer.Option(
        "", "--under", "--parent", help="The organisation above: name, path or code; the uppermost if not given."
    ),
    code: str = typer.Option("", help="Its code; made from the one above if not given."),
    kind: str = typer.Option("", help="党委, 党总支, 党支部 …; by its name if not given."),
) -> None:
    """Add organisations."""
    from bot.parts import now
    from handlers.organisation import desk
    from handlers.scope import one_org
    from storage import organisations

    here, moment = door(ctx), now()
    if code and len(names) > 1:
        raise typer.BadParameter("a code goes with one name", param_hint="--code")
    with here.write() as tx:
        root = next((org for org in organisations.all_of(tx) if org.parent_id is None), None)
        parent = one_org(tx, under) if under else root
        new = [desk.add(tx, moment, here.actor(tx), name=name, parent=parent, code=code, kind=kind) for name in names]
    here.show([_row(org) for org in new], "\n".join(f"{org.name} ({org.code})" for org in new))


@app.command()
def rename(ctx: typer.Context, org: str = typer.Argument(metavar="ORG"), name: str = typer.Argument()) -> None:
    """Give an organisation another name; its code stays."""
    from bot.parts import now
    from handlers.organisation import desk
    from handlers.scope import one_org

    here = door(ctx)
    with here.write() as tx:
        new = desk.rename(tx, now(), here.actor(tx), one_org(tx, org), name)
    here.show(_row(new), f"{new.name} ({new.code})")


@app.command()
def close(ctx: typer.Context, org: str = typer.Argument(metavar="ORG")) -> None:
    """Close an organisation in which nobody is left."""
    from bot.parts import now
    from handlers.organisation import desk
    from handlers.scope import one_org

    here = door(ctx)
    with here.write() as tx:
        done = desk.close(tx, now(), here.actor(tx), one_org(tx, org))
    here.show(_row(done), f"{done.name} ({done.code}) is closed")


def _row(org: Any) -> dict[str, object]:
    return {"code": org.code, "name": org.name, "kind": org.kind, "closed_on": org.closed_on}
