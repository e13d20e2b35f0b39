"""Is a phone that was let go told anything more?"""

from __future__ import annotations

from datetime import timedelta

from storage import campaigns, deliveries
from tests.people import House
from tests.polls import open_poll


def _due(house: House, channel: str) -> list[str]:
    with house.app.database.write() as tx:
        due = deliveries.claim(tx, house.now, "test", channel, 100, timedelta(minutes=1))
        return [one.address.key for one in due]


def test_what_waits_for_a_lost_phone_is_not_sent_there(house: House) -> None:
    phone, browser = house.chat("王芳"), house.chat("王芳", "web")
    house.chat("孙明")
    open_poll(house)
    with house.app.database.write() as tx:
        campaigns.expand(tx, house.now)
    browser.say("解绑")
    browser.tap("Telegram")
    browser.tap("确定解除")
    assert phone.address.key not in _due(house, "telegram")
    assert _due(house, "web") == [browser.address.key]
    assert "绑定码" in phone.say("投票"), "and it is a stranger's now"
