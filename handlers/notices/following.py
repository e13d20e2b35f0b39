"""notices: who has still to confirm, who has to be told of that, and how far is one on its way?"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import partial

from bot.core.reply import Button, Grade, Phrase, Reply, words
from handlers import Item, Kind, Round
from handlers.notices.chat import Read, Watch, short
from handlers.notices.progress import here
from handlers.overseers import overseers
from handlers.rights import Right, roles_with, today
from handlers.workdays import workdays
from storage import campaigns, notices, offices, organisations, people, settings
from storage.campaigns import Telling
from storage.house import Tx
from storage.notices import Written
from storage.reminders import Kept

MINE, THEIRS = "notice.open", "notice.silent"
AFTER, ESCALATED = 1, 3
"""Workdays after which a silent recipient is reminded, and their branch's secretary is told."""
WORTH = timedelta(days=14)
"""How long after its sending a notice is still worth a reminder."""
LATELY = timedelta(minutes=30)
"""How long the message about a notice's progress is kept up to date."""
PROGRESS = "notice_progress"


def rounds(tx: Tx, now: datetime) -> Iterable[Round]:
    """For each notice that waits for confirmations: one round to the silent, one to their secretaries.

    Who is told by preference and has another address that stands by is told there instead of reminded.
    """
    for notice in notices.waiting_since(tx, now - WORTH, now):
        until = notice.at + WORTH
        for kind, days, whom in ((MINE, AFTER, _forgetful), (THEIRS, ESCALATED, _secretaries)):
            at = _morning(tx, notice.at, days)
            if at <= now < until:
                yield Round(kind, str(notice.id), notice.id, at, until, partial(whom, tx, now, notice))


def line(tx: Tx, _now: datetime, kept: Kept) -> Item | None:
    """The notice, as long as it waits for this person."""
    letter = notices.letter(tx, kept.subject, kept.person_id)
    if letter is None or not letter.pending or notices.stands_by(tx, kept.subject, kept.person_id):
        return None
    return Item(
        words("notices.still_open", notice=letter.notice), Button(short(letter.notice.title), Read(kept.subject))
    )


def silent_line(tx: Tx, now: datetime, kept: Kept) -> Item | None:
    """Who of a secretary's branch has not confirmed; None once everybody has."""
    notice = notices.get(tx, kept.subject)
    if notice is None or notice.cancelled_at:
        return None
    day = today(tx, now)
    mine = [held.org for held in offices.of_person(tx, kept.person_id, day) if held.role in roles_with(Right.NOTICE)]
    names = [
        person.name
        for person in people.listed(tx, _silent(tx, now, notice))
        if any(org.holds(organisations.get(tx, person.organisation_id)) for org in mine)
    ]
    if not names:
        return None
    said = words("notices.still_silent", notice=notice, names=names)
    return Item(said, Button(short(notice.title), Watch(notice.id)), Grade.PERSONAL)


REMINDERS = {MINE: Kind(Phrase("通知待确认"), line), THEIRS: Kind(Phrase("未确认的通知"), silent_line, officers=True)}


def _morning(tx: Tx, since: datetime, workdays_later: int) -> datetime:
    """Nine o'clock on the workday so many workdays after a moment."""
    zone = tx.house.zone
    day: date = workdays(tx.house.rules).after(since.astimezone(zone).date(), workdays_later)
    return datetime.combine(day, time(9), tzinfo=zone).astimezone(UTC)


def _silent(tx: Tx, _now: datetime, notice: Written) -> list[int]:
    first = notices.sendings(tx, notice.id)[0]
    confirmed = notices.acknowledgements(tx, notice.id)
    meant = [person for person in campaigns.recipients(tx, first.id) if person not in confirmed]
    return [person.id for person in here(tx, meant)]


def _forgetful(tx: Tx, now: datetime, notice: Written) -> list[int]:
    """The silent whom nothing else will tell once more."""
    told_elsewhere = notices.others_stand_by(tx, notice.id)
    return [person for person in _silent(tx, now, notice) if person not in told_elsewhere]


def _secretaries(tx: Tx, now: datetime, notice: Written) -> Sequence[int]:
    """Those who see to the branches in which somebody is silent."""
    return overseers(tx, now, {person.organisation_id for person in people.listed(tx, _silent(tx, now, notice))})


# -- live progress --------------------------------------------------------------------------------------------


def watch(tx: Tx, now: datetime, notice_id: int, author_id: int, channel: str) -> None:
    """Have a message about a notice's progress in its author's chat, which changes while the notice goes out."""
    campaigns.create(tx, now, PROGRESS, notice_id, [author_id], channels=channel)


def progress_told(tx: Tx, _now: datetime, telling: Telling, _person_id: int) -> Reply | None:
    """How far the notice is at this moment."""
    notice = notices.get(tx, telling.subject)
    if notice is None:
        return None
    first = notices.sendings(tx, notice.id)[0]
    return Reply(
        words("notices.progress", notice=notice, total=first.total, count=_count(tx, first.id)),
        ((Button(words("notices.watch"), Watch(notice.id)),),),
    )


def due(tx: Tx, now: datetime) -> int:
    """Bring the messages about progress up to date whose notice has moved on."""
    lately = campaigns.lately(tx, PROGRESS, now - LATELY)
    if not lately:
        return 0
    before = json.loads(settings.get(tx, PROGRESS) or "{}")
    looks = {str(one.id): _count(tx, _first(tx, one)) for one in lately}
    moved = [one.id for one in lately if before.get(str(one.id)) != looks[str(one.id)]]
    if moved:
        settings.put(tx, PROGRESS, json.dumps(looks))
        campaigns.revise_all(tx, moved)
    return len(moved)


def _first(tx: Tx, telling: Telling) -> int:
    return notices.sendings(tx, telling.subject)[0].id


def _count(tx: Tx, campaign_id: int) -> dict[str, int]:
    """Copies by what has become of them: arrived, underway, failed, not sent."""
    groups = {"queued": "underway", "sending": "underway", "standby": "", "failed": "failed", "unknown": "failed"}
    found = {"arrived": 0, "underway": 0, "failed": 0, "skipped": 0}
    for (_, state), count in campaigns.progress(tx, [campaign_id]).items():
        name = "skipped" if state in ("skipped", "cancelled") else groups.get(state, "arrived")
        if name:
            found[name] += count
    return found
