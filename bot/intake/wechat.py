"""How does WeChat bring us what people say, and what is it answered within its five seconds?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import structlog
from aiohttp import web

from bot.adapters.tencent_callback import BODY, Callback, Forged, Push, Unreadable
from bot.adapters.wechat import MORE, VERIFIED, Asked, Became, Heard, Left, read, write
from bot.adapters.wechat_channel import WeChatChannel
from bot.adapters.wechat_ways import CHANNEL
from bot.config import WeChat
from bot.core.event import Said
from bot.core.reply import words
from bot.intake import Wiring
from bot.intake.fetching import fetched
from bot.logs import frames
from storage import addresses, people, receipts, rests, settings, windows
from storage.house import Tx
from storage.writer import Busy

log = structlog.get_logger()

CALLBACK = "/wechat/callback"
PATIENCE = 3.5
"""Seconds for fetching a picture; after five WeChat asks again."""
TAKEN = "success"
"""The answer that means: there is nothing to say."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a push led to, for the metrics, and what it is answered; nothing: it is taken."""

    kind: str
    text: str = ""


class WeChatPart:
    """WeChat's part of the process: its callback, and its channel. No call is made while WeChat waits."""

    def __init__(self, wiring: Wiring, section: WeChat) -> None:
        self._app, self._writer = wiring.app, wiring.writer
        self._wiring = wiring
        renderer = wiring.app.reception.renderer
        self.channel = WeChatChannel(
            section,
            wiring.writer,
            wiring.app.clock,
            lambda name, language, values: renderer.say(words(f"wechat.{name}", **values), language),
        )
        self._callback = Callback(
            section.token.get_secret_value(),
            section.aes_key.get_secret_value() if section.aes_key else None,
            section.app_id,
        )
        self._subscription = section.subscription_id
        wiring.add_routes([web.get(CALLBACK, self.look), web.post(CALLBACK, self.push)])

    async def open(self) -> None:
        await self.channel.open()

    async def close(self) -> None:
        await self.channel.close()

    # -- the doors ------------------------------------------------------------------------------------------

    async def look(self, request: web.Request) -> web.Response:
        """`GET /wechat/callback`: WeChat asks whether this address is ours."""
        now = self._app.clock()
        try:
            echo = self._callback.echo(request.query, now)
        except (Forged, Unreadable) as no:
            return self._forbidden(no)
        try:
            await self._writer.run(lambda tx: settings.put(tx, VERIFIED, now.isoformat()))
        except Busy:
            self._note("busy")
            return web.Response(status=503)
        self._note("looked at")
        return web.Response(text=echo)

    async def push(self, request: web.Request) -> web.Response:
        """`POST /wechat/callback`: committed, then answered in its own body."""
        body = await _body(request)
        if body is None:
            self._note("too large")
            return web.Response(status=413)
        now = self._app.clock()
        try:
            push = self._callback.open(request.query, body, now)
        except Forged as no:
            return self._forbidden(no)
        except Unreadable as no:
            return self._unreadable(no)
        try:
            heard = read(push, now)
        except Unreadable as no:
            return self._unreadable(no)
        if heard is None:
            self._note("ignored")
            return web.Response(text=TAKEN)
        try:
            if isinstance(heard, Heard) and heard.media:
                heard = await self._with_picture(heard)
            meant = heard
            answer = await self._writer.run(lambda tx: self._take(tx, meant, now))
        except Busy:
            self._note("busy")
            return web.Response(status=503)  # WeChat asks again, three times in all
        except Exception as error:  # beneath the reception's own net
            log.error("push failed", error=type(error).__name__, frames=frames(error))
            self._note("failed")
            return web.Response(text=TAKEN)
        self._note(answer.kind)
        self._wiring.wake()
        return self._written(push, answer.text, now)

    async def _with_picture(self, heard: Heard) -> Heard:
        """The same with the picture, where a question wants one."""
        said = heard.event
        if not isinstance(said, Said):
            return heard
        fetch = partial(self.channel.download, heard.media)
        return replace(heard, event=await fetched(self._app, self._writer, said, fetch, patience=PATIENCE))

    def _written(self, push: Push, text: str, now: datetime) -> web.Response:
        if not text:
            return web.Response(text=TAKEN)
        return web.Response(text=self._callback.write(write(push, text), now), content_type="text/xml")

    def _forbidden(self, no: Exception) -> web.Response:
        log.warning("push refused", reason=str(no))
        self._note("forbidden")
        return web.Response(status=403)

    def _unreadable(self, no: Unreadable) -> web.Response:
        """Acknowledged: the same would come twice more, and be no better."""
        log.warning("push not read", reason=str(no))
        self._note("malformed")
        return web.Response()

    def _note(self, kind: str) -> None:
        self._wiring.note(CHANNEL, kind)

    # -- in the transaction ---------------------------------------------------------------------------------

    def _take(self, tx: Tx, heard: Heard | Left | Became | Asked, now: datetime) -> Answer:
        match heard:
            case Heard():
                return self._heard(tx, heard, now)
            case Left(address, at):
                if windows.moved(tx, address, at):
                    windows.close(tx, address)
                    addresses.set_dead(tx, address, dead=True)
                return Answer("reach")
            case Became(messages):
                for ref, status in messages:
                    receipts.arrived(tx, now, CHANNEL, ref, status)
                return Answer("receipt")
            case Asked():
                self._asked(tx, heard, now)
                return Answer("credit")

    def _heard(self, tx: Tx, heard: Heard, now: datetime) -> Answer:
        event, ways = heard.event, self.channel.ways
        address, page = event.address, None
        if isinstance(event, Said) and event.text.strip().lower() in MORE:
            before = windows.last(tx, address)
            page = rests.turn(tx, address, event.event_id, before, heard.at)
        if heard.cause == "said":
            windows.said(tx, address, heard.at, ways.allowance)
        else:
            windows.tapped(tx, address, heard.at, ways.allowance)
        if heard.cause == "followed":
            windows.moved(tx, address, heard.at)
        if page:
            return Answer("answered", page.shown)
        answered = self._app.reception.receive(tx, event, now)
        parts = self.channel.text(answered.messages, lambda: _language(tx, answered.person_id))
        if len(parts) > 1 and not answered.again:
            rests.keep(tx, heard.at, address, event.event_id, parts)
        kind = "broken" if answered.broken else "again" if answered.again else "answered"
        return Answer(kind, parts[0])

    def _asked(self, tx: Tx, asked: Asked, now: datetime) -> None:
        """Notices that somebody allowed, each counted once however often we are told."""
        if self._subscription not in asked.templates:
            return
        if not asked.more:
            windows.drop_credits(tx, asked.address, self._subscription)
        elif receipts.first(tx, now, CHANNEL, asked.address, asked.event_id):
            windows.add_credit(tx, asked.address, self._subscription)


def _language(tx: Tx, person_id: int | None) -> str:
    return (people.get(tx, person_id).language if person_id else "") or tx.house.language


async def _body(request: web.Request) -> bytes | None:
    """What was sent; None: too much, and not read to its end."""
    if request.content_length is not None:
        return await request.read() if request.content_length <= BODY else None
    body = bytearray()
    async for chunk in request.content.iter_chunked(1 << 16):
        body += chunk
        if len(body) > BODY:
            return None
    return bytes(body)
