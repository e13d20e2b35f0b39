"""A year of 443 members with two clocks that restart: is every reminder said once, in time, and none too many?

What has to be said is reckoned a second time, by an oracle that knows days and lists and nothing of the program.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

from handlers.reminders.desk import CAMPAIGN, Desk
from storage import campaigns, people, reminders
from tests.people import House
from tests.test_reminders import Affair

MEMBERS = 443
FIRST, LAST = date(2026, 1, 1), date(2026, 12, 31)
TICKS = (10, 17, 23)
"""Hours of the day at which the clocks tick; at the last nobody may be reminded."""
CAP = 3
OFF = {date(2026, 1, d) for d in (1, 2, 3)} | {date(2026, 2, d) for d in range(15, 24)}
OFF |= {date(2026, 4, d) for d in (4, 5, 6)} | {date(2026, 5, d) for d in range(1, 6)}
OFF |= {date(2026, 6, d) for d in (19, 20, 21)} | {date(2026, 9, d) for d in (25, 26, 27)}
OFF |= {date(2026, 10, d) for d in range(1, 8)}
WORKED = {
    date(2026, 1, 4),
    date(2026, 2, 14),
    date(2026, 2, 28),
    date(2026, 5, 9),
    date(2026, 9, 20),
    date(2026, 10, 10),
}


def works(day: date) -> bool:
    return day in WORKED or (day.weekday() < 5 and day not in OFF)


@dataclass
class Matter:
    """Something people are to do: whom it is for, from when until when, who did it when (local times)."""

    key: str
    at: datetime
    until: datetime
    who: list[int]
    kind: str = "report"
    regulated: bool = False
    done: dict[int, datetime] = field(default_factory=dict)


@dataclass
class Waiting:
    """One person's reminder of one matter, from a moment on."""

    matter: Matter
    at: datetime


@dataclass
class Oracle:
    """Who hears what at which tick. Local times throughout; a person's own minute is some minute of the hour."""

    hours: dict[int, tuple[int, int]]
    stopped: set[tuple[int, str]]
    begun: set[str] = field(default_factory=set)
    waiting: dict[int, list[Waiting]] = field(default_factory=dict)
    told: dict[int, list[datetime]] = field(default_factory=dict)
    heard: set[tuple[datetime, int, tuple[str, ...]]] = field(default_factory=set)

    def slot(self, person: int, at: datetime, until: datetime) -> datetime | None:
        """The end of the first hour from `at` on in which this person may be reminded; days off come last."""
        first, last = self.hours.get(person, (9, 18))
        for any_day in (False, True):
            day = at.date()
            while datetime.combine(day, time()) < until:
                if any_day or works(day):
                    for hour in range(first, last):
                        begins = datetime.combine(day, time(hour))
                        if begins >= at and begins + timedelta(hours=1) <= until and 8 <= hour < 22:
                            return begins + timedelta(hours=1)
                day += timedelta(days=1)
        return None

    def tick(self, now: datetime, matters: list[Matter]) -> None:
        for matter in matters:
            if matter.at <= now < matter.until and matter.key not in self.begun:
                self.begun.add(matter.key)
                for person in matter.who:
                    wanted = matter.regulated or (person, matter.kind) not in self.stopped
                    at = self.slot(person, max(matter.at, now), matter.until) if wanted else None
                    if at:
                        self.waiting.setdefault(person, []).append(Waiting(matter, at))
        for person, theirs in self.waiting.items():
            today = [one for one in theirs if one.at.date() <= now.date()]
            if any(one.at <= now for one in today):
                self._tell(now, person, today)

    def _tell(self, now: datetime, person: int, today: list[Waiting]) -> None:
        due = [one for one in today if one.at <= now]
        recent = [at for at in self.told.get(person, []) if at > now - timedelta(days=7)]
        full = len(recent) >= CAP and not any(one.matter.regulated for one in due)
        first, last = self.hours.get(person, (9, 18))
        awake = first <= now.hour < last
        late = any(
            self.slot_on_workday(person, now, one.matter.until) is None and one.matter.until > now for one in due
        )
        open_ = awake and (works(now.date()) or late) and any(one.matter.until > now for one in due)
        theirs = self.waiting[person]
        if open_ and not full:
            said = [one for one in today if one.matter.until > now]
            lines = tuple(sorted(one.matter.key for one in said if one.matter.done.get(person, now) >= now))
            self.told.setdefault(person, []).append(now)
            if lines:
                self.heard.add((now, person, lines))
            for one in today:
                if one in said:
                    theirs.remove(one)
            return
        after = recent[len(recent) - CAP] + timedelta(days=7) if full else now
        for one in today:
            at = self.slot(person, max(after, now, one.at - timedelta(hours=1)), one.matter.until)
            if at is None:
                theirs.remove(one)
            else:
                one.at = at

    def slot_on_workday(self, person: int, at: datetime, until: datetime) -> datetime | None:
        found = self.slot(person, at, until)
        return found if found and works((found - timedelta(hours=1)).date()) else None


def a_year(chance: random.Random, ids: list[int]) -> list[Matter]:
    """Reports every month, notices and votes at random, elections that the Party demands to be announced."""
    matters = []
    for month in range(1, 13):
        due = date(2026, month, 25)
        for name, days in (("soon", -3), ("today", 0), ("late", 3)):
            at = datetime.combine(due + timedelta(days=days), time(9))
            matters.append(Matter(f"r{month}{name}", at, at + timedelta(days=3), ids))
        done = {who: datetime.combine(due, time(12)) + timedelta(hours=chance.randrange(-200, 100)) for who in ids}
        for matter in matters[-3:]:
            matter.done = done
        for number in range(chance.randrange(1, 4)):
            at = datetime.combine(date(2026, month, chance.randrange(1, 28)), time(chance.choice((8, 9, 11, 15, 19))))
            who = chance.sample(ids, chance.randrange(20, 200))
            matter = Matter(f"n{month}x{number}", at, at + timedelta(days=chance.randrange(1, 12)), sorted(who))
            matter.done = {one: at + timedelta(hours=chance.randrange(1, 90)) for one in who if chance.random() < 0.7}
            matters.append(matter)
    for number in range(8):
        at = datetime.combine(date(2026, chance.randrange(1, 12), chance.randrange(1, 28)), time())
        who = sorted(chance.sample(ids, 12))
        matters.append(Matter(f"t{number}", at, at + timedelta(days=7), who, kind="term", regulated=True))
    return matters


def test_a_year_is_told_as_the_oracle_tells_it(house: House) -> None:
    chance = random.Random(20260101)
    zone = house.app.house.zone
    with house.app.database.write() as tx:
        org = house.orgs["第一支部"].id
        rows = [
            {"number": f"Y{n:04}", "name": f"同志{n}", "kind": "正式党员", "organisation_id": org}
            for n in range(MEMBERS)
        ]
        ids = people.add_many(tx, house.now, rows)
        hours = {who: chance.choice(((8, 12), (14, 18), (18, 22))) for who in chance.sample(ids, 60)}
        for who, chosen in hours.items():
            reminders.set_hours(tx, who, chosen)
        stopped = {(who, "report") for who in chance.sample(ids, 40)}
        for who, kind in stopped:
            reminders.set_stop(tx, who, kind, stop=True)
    matters = a_year(chance, ids)
    oracle = Oracle(hours, stopped)
    affair = Affair()
    for matter in matters:
        at, until = (moment.replace(tzinfo=zone).astimezone(UTC) for moment in (matter.at, matter.until))
        affair.add(matter.key, at, until, matter.who, kind=matter.kind, regulated=matter.regulated)
    clocks = [Desk([affair.capability()]), Desk([affair.capability()])]
    heard: set[tuple[datetime, int, tuple[str, ...]]] = set()
    seen = 0
    day = FIRST
    while day <= LAST:
        for hour in TICKS:
            local = datetime.combine(day, time(hour))
            now = local.replace(tzinfo=zone).astimezone(UTC)
            current = [matter for matter in matters if matter.at <= local < matter.until]
            affair.done = {(who, m.key) for m in current for who, when in m.done.items() if when < local}
            for clock in chance.sample(clocks, 2):
                with house.app.database.write() as tx:
                    while clock.due(tx, now):
                        pass
            with house.app.database.read() as tx:
                for telling in campaigns.lately(tx, CAMPAIGN, now - timedelta(seconds=1)):
                    if telling.id <= seen:
                        continue
                    seen = telling.id
                    for person in campaigns.recipients(tx, telling.id):
                        if reply := clocks[0].tell(tx, now, telling, person):
                            lines = tuple(sorted(str(line.values["kind"]) for line in reply.words.values["lines"]))  # type: ignore[attr-defined]  # a list of Words
                            heard.add((local, person, lines))
            if chance.random() < 0.05:
                clocks[chance.randrange(2)] = Desk([affair.capability()])
            oracle.tick(local, matters)
        day += timedelta(days=1)
    assert len(heard) > 5_000
    assert heard - oracle.heard == set(), "said, and nobody should have"
    assert oracle.heard - heard == set(), "not said"
    said = [(person, line) for _, person, lines in heard for line in lines]
    assert len(said) == len(set(said)), "said twice"
