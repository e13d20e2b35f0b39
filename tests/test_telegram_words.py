"""On Telegram's screens: how do messages look that are long, or crowded, or take another's place?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bot.adapters.telegram import LABEL, TEXT, Call, Heard, edit, sends, split, write
from bot.core.event import Address, Pressed, Said
from bot.core.reply import Key, Message, Parcel, Undelivered
from tests.fakes.telegram import Limits, too_many
from tests.telegram_house import TelegramHouse, telegram_house

WANG = Address("telegram", "1001")
KEYS = ((Key("收到", "r:1"),),)
LONG = "\n".join(f"第{n}条：{'按时交纳党费。' * 8}" for n in range(120))


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[TelegramHouse]:
    # One message at once and then one a second, to see what a long message does.
    async with telegram_house(tmp_path, limits=Limits(chat_burst=1)) as built:
        yield built


def tapped(under: int | None = 3) -> Heard:
    return Heard(Pressed(WANG, "u1", "v"), tap="q", under=under)


def keyboard(call: Call) -> list[list[dict[str, str]]]:
    found: list[list[dict[str, str]]] = call.values.get("reply_markup", {}).get("inline_keyboard", [])
    return found


# -- long and crowded -------------------------------------------------------------------------------------------


def test_a_long_text_is_cut_where_a_line_ends_and_nothing_is_lost() -> None:
    parts = split(LONG, TEXT)
    assert len(parts) > 1
    assert "\n".join(parts) == LONG
    assert all(len(part) <= TEXT for part in parts)


@pytest.mark.parametrize("text", ["党" * 10_000, "💥" * 4_097, "一句话。" * 3_000, "党\n" * 5_000])
def test_a_text_without_good_places_is_cut_all_the_same(text: str) -> None:
    parts = split(text, TEXT)
    assert all(1 <= len(part) <= TEXT for part in parts)
    assert "".join(parts).replace("\n", "") == text.replace("\n", "")


@pytest.mark.parametrize("text", ["", " ", "\n" * 9_000, "\u3000"])
def test_a_text_of_nothing_is_something_telegram_takes(text: str) -> None:
    assert split(text, TEXT) == ["…"]


def test_the_buttons_stand_under_the_last_part() -> None:
    *before, last = sends(1001, Message(LONG, KEYS))
    assert before
    assert all("reply_markup" not in call.values for call in before)
    assert keyboard(last) == [[{"text": "收到", "callback_data": "r:1"}]]


def test_a_label_is_cut_and_a_path_is_a_link() -> None:
    keys = ((Key("很" * 80, "v"),), (Key("去看看", path="https://tiexin.example/l/x"),))
    (call,) = sends(1001, Message("请选", keys))
    first, second = keyboard(call)
    assert len(first[0]["text"]) == LABEL
    assert first[0]["text"].endswith("很…")
    assert second == [{"text": "去看看", "url": "https://tiexin.example/l/x"}]


def test_the_copy_that_is_brought_up_to_date_is_the_part_with_the_buttons() -> None:
    call = edit(1001, 3, Message(LONG, KEYS))
    assert call.values["text"] == split(LONG, TEXT)[-1]
    assert keyboard(call)


# -- what rides in the answer -----------------------------------------------------------------------------------


def methods(answer: tuple[Call, list[Call]]) -> tuple[str, list[str]]:
    return answer[0].method, [call.method for call in answer[1]]


def test_the_answer_to_words_rides() -> None:
    heard = Heard(Said(WANG, "u1", "党费"))
    assert methods(write(heard, [Message("45元", KEYS)])) == ("sendMessage", [])
    assert methods(write(heard, [Message(LONG, KEYS), Message("还有")])) == ("sendMessage", ["sendMessage"] * 2)


def test_the_toast_rides_and_the_message_changes_a_moment_later() -> None:
    message = Message("已记录", KEYS, toast="已记录", replaces=True)
    ride, after = write(tapped(), [message])
    assert (ride.method, [call.method for call in after]) == ("answerCallbackQuery", ["editMessageText"])
    assert ride.values == {"callback_query_id": "q", "text": "已记录", "show_alert": False}
    # When a toast may come too late to be seen, the message rides.
    assert methods(write(tapped(), [message], late=True)) == ("editMessageText", ["answerCallbackQuery"])


def test_a_no_is_a_box_and_a_message_only_where_it_says_more() -> None:
    ride, after = write(tapped(), [Message("截止了", toast="截止了")])
    assert ride.values["show_alert"] is True
    assert after == []
    assert methods(write(tapped(), [Message("截止了，详见……", toast="截止了")]))[1] == ["sendMessage"]
    assert methods(write(tapped(), [Message("截止了", KEYS, toast="截止了")]))[1] == ["sendMessage"]
    assert methods(write(tapped(), [Message("截止了", toast="截止了")], late=True)) == (
        "sendMessage",
        ["answerCallbackQuery"],
    )


def test_a_tap_always_ends_the_spinner() -> None:
    assert methods(write(tapped(), [Message("党费")])) == ("sendMessage", ["answerCallbackQuery"])
    assert methods(write(tapped(), [Message("改好了", replaces=True)])) == (
        "editMessageText",
        ["answerCallbackQuery"],
    )
    assert methods(write(tapped(None), [Message("改好了", replaces=True)])) == (
        "sendMessage",
        ["answerCallbackQuery"],
    )


def test_what_is_too_long_for_the_place_of_another_goes_on_below_it() -> None:
    ride, after = write(tapped(), [Message(LONG, KEYS, replaces=True)])
    assert (ride.method, keyboard(ride)) == ("editMessageText", [])
    posts = [call for call in after if call.method == "sendMessage"]
    assert "\n".join([ride.values["text"], *(call.values["text"] for call in posts)]) == LONG
    assert keyboard(posts[-1])


# -- a long message on a bad day --------------------------------------------------------------------------------


async def test_a_long_notice_waits_between_its_parts_and_begins_but_once(house: TelegramHouse) -> None:
    wang = await house.seat("王芳")
    sending = asyncio.create_task(house.channel.send(Parcel(1, wang.address.key, Message(LONG, KEYS))))
    await house.telegram.until(lambda: bool(house.telegram.refused), "a refusal")
    for _ in range(10):
        await house.telegram.advance(1)
        await asyncio.sleep(0.01)
    assert await sending == str(wang.person.last.id)
    assert "\n".join(wang.messages) == LONG
    assert wang.person.last.labels == ["收到"]


async def test_a_long_notice_that_is_stopped_in_the_middle_is_not_begun_again(house: TelegramHouse) -> None:
    wang = await house.seat("王芳")
    house.telegram.world.budgets.spend(wang.person.id, group=False, now=house.clock.now() - 2)
    sending = asyncio.create_task(house.channel.send(Parcel(1, wang.address.key, Message(LONG, KEYS))))
    await house.telegram.until(lambda: len(house.telegram.called("sendMessage")) == 2, "the second part")
    house.telegram.script(too_many(3600), method="sendMessage")
    for _ in range(5):
        await house.telegram.advance(1)
        await asyncio.sleep(0.01)
    with pytest.raises(Undelivered) as no:
        await sending
    assert no.value.unknown
    assert no.value.retry_after is None
    assert len(wang.messages) == 1


async def test_one_flooded_chat_holds_up_nobody_else(house: TelegramHouse) -> None:
    wang, sun = await house.seat("王芳"), await house.seat("孙明")
    first, second = int(wang.address.key), int(sun.address.key)
    house.channel.aside([*sends(first, Message("一")), *sends(first, Message("二")), *sends(first, Message("三"))])
    house.channel.aside(list(sends(second, Message("你好"))))
    await house.telegram.until(lambda: house.telegram.refused == 1, "a refusal")
    assert (wang.messages, sun.messages) == (["一"], ["你好"])
    await house.telegram.advance(10)
    assert wang.messages == ["一", "二", "三"], "put off, and in their order"


async def test_a_flooded_bot_asks_no_more_until_it_may(house: TelegramHouse) -> None:
    seats = [await house.seat(name) for name in ("王芳", "孙明", "吴强", "陈晓")]
    house.telegram.script(too_many(20), method="sendMessage", times=2)
    for seat in seats[:3]:
        house.channel.aside(list(sends(int(seat.address.key), Message("你好"))))
    await house.telegram.advance(1)
    house.channel.aside(list(sends(int(seats[3].address.key), Message("你好"))))
    await house.telegram.advance(15)
    assert seats[3].messages == []
    await house.telegram.advance(10)
    assert [seat.messages for seat in seats] == [["你好"]] * 4


async def test_of_many_looks_of_a_message_only_the_newest_is_shown(house: TelegramHouse) -> None:
    wang = await house.seat("王芳")
    await wang.say("帮助")
    shown = wang.person.last.id
    for n in range(600):
        house.channel.aside([edit(int(wang.address.key), shown, Message(f"看 {n}"))])
    await house.telegram.advance(5)
    assert wang.messages == ["看 599"]
    assert len(house.telegram.called("editMessageText")) <= 2
