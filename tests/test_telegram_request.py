"""the way to Telegram: does a call tell what is sure, what is not, and never the token?"""

from __future__ import annotations

import asyncio
import traceback
from io import BytesIO

import pytest
import telegram as ptb
from telegram.error import NetworkError, TelegramError, TimedOut

from bot.adapters.telegram_request import AiohttpRequest, NotSent
from tests.fakes.telegram import FakeTelegram, Fault, bad_gateway, lost, server_error, silence

TEXT = "您的党费是45.00元"


def bot_of(fake: FakeTelegram, request: AiohttpRequest) -> ptb.Bot:
    return ptb.Bot(fake.token, base_url=fake.base_url, base_file_url=fake.base_file_url, request=request)


def everything_told(error: BaseException) -> str:
    """All that a log could print of an exception, its causes included."""
    told = "".join(traceback.format_exception(error)) + repr(error)
    for other in (error.__cause__, error.__context__):
        if other is not None:
            told += everything_told(other)
    return told


async def failure_of(bot: ptb.Bot) -> TelegramError:
    with pytest.raises(TelegramError) as caught:
        await bot.send_message(1001, TEXT)
    return caught.value


@pytest.mark.parametrize("fault", [lost(), lost(accepted=False), server_error(), bad_gateway()])
async def test_when_the_connection_breaks_the_call_may_have_been_carried_out(fault: Fault) -> None:
    async with FakeTelegram() as fake, bot_of(fake, AiohttpRequest()) as bot:
        await fake.user(1001).start()
        fake.script(fault, method="sendMessage")
        error = await failure_of(bot)
        assert type(error) is NetworkError
        assert fake.token not in everything_told(error)
        assert "45.00" not in everything_told(error)


async def test_an_answer_that_does_not_come_in_time_is_a_timeout() -> None:
    async with FakeTelegram() as fake, bot_of(fake, AiohttpRequest(read_timeout=0.05)) as bot:
        wang = fake.user(1001)
        await wang.start()
        fake.script(silence(), method="sendMessage")
        error = await failure_of(bot)
        assert type(error) is TimedOut
        assert fake.token not in everything_told(error)
        assert wang.last.text == TEXT, "it was carried out all the same"


async def test_a_timeout_named_by_the_call_goes_before_the_default() -> None:
    async with FakeTelegram() as fake, bot_of(fake, AiohttpRequest(read_timeout=None)) as bot:
        await fake.user(1001).start()
        fake.script(silence(), method="sendMessage")
        with pytest.raises(TimedOut):
            await bot.send_message(1001, "通知", read_timeout=0.05)


async def test_where_nobody_listens_nothing_was_sent_and_repeating_is_safe() -> None:
    async with FakeTelegram() as fake:
        pass  # it is gone, and its port refuses
    async with AiohttpRequest() as request:
        for address in (f"{fake.base_url}{fake.token}/sendMessage", f"nonsense://{fake.token}/sendMessage"):
            with pytest.raises(NotSent) as caught:
                await request.post(address)
            assert fake.token not in everything_told(caught.value)


async def test_a_full_pool_is_told_as_not_sent() -> None:
    async with FakeTelegram() as fake:
        request = AiohttpRequest(connections=1, pool_timeout=0.05, connect_timeout=0.05, read_timeout=5)
        async with bot_of(fake, request) as bot:
            await fake.user(1001).start()
            fake.script(silence(accepted=False), method="sendMessage")
            stuck = asyncio.create_task(bot.send_message(1001, "通知"))
            await fake.until(lambda: bool(fake.called("sendMessage")), "the first call")
            error = await failure_of(bot)
            assert type(error) is NotSent
            assert len(fake.called("sendMessage")) == 1
            stuck.cancel()
            await asyncio.gather(stuck, return_exceptions=True)


async def test_a_document_arrives_whole_with_its_chinese_name() -> None:
    async with FakeTelegram() as fake, bot_of(fake, AiohttpRequest()) as bot:
        wang = fake.user(1001)
        await wang.start()
        content = bytes(range(256)) * 4000
        keys = ptb.InlineKeyboardMarkup.from_button(ptb.InlineKeyboardButton("收到", callback_data="ok"))
        for source in (content, BytesIO(content)):
            await bot.send_document(1001, source, "二〇二六年名册", filename='名册 "终稿".xlsx', reply_markup=keys)
            document = wang.last.document
            assert document is not None
            assert document.upload.name == '名册 "终稿".xlsx'
            assert document.upload.content == content
            assert wang.last.text == "二〇二六年名册"
            assert wang.last.labels == ["收到"]


async def test_a_line_break_in_a_file_name_starts_no_header() -> None:
    async with FakeTelegram() as fake, bot_of(fake, AiohttpRequest()) as bot:
        wang = fake.user(1001)
        await wang.start()
        await bot.send_document(1001, b"x", filename="a\r\nContent-Type: text/html\r\n\r\n.csv")
        document = wang.last.document
        assert document is not None
        assert document.upload.name == "aContent-Type: text/html.csv"


async def test_one_connection_serves_call_after_call() -> None:
    opened = 0

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        while await reader.readline():
            size = 0
            while (line := await reader.readline()) != b"\r\n":
                name, _, value = line.partition(b":")
                size = int(value) if name.lower() == b"content-length" else size
            await reader.readexactly(size)
            writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 25\r\n\r\n{"ok":true,"result":true}')
        writer.close()

    server = await asyncio.start_server(count, "127.0.0.1", 0)
    address: tuple[str, int] = server.sockets[0].getsockname()
    async with AiohttpRequest() as request:
        for _ in range(5):
            assert await request.post(f"http://127.0.0.1:{address[1]}/bot1:x/answerCallbackQuery") is True
    server.close()
    assert opened == 1


async def test_opening_and_closing_twice_does_no_harm_and_a_closed_one_says_so() -> None:
    request = AiohttpRequest()
    await request.initialize()
    await request.initialize()
    await request.shutdown()
    await request.shutdown()
    with pytest.raises(NetworkError, match="initialize"):
        await request.post("http://127.0.0.1:9/bot1:x/getMe")


def test_the_default_time_for_an_answer_is_known() -> None:
    assert AiohttpRequest().read_timeout == 5.0
    assert AiohttpRequest(read_timeout=None).read_timeout is None
