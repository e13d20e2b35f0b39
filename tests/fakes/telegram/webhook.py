"""webhook: when, in which order and how often is the bot told?

One update is under way in each queue. What fails is tried again at 0, 2, 6, 14 … seconds, and an update
whose next try would come after its end of life is dropped without a word: so a tap answered with errors is
lost after about two minutes, not after two and a half.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import aiohttp

from tests.fakes.telegram.clock import Timer
from tests.fakes.telegram.model import Attempt, Update
from tests.fakes.telegram.params import Params, Wrong, read_reply
from tests.fakes.telegram.world import Webhook, World

_NOT_IN_A_REPLY = frozenset({"setwebhook", "deletewebhook", "close", "logout"})


@dataclass
class _Loaded:
    """An update taken from the store to be delivered."""

    update: Update
    delay: int = 1
    fails: int = 0
    task: asyncio.Task[None] | None = None
    overdue: bool = False


@dataclass
class _Outcome:
    status: int | None
    note: str = ""
    retry_after: int = 0
    reply: Params | None = None
    keep_alive: bool = True

    @property
    def ok(self) -> bool:
        return self.status is not None and 200 <= self.status <= 299 and not self.note


@dataclass
class _Pace:
    """At most `count` events in `window` seconds."""

    count: int
    window: float
    events: deque[float] = field(default_factory=deque)

    def free_at(self, now: float) -> float:
        while self.events and self.events[0] <= now - self.window:
            self.events.popleft()
        return now if len(self.events) < self.count else self.events[0] + self.window


class Courier:
    """Delivers the world's updates to its webhook while there is one."""

    def __init__(self, world: World, run: Callable[[str, Params], object]) -> None:
        self._world = world
        self._run = run
        self.attempts: list[Attempt] = []
        self.repeat_next = 0
        self.lose_next = 0
        self._http: aiohttp.ClientSession | None = None
        self._hook: Webhook | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: Timer | None = None
        self._order = itertools.count()
        self._forget_all()

    def _forget_all(self) -> None:
        self._queues: dict[str, deque[_Loaded]] = {}
        self._due: list[tuple[float, int, str]] = []
        self._last_id = 0
        self._count = 0
        self._open = self._idle = 0
        self._busy_pace, self._idle_pace = _Pace(10, 0.5), _Pace(1, 2.0)
        self._last_success = float("-inf")
        self._gone_since: float | None = None

    @property
    def at_rest(self) -> bool:
        """Is nothing under way?"""
        return not self._tasks

    async def start(self) -> None:
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
        )

    async def stop(self) -> None:
        self._cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        if self._http is not None:
            await self._http.close()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()

    def pump(self) -> None:
        """Load what there is, send what is due, and come back when the next thing is."""
        if self._hook != self._world.webhook:
            # Another address, another start: what was under way is told again there.
            self._cancel()
            self._forget_all()
            self._hook = self._world.webhook
        if self._hook is None or self._http is None:
            return
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._load(self._hook)
        now = self._world.clock.now()
        wake = self._connect(self._hook, now)
        while self._idle and self._due and self._due[0][0] <= now:
            self._send(self._queues[heapq.heappop(self._due)[2]][0])
        if self._due and self._due[0][0] > now:
            wake = min(wake, self._due[0][0])
        if wake < float("inf"):
            self._timer = self._world.clock.call_at(wake, self.pump)

    def _load(self, hook: Webhook) -> None:
        room = 2 * hook.max_connections - self._count
        if room <= 0:
            return
        for update in self._world.updates.after(self._last_id, room):
            self._last_id = update.id
            self._count += 1
            queue = self._queues.setdefault(update.queue, deque())
            queue.append(_Loaded(update))
            if len(queue) == 1:
                self._queue_up(update.queue, self._world.clock.now())

    def _queue_up(self, queue: str, when: float) -> None:
        heapq.heappush(self._due, (when, next(self._order), queue))

    def _connect(self, hook: Webhook, now: float) -> float:
        """Open the connections that are wanted and allowed now; returns when to come back for more."""
        wanted = min(len(self._queues), hook.max_connections)
        pace = self._busy_pace
        if self._world.limits.pace_connections and self._last_success + 10 < now:
            wanted, pace = min(1, wanted), self._idle_pace
        while self._open < wanted:
            free_at = pace.free_at(now)
            if self._world.limits.pace_connections and free_at > now:
                return free_at
            pace.events.append(now)
            self._open += 1
            self._idle += 1
        return float("inf")

    def _send(self, loaded: _Loaded) -> None:
        self._idle -= 1
        task = asyncio.get_running_loop().create_task(self._carry(loaded))
        loaded.task = task
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error
        self._world.changed()

    async def _carry(self, loaded: _Loaded) -> None:
        hook = self._hook
        assert hook is not None
        clock = self._world.clock
        sent_at = clock.now()
        limit = clock.call_at(sent_at + self._world.limits.webhook_timeout, partial(self._too_slow, loaded))
        try:
            outcome = await self._post(hook, loaded.update)
        except asyncio.CancelledError:
            if not loaded.overdue:
                raise
            outcome = _Outcome(None, "Read timeout expired", keep_alive=False)
        finally:
            limit.cancel()
        if outcome.ok and self.lose_next:
            self.lose_next -= 1
            outcome = _Outcome(None, "Webhook connection closed", keep_alive=False)
        self.attempts.append(Attempt(loaded.update.id, sent_at, outcome.status, outcome.note, outcome.ok))
        if self._hook is hook:
            self._judge(loaded, outcome)
            self.pump()

    def _too_slow(self, loaded: _Loaded) -> None:
        loaded.overdue = True
        if loaded.task is not None:
            loaded.task.cancel()

    async def _post(self, hook: Webhook, update: Update) -> _Outcome:
        assert self._http is not None
        headers = {"Content-Type": "application/json"}
        if hook.secret:
            headers["X-Telegram-Bot-Api-Secret-Token"] = hook.secret
        body = json.dumps(update.as_json(), ensure_ascii=False).encode()
        try:
            async with self._http.post(hook.url, data=body, headers=headers, allow_redirects=False) as response:
                return await self._read(response)
        except Wrong as wrong:
            return _Outcome(None, f"Wrong response from the webhook: {wrong}", keep_alive=False)
        except aiohttp.ClientConnectorError:
            return _Outcome(None, "Connection refused", keep_alive=False)
        except (aiohttp.ClientError, OSError):
            return _Outcome(None, "Webhook connection closed", keep_alive=False)

    async def _read(self, response: aiohttp.ClientResponse) -> _Outcome:
        keep = response.headers.get("Connection", "").lower() != "close"
        if 200 <= response.status <= 299:
            return _Outcome(response.status, reply=await read_reply(response), keep_alive=keep)
        await response.read()
        note = f"Wrong response from the webhook: {response.status} {response.reason}"
        after = response.headers.get("Retry-After", "")
        return _Outcome(response.status, note, int(after) if after.isdigit() else 0, keep_alive=keep)

    def _judge(self, loaded: _Loaded, outcome: _Outcome) -> None:
        if outcome.keep_alive:
            self._idle += 1
        else:
            self._open -= 1
        now = self._world.clock.now()
        if not outcome.ok:
            self._world.last_error = (now, outcome.note)
            self._failed(loaded, outcome, now)
            return
        self._gone_since = None
        self._last_success = now
        if outcome.reply is not None:
            self._do_as_told(outcome.reply)
        if self.repeat_next:
            self.repeat_next -= 1
            self._queue_up(loaded.update.queue, now)
            return
        self._world.updates.forget(loaded.update)
        self._next_in_queue(loaded)

    def _do_as_told(self, reply: Params) -> None:
        method = reply.text("method").lower()
        if method and method not in _NOT_IN_A_REPLY and not method.startswith("get"):
            self._run(method, reply)

    def _failed(self, loaded: _Loaded, outcome: _Outcome, now: float) -> None:
        limits = self._world.limits
        self._watch_gone(outcome.status, now)
        wait = min(outcome.retry_after, limits.retry_after_max)
        delay = loaded.delay
        if wait == 0 and loaded.fails > 0:
            wait = delay = min(self._world.rng.randint(*limits.retry_cap), delay * 2)
        if int(now) + wait > loaded.update.expires_at:
            self._world.updates.drop(loaded.update, "retry too late")
            self._next_in_queue(loaded)
            return
        loaded.delay = delay
        loaded.fails += 1
        self._queue_up(loaded.update.queue, now + wait)

    def _watch_gone(self, status: int | None, now: float) -> None:
        """410 for 23 hours takes the webhook away."""
        if status != 410:
            self._gone_since = None
        elif self._gone_since is None:
            self._gone_since = now
        elif now > self._gone_since + self._world.limits.gone_for:
            self._world.webhook = None

    def _next_in_queue(self, loaded: _Loaded) -> None:
        queue = self._queues[loaded.update.queue]
        queue.popleft()
        self._count -= 1
        if queue:
            self._queue_up(loaded.update.queue, self._world.clock.now())
        else:
            del self._queues[loaded.update.queue]
