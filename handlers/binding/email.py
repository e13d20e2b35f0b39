"""binding: how does a mail address become somebody's, and who is told when it dies?

Who asks for it is known by the chat they ask in, or by the code that they mail; that the mailbox is theirs is known
by the link that is mailed to it. Only both together bind, and only after consent.
"""

from __future__ import annotations

import re
import secrets
from datetime import datetime, timedelta

from bot.core.action import Action, Code
from bot.core.event import Address
from bot.core.form import Form, ask
from bot.core.reply import Button, Phrase, Refused, Reply, words
from bot.core.router import Begin, Run
from handlers import Answer, Router, Turn
from handlers.binding import desk
from handlers.binding.codes import read_code
from handlers.rights import Right, roles_with, today
from storage import addresses, campaigns, dialogues, mailbox, mails, offices, organisations, people, rates, settings
from storage.campaigns import Telling
from storage.house import Tx
from storage.mailbox import Offer
from storage.mails import Body
from storage.people import Somebody
from storage.rates import Limit

router = Router()

CHANNEL = "email"
OFFER = timedelta(hours=24)
"""How long the link in a mail that offers an address is good."""
ASKING = Limit(3 / 3600, burst=3)
"""Mails that one person can have sent to addresses, and that one address gets, so that nobody can be pestered."""
QUIET = timedelta(hours=1)
"""Between two alarms about the same trouble."""
LONGEST = 120
_ADDRESS = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[a-z0-9-]{1,63}\.)+[a-z][a-z0-9-]{1,62}")


def _is_on(turn: Turn) -> bool:
    return CHANNEL in turn.tx.house.channels


class Another(Action, tag="ba"):
    """Bind another address."""


class Resume(Action, tag="bq", light=True):
    """Have reminders sent by mail again."""


def _from_the_roster(turn: Turn) -> str | None:
    """The address that stands in the roster, as long as nobody has bound it."""
    if turn.sender is None:
        return None
    kept = read_address(str(people.full(turn.tx, turn.sender.id)["email"]))
    return kept if kept and addresses.find(turn.tx, Address(CHANNEL, kept)) is None else None


class BindEmail(Form):
    """绑定邮箱"""

    decision = True
    review = False

    address: str = ask(
        "要绑定哪个邮箱？我会往那里发一封信，打开信里的链接确认后才算绑定。", title="邮箱", default=_from_the_roster,
        max_length=LONGEST,
    )  # fmt: skip


@router.command("/email", "邮箱", shown=_is_on)
def email(turn: Turn, _rest: str) -> Answer:
    """绑定邮箱，收通知、用回信确认；或恢复提醒邮件"""
    bound = [b.address.key for b in addresses.of_person(turn.tx, turn.member.id) if b.address.channel == CHANNEL]
    if not bound:
        return Begin(BindEmail)
    quiet = any(mailbox.quiet(turn.tx, key) for key in bound)
    rows = ((Button(words("mail.resume"), Resume()),),) if quiet else ()
    rows = (*rows, (Button(words("mail.another"), Another()),))
    return Reply(words("mail.mine", addresses=bound, quiet=quiet), rows)


@router.pressed(Another)
def another(turn: Turn, _press: Another) -> Answer:
    return Begin(BindEmail)


@router.pressed(Resume)
def resume(turn: Turn, _press: Resume) -> Answer:
    for bound in addresses.of_person(turn.tx, turn.member.id):
        if bound.address.channel == CHANNEL:
            mailbox.set_quiet(turn.tx, turn.now, bound.address.key, wanted=False)
    return Reply(words("mail.resumed"))


@router.form(BindEmail)
def offer(turn: Turn, form: BindEmail) -> Answer:
    """Mail the link. Raises Refused for what is no address, for one that is bound, and for too many mails."""
    key = read_address(form.address)
    if key is None:
        raise Refused("mail.no_address", text=form.address[:40])
    if addresses.find(turn.tx, Address(CHANNEL, key)) is not None:
        raise Refused("mail.taken")
    whom = f"mail offer of {turn.member.id}"
    if rates.reserve(turn.tx, turn.now, {whom: ASKING, f"mail offer to {key}"[:80]: ASKING}):
        raise Refused("mail.too_often")
    _mail(turn.tx, turn.now, Offer(turn.member.id, key, None), "mail.offer_asked", turn.language)
    return Reply(words("mail.sent", address=key, hours=OFFER.total_seconds() // 3600))


def read_address(text: str) -> str | None:
    """An address as it is kept, in lower case; None: it is none that we can write to."""
    text = text.strip().strip("<>").removeprefix("mailto:").replace("＠", "@").lower()
    return text if len(text) <= LONGEST and _ADDRESS.fullmatch(text) else None


# -- by a code that is mailed, and by the page behind the link ------------------------------------------------


def mailed_code(text: str) -> str | None:
    """The binding code that a stranger mails, alone or after the word for it."""
    head, _, rest = text.strip().partition(" ")
    return read_code(rest if head.lower() in ("/start", "绑定") and rest else text.removeprefix("绑定"))


def show_code(tx: Tx, now: datetime, key: str, code: str, language: str) -> bool:
    """A code was mailed from an address: where it is good, a link goes there. Raises what `desk.show_code` raises."""
    if not desk.show_code(tx, now, Address(CHANNEL, key), code):
        return False
    digest = addresses.pending(tx, Address(CHANNEL, key), now)
    person_id = addresses.code_owner(tx, digest, now) if digest else None
    if digest is None or person_id is None:
        return False
    _mail(tx, now, Offer(person_id, key, digest), "mail.offer_code", language)
    return True


def _mail(tx: Tx, now: datetime, offered: Offer, template: str, language: str) -> None:
    token = secrets.token_urlsafe(24)
    mailbox.add_offer(tx, offer_digest(tx, token), offered, now + OFFER)
    values = {"house": tx.house.name, "hours": int(OFFER.total_seconds() // 3600)}
    body = Body(template=template, values=values, label="mail.offer_key", url=f"{tx.house.public_url}/l/m/{token}")
    mails.add(tx, now, tag=secrets.token_bytes(8), key=offered.key, body=body, language=language)


def offer_digest(tx: Tx, token: str) -> bytes:
    """What the token of an offer is remembered by."""
    return tx.house.keys.digest("mail offer", token)


def see(tx: Tx, now: datetime, token: str) -> tuple[Offer, Somebody] | None:
    """What a link offers, and to whom; changes nothing. None: it is over."""
    found = mailbox.see_offer(tx, offer_digest(tx, token), now)
    if found is None:
        return None
    person = people.get(tx, found.person_id)
    return None if person.left_on is not None else (found, person)


def consent(tx: Tx, now: datetime, token: str) -> Somebody:
    """Bind the address, whose owner has pressed the link in it and consents. Raises Refused where that is over."""
    found = mailbox.use_offer(tx, offer_digest(tx, token), now)
    if found is None:
        raise Refused("mail.page_over")
    address = Address(CHANNEL, found.key)
    if addresses.find(tx, address) is not None:
        raise Refused("mail.page_taken")
    if found.code is not None and addresses.use_code(tx, found.code, now) != found.person_id:
        raise Refused("binding.code_is_gone")
    person = people.get(tx, found.person_id)
    if person.left_on is not None:
        raise Refused("mail.page_over")
    addresses.clear_pending(tx, address)
    dialogues.move(tx, address, person.id)
    mailbox.forget_returns(tx, found.key)
    desk.bind(tx, now, person, address)
    return person


def decline(tx: Tx, now: datetime, token: str) -> None:
    """No consent, no binding; the code stays good for another place."""
    found = mailbox.use_offer(tx, offer_digest(tx, token), now)
    if found:
        addresses.clear_pending(tx, Address(CHANNEL, found.key))


# -- what is found out about an address -----------------------------------------------------------------------


def died(tx: Tx, now: datetime, person_id: int | None, key: str) -> None:
    """There is no such address: exactly this one is given up, and those hear of it who have to."""
    bound = addresses.find(tx, Address(CHANNEL, key))
    if bound is None or (person_id is not None and bound.person_id != person_id) or bound.dead:
        return
    addresses.set_dead(tx, bound.address, dead=True)
    person = people.get(tx, bound.person_id)
    others = other_channels(tx, person.id)
    if others:
        campaigns.create(tx, now, "mail_dead", person.id, [person.id], channels=",".join(others), address=key)
    told = _secretaries(tx, now, person)
    if told:
        campaigns.create(tx, now, "mail_dead", person.id, told, alone=not others)


def other_channels(tx: Tx, person_id: int) -> list[str]:
    """Where else somebody can be reached."""
    return sorted({b.address.channel for b in addresses.of_person(tx, person_id) if not b.dead} - {CHANNEL})


def _secretaries(tx: Tx, now: datetime, person: Somebody) -> list[int]:
    """Those who issue binding codes in the person's own organisation, else in the nearest one above."""
    roles, day = roles_with(Right.CODE), today(tx, now)
    org = organisations.get(tx, person.organisation_id)
    while True:
        held = offices.holders(tx, day, org=org, roles=roles)
        found = {one.person_id for one in held if one.org.id == org.id} - {person.id}
        if found or org.parent_id is None:
            return sorted(found)
        org = organisations.get(tx, org.parent_id)


def acted(tx: Tx, now: datetime, person_id: int, what: str, about: str) -> None:
    """A mailed answer was taken: say so where its writer would see if it was not theirs."""
    if others := other_channels(tx, person_id):
        sealed = tx.house.keys.seal(f"{what[:40]}\n{about[:60]}").hex()
        campaigns.create(tx, now, "mailed", person_id, [person_id], channels=",".join(others), said=sealed)


def alarm(tx: Tx, now: datetime, why: str) -> None:
    """Mail has stopped: tell the operator, at most once an hour."""
    operator = people.by_number(tx, tx.house.operator) if tx.house.operator else None
    last = settings.moment(tx, f"mail.alarm.{why}")
    if operator is None or operator.left_on or (last and now - last < QUIET):
        return
    settings.put(tx, f"mail.alarm.{why}", now.isoformat())
    campaigns.create(tx, now, "mail_alarm", operator.id, [operator.id], why=why)


def due(tx: Tx, now: datetime) -> int:
    """Forget what nobody answers any more, once a day."""
    last = settings.moment(tx, "mail_purged")
    if last is not None and now - last < timedelta(days=1):
        return 0
    settings.put(tx, "mail_purged", now.isoformat())
    return mails.purge(tx, now) + mailbox.purge(tx, now)


def _tell_dead(tx: Tx, _now: datetime, telling: Telling, person_id: int) -> Reply:
    if telling.subject == person_id and "address" in telling.values:
        rows = ((Button(Phrase("邮箱"), Run(Code("email"))),),)
        return Reply(words("mail.dead_own", address=telling.values["address"]), rows)
    whose = people.get(tx, telling.subject)
    alone = telling.values["alone"]
    return Reply(words("mail.dead_told", name=whose.name, number=whose.number, alone=alone))


def _tell_acted(tx: Tx, _now: datetime, telling: Telling, _person_id: int) -> Reply:
    what, _, about = tx.house.keys.open(bytes.fromhex(telling.values["said"])).partition("\n")
    rows = ((Button(Phrase("解绑"), Run(Code("unbind"))),),)
    return Reply(words("mail.acted", what=what, about=about), rows)


def _tell_alarm(_tx: Tx, _now: datetime, telling: Telling, _person_id: int) -> Reply:
    return Reply(words(f"mail.alarm_{telling.values['why']}"))


tell = {"mail_dead": _tell_dead, "mailed": _tell_acted, "mail_alarm": _tell_alarm}
