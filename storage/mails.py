"""Mails: which have we written, to whom, what stood in them, and how far have they come?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, delete, insert, select, update
from sqlmodel import Field, Index, col

from storage import standby
from storage.base import Table
from storage.campaigns import Delivery
from storage.house import Tx

LIFE = timedelta(days=60)
"""How long a mail can be answered; a token that is older proves nothing any more."""
KEEP = timedelta(days=90)
"""How long it is remembered: bounces come late, and a late answer is told why it does not count."""


class MailLetter(Table, table=True):
    """A mail of ours. `body` is sealed JSON: what stood in it, and what its answers answer."""

    __tablename__ = "mail_letter"
    __table_args__ = (Index("ix_mail_letter_work", "state", "due_at"),)

    id: int | None = Field(default=None, primary_key=True)
    tag: bytes = Field(unique=True)
    person_id: int | None = Field(default=None, foreign_key="person.id", index=True)
    """None: a stranger."""
    key: str = Field(max_length=120, index=True)
    delivery_id: int | None = Field(default=None, foreign_key="delivery.id", unique=True)
    """None: the answer to a mail, which no campaign decided."""
    thread: str = Field(default="", max_length=60)
    language: str = Field(default="", max_length=5)
    body: bytes
    state: str = Field(max_length=10)
    """`made`, `queued` (an answer), `handed` (its last byte leaves), `accepted`, `bounced`, `failed`, `lost`."""
    repeats: int = 0
    """How often it was handed over again after nobody knew whether it had arrived."""
    attempts: int = 0
    due_at: datetime
    created_at: datetime = Field(index=True)


@dataclass(frozen=True, slots=True)
class Body:
    """What stood in a mail. `messages` as `dialogues.dump_messages` writes them; `asking` and `at` name the question
    that stood open (the draft's id, the question's name); `answers` and `subject` are of the mail it answers.

    Instead of messages: words by `template` and `values`, with a link `url` under the words `label`.
    """

    messages: str = ""
    asking: int = 0
    at: str = ""
    answers: str = ""
    subject: str = ""
    stop: bool = False
    template: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail of ours as it is remembered."""

    id: int
    tag: bytes
    person_id: int | None
    key: str
    delivery_id: int | None
    thread: str
    language: str
    state: str
    repeats: int
    attempts: int
    created_at: datetime
    body: Body

    def good(self, now: datetime) -> bool:
        """Whether an answer to it may still act."""
        return now < self.created_at + LIFE


_COLUMNS = ("id", "tag", "person_id", "key", "delivery_id", "thread", "language", "state", "repeats", "attempts",
            "created_at")  # fmt: skip
_LETTER = select(*(col(getattr(MailLetter, name)) for name in _COLUMNS), col(MailLetter.body))


def _letter(tx: Tx, row: Any) -> Letter:
    *values, sealed = row
    return Letter(**dict(zip(_COLUMNS, values, strict=True)), body=Body(**json.loads(tx.house.keys.open(sealed))))


def _sealed(tx: Tx, body: Body) -> bytes:
    return tx.house.keys.seal(json.dumps({name: getattr(body, name) for name in Body.__slots__}, ensure_ascii=False))


def add(
    tx: Tx, now: datetime, *, tag: bytes, key: str, body: Body, person_id: int | None = None,
    delivery_id: int | None = None, thread: str = "", language: str = "", state: str = "queued",
) -> Letter:  # fmt: skip
    """A new mail; an answer waits at once to be sent."""
    statement = insert(MailLetter).values(
        tag=tag, person_id=person_id, key=key, delivery_id=delivery_id, thread=thread[:60], language=language,
        body=_sealed(tx, body), state=state, repeats=0, attempts=0, due_at=now, created_at=now,
    )  # fmt: skip
    number = int(tx.run(statement.returning(col(MailLetter.id))).scalar_one())
    return Letter(number, tag, person_id, key, delivery_id, thread[:60], language, state, 0, 0, now, body)


def by_tag(tx: Tx, tag: bytes) -> Letter | None:
    row = tx.run(_LETTER.where(col(MailLetter.tag) == tag)).one_or_none()
    return _letter(tx, row) if row else None


def of_delivery(tx: Tx, delivery_id: int) -> Letter | None:
    row = tx.run(_LETTER.where(col(MailLetter.delivery_id) == delivery_id)).one_or_none()
    return _letter(tx, row) if row else None


def rewrite(tx: Tx, letter: Letter, body: Body) -> Letter:
    """Other words for a mail that has never left."""
    tx.run(update(MailLetter).where(col(MailLetter.id) == letter.id).values(body=_sealed(tx, body)))
    return replace(letter, body=body)


def leave(tx: Tx, tag: bytes) -> None:
    """Its last byte is about to leave. Where that was so before, nobody knows whether it arrived: it is repeated."""
    again = case((col(MailLetter.state) == "handed", 1), else_=0)
    tx.run(
        update(MailLetter)
        .where(col(MailLetter.tag) == tag)
        .values(state="handed", repeats=col(MailLetter.repeats) + again)
    )


def mark(tx: Tx, tag: bytes, state: str) -> None:
    """How far a mail has come: `accepted`, `bounced`, `failed`, `lost`; `made` where it was surely not taken.

    A bounce may be faster than our note that it was accepted.
    """
    tx.run(
        update(MailLetter).where(col(MailLetter.tag) == tag, col(MailLetter.state) != "bounced").values(state=state)
    )


def came_back(tx: Tx, now: datetime, delivery_id: int, reason: str) -> None:
    """What the next server had taken did not arrive after all, or is about to be written down as taken.

    An answer that came meanwhile stands.
    """
    tx.run(
        update(Delivery)
        .where(
            col(Delivery.id) == delivery_id, col(Delivery.state).in_(["sending", "accepted", "delivered", "unknown"])
        )
        .values(state="failed", reason=reason[:120], changed_at=now)
    )
    standby.ended(tx, now, [delivery_id])


# -- answers, which no campaign decided -----------------------------------------------------------------------


def due(tx: Tx, now: datetime, most: int = 50) -> list[Letter]:
    """The answers that wait to be sent; one that was interrupted is among them, once."""
    waits = and_(
        col(MailLetter.delivery_id).is_(None),
        col(MailLetter.state).in_(["queued", "handed"]),
        col(MailLetter.due_at) <= now,
    )
    rows = tx.run(_LETTER.where(waits).order_by(col(MailLetter.due_at), col(MailLetter.id)).limit(most))
    return [_letter(tx, row) for row in rows]


def put_off(tx: Tx, letter: Letter, until: datetime) -> None:
    """Try this answer again then."""
    tx.run(
        update(MailLetter)
        .where(col(MailLetter.id) == letter.id)
        .values(due_at=until, attempts=col(MailLetter.attempts) + 1)
    )


def after_restore(tx: Tx) -> int:
    """Nothing is sent twice: answers that waited when the backup was made may have left since; how many."""
    tx.run(update(MailLetter).where(col(MailLetter.state) == "handed").values(state="lost"))
    waiting = update(MailLetter).where(col(MailLetter.delivery_id).is_(None), col(MailLetter.state) == "queued")
    return tx.run(waiting.values(state="lost")).rowcount


def purge(tx: Tx, now: datetime) -> int:
    """Forget mails that nobody answers any more; how many."""
    return tx.run(delete(MailLetter).where(col(MailLetter.created_at) < now - KEEP)).rowcount
