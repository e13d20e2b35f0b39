"""listener: what does the other end of a push say? The plainest account, for tests of the fake itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from xml.etree import ElementTree

from aiohttp import web

from tests.fakes.wechat.crypto import signature
from tests.fakes.wechat.envelope import element, elements
from tests.fakes.wechat.server import FakeWeChat

Heard = dict[str, str]
Answer = Callable[[Heard], Awaitable["str | web.StreamResponse"]]


async def acknowledge(heard: Heard) -> str:
    """`success`, and nothing shown."""
    return ""


async def fail(heard: Heard) -> web.StreamResponse:
    """500 and nothing else."""
    return web.Response(status=500)


class Listener:
    """Hears pushes at `url` and answers each as `answer` says: a text is shown, an empty one is `success`."""

    def __init__(self, wechat: FakeWeChat, answer: Answer = acknowledge) -> None:
        self.answer = answer
        self.heard: list[Heard] = []
        """The elements of each push, opened; of nested ones the tags of the leaves. The last of two wins."""
        self.queries: list[dict[str, str]] = []
        self.bodies: list[str] = []
        self._wechat = wechat
        self._runner: web.AppRunner | None = None
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/wechat"

    @property
    def words(self) -> list[str]:
        """What was said or tapped or happened, in the order heard."""
        return [
            heard.get("Content") or f"{heard['Event']} {heard.get('EventKey', '')}".strip() for heard in self.heard
        ]

    def passive(self, openid: str, text: str) -> str:
        """A passive reply with this text, in the account's mode."""
        account = self._wechat.account
        return self.sealed(
            elements(
                [
                    ("ToUserName", openid),
                    ("FromUserName", account.original_id),
                    ("CreateTime", 1),
                    ("MsgType", "text"),
                ]
            )
            + element("Content", text)
        )

    def sealed(self, inside: str) -> str:
        """The inside of an <xml> as it goes out in the account's mode."""
        account = self._wechat.account
        if account.mode == "plain":
            return f"<xml>{inside}</xml>"
        closed = self._wechat.world.seal.close(f"<xml>{inside}</xml>")
        signed = signature(account.token, "1", "2", closed)
        return (
            f"<xml>{element('Encrypt', closed)}{element('MsgSignature', signed)}"
            f"<TimeStamp>1</TimeStamp>{element('Nonce', '2')}</xml>"
        )

    async def open(self) -> None:
        app = web.Application()
        app.router.add_post("/wechat", self._hear)
        app.router.add_get("/wechat", self._echo)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = self._runner.addresses[0][1]

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _echo(self, request: web.Request) -> web.StreamResponse:
        query = request.query
        good = signature(self._wechat.account.token, query["timestamp"], query["nonce"])
        return web.Response(text=query["echostr"]) if query["signature"] == good else web.Response(status=403)

    async def _hear(self, request: web.Request) -> web.StreamResponse:
        body = (await request.read()).decode()
        if self._wechat.account.mode != "plain":
            sealed = ElementTree.fromstring(body).findtext("Encrypt", "")  # noqa: S314  # of our own fake
            body = self._wechat.world.seal.open(sealed)
        self.queries.append(dict(request.query))
        self.bodies.append(body)
        try:
            tree = ElementTree.fromstring(body)  # noqa: S314  # of our own fake
        except ElementTree.ParseError:
            return web.Response(text="success")
        heard = {leaf.tag: leaf.text or "" for leaf in tree.iter() if not len(leaf)}
        self.heard.append(heard)
        answer = await self.answer(heard)
        if not isinstance(answer, str):
            return answer
        return web.Response(text=self.passive(heard["FromUserName"], answer) if answer else "success")

    async def __aenter__(self) -> Listener:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
