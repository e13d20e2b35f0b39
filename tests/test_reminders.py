"""Is everybody reminded once, at a good moment, in one message, and of nothing that is done already?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from bot.core.reply import Phrase, Words, words
from handlers import Capability, Item, Kind, Round, Router
from handlers.reminders import capability
from handlers.reminders.desk import CAMPAIGN, Desk
from storage import campaigns, people, reminders
from storage.house import Tx
from storage.reminders import Kept
from tests.people import House

TUESDAY = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
"""24 November 2026, 09:00 in Beijing, a workday."""


def local(house: House, text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=house.app.house.zone).astimezone(UTC)


@dataclass
class Affair:
    """Something that people are reminded of until they have done it."""

    rounds: list[Round] = field(default_factory=list)
    done: set[tuple[int, str]] = field(default_factory=set)

    def due(self, _tx: Tx, _now: datetime) -> list[Round]:
        return self.rounds

    def line(self, _tx: Tx, _now: datetime, kept: Kept) -> Item | None:
        return None if (kept.person_id, kept.key) in self.done else Item(words("reminders.stop", kind=kept.key))

    def capability(self) -> Capability:
        kinds = {name: Kind(Phrase(called), self.line) for name, called in (("report", "思想汇报"), ("term", "换届"))}
        return Capability(Router(), rounds=self.due, reminders=kinds)

    def add(self, key: str, at: datetime, until: datetime, who: Sequence[int] | Callable[[], Sequence[int]], *,
            kind: str = "report", regulated: bool = False) -> None:  # fmt: skip
        asked = who if callable(who) else lambda: who
        self.rounds.append(Round(kind, key, 1, at, until, asked, regulated=regulated))


@pytest.fixture
def affair() -> Affair:
    return Affair()


class Wall:
    """A clock on the wall that ticks, and what it makes people hear."""

    def __init__(self, house: House, affair: Affair) -> None:
        self.house, self.desk = house, Desk([affair.capability()])
        self.heard: list[tuple[datetime, int, list[str]]] = []
        self._seen = 0

    def run(self, until: datetime, step: timedelta = timedelta(minutes=1)) -> None:
        """Tick every so often; what goes out is delivered at once."""
        while self.house.now < until:
            self.tick()
            self.house.now += step

    def tick(self) -> None:
        now = self.house.now
        while True:
            with self.house.app.database.write() as tx:
                if not self.desk.due(tx, now):
                    break
        with self.house.app.database.read() as tx:
            for telling in campaigns.sent_by(tx, now):
                if telling.kind == CAMPAIGN and telling.id > self._seen:
                    self._seen = telling.id
                    for person in campaigns.recipients(tx, telling.id):
                        if reply := self.desk.tell(tx, now, telling, person):
                            self.heard.append((now, person, self._lines(reply.words)))

    @staticmethod
    def _lines(said: Words) -> list[str]:
        return [str(line.values["kind"]) for line in said.values["lines"]]  # type: ignore[attr-defined]  # a list of Words

    def of(self, person: int) -> list[tuple[str, list[str]]]:
        """What a person heard, with the local time."""
        zone = self.house.app.house.zone
        return [
            (at.astimezone(zone).strftime("%m-%d %H:%M"), lines) for at, who, lines in self.heard if who == person
        ]


@pytest.fixture
def wall(house: House, affair: Affair) -> Wall:
    house.now = TUESDAY - timedelta(hours=1)
    return Wall(house, affair)


def test_each_is_reminded_once_however_often_the_clock_asks(house: House, affair: Affair, wall: Wall) -> None:
    wang, sun = house.ids["王芳"], house.ids["孙明"]
    affair.add("2026-11", TUESDAY, TUESDAY + timedelta(days=5), [wang, sun])
    wall.run(TUESDAY + timedelta(days=4), timedelta(minutes=40))
    assert [lines for _, lines in wall.of(wang)] == [["2026-11"]]
    assert [lines for _, lines in wall.of(sun)] == [["2026-11"]]


def test_not_everybody_at_once_nor_at_the_full_hour(house: House, affair: Affair, wall: Wall) -> None:
    affair.add("2026-11", TUESDAY, TUESDAY + timedelta(days=5), list(house.ids.values()))
    wall.run(TUESDAY + timedelta(hours=1))
    minutes = {at[-2:] for person in house.ids.values() for at, _ in wall.of(person)}
    assert len(minutes) > 2
    assert not {"00", "30"} & minutes


def test_what_is_done_is_not_mentioned_even_if_it_was_queued(house: House, affair: Affair, wall: Wall) -> None:
    wang = house.ids["王芳"]
    affair.add("2026-11", TUESDAY, TUESDAY + timedelta(days=5), [wang])
    wall.run(TUESDAY)
    affair.done.add((wang, "2026-11"))
    wall.run(TUESDAY + timedelta(days=1), timedelta(hours=1))
    assert wall.of(wang) == []


def test_five_things_are_one_message(house: House, affair: Affair, wall: Wall) -> None:
    wang = house.ids["王芳"]
    for key in "abcde":
        affair.add(key, TUESDAY, TUESDAY + timedelta(days=5), [wang])
    wall.run(TUESDAY + timedelta(hours=2))
    assert [sorted(lines) for _, lines in wall.of(wang)] == [list("abcde")]


def test_nobody_is_reminded_in_the_night_or_on_a_day_off(house: House, affair: Affair, wall: Wall) -> None:
    wang = house.ids["王芳"]
    affair.add("late", local(house, "2026-11-27T19:00"), local(house, "2026-12-05T12:00"), [wang])
    wall.run(local(house, "2026-12-02T12:00"), timedelta(hours=1))
    ((when, _),) = wall.of(wang)
    assert when.startswith("11-30"), "Friday evening becomes Monday morning"


@pytest.mark.parametrize(
    ("at", "until", "expected"),
    [
        ("2026-09-30T20:00", "2026-10-09T12:00", "10-08"),  # after the National Day
        ("2026-10-09T20:00", "2026-10-15T12:00", "10-10"),  # a worked Saturday
        ("2026-02-13T20:00", "2026-02-26T12:00", "02-14"),  # a worked Saturday before the Spring Festival
        ("2026-02-14T20:00", "2026-02-23T12:00", "02-15"),  # it would be too late after it
    ],
)
def test_holidays_and_worked_weekends_are_kept(house: House, affair: Affair, wall: Wall, at: str, until: str,
                                               expected: str) -> None:  # fmt: skip
    house.now = local(house, at) - timedelta(hours=1)
    affair.add("x", local(house, at), local(house, until), [house.ids["王芳"]])
    wall.run(local(house, until), timedelta(hours=1))
    ((when, _),) = wall.of(house.ids["王芳"])
    assert when.startswith(expected)


def test_what_came_too_late_is_not_said(house: House, affair: Affair, wall: Wall) -> None:
    wang = house.ids["王芳"]
    affair.add("x", local(house, "2026-11-24T21:00"), local(house, "2026-11-25T07:00"), [wang])
    wall.run(local(house, "2026-11-26T12:00"), timedelta(hours=1))
    assert wall.of(wang) == []


def test_a_clock_that_slept_through_the_day_does_not_wake_anybody_at_night(
    house: House, affair: Affair, wall: Wall
) -> None:
    wang = house.ids["王芳"]
    affair.add("x", TUESDAY, TUESDAY + timedelta(days=3), [wang])
    wall.tick()
    wall.run(TUESDAY + timedelta(minutes=1))
    house.now = local(house, "2026-11-24T23:30")
    wall.run(local(house, "2026-11-25T12:00"), timedelta(hours=1))
    ((when, _),) = wall.of(wang)
    assert when.startswith(("11-25 09", "11-25 10"))


def test_a_week_holds_three_reminders_and_the_fourth_waits(house: House, affair: Affair, wall: Wall) -> None:
    wang = house.ids["王芳"]
    for place in range(5):
        at = TUESDAY + timedelta(days=place)
        affair.add(f"d{place}", at, at + timedelta(days=20), [wang])
    wall.run(TUESDAY + timedelta(days=12), timedelta(hours=1))
    days = [(when[:5], sorted(lines)) for when, lines in wall.of(wang)]
    assert days[:3] == [("11-24", ["d0"]), ("11-25", ["d1"]), ("11-26", ["d2"])]
    assert days[3][0] == "12-01", "the week after the first"
    assert days[3][1] == ["d3", "d4"], "what has waited comes together"


def test_a_full_week_does_not_hold_back_what_the_party_demands(house: House, affair: Affair, wall: Wall) -> None:
    wang = house.ids["王芳"]
    for place in range(3):
        at = TUESDAY + timedelta(days=place)
        affair.add(f"d{place}", at, at + timedelta(days=20), [wang])
    friday = TUESDAY + timedelta(days=3)
    affair.add("term", friday, friday + timedelta(days=20), [wang], kind="term", regulated=True)
    wall.run(friday + timedelta(hours=2), timedelta(hours=1))
    assert wall.of(wang)[-1][1] == ["term"]


def test_a_kind_that_is_stopped_is_not_sent_but_the_demanded_is(house: House, affair: Affair, wall: Wall) -> None:
    wang = house.ids["王芳"]
    with house.app.database.write() as tx:
        reminders.set_stop(tx, wang, "report", stop=True)
        reminders.set_stop(tx, wang, "term", stop=True)
    affair.add("x", TUESDAY, TUESDAY + timedelta(days=3), [wang])
    affair.add("y", TUESDAY, TUESDAY + timedelta(days=3), [wang], kind="term", regulated=True)
    wall.run(TUESDAY + timedelta(days=2), timedelta(hours=1))
    assert [lines for _, lines in wall.of(wang)] == [["y"]]


def test_chosen_hours_are_kept(house: House, affair: Affair, wall: Wall) -> None:
    wang = house.ids["王芳"]
    with house.app.database.write() as tx:
        reminders.set_hours(tx, wang, (18, 22))
    affair.add("x", TUESDAY, TUESDAY + timedelta(days=3), [wang])
    wall.run(TUESDAY + timedelta(days=2), timedelta(hours=1))
    ((when, _),) = wall.of(wang)
    assert when.startswith(("11-24 18", "11-24 19"))


def test_a_thousand_people_are_looked_at_in_batches_and_nobody_twice(
    house: House, affair: Affair, wall: Wall
) -> None:
    with house.app.database.write() as tx:
        org = house.orgs["第一支部"].id
        rows = [
            {"number": f"N{n:05}", "name": f"同志{n}", "kind": "正式党员", "organisation_id": org}
            for n in range(1100)
        ]
        ids = people.add_many(tx, house.now, rows)
    affair.add("x", TUESDAY, TUESDAY + timedelta(days=3), ids)
    wall.run(TUESDAY + timedelta(days=1), timedelta(hours=1))
    assert sorted(person for _, person, _ in wall.heard) == sorted(ids)


def test_a_round_without_people_begins_and_says_nothing(house: House, affair: Affair, wall: Wall) -> None:
    affair.add("x", TUESDAY, TUESDAY + timedelta(days=3), [])
    wall.run(TUESDAY + timedelta(hours=2), timedelta(hours=1))
    assert wall.heard == []


def test_people_are_asked_for_only_once(house: House, affair: Affair, wall: Wall) -> None:
    asked: list[int] = []

    def who() -> Sequence[int]:
        asked.append(1)
        return [house.ids["王芳"]]

    affair.add("x", TUESDAY, TUESDAY + timedelta(days=3), who)
    wall.run(TUESDAY + timedelta(hours=2), timedelta(minutes=1))
    assert asked == [1]


def test_somebody_says_which_reminders_they_want(house: House) -> None:
    wang = house.chat("王芳")
    text = wang.say("提醒")
    assert "工作日9点到18点" in text
    assert "换届" not in text, "a member without an office prepares no election"
    wang.tap("18点到22点")
    assert "工作日18点到22点" in wang.text
    wang.tap("不收：思想汇报")
    assert "思想汇报：不收" in wang.text
    wang.tap("9点到18点")
    assert "工作日9点到18点" in wang.text


def test_a_secretary_sees_what_only_officers_get_and_what_cannot_be_stopped(house: House) -> None:
    secretary = house.chat("李书记")
    assert "换届：按规定都会通知" in secretary.say("提醒")
    assert "未确认的通知：收" in secretary.text
    assert not [label for label in secretary.labels if "换届" in label]


def test_two_kinds_that_look_alike_on_a_button_fail_at_the_start(affair: Affair) -> None:
    kind = Kind(Phrase("思想汇报"), affair.line)
    with pytest.raises(TypeError, match="look the same"):
        capability([Capability(Router(), reminders={"a-very-long-name.one": kind, "a-very-long-name.two": kind})])
