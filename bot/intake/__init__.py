"""How does each channel bring what people say, and take what they are answered? One part of the process each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from bot.parts import App
from storage.writer import Writer
from workers.outbox import Channel

AddRoutes = Callable[[Iterable[web.AbstractRouteDef]], None]


@dataclass(frozen=True)
class Wiring:
    """What a channel's part of the process is given.

    `wake`: the outbox may have work. `note`: an outcome, for the metrics: (channel, kind).
    """

    app: App
    writer: Writer
    add_routes: AddRoutes
    wake: Callable[[], None]
    note: Callable[[str, str], None]


class Part(Protocol):
    """A channel's part of the process. It handles, commits, then acknowledges."""

    @property
    def channel(self) -> Channel: ...

    async def open(self) -> None:
        """Begin. What the platform has to be told is told in the background, until it has heard it."""

    async def close(self) -> None:
        """Finish what is on its way."""
