"""server: what answers at the address of WeChat's API?"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from tests.fakes.telegram.clock import Clock, VirtualClock
from tests.fakes.wechat.api import INTERFACES
from tests.fakes.wechat.courier import Courier
from tests.fakes.wechat.errors import ApiError, Ending, Fault, Json
from tests.fakes.wechat.limits import Limits
from tests.fakes.wechat.model import Attempt, Call, Kind, Mode, Push, Template
from tests.fakes.wechat.params import read_body
from tests.fakes.wechat.people import Person
from tests.fakes.wechat.tokens import Sort
from tests.fakes.wechat.world import Account, Receipts, World

APPID = "wx" + "0123456789abcdef"
SECRET = "invented-secret-of-the-fake-0001"
TOKEN = "wordThatSignsPushes"
AES_KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFE"
_PAGE = "<html><head><title>系统繁忙</title></head><body>请稍后再试</body></html>"


@dataclass
class _Scripted:
    fault: Fault
    path: str | None
    openid: str | None
    times: int

    def meets(self, path: str, params: Json) -> bool:
        return self.path in {None, path} and self.openid in {None, params.get("touser")}


class FakeWeChat:
    """WeChat for one official account, at 127.0.0.1.

    On a virtual clock (the default) an act of a person takes `pace` seconds, and returns when the account has
    answered the push. On a real clock nothing waits; use `settled`, `until` or `person.sees`.
    """

    def __init__(
        self,
        *,
        mode: Mode = "safe",
        kind: Kind = "service",
        verified: bool = True,
        clock: Clock | None = None,
        limits: Limits | None = None,
        seed: int = 0,
        port: int = 0,
    ) -> None:
        self.clock: Clock = clock or VirtualClock()
        self.limits = limits or Limits()
        self.pace = 2.0
        """Seconds of virtual time that pass before each act of a person."""
        self.patience = 60.0
        """Real seconds to wait for the account before a test is told that it waits in vain."""
        self.account = Account(APPID, SECRET, TOKEN, AES_KEY, kind=kind, verified=verified, mode=mode)
        self.world = World(self.clock, self.limits, self.account, random.Random(seed))
        self.calls: list[Call] = []
        self.endless_40001 = False
        """Is every token refused from now on, though new ones are given out?"""
        self._people: dict[str, Person] = {}
        self._script: list[_Scripted] = []
        self._courier = Courier(self.world)
        self.world.tell = self._courier.push
        self._port = port
        self._runner: web.AppRunner | None = None
        self._closing = asyncio.Event()

    # -- life ------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        app = web.Application()
        app.router.add_route("*", "/cgi-bin/{path:.+}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        await self._courier.start()
        if isinstance(self.clock, VirtualClock):
            self.clock.settles.append(self.settled)

    async def stop(self) -> None:
        if isinstance(self.clock, VirtualClock) and self.settled in self.clock.settles:
            self.clock.settles.remove(self.settled)
        self._closing.set()
        await self._courier.stop()
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> FakeWeChat:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        """`http://127.0.0.1:port`, in the place of https://api.weixin.qq.com."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def api_base(self) -> str:
        """The address up to the interface, as wechatpy's `API_BASE_URL` takes it; it ends with a slash."""
        return f"{self.url}/cgi-bin/"

    # -- the console -----------------------------------------------------------------------------------------

    async def connect(self, url: str) -> None:
        """Give the account's address, as its owner does. Raises AssertionError if the check fails."""
        answer = await self.check(url)
        if answer is not None:
            raise AssertionError(f"the address was not taken: it answered {answer!r}")
        self.account.url = url

    async def check(self, url: str, *, token: str = "") -> str | None:
        """Ask the address for its echo; None if it came, otherwise what came instead.

        token: sign with this word instead of the account's.
        """
        echo = str(self.world.rng.getrandbits(62))
        answer = await self._courier.check(url, echo, token)
        return None if answer == echo else answer

    def template(self, id: str, title: str, *fields: str, one_time: bool = False) -> str:
        """Add a template with typed fields (`thing1`, `time2` …), and return its id.

        one_time: it is a subscription notice, not a template message.
        """
        if len(self.world.templates) >= self.limits.templates:
            raise AssertionError("an account has 25 templates at most")
        self.world.templates[id] = Template(id, title, fields, one_time)
        return id

    def foreign_refresh(self, sort: Sort = "stable_token", *, overlap: bool = False) -> None:
        """Somebody else with the secret asks for a new token; ours ends at once, or after the usual overlap."""
        self.world.tokens.foreign(sort, self.clock.now(), overlap=overlap)

    # -- people ----------------------------------------------------------------------------------------------

    def user(self, name: str = "王芳", openid: str = "", *, following: bool = True) -> Person:
        """The person of this name; made on the first call, as somebody who followed long ago."""
        if name not in self._people:
            openid = openid or "o6_" + hashlib.sha256(name.encode()).hexdigest()[:25]
            self._people[name] = Person(self, self.world.add(openid, name, following=following))
        return self._people[name]

    @property
    def people(self) -> list[Person]:
        return list(self._people.values())

    async def moment(self) -> None:
        if self.clock.virtual and self.pace:
            await self.advance(self.pace)

    async def after_act(self, wait: bool) -> None:
        if wait and self.clock.virtual:
            await self.settled()

    # -- misfortune ------------------------------------------------------------------------------------------

    def script(self, fault: Fault, *, path: str | None = None, to: Person | None = None, times: int = 1) -> None:
        """Let this happen to the next `times` calls at this path below /cgi-bin/ (or any) to this person (or any)."""
        self._script.append(_Scripted(fault, path, to.openid if to is not None else None, times))

    def repeat_next(self, times: int = 1) -> None:
        """Tell the next thing once more, though it was answered."""
        self._courier.repeat_next += times

    def lose_next_reply(self, times: int = 1) -> None:
        """Lose the account's next good answer on the way: the person sees nothing, and it is told again."""
        self._courier.lose_next += times

    async def tell_raw(self, person: Person, xml: str, *, wait: bool = True) -> Push:
        """Tell the account whatever stands here, as the inside of <xml>, in its mode."""
        push = self.world.raw(person.follower, xml)
        await self.after_act(wait)
        return push

    @property
    def receipts(self) -> Receipts:
        """When and how often TEMPLATESENDJOBFINISH comes; to be changed at will."""
        return self.world.receipts

    # -- what happened ---------------------------------------------------------------------------------------

    def called(self, path: str) -> list[Call]:
        """The calls of one interface."""
        return [call for call in self.calls if call.path == path]

    @property
    def attempts(self) -> list[Attempt]:
        """Every try to tell the account something."""
        return self._courier.attempts

    @property
    def given_up(self) -> list[Push]:
        """What the account was told in vain."""
        return self._courier.given_up

    @property
    def violations(self) -> Counter[str]:
        """Each errcode returned, and each silent loss, with how often; the script's misfortunes not counted."""
        return self.world.violations

    @property
    def tokens_issued(self) -> int:
        return self.world.tokens.issued

    async def advance(self, seconds: float, *, settle: bool = True) -> None:
        """Move the virtual clock; see `VirtualClock.advance`."""
        if not isinstance(self.clock, VirtualClock):
            raise AssertionError("nobody moves a real clock")
        await self.clock.advance(seconds, settle=settle)

    async def settled(self) -> None:
        """Wait until the account has answered everything it was told."""
        await self.until(lambda: self._courier.at_rest, "rest")

    async def until(self, true: Callable[[], bool], what: str, patience: float | None = None) -> None:
        """Wait until `true()`. Raises AssertionError after `patience` real seconds."""
        changed = asyncio.Event()
        self.world.watch(changed.set)
        try:
            async with asyncio.timeout(self.patience if patience is None else patience):
                while not true():
                    changed.clear()
                    # Not everything a test waits for happens here, so look now and then as well.
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(changed.wait(), 0.01)
        except TimeoutError:
            raise AssertionError(f"waited in vain for {what}") from None
        finally:
            self.world.unwatch(changed.set)

    # -- the protocol ----------------------------------------------------------------------------------------

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path, query = request.match_info["path"], dict(request.query)
        access_token = query.pop("access_token", "")
        params: Json = dict(query)
        escaped = False
        error: ApiError | None = None
        try:
            if request.method == "POST":
                body, escaped = await read_body_of(request)
                params |= body
        except ApiError as refusal:
            error = refusal
        call, ending = self._run(path, params, access_token, request.method, error, escaped)
        overtaking = [task for push in self.world.early if (task := self._courier.push(push)) is not None]
        self.world.early.clear()
        if overtaking:
            await asyncio.wait(overtaking)
        if path == "media/get" and call.errcode == 0:
            return web.Response(
                body=self.world.media.get(str(params.get("media_id")), b""), content_type="image/jpeg"
            )
        if ending == "hang":
            await self._closing.wait()
        if ending in {"hang", "drop"}:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        if ending in {"html", "gateway"}:
            return web.Response(status=502 if ending == "gateway" else 200, text=_PAGE, content_type="text/html")
        return web.json_response(call.result)

    def _run(
        self, path: str, params: Json, access_token: str, method: str, error: ApiError | None, escaped: bool
    ) -> tuple[Call, Ending]:
        """Carry out one call and write it down."""
        fault = self._misfortune(path, params)
        result: Json = {}
        if fault is None or fault.accepted:
            try:
                if error is not None:
                    raise error
                result = self._carry_out(path, params, access_token, method)
                if escaped:
                    self.world.violations["escapes shown as they are"] += 1
            except ApiError as refusal:
                error = refusal
                self.world.violations[str(error.errcode)] += 1
        scripted = fault is not None and fault.error is not None
        if fault is not None and fault.error is not None:
            error = fault.error
        if error is not None:
            result = error.as_json()
        kept = {key: value for key, value in params.items() if key != "secret"}
        call = Call(path, kept, self.clock.now(), error.errcode if error else 0, result, scripted)
        self.calls.append(call)
        self.world.changed()
        return call, fault.ending if fault is not None else "answer"

    def _carry_out(self, path: str, params: Json, access_token: str, method: str) -> Json:
        interface, now = INTERFACES.get(path), self.clock.now()
        if interface is None:
            raise ApiError(40066)
        if interface.post and method != "POST":
            raise ApiError(43002)
        self.world.rates.count(path, now)
        if interface.token:
            if self.endless_40001:
                raise ApiError(40001)
            self.world.tokens.check(access_token, now)
        if not interface.granted(self.account):
            raise ApiError(48001)
        return interface.act(self.world, params)

    def _misfortune(self, path: str, params: Json) -> Fault | None:
        for entry in self._script:
            if entry.meets(path, params):
                entry.times -= 1
                if entry.times <= 0:
                    self._script.remove(entry)
                return entry.fault
        return None


async def read_body_of(request: web.Request) -> tuple[Json, bool]:
    """The JSON of a request; see `read_body`."""
    return read_body(await request.read())
