"""email_sink: where do mails go in a demonstration? Into a folder, as files that any mail program opens."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from bot.adapters.email_out import Posted

MOST = 2000
"""Files in the folder at most; the oldest give way."""


class Sink:
    """Takes mails as a mail server would."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._number = 0

    async def hand(self, posted: Posted, leaving: Callable[[], Awaitable[None]]) -> None:
        """Write the mail into the folder; the same mail twice is one file."""
        await leaving()
        await asyncio.to_thread(self._write, posted)

    async def close(self) -> None:
        """Nothing is open."""

    def _write(self, posted: Posted) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        name = posted.message_id.strip("<>").partition("@")[0]
        file = self._folder / f"{posted.to.replace('/', '_')[:60]}.{name}.eml"
        draft = file.with_suffix(".part")
        draft.write_bytes(posted.content)
        os.replace(draft, file)
        self._number += 1
        if self._number % 100 == 1:
            self._tidy()

    def _tidy(self) -> None:
        files = sorted(self._folder.glob("*.eml"), key=lambda file: file.stat().st_mtime)
        for file in files[:-MOST]:
            file.unlink(missing_ok=True)
