"""What is kept of a card, for whom, and how long – on both databases?"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from storage import cards, people
from tests.fakes.wecom import lost
from tests.notices import send
from tests.people import NOW, House
from tests.polls import open_poll, votes
from tests.wecom_house import wecom_house

POST = {"touser": "wang", "msgtype": "text", "text": {"content": "支部大会"}}


def add(house: House, task_id: str, key: str = "wang", delivery: int | None = None) -> None:
    with house.app.database.write() as tx:
        cards.add(tx, house.now, task_id, key, [POST], "支部大会", {"card_type": "x"}, delivery=delivery)


def test_an_answer_is_claimed_once_until_its_lease_is_over(house_on: House) -> None:
    add(house_on, "a1")
    add(house_on, "a2", "sun")
    add(house_on, "d1", delivery=1)
    with house_on.app.database.write() as tx:
        assert [kept.task_id for kept in cards.claim(tx, NOW, 10, {"sun"})] == ["a1"]
        assert [kept.task_id for kept in cards.claim(tx, NOW, 10)] == ["a2"]
        assert cards.claim(tx, NOW, 10) == []
        assert cards.next_due(tx) == NOW + cards.LEASE
        assert cards.next_due(tx, {"wang", "sun"}) is None
        assert len(cards.claim(tx, NOW + cards.LEASE, 10)) == 2
        cards.take_over(tx, NOW)
        assert len(cards.claim(tx, NOW, 10)) == 2


def test_what_is_kept_is_what_was_kept_and_nobody_can_read_it(house_on: House) -> None:
    add(house_on, "a1")
    with house_on.app.database.write() as tx:
        kept = cards.get(tx, "a1")
        assert kept
        assert (kept.posts, kept.shown, kept.look) == ([POST], "支部大会", {"card_type": "x"})
        from sqlalchemy import text

        body = bytes(tx.run(text("SELECT body FROM card")).scalar_one())
        assert "支部大会".encode() not in body
        assert b"touser" not in body


def test_a_code_is_taken_once_and_is_good_for_three_days(house_on: House) -> None:
    add(house_on, "d1", delivery=1)
    with house_on.app.database.write() as tx:
        cards.sent(tx, NOW, "d1", ["first", "second"], "code")
        assert cards.take_code(tx, NOW + timedelta(hours=73), "d1") is None
        assert cards.take_code(tx, NOW + timedelta(hours=71), "d1") == "code"
        assert cards.take_code(tx, NOW, "d1") is None
        cards.keep_code(tx, NOW, "d1", "another")
        assert cards.take_code(tx, NOW, "d1") == "another"
        assert cards.message_ids(tx, "d1") == ["first", "second"]


def test_after_three_days_nothing_is_kept(house_on: House) -> None:
    add(house_on, "d1", delivery=1)
    with house_on.app.database.write() as tx:
        assert cards.purge(tx, NOW + timedelta(hours=72)) == 0
        assert cards.purge(tx, NOW + timedelta(hours=72, seconds=1)) == 1
        assert cards.of_delivery(tx, 1) is None


def test_a_number_is_found_whatever_its_capitals(house_on: House) -> None:
    house_on.person("郑洁", "HC2077")
    with house_on.app.database.read() as tx:
        found = people.by_number_in_any_case(tx, "hc2077")
        assert found
        assert found.name == "郑洁"
        assert people.by_number_in_any_case(tx, "hc20") is None


async def test_a_vote_a_notice_and_a_loss_on_both_databases(database_url: str, tmp_path: Path) -> None:
    async with wecom_house(tmp_path, url=database_url) as house:
        poll = open_poll(house.house)
        wang = await house.seat("王芳")
        house.wecom.script(lost(), "message/send")
        await wang.says("投票")
        await house.pass_time(seconds=6)
        await wang.taps("孙明", on=wang.cards[0])
        assert votes(house.house, poll)[house.house.ids["王芳"]] == (2,)
        send(house.house)
        await house.deliver()
        await wang.taps("收到")
        assert "✓ 已确认" in wang.cards[-1].words
        assert house.wecom.world.duplicates == 1
