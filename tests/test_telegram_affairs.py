"""The bot's own affairs on Telegram: its webhook, its menu, its health, and what it keeps to itself."""

from __future__ import annotations

import asyncio
import io
import logging
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import TestServer
from telegram.error import BadRequest, TelegramError

from bot import logs
from bot.adapters.telegram import WANTED, Call
from bot.adapters.telegram_channel import BUDGET, TelegramChannel
from bot.adapters.telegram_check import check, quota
from bot.adapters.telegram_errors import judged, reason
from bot.config import Telegram
from bot.core.reply import Message, Parcel, Undelivered
from bot.serve import serve
from handlers.binding import desk as binding
from storage import people, rates
from storage.audit import OPERATOR
from tests.fakes.telegram import FakeTelegram, RealClock, bad_gateway, lost, server_error, too_many
from tests.people import build_house
from tests.polls import open_poll
from tests.running import free_port
from tests.telegram_house import SECRET, telegram_house

PUBLIC = "https://tiexin.example"


# -- webhook and menu -------------------------------------------------------------------------------------------


async def test_telegram_is_told_where_we_are_and_what_we_want_to_hear(tmp_path: Path) -> None:
    async with telegram_house(tmp_path) as house:
        (call,) = house.telegram.called("setWebhook")
        assert call.ok
        assert call.params.text("secret_token") == SECRET
        assert call.params.parsed("allowed_updates") == list(WANTED)
        await house.channel.unregister()
        assert house.telegram.world.webhook is None


async def test_everybody_is_offered_the_commands_that_are_theirs_in_their_language(tmp_path: Path) -> None:
    async with telegram_house(tmp_path) as house:
        menu = house.app.reception.menu()
        assert all(re.fullmatch(r"[a-z0-9_]{1,32}", name) for listed in menu.values() for name, _ in listed)
        await house.channel.publish(menu)
        wang, smith = await house.seat("王芳", "zh-hans"), await house.seat("Smith", "en")
        french = await house.seat("Dupont", "fr")
        assert wang.person.menu["vote"] == "看看有哪些投票在等您，点一下就能投"
        assert smith.person.menu.keys() == wang.person.menu.keys()
        assert smith.person.menu["vote"].isascii()
        assert french.person.menu == wang.person.menu
        assert "desk" not in wang.person.menu, "what only secretaries may do is not everybody's"
        assert all(one.ok for one in house.telegram.called("setMyCommands"))


async def test_served_without_a_public_address_it_polls_though_a_webhook_was_set(tmp_path: Path) -> None:
    port = free_port()
    async with FakeTelegram(clock=RealClock()) as telegram:
        house = build_house(
            tmp_path, server__port=str(port), telegram__token=telegram.token, telegram__mode="polling",
            telegram__api_base=telegram.url,
        )  # fmt: skip
        telegram.world.webhook = None
        await _set_a_webhook(telegram)
        stop, opened = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(serve(house.app, opened=lambda _url: opened.set(), until=stop.wait()))
        await telegram.until(lambda: telegram.is_asked and bool(telegram.called("setMyCommands")), "the question")
        zhou = telegram.user(1, "Zhou")
        await zhou.start()
        await zhou.sees("绑定码")
        stop.set()
        await task
        assert telegram.world.updates.waiting() == []


async def _set_a_webhook(telegram: FakeTelegram) -> None:
    channel = TelegramChannel(telegram.token, telegram.url)
    await channel.open()
    await channel.register("http://127.0.0.1:9/old", SECRET)
    await channel.close()


# -- health -----------------------------------------------------------------------------------------------------


def settings(telegram: FakeTelegram, mode: str = "webhook", token: str = "") -> Telegram:
    return Telegram.model_validate(
        {"token": token or telegram.token, "mode": mode, "webhook_secret": SECRET, "api_base": telegram.url}
    )


async def test_the_check_says_how_it_stands_and_what_to_do(tmp_path: Path) -> None:
    assert "not configured" in await check(None)
    async with telegram_house(tmp_path) as house:
        telegram = house.telegram
        here = house.url.removesuffix("/telegram/webhook")
        now = house.clock.instant()
        assert await check(settings(telegram), here, now) == (
            "telegram: @tiexin_test_bot answers, its webhook is set, no updates waiting"
        )
        assert "another address" in await check(settings(telegram), PUBLIC, now)
        assert "server.public_url" in await check(settings(telegram), None, now)
        assert "a webhook is set while the mode is polling" in await check(settings(telegram, "polling"))

        wang = await house.seat("王芳")
        await house.down()
        await wang.person.says("我的")
        line = await check(settings(telegram), here, house.clock.instant())
        assert "1 update waiting" in line
        assert "503 Service Unavailable" in line
        assert "is `tiexin serve` running" in line
        await house.up()
        await telegram.advance(5)
        assert "could not bring" in await check(settings(telegram), here, house.clock.instant())
        later = house.clock.instant() + timedelta(hours=1)
        assert "could not bring" not in await check(settings(telegram), here, later), "that is history"

        await house.channel.unregister()
        assert "no webhook is set" in await check(settings(telegram), here)
        assert "updates are fetched" in await check(settings(telegram, "polling"))
        wrong = telegram.token[:-1] + "x"
        line = await check(settings(telegram, token=wrong), here)
        assert "the token is refused" in line
        assert wrong not in line


async def test_the_check_says_what_may_be_sent_and_when_telegram_has_asked_us_to_wait(tmp_path: Path) -> None:
    async with telegram_house(tmp_path) as house:
        now, limits = house.clock.instant(), house.channel.limits("7")
        with house.app.database.write() as tx:
            assert quota(settings(house.telegram), tx, now) == "at most 25 messages a second"
            rates.pause(tx, BUDGET, limits[BUDGET], now + timedelta(minutes=90))
            said = quota(settings(house.telegram), tx, now)
        assert said == "nothing is sent for 90 minutes more, as Telegram has asked for"


@pytest.mark.parametrize("fault", [bad_gateway(), lost(), server_error(), too_many(5), None])
async def test_the_check_says_when_telegram_gives_no_answer(fault: object) -> None:
    async with FakeTelegram() as telegram:
        config = settings(telegram)
        if fault:
            telegram.script(fault, method="getMe")  # type: ignore[arg-type]  # the faults above
        else:
            await telegram.stop()
        line = await check(config, PUBLIC)
        assert "gives no answer" in line
        assert "\n" not in line
        assert telegram.token not in line


# -- secrets ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        "inline keyboard button URL 'https://tiexin.example/l/secret' is invalid: Wrong HTTP URL",
        'can\'t parse entities: Unsupported start tag "secret" at byte offset 3',
        "wrong HTTP URL https://tiexin.example/l/secret",
        "can't parse: <secret>",
    ],
)
def test_what_telegram_quotes_of_us_is_not_repeated(said: str) -> None:
    with structlog.testing.capture_logs() as lines:
        no = judged(_refusal(said), sending=True)
    assert no.permanent
    assert "secret" not in str(lines) + reason(_refusal(said)) + no.reason


def _refusal(said: str) -> TelegramError:
    return BadRequest(said)


@pytest.fixture
def everything_logged() -> Iterator[io.StringIO]:
    """Every line that could be written, at the most talkative."""
    root, kept = logging.getLogger(), structlog.get_config()
    levels = {name: logging.getLogger(name).level for name in [*logs.QUIET, ""]}
    handlers = list(root.handlers)
    stream = io.StringIO()
    logs.configure(stream=stream, plain=True, level=logging.DEBUG)
    yield stream
    root.handlers = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    structlog.configure(**kept)


async def test_no_token_no_code_no_word_is_ever_logged(
    tmp_path: Path, everything_logged: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "redact", lambda text: text)  # nothing is there to be taken out in the first place
    errors: list[BaseException] = []
    said = "我的秘密是一只猫"
    async with telegram_house(tmp_path) as house:
        telegram = house.telegram
        wu, wang = await house.seat("Wu Qiang"), await house.seat("王芳")
        with house.app.database.write() as tx:
            code = binding.issue(tx, house.clock.instant(), OPERATOR, people.get(tx, house.house.ids["吴强"]))
        await wu.start(code)
        await wu.tap("同意并绑定")
        await wang.say(said)
        await wang.person.taps("secret-data", forged=True)
        await house.intake.take({"update_id": 5, "message": {"text": said}})
        await house.intake.take({"update_id": "5", "text": said})
        open_poll(house.house, title=said)
        for fault in (server_error(), bad_gateway(), lost(), too_many(1)):
            telegram.script(fault, method="sendMessage")
            telegram.script(fault, method="editMessageText")
        await house.deliver()
        house.channel.aside([Call("sendMessage", {"chat_id": wang.person.id, "text": said})] * 6)
        await telegram.advance(60)
        await house.deliver()
        calls: list[Callable[[], object]] = [
            lambda: house.channel.send(Parcel(1, "77", Message(said))),
            lambda: house.channel.revise(Parcel(0, "77", Message(said)), "5"),
            lambda: house.channel.send(Parcel(1, wang.address.key, Message(said, ((), ())))),
        ]
        for call in calls:
            for fault in (server_error(), bad_gateway(), lost(), too_many(1)):
                telegram.script(fault)
                with pytest.raises(Undelivered) as no:
                    await call()  # type: ignore[misc]  # each is a coroutine function
                errors.append(no.value)
    told = everything_logged.getvalue() + "".join(_all_of(error) for error in errors)
    for canary in (telegram.token, telegram.token.split(":")[1], code, said, "一只猫", "secret-data", SECRET):
        assert canary not in told
    assert "update not read" in told


async def test_an_answer_that_was_cut_off_is_not_printed(everything_logged: io.StringIO) -> None:
    async def cut_off(_request: web.Request) -> web.Response:
        return web.Response(text='{"ok": true, "result": {"text": "我的秘密是', content_type="application/json")

    application = web.Application()
    application.router.add_route("*", "/{any:.*}", cut_off)
    async with TestServer(application) as server:
        channel = TelegramChannel("1:" + "x" * 35, str(server.make_url("")).rstrip("/"))
        await channel.open()
        with pytest.raises(Undelivered) as no:
            await channel.send(Parcel(1, "77", Message("我的秘密是一只猫")))
        await channel.close()
    assert no.value.unknown, "it was carried out, for all we know"
    assert "秘密" not in everything_logged.getvalue() + _all_of(no.value)


def _all_of(error: BaseException) -> str:
    parts = [repr(error), str(error)]
    for other in (error.__cause__, error.__context__):
        if other is not None:
            parts.append(_all_of(other))
    return "\n".join(parts)
