"""The parts that every door needs – the server, the workers and the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.config import Config
from bot.reception import Reception
from storage.database import Database
from storage.house import House

Clock = Callable[[], datetime]


def now() -> datetime:
    """The time, where nobody gives another."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class App:
    """Configuration, database and reception, wired by `bot.app.build`."""

    config: Config
    database: Database
    reception: Reception
    clock: Clock = now

    @property
    def house(self) -> House:
        return self.database.house
