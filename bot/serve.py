"""The running process: doors, outbox and clock, begun in order and ended in order."""

from __future__ import annotations

import asyncio
import fcntl
import signal
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager

import structlog
from aiohttp import web

from bot.config import Telegram
from bot.logs import frames
from bot.parts import App
from bot.server import Persona, Server
from storage.database import check_revision, sqlite_file
from storage.writer import Writer, open_writer
from workers.clock import Clock
from workers.outbox import Channel, Outbox

log = structlog.get_logger()

WEBHOOK = "/telegram/webhook"


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


class _Telegram:
    """Telegram's part of the process: its channel, its intake, and who keeps the webhook registered."""

    def __init__(
        self, app: App, writer: Writer, settings: Telegram, server: Server, wake: Callable[[], None]
    ) -> None:
        from bot.adapters.telegram_channel import Pace, TelegramChannel  # half a second that only Telegram needs
        from bot.intake import TelegramIntake

        secret = settings.webhook_secret.get_secret_value() if settings.webhook_secret else ""
        pace = Pace(settings.rate_global, settings.burst, settings.rate_chat)
        self.channel = TelegramChannel(settings.token.get_secret_value(), settings.api_base, pace)
        self._app, self._secret, self._settings = app, secret, settings
        metrics = server.front.metrics
        self._intake = TelegramIntake(
            app, writer, self.channel, secret, wake, lambda kind: metrics.note("telegram", kind)
        )
        if settings.mode == "webhook":
            server.add_routes([web.post(WEBHOOK, self._intake.webhook)])
        self._registering: asyncio.Task[None] | None = None
        self._polling: asyncio.Task[None] | None = None

    async def open(self) -> None:
        await self.channel.open()
        self._registering = asyncio.create_task(self._register())

    async def close(self) -> None:
        self._intake.stop()
        if self._registering:
            self._registering.cancel()
        tasks = [task for task in (self._registering, self._polling) if task]
        await asyncio.gather(*tasks, return_exceptions=True)  # polling ends what it has begun
        await self.channel.close()

    async def _register(self) -> None:
        """Tell Telegram where we are and what we answer; until it has heard us."""
        wait = 1.0
        while True:
            try:
                if self._settings.mode == "webhook":
                    await self.channel.register(f"{self._app.house.public_url}{WEBHOOK}", self._secret)
                else:
                    await self.channel.unregister()  # before the first question, which it would refuse
                    self._polling = self._polling or asyncio.create_task(self._intake.poll())
                await self.channel.publish(self._app.reception.menu())
                log.info("telegram registered", mode=self._settings.mode)
                return
            except Exception as error:
                log.warning("telegram not registered", error=type(error).__name__, again_in=wait)
                await asyncio.sleep(wait)
                wait = min(wait * 2, 300)


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
        channels: list[Channel] = [server.channel]
        telegram = _Telegram(app, writer, app.config.telegram, server, wake) if app.config.telegram else None
        if telegram:
            channels.append(telegram.channel)
        outbox = Outbox(app.database, writer, app.reception.compose, channels, app.clock)
        clock = Clock(writer, app.reception.due, app.clock, outbox.wake)
        try:
            await outbox.start()
            clock.start()
            if telegram:
                await telegram.open()
            opened(await server.start(host, port))
            await (until or _asked_to_stop())
            log.info("stopping")
        finally:
            await _each(server.stop, telegram.close if telegram else None, clock.stop, outbox.stop, writer.close)
            app.database.close()


async def _each(*ends: Callable[[], Awaitable[None]] | None) -> None:
    """End the parts one after the other; what fails to end keeps nobody else from it."""
    for end in ends:
        try:
            if end:
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
