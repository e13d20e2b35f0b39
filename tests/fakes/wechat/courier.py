"""courier: how is the account told, how often, and what becomes of its answer?

Every push goes its own way: nothing waits for anything else, so pushes overtake each other. After five seconds
of silence the connection is cut and the same is told again, three times in all; then the person reads that the
account cannot serve them.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial

import aiohttp

from tests.fakes.wechat.crypto import signature
from tests.fakes.wechat.envelope import Malformed, Reply, cut, element, read_reply, shown
from tests.fakes.wechat.model import Attempt, Line, Push
from tests.fakes.wechat.world import World

SORRY = "该公众号暂时无法提供服务，请稍后再试"


@dataclass
class _Outcome:
    status: int | None
    note: str = ""
    reply: Reply | None = None
    silent: bool = False
    """Did the five seconds pass?"""
    unreadable: bool = False

    @property
    def ok(self) -> bool:
        return not self.note


class Courier:
    """Tells the account."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.attempts: list[Attempt] = []
        self.given_up: list[Push] = []
        self.repeat_next = 0
        self.lose_next = 0
        self._http: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._overdue: set[asyncio.Task[None]] = set()

    @property
    def at_rest(self) -> bool:
        """Is nothing under way? (What waits for its next try is not.)"""
        return not self._tasks

    async def start(self) -> None:
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),
        )

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        if self._http is not None:
            await self._http.close()
            self._http = None

    async def check(self, url: str, echo: str, token: str = "") -> str:
        """Ask the address as the console does before it takes it; the answer, or what went wrong."""
        assert self._http is not None
        stamp, nonce = str(int(self._world.clock.now())), str(self._world.rng.getrandbits(31))
        query = {
            "signature": signature(token or self._world.account.token, stamp, nonce),
            "timestamp": stamp,
            "nonce": nonce,
            "echostr": echo,
        }
        try:
            async with self._http.get(url, params=query, allow_redirects=False) as response:
                words = (await response.read()).decode(errors="replace")
                return words if response.status == 200 else f"HTTP {response.status}"
        except (aiohttp.ClientError, OSError) as error:
            return type(error).__name__

    def push(self, push: Push) -> asyncio.Task[None] | None:
        """Make one attempt, as a task of its own; None if there is no address to tell anything."""
        if self._http is None or not self._world.account.url:
            return None
        task = asyncio.get_running_loop().create_task(self._attempt(push))
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _again(self, push: Push) -> None:
        self.push(push)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._overdue.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            raise error
        self._world.changed()

    async def _attempt(self, push: Push) -> None:
        clock, limits = self._world.clock, self._world.limits
        sent_at = clock.now()
        push.tries += 1
        number = push.tries
        here = asyncio.current_task()
        assert here is not None
        limit = clock.call_at(sent_at + limits.push_timeout, partial(self._too_slow, here))
        try:
            outcome = await self._post(push)
        except asyncio.CancelledError:
            if here not in self._overdue:
                raise
            outcome = _Outcome(None, "timeout", silent=True)
        finally:
            limit.cancel()
        if outcome.ok and self.lose_next:
            self.lose_next -= 1
            outcome = _Outcome(None, "the answer was lost")
        reply = outcome.reply.text if outcome.reply is not None else ""
        self.attempts.append(Attempt(push, number, sent_at, outcome.status, outcome.note, outcome.ok, reply))
        self._judge(push, outcome)

    def _too_slow(self, task: asyncio.Task[None]) -> None:
        self._overdue.add(task)
        task.cancel()

    def _judge(self, push: Push, outcome: _Outcome) -> None:
        limits, clock = self._world.limits, self._world.clock
        if push.answered:
            return  # the second telling of something that was answered
        if outcome.ok:
            push.answered = True
            if outcome.reply is not None:
                self._show(push, outcome.reply)
            if self.repeat_next:
                self.repeat_next -= 1
                self.push(push)
            return
        again = outcome.silent or (limits.retry_on_error and not outcome.unreadable)
        if again and push.tries < limits.push_attempts:
            pause = 0.0 if outcome.silent else limits.retry_pause
            clock.call_at(clock.now() + pause, partial(self._again, push))
            return
        self.given_up.append(push)
        self._world.violations["unreadable answer" if outcome.unreadable else "push given up"] += 1
        self._sorry(push)

    def _sorry(self, push: Push) -> None:
        person = self._world.people[push.openid]
        if push.by_person and person.following:
            self._world.show(person, Line("system", SORRY, self._world.clock.now()))

    def _show(self, push: Push, reply: Reply) -> None:
        limits, person = self._world.limits, self._world.people[push.openid]
        if not person.following or reply.kind == "transfer_customer_service":
            return
        text = reply.text
        if reply.kind == "text" and len(text.encode()) > limits.text_bytes:
            self._world.violations["passive text too long"] += 1
            if limits.long_reply == "fail":
                self._sorry(push)
                return
            text = cut(text, limits.text_bytes)
        words, choices, url = shown(text, menus=limits.text_links)
        self._world.show(person, Line("passive", words, self._world.clock.now(), choices, url=reply.url or url))

    # -- the wire --------------------------------------------------------------------------------------------

    def sealed(self, push: Push) -> tuple[dict[str, str], bytes]:
        """The query and the body of a push in the account's mode."""
        if push.sealed is not None and self._world.limits.retry_repeats_nonce:
            return push.sealed
        account = self._world.account
        stamp, nonce = str(int(self._world.clock.now())), str(self._world.rng.getrandbits(31))
        query = {
            "signature": signature(account.token, stamp, nonce),
            "timestamp": stamp,
            "nonce": nonce,
            "openid": push.openid,
        }
        inside = push.xml
        if account.mode != "plain":
            closed = self._world.seal.close(f"<xml>{push.xml}</xml>")
            query |= {"encrypt_type": "aes", "msg_signature": signature(account.token, stamp, nonce, closed)}
            kept = push.xml if account.mode == "compatible" else element("ToUserName", account.original_id)
            inside = kept + element("Encrypt", closed)
        push.sealed = query, f"<xml>{inside}</xml>".encode()
        return push.sealed

    async def _post(self, push: Push) -> _Outcome:
        assert self._http is not None
        account = self._world.account
        query, body = self.sealed(push)
        try:
            async with self._http.post(
                account.url, params=query, data=body, headers={"Content-Type": "text/xml"}, allow_redirects=False
            ) as response:
                answer = await response.read()
        except aiohttp.ClientConnectorError:
            return _Outcome(None, "connection refused")
        except (aiohttp.ClientError, OSError):
            return _Outcome(None, "connection closed")
        if response.status != 200:
            return _Outcome(response.status, f"HTTP {response.status}")
        try:
            reply = read_reply(
                answer, mode=account.mode, token=account.token, seal=self._world.seal,
                openid=push.openid, account=account.original_id,
            )  # fmt: skip
        except Malformed as wrong:
            return _Outcome(response.status, f"unreadable: {wrong}", unreadable=True)
        return _Outcome(response.status, reply=reply)
