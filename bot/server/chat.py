"""chat: the page, and what is said, pressed and handed over there."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiohttp import web

from bot.adapters.web import body, own, shown
from bot.core.event import Address, Event, Handed, Pressed, Said
from bot.core.reply import words
from bot.core.router import Sender, Turn
from bot.reception import Answered
from bot.server.front import Front, No, answer
from bot.server.visitors import Seat, Visitor, Visitors
from storage import rates
from storage import web as chats
from storage.house import Tx
from storage.rates import Limit
from storage.web import Line

MESSAGE = 64 * 1024
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
GUESTS = Limit(0.5, burst=30)
"""What a place on the network may say without being signed in."""
PATIENCE = 5
"""Seconds after which a browser that was told to slow down asks again."""
QUICK = ("help", "me", "vote", "dues", "notices", "desk")
"""The commands of the menu, in this order: those that the reader may use."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What a browser sends: its own id, and words, a press, or a file."""

    id: str
    text: str = ""
    press: str | None = None
    on: int | None = None
    """The line whose button was pressed."""
    file: tuple[str, bytes] | None = None

    def event(self, address: Address, language: str) -> Event:
        if self.file:
            return Handed(address, self.id, *self.file, language)
        if self.press is not None:
            return Pressed(address, self.id, self.press, language)
        return Said(address, self.id, self.text, language)


@dataclass(frozen=True, slots=True)
class Written:
    """What an event has changed in a chat."""

    key: str
    lines: list[Line]
    toast: str | None = None
    ended: bool = False


class Chat:
    """The web chat of persons and guests."""

    def __init__(self, front: Front, visitors: Visitors) -> None:
        self._front, self._visitors = front, visitors

    # -- the page ---------------------------------------------------------------------------------------------

    async def page(self, request: web.Request) -> web.StreamResponse:
        """GET /chat."""
        seat = self._visitors.seat(request)
        digest, fresh = self._visitors.digest(request), ""
        hint = self._front.hint(request)

        def look(tx: Tx) -> tuple[Visitor, dict[str, Any]] | None:
            visitor = self._visitors.look(tx, digest, self._front.clock()) if digest else None
            return (visitor, self._data(tx, seat, visitor, hint)) if visitor else None

        found = await self._front.read(look)
        if found is None or (found[0].person is None and not seat.guests):
            if not seat.guests:
                raise web.HTTPSeeOther("/")
            fresh, digest = self._visitors.new_cookie()
            found = await self._front.read(look)
            assert found is not None
        visitor, data = found
        values = {
            "token": self._visitors.token(visitor.digest),
            "person": visitor.person,
            "seat": seat,
            "data": data,
            "commands": data["commands"],
        }
        response = self._front.page("chat", data["language"], **values)
        if fresh:
            self._visitors.set_cookie(response, seat, fresh)
        return response

    def _data(self, tx: Tx, seat: Seat, visitor: Visitor, hint: str) -> dict[str, Any]:
        """What the script of the page needs to know."""
        language = (visitor.person.language if visitor.person else "") or hint
        say = partial(self._front.say, language=language)
        lines = chats.lines(tx, visitor.key)
        greeting = say("hello", name=visitor.person.name) if visitor.person else say("welcome", house=tx.house.name)
        return {
            "base": seat.base,
            "chat": self._visitors.handle(visitor.key),
            "guest": visitor.person is None,
            "language": language,
            "zone": tx.house.zone.key,
            "lines": [shown(line) for line in lines],
            "version": max((line.version for line in lines), default=0),
            "greeting": greeting,
            "commands": self._commands(tx, visitor, language),
            "most": tx.house.largest_file,
            "words": {name: say(f"js_{name}") for name in WORDS},
        }

    def _commands(self, tx: Tx, visitor: Visitor, language: str) -> list[dict[str, str]]:
        """The quick commands: what each is called, and what is typed for it."""
        person = visitor.person
        sender = Sender(person.id, person.name) if person else None
        turn = Turn(tx, sender, visitor.address, self._front.clock(), tx.house.zone, language)
        router, phrase = self._front.reception.router, self._front.renderer.phrase
        found = [command for name in QUICK if (command := router.commands.get(name))]
        return [
            {
                "name": command.name,
                "label": phrase(command.words[0], language),
                "text": command.words[0] if language == "zh" else f"/{command.name}",
            }
            for command in found
            if (sender or command.strangers) and command.shown(turn)
        ]

    # -- what comes in ---------------------------------------------------------------------------------------

    async def messages(self, request: web.Request) -> web.Response:
        """POST /chat/messages: {id, text} or {id, press, on}."""
        digest = self._visitors.check(request, request.headers.get("X-Tiexin-Token"))
        if request.content_type != "application/json":
            raise No(400, "not_understood")
        try:
            raw = await request.clone(client_max_size=MESSAGE).json()
        except ValueError:
            raise No(400, "not_understood") from None
        return await self._receive(request, digest, _read(raw))

    async def file(self, request: web.Request) -> web.Response:
        """POST /chat/file: a form with `id` and `file`."""
        most = self._front.house.largest_file
        digest = self._visitors.check(request, request.headers.get("X-Tiexin-Token"))
        if request.content_type != "multipart/form-data":
            raise No(400, "not_understood")
        try:
            form = await request.clone(client_max_size=most + MESSAGE).post()
        except ValueError:
            raise No(400, "not_understood") from None
        sent_id, file = form.get("id"), form.get("file")
        if not isinstance(sent_id, str) or not ID.fullmatch(sent_id) or not isinstance(file, web.FileField):
            raise No(400, "not_understood")
        content = await asyncio.to_thread(file.file.read)
        file.file.close()
        if len(content) > most:
            raise No(413, "too_large")
        return await self._receive(request, digest, Sent(sent_id, file=(_clean(file.filename)[-120:], content)))

    async def _receive(self, request: web.Request, digest: bytes, sent: Sent) -> web.Response:
        front, hint = self._front, self._front.hint(request)
        seat = self._visitors.seat(request)
        place, device = self._visitors.place(request), self._visitors.device(request)
        with front.metrics.handling("web") as handling:

            def work(tx: Tx) -> Written:
                now = front.clock()
                visitor = self._visitors.look(tx, digest, now)
                if visitor is None or (visitor.person is None and not seat.guests):
                    raise No(401, "signed_out")
                if visitor.person is None and rates.reserve(tx, now, {f"guest {place}": GUESTS}):
                    raise No(429, "too_often", retry_after=PATIENCE)
                if not visitor.begun:
                    self._visitors.begin(tx, now, digest, visitor.key, device)
                if known := chats.of_event(tx, visitor.key, sent.id):
                    handling.outcome = "again"
                    return Written(visitor.key, known)
                under = chats.line(tx, visitor.key, sent.on) if sent.on is not None else None
                answered = front.reception.receive(tx, sent.event(visitor.address, hint), now)
                handling.note(answered)
                return self._write(tx, visitor, sent, under, answered)

            try:
                written = await front.writer.run(work)
            except No:
                handling.outcome = "refused"
                raise
        front.bells.ring(written.key)
        front.after()
        return answer(
            {
                "lines": [shown(line) for line in written.lines],
                "version": max((line.version for line in written.lines), default=0),
                "chat": self._visitors.handle(written.key),
                "toast": written.toast,
                "ended": written.ended,
            }
        )

    def _write(self, tx: Tx, visitor: Visitor, sent: Sent, under: Line | None, answered: Answered) -> Written:
        """Put the person's words and the answers into the chat – another one where a guest has just been bound."""
        now = self._front.clock()
        session = chats.session(tx, visitor.digest, now)
        assert session is not None
        key, ended = session.key, session.over
        toast = next((m.toast for m in answered.messages if m.toast and m.toast != m.text), None)
        in_place = all(message.replaces for message in answered.messages)
        if in_place and under and not under.mine and key == visitor.key:
            if not answered.again:  # a late redelivery does not undo what came after it
                chats.revise_line(tx, under.id, body(answered.messages[-1], revised=True))
            return Written(key, _lines(tx, key, [under.id]), toast, ended)
        ids = []
        said = self._unkept(visitor) if answered.forgets else _own_words(sent, under)
        if said:
            ids.append(chats.add_line(tx, now, key, sent.id, own(said, sent.id), mine=True))
        for place, message in enumerate(answered.messages):
            ids.append(chats.add_line(tx, now, key, f"{sent.id}:{place}", body(message)))
        return Written(key, _lines(tx, key, ids), toast, ended)

    def _unkept(self, visitor: Visitor) -> str:
        """What stands for words of which nothing may be kept."""
        language = visitor.person.language if visitor.person else ""
        return self._front.say(words("secrecy.unkept"), language or self._front.house.language)


WORDS = (
    "sending", "failed", "offline", "again", "ended", "sign_in", "today", "yesterday", "you", "tiexin", "revised",
    "file_too_large", "file_failed",
)  # fmt: skip
"""The words of the script: `js_…` in `templates/web/`."""


def _read(raw: Any) -> Sent:
    """A message parsed at the door. Raises No."""
    if not isinstance(raw, dict) or not isinstance(raw.get("id"), str) or not ID.fullmatch(raw["id"]):
        raise No(400, "not_understood")
    text, press, on = raw.get("text"), raw.get("press"), raw.get("on")
    if press is None:
        if not isinstance(text, str):
            raise No(400, "not_understood")
        return Sent(raw["id"], _clean(text))
    good = isinstance(press, str) and text is None and (on is None or (type(on) is int and 0 <= on < 2**63))
    if not good:
        raise No(400, "not_understood")
    return Sent(raw["id"], press=_clean(press), on=on)


def _own_words(sent: Sent, under: Line | None) -> str:
    """What the person sees themselves say: their words, the file's name, or the label of the button."""
    if sent.file:
        return f"📎 {sent.file[0]}"
    if sent.press is None:
        return sent.text
    keys = [key for row in under.body["keys"] for key in row] if under else []
    return next((key["label"] for key in keys if key.get("press") == sent.press), "")


def _clean(text: str) -> str:
    """Without half characters, which JSON can carry and nothing can store."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "")


def _lines(tx: Tx, key: str, ids: list[int]) -> list[Line]:
    return [line for one in ids if (line := chats.line(tx, key, one))]
