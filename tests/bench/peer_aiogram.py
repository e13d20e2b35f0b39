"""peer_aiogram: how would one write it with aiogram, so that nothing acknowledged is lost?

Its webhook handler with handle_in_background=False handles first; what the handler returns rides in the answer.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from aiogram import Bot, Dispatcher
from aiogram.methods import AnswerCallbackQuery
from aiogram.types import CallbackQuery, Update
from aiogram.webhook.aiohttp_server import SimpleRequestHandler
from aiohttp import web

from tests.bench.peer import PATH, RECORDED, SECRET, TOKEN, open_table, serve


async def main(folder: Path, port: int) -> None:
    insert = open_table(folder)
    dispatcher = Dispatcher()

    @dispatcher.callback_query()
    async def tapped(query: CallbackQuery, event_update: Update) -> AnswerCallbackQuery:
        insert(event_update.update_id, query.from_user.id, query.data or "")
        return query.answer(RECORDED)

    server = web.Application()
    handler = SimpleRequestHandler(dispatcher, Bot(TOKEN), handle_in_background=False, secret_token=SECRET)
    handler.register(server, path=PATH)
    await serve(server, port)
    await asyncio.Event().wait()


asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
