"""the fake Telegram: does it lose, repeat, delay and refuse as the real one does?

王芳 (1001) and 赵明 (1002) hold the phones; the bot at the other end is a bare `Listener`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise

import aiohttp
import pytest
from aiohttp import web

from tests.fakes.telegram import FakeTelegram, Limits, Person, RealClock
from tests.fakes.telegram.errors import Json
from tests.fakes.telegram.listener import Listener, acknowledge, fail

KEYS = {"inline_keyboard": [[{"text": "赞成", "callback_data": "y"}, {"text": "反对", "callback_data": "n"}]]}


async def call(telegram: FakeTelegram, method: str, **values: object) -> Json:
    """Call the Bot API in JSON; the whole answer."""
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{telegram.base_url}{telegram.token}/{method}", json=values) as response,
    ):
        answer: Json = await response.json()
        return answer


@asynccontextmanager
async def hooked(limits: Limits | None = None, **hook: object) -> AsyncIterator[tuple[FakeTelegram, Listener]]:
    """A Telegram that tells a listener."""
    async with FakeTelegram(limits=limits) as telegram, Listener() as bot:
        telegram.pace = 0
        assert (await call(telegram, "setWebhook", url=bot.url, secret_token="s3cret", **hook))["ok"]
        yield telegram, bot


async def asked(telegram: FakeTelegram, id: int = 1001, name: str = "王芳") -> Person:
    """A person before a question with two buttons."""
    person = telegram.user(id, name)
    await person.start()
    await call(telegram, "sendMessage", chat_id=id, text="您是否同意？", reply_markup=KEYS)
    return person


def tries(telegram: FakeTelegram, since: float) -> list[float]:
    """When the newest update was tried, in seconds after `since`."""
    newest = telegram.attempts[-1].update_id
    return [attempt.at - since for attempt in telegram.attempts if attempt.update_id == newest]


# -- retries ---------------------------------------------------------------------------------------


async def test_a_tap_answered_with_errors_is_tried_at_doubling_distances_and_lost_after_two_minutes() -> None:
    async with hooked() as (telegram, bot):
        wang = await asked(telegram)
        bot.answer = fail
        then = telegram.clock.now()
        tap = await wang.taps("赞成")
        await telegram.advance(400)

        times = tries(telegram, then)
        assert times[:-1] == [0, 0, 2, 6, 14, 30, 62]
        assert 122 <= times[-1] <= 126
        assert [(lost.update.body["id"], lost.why) for lost in telegram.dropped] == [(tap.id, "retry too late")]
        assert wang.spinning == [tap]


async def test_a_message_is_tried_for_a_day_and_no_longer() -> None:
    async with hooked() as (telegram, bot):
        wang = await asked(telegram)
        bot.answer = fail
        then = telegram.clock.now()
        await wang.says("投票")
        await telegram.advance(86_400 + 200)

        times = tries(telegram, then)
        assert len(times) > 86_400 / 125
        assert all(60 <= later - earlier <= 120 for earlier, later in pairwise(times[7:]))
        assert 86_400 - 120 <= times[-1] <= 86_400
        assert [lost.why for lost in telegram.dropped] == ["retry too late"]


async def test_retry_after_stops_the_doubling_and_keeps_a_tap_for_all_of_its_150_seconds() -> None:
    async def busy(update: Json) -> web.StreamResponse:
        return web.Response(status=503, headers={"Retry-After": "2"})

    async with hooked() as (telegram, bot):
        wang = await asked(telegram)
        bot.answer = busy
        then = telegram.clock.now()
        await wang.taps("赞成")
        await telegram.advance(400)
        assert tries(telegram, then) == list(range(0, 151, 2))


@pytest.mark.parametrize(("asked_for", "granted"), [(600, 600), (7_200, 3_600)])
async def test_retry_after_is_believed_up_to_an_hour(asked_for: int, granted: int) -> None:
    async def busy(update: Json) -> web.StreamResponse:
        return web.Response(status=503, headers={"Retry-After": str(asked_for)})

    async with hooked() as (telegram, bot):
        wang = await asked(telegram)
        bot.answer = busy
        then = telegram.clock.now()
        await wang.says("投票")
        await telegram.advance(4_000)
        assert tries(telegram, then)[:2] == [0, granted]


async def test_a_retry_after_longer_than_the_rest_of_its_life_kills_a_tap_at_once() -> None:
    async def busy(update: Json) -> web.StreamResponse:
        return web.Response(status=503, headers={"Retry-After": "151"})

    async with hooked() as (telegram, bot):
        wang = await asked(telegram)
        bot.answer = busy
        await wang.taps("赞成")
        assert len(telegram.dropped) == 1


@pytest.mark.parametrize(("outage", "arrives"), [(100, True), (151, False)])
async def test_a_tap_outlives_an_outage_of_100_seconds_but_not_of_151(outage: int, arrives: bool) -> None:
    async with hooked() as (telegram, bot):
        wang = await asked(telegram)
        await bot.close()
        await wang.taps("赞成")
        await telegram.advance(outage)
        await bot.open()
        await telegram.advance(200)
        assert ("y" in bot.words) is arrives
        assert len(telegram.dropped) == (0 if arrives else 1)


async def test_an_inline_query_lives_for_half_a_minute() -> None:
    async with hooked() as (telegram, bot):
        wang = telegram.user(1001)
        bot.answer = fail
        await wang.looks_up("章程")
        await telegram.advance(40)
        assert [lost.update.kind for lost in telegram.dropped] == ["inline_query"]


async def test_a_handler_that_hangs_is_given_up_after_a_minute_and_told_again() -> None:
    async with hooked() as (telegram, bot):
        wang = await asked(telegram)
        hold = asyncio.Event()

        async def hang(update: Json) -> web.StreamResponse:
            await hold.wait()
            return web.Response()

        bot.answer = hang
        await wang.says("投票", wait=False)
        await telegram.until(lambda: bot.words[-1] == "投票", "the first try")
        await telegram.advance(60, settle=False)
        await telegram.until(lambda: bot.words[-2:] == ["投票", "投票"], "the second try")
        hold.set()
        await telegram.settled()
        assert [attempt.status for attempt in telegram.attempts[-2:]] == [None, 200]


# -- order -----------------------------------------------------------------------------------------


async def test_two_taps_of_one_person_never_overlap_and_two_persons_do() -> None:
    async with hooked() as (telegram, bot):
        wang, zhao = await asked(telegram), await asked(telegram, 1002, "赵明")
        hold = asyncio.Event()

        async def slow(update: Json) -> web.StreamResponse:
            await hold.wait()
            return web.Response()

        bot.heard.clear()
        bot.answer = slow
        for person, key in [(wang, "赞成"), (wang, "反对"), (zhao, "反对")]:
            await person.taps(key, wait=False)
        await telegram.until(lambda: len(bot.heard) == 2, "one tap of each")
        assert {update["callback_query"]["from"]["id"] for update in bot.heard} == {1001, 1002}
        hold.set()
        await telegram.settled()
        taps = [update["callback_query"] for update in bot.heard]
        assert [tap["data"] for tap in taps if tap["from"]["id"] == 1001] == ["y", "n"]


async def test_a_failing_message_holds_up_its_own_chat_only_and_not_the_same_persons_taps() -> None:
    async def fail_messages(update: Json) -> web.StreamResponse:
        return web.Response(status=500 if "message" in update else 200)

    async with hooked() as (telegram, bot):
        wang = await asked(telegram)
        bot.heard.clear()
        bot.answer = fail_messages
        await wang.says("甲")
        await wang.says("乙")
        await wang.taps("赞成")
        assert bot.words == ["甲", "甲", "y"]


async def test_as_many_stuck_updates_as_twice_the_connections_stop_everybody() -> None:
    async with hooked(max_connections=1) as (telegram, bot):
        people = [await asked(telegram, 1001 + n) for n in range(3)]
        bot.answer = fail
        for person in people:
            await person.says("投票")
        tried = [update["message"] for update in bot.heard if update["message"]["text"] == "投票"]
        assert {message["from"]["id"] for message in tried} == {1001, 1002}


# -- the reply in the webhook's body ---------------------------------------------------------------


async def test_a_method_in_the_reply_is_carried_out_and_its_result_discarded() -> None:
    async def toast(update: Json) -> web.StreamResponse:
        query = update["callback_query"]["id"]
        return web.json_response({"method": "answerCallbackQuery", "callback_query_id": query, "text": "已记录"})

    async with hooked() as (telegram, bot):
        wang = await asked(telegram)
        bot.answer = toast
        await wang.taps("赞成")
        assert wang.toast == "已记录"
        assert wang.spinning == []
        assert telegram.called("answerCallbackQuery")[-1].via == "reply"


async def test_a_reply_as_a_form_works_too_and_get_methods_in_a_reply_are_ignored() -> None:
    async def say(update: Json) -> web.StreamResponse:
        fields = aiohttp.FormData({"method": "sendMessage", "chat_id": "1001", "text": "收到"})()
        return web.Response(body=fields, content_type="application/x-www-form-urlencoded")

    async def forbidden(update: Json) -> web.StreamResponse:
        return web.json_response({"method": "deleteWebhook"})

    async with hooked() as (telegram, bot):
        wang = await asked(telegram)
        bot.answer = say
        await wang.says("你好")
        assert wang.last.text == "收到"
        bot.answer = forbidden
        await wang.says("再见")
        assert (await call(telegram, "getWebhookInfo"))["result"]["url"] == bot.url


@pytest.mark.parametrize(
    ("body", "kind"), [(b"--x--\r\n", "multipart/form-data; boundary=x"), (b"{", "application/json")]
)
async def test_an_empty_multipart_or_broken_json_counts_as_a_failure(body: bytes, kind: str) -> None:
    async def wrong(update: Json) -> web.StreamResponse:
        return web.Response(body=body, headers={"Content-Type": kind})

    async with hooked() as (telegram, bot):
        wang = await asked(telegram)
        bot.answer = wrong
        await wang.says("你好")
        assert not telegram.attempts[-1].delivered


async def test_duplicates_come_with_the_first_reply_carried_out_or_lost() -> None:
    async def echo(update: Json) -> web.StreamResponse:
        words = update["message"]["text"]
        return web.json_response({"method": "sendMessage", "chat_id": 1001, "text": f"您说：{words}"})

    async with hooked() as (telegram, bot):
        wang = await asked(telegram)
        bot.answer = echo
        telegram.repeat_next()
        await wang.says("甲")
        telegram.lose_next_reply()
        await wang.says("乙")
        assert bot.words[-4:] == ["甲", "甲", "乙", "乙"]
        assert wang.transcript().splitlines()[-5:] == [
            "> 甲",
            "< 您说：甲",
            "< 您说：甲",
            "> 乙",
            "< 您说：乙",
        ]


async def test_the_secret_comes_with_every_update() -> None:
    async with hooked() as (telegram, bot):
        await asked(telegram)
        assert set(bot.secrets) == {"s3cret"}


async def test_after_an_outage_one_connection_at_a_time_is_tried_every_two_seconds() -> None:
    async with hooked() as (telegram, bot):
        people = [await asked(telegram, 1001 + n) for n in range(3)]
        await bot.close()
        await telegram.advance(20)
        seen = len(telegram.attempts)
        for person in people:
            await person.taps("赞成")
        await telegram.advance(10)
        times = [attempt.at for attempt in telegram.attempts[seen:]]
        # The first may still be sent on a connection left from better days.
        assert all(later - earlier >= 2 for earlier, later in pairwise(times[1:]))
        await bot.open()
        await telegram.advance(20)
        assert bot.words[-3:] == ["y", "y", "y"]


async def test_a_webhook_that_says_gone_for_23_hours_is_removed() -> None:
    async def gone(update: Json) -> web.StreamResponse:
        return web.Response(status=410)

    async with hooked() as (telegram, bot):
        wang = await asked(telegram)
        bot.answer = gone
        await wang.says("投票")
        await telegram.advance(22.9 * 3600)
        assert (await call(telegram, "getWebhookInfo"))["result"]["url"] == bot.url
        await telegram.advance(600)
        assert (await call(telegram, "getWebhookInfo"))["result"]["url"] == ""


async def test_a_new_address_is_told_at_once_what_the_old_one_did_not_take() -> None:
    async with hooked() as (telegram, bot), Listener() as other:
        wang = await asked(telegram)
        bot.answer = fail
        await wang.says("投票")
        again = await call(telegram, "setWebhook", url=bot.url, secret_token="s3cret")
        assert again["description"] == "Webhook is already set"
        info = (await call(telegram, "getWebhookInfo"))["result"]
        assert (info["pending_update_count"], info["last_error_message"][-3:]) == (1, "ror")
        await call(telegram, "setWebhook", url=other.url)
        await telegram.settled()
        assert other.words == ["投票"]


async def test_on_a_real_clock_nothing_waits_and_a_restarted_bot_is_told_again() -> None:
    async with FakeTelegram(clock=RealClock()) as telegram, Listener(fail) as bot:
        await call(telegram, "setWebhook", url=bot.url)
        await telegram.user(1001).start()
        await telegram.until(lambda: len(bot.heard) == 2, "two tries at once")
        await bot.close()
        bot.answer = acknowledge
        await bot.open()
        await telegram.until(lambda: telegram.attempts[-1].delivered, "the try after two seconds")


async def test_the_fake_can_be_played_by_hand() -> None:
    command = [sys.executable, "-m", "tests.fakes.telegram", "--port", "0"]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    told, _ = await process.communicate("王芳\n1001 投票\n1001 /start\n".encode())
    first, who, start = told.decode().splitlines()
    assert first.startswith("The Bot API is at http://127.0.0.1:")
    assert who == "a line is: who (a number), a space, what"
    assert start.startswith("1001 has to press Start first")
    assert process.returncode == 0
