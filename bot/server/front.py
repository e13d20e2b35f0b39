"""front: what does every page of ours need?"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import web

from bot.adapters.web import Bells
from bot.core.reply import Words, words
from bot.parts import App
from bot.render import LANGUAGES, TEMPLATES
from bot.server.metrics import Metrics
from storage.house import House, Tx
from storage.writer import Writer

R = TypeVar("R")

PAGES = TEMPLATES / "web"
STATIC = {"style.css": "text/css", "chat.js": "text/javascript", "icon.svg": "image/svg+xml"}


class No(Exception):
    """A page or call that is not given: a status and its words, told as a page or as JSON."""

    def __init__(self, status: int, template: str, *, retry_after: int | None = None, **values: object) -> None:
        super().__init__(f"{status} {template}")
        self.status, self.words, self.retry_after = status, words(f"web.{template}", **values), retry_after


class Static:
    """Our style sheet, script and icon, read once; their addresses change with their content."""

    def __init__(self, folder: Path = PAGES) -> None:
        self._files = {name: (folder / name).read_bytes() for name in STATIC}
        self.urls = {name: f"/static/{name}?v={_tag(content)}" for name, content in self._files.items()}

    async def serve(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in self._files:
            raise No(404, "not_found")
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
        return web.Response(body=self._files[name], content_type=STATIC[name], charset="utf-8", headers=headers)


def _tag(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


class Front:
    """The parts behind every page."""

    def __init__(self, parts: App, writer: Writer, bells: Bells) -> None:
        self.config, self.database, self.clock = parts.config, parts.database, parts.clock
        self.reception, self.renderer = parts.reception, parts.reception.renderer
        self.writer, self.bells = writer, bells
        self.metrics, self.static = Metrics(), Static()
        self.after: Callable[[], None] = lambda: None
        """Called when something was committed that may have to be told to others: `outbox.wake`."""

    @property
    def house(self) -> House:
        return self.database.house

    async def read(self, look: Callable[[Tx], R]) -> R:
        """One consistent look at the database, off the loop."""

        def work() -> R:
            with self.database.read() as tx:
                return look(tx)

        return await asyncio.to_thread(work)

    def say(self, what: Words | str, language: str, **values: object) -> str:
        """Words of `templates/`; a plain name is one of `templates/web/`."""
        return self.renderer.say(words(f"web.{what}", **values) if isinstance(what, str) else what, language)

    def hint(self, request: web.Request) -> str:
        """The language a browser asks for, else the house's."""
        asked = request.headers.get("Accept-Language", "")[:2].lower()
        return asked if asked in LANGUAGES else self.house.language

    def page(
        self, template: str, language: str, /, *, status: int = 200, forms: bool = False, **values: Any
    ) -> web.Response:
        """A page. One with `forms` lets its own site see where a POST comes from: else its Origin is `null`."""

        def say(what: str, **more: object) -> str:
            return self.say(what, language, **more)

        text = self.renderer.page(
            f"{template}.html", language, say=say, house=self.house.name, urls=self.static.urls, **values
        )
        headers = {"Cache-Control": "no-store", "Referrer-Policy": "same-origin" if forms else "no-referrer"}
        return web.Response(text=text, content_type="text/html", status=status, headers=headers)

    def refusal(self, request: web.Request, no: No) -> web.Response:
        """A No as whoever asked can read it."""
        language = self.hint(request)
        text = self.say(no.words, language)
        headers = {"Retry-After": str(no.retry_after)} if no.retry_after else {}
        asked = request.headers.get("Accept", ""), request.content_type
        if any("json" in kind or "event-stream" in kind for kind in asked):
            response = answer({"error": text}, status=no.status)
        else:
            response = self.page("told", language, status=no.status, text=text)
        response.headers.update(headers)
        return response


def answer(value: object, *, status: int = 200) -> web.Response:
    """JSON that nobody keeps."""
    text = json.dumps(value, ensure_ascii=False)
    return web.Response(
        text=text, status=status, content_type="application/json", headers={"Cache-Control": "no-store"}
    )
