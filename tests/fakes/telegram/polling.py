"""polling: what does a bot without an address get when it asks for updates?"""

from __future__ import annotations

import asyncio

from tests.fakes.telegram.errors import ApiError, Json
from tests.fakes.telegram.params import Params
from tests.fakes.telegram.settings import ask_for
from tests.fakes.telegram.world import World

_WEBHOOK = (
    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
)
_SECOND = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"


class Poller:
    """Answers getUpdates; the next `offset` is the acknowledgement."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._waiting: asyncio.Event | None = None
        self._seen = False
        self._closed = False

    @property
    def at_rest(self) -> bool:
        """Has the bot acknowledged all there was and asked for more (or never asked at all)?"""
        return not self._seen or (self._waiting is not None and not self._world.updates.waiting())

    @property
    def asked(self) -> bool:
        """Does the bot wait for updates now?"""
        return self._waiting is not None

    def close(self) -> None:
        """Let a waiting call go."""
        self._closed = True
        self.wake()

    def wake(self) -> None:
        """Something has come, or the webhook was set: look again."""
        if self._waiting is not None:
            self._waiting.set()

    async def get_updates(self, params: Params) -> list[Json]:
        world = self._world
        self._refuse_beside_webhook()
        ask_for(world, params)
        self._acknowledge(params.integer("offset"))
        limit = min(100, max(1, params.integer("limit", 100)))
        until = world.clock.now() + min(50, max(0, params.integer("timeout")))
        # The newer call wins, and the older one is told so.
        earlier, mine = self._waiting, asyncio.Event()
        self._waiting = mine
        if earlier is not None:
            earlier.set()
        self._seen = True
        world.changed()
        try:
            while not (found := world.updates.after(0, limit)) and world.clock.now() < until and not self._closed:
                alarm = world.clock.call_at(until, mine.set)
                await mine.wait()
                mine.clear()
                alarm.cancel()
                self._refuse_beside_webhook()
                if self._waiting is not mine:
                    raise ApiError(409, _SECOND)
            return [update.as_json() for update in found]
        finally:
            if self._waiting is mine:
                self._waiting = None

    def _refuse_beside_webhook(self) -> None:
        if self._world.webhook is not None:
            raise ApiError(409, _WEBHOOK)

    def _acknowledge(self, offset: int) -> None:
        waiting = self._world.updates.waiting()
        # A negative offset keeps the newest and forgets the rest.
        known = waiting[:offset] if offset < 0 else [update for update in waiting if update.id < offset]
        for update in known:
            self._world.updates.forget(update)
        if known:
            self._world.changed()
