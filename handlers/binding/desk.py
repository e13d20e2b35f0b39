"""Binding, as use cases: issue codes, bind after consent, release an address."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.core.action import Code
from bot.core.event import Address
from bot.core.reply import Button, Grade, Phrase, Refused, Reply, words
from bot.core.router import Run
from handlers.binding.codes import new_code
from handlers.rights import Right, require
from storage import addresses, audit, campaigns, departures, dialogues, organisations, people, settings, web
from storage.addresses import Bound
from storage.audit import Actor
from storage.campaigns import Telling
from storage.house import Tx
from storage.people import Somebody

LIFE = timedelta(hours=24)
SLIP_LIFE = timedelta(days=7)
"""Printed slips lie on a desk for a few days."""
TRIES = 5
"""Wrong codes per address and hour."""
BRAKE = 200
"""Wrong codes per hour in the whole house; above that nobody new is bound until the next hour."""
CONSENT = "2026-11"
"""The version of the text in `binding.consent`."""
PENDING = timedelta(minutes=30)


def issue(tx: Tx, now: datetime, actor: Actor, person: Somebody, *, life: timedelta = LIFE) -> str:
    """A new code for somebody; earlier ones become worthless. Raises Refused without the right."""
    require(tx, now, actor, Right.CODE, organisations.get(tx, person.organisation_id))
    if person.left_on is not None:
        raise Refused("binding.has_left", name=person.name)
    addresses.revoke_codes(tx, now, person.id)
    code = new_code()
    addresses.add_code(tx, _digest(tx, code), person.id, now + life)
    audit.record(tx, now, actor, "code.issue", person.number, until=now + life)
    return code


def show_code(tx: Tx, now: datetime, address: Address, code: str | None) -> bool:
    """An address shows a code: whether it is good. Counts wrong ones; raises Refused when there were too many."""
    here, everywhere = addresses.wrong_tries(tx, address, now)
    if here >= TRIES:
        raise Refused("binding.too_many_tries", tries=TRIES)
    if everywhere >= BRAKE:
        raise Refused("binding.braked")
    if code is None or addresses.code_owner(tx, _digest(tx, code), now) is None:
        addresses.note_wrong_try(tx, address, now)
        return False
    addresses.set_pending(tx, address, _digest(tx, code), now + PENDING)
    return True


def vouched(tx: Tx, address: Address) -> Somebody | None:
    """Who this is by the word of a channel that knows everybody's employee number; they are asked all the same."""
    person = people.by_number_in_any_case(tx, address.key) if address.channel in tx.house.vouching else None
    return person if person and person.left_on is None else None


def consent(tx: Tx, now: datetime, address: Address) -> Somebody:
    """Bind an address that has shown a good code, or is vouched for, and now consents.

    Raises Refused if the code is gone meanwhile.
    """
    digest = addresses.pending(tx, address, now)
    addresses.clear_pending(tx, address)
    person_id = addresses.use_code(tx, digest, now) if digest else None
    person = vouched(tx, address) if digest is None else people.get(tx, person_id) if person_id else None
    if person is None or person.left_on is not None:
        raise Refused("binding.code_is_gone")
    dialogues.move(tx, address, person.id)
    bound = address
    if address.channel == "web":
        bound = Address("web", f"p{person.id}")
        web.move_session(tx, address.key, bound.key)
    bind(tx, now, person, bound)
    return person


def bind(tx: Tx, now: datetime, person: Somebody, address: Address) -> None:
    """Bind an address whose owner is known and has just consented; the old addresses are told.

    A second browser shows the web chat that is bound already, and is told of like a first.
    """
    before = {b.address.channel for b in addresses.of_person(tx, person.id)}
    if addresses.find(tx, address) is None:
        addresses.bind(tx, person.id, address, now, consent=CONSENT)
    actor = Actor(person.id, person.name, "chat")
    audit.record(tx, now, actor, "address.bind", person.number, channel=address.channel)
    if before:
        told = ",".join(sorted(before))  # the new one's own channel too: the old telephone has to hear of it
        campaigns.create(tx, now, "bound", person.id, [person.id], channel=address.channel, channels=told)


def decline(tx: Tx, address: Address) -> None:
    """No consent, no binding: nothing is kept of the attempt."""
    addresses.clear_pending(tx, address)


def release(tx: Tx, now: datetime, actor: Actor, bound: Bound) -> None:
    """Let an address go: its owner from any of their addresses, or an office with the right to issue codes."""
    person = people.get(tx, bound.person_id)
    if actor.person_id != bound.person_id:
        require(tx, now, actor, Right.CODE, organisations.get(tx, person.organisation_id))
    addresses.unbind(tx, bound, now)
    departures.silence(tx, now, bound.person_id, bound.address)
    if bound.address.channel == "web":
        web.end_sessions(tx, now, key=bound.address.key)
    audit.record(tx, now, actor, "address.release", person.number, channel=bound.address.channel)


def due(tx: Tx, now: datetime) -> int:
    """Remove codes, answers and drafts whose time is over; once an hour what has stood in web chats long enough."""
    last = settings.moment(tx, "web_purged")
    if last is None or now - last >= timedelta(hours=1):
        web.purge(tx, now)
        settings.put(tx, "web_purged", now.isoformat())
    return addresses.purge_codes(tx, now) + dialogues.purge(tx, now)


def _tell_bound(tx: Tx, _now: datetime, telling: Telling, _person_id: int) -> Reply:
    return Reply(
        words("binding.announced", channel=words(f"binding.channel_{telling.values['channel']}")),
        ((Button(Phrase("解绑"), Run(Code("unbind"))),),),
        grade=Grade.PUBLIC,  # a warning is read wherever it arrives
    )


tell = {"bound": _tell_bound}


def _digest(tx: Tx, code: str) -> bytes:
    return tx.house.keys.digest("binding code", code)
