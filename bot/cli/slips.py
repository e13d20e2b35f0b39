"""member codes: a printable slip with a binding code for everybody who has none."""

from __future__ import annotations

from pathlib import Path

import typer

from bot.cli.door import NothingDone, door, progress

BATCH = 20
"""Codes issued in one transaction."""


def codes(
    ctx: typer.Context,
    scope: str = typer.Argument(metavar="SCOPE", help="all, org:NAME, kind:正式党员 …"),
    out: Path = typer.Option(..., "--out", help="The page to print, such as slips.html."),
    telegram: str = typer.Option(
        "", metavar="BOT", help="The bot's name on Telegram: its link goes into the QR code."
    ),
    bound: bool = typer.Option(False, "--bound", help="Also for those who have bound a chat already."),
    overwrite: bool = typer.Option(False, "--overwrite", help="Replace a page that is there."),
) -> None:
    """Issue binding codes for many: one printable slip with QR code each, good for seven days."""
    from bot.cli.files import write_private
    from bot.cli.slip_page import Slip, page
    from bot.parts import now
    from handlers.binding import desk as binding
    from handlers.binding.codes import spaced
    from handlers.organisation.desk import reach
    from handlers.rights import Right
    from handlers.scope import resolve
    from storage import addresses, organisations, people
    from storage.rosters import batches

    here, moment = door(ctx), now()
    if out.exists() and not overwrite:
        raise NothingDone(f"{out} is there already; --overwrite replaces it")
    with here.read() as tx:
        meant = resolve(tx, moment, scope, reach(tx, moment, here.actor(tx), Right.CODE))
        have = {one for some in batches(meant, 500) for one in addresses.of_people(tx, some)}
        wanted = people.listed(tx, [one for one in meant if bound or one not in have])
        orgs = {org.id: org.name for org in organisations.all_of(tx, closed=True)}
    if not wanted:
        raise NothingDone("nobody needs a code there; --bound makes one for those who are bound as well")
    slips: list[Slip] = []
    with progress(len(wanted), "Codes") as advance:
        for some in batches(wanted, BATCH):
            with here.write() as tx:
                actor = here.actor(tx)
                for person in some:
                    code = binding.issue(tx, moment, actor, person, life=binding.SLIP_LIFE)
                    slips.append(Slip(person.name, person.number, orgs[person.organisation_id], spaced(code)))
            advance(len(some))
    write_private(out, page(here, slips, moment + binding.SLIP_LIFE, telegram.lstrip("@")).encode())
    here.show({"file": str(out), "slips": len(slips)}, f"{len(slips)} slips: {out} (print it, then delete it)")
