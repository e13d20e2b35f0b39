"""sessions: in which browsers is my chat open, and how do I end one?"""

from __future__ import annotations

from datetime import datetime

from aiohttp import web

from bot.server.front import Front, No
from bot.server.visitors import Visitor, Visitors
from storage import web as chats
from storage.house import Tx

FORM = 8 * 1024


class Sessions:
    """The sessions of whoever is signed in."""

    def __init__(self, front: Front, visitors: Visitors) -> None:
        self._front, self._visitors = front, visitors

    async def page(self, request: web.Request) -> web.StreamResponse:
        """GET /chat/sessions."""
        seat, digest = self._visitors.seat(request), self._visitors.digest(request)
        if digest is None:
            raise web.HTTPSeeOther(seat.base + "/chat")

        def look(tx: Tx) -> tuple[Visitor, list[tuple[bytes, str, datetime]]] | None:
            visitor = self._visitors.look(tx, digest, self._front.clock())
            if visitor is None or visitor.person is None:
                return None
            return visitor, chats.sessions(tx, visitor.key, self._front.clock())

        found = await self._front.read(look)
        if found is None:
            raise web.HTTPSeeOther(seat.base + "/chat")
        visitor, sessions = found
        listed = [
            (self._visitors.session_handle(one), device, since, one == digest) for one, device, since in sessions
        ]
        assert visitor.person is not None
        language = visitor.person.language or self._front.hint(request)
        return self._front.page(
            "sessions", language, forms=True, seat=seat, sessions=listed, token=self._visitors.token(digest)
        )

    async def end(self, request: web.Request) -> web.StreamResponse:
        """POST /chat/sessions: ends one of one's own, by its handle."""
        form = await request.clone(client_max_size=FORM).post()
        digest = self._visitors.check(request, form.get("token"))
        seat, handle = self._visitors.seat(request), form.get("session")

        def work(tx: Tx) -> str:
            now = self._front.clock()
            visitor = self._visitors.look(tx, digest, now)
            if visitor is None or visitor.person is None:
                raise No(401, "signed_out")
            for one, _, _ in chats.sessions(tx, visitor.key, now):
                if self._visitors.session_handle(one) == handle:
                    chats.end_sessions(tx, now, digest=one)
            return visitor.key

        self._front.bells.ring(await self._front.writer.run(work))
        return web.Response(status=303, headers={"Location": f"{seat.base}/chat/sessions"})

    async def sign_out(self, request: web.Request) -> web.StreamResponse:
        """POST /chat/sign-out: ends this session."""
        form = await request.clone(client_max_size=FORM).post()
        digest = self._visitors.check(request, form.get("token"))
        seat = self._visitors.seat(request)

        def work(tx: Tx) -> str:
            now = self._front.clock()
            visitor = self._visitors.look(tx, digest, now)
            chats.end_sessions(tx, now, digest=digest)
            return visitor.key if visitor else ""

        self._front.bells.ring(await self._front.writer.run(work))
        response = web.Response(status=303, headers={"Location": "/" if seat.base else "/sign-in"})
        self._visitors.drop_cookie(response, seat)
        return response
