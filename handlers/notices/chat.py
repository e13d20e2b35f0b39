"""notices: what members are told, read again, and confirm."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.core.action import Action
from bot.core.reply import Button, Grade, Keyboard, Label, Reply, words
from handlers import Answer, Item, Router, Turn
from handlers.notices import desk
from handlers.rights import Right, may
from storage import files, notices, organisations
from storage.audit import Actor
from storage.campaigns import Telling
from storage.files import File
from storage.house import Tx
from storage.notices import KIND, Letter

router = Router()

LONG = 14
"""Characters of a title on a button."""
PAGE = 5
"""Notices on a page of 通知; those that wait for a word stand above them, twice as many at the most."""


class Ack(Action, tag="na", light=True):
    """收到: confirm a notice."""

    notice: int


class Read(Action, tag="nr", light=True):
    """Open a notice."""

    notice: int


class Older(Action, tag="no", light=True):
    """The notices before this one."""

    notice: int


class Watch(Action, tag="nw", light=True):
    """See how a notice stands: who has confirmed, who has not. For those who see to it."""

    notice: int


@router.command("/notices", "通知", "我的通知")
def mine(turn: Turn, _rest: str) -> Answer:
    """看看最近的通知，还没确认的排在前面"""
    waiting = notices.received(turn.tx, turn.now, turn.member.id, pending=True, most=2 * PAGE)
    return _page(turn, waiting, None)


@router.pressed(Older)
def older(turn: Turn, press: Older) -> Answer:
    last = desk.read(turn.tx, turn.now, turn.member.id, press.notice)
    return _page(turn, [], last)


def _page(turn: Turn, waiting: list[Letter], last: Letter | None) -> Reply:
    found = notices.received(
        turn.tx, turn.now, turn.member.id, pending=False, older_than=last.notice if last else None, most=PAGE + 1
    )
    shown, more = found[:PAGE], len(found) > PAGE
    if not waiting and not shown:
        return Reply(words("notices.none_older" if last else "notices.none"), grade=Grade.PUBLIC)
    rows: list[tuple[Button, ...]] = [
        (Button(short(letter.notice.title), Read(letter.notice.id)),) for letter in (*waiting, *shown)
    ]
    if more:
        rows.append((Button(words("notices.older"), Older(shown[-1].notice.id)),))
    return Reply(words("notices.mine", waiting=waiting, shown=shown, older=last is not None), tuple(rows))


@router.pressed(Read)
def read(turn: Turn, press: Read) -> Answer:
    return _said(turn.tx, desk.read(turn.tx, turn.now, turn.member.id, press.notice))


@router.pressed(Ack)
def acknowledge(turn: Turn, press: Ack) -> Answer:
    letter = desk.acknowledge(turn.tx, turn.now, turn.member.id, press.notice, turn.address)
    toast = words("notices.confirmed_toast", title=letter.notice.title)
    return replace(_said(turn.tx, letter), toast=toast, replaces=True)


def sheet(turn: Turn) -> list[Item]:
    """The notices that wait for this person's word, for 我的."""
    return [
        Item(
            words("notices.waits", title=letter.notice.title),
            Button(short(letter.notice.title), Read(letter.notice.id)),
        )
        for letter in notices.received(turn.tx, turn.now, turn.member.id, pending=True, most=PAGE)
    ]


def told(tx: Tx, _now: datetime, telling: Telling, person_id: int) -> Reply | None:
    """The notice as it goes out, or as a copy of it should look now. Who has confirmed is not nudged."""
    letter = notices.letter(tx, telling.subject, person_id)
    if letter is None:
        return None
    nudge = bool(telling.values.get("nudge"))
    if letter.notice.recalled:  # of what has arrived; what has not is not sent
        return Reply(words("notices.recalled", title=letter.notice.title), taken_back=True)
    if telling.values.get("corrected"):
        return replace(_said(tx, letter), words=words("notices.corrected", notice=_said(tx, letter).words))
    if letter.confirmed_at:
        outdated = not nudge or notices.has_copy(tx, telling.id, person_id)
        return _said(tx, letter) if outdated else None
    if letter.notice.cancelled_at:
        return None
    said = _said(tx, letter)
    return replace(said, words=words("notices.nudge", notice=said.words)) if nudge else said


def pending(tx: Tx, _now: datetime, telling: Telling, person_id: int) -> bool:
    """Whether this person was asked to confirm, and has not."""
    letter = notices.letter(tx, telling.subject, person_id)
    return letter is not None and letter.pending


# -- how it looks -------------------------------------------------------------------------------------------


def _said(tx: Tx, letter: Letter) -> Reply:
    if letter.notice.recalled:
        return Reply(words("notices.recalled", title=letter.notice.title))
    attached = files.of(tx, KIND, [letter.notice.id])[letter.notice.id] if letter.notice.attachments else []
    ack: Keyboard = ((Button(words("notices.ack"), Ack(letter.notice.id)),),) if letter.pending else ()
    opens = tuple((Button(f"📎 {file.name}", path=f"/files/{file.id}"),) for file in attached)
    return Reply(
        words("notices.letter", letter=letter, files=attached),
        (*opens, *ack),
        outside=words("notices.outside", ask=letter.pending),
    )


def opens(tx: Tx, now: datetime, person_id: int, file: File) -> bool:
    """Whether a person may open an attachment: whoever was sent the notice, and whoever sees to it."""
    notice = notices.get(tx, file.subject_id)
    if notice is None or notice.recalled:
        return False
    if notices.was_sent_to(tx, now, notice.id, person_id):
        return True
    org = organisations.get(tx, notice.organisation_id)
    return may(tx, now, Actor(person_id, "", "chat"), Right.NOTICE, org)


def short(title: str) -> Label:
    """A title that fits a button."""
    return title if len(title) <= LONG else f"{title[: LONG - 1]}…"
