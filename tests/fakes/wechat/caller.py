"""caller: how does one call the API by hand? The plainest client, for tests of the fake itself."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType

import aiohttp

from tests.fakes.wechat.errors import Json
from tests.fakes.wechat.limits import Limits
from tests.fakes.wechat.listener import Listener
from tests.fakes.wechat.model import Kind, Mode
from tests.fakes.wechat.people import Person
from tests.fakes.wechat.server import APPID, SECRET, FakeWeChat

OWNER = {"grant_type": "client_credential", "appid": APPID, "secret": SECRET}
NOTICE = ("TM-notice", "会议通知", "thing1", "time2", "phrase3")
CREDIT = ("SM-dues", "党费提醒", "thing1", "amount2")
VALUES = {"thing1": "支部党员大会", "time2": "2026年11月26日 19:00", "phrase3": "待确认"}


class Caller:
    """Calls with a token of its own, asked for once; it retries nothing."""

    def __init__(self, wechat: FakeWeChat) -> None:
        self._wechat = wechat
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
        self.access_token = ""

    async def get(self, path: str, **params: str) -> Json:
        return await self._call("GET", path, params, None)

    async def post(self, path: str, body: Json | bytes, **params: str) -> Json:
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        return await self._call("POST", path, params, raw)

    async def refresh(self, *, force: bool = False) -> str:
        """Ask stable_token."""
        answer = await self.post("stable_token", OWNER | {"force_refresh": force})
        self.access_token = answer["access_token"]
        return self.access_token

    async def says(self, person: Person, text: str) -> int:
        """Send a text; the errcode."""
        return await self.sends(person, msgtype="text", text={"content": text})

    async def offers(self, person: Person, head: str, *labels: str) -> int:
        """Send a msgmenu whose ids are c1, c2 …; the errcode."""
        lines = [{"id": f"c{number}", "content": label} for number, label in enumerate(labels, 1)]
        menu = {"head_content": head, "list": lines, "tail_content": "请点选"}
        return await self.sends(person, msgtype="msgmenu", msgmenu=menu)

    async def sends(self, person: Person, **message: object) -> int:
        answer = await self.post("message/custom/send", {"touser": person.openid, **message})
        return int(answer["errcode"])

    async def notifies(self, person: Person, template: str, once: str = "", **values: str) -> Json:
        """Send a template message; the whole answer."""
        body: Json = {"touser": person.openid, "template_id": template}
        body["data"] = {name: {"value": value} for name, value in values.items()}
        return await self.post("message/template/send", body | ({"client_msg_id": once} if once else {}))

    async def _call(self, method: str, path: str, params: dict[str, str], body: bytes | None) -> Json:
        if not self.access_token and path not in {"token", "stable_token"}:
            await self.refresh()
        query = {"access_token": self.access_token, **params}
        async with self._http.request(
            method,
            self._wechat.api_base + path,
            params=query,
            data=body,
            headers={"Content-Type": "application/json"},
        ) as response:
            answer: Json = json.loads(await response.read())
            return answer

    async def __aenter__(self) -> Caller:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.close()


@asynccontextmanager
async def connected(
    limits: Limits | None = None, *, mode: Mode = "safe", kind: Kind = "service", verified: bool = True
) -> AsyncIterator[tuple[FakeWeChat, Listener, Caller]]:
    """A WeChat with a template message and a subscription notice, that tells a listener; no time passes by itself."""
    async with (
        FakeWeChat(mode=mode, kind=kind, verified=verified, limits=limits) as wechat,
        Listener(wechat) as account,
        Caller(wechat) as caller,
    ):
        await wechat.connect(account.url)
        wechat.template(*NOTICE)
        wechat.template(*CREDIT, one_time=True)
        wechat.pace = 0
        yield wechat, account, caller
