"""Cards: what is on its way to a member of WeCom, what stands in their chat, and what may still be changed there.

WeCom sends one and the same JSON only once within some hours, if asked to. So the JSON is kept before it leaves: what
was in doubt is sent again as it was. Every body and every code is sealed; after three days the row is gone.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlmodel import Field, col

from storage.base import Table
from storage.house import Tx

KEEP = timedelta(hours=72)
"""How long a card can be changed (November 2026), and how long a code for that is good."""
LEASE = timedelta(seconds=30)
"""How long somebody may take to send an answer; then it is sent again, as it was."""

Json = Mapping[str, Any]


class Card(Table, table=True):
    task_id: str = Field(primary_key=True, max_length=60)
    key: str = Field(max_length=120)
    delivery: int | None = Field(default=None, unique=True)
    """None: the answer to something that its reader said or pressed."""
    body: bytes
    """Sealed JSON: the calls it takes, the words that its reader has seen, how the card looks now."""
    code: bytes | None = None
    """Sealed: permission for one change."""
    code_until: datetime | None = None
    msgid: bytes | None = None
    """Sealed: WeCom's own ids, by which it is taken back, one a line."""
    waiting: bool = Field(default=False, index=True)
    """An answer that has not been sent yet."""
    booked: bool = False
    """Its place among the member's messages of this minute is taken already."""
    doubt: bool = False
    """It may have arrived."""
    due_at: datetime
    made_at: datetime = Field(index=True)


@dataclass(frozen=True, slots=True)
class Kept:
    """What was sent, or will be. `posts`: the calls, in their order; the last is the card, if there is one."""

    task_id: str
    key: str
    posts: Sequence[Json]
    shown: str
    look: Json | None
    booked: bool
    doubt: bool
    made_at: datetime


_KEPT = select(
    col(Card.task_id), col(Card.key), col(Card.body), col(Card.booked), col(Card.doubt), col(Card.made_at)
)  # fmt: skip


def _kept(tx: Tx, row: Any) -> Kept:
    posts, shown, look = json.loads(tx.house.keys.open(row.body))
    return Kept(row.task_id, row.key, posts, shown, look, row.booked, row.doubt, row.made_at)


def _body(tx: Tx, posts: Sequence[Json], shown: str, look: Json | None) -> bytes:
    return tx.house.keys.seal(json.dumps([posts, shown, look], ensure_ascii=False, separators=(",", ":")))


def add(
    tx: Tx, now: datetime, task_id: str, key: str, posts: Sequence[Json], shown: str, look: Json | None, *,
    delivery: int | None = None, booked: bool = False, due_at: datetime | None = None,
) -> None:  # fmt: skip
    """Keep what is about to be sent. Without a delivery it is an answer, and waits for `claim`."""
    tx.run(
        insert(Card).values(
            task_id=task_id, key=key, delivery=delivery, body=_body(tx, posts, shown, look), code=None,
            code_until=None, msgid=None, waiting=delivery is None, booked=booked, doubt=False, due_at=due_at or now,
            made_at=now,
        )
    )  # fmt: skip


def get(tx: Tx, task_id: str) -> Kept | None:
    row = tx.run(_KEPT.where(col(Card.task_id) == task_id)).one_or_none()
    return _kept(tx, row) if row else None


def of_delivery(tx: Tx, delivery: int) -> Kept | None:
    """What was kept when this delivery was to be sent before."""
    row = tx.run(_KEPT.where(col(Card.delivery) == delivery)).one_or_none()
    return _kept(tx, row) if row else None


def claim(tx: Tx, now: datetime, most: int, busy: Collection[str] = ()) -> list[Kept]:
    """Answers that are due, oldest first, none to a member who is `busy`; for `LEASE` nobody else gets them."""
    waiting = select(col(Card.task_id)).where(col(Card.due_at) <= now, *_waiting(busy))
    waiting = waiting.order_by(col(Card.made_at), col(Card.task_id)).limit(most)
    ids = list(tx.run(waiting.with_for_update(skip_locked=True) if tx.postgres else waiting).scalars())
    if not ids:
        return []
    tx.run(update(Card).where(col(Card.task_id).in_(ids)).values(due_at=now + LEASE))
    rows = tx.run(_KEPT.where(col(Card.task_id).in_(ids)).order_by(col(Card.made_at), col(Card.task_id)))
    return [_kept(tx, row) for row in rows]


def next_due(tx: Tx, busy: Collection[str] = ()) -> datetime | None:
    """When the next answer falls due, but for members who are `busy`; None: none waits."""
    found: datetime | None = tx.run(select(func.min(col(Card.due_at))).where(*_waiting(busy))).scalar_one()
    return found


def _waiting(busy: Collection[str]) -> list[ColumnElement[bool]]:
    waiting: list[ColumnElement[bool]] = [col(Card.waiting).is_(True)]
    return [*waiting, col(Card.key).not_in(sorted(busy))] if busy else waiting


def leaves(tx: Tx, task_id: str) -> None:
    """It leaves now: until somebody says what became of it, it may have arrived."""
    tx.run(update(Card).where(col(Card.task_id) == task_id).values(doubt=True, booked=True))


def refused(tx: Tx, task_id: str) -> None:
    """It has certainly not arrived."""
    tx.run(update(Card).where(col(Card.task_id) == task_id).values(doubt=False))


def put_off(tx: Tx, task_ids: Sequence[str], again_at: datetime) -> None:
    """Answers that are tried again then, as they are."""
    tx.run(update(Card).where(col(Card.task_id).in_(list(task_ids))).values(due_at=again_at))


def give_up(tx: Tx, task_id: str) -> None:
    """An answer that is tried no more."""
    tx.run(update(Card).where(col(Card.task_id) == task_id).values(waiting=False))


def take_over(tx: Tx, now: datetime) -> None:
    """Whoever had claimed answers is dead: they are due."""
    tx.run(update(Card).where(col(Card.waiting).is_(True), col(Card.due_at) > now).values(due_at=now))


def sent(tx: Tx, now: datetime, task_id: str, msgids: Sequence[str], code: str) -> None:
    """It was accepted, in so many parts."""
    keys = tx.house.keys
    new: dict[str, Any] = {"waiting": False, "doubt": False, "msgid": keys.seal("\n".join(msgids))}
    if code:
        new |= {"code": keys.seal(code), "code_until": now + KEEP}
    tx.run(update(Card).where(col(Card.task_id) == task_id).values(new))


def keep_code(tx: Tx, now: datetime, task_id: str, code: str) -> None:
    """A tap brought permission for a change; the one before may be older."""
    sealed = tx.house.keys.seal(code)
    tx.run(update(Card).where(col(Card.task_id) == task_id).values(code=sealed, code_until=now + KEEP))


def take_code(tx: Tx, now: datetime, task_id: str) -> str | None:
    """Permission for one change, which is used up by taking it."""
    where = (col(Card.task_id) == task_id, col(Card.code_until) > now)
    tx.lock("card", task_id)
    code = tx.run(select(col(Card.code)).where(*where)).scalar_one_or_none()
    if code is None:
        return None
    tx.run(update(Card).where(col(Card.task_id) == task_id).values(code=None, code_until=None))
    return tx.house.keys.open(code)


def changed(tx: Tx, kept: Kept, shown: str, look: Json | None) -> None:
    """The card looks otherwise now, and its reader has seen these words as well."""
    seen = shown if shown in kept.shown else f"{kept.shown}\n{shown}"
    tx.run(
        update(Card).where(col(Card.task_id) == kept.task_id).values(body=_body(tx, kept.posts, seen[-20_000:], look))
    )


def message_ids(tx: Tx, task_id: str) -> list[str]:
    """WeCom's own ids of what was sent, one for each part."""
    sealed = tx.run(select(col(Card.msgid)).where(col(Card.task_id) == task_id)).scalar_one_or_none()
    return tx.house.keys.open(sealed).split() if sealed else []


def count_since(tx: Tx, since: datetime) -> int:
    """How many messages and cards have left since then (as far back as they are kept)."""
    statement = select(func.count()).select_from(Card)
    return int(tx.run(statement.where(col(Card.made_at) >= since, col(Card.msgid).is_not(None))).scalar_one())


def purge(tx: Tx, now: datetime) -> int:
    """Remove what cannot be changed any more; how many."""
    return tx.run(delete(Card).where(col(Card.made_at) < now - KEEP)).rowcount
