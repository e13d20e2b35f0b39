"""serve: how is the house opened?"""

from __future__ import annotations

import sys

import typer

from bot.cli.door import door
from bot.cli.tables import migrate


def serve(
    ctx: typer.Context,
    host: str | None = typer.Option(None, help="Where to listen; server.host if not given."),
    port: int | None = typer.Option(None, help="The port; server.port if not given."),
) -> None:
    """Serve members until told to stop (Ctrl-C, SIGTERM). An SQLite file is brought up to date first."""
    from bot.logs import configure
    from bot.parts import now
    from bot.serve import run

    here = door(ctx)
    configure()
    copy = migrate(here.config.database.url, now(), postgres=False)
    if copy:
        print(f"The tables were brought up to date; a copy of before is {copy}", file=sys.stderr)
    run(
        here.app,
        host=host,
        port=port,
        opened=lambda url: print(f"Tiexin is open at {url}", file=sys.stderr, flush=True),
    )
