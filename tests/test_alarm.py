"""Does the operator hear of an error of ours, and only once in a while?"""

from __future__ import annotations

from dataclasses import replace

import pytest

from handlers.dues import desk
from storage import campaigns
from tests.people import House


@pytest.fixture
def broken(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """A house where 党费 breaks, and whose operator is 李书记."""

    def fail(*_: object) -> None:
        raise RuntimeError("a fault put in by the test")

    monkeypatch.setattr(desk, "due", fail)
    house.app.database.house = replace(house.app.house, operator="1002")
    return house


def alarms(house: House) -> list[str]:
    with house.app.database.read() as tx:
        return [
            (house.compose(telling, "李书记") or pytest.fail("nothing to say")).text
            for telling in campaigns.sent_by(tx, house.now)
            if telling.kind == "alarm"
        ]


def test_the_operator_hears_the_number_that_the_member_was_told(broken: House) -> None:
    answer = broken.chat("王芳").say("党费")
    (alarm,) = alarms(broken)
    number = answer.split("编号 ")[1][:6]
    assert number in alarm


def test_a_second_error_within_the_hour_disturbs_nobody(broken: House) -> None:
    broken.chat("王芳").say("党费")
    broken.chat("孙明").say("党费")
    assert len(alarms(broken)) == 1
    broken.later(hours=1)
    broken.chat("孙明").say("党费")
    assert len(alarms(broken)) == 2
