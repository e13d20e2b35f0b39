"""roster: a file handed over in the web chat – what it would do, and the sender's word."""

from __future__ import annotations

from bot.core.action import Action, Code
from bot.core.event import Handed
from bot.core.reply import Button, Grade, Phrase, Refused, Reply, words
from bot.core.router import Run
from handlers import Answer, Router, Turn, actor
from handlers.roster import desk
from handlers.roster.preview import preview

router = Router()

MOST = 2_000
"""Rows that a chat takes at once: about half a second, while which nobody else's tap is written."""


class Take(Action, tag="ri"):
    """Take a file that waits, or (with nothing) forget it."""

    file: int
    nothing: bool
    changes: bool


@router.handed()
def file(turn: Turn, event: Handed) -> Answer:
    """A roster by somebody who may change people: read it, keep it sealed, show what it would do."""
    who = actor(turn)
    desk.check_right(turn.tx, turn.now, who)
    roster = desk.read(turn.tx, turn.now, event.content, event.filename)
    if roster.lines > MOST:
        raise Refused("roster.too_many_for_chat", rows=roster.lines, most=MOST)
    plan = desk.plan(turn.tx, turn.now, who, roster)
    shown = preview(plan, roster, desk.columns(turn.tx))
    said = words("roster.preview_ask", preview=shown, does_something=plan.does_something)
    if not plan.does_something:
        desk.forget(turn.tx, turn.member.id)
        return Reply(said, sensitive=True, grade=Grade.SENSITIVE)
    number = desk.keep(turn.tx, turn.now, turn.member.id, roster)
    rows = [(Button(words("roster.take_nothing"), Take(number, nothing=True, changes=False)),)]
    if plan.waiting:
        rows.insert(0, (Button(words("roster.take_all"), Take(number, nothing=False, changes=True)),))
    if plan.adds or plan.fills:
        rows.insert(0, (Button(words("roster.take"), Take(number, nothing=False, changes=False)),))
    return Reply(said, tuple(rows), sensitive=True, grade=Grade.SENSITIVE)


@router.pressed(Take)
def take(turn: Turn, press: Take) -> Answer:
    kept = desk.kept(turn.tx, turn.now, turn.member.id, press.file)
    desk.forget(turn.tx, turn.member.id)
    if press.nothing:
        return Reply(words("roster.taken_nothing"), replaces=True)
    done = desk.apply(turn.tx, turn.now, actor(turn), kept.rows, accept_changes=press.changes, file=kept.file)
    rejected = len({*kept.rejected, *(problem.line for problem in done.problems)})
    row = (Button(Phrase("名册"), Run(Code("roster"))), Button(Phrase("工作台"), Run(Code("desk"))))
    said = words("roster.applied", done=done, rejected=rejected)
    return Reply(said, (row,), replaces=True, grade=Grade.PERSONAL)
