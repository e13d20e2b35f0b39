"""desk: begin rounds of reminders, give each person their moment, tell them what is due – once, in one message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bot.core.action import Code
from bot.core.reply import Button, Phrase, Reply, words
from bot.core.router import Run
from handlers import Capability, Item, Kind, Round
from handlers.reminders import timing
from handlers.reminders.timing import HOURS, Habits
from handlers.workdays import workdays
from storage import campaigns, people, reminders
from storage.campaigns import Telling
from storage.house import Tx
from storage.reminders import Kept

CAMPAIGN = "reminder"
WEEK = timedelta(days=7)
EVERY = timedelta(seconds=30)
"""How often everybody is asked what is due; what has begun goes on at each tick."""


class Desk:
    """The reminders of all capabilities."""

    def __init__(self, others: Sequence[Capability]) -> None:
        self._rounds = [one.rounds for one in others if one.rounds]
        self._asked: datetime | None = None
        self.kinds: Mapping[str, Kind] = {name: kind for one in others for name, kind in one.reminders.items()}

    def due(self, tx: Tx, now: datetime) -> int:
        """Do one batch of everything that is due; how much there was. Any number of clocks do it once."""
        return self._begin(tx, now) + self._spread(tx, now) + self._tell(tx, now)

    # -- three steps --------------------------------------------------------------------------------------------

    def _begin(self, tx: Tx, now: datetime) -> int:
        """Begin the rounds that have become due."""
        if self._asked and timedelta() <= now - self._asked < EVERY:
            return 0
        self._asked = now
        found = [one for rounds in self._rounds for one in rounds(tx, now) if one.at <= now < one.until]
        known = reminders.known(tx, [(one.kind, one.key) for one in found])
        return sum(self._begun(tx, now, one) for one in found if (one.kind, one.key) not in known)

    def _begun(self, tx: Tx, now: datetime, one: Round) -> int:
        return reminders.begin(
            tx, now, one.people(), kind=one.kind, key=one.key, subject=one.subject, at=one.at, until=one.until,
            regulated=one.regulated,
        )  # fmt: skip

    def _spread(self, tx: Tx, now: datetime) -> int:
        """Give the next people of a round their moments."""
        begun = reminders.next_of(tx)
        if begun is None:
            return 0
        habits, hours = _habits(tx), reminders.hours(tx, begun.people)
        stopped = set() if begun.regulated else reminders.stops(tx, begun.people)
        rows = []
        for person in begun.people:
            wanted = (person, begun.kind) not in stopped
            theirs = hours.get(person, HOURS)
            at = timing.moment(habits, person, max(begun.at, now), begun.until, theirs) if wanted else None
            rows.append(
                {
                    "person_id": person, "kind": begun.kind, "key": begun.key, "subject": begun.subject,
                    "at": at or begun.at, "until": begun.until, "regulated": begun.regulated,
                    "state": "waiting" if at else "dropped",
                }
            )  # fmt: skip
        reminders.write(tx, begun, rows)
        return len(begun.people)

    def _tell(self, tx: Tx, now: datetime) -> int:
        """One message for each person to whom something is due now, as far as the week allows."""
        habits = _habits(tx)
        found = reminders.waiting(tx, now, timing.end_of_day(habits, now))
        if not found:
            return 0
        hours = reminders.hours(tx, list(found))
        told = reminders.told_since(tx, list(found), now - WEEK)
        going: dict[int, list[int]] = {}
        late: list[int] = []
        later: list[tuple[int, datetime]] = []
        for person, waiting in found.items():
            theirs = hours.get(person, HOURS)
            after = _week_allows(tx, now, waiting, told.get(person, []))
            if after <= now and any(_may_go(habits, person, now, theirs, one) for one in waiting if one.at <= now):
                going[person] = [one.id for one in waiting if one.until > now]
                continue
            for one in waiting:
                at = timing.moment(habits, person, max(after, now, one.at), one.until, theirs)
                if at is None:
                    late.append(one.id)
                elif at != one.at:
                    later.append((one.id, at))
        reminders.drop(tx, late)
        reminders.postpone(tx, later)
        if going:
            campaign = campaigns.create(tx, now, CAMPAIGN, 0, sorted(going), channels="preferred", quiet=True)
            reminders.tell(tx, now, [one for ids in going.values() for one in ids], campaign)
        return len(found)

    # -- words --------------------------------------------------------------------------------------------------

    def tell(self, tx: Tx, now: datetime, telling: Telling, person_id: int) -> Reply | None:
        """What a person is reminded of now: of as much as still has its reason."""
        lines: list[tuple[Kept, Kind, Item]] = []
        for kept in reminders.of_campaign(tx, telling.id, person_id):
            kind = self.kinds.get(kept.kind)
            item = kind.line(tx, now, kept) if kind and kept.until > now else None
            if kind and item:
                lines.append((kept, kind, item))
        if not lines:
            return None
        buttons = list(dict.fromkeys(item.button for _, _, item in lines if item.button))
        settings = Button(Phrase("提醒"), Run(Code("reminders")))
        return Reply(
            words(
                "reminders.told",
                name=people.get(tx, person_id).name,
                lines=[item.words for _, _, item in lines],
                kinds=list(dict.fromkeys(kind.called for _, kind, _ in lines)),
                stoppable=any(not kept.regulated for kept, _, _ in lines),
            ),
            (*((button,) for button in buttons), (settings,)),
            grade=max(item.grade for _, _, item in lines),
        )


def _habits(tx: Tx) -> Habits:
    return Habits(tx.house.zone, tx.house.quiet_hours, workdays(tx.house.rules))


def _week_allows(tx: Tx, now: datetime, waiting: Sequence[Kept], told: Sequence[datetime]) -> datetime:
    """From when on this person may be written to again: now, or when the week is no longer full."""
    cap = tx.house.reminders_a_week
    if len(told) < cap or any(one.regulated and one.at <= now for one in waiting):
        return now
    return told[len(told) - cap] + WEEK if cap else datetime.max.replace(tzinfo=now.tzinfo)


def _may_go(habits: Habits, person: int, now: datetime, hours: tuple[int, int], one: Kept) -> bool:
    """Whether this may be said at this moment: on a day off only what would else come too late."""
    if one.until <= now:
        return False
    if timing.is_open(habits, now, hours, days_off=False):
        return True
    return timing.is_open(habits, now, hours, days_off=True) and not timing.waits_for_work(
        habits, person, now, one.until, hours
    )
