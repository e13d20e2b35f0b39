"""Is a file that somebody sent wanted, and does it come? Before the transaction: nobody else waits for a platform."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bot.core.event import Handed, Said
from bot.core.reply import Undelivered
from bot.parts import App
from storage.writer import Writer

log = structlog.get_logger()

Fetch = Callable[[int], Awaitable[bytes | None]]
"""Fetches a file of at most so many bytes; None: it is larger. Raises Undelivered."""


async def fetched(
    app: App,
    writer: Writer,
    said: Said,
    fetch: Fetch,
    *,
    name: str = "",
    size: int = 0,
    patience: float | None = None,
) -> Said | Handed:
    """What was said, with the file that came with it where a question wants one; else as if it had not come.

    One that does not come (within so many seconds) is answered in words, and can be sent again. Raises Busy.
    """
    now, most = app.clock(), app.house.largest_file
    if not await writer.run(lambda tx: app.reception.wants_file(tx, said.address, now)):
        return said
    content, lost = b"", "too_large" if size > most else ""
    if not lost:
        try:
            found = await asyncio.wait_for(fetch(most), patience)
            content, lost = found or b"", "too_large" if found is None else ""
        except (Undelivered, TimeoutError) as no:
            log.info("file not fetched", channel=said.address.channel, reason=str(no) or "too slow")
            lost = "not_fetched"
    return Handed(said.address, said.event_id, name, content, said.language, said.text, lost)
