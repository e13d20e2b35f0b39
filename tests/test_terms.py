"""Who is told in time that a committee's term ends, and by which rule?"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from bot.app import capabilities
from handlers.casebook import judge, read_cases
from handlers.reminders.desk import CAMPAIGN, Desk
from handlers.ruletable import TableError
from handlers.terms import cases, desk, rules
from handlers.terms.desk import table
from storage import campaigns, offices
from tests.people import House

CASES = Path(__file__).parent / "data" / "date_cases.json"


def test_the_cases_of_terms_agree() -> None:
    verdict = judge(read_cases(CASES), cases.kinds(table()))
    assert verdict.disagreeing == ()
    assert verdict.agreeing == 2


@pytest.mark.parametrize(
    ("today", "months", "weeks"),
    [
        ("2026-09-14", None, 0),
        ("2026-09-15", 6, 0),
        ("2026-12-14", 6, 0),
        ("2026-12-15", 3, 0),
        ("2027-02-15", 1, 0),
        ("2027-03-15", 0, 0),
        ("2027-03-21", 0, 0),
        ("2027-03-22", 0, 1),
        ("2027-04-05", 0, 3),
    ],
)
def test_the_newest_reminder_stands(today: str, months: int | None, weeks: int) -> None:
    its = rules.term(date(2024, 3, 15), 3)
    found = rules.latest(its, table().reminders, date.fromisoformat(today))
    assert (None if found is None else found.months, found.weeks if found else 0) == (months, weeks)


def told(house: House, at: datetime) -> dict[str, str]:
    """What the clock tells on a day, by name."""
    reminding = Desk(capabilities())
    names = {number: name for name, number in house.ids.items()}
    heard: dict[str, str] = {}
    house.now = at
    for _ in range(12):
        with house.app.database.write() as tx:
            while reminding.due(tx, house.now):
                pass
        house.later(hours=1)
    with house.app.database.read() as tx:
        for telling in campaigns.sent_by(tx, house.now):
            for person in campaigns.recipients(tx, telling.id) if telling.kind == CAMPAIGN else ():
                if message := house.app.reception.compose(tx, house.now, telling, person):
                    heard[names[person]] = message.text
    return heard


def serve_since(house: House, since: date) -> None:
    with house.app.database.write() as tx:
        for held in offices.holders(tx, date(2026, 6, 1)):
            offices.end(tx, held.id, date(2026, 1, 1) - timedelta(days=1))
            offices.appoint(tx, held.person_id, held.org, held.role, since)


def test_the_branch_and_the_committee_above_hear_of_it_half_a_year_before(house: House) -> None:
    serve_since(house, date(2024, 5, 24))
    heard = told(house, datetime(2026, 11, 24, 0, 30, tzinfo=UTC))
    assert heard.keys() == {"李书记", "钱书记", "赵书记"}
    assert "第一支部这一届任期3年，2027年5月24日" in heard["李书记"]
    assert "《中国共产党支部工作条例（试行）》第二十一条" in heard["李书记"]
    assert "不能关" in heard["李书记"]
    assert "第一支部" in heard["赵书记"]
    assert "第二支部" in heard["赵书记"]


def test_a_day_earlier_nobody_hears_of_it(house: House) -> None:
    serve_since(house, date(2024, 5, 25))
    assert told(house, datetime(2026, 11, 24, 0, 30, tzinfo=UTC)) == {}


def test_a_new_committee_ends_the_reminders_even_those_that_are_queued(house: House) -> None:
    serve_since(house, date(2023, 5, 1))
    house.now = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
    with house.app.database.read() as tx:
        over = {ending.org.name for ending in desk.endings(tx, house.now) if ending.overdue}
    assert over == {"第一支部", "第二支部"}
    assert "已在2026年5月1日" in house.chat("赵书记").say("工作台")
    serve_since(house, date(2026, 11, 20))
    assert told(house, house.now) == {}
    assert "届满" not in house.chat("赵书记").say("工作台")


def test_a_secretary_of_a_branch_sees_their_own_term_only(house: House) -> None:
    serve_since(house, date(2024, 5, 1))
    text = house.chat("李书记").say("工作台")
    assert "第一支部这一届" in text
    assert "第二支部" not in text


def test_committees_in_the_middle_of_their_term_begin_no_round(house: House) -> None:
    with house.app.database.read() as tx:
        assert list(desk.rounds(tx, house.now)) == []


def test_a_local_table_of_terms_takes_the_place_of_the_shipped(tmp_path: Path) -> None:
    text = desk.SHIPPED.read_text(encoding="utf-8")
    (tmp_path / "terms.toml").write_text(text.replace('"党支部" = 3', '"党支部" = 2'), encoding="utf-8")
    assert table(tmp_path).years["党支部"] == 2
    other = tmp_path / "wrong"
    other.mkdir()
    (other / "terms.toml").write_text(text.replace("[6, 3, 1, 0]", "[6, -3]"), encoding="utf-8")
    with pytest.raises(TableError, match="reminders"):
        table(other)


def test_the_cases_name_their_source() -> None:
    cases_there: list[dict[str, object]] = json.loads(CASES.read_text(encoding="utf-8"))
    assert all(case["source"] for case in cases_there)
