"""Without a public address: are updates fetched, and none acknowledged before it is answered?"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest_asyncio
from sqlalchemy import event
from structlog.testing import capture_logs

from storage.database import sqlite_file
from tests.fakes.telegram import Fault, bad_gateway, too_many
from tests.fakes.telegram.errors import ApiError
from tests.polls import open_poll, votes
from tests.telegram_house import SECRET, TelegramHouse, telegram_house

SECOND_POLLER = Fault(ApiError(409, "Conflict: terminated by other getUpdates request"))


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[TelegramHouse]:
    async with telegram_house(tmp_path, hooked=False) as built:
        yield built


@asynccontextmanager
async def polling(house: TelegramHouse) -> AsyncIterator[None]:
    """The house fetches; at the end it is asked to stop and does, at once."""
    task = asyncio.create_task(house.intake.poll())
    await house.telegram.until(lambda: house.telegram.is_asked or house.asleep, "the first question")
    yield
    house.intake.stop()
    await asyncio.wait_for(task, 60)


async def test_a_conversation_by_polling(house: TelegramHouse) -> None:
    poll = open_poll(house.house)
    wang = await house.seat("王芳")
    async with polling(house):
        await wang.say("投票")
        await wang.tap("孙明")
    assert wang.toast == "已记录：孙明（记名）"
    assert wang.labels == ["改投"]
    assert votes(house.house, poll) == {house.house.ids["王芳"]: (2,)}
    assert house.telegram.world.updates.waiting() == []


async def test_what_was_said_while_we_were_away_is_answered_once_each_in_its_order(house: TelegramHouse) -> None:
    wang, sun = await house.seat("王芳"), await house.seat("孙明")
    for _ in range(2):
        await wang.person.says("我的")
        await sun.person.says("我的")
    await wang.person.says("帮助")
    async with polling(house):
        await house.rest()
        assert [text.split("\n")[0] for text in wang.messages[:2]] == ["王芳同志（1001）"] * 2
        assert "王芳" not in wang.messages[2]
        assert len(sun.messages) == 2
    assert house.done == {"answered": 5}


async def test_an_update_is_acknowledged_only_once_it_is_committed(house: TelegramHouse) -> None:
    poll = open_poll(house.house)
    wang = await house.seat("王芳")

    def no_patience(connection: sqlite3.Connection, _record: object, _proxy: object) -> None:
        connection.execute("PRAGMA busy_timeout=0")

    async with polling(house):
        await wang.say("投票")
        event.listen(house.app.database.engine, "checkout", no_patience)
        file = sqlite_file(house.app.database.url)
        assert file
        with closing(sqlite3.connect(file, isolation_level=None)) as somebody_else:
            somebody_else.execute("BEGIN IMMEDIATE")
            await wang.person.taps("孙明", wait=False)
            await house.telegram.until(lambda: house.done["busy"] > 0, "the locked database")
            assert len(house.telegram.world.updates.waiting()) == 1
            somebody_else.execute("ROLLBACK")
        await house.telegram.until(lambda: house.asleep, "a pause")
        await house.telegram.advance(2, settle=False)
        await house.rest()
    assert votes(house.house, poll) == {house.house.ids["王芳"]: (2,)}
    assert wang.toast == "已记录：孙明（记名）"
    assert house.telegram.world.updates.waiting() == []


async def test_stopped_before_the_commit_the_update_waits_for_the_next_start(house: TelegramHouse) -> None:
    wang = await house.seat("王芳")
    await wang.person.says("我的")
    await house.writer.close()  # nothing can be written any more
    task = asyncio.create_task(house.intake.poll())
    await house.telegram.until(lambda: house.done["busy"] > 0, "the closed writer")
    house.intake.stop()
    await asyncio.wait_for(task, 60)
    assert len(house.telegram.world.updates.waiting()) == 1

    await house.restart()
    async with polling(house):
        await house.rest()
    assert len(wang.messages) == 1


async def test_a_crash_before_the_acknowledgement_repeats_the_answer_and_nothing_else(house: TelegramHouse) -> None:
    poll = open_poll(house.house)
    wang = await house.seat("王芳")
    async with polling(house):
        await wang.say("投票")
    house.telegram.pace = 0
    await wang.person.taps("孙明", wait=False)
    (update,) = house.telegram.world.updates.waiting()
    await house.intake.take(update.as_json())  # committed, and then the power failed
    await house.restart()
    async with polling(house):
        await house.rest()
    assert house.done["again"] == 1
    assert wang.toast == "已记录：孙明（记名）"
    assert votes(house.house, poll) == {house.house.ids["王芳"]: (2,)}


async def test_an_answer_that_telegram_puts_off_is_given_later(house: TelegramHouse) -> None:
    wang, sun = await house.seat("王芳"), await house.seat("孙明")
    async with polling(house):
        house.telegram.script(too_many(30), method="sendMessage", chat=wang.person.id)
        await wang.say("我的")
        await sun.say("我的")
        assert sun.text.startswith("孙明同志（1003）"), "and nobody waits for it"
        assert wang.messages == []
        await house.telegram.advance(60)
        await house.rest()
        assert len(wang.messages) == 1


async def test_a_second_poller_is_reported_and_the_channel_rests_a_minute(house: TelegramHouse) -> None:
    wang = await house.seat("王芳")
    house.telegram.script(SECOND_POLLER, method="getUpdates")
    with capture_logs() as lines:
        async with polling(house):
            assert [line["event"] for line in lines if line["log_level"] == "error"] == ["telegram refuses the bot"]
            await wang.person.says("我的", wait=False)
            await house.telegram.advance(30)
            assert wang.messages == []
            await house.telegram.advance(40)
            await wang.person.sees("王芳同志")


async def test_polling_begins_when_a_webhook_that_was_still_set_is_gone(house: TelegramHouse) -> None:
    wang = await house.seat("王芳")
    await house.channel.register("http://127.0.0.1:9/elsewhere", SECRET)
    async with polling(house):
        await wang.person.says("我的", wait=False)
        await house.channel.unregister()
        await house.telegram.advance(61)
        await wang.person.sees("王芳同志")


async def test_telegram_out_of_reach_is_asked_again_and_again(house: TelegramHouse) -> None:
    wang = await house.seat("王芳")
    house.telegram.script(bad_gateway(), method="getUpdates")
    async with polling(house):
        await house.telegram.advance(3)
        await wang.say("我的")
    assert len(wang.messages) == 1


async def test_while_nothing_happens_it_goes_on_asking_and_stopping_does_not_wait(house: TelegramHouse) -> None:
    async with polling(house):
        for _ in range(4):
            await house.telegram.advance(49)
            assert house.telegram.is_asked


async def test_after_a_silent_week_the_numbers_begin_anew_and_nothing_is_missed(house: TelegramHouse) -> None:
    wang = await house.seat("王芳")
    async with polling(house):
        await wang.say("我的")
        await house.telegram.advance(60)  # one question without an answer
        house.telegram.world.updates.renumber(5)  # lower than before
        await wang.say("帮助")
    assert len(wang.messages) == 2
