"""push: how is the application told of something, how often, and what does its answer do?"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable
from typing import TypeVar
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import aiohttp

from tests.fakes.wecom import cards
from tests.fakes.wecom.crypto import Envelope, NotSealed
from tests.fakes.wecom.errors import ApiError
from tests.fakes.wecom.model import Card, Line, Member, Push
from tests.fakes.wecom.world import World

T = TypeVar("T")


class Courier:
    """Brings pushes to the callback address, and does what the answers say."""

    def __init__(self, world: World, envelope: Envelope, rng: random.Random) -> None:
        self._world, self._envelope, self._rng = world, envelope, rng
        self._session: aiohttp.ClientSession | None = None
        self.url = ""
        self.same_signature = False
        """Whether a further attempt repeats timestamp, nonce and signature; nobody says."""
        self.lose_answers = 0
        """How many of the next answers do not get through, though the push did."""
        self.pushes: list[Push] = []
        self.bad_replies: list[str] = []
        """Answers that WeCom could make nothing of, each with why."""
        self.under_way: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        for task in self.under_way:
            task.cancel()
        await asyncio.gather(*self.under_way, return_exceptions=True)
        if self._session:
            await self._session.close()

    @property
    def lost(self) -> list[Push]:
        """Pushes that were given up: nobody will ever hear of them again."""
        return [push for push in self.pushes if len(push.statuses) >= self._world.limits.push_attempts
                and not push.acknowledged]  # fmt: skip

    # -- the check of the address ------------------------------------------------------------------------------

    async def verify(self, url: str) -> bool:
        """Ask for a text that only the owner of the keys can read; it must come back within a second, bare."""
        expected = self._world.token(18)
        sealed = self._envelope.seal(expected, self._rng)
        query = {**self._signed(sealed), "echostr": sealed}

        async def ask() -> tuple[int, bytes]:
            async with self._client().get(url, params=query) as response:
                return response.status, await response.read()

        answer = await self._within(self._world.limits.echo_timeout, ask())
        self.url = url if answer == (200, expected.encode()) else ""
        self._world.has_callback = bool(self.url)
        return bool(self.url)

    # -- pushes ------------------------------------------------------------------------------------------------

    def tell(self, member: Member, xml: str, card: Card | None = None) -> asyncio.Task[None]:
        """Push something about a member (and the card they touched), as often as it takes or is allowed."""
        push = Push(xml)
        self.pushes.append(push)
        task = asyncio.create_task(self._bring(push, member, card))
        self.under_way.add(task)
        task.add_done_callback(self.under_way.discard)
        return task

    async def _bring(self, push: Push, member: Member, card: Card | None) -> None:
        sealed = self._envelope.seal(push.xml, self._rng)
        body = self.outer(sealed)
        query = self._signed(sealed)
        for _ in range(self._world.limits.push_attempts):
            status, answer = await self._attempt(query, body)
            push.statuses.append(status)
            self._world.changed()
            if status == 200:
                self._read(push, answer, member, card)
                return
            if not self.same_signature:
                query = self._signed(sealed)
            await asyncio.sleep(0.01)

    def outer(self, sealed: str) -> str:
        """The envelope as it is posted."""
        return (f"<xml><ToUserName><![CDATA[{self._envelope.receive_id}]]></ToUserName>"
                f"<Encrypt><![CDATA[{sealed}]]></Encrypt>"
                f"<AgentID><![CDATA[{self._world.agent_id}]]></AgentID></xml>")  # fmt: skip

    async def _attempt(self, query: dict[str, str], body: str) -> tuple[int, bytes]:
        async def post() -> tuple[int, bytes]:
            async with self._client().post(self.url, params=query, data=body.encode()) as response:
                return response.status, await response.read()

        answer = await self._within(self._world.limits.push_timeout, post())
        if answer and self.lose_answers:
            self.lose_answers -= 1
            return 0, b""
        return answer or (0, b"")

    async def _within(self, seconds: float, work: Awaitable[T]) -> T | None:
        """The result, if it comes in time (by the clock of this world)."""
        task, alarm = asyncio.ensure_future(work), asyncio.ensure_future(self._world.clock.sleep(seconds))
        await asyncio.wait({task, alarm}, return_when=asyncio.FIRST_COMPLETED)
        alarm.cancel()
        if not task.done():
            task.cancel()
        result, _ = await asyncio.gather(task, alarm, return_exceptions=True)
        if isinstance(result, BaseException):
            if not isinstance(result, aiohttp.ClientError | asyncio.CancelledError):
                raise result
            return None
        return result

    def _signed(self, sealed: str) -> dict[str, str]:
        timestamp, nonce = str(int(self._world.clock.now())), str(self._rng.randrange(10**9, 10**10))
        signature = self._envelope.sign(timestamp, nonce, sealed)
        return {"msg_signature": signature, "timestamp": timestamp, "nonce": nonce}

    def _client(self) -> aiohttp.ClientSession:
        self._session = self._session or aiohttp.ClientSession()
        return self._session

    # -- the answer --------------------------------------------------------------------------------------------

    def _read(self, push: Push, answer: bytes, member: Member, card: Card | None) -> None:
        if not answer.strip():
            return
        try:
            push.reply = self._opened(answer)
            self._do(_parsed(push.reply), member, card)
        except (NotSealed, ApiError, ElementTree.ParseError, ValueError) as error:
            self.bad_replies.append(f"{type(error).__name__}: {error}")

    def _opened(self, answer: bytes) -> str:
        outer = _parsed(answer.decode())
        sealed = outer.findtext("Encrypt", "")
        if outer.findtext("MsgSignature") != self._envelope.sign(
            outer.findtext("TimeStamp", ""), outer.findtext("Nonce", ""), sealed
        ):
            raise NotSealed("wrong signature")
        return self._envelope.open(sealed)

    def _do(self, reply: Element, member: Member, card: Card | None) -> None:
        to, sender = reply.findtext("ToUserName", ""), reply.findtext("FromUserName")
        if to.lower() != member.userid.lower() or sender != self._envelope.receive_id:
            raise ValueError("meant for somebody else")
        kind, new = reply.findtext("MsgType"), reply.find("TemplateCard")
        if kind == "text" and card is None:
            now, text = self._world.clock.now(), self._world.cut(reply.findtext("Content", ""))
            self._world.say(member, Line(now, True, text, passive=True))
        elif kind == "update_button" and card:
            self._world.change(member, card, reply.findtext("Button/ReplaceName", ""))
        elif kind == "update_template_card" and card and new is not None:
            self._world.change(member, card, cards.look(cards.from_xml(new), self._world.limits))
        else:
            raise ValueError(f"{kind} answers no {'card' if card else 'message'}")


def _parsed(xml: str) -> Element:
    return ElementTree.fromstring(xml)  # noqa: S314 - see above
