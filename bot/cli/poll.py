"""poll: what is put to the vote, how many have voted, and what came out?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from bot.cli.door import Door, Wrong, door
from bot.cli.nouns import noun

if TYPE_CHECKING:
    from datetime import datetime

    from storage.audit import Actor
    from storage.house import Tx
    from storage.organisations import Org
    from storage.polls import Ballot

app = noun("Polls: create, open, turnout, close, result.")

ID = typer.Argument(metavar="ID", help="The number of the poll.", min=1)


@app.command()
def create(
    ctx: typer.Context,
    file: Path = typer.Argument(metavar="FILE.toml", help="title, electorate, closes, options, secret = false …"),
) -> None:
    """Create a poll from a TOML file. Nobody is asked before `open`."""
    from bot.cli import pollfile
    from bot.core.reply import words
    from bot.parts import now
    from handlers.voting import desk

    here, moment = door(ctx), now()
    try:
        plan = pollfile.read(file, here.config.org.zone)
    except pollfile.Unreadable as error:
        raise Wrong(str(error)) from None
    with here.write() as tx:
        actor = here.actor(tx)
        poll_id = desk.create(tx, moment, actor, _organisation(tx, moment, actor, plan.electorate), plan)
        poll = desk.of(tx, moment, actor, poll_id)
        expected = len(desk.electorate(tx, moment, actor, poll.electorate))
    said = words("voting.created", poll=poll, expected=expected)
    here.show(_row(here, poll) | {"expected": expected}, lambda: here.say(said))


@app.command("open")
def open_(
    ctx: typer.Context,
    poll_id: int = ID,
    dry_run: bool = typer.Option(False, "--dry-run", help="Show who can be asked, and where; open nothing."),
) -> None:
    """Settle who may vote; at the opening time everybody on the roll is asked."""
    from bot.core.reply import words
    from bot.parts import now
    from handlers import reaching
    from handlers.voting import desk
    from storage import polls

    here = door(ctx)
    if dry_run:
        with here.read() as tx:
            plan = desk.plan(tx, now(), here.actor(tx), desk.of(tx, now(), here.actor(tx), poll_id).electorate)
            who = reaching.unreached(tx, plan)
            data = reaching.rows(tx, plan)
        preview = words("voting.preview", expected=plan.total, outlook=reaching.outlook(plan))
        here.show(data, lambda: here.say(words("voting.planned", preview=preview, who=who)))
        return
    with here.write() as tx:
        poll = desk.open_(tx, now(), here.actor(tx), poll_id)
        expected = polls.turnout(tx, poll_id)[1]
    said = words("voting.opened", poll=poll, expected=expected)
    here.show(_row(here, poll) | {"expected": expected}, lambda: here.say(said))


@app.command()
def turnout(ctx: typer.Context, poll_id: int = ID) -> None:
    """Show how many have voted, and who has not; never for what."""
    from bot.core.reply import words
    from bot.parts import now
    from handlers.voting import desk

    here = door(ctx)
    with here.read() as tx:
        found = desk.turnout(tx, now(), here.actor(tx), poll_id)
    data = _row(here, found.poll) | {
        "voted": found.voted, "expected": found.expected, "whole": found.whole,
        "missing": [{"branch": branch, "names": names} for branch, names in found.missing],
    }  # fmt: skip
    here.show(data, lambda: here.say(words("voting.turnout", found=found)))


@app.command()
def close(ctx: typer.Context, poll_id: int = ID) -> None:
    """Close an open poll before its time; everybody on the roll is told the result."""
    from bot.core.reply import Refused, words
    from bot.parts import now
    from handlers.voting import desk

    here, moment = door(ctx), now()
    with here.write() as tx:
        actor = here.actor(tx)
        before = desk.of(tx, moment, actor, poll_id)
        if before.state == "closed":
            raise Refused("voting.closed_already", poll=before)
        counted = desk.close(tx, moment, actor, poll_id)
        poll = desk.of(tx, moment, actor, poll_id)
    here.show(_result(here, poll, counted), lambda: here.say(words("voting.result", poll=poll, result=counted)))


@app.command()
def result(ctx: typer.Context, poll_id: int = ID) -> None:
    """Show the result of a closed poll. Before the close there is none, not even in part."""
    from bot.core.reply import Refused, words
    from bot.parts import now
    from handlers.voting import desk
    from storage import polls

    here = door(ctx)
    with here.read() as tx:
        poll = desk.of(tx, now(), here.actor(tx), poll_id)
        counted = polls.result(tx, poll_id) if poll.state == "closed" else None
    if counted is None:
        raise Refused("voting.no_result_yet", poll=poll)
    here.show(_result(here, poll, counted), lambda: here.say(words("voting.result", poll=poll, result=counted)))


@app.command("list")
def list_(ctx: typer.Context) -> None:
    """List the polls that are yours to see to, newest first."""
    from bot.core.reply import words
    from bot.parts import now
    from handlers.voting import desk
    from storage import polls

    here = door(ctx)
    with here.read() as tx:
        found = desk.run_by(tx, now(), here.actor(tx))
        rows = [(poll, words(f"voting.state_{poll.state}"), *polls.turnout(tx, poll.id)) for poll in found]
    data = [_row(here, poll) | {"voted": voted, "expected": expected} for poll, _, voted, expected in rows]
    here.show(data, lambda: here.say(words("voting.listed", rows=rows)))


def _row(here: Door, poll: Ballot) -> dict[str, Any]:
    """A poll as JSON has it, without anything that was chosen."""
    return {
        "id": poll.id, "title": poll.title, "rule": poll.rule, "secret": poll.secret, "state": poll.state,
        "electorate": poll.electorate, "opens": _local(here, poll.opens_at), "closes": _local(here, poll.closes_at),
        "closed": _local(here, poll.closed_at), "choose": [poll.choose_min, poll.choose_max],
        "options_offered": poll.options,
    }  # fmt: skip


def _result(here: Door, poll: Ballot, counted: dict[str, Any]) -> dict[str, Any]:
    """The result as JSON has it; what this kind of poll does not ask (against, abstain, grades) is null."""
    blank = {"label": "", "for": 0, "against": None, "abstain": None, "grades": None}
    options = [blank | option for option in counted["options"]]
    about = {"id": poll.id, "title": poll.title, "rule": poll.rule, "state": poll.state}
    about["closed"] = _local(here, poll.closed_at)
    return about | counted | {"questions": [{"label": poll.title, "options": options}], "options": options}


def _local(here: Door, at: datetime | None) -> str | None:
    return at.astimezone(here.config.org.zone).isoformat(timespec="seconds") if at else None


def _organisation(tx: Tx, now: datetime, actor: Actor, electorate: str) -> Org:
    """Whose poll it is: the one organisation that the electorate names, else the actor's own."""
    from bot.core.reply import Refused
    from handlers.rights import Right, places
    from handlers.scope import one_org
    from storage import organisations, people

    head, _, name = electorate.replace("：", ":").partition(":")
    if head.strip() == "org" and not set(name) & set(",，&＆"):
        return one_org(tx, name.strip())
    area = places(tx, now, actor, Right.POLL)
    if area:
        return area[0]
    if actor.person_id is None:
        raise Refused("voting.empty_roll")  # a house without any organisation
    return organisations.get(tx, people.get(tx, actor.person_id).organisation_id)
