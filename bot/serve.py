"""The running process: doors, outbox and clock, begun in order and ended in order."""

from __future__ import annotations

import asyncio
import fcntl
import signal
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager

import structlog

from bot.intake import Part, Wiring
from bot.logs import frames
from bot.parts import App
from bot.server import Persona, Server
from storage.database import check_revision, sqlite_file
from storage.writer import open_writer
from workers.clock import Clock
from workers.outbox import Outbox

log = structlog.get_logger()


class AlreadyServing(Exception):
    """Another process serves this SQLite file; two would make each other's members wait."""


@contextmanager
def _alone(url: str) -> Iterator[None]:
    """Hold the house: on SQLite one process at a time. The lock goes with the process, however it ends."""
    file = sqlite_file(url)
    if file is None:
        yield
        return
    with file.with_name(f"{file.name}.serving").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyServing(
                f"{file} is being served already: stop the other process, or use PostgreSQL"
            ) from None
        yield


def _parts(wiring: Wiring) -> Iterator[Part]:
    """The channels that are switched on. Each brings libraries that only it needs."""
    config = wiring.app.config
    if config.telegram:
        from bot.intake.telegram import TelegramPart

        yield TelegramPart(wiring, config.telegram)
    if config.email:
        from bot.intake.email import EmailPart

        yield EmailPart(wiring, config.email)
    if config.wechat:
        from bot.intake.wechat import WeChatPart

        yield WeChatPart(wiring, config.wechat)
    if config.wecom:
        from bot.intake.wecom import WeComPart

        yield WeComPart(wiring, config.wecom)


async def serve(
    app: App,
    *,
    personas: Sequence[Persona] = (),
    host: str | None = None,
    port: int | None = None,
    opened: Callable[[str], None] = lambda _url: None,
    until: Awaitable[object] | None = None,
) -> None:
    """Serve until `until` is done (else until SIGTERM or SIGINT), then finish what is on its way.

    Raises Behind for tables that are not this program's, AlreadyServing, and OSError for a port that is taken.
    """
    check_revision(app.database.url)
    with _alone(app.database.url):
        writer = open_writer(app.database)
        server = Server(app, writer, personas=personas)
        outbox: Outbox | None = None

        def wake() -> None:
            if outbox:
                outbox.wake()

        server.front.after = wake
        parts = list(_parts(Wiring(app, writer, server.add_routes, wake, server.front.metrics.note)))
        channels = [server.channel, *(part.channel for part in parts)]
        outbox = Outbox(app.database, writer, app.reception.compose, app.reception.fit, channels, app.clock)
        clock = Clock(writer, app.reception.due, app.clock, outbox.wake)
        try:
            await outbox.start()
            clock.start()
            for part in parts:
                await part.open()
            opened(await server.start(host, port))
            await (until or _asked_to_stop())
            log.info("stopping")
        finally:
            await _each(server.stop, *(part.close for part in parts), clock.stop, outbox.stop, writer.close)
            app.database.close()


async def _each(*ends: Callable[[], Awaitable[None]]) -> None:
    """End the parts one after the other; what fails to end keeps nobody else from it."""
    for end in ends:
        try:
            await end()
        except Exception as error:
            log.error("not ended well", error=type(error).__name__, frames=frames(error))


async def _asked_to_stop() -> None:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()


def run(
    app: App,
    *,
    personas: Sequence[Persona] = (),
    host: str | None = None,
    port: int | None = None,
    opened: Callable[[str], None] = lambda _url: None,
) -> None:
    """Serve in the foreground until asked to stop."""
    asyncio.run(serve(app, personas=personas, host=host, port=port, opened=opened))
