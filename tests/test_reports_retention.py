"""Are reports deleted once they have been kept long enough – and no other, and nothing of them left?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from handlers.reports import desk, retention
from storage import audit, files, people, reports
from storage.audit import Actor
from tests.people import House, build_house
from tests.reports import PHOTO, hand_in

FIVE_YEARS_ON = datetime(2031, 11, 24, 2, 0, tzinfo=UTC)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """A house that keeps reports for five years."""
    rules = tmp_path / "rules"
    rules.mkdir()
    shipped = Path(retention.__file__).with_name("reports.toml").read_text(encoding="utf-8")
    (rules / "reports.toml").write_text(shipped.replace("keep_years = 0", "keep_years = 5"), encoding="utf-8")
    built = build_house(tmp_path, rules__dir=str(rules))
    yield built
    built.app.database.close()


def furnish(house: House) -> None:
    """王芳 has handed in with a photo and had a word for it; 陈晓, an activist, too."""
    wang = house.chat("王芳")
    wang.say("思想汇报")
    wang.hand("第一页.png", PHOTO)
    wang.say("完")
    hand_in(house, "陈晓")
    with house.app.database.write() as tx:
        desk.comment(tx, house.now, Actor(house.ids["李书记"], "李书记", "chat"), 1, "写得实在。")


def left(house: House) -> dict[str, int]:
    with house.app.database.read() as tx:
        tables = ("thought_report", "report_comment", "stored_file")
        return {name: int(tx.run(text(f"SELECT count(*) FROM {name}")).scalar_one()) for name in tables}  # noqa: S608


def clean_up(house: House, at: datetime) -> int:
    with house.app.database.write() as tx:
        return retention.due(tx, at)


def test_after_five_years_text_files_and_comments_are_gone(house: House) -> None:
    furnish(house)
    assert clean_up(house, FIVE_YEARS_ON - timedelta(days=1)) == 0
    assert left(house) == {"thought_report": 2, "report_comment": 1, "stored_file": 1}
    assert clean_up(house, FIVE_YEARS_ON + timedelta(days=1)) == 1
    assert left(house) == {"thought_report": 1, "report_comment": 0, "stored_file": 0}
    house.now = FIVE_YEARS_ON + timedelta(days=1)
    assert "请写下您的思想汇报" in house.chat("王芳").say("思想汇报")
    with house.app.database.read() as tx:
        assert [one.person_id for one in (reports.get(tx, 2),) if one] == [house.ids["陈晓"]], "is on his way"
        assert audit.log(tx, action="report.purge")


def test_on_arriving_in_the_party_or_leaving_nothing_is_kept_longer(house: House) -> None:
    furnish(house)
    with house.app.database.write() as tx:
        people.change(tx, house.ids["陈晓"], kind="正式党员")
    assert clean_up(house, FIVE_YEARS_ON + timedelta(days=1)) == 2


def test_it_is_looked_at_once_a_day(house: House) -> None:
    furnish(house)
    clean_up(house, FIVE_YEARS_ON - timedelta(days=1))
    assert clean_up(house, FIVE_YEARS_ON - timedelta(hours=23)) == 0
    with house.app.database.read() as tx:
        assert files.get(tx, 1) is not None


def test_nothing_is_deleted_until_the_organisation_has_decided_for_how_long(tmp_path: Path) -> None:
    undecided = build_house(tmp_path)
    furnish(undecided)
    assert clean_up(undecided, FIVE_YEARS_ON + timedelta(days=4000)) == 0
    undecided.app.database.close()
