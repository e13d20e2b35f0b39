"""notice: who is told what, who has confirmed it, and who is to be asked again?"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from bot.cli.door import PARTLY, Door, Wrong, door, progress
from bot.cli.nouns import noun

if TYPE_CHECKING:
    from handlers.notices.progress import Standing
    from storage.audit import Actor
    from storage.house import Tx

app = noun("Notices: tell people, see who has confirmed, remind, stop.")

EVERY = 1.0
"""Seconds between two looks of `status --follow`."""
STILL = 5
"""Looks without any movement after which it says so."""
NOTHING_GOES = (
    "Nothing is being sent at the moment. Is the server running (tiexin serve)? "
    "This goes on waiting; Ctrl-C ends the waiting, not the notice."
)
ID = typer.Argument(metavar="ID", help="The number of the notice.", min=1)


@app.command()
def send(
    ctx: typer.Context,
    title: str = typer.Option(..., help="1 to 100 characters."),
    to: str = typer.Option(
        ..., metavar="SCOPE", help="all, org:NAME, role:NAME, kind:NAME, member:员工号; “,” any of, “&” all of."
    ),
    body: str | None = typer.Option(None, help="The text, 1 to 4000 characters."),
    body_file: Path | None = typer.Option(None, metavar="FILE", help="The text from a UTF-8 file; - is stdin."),
    channels: str = typer.Option("all", help="all, preferred, or names such as telegram,web."),
    at: str | None = typer.Option(None, metavar="MOMENT", help="Local, as 2026-12-01 09:00; now if not given."),
    ask_ack: bool = typer.Option(False, "--ask-ack", help="Ask everybody to confirm."),
    attach: list[Path] | None = typer.Option(
        None, metavar="FILE", help="A pdf, Word file or picture; may be repeated."
    ),
    public: bool = typer.Option(False, "--public", help="What a document number in it belongs to may be told."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Show who can be told, and where; send nothing."),
) -> None:
    """Send a notice, now or at a set time. Whom it goes to is settled at once."""
    from bot.core.reply import words
    from bot.parts import now
    from handlers import reaching
    from handlers.files import desk as files
    from handlers.notices import desk
    from handlers.notices.desk import Draft
    from handlers.notices.looks import looks

    here, moment, text = door(ctx), now(), _text(body, body_file)
    when = _moment(here, moment, at) if at is not None else None
    draft = Draft(title, text, to, ask_ack, channels, when, public=public)
    if dry_run:
        with here.read() as tx:
            plan = desk.plan(tx, moment, here.actor(tx), draft)
            who = reaching.unreached(tx, plan)
            data = reaching.rows(tx, plan)
            takes = desk.takes(tx, plan)
            seen = looks(tx, plan, title, text, ask=ask_ack, files=len(attach or ()))
        preview = words(
            "notices.preview", count=plan.total, outlook=reaching.outlook(plan), at=draft.at, takes=takes, looks=seen
        )
        here.show(data, lambda: here.say(words("notices.planned", preview=preview, who=who)))
        return
    with here.write() as tx:
        actor = here.actor(tx)
        kept = [files.keep(tx, moment, actor.person_id, file.name, _bytes(file)) for file in attach or ()]
        notice_id = desk.send(tx, moment, actor, None, replace(draft, files=kept))
        standing = desk.standing(tx, moment, actor, notice_id)
    said = words("notices.numbered", number=notice_id, said=words("notices.sent", standing=standing))
    here.show(_row(here, standing), lambda: here.say(said))


@app.command()
def status(
    ctx: typer.Context,
    notice_id: int = ID,
    follow: bool = typer.Option(False, "--follow", help="Wait until it has gone out; ends with 3 if some failed."),
) -> None:
    """Show how far a notice has come, who has not confirmed, and who cannot be reached."""
    from bot.core.reply import words
    from bot.parts import now
    from handlers.notices import desk

    here = door(ctx)

    def look() -> Standing:
        with here.read() as tx:
            return desk.standing(tx, now(), here.actor(tx), notice_id)

    standing = look()
    if follow:
        with progress(standing.total, standing.notice.title) as advance:
            done, still = 0, 0
            while standing.state in ("scheduled", "sending"):
                moved = standing.total - standing.unfinished - done
                advance(moved)
                done += moved
                still = 0 if moved or standing.state == "scheduled" else still + 1
                if still == STILL:  # once: it may be night, a platform may rest; but mostly nobody has started it
                    print(NOTHING_GOES, file=sys.stderr)
                time.sleep(EVERY)
                standing = look()
    here.show(_row(here, standing), lambda: here.say(words("notices.status", standing=standing)))
    if follow and standing.steps["failed"] + standing.steps["unknown"]:
        raise typer.Exit(PARTLY)


@app.command()
def nudge(ctx: typer.Context, notice_id: int = ID) -> None:
    """Remind those who have not confirmed, and nobody else."""
    from bot.core.reply import words
    from handlers.notices import desk

    here = door(ctx)
    count = _decide(here, desk.nudge, notice_id)
    here.show({"id": notice_id, "nudged": count}, lambda: here.say(words("notices.nudged", count=count)))


@app.command()
def retry(ctx: typer.Context, notice_id: int = ID) -> None:
    """Send again what failed, and what may not have arrived (such a copy may be seen twice)."""
    from bot.core.reply import words
    from handlers.notices import desk

    here = door(ctx)
    count = _decide(here, desk.retry, notice_id)
    here.show({"id": notice_id, "copies": count}, lambda: here.say(words("notices.retried", count=count)))


@app.command()
def cancel(ctx: typer.Context, notice_id: int = ID) -> None:
    """Stop what has not gone out yet."""
    from bot.core.reply import words
    from handlers.notices import desk

    here = door(ctx)
    stopped, gone = _decide(here, desk.cancel, notice_id)
    said = words("notices.stopped", stopped=stopped, gone=gone)
    here.show({"id": notice_id, "stopped": stopped, "gone": gone}, lambda: here.say(said))


@app.command()
def recall(ctx: typer.Context, notice_id: int = ID) -> None:
    """Take a notice back, where it has arrived as well if the channel can."""
    from bot.core.reply import words
    from handlers.notices import changing

    here = door(ctx)
    gone, beyond = _decide(here, changing.recall, notice_id)
    said = words("notices.was_recalled", gone=gone, beyond=beyond)
    here.show({"id": notice_id, "gone": gone, "beyond": beyond}, lambda: here.say(said))


@app.command()
def correct(
    ctx: typer.Context,
    notice_id: int = ID,
    title: str = typer.Option(..., help="The right title."),
    body: str | None = typer.Option(None, help="The right text."),
    body_file: Path | None = typer.Option(None, metavar="FILE", help="The text from a UTF-8 file; - is stdin."),
    public: bool = typer.Option(False, "--public", help="What a document number in it belongs to may be told."),
) -> None:
    """Correct a notice: copies change where they stand, elsewhere a correction is sent."""
    from bot.core.reply import words
    from bot.parts import now
    from handlers.notices import changing

    here, text = door(ctx), _text(body, body_file)
    with here.write() as tx:
        told = changing.correct(tx, now(), here.actor(tx), notice_id, title, text, public=public)
    here.show({"id": notice_id, "told": told}, lambda: here.say(words("notices.was_corrected", told=told)))


@app.command()
def release(
    ctx: typer.Context,
    notice_id: int | None = typer.Argument(
        None, metavar="[ID]", help="One notice; all that is held if not given.", min=1
    ),
) -> None:
    """Let go what a restore has held; without an ID everything, what polls have to tell included."""
    from bot.core.reply import words
    from bot.parts import now
    from handlers.notices import desk

    here = door(ctx)
    if notice_id is None:
        with here.write() as tx:
            count = desk.release_all(tx, now(), here.actor(tx))
        here.show({"campaigns": count}, lambda: here.say(words("notices.released_all", count=count)))
    else:
        count = _decide(here, desk.release, notice_id)
        here.show({"id": notice_id, "people": count}, lambda: here.say(words("notices.released", count=count)))


@app.command("list")
def list_(ctx: typer.Context, limit: int = typer.Option(50, min=1, help="How many, newest first.")) -> None:
    """List the notices that are yours to see to."""
    from bot.core.reply import words
    from bot.parts import now
    from handlers.notices import desk
    from handlers.notices import progress as stage
    from storage import notices

    here, moment = door(ctx), now()
    with here.read() as tx:
        found = desk.seen_to_by(tx, moment, here.actor(tx), most=limit)
        tally = notices.tally(tx, [notice.id for notice in found])
        states = {notice.id: stage.state(tx, moment, notice) for notice in found}
    rows = [(notice, words(f"notices.state_{states[notice.id]}"), *tally[notice.id]) for notice in found]
    data = [
        {
            "id": notice.id, "title": notice.title, "state": states[notice.id], "at": _local(here, notice.at),
            "ask_ack": notice.ask_ack, "confirmed": confirmed, "total": total,
        }
        for notice, _, confirmed, total in rows
    ]  # fmt: skip
    here.show(data, lambda: here.say(words("notices.listed", rows=rows)))


def _decide(here: Door, use_case: Callable[[Tx, datetime, Actor, int], Any], notice_id: int) -> Any:
    """Run a use case about one notice in a transaction of its own."""
    from bot.parts import now

    with here.write() as tx:
        return use_case(tx, now(), here.actor(tx), notice_id)


def _row(here: Door, standing: Standing) -> dict[str, Any]:
    """How a notice stands, as JSON has it."""
    notice = standing.notice
    return {
        "id": notice.id, "title": notice.title, "organisation": standing.organisation, "state": standing.state,
        "at": _local(here, notice.at), "cancelled_at": _local(here, notice.cancelled_at), "scope": notice.scope,
        "ask_ack": notice.ask_ack, "total": standing.total, "confirmed": standing.confirmed,
        "people": standing.steps, "copies": standing.copies, "skipped": standing.skipped,
        "failed": standing.failed,
        "missing": [{"branch": branch, "names": names} for branch, names in standing.missing],
        "unreachable": [{"branch": branch, "names": names} for branch, names in standing.unreachable],
    }  # fmt: skip


def _local(here: Door, at: datetime | None) -> str | None:
    return at.astimezone(here.config.org.zone).isoformat(timespec="seconds") if at else None


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise Wrong(f"--attach: {file} cannot be read ({error.strerror})") from None


def _text(body: str | None, file: Path | None) -> str:
    if (body is None) == (file is None):
        raise Wrong("give the text by --body or by --body-file, one of the two")
    if file is None:
        return body or ""
    try:
        raw = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        return raw.decode("utf-8-sig")
    except OSError as error:
        raise Wrong(f"--body-file: {file} cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise Wrong(f"--body-file: {file} is not UTF-8; save it as UTF-8") from None


def _moment(here: Door, now: datetime, written: str) -> datetime:
    """A moment as it may be typed in the chat. Raises Wrong; Refused for one that is past."""
    from bot.core.kinds import KINDS, Reading
    from bot.core.reply import Refused

    try:
        moment: datetime = KINDS[datetime].read(written, Reading(now, here.config.org.zone))
    except Refused as no:
        if no.words.template == "conversation.past":
            raise
        raise Wrong(f"--at: {here.say(no.words)}") from None
    return moment
