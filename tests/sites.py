"""The server of a house, for the tests: within a test's own loop, or in a thread beside a real browser."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import aiohttp

from bot.adapters.web import person_address
from bot.core.reply import Message, Parcel
from bot.server import Persona, Server
from storage import addresses, web
from storage.writer import Writer, open_writer
from tests.people import House

LINK_LIFE = timedelta(minutes=15)


def parts(house: House, **of_the_house: object) -> House:
    """The house with something of its settings changed, as in `demo=True`; its clock is the tests' own."""
    database = house.app.database
    database.house = replace(database.house, **of_the_house)  # type: ignore[arg-type]  # named by the test
    house.app = replace(house.app, clock=lambda: house.now)
    return house


def bind(house: House, name: str) -> None:
    """Bind somebody's web chat."""
    with house.app.database.write() as tx:
        address = person_address(house.ids[name])
        if addresses.find(tx, address) is None:
            addresses.bind(tx, house.ids[name], address, house.now, consent="test")


def link(house: House, name: str, token: str = "", *, reusable: bool = False, life: timedelta = LINK_LIFE) -> str:
    """A sign-in link for somebody; its path."""
    token = token or f"token-of-{house.ids[name]}"
    with house.app.database.write() as tx:
        web.add_link(tx, token, house.ids[name], house.now + life, reusable=reusable)
    return f"/l/{token}"


class Site:
    """A running server, seen from another thread."""

    def __init__(self, house: House, server: Server, url: str, loop: asyncio.AbstractEventLoop) -> None:
        self.house, self.server, self.url, self._loop = house, server, url, loop

    def deliver(self, name: str, delivery_id: int, message: Message) -> str:
        """What the outbox does with a delivery to somebody's web chat; the line's id."""
        key = person_address(self.house.ids[name]).key
        sending = self.server.channel.send(Parcel(delivery_id, key, message))
        return asyncio.run_coroutine_threadsafe(sending, self._loop).result()

    def revise(self, name: str, ref: str, message: Message) -> None:
        key = person_address(self.house.ids[name]).key
        asyncio.run_coroutine_threadsafe(
            self.server.channel.revise(Parcel(0, key, message), ref), self._loop
        ).result()


@contextmanager
def open_site(house: House, personas: dict[str, str]) -> Iterator[Site]:
    """The demonstration with these personas ({name: role}), at a port of its own."""
    parts(house, demo=True)
    shown = []
    for name, role in personas.items():
        bind(house, name)
        path = link(house, name, reusable=True)
        shown.append(Persona(role, name, "", path.removeprefix("/l/")))
    started: list[tuple[Server, Writer, str, asyncio.AbstractEventLoop]] = []
    ready, done = threading.Event(), threading.Event()

    async def serve() -> None:
        writer = open_writer(house.app.database)
        server = Server(house.app, writer, personas=shown)
        url = await server.start("127.0.0.1", 0)
        started.append((server, writer, url, asyncio.get_running_loop()))
        ready.set()
        await asyncio.to_thread(done.wait)
        await server.stop()
        await writer.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="site")
    thread.start()
    try:
        while not ready.wait(0.2):
            assert thread.is_alive(), "the server did not start"
        server, _, url, loop = started[0]
        yield Site(house, server, url, loop)
    finally:
        done.set()
        thread.join()


class Browser:
    """A browser without a screen: its cookies, the page it has open, and what it sends."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url, self.session = url, session
        self.data: dict[str, Any] = {}
        self.token = ""
        self.page = ""

    async def open(self, path: str = "/chat") -> str:
        """Open a page; what it says."""
        async with self.session.get(self.url + path) as answer:
            self.path, self.page = answer.url.path, await answer.text()
            self.status, self.headers = answer.status, answer.headers
        if found := re.search(r'<script type="application/json" id="data">(.*?)</script>', self.page, re.DOTALL):
            self.data = json.loads(found[1])
            self.token = self.found(r'name="tiexin-token" content="([0-9a-f]+)"')
        return self.page

    def found(self, pattern: str) -> str:
        found = re.search(pattern, self.page)
        assert found, f"not on the page: {pattern}"
        return found[1]

    async def submit(self, path: str, **fields: str) -> str:
        """Send a form of the page that is open; the page that comes back."""
        headers = {"Origin": self.url}
        if found := re.search(r'name="token" value="([0-9a-f]+)"', self.page):
            fields.setdefault("token", found[1])
        async with self.session.post(self.url + path, data=fields, headers=headers) as answer:
            self.path, self.page = answer.url.path, await answer.text()
            self.status = answer.status
        return self.page

    async def enter(self, path: str, *, consent: bool = False) -> None:
        """Sign in by a link, then open the chat."""
        await self.submit(path, link=path.removeprefix("/l/"), **({"consent": "yes"} if consent else {}))
        await self.open(self.path)

    async def send(self, value: object, *, status: int = 200, **headers: str | None) -> dict[str, Any]:
        """POST a message; the answer. A header given as None is left out."""
        given = {"Origin": self.url, "X-Tiexin-Token": self.token} | {
            name.replace("_", "-"): text for name, text in headers.items()
        }
        sent = {name: text for name, text in given.items() if text is not None}
        base = self.data.get("base", "")
        async with self.session.post(f"{self.url}{base}/chat/messages", json=value, headers=sent) as answer:
            self.headers = answer.headers
            assert answer.status == status, await answer.text()
            result: dict[str, Any] = await answer.json()
            return result

    async def say(self, text: str, event_id: str = "") -> dict[str, Any]:
        return await self.send({"id": event_id or new_id(), "text": text})

    async def tap(self, line: dict[str, Any], label: str, event_id: str = "") -> dict[str, Any]:
        """Press the button of a line whose label contains this."""
        keys = [key for row in line["keys"] for key in row if label in key["label"]]
        assert keys, f"no button {label!r} in {line}"
        return await self.send({"id": event_id or new_id(), "press": keys[0]["press"], "on": line["id"]})

    def events(self, after: int = 0, last: str = "") -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """Listen to the chat, from a version on; `last` is what a browser that reconnects sends."""
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last} if last else {})}
        url = f"{self.url}{self.data.get('base', '')}/chat/events?after={after}"
        return self.session.get(url, headers=headers)


async def next_event(stream: aiohttp.ClientResponse) -> tuple[str, dict[str, Any], str]:
    """(name, data, id) of the next event; heartbeats are passed over."""
    event: dict[str, str] = {}
    while raw := await stream.content.readline():
        line = raw.decode().rstrip("\n")
        if not line and "data" in event:
            return event.get("event", "message"), json.loads(event["data"]), event.get("id", "")
        name, _, value = line.partition(": ")
        if name:
            event[name] = value
    return "closed", {}, ""


def new_id() -> str:
    return str(uuid.uuid4())


@dataclass
class Running:
    """A server within the test's own loop."""

    server: Server
    writer: Writer
    url: str
    sessions: AsyncExitStack

    async def browser(self, **headers: str) -> Browser:
        """Another browser, with its own cookies."""
        jar = aiohttp.CookieJar(unsafe=True)
        session = aiohttp.ClientSession(cookie_jar=jar, headers={"Accept-Language": "zh-CN", **headers})
        return Browser(self.url, await self.sessions.enter_async_context(session))


@asynccontextmanager
async def running(
    house: House, *, personas: Sequence[Persona] = (), **of_the_house: object
) -> AsyncIterator[Running]:
    """Serve a house within the test's own loop."""
    parts(house, **of_the_house)
    writer = open_writer(house.app.database)
    server = Server(house.app, writer, personas=personas)
    url = await server.start("127.0.0.1", 0)
    async with AsyncExitStack() as sessions:
        try:
            yield Running(server, writer, url, sessions)
        finally:
            await sessions.aclose()
            await server.stop()
            await writer.close()


async def signed_in(site: Running, house: House, name: str, token: str = "") -> Browser:
    bind(house, name)
    browser = await site.browser()
    await browser.enter(link(house, name, token or new_id()))
    return browser


def texts(answer: dict[str, Any]) -> list[str]:
    lines = answer["lines"]
    return [line["text"] for line in lines]
