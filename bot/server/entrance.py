"""entrance: links, personas, and signing in by number and code."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aiohttp import web

from bot.adapters.web import bring, person_address, person_key
from bot.core.reply import Refused, words
from bot.server.front import Front, No
from bot.server.mailed import carry_out, renew
from bot.server.visitors import Visitors
from handlers.binding import desk, sign_in
from storage import addresses, people
from storage import web as chats
from storage.house import Tx
from storage.people import Somebody

FORM = 8 * 1024


@dataclass(frozen=True, slots=True)
class Persona:
    """Somebody of the demonstration; `token` is that of a reusable link."""

    role: str
    name: str
    line: str
    token: str


@dataclass(frozen=True, slots=True)
class Guest:
    """Whom a link lets in, and whether they have to consent first."""

    person: Somebody
    path: str
    consent: bool
    meant: Mapping[str, str] = field(default_factory=dict)
    """What a mail said that is done when the link is used; empty: the link only lets in."""


class Entrance:
    """The ways in."""

    def __init__(self, front: Front, visitors: Visitors, personas: Sequence[Persona]) -> None:
        self._front, self._visitors, self._personas = front, visitors, personas

    async def root(self, request: web.Request) -> web.StreamResponse:
        """GET /: the personas of the demonstration, else the chat."""
        if not self._personas or not self._front.house.demo or not self._visitors.local(request):
            raise web.HTTPSeeOther("/chat")
        return self._front.page("personas", self._front.hint(request), forms=True, personas=self._personas)

    # -- links -------------------------------------------------------------------------------------------------

    async def link(self, request: web.Request) -> web.StreamResponse:
        """GET /l/TOKEN: shows whose it is. Mail programs that open every link change nothing by it."""
        token = request.match_info["token"]
        guest = await self._front.read(lambda tx: self._guest(tx, token))
        return self._link_page(request, token, guest)

    async def use_link(self, request: web.Request) -> web.StreamResponse:
        """POST /l/TOKEN: uses it up and begins a session."""
        self._visitors.check_origin(request)
        token = request.match_info["token"]
        form = await request.clone(client_max_size=FORM).post()
        if form.get("link") != token:
            raise No(403, "strange_form")
        consents = form.get("consent") == "yes"
        device, local = self._visitors.device(request), self._visitors.local(request)
        value, digest = self._visitors.new_cookie()

        def work(tx: Tx) -> Guest | None:
            guest = self._guest(tx, token)
            if guest is None or (guest.consent and not consents):
                return guest
            now = self._front.clock()
            again = tx.house.demo and local
            link = chats.use_link(tx, chats.link_digest(tx, token), now, again=again)
            if link is None:
                return None
            self._enter(tx, request, guest.person, digest, device)
            if guest.meant:
                carry_out(tx, now, self._front.reception, guest.person.id, guest.meant, token)
            elif link.body:
                bring(tx, now, guest.person.id, link.body, token)
            return guest

        guest = await self._front.writer.run(work)
        if guest is None or (guest.consent and not consents):
            return self._link_page(request, token, guest)
        return self._in(guest.person, guest.path, value)

    def _guest(self, tx: Tx, token: str) -> Guest | None:
        seen = chats.see_link(tx, chats.link_digest(tx, token), self._front.clock())
        if seen is None:
            return None
        person = people.get(tx, seen.person_id)
        if person.left_on is not None:
            return None
        meant = (seen.body or {}).get("meant", {})
        return Guest(person, seen.path, addresses.find(tx, person_address(person.id)) is None, meant)

    def _link_page(self, request: web.Request, token: str, guest: Guest | None) -> web.Response:
        if guest is None:
            return self._over(request, token)
        language = guest.person.language or self._front.hint(request)
        meant = self._front.say(words("mail.meant_page", **guest.meant), language) if guest.meant else ""
        return self._front.page(
            "link", language, forms=True, token=token, who=guest.person.name, consent=guest.consent,
            version=desk.CONSENT, meant=meant,
        )  # fmt: skip

    def _over(self, request: web.Request, token: str) -> web.Response:
        """A link that is over. Where there is mail, another can be asked for; the page does not tell whose it was."""
        if self._front.config.email is None:
            raise No(410, "link_is_over")
        language = self._front.hint(request)
        ask, key = (self._front.say(words(f"mail.again_{name}"), language) for name in ("ask", "key"))
        return self._front.page(
            "mail", language, status=410, forms=True, token=token, action=f"/l/{token}/again",
            title=self._front.say("link_is_over", language), text=ask, fine=False, buttons=[("again", key)],
        )  # fmt: skip

    async def again(self, request: web.Request) -> web.StreamResponse:
        """POST /l/TOKEN/again: mails a new link in the place of one that is over, to its owner's bound address."""
        self._visitors.check_origin(request)
        if self._front.config.email is None:
            raise No(404, "not_found")
        token = request.match_info["token"]
        await self._front.writer.run(lambda tx: renew(tx, self._front.clock(), token))
        text = self._front.say(words("mail.again_done"), self._front.hint(request))
        return self._front.page("told", self._front.hint(request), text=text)

    def _enter(self, tx: Tx, request: web.Request, person: Somebody, digest: bytes, device: str) -> None:
        """A session for somebody who has shown who they are, and has consented where that was needed."""
        now, address = self._front.clock(), person_address(person.id)
        if addresses.find(tx, address) is None:
            desk.bind(tx, now, person, address)
        if old := request.cookies.get(self._visitors.seat_of(person.id).cookie):
            chats.end_sessions(tx, now, digest=self._visitors.digest_of(old))
        self._visitors.begin(tx, now, digest, person_key(person.id), device)

    def _in(self, person: Somebody, path: str, value: str) -> web.Response:
        seat = self._visitors.seat_of(person.id)
        response = web.Response(status=303, headers={"Location": seat.base + path, "Cache-Control": "no-store"})
        self._visitors.set_cookie(response, seat, value)
        self._front.after()
        return response

    # -- number and code ---------------------------------------------------------------------------------------

    async def sign_in(self, request: web.Request) -> web.StreamResponse:
        """GET /sign-in: asks for the employee number."""
        seat, value = self._visitors.seat(request), ""
        digest = self._visitors.digest(request)
        if digest is None:
            value, digest = self._visitors.new_cookie()
        response = self._sign_in_page(request, digest, "number")
        if value:
            self._visitors.set_cookie(response, seat, value)
        return response

    async def send_code(self, request: web.Request) -> web.StreamResponse:
        """POST /sign-in: the answer is the same whoever the number belongs to, if anybody."""
        form = await request.clone(client_max_size=FORM).post()
        digest = self._visitors.check(request, form.get("token"))
        number, place = _number(form.get("number")), self._visitors.place(request)
        if not number:
            return self._sign_in_page(request, digest, "number")
        code = f"{secrets.randbelow(10**6):06}"
        try:
            await self._front.writer.run(lambda tx: sign_in.ask(tx, self._front.clock(), number, place, code))
        except Refused:
            raise No(429, "too_often", retry_after=360) from None
        self._front.after()
        return self._sign_in_page(request, digest, "code", number=number)

    async def enter_code(self, request: web.Request) -> web.StreamResponse:
        """POST /sign-in/code: a right code signs in, by way of the consent where the web chat is new to them."""
        form = await request.clone(client_max_size=FORM).post()
        old = self._visitors.check(request, form.get("token"))
        number, code, place = _number(form.get("number")), _code(form.get("code")), self._visitors.place(request)
        value, digest = self._visitors.new_cookie()
        link, device = secrets.token_urlsafe(24), self._visitors.device(request)

        def work(tx: Tx) -> Guest | None:
            now = self._front.clock()
            person_id = sign_in.enter(tx, now, number, place, code)
            if person_id is None:
                return None
            person = people.get(tx, person_id)
            if addresses.find(tx, person_address(person_id)) is None:
                chats.add_link(tx, link, person_id, now + sign_in.LIFE)
                return Guest(person, f"/l/{link}", consent=True)
            self._enter(tx, request, person, digest, device)
            return Guest(person, "/chat", consent=False)

        try:
            guest = await self._front.writer.run(work)
        except Refused:
            raise No(429, "too_often", retry_after=360) from None
        if guest is None:
            return self._sign_in_page(request, old, "code", number=number, wrong=True)
        if guest.consent:
            raise web.HTTPSeeOther(guest.path)
        return self._in(guest.person, guest.path, value)

    def _sign_in_page(
        self, request: web.Request, digest: bytes, step: str, *, number: str = "", wrong: bool = False
    ) -> web.Response:
        values = {"step": step, "number": number, "wrong": wrong, "minutes": sign_in.LIFE.seconds // 60}
        return self._front.page(
            "sign_in", self._front.hint(request), status=403 if wrong else 200, forms=True,
            token=self._visitors.token(digest), **values,
        )  # fmt: skip


def _number(value: object) -> str:
    return value.strip()[:40] if isinstance(value, str) else ""


def _code(value: object) -> str:
    """Six digits, as people copy them."""
    return "".join(c for c in value if c.isdecimal())[:6] if isinstance(value, str) else ""
