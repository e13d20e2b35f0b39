"""The server of a house, for the tests: within a test's own loop, or in a thread beside a real browser."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from bot.adapters.web import person_address
from bot.core.reply import Message
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
        sending = self.server.channel.send(key, delivery_id, message)
        return asyncio.run_coroutine_threadsafe(sending, self._loop).result()

    def revise(self, name: str, ref: str, message: Message) -> None:
        key = person_address(self.house.ids[name]).key
        asyncio.run_coroutine_threadsafe(self.server.channel.revise(key, ref, message), self._loop).result()


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
