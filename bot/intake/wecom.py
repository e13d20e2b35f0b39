"""How does WeCom bring us what members say and tap, and what is it answered within its five seconds?"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from aiohttp import web

from bot.adapters.tencent_callback import Callback, Push
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
from bot.intake.tencent import PICTURE, Door, Taken
from bot.reception import Answered
from bot.render import LANGUAGES
from storage import addresses, settings
from storage.house import Tx

CALLBACK = "/wecom/callback"
SELDOM = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a push led to, for the answer and the metrics."""

    kind: str
    ride: Ride = field(default_factory=Ride)


class WeComPart:
    """WeCom's part of the process: its callback, its channel, and the answers that leave by calls of their own."""

    def __init__(self, wiring: Wiring, section: WeCom, sleep: Callable[[float], None] = time.sleep) -> None:
        self._app, self._writer = wiring.app, wiring.writer
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
        callback = Callback(section.token.get_secret_value(), section.aes_key.get_secret_value(), section.corp_id)
        self._noted: datetime | None = None
        door: Door[Heard | Reach] = Door(
            wiring, CHANNEL, callback, VERIFIED, "", lambda push, _now: read(push), self._taken
        )
        wiring.add_routes([web.get(CALLBACK, door.look), web.post(CALLBACK, door.push)])

    async def open(self) -> None:
        await self.answers.open()

    async def close(self) -> None:
        await self.answers.close()

    async def _taken(self, push: Push, heard: Heard | Reach, now: datetime) -> Taken:
        if isinstance(heard, Heard) and heard.media:
            heard = await self._with_picture(heard)
        meant = heard
        outcome = await self._writer.run(lambda tx: self._take(tx, meant, now))
        self.answers.wake()
        whom, ride = (push.text("FromUserName"), self._corp_id, now), outcome.ride
        if ride.card is not None:
            return Taken(outcome.kind, card_answer(*whom, ride.card))
        if ride.button:
            return Taken(outcome.kind, button_answer(*whom, ride.button))
        return Taken(outcome.kind, text_answer(*whom, ride.text) if ride.text else "")

    async def _with_picture(self, heard: Heard) -> Heard:
        """The same with the picture, where a question wants one."""
        said = heard.event
        if not isinstance(said, Said):
            return heard
        fetch = partial(self.channel.download, heard.media)
        return replace(heard, event=await fetched(self._app, self._writer, said, fetch, patience=PICTURE))

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
