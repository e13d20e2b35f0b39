"""server: which doors does the house have, and how are they opened and closed?"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Sequence

from aiohttp import web

from bot.adapters.web import Bells, WebChannel
from bot.parts import App
from bot.server.chat import Chat
from bot.server.entrance import Entrance, Persona
from bot.server.files import Files
from bot.server.front import Front, No
from bot.server.health import Check, Health
from bot.server.mailed import Mailed
from bot.server.manners import Handler, dress, manners
from bot.server.sessions import Sessions
from bot.server.stream import Stream
from bot.server.visitors import Visitors
from storage.writer import Writer

__all__ = ["Front", "No", "Persona", "Server"]

BODY = 1024 * 1024
"""What a body may have (bytes) where a page does not say otherwise: a Telegram update is never near it."""
KEEP_ALIVE = 75.0
"""Seconds an idle connection stays open: longer than a proxy's minute, so that it is the proxy that closes."""
GRACE = 10.0
"""Seconds for what is being answered when we stop."""


class Server:
    """The aiohttp application. Takes the house's parts and its writer; owns neither."""

    def __init__(self, parts: App, writer: Writer, *, personas: Sequence[Persona] = ()) -> None:
        bells = Bells()
        self.front = Front(parts, writer, bells)
        self.channel = WebChannel(writer, bells, parts.clock)
        """The web chat, as the outbox needs it."""
        self._visitors = Visitors(parts.config, parts.database.house)
        self._health = Health(self.front)
        self._stream = Stream(self.front, self._visitors)
        self._runner: web.AppRunner | None = None
        self.application = web.Application(client_max_size=BODY, middlewares=[manners(self.front)])
        self.application.on_response_prepare.append(dress(self.front))
        self.application.on_startup.append(self._started)
        self.application.on_shutdown.append(self._let_go)
        self._add_own(personas)

    def add_routes(self, routes: Iterable[web.AbstractRouteDef]) -> None:
        """A channel's own doors. They get our manners: No becomes words, Busy a 503 with Retry-After."""
        self.application.add_routes(routes)

    def add_page(self, method: str, path: str, handler: Handler) -> None:
        """A page of a session: at the root, and in the demonstration in each persona's seat too."""
        self.application.router.add_route(method, path, handler)
        if self.front.house.demo:
            self.application.router.add_route(method, f"/p/{{person:[0-9]{{1,18}}}}{path}", handler)

    def add_check(self, name: str, check: Check) -> None:
        """Something else without which /readyz says no."""
        self._health.checks[name] = check

    async def start(self, host: str | None = None, port: int | None = None) -> str:
        """Open the doors; the address (with the port that was found, for port 0)."""
        server = self.front.config.server
        self._runner = web.AppRunner(
            self.application, access_log=None, keepalive_timeout=KEEP_ALIVE, shutdown_timeout=GRACE
        )
        await self._runner.setup()
        port = server.port if port is None else port
        site = web.TCPSite(self._runner, host or server.host, port)
        await site.start()
        gc.collect()
        gc.freeze()  # what is loaded now stays: no need to look through it again and again
        found = self._runner.addresses[0]
        name = f"[{found[0]}]" if ":" in found[0] else found[0]
        return f"http://{name}:{found[1]}"

    async def stop(self) -> None:
        """Close the doors: streams first, then whatever is being answered is finished."""
        if self._runner:
            await self._stream.close()
            await self._runner.cleanup()

    async def _started(self, _application: web.Application) -> None:
        self._stream.start()

    async def _let_go(self, _application: web.Application) -> None:
        await self._stream.close()

    def _add_own(self, personas: Sequence[Persona]) -> None:
        chat = Chat(self.front, self._visitors)
        sessions = Sessions(self.front, self._visitors)
        entrance = Entrance(self.front, self._visitors, personas)
        if settings := self.front.config.email:
            mailed = Mailed(self.front, self._visitors, settings)
            self.add_routes([web.get("/l/m/{token}", mailed.page), web.post("/l/m/{token}", mailed.press)])
        for method, path, handler in (
            ("GET", "/chat", chat.page),
            ("POST", "/chat/messages", chat.messages),
            ("POST", "/chat/file", chat.file),
            ("GET", "/chat/events", self._stream.open),
            ("GET", "/files/{id:[0-9]{1,18}}", Files(self.front, self._visitors).open),
            ("GET", "/chat/sessions", sessions.page),
            ("POST", "/chat/sessions", sessions.end),
            ("POST", "/chat/sign-out", sessions.sign_out),
        ):
            self.add_page(method, path, handler)
        self.add_routes(
            [
                web.get("/", entrance.root),
                web.get("/l/{token}", entrance.link),
                web.post("/l/{token}", entrance.use_link),
                web.post("/l/{token}/again", entrance.again),
                web.get("/sign-in", entrance.sign_in),
                web.post("/sign-in", entrance.send_code),
                web.post("/sign-in/code", entrance.enter_code),
                web.get("/static/{name}", self.front.static.serve),
                web.get("/healthz", self._health.alive),
                web.get("/readyz", self._health.ready),
                web.get("/metrics", self._health.metrics),
            ]
        )
