"""server: what answers at the address of WeCom?"""

from __future__ import annotations

import asyncio
import json
import random
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Self

from aiohttp import web

from tests.fakes.telegram.clock import Clock, VirtualClock
from tests.fakes.wecom.crypto import Envelope
from tests.fakes.wecom.errors import (
    BAD_AGENT,
    BAD_CORP,
    BAD_CREDENTIAL,
    BAD_TOKEN,
    BUSY,
    EXPIRED_TOKEN,
    FROM_ELSEWHERE,
    NO_TOKEN,
    NOT_JSON,
    OVER_QUOTA,
    ApiError,
    Fault,
    Json,
)
from tests.fakes.wecom.limits import Limits
from tests.fakes.wecom.model import Call, Member
from tests.fakes.wecom.people import Person
from tests.fakes.wecom.push import Courier
from tests.fakes.wecom.world import World

CORP_ID = "ww1234567890abcdef"
AGENT_ID = 1000002
SECRET = "invented-secret-of-the-fake-wecom"
TOKEN = "InventedToken"
AES_KEY = "inventedEncodingAESKeyOfTheFakeServer000043"


class FakeWeCom:
    """WeCom for one company with one application.

    `await wecom.register(url)` does what an administrator does in the console; `wecom.person("1001")` is somebody
    with a phone. `dropped` is what silently never arrived: 0 in every test that is not about it.
    """

    def __init__(self, *, clock: Clock | None = None, limits: Limits | None = None, port: int = 0) -> None:
        self.clock = clock or VirtualClock()
        self.limits = limits or Limits()
        self.corp_id, self.agent_id, self.secret = CORP_ID, AGENT_ID, SECRET
        self.envelope = Envelope(TOKEN, AES_KEY, CORP_ID)
        self.world = World(self.clock, self.limits, AGENT_ID, random.Random(1))
        self.courier = Courier(self.world, self.envelope, random.Random(2))
        self.trusted = True
        """Whether we call from an address on the list."""
        self.calls: list[Call] = []
        self.token_fetches = 0
        self.media: dict[str, bytes] = {"m": b""}
        """Pictures that members have sent, by their id."""
        self._faults: list[tuple[str, deque[Fault]]] = []
        self._tokens: dict[str, float] = {}
        self._newest = ""
        self._port, self._runner = port, None  # type: tuple[int, web.AppRunner | None]

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/cgi-bin/gettoken", self._gettoken)
        app.router.add_get("/cgi-bin/agent/get", self._agent)
        app.router.add_get("/cgi-bin/media/get", self._media)
        app.router.add_post("/cgi-bin/message/{verb}", self._message)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.courier.close()
        if self._runner:
            await self._runner.cleanup()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def dropped(self) -> int:
        return self.world.budgets.dropped

    # -- what an administrator and a test do -------------------------------------------------------------------

    async def register(self, url: str) -> bool:
        """Enter the callback address in the console: whether it was accepted."""
        return await self.courier.verify(url)

    def person(self, userid: str, name: str = "") -> Person:
        """A member of the company; the same userid is the same member."""
        member = self.world.members.setdefault(userid.lower(), Member(userid, name))
        return Person(self, member)

    def script(self, fault: Fault, method: str = "", times: int = 1) -> None:
        """Let the next `times` calls (of this path, such as `message/send`) go wrong."""
        self._faults.append((method, deque([replace(fault) for _ in range(times)])))

    def expire_tokens(self) -> None:
        """Every token's life is over: 42001."""
        self._tokens = dict.fromkeys(self._tokens, 0.0)

    def forget_tokens(self) -> None:
        """Somebody has reset the secret and set it back: the tokens out there are unknown, 40014."""
        self._tokens, self._newest = {}, ""

    async def advance(self, seconds: float) -> None:
        """Let time pass, where it is virtual."""
        assert isinstance(self.clock, VirtualClock)
        await self.clock.advance(seconds, settle=False)

    @property
    def tokens(self) -> list[str]:
        """Every token that was given out."""
        return list(self._tokens)

    def called(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method]

    async def until(self, true: Callable[[], bool], what: str, patience: float = 15.0) -> None:
        """Wait until it is true, looking after every change."""
        changed = asyncio.Event()
        self.world.watch(changed.set)
        try:
            async with asyncio.timeout(patience):
                while not true():
                    await changed.wait()
                    changed.clear()
        except TimeoutError:
            raise AssertionError(f"waited in vain for {what}") from None
        finally:
            self.world.unwatch(changed.set)

    async def settled(self) -> None:
        """Until every push has been taken, or given up."""
        while self.courier.under_way:
            await asyncio.gather(*self.courier.under_way)

    # -- the interface -----------------------------------------------------------------------------------------

    async def _gettoken(self, request: web.Request) -> web.StreamResponse:
        self.token_fetches += 1
        if fault := self._fault("gettoken"):
            return await self._gone_wrong(request, "gettoken", {}, fault, b"")
        if request.query.get("corpid") != self.corp_id:
            return self._refuse(ApiError(BAD_CORP, "invalid corpid"))
        if request.query.get("corpsecret") != self.secret:
            return self._refuse(ApiError(BAD_CREDENTIAL, "invalid credential"))
        now = self.clock.now()
        if self._tokens.get(self._newest, 0.0) <= now:
            self._newest = self.world.token(64)
            self._tokens[self._newest] = now + self.limits.token_life
        left = int(self._tokens[self._newest] - now)
        return self._answer({"errcode": 0, "errmsg": "ok", "access_token": self._newest, "expires_in": left})

    async def _agent(self, request: web.Request) -> web.StreamResponse:
        try:
            self._admit(request, "agent/get")
            if request.query.get("agentid") != str(self.agent_id):
                raise ApiError(BAD_AGENT, "invalid agentid")
        except ApiError as error:
            return self._refuse(error)
        return self._answer({"errcode": 0, "errmsg": "ok", "agentid": self.agent_id, "name": "贴心", "close": 0})

    async def _media(self, request: web.Request) -> web.StreamResponse:
        if fault := self._fault("media/get"):
            return await self._gone_wrong(request, "media/get", {}, fault, b"")
        try:
            self._admit(request, "media/get")
            content = self.media.get(request.query.get("media_id", ""))
            if content is None:
                raise ApiError(40007, "invalid media_id")
        except ApiError as error:
            self._note("media/get", {}, error.errcode)
            return self._refuse(error)
        self._note("media/get", {}, 0)
        return web.Response(body=content, content_type="image/jpeg")

    async def _message(self, request: web.Request) -> web.StreamResponse:
        method, raw = f"message/{request.match_info['verb']}", await request.read()
        try:
            body = json.loads(raw)
        except ValueError:
            return self._refuse(ApiError(NOT_JSON, "data format error"))
        if fault := self._fault(method):
            return await self._gone_wrong(request, method, body, fault, raw)
        try:
            answer = self._carry_out(request, method, raw, body)
        except ApiError as error:
            self._note(method, body, error.errcode)
            return self._refuse(error)
        self._note(method, body, 0)
        return self._answer({"errcode": 0, "errmsg": "ok", **answer})

    def _carry_out(self, request: web.Request, method: str, raw: bytes, body: Json) -> Json:
        self._admit(request, method)
        match method:
            case "message/send":
                return self.world.send(raw, body)
            case "message/update_template_card":
                return self.world.update(body)
            case "message/recall":
                return self.world.recall(body)
        raise ApiError(BUSY, f"the fake knows no {method}")

    def _admit(self, request: web.Request, method: str) -> None:
        token = request.query.get("access_token", "")
        if not token:
            raise ApiError(NO_TOKEN, "access_token missing")
        if token not in self._tokens:
            raise ApiError(BAD_TOKEN, "invalid access_token")
        if self._tokens[token] <= self.clock.now():
            raise ApiError(EXPIRED_TOKEN, "access_token expired")
        if not self.trusted:
            raise ApiError(FROM_ELSEWHERE, "not allow to access from your ip")
        if not self.world.budgets.may_call(method, self.clock.now()):
            raise ApiError(OVER_QUOTA, "api freq out of limit")

    def _fault(self, method: str) -> Fault | None:
        for wanted, faults in self._faults:
            if faults and wanted in ("", method):
                return faults.popleft()
        return None

    async def _gone_wrong(
        self, request: web.Request, method: str, body: Json, fault: Fault, raw: bytes
    ) -> web.StreamResponse:
        errcode = fault.errcode
        if fault.accepted:
            try:
                self._carry_out(request, method, raw, body)
            except ApiError as error:
                errcode = error.errcode
        self._note(method, body, errcode, answered=fault.ending == "answer")
        match fault.ending:
            case "drop":
                if request.transport:
                    request.transport.abort()
            case "hang":
                await asyncio.sleep(3600)
            case "gateway":
                return web.Response(status=502, text="<html>Bad Gateway</html>", content_type="text/html")
            case "page":
                return web.Response(text="<html>Please sign in</html>", content_type="text/html")
        return self._refuse(ApiError(errcode, "as the script says"))

    def _note(self, method: str, body: Json, errcode: int, *, answered: bool = True) -> None:
        self.calls.append(Call(method, body, errcode, self.clock.now(), answered))
        self.world.changed()

    @staticmethod
    def _refuse(error: ApiError) -> web.Response:
        return FakeWeCom._answer(error.as_json())

    @staticmethod
    def _answer(body: Any) -> web.Response:
        return web.Response(text=json.dumps(body, ensure_ascii=False), content_type="application/json")
