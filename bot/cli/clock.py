"""clock: what is due at a moment?"""

from __future__ import annotations

import typer

from bot.cli.door import door


def clock(
    ctx: typer.Context,
    now: str = typer.Option("", help="A moment such as 2026-11-30T18:00+08:00; this one if not given."),
) -> None:
    """Do what is due: close polls, send what was scheduled, expire codes. Any number of times does it once."""
    from datetime import datetime

    from bot import parts
    from workers.clock import tick

    here = door(ctx)
    moment = parts.now()
    if now:
        try:
            moment = datetime.fromisoformat(now)
        except ValueError:
            raise typer.BadParameter("write a moment such as 2026-11-30T18:00+08:00", param_hint="--now") from None
        if moment.tzinfo is None:  # as the clock on the organisation's wall
            moment = moment.replace(tzinfo=here.config.org.zone)
        moment = moment.astimezone(parts.now().tzinfo)
    with here.write() as tx:
        done = tick(here.app.reception.due, tx, moment)
    here.show({"now": moment.isoformat(), "done": done}, f"{done} done, as of {moment.isoformat()}")
