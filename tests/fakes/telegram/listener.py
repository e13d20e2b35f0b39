"""listener: what does the other end of a webhook say? The plainest bot, for tests of the fake itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from tests.fakes.telegram.errors import Json

Answer = Callable[[Json], Awaitable[web.StreamResponse]]


async def acknowledge(update: Json) -> web.StreamResponse:
    """200 and nothing else."""
    return web.Response()


async def fail(update: Json) -> web.StreamResponse:
    """500 and nothing else."""
    return web.Response(status=500)


class Listener:
    """Hears updates at `url` and answers each as `answer` says; closed, its port refuses connections."""

    def __init__(self, answer: Answer = acknowledge) -> None:
        self.answer = answer
        self.heard: list[Json] = []
        self.secrets: list[str | None] = []
        self._runner: web.AppRunner | None = None
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/telegram"

    @property
    def words(self) -> list[Any]:
        """What was said or pressed, in the order heard."""
        return [
            update["message"].get("text") if "message" in update else update["callback_query"]["data"]
            for update in self.heard
        ]

    async def open(self) -> None:
        app = web.Application()
        app.router.add_post("/telegram", self._hear)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _hear(self, request: web.Request) -> web.StreamResponse:
        update: Json = await request.json()
        self.heard.append(update)
        self.secrets.append(request.headers.get("X-Telegram-Bot-Api-Secret-Token"))
        return await self.answer(update)

    async def __aenter__(self) -> Listener:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
