"""At the webhook: what is done about whatever is sent there, by Telegram or by anybody?"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from bot.adapters.telegram import Malformed, read
from tests.telegram_house import SECRET, TelegramHouse, telegram_house

Json = dict[str, Any]
HEADER = "X-Telegram-Bot-Api-Secret-Token"
CANARY = "王芳的秘密"


pytestmark = pytest.mark.asyncio(loop_scope="module")
numbers = itertools.count(7)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def standing(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TelegramHouse]:
    """One house for all of this: nothing here should move it."""
    async with telegram_house(tmp_path_factory.mktemp("telegram")) as built:
        await built.seat("王芳")
        yield built


@pytest_asyncio.fixture(loop_scope="module")
async def house(standing: TelegramHouse) -> TelegramHouse:
    await standing.telegram.advance(60)  # or they would be a flood
    standing.done.clear()
    return standing


async def posted(
    house: TelegramHouse, body: object, *, secret: str | None = SECRET, content_type: str | None = "application/json"
) -> tuple[int, bytes]:
    """What the webhook answers to a body: the status and the words."""
    headers = {} if secret is None else {HEADER: secret}
    if content_type is not None:
        headers["Content-Type"] = content_type
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with aiohttp.ClientSession() as http, http.post(house.url, data=data, headers=headers) as response:
        return response.status, await response.read()


def message(user: object = 5_000_000_001, text: object = "我的", number: object = None, **values: object) -> Json:
    """An update with a message of a private chat."""
    body = {
        "message_id": 1, "date": 1, "chat": {"id": user, "type": "private"},
        "from": {"id": user, "is_bot": False, "first_name": "王芳"}, "text": text,
    }  # fmt: skip
    body = {key: value for key, value in (body | values).items() if value is not None}
    return {"update_id": next(numbers) if number is None else number, "message": body}


def tap(**values: object) -> Json:
    """An update with a tap, but for what the test changes."""
    sender = {"id": 5_000_000_001, "is_bot": False, "first_name": "王芳"}
    shown = {"message_id": 3, "date": 0, "chat": {"id": 5_000_000_001, "type": "private"}}
    query = {"id": "q", "from": sender, "chat_instance": "1", "data": "zz", "message": shown}
    return {"update_id": next(numbers), "callback_query": query | values}


# -- who is it? ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("secret", [None, "", "wrong", SECRET + "x", SECRET[:-1], "密码", "\udcff"])
async def test_whoever_does_not_know_the_secret_learns_nothing(house: TelegramHouse, secret: str | None) -> None:
    raw = None if secret is None else secret.encode("utf-8", "surrogateescape").decode("latin-1")
    assert await posted(house, message(), secret=raw) == (403, b"")
    assert await posted(house, b"{" * 10, secret=raw) == (403, b"")
    assert house.done == {"forbidden": 2}


# -- what is it? --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [b"", b"hello", b"<xml/>", b'{"update_id": 7, "me', b"\xff\xfe\x00", b"[" * 10**5, b'{"a":' * 10**5, b"9" * 5000],
    ids=["empty", "words", "xml", "cut off", "no text", "deep list", "deep object", "endless number"],
)
async def test_what_is_not_json_is_refused(house: TelegramHouse, body: bytes) -> None:
    assert await posted(house, body) == (400, b"")
    assert house.done == {"not json": 1}


UNREAD = {
    "edited": {"update_id": 7, "edited_message": message()["message"] | {"edit_date": 2}},
    "channel post": {"update_id": 7, "channel_post": {
        "message_id": 1, "date": 1, "chat": {"id": -5, "type": "channel", "title": "x"}, "text": "投票"}},
    "group": message(chat={"id": -5, "type": "group", "title": "x"}),
    "supergroup": message(chat={"id": -5, "type": "supergroup", "title": "x"}),
    "tap in a group": tap(message={"message_id": 3, "date": 0, "chat": {"id": -5, "type": "group", "title": "x"}}),
    "game": {"update_id": 7, "callback_query": {k: v for k, v in tap()["callback_query"].items() if k != "data"}
             | {"game_short_name": "g"}},
    "of the day after tomorrow": {"update_id": 7, "telepathy": {"from": 1}},
    "nothing": {"update_id": 7},
    "pinned": message(text=None, pinned_message=message()["message"]),
    "poll": {"update_id": 7, "poll_answer": {"poll_id": "1", "option_ids": [0], "option_persistent_ids": ["0"]}},
    "blocked in a group": {"update_id": 7, "my_chat_member": {
        "chat": {"id": -5, "type": "group", "title": "x"}, "date": 1,
        "from": {"id": 5, "is_bot": False, "first_name": "x"},
        "old_chat_member": {"status": "member", "user": {"id": 1, "is_bot": True, "first_name": "b"}},
        "new_chat_member": {"status": "left", "user": {"id": 1, "is_bot": True, "first_name": "b"}}}},
}  # fmt: skip


@pytest.mark.parametrize("update", UNREAD.values(), ids=UNREAD.keys())
async def test_what_is_not_for_us_is_acknowledged_in_silence(house: TelegramHouse, update: Json) -> None:
    with capture_logs() as lines:
        assert await posted(house, update) == (200, b"")
    assert house.done == {"ignored": 1}
    assert lines == []


MALFORMED = {
    "list": [CANARY],
    "word": CANARY,
    "null": None,
    "no number": {"message": message()["message"]},
    "number in words": message(number="7", text=CANARY),
    "yes as a number": message(number=True, text=CANARY),
    "negative": message(number=-1, text=CANARY),
    "message of words": {"update_id": 7, "message": CANARY},
    "message of nothing": {"update_id": 7, "message": []},
    "no date": message(date=None, text=CANARY),
    "text as a list": message(text=[CANARY]),
    "user of words": message(user=CANARY),
    "user as a fraction": message(user=1.5),
    "user beyond all numbers": message(user=10**30),
    "user of nobody": message(user=0),
    "tap without its parts": {"update_id": 7, "callback_query": {"data": CANARY}},
    "tap with a number for its id": tap(id=5, data=CANARY),
    "tap with a list for its data": tap(data=[CANARY]),
    "tap by words": tap(**{"from": CANARY}),
    "tap under words": tap(message={"message_id": CANARY, "date": 0, "chat": {"id": 5, "type": "private"}}),
}


@pytest.mark.parametrize("update", MALFORMED.values(), ids=MALFORMED.keys())
async def test_a_malformed_update_blocks_no_queue_and_none_of_it_is_logged(
    house: TelegramHouse, update: object
) -> None:
    with capture_logs() as lines:
        assert await posted(house, update) == (200, b"")
    assert house.done == {"malformed": 1}
    assert [line["event"] for line in lines] == ["update not read"]
    assert CANARY not in str(lines)


async def test_a_message_nested_beyond_all_reason_is_malformed() -> None:
    inner = message()["message"]
    for _ in range(2_000):
        inner = message(reply_to_message=inner)["message"]
    with pytest.raises(Malformed):
        read({"update_id": 7, "message": inner})


async def test_a_language_that_is_no_word_is_no_language(house: TelegramHouse) -> None:
    update = message()
    update["message"]["from"]["language_code"] = ["zh"]
    status, body = await posted(house, update)
    assert (status, json.loads(body)["text"][:4]) == (200, "王芳同志")


# -- how much, and how is it wrapped? -------------------------------------------------------------------------


async def test_ten_megabytes_are_refused_before_they_are_read(house: TelegramHouse) -> None:
    port = int(house.url.split(":")[2].split("/")[0])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST /telegram/webhook HTTP/1.1\r\nHost: x\r\n{HEADER}: {SECRET}\r\nContent-Length: 10485760\r\n\r\n"
    writer.write(head.encode() + b"{")
    answer = await reader.readline()  # nothing more was sent
    writer.close()
    assert b" 413 " in answer
    assert house.done == {"too large": 1}


async def test_a_body_that_does_not_say_its_size_is_read_to_the_limit_only(house: TelegramHouse) -> None:
    port = int(house.url.split(":")[2].split("/")[0])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST /telegram/webhook HTTP/1.1\r\nHost: x\r\n{HEADER}: {SECRET}\r\nTransfer-Encoding: chunked\r\n\r\n"
    writer.write(head.encode())
    for _ in range(17):  # the last of them is too much
        writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
        await writer.drain()
    answer = await reader.readline()  # it has not been told that this was all
    writer.close()
    assert b" 413 " in answer
    assert house.done == {"too large": 1}


@pytest.mark.parametrize(
    "content_type", [None, "application/json; charset=utf-8", "text/plain", "application/x-www-form-urlencoded", "?"]
)
async def test_json_is_json_whatever_it_is_called(house: TelegramHouse, content_type: str | None) -> None:
    status, body = await posted(house, message(), content_type=content_type)
    assert (status, json.loads(body)["method"]) == (200, "sendMessage")


# -- words of every kind --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "שלום, כמה דמי חבר?", "كم الرسوم؟", "👩‍👩‍👧‍👦🗳️", "\u202e\u202d投票", "a\x00b",
        "half of one: \ud83d", "\ude00\ud83d: halves turned", " \n", "💥" * 4096,
    ],
    ids=["hebrew", "arabic", "family", "turned", "nul", "half", "turned halves", "blank", "4096 emoji"],
)  # fmt: skip
async def test_every_text_is_answered(house: TelegramHouse, text: str) -> None:
    status, body = await posted(house, message(text=text))
    answer = json.loads(body)
    assert (status, answer["method"]) == (200, "sendMessage")
    assert house.done == {"answered": 1}


async def test_five_thousand_characters_come_as_two_messages_and_both_are_answered(house: TelegramHouse) -> None:
    wang = await house.seat("王芳")
    before = len(wang.messages)
    await wang.say("很长的话。" * 1000)
    assert len(wang.messages) == before + 2


async def test_a_picture_is_answered_and_its_caption_is_words(house: TelegramHouse) -> None:
    photo = [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}]
    _, body = await posted(house, message(text=None, photo=photo))
    assert "没有我能读的文字" in json.loads(body)["text"]
    _, body = await posted(house, message(text=None, photo=photo, caption="我的"))
    assert json.loads(body)["text"].startswith("王芳同志（1001）")


async def test_a_file_is_answered(house: TelegramHouse) -> None:
    wang = await house.seat("王芳")
    await wang.person.sends_file("思想汇报.docx", b"x")
    await house.rest()
    assert "没有我能读的文字" in wang.person.last.text
