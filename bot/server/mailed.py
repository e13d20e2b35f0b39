"""mailed: what do the links in our mails do, beside signing in?

GET and HEAD only show: mail gateways open every link within seconds. A press does it. The one exception is what a
mail program posts by itself when its reader has pressed “unsubscribe” (RFC 8058): that ends reminders, nothing else.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime

from aiohttp import web

from bot.adapters.email_context import LASTING, put_up
from bot.adapters.email_token import Postmark
from bot.adapters.web import body, own, person_address
from bot.config import Email
from bot.core.action import Code
from bot.core.event import Said
from bot.core.reply import Button, Phrase, Refused, Reply, words
from bot.core.router import Run
from bot.reception import Reception
from bot.server.front import Front, No
from bot.server.visitors import Visitors
from handlers.binding import desk
from handlers.binding import email as binding
from storage import addresses, dialogues, mailbox, mails, rates
from storage import web as chats
from storage.house import Tx
from storage.mails import Body
from storage.people import Somebody
from storage.rates import Limit

FORM = 8 * 1024
AGAIN = Limit(3 / 3600, burst=3)
"""New links that are mailed to one person."""


class Mailed:
    """`/l/m/TOKEN`: the offer to bind an address, and the end of reminders."""

    def __init__(self, front: Front, visitors: Visitors, settings: Email) -> None:
        self._front, self._visitors = front, visitors
        self._postmark = Postmark(front.house.keys, settings.sender, plus=settings.plus_addresses)

    async def page(self, request: web.Request) -> web.StreamResponse:
        """GET: what the link is about. Changes nothing, however often and by whomever it is opened."""
        token = request.match_info["token"]
        if (letter := await self._front.read(lambda tx: self._letter(tx, token))) is not None:
            return self._stop_page(request, token, letter.key)
        offered = await self._front.read(lambda tx: binding.see(tx, self._front.clock(), token))
        if offered is None:
            raise No(410, "link_is_over")
        offer, person = offered
        language = person.language or self._front.hint(request)
        say = self._front.say
        text = say(
            words(
                "mail.page_consent", name=_masked(person.name), address=offer.key, version=desk.CONSENT,
                where=words("binding.where_email"), code=offer.code is not None,
            ),
            language,
        )  # fmt: skip
        buttons = [("yes", say(words("mail.agree"), language)), ("no", say(words("mail.disagree"), language))]
        title = say(words("mail.page_title"), language)
        return self._page(language, token, title, text, buttons, fine=True)

    async def press(self, request: web.Request) -> web.StreamResponse:
        """POST: do it."""
        token = request.match_info["token"]
        form = await request.clone(client_max_size=FORM).post()
        letter = await self._front.read(lambda tx: self._letter(tx, token))
        one_click = form.get("List-Unsubscribe") == "One-Click"
        if not (letter is not None and one_click):
            self._visitors.check_origin(request)
            if form.get("link") != token:
                raise No(403, "strange_form")
        now = self._front.clock()
        if letter is not None:
            await self._front.writer.run(lambda tx: mailbox.set_quiet(tx, now, letter.key))
            return self._told(request, letter.language, "mail.stopped")
        if form.get("answer") != "yes":
            await self._front.writer.run(lambda tx: binding.decline(tx, now, token))
            return self._told(request, "", "mail.page_declined")
        try:
            person = await self._front.writer.run(lambda tx: self._bind(tx, now, token, self._front.hint(request)))
        except Refused as no:
            text = self._front.say(no.words, self._front.hint(request))
            return self._front.page("told", self._front.hint(request), status=410, text=text)
        self._front.after()
        return self._told(request, person.language, "mail.page_bound", name=person.name)

    def _bind(self, tx: Tx, now: datetime, token: str, hint: str) -> Somebody:
        """Bind, and say so by mail: the first that the new address gets."""
        offered = binding.see(tx, now, token)
        person = binding.consent(tx, now, token)
        assert offered is not None  # else there was nothing to consent to
        language = person.language or hint
        rows = ((Button(Phrase("我的"), Run(Code("me"))), Button(Phrase("帮助"), Run(Code("help")))),)
        message = self._front.renderer.message(Reply(words("binding.done", name=person.name), rows), language)
        said = Body(dialogues.dump_messages([message]))
        mails.add(
            tx, now, tag=secrets.token_bytes(8), key=offered[0].key, body=said, person_id=person.id, language=language
        )
        return person

    def _letter(self, tx: Tx, token: str) -> mails.Letter | None:
        """The mail whose reader wants no more reminders; None: the token is another's."""
        tag = self._postmark.open("s", token)
        return mails.by_tag(tx, tag) if tag else None

    def _stop_page(self, request: web.Request, token: str, key: str) -> web.Response:
        language = self._front.hint(request)
        say = self._front.say
        buttons = [("yes", say(words("mail.stop_key"), language))]
        text = say(words("mail.stop_ask", address=key), language)
        return self._page(language, token, say(words("mail.stop_title"), language), text, buttons)

    def _page(
        self, language: str, token: str, title: str, text: str, buttons: list[tuple[str, str]], *, fine: bool = False
    ) -> web.Response:
        return self._front.page(
            "mail", language, forms=True, token=token, action=f"/l/m/{token}", title=title, text=text,
            buttons=buttons, fine=fine,
        )  # fmt: skip

    def _told(self, request: web.Request, language: str, template: str, **values: object) -> web.Response:
        language = language or self._front.hint(request)
        return self._front.page("told", language, text=self._front.say(words(template, **values), language))


def carry_out(
    tx: Tx, now: datetime, reception: Reception, person_id: int, meant: Mapping[str, str], token: str
) -> None:
    """Do in somebody's web chat what a mail said, now that they have pressed for it; the answer stands there."""
    address = person_address(person_id)
    letter = mails.by_tag(tx, bytes.fromhex(meant["tag"])) if meant["tag"] else None
    put_up(tx, address, letter)
    event = "l" + tx.house.keys.digest("meant by mail", token).hex()[:32]
    chats.add_line(tx, now, address.key, event, own(meant["text"], event), mine=True)
    answered = reception.receive(tx, Said(address, event, meant["text"]), now)
    for place, message in enumerate(answered.messages):
        chats.add_line(tx, now, address.key, f"{event}:{place}", body(message))


def renew(tx: Tx, now: datetime, token: str) -> None:
    """Mail a new link in the place of one that is over; nothing, where nobody has bound an address to mail it to."""
    digest = chats.link_digest(tx, token)
    found = chats.any_link(tx, digest)
    if found is None or chats.see_link(tx, digest, now) is not None:
        return
    link, used = found
    bound = [b for b in addresses.of_person(tx, link.person_id) if b.address.channel == "email" and not b.dead]
    if not bound or rates.reserve(tx, now, {f"link again {link.person_id}": AGAIN}):
        return
    fresh = secrets.token_urlsafe(24)
    brought = None if used else link.body  # what it did once, it does not do again
    chats.add_link(tx, fresh, link.person_id, now + LASTING, path=link.path, body=brought)
    said = Body(template="mail.renewed", label="mail.renewed_key", url=f"{tx.house.public_url}/l/{fresh}")
    for one in bound:
        mails.add(tx, now, tag=secrets.token_bytes(8), key=one.address.key, body=said, person_id=link.person_id)


def _masked(name: str) -> str:
    """王*: whose mailbox it is knows who is meant, and somebody to whom it came by a mistake does not."""
    return f"{name[:1]}{'*' * max(1, len(name) - 1)}"
