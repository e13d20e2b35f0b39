"""How does WeChat bring us what people say, and what is it answered within its five seconds?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from aiohttp import web

from bot.adapters.tencent_callback import Callback, Push
from bot.adapters.wechat import MORE, VERIFIED, Asked, Became, Heard, Left, read, write
from bot.adapters.wechat_channel import WeChatChannel
from bot.adapters.wechat_ways import CHANNEL
from bot.config import WeChat
from bot.core.event import Said
from bot.core.reply import words
from bot.intake import Wiring
from bot.intake.fetching import fetched
from bot.intake.tencent import PICTURE, Door, Taken
from storage import addresses, people, receipts, rests, windows
from storage.house import Tx

CALLBACK = "/wechat/callback"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a push led to, for the metrics, and what it is answered; nothing: it is taken."""

    kind: str
    text: str = ""


class WeChatPart:
    """WeChat's part of the process: its callback, and its channel. No call is made while WeChat waits."""

    def __init__(self, wiring: Wiring, section: WeChat) -> None:
        self._app, self._writer = wiring.app, wiring.writer
        renderer = wiring.app.reception.renderer
        self.channel = WeChatChannel(
            section,
            wiring.writer,
            wiring.app.clock,
            lambda name, language, values: renderer.say(words(f"wechat.{name}", **values), language),
        )
        callback = Callback(
            section.token.get_secret_value(),
            section.aes_key.get_secret_value() if section.aes_key else None,
            section.app_id,
        )
        self._subscription = section.subscription_id
        door: Door[Heard | Left | Became | Asked] = Door(
            wiring, CHANNEL, callback, VERIFIED, "success", read, self._taken
        )
        wiring.add_routes([web.get(CALLBACK, door.look), web.post(CALLBACK, door.push)])

    async def open(self) -> None:
        await self.channel.open()

    async def close(self) -> None:
        await self.channel.close()

    async def _taken(self, push: Push, heard: Heard | Left | Became | Asked, now: datetime) -> Taken:
        if isinstance(heard, Heard) and heard.media:
            heard = await self._with_picture(heard)
        meant = heard
        answer = await self._writer.run(lambda tx: self._take(tx, meant, now))
        return Taken(answer.kind, write(push, answer.text) if answer.text else "")

    async def _with_picture(self, heard: Heard) -> Heard:
        """The same with the picture, where a question wants one."""
        said = heard.event
        if not isinstance(said, Said):
            return heard
        fetch = partial(self.channel.download, heard.media)
        return replace(heard, event=await fetched(self._app, self._writer, said, fetch, patience=PICTURE))

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
