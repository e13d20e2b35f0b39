"""Sending on Telegram: does every notice arrive once, as fast as Telegram allows and no faster?"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import select
from sqlmodel import col

from bot.adapters.telegram_channel import TelegramChannel
from bot.core.event import Address
from bot.core.reply import Message, Parcel
from handlers.voting import desk as voting
from storage import addresses, people, polls
from storage.audit import OPERATOR
from storage.campaigns import Delivery
from tests.fakes.telegram import (
    Fault,
    Person,
    bad_gateway,
    chat_not_found,
    lost,
    server_error,
    too_many,
)
from tests.polls import open_poll, votes
from tests.telegram_house import FIRST_ID, TelegramHouse, telegram_house

QUESTION = "【投票】推荐优秀党员"


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[TelegramHouse]:
    async with telegram_house(tmp_path) as built:
        yield built


def crowd(house: TelegramHouse, size: int) -> list[Person]:
    """So many members of the first branch, each with a phone."""
    phones = [house.telegram.user(FIRST_ID + 1000 + n, f"Member {n}") for n in range(size)]
    with house.app.database.write() as tx:
        org = house.house.orgs["第一支部"]
        for n, phone in enumerate(phones):
            phone.room.started = True
            one = people.add(
                tx, house.clock.instant(), number=f"M{n}", name=f"党员{n}", kind="正式党员", organisation_id=org.id
            )
            addresses.bind(tx, one, Address("telegram", str(phone.id)), house.clock.instant(), consent="test")
    return phones


def states(house: TelegramHouse) -> Counter[str]:
    """The deliveries by Telegram, by their state."""
    with house.app.database.read() as tx:
        rows = tx.run(select(col(Delivery.state)).where(col(Delivery.channel) == "telegram")).scalars()
        return Counter(rows)


def is_dead(house: TelegramHouse, address: Address) -> bool:
    with house.app.database.read() as tx:
        found = addresses.find(tx, address)
    assert found
    return found.dead


# -- pace -------------------------------------------------------------------------------------------------------


async def test_443_notices_draw_not_one_refusal(house: TelegramHouse) -> None:
    phones = crowd(house, 443)
    open_poll(house.house)
    begun = house.clock.now()
    await house.deliver()
    assert house.telegram.refused == 0
    assert states(house) == {"accepted": 443}
    assert all(len(phone.chat) == 1 for phone in phones)
    assert house.clock.now() - begun == pytest.approx(443 / 25, abs=1)


async def test_whoever_taps_meanwhile_is_answered_at_once_and_nobody_is_refused(house: TelegramHouse) -> None:
    phones = crowd(house, 150)
    poll = open_poll(house.house)
    house.telegram.pace = 0
    tapped: dict[int, Person] = {}
    under_way: set[asyncio.Task[object]] = set()

    def tap() -> None:
        """Somebody who has the question, and has not answered, does."""
        phone = next(one for one in phones if one.chat and one.id not in tapped)
        tapped[phone.id] = phone
        under_way.add(asyncio.get_running_loop().create_task(phone.taps("孙明", wait=False)))

    for n in range(40):  # ten a second, while the others' notices are still leaving
        house.clock.call_at(house.clock.now() + 1 + n / 10, tap)
    await house.deliver()
    await house.telegram.advance(20)
    await asyncio.gather(*under_way)
    assert house.telegram.refused == 0
    assert len(votes(house.house, poll)) == len(tapped) == 40
    for phone in phones:
        assert phone.toast == ("已记录：孙明（记名）" if phone.id in tapped else "")
        assert phone.last.labels == (["改投"] if phone.id in tapped else ["王芳", "孙明", "吴强"])


async def test_whoever_taps_without_end_sees_the_last_of_it(house: TelegramHouse) -> None:
    open_poll(house.house, choose=(1, 3))
    wang = await house.seat("王芳")
    await wang.say("投票")
    question = wang.person.last
    house.telegram.pace = 0.3
    for n in range(21):
        label = next(one for one in question.labels if "孙明" in one)
        await wang.person.taps(question.button(label).data, on=question)  # type: ignore[union-attr, arg-type]
        if n % 2:
            await house.rest()
    await house.telegram.advance(10)
    assert house.telegram.refused == 0
    assert question.labels[1] == "☑ 孙明"
    assert wang.person.spinning == []


async def test_whoever_writes_without_end_draws_no_refusal_and_loses_no_answer(house: TelegramHouse) -> None:
    wang = await house.seat("王芳")
    house.telegram.pace = 0
    for _ in range(12):
        await wang.person.says("我的")
    await house.telegram.advance(6)
    await wang.person.says("帮助")
    await house.telegram.advance(20)
    assert house.telegram.refused == 0
    assert [text.split("（")[0] for text in wang.messages[:12]] == ["王芳同志"] * 12
    assert len(wang.messages) == 13, "and what was said last is answered last"


async def test_a_restart_does_not_begin_a_new_burst(house: TelegramHouse) -> None:
    crowd(house, 40)
    open_poll(house.house)
    await house.outbox.expand()
    begun = house.clock.now()
    await house.outbox.drain(house.channel, most=20)
    await house.restart()
    await house.outbox.drain(house.channel, most=20)
    assert len(house.telegram.called("sendMessage")) == 40
    assert house.clock.now() - begun == pytest.approx((40 - house.pace.burst) / house.pace.overall, abs=0.05)


async def test_too_many_requests_pauses_and_goes_on(house: TelegramHouse) -> None:
    phones = crowd(house, 10)
    open_poll(house.house)
    begun = house.clock.now()
    house.telegram.script(too_many(90), method="sendMessage")
    await house.outbox.expand()
    await house.outbox.drain(house.channel)
    await house.restart()  # it is remembered
    await house.deliver()
    times = [call.at - begun for call in house.telegram.called("sendMessage")]
    under_way = [at for at in times if at < 1]
    assert len(under_way) <= house.pace.burst
    assert min(at for at in times if at not in under_way) > 90
    assert states(house) == {"accepted": 10}
    assert all(len(phone.chat) == 1 for phone in phones)


# -- what Telegram says -----------------------------------------------------------------------------------------


async def test_whoever_blocks_the_bot_is_left_alone_until_they_come_back(house: TelegramHouse) -> None:
    wang = await house.seat("王芳")
    await wang.person.blocks()
    assert is_dead(house, wang.address)
    open_poll(house.house)
    await house.deliver()
    assert states(house) == {"skipped": 1}
    assert house.telegram.called("sendMessage") == []

    await wang.person.unblocks()
    assert not is_dead(house, wang.address)


async def test_a_refused_notice_marks_the_address_and_a_word_from_its_owner_revives_it(house: TelegramHouse) -> None:
    wang = await house.seat("王芳")
    poll = open_poll(house.house)
    wang.person.room.blocked = True  # and nobody has told us
    await house.deliver()
    assert states(house) == {"failed": 1}
    assert is_dead(house, wang.address)

    wang.person.room.blocked = False
    await wang.say("投票")
    assert not is_dead(house, wang.address)
    with house.app.database.write() as tx:
        voting.nudge(tx, house.clock.instant(), OPERATOR, poll)
    await wang.wait_for("这个投票还在等您")


async def test_a_chat_that_does_not_exist_is_given_up(house: TelegramHouse) -> None:
    wang = await house.seat("王芳")
    open_poll(house.house)
    house.telegram.script(chat_not_found(), method="sendMessage")
    await house.deliver()
    assert states(house) == {"failed": 1}
    assert is_dead(house, wang.address)


@pytest.mark.parametrize(
    "fault", [lost(), lost(accepted=False), server_error(), bad_gateway(), bad_gateway(accepted=True)]
)  # fmt: skip
async def test_a_notice_that_may_have_arrived_is_not_sent_again(house: TelegramHouse, fault: Fault) -> None:
    wang = await house.seat("王芳")
    open_poll(house.house)
    house.telegram.script(fault, method="sendMessage")
    await house.deliver()
    await house.telegram.advance(3600)
    await house.restart()
    await house.deliver()
    assert states(house) == {"unknown": 1}
    assert len(house.telegram.called("sendMessage")) == 1
    assert len(wang.messages) == int(fault.accepted)


async def test_a_notice_that_cannot_have_left_is_sent_when_telegram_is_back(house: TelegramHouse) -> None:
    wang = await house.seat("王芳")
    open_poll(house.house)
    nowhere = TelegramChannel(house.telegram.token, "http://127.0.0.1:9")
    await nowhere.open()
    await house.outbox.expand()
    for _ in range(20):  # longer than any number of tries
        await house.outbox.drain(nowhere)
        await house.telegram.advance(600)
    await nowhere.close()
    assert states(house) == {"queued": 1}
    await house.deliver()
    assert states(house) == {"accepted": 1}
    assert len(wang.messages) == 1


async def test_a_copy_becomes_voted_after_a_vote_elsewhere(house: TelegramHouse) -> None:
    wang = await house.seat("王芳")
    open_poll(house.house)
    await wang.wait_for(QUESTION)
    web = house.house.chat("王芳", "web")
    web.say("投票")
    web.tap("孙明")
    house.telegram.script(server_error(), method="editMessageText")  # an edit may be repeated
    await house.deliver()
    await house.telegram.advance(10)
    await house.deliver()
    assert wang.messages == [wang.person.last.text]
    assert wang.person.last.text.startswith("您已投「推荐优秀党员」：孙明")
    assert wang.person.last.labels == ["改投"]


async def test_an_edit_that_changes_nothing_is_success(house: TelegramHouse) -> None:
    wang = await house.seat("王芳")
    poll = open_poll(house.house)
    await wang.wait_for(QUESTION)
    for _ in range(2):
        await house.channel.revise(Parcel(0, wang.address.key, Message("已投")), str(wang.person.last.id))
    await house.channel.revise(
        Parcel(0, wang.address.key, Message("已投")), "999999"
    )  # deleted by its owner: nothing to do
    assert wang.messages == ["已投"]
    with house.app.database.read() as tx:
        assert polls.get(tx, poll) is not None
