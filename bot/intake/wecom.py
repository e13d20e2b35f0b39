"""How does WeCom bring us what members say and tap, and what is it answered within its five seconds?"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

import structlog
from aiohttp import web

from bot.adapters.tencent_callback import BODY, Callback, Forged, Push, Unreadable
from bot.adapters.tencent_client import SharedTokens, corp_token
from bot.adapters.wecom import CHANNEL, VERIFIED, Heard, Reach, button_answer, card_answer, read, text_answer
from bot.adapters.wecom_answers import Answers, Ride
from bot.adapters.wecom_api import WeComApi
from bot.adapters.wecom_cards import Cards
from bot.adapters.wecom_channel import Pace, WeComChannel
from bot.adapters.wecom_choice import choose
from bot.config import WeCom
from bot.core.event import Pressed, Said
from bot.core.reply import Message, Phrase
from bot.intake import Wiring
from bot.intake.fetching import fetched
from bot.logs import frames
from bot.reception import Answered
from bot.render import LANGUAGES
from storage import addresses, settings
from storage.house import Tx
from storage.writer import Busy

log = structlog.get_logger()

CALLBACK = "/wecom/callback"
SELDOM = timedelta(hours=1)
PATIENCE = 3.5
"""Seconds for fetching a picture; after five WeCom asks again."""
AGAIN = {"Retry-After": "2"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a push led to, for the answer and the metrics."""

    kind: str
    ride: Ride = field(default_factory=Ride)


class WeComPart:
    """WeCom's part of the process: its callback, its channel, and the answers that leave by calls of their own."""

    def __init__(self, wiring: Wiring, section: WeCom, sleep: Callable[[float], None] = time.sleep) -> None:
        self._wiring, self._app, self._writer = wiring, wiring.app, wiring.writer
        self._corp_id = section.corp_id
        renderer, clock = wiring.app.reception.renderer, wiring.app.clock
        submit = {language: renderer.label(Phrase("提交"), language) for language in LANGUAGES}
        looks = Cards(submit, on=section.cards)
        self._tokens = SharedTokens(
            f"wecom:{section.corp_id}:{section.agent_id}",
            lambda work: self.channel.write(work),
            corp_token(section.corp_id, section.secret.get_secret_value(), section.api_base),
            clock,
        )
        api = WeComApi(section.corp_id, section.agent_id, section.api_base, self._tokens)
        pace, database = Pace(member=section.rate_member), wiring.app.database
        self.channel = WeComChannel(api, looks, database, wiring.writer, clock, pace, sleep)
        self.answers = Answers(self.channel, looks, wiring.writer, clock, alone=database.sqlite)
        self._callback = Callback(
            section.token.get_secret_value(), section.aes_key.get_secret_value(), section.corp_id
        )
        self._noted: datetime | None = None
        wiring.add_routes([web.get(CALLBACK, self.look), web.post(CALLBACK, self.push)])

    async def open(self) -> None:
        await self.answers.open()

    async def close(self) -> None:
        await self.answers.close()

    # -- the doors ------------------------------------------------------------------------------------------

    async def look(self, request: web.Request) -> web.Response:
        """`GET /wecom/callback`: WeCom wants to see the text it has encrypted, bare and within a second."""
        now = self._app.clock()
        try:
            echo = self._callback.echo(request.query, now)
        except (Forged, Unreadable) as no:
            return self._forbidden(no)
        try:
            await self._writer.run(lambda tx: settings.put(tx, VERIFIED, now.isoformat()))
        except Busy:
            return self._busy()
        self._note("looked at")
        return web.Response(text=echo)

    async def push(self, request: web.Request) -> web.Response:
        """`POST /wecom/callback`: committed, then answered with 200. Whatever is answered otherwise comes again."""
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
            heard = read(push)
        except Unreadable as no:
            return self._unreadable(no)
        if heard is None:
            self._note("ignored")
            return web.Response()
        try:
            if isinstance(heard, Heard) and heard.media:
                heard = await self._with_picture(heard)
            meant = heard
            outcome = await self._writer.run(lambda tx: self._take(tx, meant, now))
        except Busy:
            return self._busy()
        except Exception as error:  # beneath the reception's own net; refused, it would come twice more
            log.error("push failed", error=type(error).__name__, frames=frames(error))
            self._note("failed")
            return web.Response()
        self._note(outcome.kind)
        self.answers.wake()
        self._wiring.wake()
        return self._written(push, outcome.ride, now)

    async def _with_picture(self, heard: Heard) -> Heard:
        """The same with the picture, where a question wants one."""
        said = heard.event
        if not isinstance(said, Said):
            return heard
        fetch = partial(self.channel.download, heard.media)
        return replace(heard, event=await fetched(self._app, self._writer, said, fetch, patience=PATIENCE))

    def _written(self, push: Push, ride: Ride, now: datetime) -> web.Response:
        whom = (push.text("FromUserName"), self._corp_id, now)
        if ride.card is not None:
            xml = card_answer(*whom, ride.card)
        elif ride.button or ride.text:
            xml = button_answer(*whom, ride.button) if ride.button else text_answer(*whom, ride.text)
        else:
            return web.Response()
        return web.Response(text=self._callback.write(xml, now), content_type="text/xml")

    def _forbidden(self, no: Exception) -> web.Response:
        log.warning("push refused", reason=str(no))
        self._note("forbidden")
        return web.Response(status=403)

    def _unreadable(self, no: Unreadable) -> web.Response:
        """Acknowledged: the same would come twice more, and be no better."""
        log.warning("push not read", reason=str(no))
        self._note("malformed")
        return web.Response()

    def _busy(self) -> web.Response:
        self._note("busy")
        return web.Response(status=503, headers=AGAIN)

    def _note(self, kind: str) -> None:
        self._wiring.note(CHANNEL, kind)

    # -- in the transaction ---------------------------------------------------------------------------------

    def _take(self, tx: Tx, heard: Heard | Reach, now: datetime) -> Outcome:
        if self._noted is None or now - self._noted > SELDOM:
            settings.put(tx, VERIFIED, now.isoformat())
            self._noted = now
        if isinstance(heard, Reach):
            addresses.set_dead(tx, heard.address, not heard.alive)
            return Outcome("reach")
        last: list[Answered] = []

        def answer(event: Pressed) -> list[Message]:
            last.append(self._app.reception.receive(tx, event, now))
            return last[-1].messages

        if heard.tap and heard.tap.chosen and isinstance(heard.event, Pressed):
            choose(answer, heard.event, heard.tap.chosen)
        else:
            last.append(self._app.reception.receive(tx, heard.event, now))
        first, answered = last[0], last[-1]
        ride = self.answers.plan(tx, now, heard, answered.messages, again=first.again)
        kind = "broken" if answered.broken else "again" if first.again else "answered"
        return Outcome(kind, ride)


async def _body(request: web.Request) -> bytes | None:
    """What was sent; None: too much, and not read to its end."""
    if (request.content_length or 0) > BODY:
        return None
    body = bytearray()
    async for chunk in request.content.iter_chunked(1 << 16):
        body += chunk
        if len(body) > BODY:
            return None
    return bytes(body)
