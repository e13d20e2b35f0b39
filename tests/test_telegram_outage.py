"""While the house is down or cannot write: what becomes of the taps and words of that time?"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest_asyncio
from sqlalchemy import event, text
from structlog.testing import capture_logs

from bot.app import capabilities
from bot.core.action import Action
from bot.core.reply import Button, Reply, words
from bot.reception import Reception
from handlers import Capability, Router, Turn
from handlers.voting import desk as voting_desk
from storage import people
from storage.audit import OPERATOR
from storage.database import sqlite_file
from tests.polls import open_poll, votes
from tests.telegram_house import TelegramHouse, telegram_house


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[TelegramHouse]:
    async with telegram_house(tmp_path) as built:
        yield built


# -- down -------------------------------------------------------------------------------------------------------


async def test_taps_of_a_hundred_seconds_without_us_count(house: TelegramHouse) -> None:
    poll = open_poll(house.house)
    wang, sun = await house.seat("王芳"), await house.seat("孙明")
    await wang.say("投票")
    await sun.say("投票")
    await house.down()
    await wang.person.taps("孙明")
    await sun.person.taps("吴强")
    await house.telegram.advance(100)
    assert votes(house.house, poll) == {}

    await house.up()
    await house.telegram.advance(5)
    assert votes(house.house, poll) == {house.house.ids["王芳"]: (2,), house.house.ids["孙明"]: (3,)}
    # A hundred seconds are too many for a toast; the message itself says so.
    assert wang.toast == ""
    assert wang.person.last.text.startswith("已记录：孙明")
    assert sun.person.last.text.startswith("已记录：吴强")


async def test_after_151_seconds_the_member_has_to_tap_again(house: TelegramHouse) -> None:
    poll = open_poll(house.house)
    wang = await house.seat("王芳")
    await wang.say("投票")
    await house.down()
    await wang.person.taps("孙明")
    await house.telegram.advance(151)
    await house.up()
    await house.telegram.advance(5)
    assert votes(house.house, poll) == {}
    assert wang.person.last.labels == ["王芳", "孙明", "吴强"], "nothing on her screen says it was recorded"
    assert [lost.update.kind for lost in house.telegram.dropped] == ["callback_query"]

    await wang.tap("孙明")
    assert votes(house.house, poll) == {house.house.ids["王芳"]: (2,)}
    assert wang.toast == "已记录：孙明（记名）"


async def test_words_outlive_taps(house: TelegramHouse) -> None:
    wang = await house.seat("王芳")
    await house.down()
    await wang.person.says("我的")
    await house.telegram.advance(600)
    await house.up()
    await house.telegram.advance(2)
    assert wang.person.last.text.startswith("王芳同志（1001）")


async def test_after_a_start_a_no_comes_as_a_message_as_well(house: TelegramHouse) -> None:
    poll = open_poll(house.house)
    wang = await house.seat("王芳")
    await wang.say("投票")
    await house.telegram.advance(200)
    await house.down()
    await wang.person.taps("孙明")
    with house.app.database.write() as tx:
        voting_desk.close(tx, house.clock.instant(), OPERATOR, poll)
    await house.telegram.advance(60)
    await house.up()
    await house.telegram.advance(5)
    assert wang.toast == ""
    assert "这一票没有计入" in wang.person.last.text


async def test_long_after_a_start_a_no_is_told_once(house: TelegramHouse) -> None:
    poll = open_poll(house.house)
    wang = await house.seat("王芳")
    await wang.say("投票")
    await house.telegram.advance(200)
    with house.app.database.write() as tx:
        voting_desk.close(tx, house.clock.instant(), OPERATOR, poll)
    await wang.tap("孙明")
    assert "这一票没有计入" in wang.toast
    assert len(wang.messages) == 1


async def test_an_answer_is_the_same_after_a_restart(house: TelegramHouse) -> None:
    wang = await house.seat("王芳")
    house.telegram.lose_next_reply()
    await wang.person.says("我的")
    assert wang.messages == []
    await house.restart()
    await house.telegram.advance(3)
    await house.rest()
    assert house.done == {"answered": 1, "again": 1}
    assert [text.split("\n")[0] for text in wang.messages] == ["王芳同志（1001）"]


# -- the database -----------------------------------------------------------------------------------------------


async def test_a_database_that_cannot_be_written_to_costs_no_vote(house: TelegramHouse) -> None:
    poll = open_poll(house.house)
    wang = await house.seat("王芳")
    await wang.say("投票")

    def no_patience(connection: sqlite3.Connection, _record: object, _proxy: object) -> None:
        connection.execute("PRAGMA busy_timeout=0")  # five seconds else, and this is a test

    event.listen(house.app.database.engine, "checkout", no_patience)
    file = sqlite_file(house.app.database.url)
    assert file
    with closing(sqlite3.connect(file, isolation_level=None)) as somebody_else:
        somebody_else.execute("BEGIN IMMEDIATE")
        await wang.person.taps("孙明")
        await house.telegram.advance(10)
        assert {attempt.status for attempt in house.telegram.attempts[-5:]} == {503}
        assert house.done["busy"] == 6
        somebody_else.execute("ROLLBACK")
    await house.telegram.advance(2)
    assert votes(house.house, poll) == {house.house.ids["王芳"]: (2,)}
    assert wang.toast == "已记录：孙明（记名）"


# -- our own mistakes -------------------------------------------------------------------------------------------


class Unlucky(Action, tag="zz"):
    """A button whose answer is a bug."""


def with_a_bug(house: TelegramHouse) -> None:
    """Give the house one more capability, which divides by zero."""
    router = Router()

    @router.command("/bug")
    def bug(_turn: Turn, _rest: str) -> Reply:
        """看看我能做什么"""
        return Reply(words("home.language"), ((Button("不要点", Unlucky()),),))

    @router.pressed(Unlucky)
    def unlucky(turn: Turn, _press: Unlucky) -> Reply:
        people.change(turn.tx, turn.member.id, language="en")
        raise ZeroDivisionError("王芳的秘密")

    reception = Reception([*capabilities(), Capability(router)], house.app.reception.renderer)
    house.app = replace(house.app, reception=reception)


async def test_a_mistake_of_ours_is_told_with_a_number_and_blocks_nobody(house: TelegramHouse) -> None:
    with_a_bug(house)
    await house.restart()
    wang = await house.seat("王芳")
    await wang.say("/bug")
    with capture_logs() as lines:
        await wang.tap("不要点")
    assert "抱歉，出错了（编号 " in wang.text
    assert wang.person.spinning == []
    assert house.done == {"answered": 1, "broken": 1}
    assert house.telegram.attempts[-1].status == 200
    alarm = next(line for line in lines if line["event"] == "handler failed")
    assert alarm["number"] in wang.text
    assert "秘密" not in str(lines)
    await wang.say("我的")
    assert wang.text.startswith("王芳同志（1001）"), "still in Chinese: what the bug had done was undone"


async def test_a_mistake_beneath_the_net_is_acknowledged_too(house: TelegramHouse) -> None:
    wang = await house.seat("王芳")
    with house.app.database.write() as tx:
        tx.run(text("ALTER TABLE inbox RENAME TO elsewhere"))
    await wang.person.says("我的")
    await house.rest()
    assert house.telegram.attempts[-1].status == 200
    assert house.done == {"failed": 1}
    with house.app.database.write() as tx:
        tx.run(text("ALTER TABLE elsewhere RENAME TO inbox"))
    await wang.say("我的")
    assert wang.text.startswith("王芳同志（1001）")
