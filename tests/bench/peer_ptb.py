"""peer_ptb: how would one write it with python-telegram-bot, as its documentation does?

The example of a custom webhook: an own web server puts updates into the application's queue and acknowledges
them at once; the application takes them from there, several at a time (concurrent_updates).
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from aiohttp import web
from telegram import Update
from telegram.ext import Application, CallbackQueryHandler, ContextTypes

from tests.bench.peer import PATH, RECORDED, TOKEN, open_table, serve


async def main(folder: Path, port: int, sink: str) -> None:
    insert = open_table(folder)

    async def tapped(update: Update, _context: ContextTypes.DEFAULT_TYPE) -> None:
        query = update.callback_query
        assert query is not None
        insert(update.update_id, query.from_user.id, query.data or "")
        await query.answer(RECORDED)

    builder = Application.builder().token(TOKEN).updater(None).concurrent_updates(True).base_url(f"{sink}/bot")
    application = builder.build()
    application.add_handler(CallbackQueryHandler(tapped))

    async def webhook(request: web.Request) -> web.Response:
        await application.update_queue.put(Update.de_json(await request.json(), application.bot))
        return web.Response()

    server = web.Application()
    server.router.add_post(PATH, webhook)
    async with application:
        await application.start()
        await serve(server, port)
        await asyncio.Event().wait()


asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
