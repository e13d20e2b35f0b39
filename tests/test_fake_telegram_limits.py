"""the fake Telegram's refusals: are its budgets, limits and error texts those of the real one?"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from tests.fakes.telegram import FakeTelegram, Limits, Person, blocked, lost, server_error, silence, too_many
from tests.fakes.telegram.errors import Json

TOO_OLD = "Bad Request: query is too old and response timeout expired or query ID is invalid"


class Caller:
    """A bot made of bare calls."""

    def __init__(self, telegram: FakeTelegram, http: aiohttp.ClientSession) -> None:
        self.telegram = telegram
        self.http = http

    async def call(self, method: str, **values: object) -> Json:
        address = f"{self.telegram.base_url}{self.telegram.token}/{method}"
        async with self.http.post(address, json=values) as response:
            answer: Json = await response.json()
            return answer

    async def says(self, text: str, chat_id: int = 1001, **more: object) -> Json:
        return await self.call("sendMessage", chat_id=chat_id, text=text, **more)


@pytest_asyncio.fixture
async def bot() -> AsyncIterator[Caller]:
    async with FakeTelegram() as telegram, aiohttp.ClientSession() as http:
        telegram.pace = 0
        yield Caller(telegram, http)


@pytest_asyncio.fixture
async def wang(bot: Caller) -> Person:
    person = bot.telegram.user(1001, "王芳")
    await person.start()
    return person


def keys(data: str) -> Json:
    return {"inline_keyboard": [[{"text": "赞成", "callback_data": data}]]}


# -- budgets ---------------------------------------------------------------------------------------


async def test_a_short_burst_to_one_person_passes_and_then_one_a_second(bot: Caller, wang: Person) -> None:
    answers = [await bot.says(f"第{n}条") for n in range(6)]
    assert [answer["ok"] for answer in answers] == [True] * 5 + [False]
    assert answers[5]["error_code"] == 429
    assert answers[5]["parameters"] == {"retry_after": 2}
    await bot.telegram.advance(1)
    assert not (await bot.says("太早"))["ok"], "who does not wait is still refused"
    await bot.telegram.advance(1)
    assert [(await bot.says("正好"))["ok"], (await bot.says("也行"))["ok"]] == [True, True]


async def test_thirty_a_second_to_different_people_is_the_end(bot: Caller) -> None:
    for n in range(32):
        await bot.telegram.user(2000 + n).start()
    answers = [(await bot.says("通知", 2000 + n))["ok"] for n in range(31)]
    assert answers == [True] * 30 + [False]
    await bot.telegram.advance(2)
    assert (await bot.says("通知", 2031))["ok"]


async def test_twenty_five_a_second_draws_no_refusal_for_443_people(bot: Caller) -> None:
    for n in range(443):
        await bot.telegram.user(2000 + n).start()
    for n in range(443):
        await bot.says("通知", 2000 + n)
        await bot.telegram.advance(1 / 25)
    assert bot.telegram.refused == 0


async def test_twenty_a_minute_to_a_group_edits_included(bot: Caller, wang: Person) -> None:
    group = bot.telegram.group(-500, "第一支部", wang)
    first = await bot.says("计票", group.id)
    for n in range(19):
        await bot.telegram.advance(2)
        edited = await bot.call(
            "editMessageText", chat_id=group.id, message_id=first["result"]["message_id"], text=f"{n}票"
        )
        assert edited["ok"]
    refused = await bot.says("还有", group.id)
    assert (refused["error_code"], refused["parameters"]) == (429, {"retry_after": 22})
    await bot.telegram.advance(22)
    assert (await bot.says("还有", group.id))["ok"]


async def test_answers_to_taps_cost_nothing(bot: Caller, wang: Person) -> None:
    await bot.says("？", reply_markup=keys("y"))
    for _ in range(50):
        tap = await wang.taps("赞成")
        assert (await bot.call("answerCallbackQuery", callback_query_id=tap.id))["ok"]
    assert bot.telegram.refused == 0


# -- limits ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "fits"), [("y" * 64, True), ("y" * 65, False), ("赞" * 21, True), ("赞" * 22, False)]
)
async def test_a_button_carries_64_bytes_not_characters(bot: Caller, wang: Person, data: str, fits: bool) -> None:
    answer = await bot.says("？", reply_markup=keys(data))
    assert answer["ok"] is fits
    if not fits:
        assert answer["description"] == "Bad Request: BUTTON_DATA_INVALID"


async def test_a_text_has_4096_code_points_however_wide_they_are(bot: Caller, wang: Person) -> None:
    assert (await bot.says("😀" * 4096))["ok"]
    assert (await bot.says("😀" * 4097))["description"] == "Bad Request: message is too long"
    assert (await bot.says(f"<b>{'字' * 4096}</b>", parse_mode="HTML"))["ok"]
    assert (await bot.says(""))["description"] == "Bad Request: message text is empty"


async def test_markup_that_does_not_close_is_refused_and_escapes_are_read(bot: Caller, wang: Person) -> None:
    assert "can't parse entities" in (await bot.says("<b>党费", parse_mode="HTML"))["description"]
    assert "can't parse entities" in (await bot.says("1 < 2", parse_mode="HTML"))["description"]
    await bot.says("<b>1 &lt; 2</b> &amp; 3", parse_mode="HTML")
    assert wang.last.text == "1 < 2 & 3"


async def test_an_edit_that_changes_nothing_is_refused_and_one_without_keys_removes_them(
    bot: Caller, wang: Person
) -> None:
    sent = await bot.says("？", reply_markup=keys("y"))
    where = {"chat_id": 1001, "message_id": sent["result"]["message_id"]}
    same = await bot.call("editMessageText", text="？", reply_markup=keys("y"), **where)
    assert same["description"].startswith("Bad Request: message is not modified")
    assert (await bot.call("editMessageText", text="已投", **where))["ok"]
    assert wang.transcript() == "> /start\n< 已投"


async def test_a_toast_comes_within_15_seconds_or_not_at_all(bot: Caller, wang: Person) -> None:
    await bot.says("？", reply_markup=keys("y"))
    tap = await wang.taps("赞成")
    await bot.telegram.advance(15)
    answer = {"callback_query_id": tap.id, "text": "已记录"}
    assert (await bot.call("answerCallbackQuery", **answer))["ok"]
    late = await wang.taps("赞成")
    await bot.telegram.advance(15.1)
    answer = {"callback_query_id": late.id, "text": "已记录"}
    assert (await bot.call("answerCallbackQuery", **answer))["description"] == TOO_OLD
    assert wang.spinning == [late]


async def test_a_toast_has_200_characters(bot: Caller, wang: Person) -> None:
    await bot.says("？", reply_markup=keys("y"))
    tap = await wang.taps("赞成")
    long = await bot.call("answerCallbackQuery", callback_query_id=tap.id, text="字" * 201)
    assert long["description"] == "Bad Request: MESSAGE_TOO_LONG"
    assert (await bot.call("answerCallbackQuery", callback_query_id=tap.id, text="字" * 200))["ok"]


async def test_what_a_person_writes_beyond_4096_characters_comes_as_two_messages(bot: Caller, wang: Person) -> None:
    await bot.call("getUpdates", offset=-1)
    await wang.says("字" * 5000, wait=False)
    told = (await bot.call("getUpdates"))["result"][-2:]
    assert [len(update["message"]["text"]) for update in told] == [4096, 904]


@pytest.mark.parametrize("filename", ["名册.csv", '"名册.csv"'])
async def test_a_file_keeps_its_chinese_name_quoted_or_as_grammy_sends_it(
    bot: Caller, wang: Person, filename: str
) -> None:
    parts = [
        'Content-Disposition: form-data; name="chat_id"\r\n\r\n1001',
        'Content-Disposition: form-data; name="document"\r\n\r\nattach://x',
        f'content-disposition:form-data;name="x";filename={filename}\r\ncontent-type:text/csv\r\n\r\n姓名',
    ]
    body = "".join(f"--edge\r\n{part}\r\n" for part in parts) + "--edge--\r\n"
    address = f"{bot.telegram.base_url}{bot.telegram.token}/sendDocument"
    headers = {"Content-Type": "multipart/form-data; boundary=edge"}
    async with bot.http.post(address, data=body.encode(), headers=headers) as response:
        assert response.status == 200
    document = wang.last.document
    assert document is not None
    assert (document.upload.name, document.upload.content.decode()) == ("名册.csv", "姓名")


# -- people the bot cannot reach -------------------------------------------------------------------


async def test_who_never_pressed_start_who_blocked_and_who_left_are_told_apart(bot: Caller) -> None:
    zhao = bot.telegram.user(1002, "赵明")
    never = await bot.says("您好", zhao.id)
    assert never["description"] == "Forbidden: bot can't initiate conversation with a user"
    assert (await bot.says("您好", 77))["description"] == "Bad Request: chat not found"
    await zhao.start()
    await zhao.blocks()
    assert (await bot.says("您好", zhao.id))["description"] == "Forbidden: bot was blocked by the user"
    told = (await bot.call("getUpdates"))["result"][-1]["my_chat_member"]
    assert (told["from"]["id"], told["new_chat_member"]["status"]) == (1002, "kicked")
    await zhao.start(wait=False)
    assert (await bot.says("欢迎回来", zhao.id))["ok"]
    zhao.deactivates()
    assert (await bot.says("您好", zhao.id))["description"] == "Forbidden: user is deactivated"


async def test_a_group_that_became_a_supergroup_says_where_it_is_now(bot: Caller, wang: Person) -> None:
    group = bot.telegram.group(-500, "第一支部", wang)
    new = await group.upgrades(wang)
    moved = await bot.says("通知", -500)
    assert (moved["error_code"], moved["parameters"]) == (400, {"migrate_to_chat_id": new})
    assert (await bot.says("通知", new))["ok"]
    await group.removes_bot(wang)
    assert (await bot.says("通知", new))["description"] == "Forbidden: bot was kicked from the supergroup chat"


async def test_in_a_group_the_bot_hears_commands_and_its_name_only(bot: Caller, wang: Person) -> None:
    group = bot.telegram.group(-500, "第一支部", wang)
    for words in ("大家好", "/vote", "@tiexin_test_bot 投票"):
        await wang.says(words, chat=group)
    told = (await bot.call("getUpdates"))["result"]
    assert [update["message"]["text"] for update in told] == ["/start", "/vote", "@tiexin_test_bot 投票"]


# -- misfortune ------------------------------------------------------------------------------------


async def test_a_send_can_be_lost_after_it_was_accepted(bot: Caller, wang: Person) -> None:
    bot.telegram.script(lost(), method="sendMessage")
    with pytest.raises(aiohttp.ClientError):
        await bot.says("通知")
    assert wang.last.text == "通知"
    bot.telegram.script(lost(accepted=False), method="sendMessage")
    with pytest.raises(aiohttp.ClientError):
        await bot.says("又一条")
    assert wang.last.text == "通知"


async def test_a_send_can_get_no_answer_at_all(bot: Caller, wang: Person) -> None:
    bot.telegram.script(silence(), method="sendMessage", chat=1001)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(bot.says("通知"), 0.05)
    assert wang.last.text == "通知"


async def test_scripted_refusals_meet_the_method_and_chat_they_are_meant_for(bot: Caller, wang: Person) -> None:
    for fault in (server_error(), too_many(40), blocked()):
        bot.telegram.script(fault, method="sendMessage", chat=1001)
    assert (await bot.call("getMe"))["ok"]
    answers = [await bot.says("通知") for _ in range(4)]
    assert [answer.get("error_code") for answer in answers] == [500, 429, 403, None]
    assert [one.status for one in bot.telegram.called("sendMessage")] == [500, 429, 403, 200]


# -- the address -----------------------------------------------------------------------------------


async def test_a_wrong_token_and_an_unknown_method_are_told_apart(bot: Caller) -> None:
    telegram = bot.telegram
    for token, status in [("nonsense", 404), (f"{telegram.token[:-1]}X", 401)]:
        async with bot.http.post(f"{telegram.base_url}{token}/getMe") as response:
            assert response.status == status
    assert (await bot.call("sendTelepathy"))["description"] == "Not Found: method not found"


async def test_a_poll_beside_a_webhook_and_a_second_poller_are_conflicts(bot: Caller, wang: Person) -> None:
    await bot.call("getUpdates", offset=-1)
    await bot.call("getUpdates", offset=2_000_000_000)
    first = asyncio.create_task(bot.call("getUpdates", timeout=50))
    await asyncio.sleep(0.05)
    second = asyncio.create_task(bot.call("getUpdates", timeout=50))
    assert (await first)["error_code"] == 409
    await bot.call("setWebhook", url="http://127.0.0.1:9/none")
    assert (await second)["error_code"] == 409
    assert (await bot.call("getUpdates"))["error_code"] == 409


async def test_a_poll_acknowledges_with_the_next_offset_and_ends_empty_after_its_time(
    bot: Caller, wang: Person
) -> None:
    await wang.says("投票", wait=False)
    told = (await bot.call("getUpdates", limit=1))["result"]
    assert told == (await bot.call("getUpdates", limit=1))["result"], "not acknowledged, so told again"
    rest = (await bot.call("getUpdates", offset=told[0]["update_id"] + 1))["result"]
    assert [update["message"]["text"] for update in rest] == ["投票"]
    poll = asyncio.create_task(bot.call("getUpdates", offset=rest[0]["update_id"] + 1, timeout=50))
    await bot.telegram.settled()
    await asyncio.sleep(0.02)
    await bot.telegram.advance(50, settle=False)
    assert (await poll)["result"] == []


async def test_a_poller_finds_only_what_has_not_expired(bot: Caller, wang: Person) -> None:
    await bot.says("？", reply_markup=keys("y"))
    await wang.taps("赞成")
    await bot.telegram.advance(151)
    told = (await bot.call("getUpdates"))["result"]
    assert [kind for update in told for kind in update if kind != "update_id"] == ["message"]


async def test_each_number_can_be_set() -> None:
    limits = Limits(chat_burst=1, text_chars=3)
    async with FakeTelegram(limits=limits) as telegram, aiohttp.ClientSession() as http:
        bot = Caller(telegram, http)
        await telegram.user(1001).start()
        assert (await bot.says("四个字了"))["error_code"] == 400
        assert [(await bot.says("好"))["ok"], (await bot.says("好"))["ok"]] == [True, False]
