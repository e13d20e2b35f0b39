"""Is what has not been handed in called to mind, before, on and after the day – and never once it is there?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from handlers.reports import capability
from handlers.reports.rounds import rounds
from storage import campaigns, people
from storage.house import Tx
from tests.people import House
from tests.reports import hand_in


def local(house: House, text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=house.app.house.zone).astimezone(UTC)


class Heard:
    """Ticks through the days; what each person is reminded of, with the local day."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._seen = 0

    def until(self, day: str) -> dict[str, list[tuple[str, str]]]:
        house, heard = self.house, dict[str, list[tuple[str, str]]]()
        end = local(house, day)
        names = {one: name for name, one in house.ids.items()}
        while house.now < end:
            while house.tick():
                pass
            with house.app.database.read() as tx:
                for telling in campaigns.sent_by(tx, house.now):
                    if telling.kind == "reminder" and telling.id > self._seen:
                        self._seen = telling.id
                        for name, text in self._told(tx, telling, names):
                            at = house.now.astimezone(house.app.house.zone)
                            heard.setdefault(name, []).append((f"{at:%m-%d}", text))
            night = house.now.astimezone(house.app.house.zone).hour >= 18
            house.now += timedelta(hours=15 if night else 3)
        return heard

    def _told(self, tx: Tx, telling: campaigns.Telling, names: dict[int, str]) -> Iterator[tuple[str, str]]:
        for person in campaigns.recipients(tx, telling.id):
            message = self.house.app.reception.compose(tx, self.house.now, telling, person)
            if message is not None:
                yield names[person], message.text


@pytest.fixture
def heard(house: House) -> Heard:
    with house.app.database.write() as tx:  # 吴强 and the committee's people hand in by the quarter: not in November
        people.change(tx, house.ids["吴强"], kind="正式党员")
    return Heard(house)


def _about(told: dict[str, list[tuple[str, str]]], name: str, word: str) -> list[str]:
    return [day for day, text in told.get(name, []) if word in text]


def test_before_on_and_after_the_day_and_then_the_secretary(house: House, heard: Heard) -> None:
    told = heard.until("2026-12-10T00:00")
    assert _about(told, "陈晓", "2026年11月的思想汇报") == ["11-25", "11-30", "12-03"]
    assert _about(told, "李书记", "还有2人没交") == ["12-04"]
    assert _about(told, "王芳", "思想汇报") == [], "hers is due at the end of the quarter"
    assert _about(told, "钱书记", "没交") == [], "nobody of hers is asked in November"


def test_whoever_has_handed_in_is_reminded_no_more_not_even_of_what_was_queued(house: House, heard: Heard) -> None:
    hand_in(house, "陈晓")
    told = heard.until("2026-11-26T00:00")
    assert "陈晓" not in told
    assert _about(told, "孙明", "思想汇报") == ["11-25"]
    hand_in(house, "孙明")
    told = heard.until("2026-12-10T00:00")
    assert _about(told, "孙明", "2026年11月") == []
    assert _about(told, "李书记", "没交") == [], "and there is no list where there is nobody on it"


def test_the_words_say_how_near_it_is(house: House, heard: Heard) -> None:
    told = heard.until("2026-12-05T00:00")
    before, day, after = [text for _, text in told["陈晓"] if "2026年11月的思想汇报" in text]
    assert "快到截止时间" in before
    assert "截止前最后一个工作日" in day
    assert "还可以补交" in after


def test_the_quarter_has_its_own_rounds(house: House, heard: Heard) -> None:
    house.now = local(house, "2026-12-20T08:00")
    told = heard.until("2027-01-09T00:00")
    assert _about(told, "王芳", "2026年第四季度的思想汇报") == ["12-28", "12-31", "01-04"]
    assert _about(told, "钱书记", "2026年第四季度的思想汇报还有2人没交") == ["01-05"]


def test_a_branch_is_asked_for_its_month_and_then_the_committee_is_told(house: House, heard: Heard) -> None:
    li = house.chat("李书记")
    li.say("支部小结")
    li.tap("2026年11月")
    li.say("做了不少工作，开了支部大会。")
    li.say("完")
    li.say("讲一次党课。")
    li.say("完")
    li.tap("提交")
    told = heard.until("2026-12-10T00:00")
    assert _about(told, "李书记", "小结") == []
    assert _about(told, "钱书记", "第二支部2026年11月的小结和下月计划") == ["11-25", "11-30", "12-03"]
    assert _about(told, "赵书记", "支部小结还没交的：第二支部") == ["12-04"]


def test_somebody_who_came_after_the_period_is_not_asked_for_it(house: House, heard: Heard) -> None:
    house.now = local(house, "2026-12-02T10:00")
    house.person("新同志", "1201", kind="入党积极分子")
    told = heard.until("2026-12-10T00:00")
    assert "新同志" not in told
    assert "哪一期" not in house.chat("新同志").say("思想汇报")


def test_two_clocks_begin_a_round_once(house: House, heard: Heard) -> None:
    house.now = local(house, "2026-11-25T09:30")
    for _ in range(3):
        house.tick()
    house.now -= timedelta(minutes=20)
    for _ in range(3):
        house.tick()
    told = heard.until("2026-11-27T00:00")
    assert len(_about(told, "陈晓", "思想汇报")) == 1


def test_to_ask_what_is_due_costs_no_query(house: House) -> None:
    with house.app.database.read() as tx:
        before = tx.run
        asked: list[object] = []
        counting = _Counting(tx, asked)
        assert list(rounds(counting, local(house, "2026-11-25T10:00")))  # type: ignore[arg-type]  # looks like a Tx
        assert asked == []
        assert before is not None


class _Counting:
    """A transaction that writes down every question it is asked."""

    def __init__(self, tx: Tx, asked: list[object]) -> None:
        self.house, self._asked = tx.house, asked

    def run(self, *what: object) -> None:
        self._asked.append(what)


def test_every_kind_of_reminder_has_a_name_that_fits_a_button() -> None:
    assert set(capability.reminders) == {"report", "report.list", "summary", "summary.list"}
    assert all(len(name) <= 16 for name in capability.reminders)


def test_where_nobody_is_secretary_the_one_above_hears_whose_report_is_missing(house: House, heard: Heard) -> None:
    """A branch between two secretaries had its reminders, and in the end nobody was told."""
    with house.app.database.write() as tx:
        people.change(tx, house.ids["李书记"], left_on=house.now.date())
    house.now = local(house, "2026-12-04T08:00")
    told = heard.until("2026-12-05T00:00")
    assert _about(told, "赵书记", "还有2人没交") == ["12-04"]
    assert _about(told, "李书记", "没交") == []


def test_a_deputy_hears_it_before_the_one_above(house: House, heard: Heard) -> None:
    house.person("冯副", "1103", kind="群众", office="支部副书记")
    with house.app.database.write() as tx:
        people.change(tx, house.ids["李书记"], left_on=house.now.date())
    house.now = local(house, "2026-12-04T08:00")
    told = heard.until("2026-12-05T00:00")
    assert _about(told, "冯副", "还有2人没交") == ["12-04"]
    assert _about(told, "赵书记", "还有2人没交") == []
