"""On Telegram: does a tap count once, and is everybody told what became of it?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from handlers.binding import desk as binding
from handlers.binding.codes import spaced
from handlers.voting import desk as voting
from storage import addresses, people, polls
from storage.audit import OPERATOR
from tests.fakes.telegram import Toast
from tests.polls import open_poll, votes
from tests.telegram_house import TelegramHouse, telegram_house


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[TelegramHouse]:
    async with telegram_house(tmp_path) as built:
        yield built


def code_for(house: TelegramHouse, name: str) -> str:
    with house.app.database.write() as tx:
        return binding.issue(tx, house.clock.instant(), OPERATOR, people.get(tx, house.house.ids[name]))


def bound(house: TelegramHouse, name: str) -> list[str]:
    with house.app.database.read() as tx:
        return [one.address.key for one in addresses.of_person(tx, house.house.ids[name])]


def choice(house: TelegramHouse, poll: int, name: str) -> tuple[int, ...] | None:
    return votes(house.house, poll).get(house.house.ids[name])


# -- binding ----------------------------------------------------------------------------------------------------


async def test_a_link_with_a_code_binds_after_consent(house: TelegramHouse) -> None:
    wu = await house.seat("Wu Qiang")
    await wu.start(code_for(house, "吴强"))
    assert "单独同意" in wu.text
    assert wu.labels == ["同意并绑定", "不同意"]
    assert bound(house, "吴强") == []

    await wu.tap("同意并绑定")
    assert wu.text.startswith("吴强同志，绑定好了。")
    assert len(wu.messages) == 1, "the question gave way to the answer"
    assert wu.person.spinning == []
    assert bound(house, "吴强") == [wu.address.key]


async def test_a_code_may_be_typed_as_people_type(house: TelegramHouse) -> None:
    wu = await house.seat("Wu Qiang")
    await wu.start()
    assert "请发送支部书记给您的绑定码" in wu.text
    await wu.say(spaced(code_for(house, "吴强")).lower())
    await wu.tap("同意并绑定")
    assert bound(house, "吴强") == [wu.address.key]


async def test_without_consent_nothing_is_kept(house: TelegramHouse) -> None:
    wu = await house.seat("Wu Qiang")
    await wu.start(code_for(house, "吴强"))
    await wu.tap("不同意")
    assert wu.text.startswith("好的，没有绑定")
    assert wu.labels == []
    assert bound(house, "吴强") == []


async def test_a_stranger_is_answered_as_their_phone_speaks(house: TelegramHouse) -> None:
    zhou = await house.seat("Zhou", language="en-GB")
    await zhou.start()
    assert "binding code" in zhou.text


# -- voting -----------------------------------------------------------------------------------------------------


async def test_a_tap_is_a_vote_seen_at_once(house: TelegramHouse) -> None:
    poll = open_poll(house.house)
    wang = await house.seat("王芳")
    await wang.say("投票")
    assert wang.labels == ["王芳", "孙明", "吴强"]
    await wang.tap("孙明")
    assert choice(house, poll, "王芳") == (2,)
    assert wang.toast == "已记录：孙明（记名）"
    assert wang.text.startswith("已记录：孙明\n")
    assert wang.labels == ["改投"]
    assert len(wang.messages) == 1, "the question itself was changed"
    assert wang.person.spinning == []


async def test_a_tap_delivered_twice_is_counted_once(house: TelegramHouse) -> None:
    poll = open_poll(house.house)
    wang = await house.seat("王芳")
    await wang.say("投票")
    house.telegram.repeat_next()
    await wang.tap("孙明")
    told = [call.params.text("text") for call in house.telegram.called("answerCallbackQuery")]
    assert told == ["已记录：孙明（记名）"] * 2, "the same reply again: the first might have been lost"
    assert house.done == {"answered": 2, "again": 1}
    assert choice(house, poll, "王芳") == (2,)


async def test_a_late_copy_of_a_tap_does_not_undo_a_newer_one(house: TelegramHouse) -> None:
    poll = open_poll(house.house)
    wang = await house.seat("王芳")
    await wang.say("投票")
    await wang.tap("孙明")
    first = house.telegram.called("answerCallbackQuery")[0].params.text("callback_query_id")
    tap = house.telegram.world.taps[first]
    number = house.telegram.attempts[-1].update_id
    await wang.tap("改投")
    await wang.tap("吴强")
    update = {
        "update_id": number,
        "callback_query": {
            "id": tap.id, "from": wang.person.account.as_json(), "data": tap.data, "chat_instance": "1",
            "message": {"message_id": tap.message_id, "chat": wang.person.room.as_json(), "date": 0},
        },
    }  # fmt: skip
    assert (await house.intake.take(update)).kind == "again"
    assert choice(house, poll, "王芳") == (3,)


async def test_a_reply_lost_on_the_way_is_repeated(house: TelegramHouse) -> None:
    poll = open_poll(house.house)
    wang = await house.seat("王芳")
    await wang.say("投票")
    house.telegram.lose_next_reply()
    await wang.tap("孙明")
    await house.telegram.advance(3)
    assert wang.toast == "已记录：孙明（记名）"
    assert wang.person.spinning == []
    assert choice(house, poll, "王芳") == (2,)


async def test_two_taps_of_one_person_never_overlap(house: TelegramHouse) -> None:
    poll = open_poll(house.house, choose=(1, 3))
    wang = await house.seat("王芳")
    await wang.say("投票")
    question = wang.person.last
    house.telegram.pace = 0
    for label in ("☐ 王芳", "☐ 孙明", "☐ 吴强", "☐ 孙明"):  # before any of them is answered
        await wang.person.taps(label, on=question, wait=False)
    await house.telegram.advance(3)
    assert wang.person.last.labels == ["☑ 王芳", "☐ 孙明", "☑ 吴强", "提交（已选2项）"]
    await wang.tap("提交")
    assert choice(house, poll, "王芳") == (1, 3)
    assert wang.person.spinning == []


async def test_twenty_copies_at_once_are_one_vote_and_one_answer(house: TelegramHouse) -> None:
    poll = open_poll(house.house)
    wang = await house.seat("王芳")
    await wang.say("投票")
    message = wang.person.last
    button = message.button("孙明")
    assert button
    update = {
        "update_id": 77,
        "callback_query": {
            "id": "q", "from": wang.person.account.as_json(), "data": button.data, "chat_instance": "1",
            "message": message.as_json(wang.person.room),
        },
    }  # fmt: skip
    outcomes = await asyncio.gather(*(house.intake.take(update) for _ in range(20)))
    assert sorted(one.kind for one in outcomes) == ["again"] * 19 + ["answered"]
    assert len({str(one.ride) for one in outcomes}) == 1
    assert choice(house, poll, "王芳") == (2,)


async def test_a_tap_and_a_text_at_the_same_time_are_both_answered(house: TelegramHouse) -> None:
    poll = open_poll(house.house)
    wang = await house.seat("王芳")
    await wang.say("投票")
    house.telegram.pace = 0
    await wang.person.taps("孙明", wait=False)
    await wang.person.says("我的", wait=False)
    await house.rest()
    assert wang.person.last.text.startswith("王芳同志（1001）")
    assert choice(house, poll, "王芳") == (2,)


# -- what is not counted ------------------------------------------------------------------------------------------


async def test_a_tap_after_the_close_is_refused_in_a_box_that_has_to_be_closed(house: TelegramHouse) -> None:
    poll = open_poll(house.house)
    wang = await house.seat("王芳")
    await wang.say("投票")
    await house.telegram.advance(151)  # long after the start: a toast is seen
    with house.app.database.write() as tx:
        voting.close(tx, house.clock.instant(), OPERATOR, poll)
    await wang.tap("孙明")
    assert "这一票没有计入" in wang.toast
    assert isinstance(toast := wang.person.chat[-1], Toast)
    assert toast.alert
    assert choice(house, poll, "王芳") is None
    assert wang.person.spinning == []


async def test_a_forwarded_button_counts_for_nobody(house: TelegramHouse) -> None:
    poll = open_poll(house.house)
    wang, sun = await house.seat("王芳"), await house.seat("孙明")
    await wang.say("投票")
    button = wang.person.last.button("吴强")
    assert button
    assert button.data
    await sun.say("投票")
    await sun.person.taps(button.data, forged=True)
    await house.rest()
    assert sun.toast.startswith("这个按钮不是给您的，没有计票")
    assert votes(house.house, poll) == {}


@pytest.mark.parametrize("data", ["v~zz~zz", "nonsense", "x" * 64, "v", "é✓"])
async def test_a_button_of_long_ago_says_so(house: TelegramHouse, data: str) -> None:
    wang = await house.seat("王芳")
    await wang.say("帮助")
    await wang.person.taps(data, forged=True)
    await house.rest()
    assert "这个按钮已经过期了" in wang.toast
    assert wang.person.spinning == []


async def test_a_button_under_a_message_that_telegram_shows_no_more_still_counts(house: TelegramHouse) -> None:
    poll = open_poll(house.house)
    wang = await house.seat("王芳")
    await wang.say("投票")
    await wang.person.taps("孙明", inaccessible=True)
    await house.rest()
    assert choice(house, poll, "王芳") == (2,)
    assert wang.person.last.text.startswith("已记录：孙明")


async def test_a_group_learns_nothing(house: TelegramHouse) -> None:
    wang = await house.seat("王芳")
    group = house.telegram.group(-100, "第一支部", wang.person, privacy=False)
    for text in ("/me", "投票", "@tiexin_test_bot 党费"):
        await wang.person.says(text, chat=group)
    await house.rest()
    assert [line for line in group.chat if not isinstance(line, Toast) and line.from_bot] == []
    assert house.telegram.called("sendMessage") == []
    with house.app.database.read() as tx:
        assert polls.listed(tx) == []
