"""the fake Telegram before strangers: do clients that know nothing of it take it for the real one?

python-telegram-bot and aiogram, unmodified, each hold a whole dialogue with 王芳 by webhook; aiogram by
polling too. Each maps the refusals to its own exceptions.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TypeVar

import pytest
import telegram as ptb
from aiogram import Bot as AiogramBot
from aiogram import Dispatcher, F, exceptions, types
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.filters import CommandObject, CommandStart
from aiogram.methods import AnswerCallbackQuery
from aiogram.webhook.aiohttp_server import SimpleRequestHandler
from aiohttp import web
from telegram.request import BaseRequest, HTTPXRequest

from bot.adapters.telegram_request import AiohttpRequest
from tests.fakes.telegram import FakeTelegram, migrated, server_error, too_many
from tests.fakes.telegram.errors import Json
from tests.fakes.telegram.listener import Listener

E = TypeVar("E", bound=Exception)
SECRET = "s3cret"
DIALOGUE = """\
> /start 4T7K9QX2MB
< 您是否同意 4T7K9QX2MB 的决议？您已选：同意
* 已记录 09:41
< (名册.csv) 附上名册"""


def ptb_bot(fake: FakeTelegram, request: BaseRequest) -> ptb.Bot:
    return ptb.Bot(fake.token, base_url=fake.base_url, base_file_url=fake.base_file_url, request=request)


@asynccontextmanager
async def aiogram_bot(fake: FakeTelegram) -> AsyncIterator[AiogramBot]:
    session = AiohttpSession(api=TelegramAPIServer.from_base(fake.url))
    async with AiogramBot(fake.token, session=session) as bot:
        yield bot


@pytest.mark.parametrize("request_class", [HTTPXRequest, AiohttpRequest])
async def test_python_telegram_bot_holds_a_dialogue_by_webhook(request_class: type[BaseRequest]) -> None:
    async with FakeTelegram() as fake, Listener() as hook, ptb_bot(fake, request_class()) as bot:
        keys = ptb.InlineKeyboardMarkup([[ptb.InlineKeyboardButton("同意", callback_data="v:1:y")]])

        async def handle(raw: Json) -> web.StreamResponse:
            update = ptb.Update.de_json(raw, bot)
            if update.message and update.message.text:
                code = update.message.text.removeprefix("/start ")
                await update.message.reply_text(f"您是否同意 {code} 的决议？", reply_markup=keys)
            elif update.callback_query:
                asked = update.callback_query.message
                assert isinstance(asked, ptb.Message)
                assert asked.text
                edited = await asked.edit_text(f"{asked.text}您已选：同意")
                assert isinstance(edited, ptb.Message)
                assert edited.edit_date is not None
                assert await update.callback_query.answer("已记录 09:41")
                await bot.send_document(asked.chat.id, b"\xef\xbb\xbf", "附上名册", filename="名册.csv")
            return web.Response()

        hook.answer = handle
        me = await bot.get_me()
        assert (me.username, me.is_bot) == ("tiexin_test_bot", True)
        await bot.set_my_commands([("vote", "投票")], scope=ptb.BotCommandScopeAllPrivateChats())
        await bot.set_my_commands([("vote", "Vote")], language_code="en")
        assert [one.description for one in await bot.get_my_commands(language_code="en")] == ["Vote"]
        assert await bot.set_webhook(
            hook.url, secret_token=SECRET, allowed_updates=["message", "callback_query"], max_connections=32
        )
        info = await bot.get_webhook_info()
        assert (info.url, info.max_connections) == (hook.url, 32)

        wang = fake.user(1001, "王芳")
        await wang.start("4T7K9QX2MB")
        await wang.taps("同意")
        assert wang.transcript() == DIALOGUE
        assert wang.spinning == []
        assert wang.menu == {"vote": "投票"}
        document = wang.last.document
        assert document is not None
        assert document.upload.content == b"\xef\xbb\xbf"
        assert bytes(await (await bot.get_file(document.file_id)).download_as_bytearray()) == b"\xef\xbb\xbf"
        assert (await bot.get_chat(1001)).first_name == "王芳"
        assert await bot.send_chat_action(1001, "typing")
        assert await bot.delete_message(1001, wang.last.id)
        assert set(hook.secrets) == {SECRET}


@pytest.mark.parametrize("request_class", [HTTPXRequest, AiohttpRequest])
async def test_python_telegram_bot_knows_each_refusal_by_its_class(
    request_class: type[BaseRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without this the library warns at every look at `retry_after`.
    monkeypatch.setenv("PTB_TIMEDELTA", "1")
    async with FakeTelegram() as fake, ptb_bot(fake, request_class()) as bot:
        zhao = fake.user(1002, "赵明")
        with pytest.raises(ptb.error.Forbidden, match="can't initiate"):
            await bot.send_message(1002, "您好")
        await zhao.start()
        fake.script(too_many(7), method="sendMessage")
        with pytest.raises(ptb.error.RetryAfter) as wait:
            await bot.send_message(1002, "您好")
        assert wait.value.retry_after == timedelta(seconds=7)
        fake.script(migrated(-100500), method="sendMessage")
        with pytest.raises(ptb.error.ChatMigrated) as moved:
            await bot.send_message(1002, "您好")
        assert moved.value.new_chat_id == -100500
        fake.script(server_error(), method="sendMessage")
        with pytest.raises(ptb.error.NetworkError) as unknown:
            await bot.send_message(1002, "您好")
        assert type(unknown.value) is ptb.error.NetworkError
        with pytest.raises(ptb.error.BadRequest, match="Chat not found"):
            await bot.send_message(77, "您好")
        with pytest.raises(ptb.error.EndPointNotFound):
            await bot.do_api_request("sendTelepathy")
        await zhao.blocks()
        with pytest.raises(ptb.error.Forbidden, match="blocked"):
            await bot.send_message(1002, "您好")
        assert await bot.set_webhook("http://127.0.0.1:9/none")
        with pytest.raises(ptb.error.Conflict):
            await bot.get_updates()


def aiogram_dispatcher() -> Dispatcher:
    """The same dialogue in aiogram's words; the toast is what the handler returns."""
    dispatcher = Dispatcher()

    @dispatcher.message(CommandStart(deep_link=True))
    async def ask(message: types.Message, command: CommandObject) -> None:
        key = types.InlineKeyboardButton(text="同意", callback_data="v:1:y")
        markup = types.InlineKeyboardMarkup(inline_keyboard=[[key]])
        await message.answer(f"您是否同意 {command.args} 的决议？", reply_markup=markup)

    @dispatcher.callback_query(F.data == "v:1:y")
    async def cast(query: types.CallbackQuery) -> AnswerCallbackQuery:
        assert isinstance(query.message, types.Message)
        await query.message.edit_text(f"{query.message.text}您已选：同意")
        return query.answer("已记录 09:41")

    return dispatcher


async def hold_aiogram_dialogue(fake: FakeTelegram, bot: AiogramBot) -> None:
    wang = fake.user(1001, "王芳")
    await wang.start("4T7K9QX2MB")
    # When it polls, aiogram acknowledges before it handles, so that rest says nothing about an answer.
    await wang.sees("您是否同意")
    await wang.taps("同意")
    await fake.until(lambda: not wang.spinning, "the toast")
    roster = types.BufferedInputFile(b"\xef\xbb\xbf", "名册.csv")
    await bot.send_document(1001, roster, caption="附上名册")
    assert wang.transcript() == DIALOGUE
    me = await bot.get_me()
    assert me.username == "tiexin_test_bot"
    await bot.set_my_commands(
        [types.BotCommand(command="vote", description="投票")], scope=types.BotCommandScopeChat(chat_id=1001)
    )
    assert wang.menu == {"vote": "投票"}
    assert (await bot.get_chat(1001)).first_name == "王芳"


async def test_aiogram_holds_a_dialogue_by_webhook_and_answers_the_tap_in_the_reply() -> None:
    async with FakeTelegram() as fake, aiogram_bot(fake) as bot:
        app = web.Application()
        handler = SimpleRequestHandler(aiogram_dispatcher(), bot, handle_in_background=False, secret_token=SECRET)
        handler.register(app, "/telegram")
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        port = runner.addresses[0][1]
        try:
            await bot.set_webhook(f"http://127.0.0.1:{port}/telegram", secret_token=SECRET)
            await hold_aiogram_dialogue(fake, bot)
            assert (await bot.get_webhook_info()).pending_update_count == 0
        finally:
            await runner.cleanup()
        answer = fake.called("answerCallbackQuery")[-1]
        assert (answer.via, answer.params.encoding) == ("reply", "multipart")
        assert all(attempt.delivered for attempt in fake.attempts)


async def test_aiogram_holds_a_dialogue_by_polling() -> None:
    async with FakeTelegram() as fake, aiogram_bot(fake) as bot:
        dispatcher = aiogram_dispatcher()
        polling = asyncio.create_task(
            dispatcher.start_polling(bot, handle_signals=False, close_bot_session=False, polling_timeout=50)
        )
        try:
            await hold_aiogram_dialogue(fake, bot)
        finally:
            await dispatcher.stop_polling()
            with suppress(asyncio.CancelledError):
                await polling


async def test_aiogram_knows_each_refusal_by_its_class() -> None:
    async with FakeTelegram() as fake, aiogram_bot(fake) as bot:
        zhao = fake.user(1002, "赵明")

        async def say(chat_id: int = 1002) -> None:
            await bot.send_message(chat_id, "您好")

        await _raises(exceptions.TelegramForbiddenError, say)
        await zhao.start()
        fake.script(too_many(7), method="sendMessage")
        assert (await _raises(exceptions.TelegramRetryAfter, say)).retry_after == 7
        fake.script(migrated(-100500), method="sendMessage")
        assert (await _raises(exceptions.TelegramMigrateToChat, say)).migrate_to_chat_id == -100500
        fake.script(server_error(), method="sendMessage")
        await _raises(exceptions.TelegramServerError, say)
        await _raises(exceptions.TelegramBadRequest, lambda: say(77))
        await zhao.blocks()
        await _raises(exceptions.TelegramForbiddenError, say)
        await bot.set_webhook("http://127.0.0.1:9/none")
        await _raises(exceptions.TelegramConflictError, bot.get_updates)


async def _raises(kind: type[E], act: Callable[[], Awaitable[object]]) -> E:
    with pytest.raises(kind) as caught:
        await act()
    return caught.value
