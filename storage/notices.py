"""Notices: what was written, for whom, and who has confirmed it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import Field, col

from bot.core.event import Address
from storage.addresses import Binding
from storage.base import Table, unpack_ids
from storage.campaigns import ARRIVED, Campaign, Delivery
from storage.house import Tx
from storage.organisations import Organisation
from storage.prepared import Prepared

KIND = "notice"
"""The kind of the campaigns about a notice: the first is the notice itself, the others are nudges."""


class Notice(Table, table=True):
    id: int | None = Field(default=None, primary_key=True)
    organisation_id: int = Field(foreign_key="organisation.id", index=True)
    author_id: int | None = Field(default=None, foreign_key="person.id")
    author_name: str = Field(max_length=60)
    title: str = Field(max_length=200)
    body: str
    scope: str
    ask_ack: bool
    at: datetime
    created_at: datetime
    cancelled_at: datetime | None = None
    edited_at: datetime | None = None
    recalled: bool = False
    """Taken back even where it had arrived, as far as the channels allow."""
    attachments: int = 0
    """How many files belong to it; most have none, and are composed without looking."""


class NoticeAck(Table, table=True):
    __tablename__ = "notice_ack"

    notice_id: int = Field(foreign_key="notice.id", primary_key=True)
    person_id: int = Field(foreign_key="person.id", primary_key=True)
    at: datetime
    channel: str = Field(max_length=20)


@dataclass(frozen=True, slots=True)
class Written:
    """A notice."""

    id: int
    organisation_id: int
    author_id: int | None
    author_name: str
    title: str
    body: str
    scope: str
    ask_ack: bool
    at: datetime
    cancelled_at: datetime | None
    edited_at: datetime | None
    recalled: bool
    attachments: int


_NOTICE = select(*(col(getattr(Notice, name)) for name in Written.__slots__))


def add(tx: Tx, now: datetime, **values: Any) -> int:
    statement = insert(Notice).values(**values, created_at=now).returning(col(Notice.id))
    return int(tx.run(statement).scalar_one())


def get(tx: Tx, notice_id: int) -> Written | None:
    row = tx.run(_NOTICE.where(col(Notice.id) == notice_id)).one_or_none()
    return Written(*row) if row else None


def listed(tx: Tx, organisation_ids: Sequence[int] | None = None, *, limit: int = 50) -> list[Written]:
    """Notices, newest first."""
    statement = _NOTICE.order_by(col(Notice.id).desc()).limit(limit)
    if organisation_ids is not None:
        statement = statement.where(col(Notice.organisation_id).in_(list(organisation_ids)))
    return [Written(*row) for row in tx.run(statement)]


def acknowledge(tx: Tx, now: datetime, notice_id: int, person_id: int, channel: str) -> bool:
    """Confirm; whether it was the first time."""
    add_once = postgres_insert if tx.postgres else sqlite_insert
    statement = add_once(NoticeAck).values(notice_id=notice_id, person_id=person_id, at=now, channel=channel)
    return bool(tx.run(statement.on_conflict_do_nothing()).rowcount)


def acknowledgements(tx: Tx, notice_id: int) -> dict[int, datetime]:
    """Who has confirmed, and when."""
    statement = select(col(NoticeAck.person_id), col(NoticeAck.at)).where(col(NoticeAck.notice_id) == notice_id)
    return {row.person_id: row.at for row in tx.run(statement)}


def cancel(tx: Tx, now: datetime, notice_id: int, *, recalled: bool = False) -> None:
    tx.run(update(Notice).where(col(Notice.id) == notice_id).values(cancelled_at=now, recalled=recalled))


def edit(tx: Tx, now: datetime, notice_id: int, title: str, body: str) -> None:
    tx.run(update(Notice).where(col(Notice.id) == notice_id).values(title=title, body=body, edited_at=now))


def waiting_since(tx: Tx, after: datetime, until: datetime) -> list[Written]:
    """Notices that ask to be confirmed and went out in this time, without those that were taken back."""
    asking = and_(col(Notice.ask_ack), col(Notice.cancelled_at).is_(None))
    statement = _NOTICE.where(asking, col(Notice.at) > after, col(Notice.at) <= until)
    return [Written(*row) for row in tx.run(statement.order_by(col(Notice.id)))]


def channels_of(tx: Tx, campaign_ids: Sequence[int]) -> dict[int, set[str]]:
    """By person: the channels on which a copy of these campaigns has arrived."""
    found: dict[int, set[str]] = {}
    statement = select(col(Delivery.person_id), col(Delivery.channel)).where(
        col(Delivery.campaign_id).in_(list(campaign_ids)), col(Delivery.state).in_(ARRIVED)
    )
    for person, channel in tx.run(statement):
        found.setdefault(person, set()).add(channel)
    return found


def tally(tx: Tx, notice_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """How many have confirmed each of these, of how many it was sent to."""
    confirmed = (
        select(col(NoticeAck.notice_id), func.count())
        .where(col(NoticeAck.notice_id).in_(list(notice_ids)))
        .group_by(col(NoticeAck.notice_id))
    )
    firsts = (
        select(func.min(col(Campaign.id)))
        .where(col(Campaign.kind) == KIND, col(Campaign.subject).in_(list(notice_ids)))
        .group_by(col(Campaign.subject))
    )
    totals = select(col(Campaign.subject), col(Campaign.total)).where(col(Campaign.id).in_(firsts))
    done = {row[0]: row[1] for row in tx.run(confirmed)}
    return {row[0]: (done.get(row[0], 0), row[1]) for row in tx.run(totals)}


# -- its campaigns ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sending:
    """One campaign about a notice. The first `expanded` of its recipients have deliveries."""

    nudge: bool
    id: int
    state: str
    total: int
    expanded: int
    channels: str
    created_at: datetime


def sendings(tx: Tx, notice_id: int) -> list[Sending]:
    """The campaigns about a notice, oldest first."""
    statement = select(
        col(Campaign.values), col(Campaign.id), col(Campaign.state), col(Campaign.total), col(Campaign.expanded),
        col(Campaign.channels), col(Campaign.created_at),
    ).where(col(Campaign.kind) == KIND, col(Campaign.subject) == notice_id)  # fmt: skip
    rows = tx.run(statement.order_by(col(Campaign.id)))
    return [Sending(bool(json.loads(row[0]).get("nudge")), *row[1:]) for row in rows]


def copies(tx: Tx, campaign_ids: Sequence[int]) -> list[tuple[int, str, str]]:
    """(person, state, reason) of every delivery of these campaigns."""
    statement = select(col(Delivery.person_id), col(Delivery.state), col(Delivery.reason))
    return [tuple(row) for row in tx.run(statement.where(col(Delivery.campaign_id).in_(list(campaign_ids))))]


def skipped(tx: Tx, campaign_id: int, state: str = "skipped") -> dict[tuple[str, str], int]:
    """How many copies of a campaign were not sent, or have another state, by channel and reason."""
    statement = select(col(Delivery.channel), col(Delivery.reason), func.count()).where(
        col(Delivery.campaign_id) == campaign_id, col(Delivery.state) == state
    )
    rows = tx.run(statement.group_by(col(Delivery.channel), col(Delivery.reason)))
    return {(row[0], row[1]): row[2] for row in rows}


def others_stand_by(tx: Tx, notice_id: int) -> set[int]:
    """Those whose next address will have its turn if they stay silent."""
    statement = (
        select(col(Delivery.person_id))
        .join(Campaign, col(Campaign.id) == col(Delivery.campaign_id))
        .where(col(Campaign.kind) == KIND, col(Campaign.subject) == notice_id, col(Delivery.state) == "standby")
    )
    return set(tx.run(statement.distinct()).scalars())


def stands_by(tx: Tx, notice_id: int, person_id: int) -> bool:
    """Whether another address of a person will have its turn if they stay silent."""
    statement = (
        select(col(Delivery.id))
        .join(Campaign, col(Campaign.id) == col(Delivery.campaign_id))
        .where(col(Delivery.person_id) == person_id, col(Delivery.state) == "standby")
        .where(col(Campaign.kind) == KIND, col(Campaign.subject) == notice_id)
    )
    return tx.run(statement.limit(1)).first() is not None


def end_standby(
    tx: Tx, now: datetime, campaign_ids: Sequence[int], people: Sequence[int] | None = None
) -> None:  # fmt: skip
    """No other address of these people (None: of anybody) has its turn any more: the silent are reminded."""
    statement = update(Delivery).where(
        col(Delivery.campaign_id).in_(list(campaign_ids)), col(Delivery.state) == "standby"
    )
    statement = statement.values(state="skipped", reason="reminded instead", changed_at=now)
    if people is None:
        tx.run(statement)
        return
    for at in range(0, len(people), 500):
        tx.run(statement.where(col(Delivery.person_id).in_(list(people[at : at + 500]))))


def skip_needless(tx: Tx, now: datetime, notice_id: int, campaign_ids: Sequence[int]) -> int:
    """Take out of the queue what goes to people who have confirmed, or to addresses they have let go; how many."""
    answered = select(col(NoticeAck.person_id)).where(col(NoticeAck.notice_id) == notice_id)
    still_theirs = select(col(Binding.id)).where(
        col(Binding.person_id) == col(Delivery.person_id), col(Binding.channel) == col(Delivery.channel),
        col(Binding.key) == col(Delivery.key),
    ).correlate(Delivery).exists()  # fmt: skip
    statement = update(Delivery).where(
        col(Delivery.campaign_id).in_(list(campaign_ids)),
        or_(col(Delivery.person_id).in_(answered), ~still_theirs),
    )
    needless = {"state": "skipped", "reason": "no longer due", "changed_at": now}
    tx.run(statement.where(col(Delivery.state) == "standby").values(needless))
    return tx.run(statement.where(col(Delivery.state) == "queued").values(needless)).rowcount


def up_to_date(tx: Tx, campaign_ids: Sequence[int], person_id: int, at: Address) -> None:
    """The copies at this address show how things stand already: the answer to a press has taken their place."""
    statement = update(Delivery).where(
        col(Delivery.campaign_id).in_(list(campaign_ids)), col(Delivery.person_id) == person_id,
        col(Delivery.channel) == at.channel, col(Delivery.key) == at.key,
    )  # fmt: skip
    tx.run(statement.values(revise=False))


# -- as one recipient sees it -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Letter:
    """A notice as one person reads it: from which organisation, and when they confirmed it."""

    notice: Written
    organisation: str
    confirmed_at: datetime | None

    @property
    def pending(self) -> bool:
        """Whether it waits for this person's word."""
        return self.notice.ask_ack and self.confirmed_at is None and self.notice.cancelled_at is None


_LETTER = (
    _NOTICE.add_columns(col(Organisation.name), col(NoticeAck.at))
    .join(Organisation, col(Organisation.id) == col(Notice.organisation_id))
    .outerjoin(
        NoticeAck, and_(col(NoticeAck.notice_id) == col(Notice.id), col(NoticeAck.person_id) == bindparam("reader"))
    )
)
_ONE_LETTER = Prepared(_LETTER.where(col(Notice.id) == bindparam("notice")))  # once for every delivery


def _letter(row: Sequence[Any]) -> Letter:
    return Letter(Written(*row[:-2]), row[-2], row[-1])


def letter(tx: Tx, notice_id: int, person_id: int) -> Letter | None:
    """A notice as a person would read it, whether or not it was sent to them."""
    row = tx.row(_ONE_LETTER, notice=notice_id, reader=person_id)
    return _letter(row) if row else None


def received(tx: Tx, now: datetime, person_id: int, *, older_than: Written | None = None, most: int = 50,
             pending: bool | None = None) -> list[Letter]:  # fmt: skip
    """What a person was sent, newest first; with `pending` only what (not) waits for their word."""
    mine = (
        select(col(Campaign.subject))
        .join(Delivery, col(Delivery.campaign_id) == col(Campaign.id))
        .where(col(Delivery.person_id) == person_id, col(Delivery.state) != "cancelled", col(Campaign.kind) == KIND)
    )
    waits = and_(col(Notice.ask_ack), col(NoticeAck.at).is_(None), col(Notice.cancelled_at).is_(None))
    statement = _LETTER.where(or_(col(Notice.id).in_(mine), col(Notice.id).in_(_unwritten(tx, now, person_id))))
    if pending is not None:
        statement = statement.where(waits if pending else ~waits)
    if older_than is not None:
        same = and_(col(Notice.at) == older_than.at, col(Notice.id) < older_than.id)
        statement = statement.where(or_(col(Notice.at) < older_than.at, same))
    statement = statement.order_by(col(Notice.at).desc(), col(Notice.id).desc()).limit(most)
    return [_letter(row) for row in tx.run(statement, {"reader": person_id})]


def was_sent_to(tx: Tx, now: datetime, notice_id: int, person_id: int) -> bool:
    """Whether a person is a recipient of what has been sent."""
    statement = (
        select(col(Delivery.id))
        .join(Campaign, col(Campaign.id) == col(Delivery.campaign_id))
        .where(col(Delivery.person_id) == person_id, col(Delivery.state) != "cancelled")
        .where(col(Campaign.kind) == KIND, col(Campaign.subject) == notice_id)
    )
    return tx.run(statement.limit(1)).first() is not None or notice_id in _unwritten(tx, now, person_id, notice_id)


def has_copy(tx: Tx, campaign_id: int, person_id: int) -> bool:
    """Whether a copy of this campaign has reached a person."""
    statement = select(col(Delivery.id)).where(
        col(Delivery.campaign_id) == campaign_id, col(Delivery.person_id) == person_id,
        col(Delivery.state).in_(ARRIVED),
    )  # fmt: skip
    return tx.run(statement.limit(1)).first() is not None


def _unwritten(tx: Tx, now: datetime, person_id: int, notice_id: int | None = None) -> set[int]:
    """Notices on their way to a person without deliveries yet: for seconds, and mostly none."""
    statement = select(col(Campaign.subject), col(Campaign.people)).where(
        col(Campaign.state) == "waiting", col(Campaign.kind) == KIND, col(Campaign.due_at) <= now
    )
    if notice_id is not None:
        statement = statement.where(col(Campaign.subject) == notice_id)
    return {subject for subject, people in tx.run(statement) if person_id in unpack_ids(people)}
