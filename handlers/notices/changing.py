"""Notices that turn out wrong, as use cases: correct one, take one back even where it has arrived."""

from __future__ import annotations

from datetime import datetime

from bot.core.kinds import Attached
from bot.core.reply import Refused
from handlers.notices import desk
from handlers.notices.desk import Draft
from storage import audit, campaigns, notices
from storage.audit import Actor
from storage.house import Tx
from storage.notices import KIND, Written

CHANGED_IN_PLACE = frozenset({"web", "telegram"})
"""Channels on which a message in a chat becomes another. Elsewhere a correction is a message of its own."""
NO_TEXT = "—"
"""What a form shows for the text of a notice that has only files."""
TAKEN_BACK = frozenset({"web", "telegram", "wecom"})
"""Channels on which what has arrived can be taken back (WeCom: within a day)."""


def correct(
    tx: Tx, now: datetime, actor: Actor, notice_id: int, title: str, body: str, *, public: bool = False
) -> int:
    """Correct what was written; to how many people the correction goes as a message of its own.

    Copies change where they stand if their channel can do that. Who has confirmed stays confirmed. Raises Refused for
    one that was taken back, and as `send` does.
    """
    notice = _standing(tx, now, actor, notice_id)
    files = (Attached(0, ""),) if notice.attachments else ()  # then there may be no text at all
    body = "" if files and body.strip() == NO_TEXT else body
    title, body = desk.written(Draft(title, body, notice.scope, files=files, public=public))
    if (title, body) == (notice.title, notice.body):
        raise Refused("notices.nothing_changed")
    notices.edit(tx, now, notice_id, title, body)
    about = [one.id for one in notices.sendings(tx, notice_id)]
    campaigns.revise_all(tx, about)
    arrived = notices.channels_of(tx, about)
    others = sorted(person for person, channels in arrived.items() if not channels & CHANGED_IN_PLACE)
    if others:
        channels = notices.sendings(tx, notice_id)[0].channels
        campaigns.create(tx, now, KIND, notice_id, others, channels=channels, corrected=True)
    audit.record(tx, now, actor, "notice.correct", f"notice {notice_id}", people=len(arrived), told=len(others))
    return len(others)


def recall(tx: Tx, now: datetime, actor: Actor, notice_id: int) -> tuple[int, int]:
    """Take a notice back: (people on whose screens it disappears, people who have it where that cannot be done).

    What is not sent yet is stopped. Raises Refused for one that was taken back already.
    """
    _standing(tx, now, actor, notice_id)
    sendings = notices.sendings(tx, notice_id)
    for one in sendings:
        campaigns.cancel(tx, now, one.id)
    notices.cancel(tx, now, notice_id, recalled=True)
    about = [one.id for one in sendings]
    campaigns.revise_all(tx, about)
    arrived = notices.channels_of(tx, about)
    beyond = sum(not channels <= TAKEN_BACK for channels in arrived.values())
    audit.record(tx, now, actor, "notice.recall", f"notice {notice_id}", people=len(arrived), beyond=beyond)
    return len(arrived) - beyond, beyond


def _standing(tx: Tx, now: datetime, actor: Actor, notice_id: int) -> Written:
    notice = desk.of(tx, now, actor, notice_id)
    if notice.recalled:
        raise Refused("notices.is_cancelled", title=notice.title)
    return notice
