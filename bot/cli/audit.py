"""audit: who decided what, when?"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import typer

from bot.cli.door import door, table
from bot.cli.nouns import noun

app = noun("Who decided what, and when.")


def _here(value: object, zone: ZoneInfo) -> object:
    """A moment among the details as the column beside it is written: in the organisation's time."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        at = None
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}" if at and at.tzinfo else value


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
            entry["subject"], "; ".join(f"{key}={_here(value, zone)}" for key, value in entry["details"].items()),  # type: ignore[attr-defined]  # a dict
        )
        for entry in found
    ]  # fmt: skip
    here.show(found, lambda: table(("when", "who", "by", "what", "about", "details"), rows))
