"""Dialogues: what has been answered already, drafts, and the buttons that stand at each address."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from sqlalchemy import String, and_, bindparam, cast, delete, func, insert, literal, select
from sqlmodel import Field, col

from bot.core.event import Address
from bot.core.memory import Draft, Memory, Offer
from bot.core.reply import Key, Message
from storage.addresses import Binding
from storage.base import Table
from storage.house import Tx
from storage.people import Person
from storage.prepared import Prepared, upsert

_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

KEEP = timedelta(hours=48)
"""How long an answer is kept for the same event delivered again (channels repeat within a day)."""


class Inbox(Table, table=True):
    """An event that has been answered, by a digest of its id, and the answer (sealed)."""

    digest: bytes = Field(primary_key=True)
    day: date = Field(index=True)
    answer: bytes


class OpenDraft(Table, table=True):
    """A form half filled in, sealed. The owner is `p<person id>`, or the address of a stranger."""

    __tablename__ = "open_draft"

    owner: str = Field(primary_key=True, max_length=160)
    body: bytes
    expires_at: datetime = Field(index=True)


class Standing(Table, table=True):
    """The buttons that stand at an address and whether a question is open there, sealed."""

    address: str = Field(primary_key=True, max_length=160)
    body: bytes


@dataclass(slots=True)
class Situation:
    """Everything an event needs to know before it is answered."""

    answer: list[Message] | None
    person_id: int | None
    name: str
    language: str
    dead: bool
    memory: Memory
    _draft: bytes | None = None
    _standing: str | None = None


_OWNER = func.coalesce("p" + cast(col(Person.id), String), bindparam("address", type_=String))
_LOOK = Prepared(
    select(
        col(Inbox.answer), col(Person.id), col(Person.name), col(Person.language), col(Binding.dead),
        col(OpenDraft.body), col(Standing.body),
    )
    .select_from(
        select(literal(1).label("one")).subquery()
        .outerjoin(Inbox, col(Inbox.digest) == bindparam("digest"))
        .outerjoin(Binding, and_(col(Binding.channel) == bindparam("channel"), col(Binding.key) == bindparam("key")))
        .outerjoin(Person, and_(col(Person.id) == col(Binding.person_id), col(Person.left_on).is_(None)))
        .outerjoin(OpenDraft, col(OpenDraft.owner) == _OWNER)
        .outerjoin(Standing, col(Standing.address) == bindparam("address"))
    )
)  # fmt: skip
_DRAFT = Prepared(select(col(OpenDraft.body)).where(col(OpenDraft.owner) == bindparam("owner")))
_ANSWER = Prepared(insert(Inbox), columns=["digest", "day", "answer"])
_KEEP_DRAFT = upsert(OpenDraft, ["owner"], "body", "expires_at")
_STAND = upsert(Standing, ["address"], "body")


def digest(tx: Tx, address: Address, event_id: str) -> bytes:
    """What an event is remembered by."""
    return tx.house.keys.digest("inbox", address.channel, address.key, event_id)[:16]


def look(tx: Tx, address: Address, event: bytes) -> Situation:
    """Lock the person's dialogue and look at everything, in one statement (SQLite) or two."""
    tx.lock("address", address)
    found = tx.row(_LOOK, digest=event, channel=address.channel, key=address.key, address=str(address))
    assert found is not None  # there is always the one
    answer, person_id, name, language, dead, draft, standing = found
    if answer is not None:
        return Situation(_load_answer(tx, answer), person_id, name or "", language or "", bool(dead), Memory())
    if person_id is not None and tx.postgres:  # whoever held the lock before us may have changed the draft
        tx.lock("person", person_id)
        again = tx.row(_DRAFT, owner=f"p{person_id}")
        draft = again[0] if again else None
    memory = Memory()
    if draft is not None:
        memory.draft, *aside = _load_drafts(tx.house.keys.open(draft))
        memory.aside = aside[::-1]
    stood = None if standing is None else tx.house.keys.open(standing)
    if stood is not None:
        memory.asking, memory.offers = _load_standing(stood)
    return Situation(None, person_id, name or "", language or "", bool(dead), memory, draft, stood)


@lru_cache(256)
def _load_standing(text: str) -> tuple[int, tuple[Offer, ...]]:
    asking, offers = json.loads(text)
    return asking, tuple(Offer(*offer) for offer in offers)


@lru_cache(256)
def _dump_standing(asking: int, offers: tuple[Offer, ...]) -> str:
    return _json([asking, [[o.label, o.payload, o.walk] for o in offers]])


def _load_drafts(text: str) -> list[Draft]:
    kept = json.loads(text)
    aside = kept.pop("aside", [])
    return [Draft(**{**one, "expires": datetime.fromisoformat(one["expires"])}) for one in (kept, *aside)]


def _dump_drafts(drafts: list[Draft]) -> str:
    """The form at hand, with what was put aside for it where there is any."""
    first, *aside = [asdict(one) | {"expires": one.expires.isoformat()} for one in drafts]
    return _json(first | ({"aside": aside} if aside else {}))


def _load_answer(tx: Tx, sealed: bytes) -> list[Message]:
    return load_messages(tx.house.keys.open(sealed))


def load_messages(text: str) -> list[Message]:
    """What `dump_messages` has written."""
    return [
        Message(
            text,
            tuple(tuple(Key(*key) for key in row) for row in keys),
            toast,
            replaces,
            sensitive,
            hears=hears[0] if hears else "",
        )
        for text, keys, toast, replaces, sensitive, *hears in json.loads(text)
    ]


def dump_messages(messages: list[Message]) -> str:
    """Messages as JSON, the shortest way."""
    return f"[{','.join([_dump_message(message) for message in messages])}]"


@lru_cache(256)
def _dump_message(m: Message) -> str:
    keys = [[[k.label, k.payload, k.path, k.walk] for k in row] for row in m.keys]
    return _json([m.text, keys, m.toast, m.replaces, m.sensitive, *([m.hears] if m.hears else [])])


def keep(
    tx: Tx, now: datetime, address: Address, event: bytes, person_id: int | None, memory: Memory,
    answer: list[Message], before: Situation,
) -> None:  # fmt: skip
    """Remember the answer, the draft and the buttons. Writes only what has changed."""
    keys = tx.house.keys
    tx.rows(_ANSWER, digest=event, day=now.date(), answer=keys.seal(dump_messages(answer)))
    owner = str(address) if person_id is None else f"p{person_id}"
    drafts = memory.drafts
    if not drafts:
        if before._draft is not None:
            tx.run(delete(OpenDraft).where(col(OpenDraft.owner) == owner))
    else:
        body, expires = keys.seal(_dump_drafts(drafts)), max(draft.expires for draft in drafts)
        tx.rows(_KEEP_DRAFT, owner=owner, body=body, expires_at=expires)
    stand(tx, address, memory, known=before._standing)


def stand(tx: Tx, address: Address, memory: Memory, known: str | None = None) -> None:
    """Put these buttons up at an address, in place of what stood there."""
    text = _dump_standing(memory.asking, memory.offers)
    if text != known:
        tx.rows(_STAND, address=str(address), body=tx.house.keys.seal(text))


def move(tx: Tx, address: Address, person_id: int) -> None:
    """A stranger's draft is dropped when the address becomes somebody's: it was about binding."""
    tx.run(delete(OpenDraft).where(col(OpenDraft.owner) == str(address)))


def purge(tx: Tx, now: datetime) -> int:
    """Remove answers older than 48 hours and drafts whose time is over; how many rows."""
    gone = tx.run(delete(Inbox).where(col(Inbox.day) < (now - KEEP).date())).rowcount
    return gone + tx.run(delete(OpenDraft).where(col(OpenDraft.expires_at) < now)).rowcount
