"""files: may whoever asks open this file, and how does a browser get it?"""

from __future__ import annotations

from urllib.parse import quote

from aiohttp import web

from bot.server.front import Front, No
from bot.server.visitors import Visitors
from handlers.files.kinds import SHOWN, TYPES
from storage import files
from storage.files import File
from storage.house import Tx


class Files:
    """The files that people have handed in, for those who are signed in and may open them."""

    def __init__(self, front: Front, visitors: Visitors) -> None:
        self._front, self._visitors = front, visitors

    async def open(self, request: web.Request) -> web.StreamResponse:
        """GET /files/ID. One that is not there and one that is another's look the same."""
        digest = self._visitors.digest(request)
        if digest is None:
            raise No(401, "signed_out")
        number = int(request.match_info["id"])

        def work(tx: Tx) -> tuple[File, bytes] | None:
            """In a transaction that writes: the reading is written down."""
            now = self._front.clock()
            visitor = self._visitors.look(tx, digest, now)
            if visitor is None or visitor.person is None:
                raise No(401, "signed_out")
            file = files.get(tx, number)
            if file is None or not self._front.reception.opens(tx, now, visitor.person.id, file):
                return None
            return file, files.content(tx, number)

        found = await self._front.writer.run(work)
        if found is None:
            raise No(404, "not_found")
        file, content = found
        return web.Response(
            body=content,
            headers={
                "Content-Type": TYPES[file.kind],
                "Content-Disposition": disposition(file),
                "Cache-Control": "private, no-store",
            },
        )


def disposition(file: File) -> str:
    """Pictures and PDF are shown, all else is saved, under the name it has."""
    way = "inline" if file.kind in SHOWN else "attachment"
    return f"{way}; filename=\"file.{file.kind}\"; filename*=UTF-8''{quote(file.name, safe='')}"
