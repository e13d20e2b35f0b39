"""audit: who decided what, when?"""

from __future__ import annotations

import typer

from bot.cli.door import door, table
from bot.cli.nouns import noun

app = noun("Who decided what, and when.")


@app.command()
def log(
    ctx: typer.Context,
    limit: int = typer.Option(50, min=1, help="How many, newest first."),
    action: str = typer.Option("", help="Only actions that begin with this, such as member."),
) -> None:
    """Show the latest decisions."""
    from storage import audit

    here = door(ctx)
    with here.read() as tx:
        found = audit.log(tx, limit=limit, action=action)
    zone = here.config.org.zone
    rows = [
        (
            f"{entry['at'].astimezone(zone):%Y-%m-%d %H:%M:%S}", entry["name"], entry["via"], entry["action"],  # type: ignore[attr-defined]  # a moment
            entry["subject"], "; ".join(f"{key}={value}" for key, value in entry["details"].items()),  # type: ignore[attr-defined]  # a dict
        )
        for entry in found
    ]  # fmt: skip
    here.show(found, lambda: table(("when", "who", "by", "what", "about", "details"), rows))
