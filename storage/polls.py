"""Polls: question, options, the frozen roll, and the votes of named polls.

A sealed poll will use the same poll, options and roll, with its envelopes in a box of its own beside
`poll_vote`; nothing here joins a vote to a roll entry but the pair (poll, person).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, String, and_, bindparam, cast, delete, exists, func, insert, or_, select, text, update
from sqlmodel import Field, col

from storage.base import Table
from storage.house import Tx
from storage.people import Person
from storage.prepared import Prepared, upsert


class Poll(Table, table=True):
    id: int | None = Field(default=None, primary_key=True)
    organisation_id: int = Field(foreign_key="organisation.id", index=True)
    author_id: int | None = Field(default=None, foreign_key="person.id")
    title: str = Field(max_length=200)
    rule: str = Field(max_length=30)
    secret: bool
    electorate: str
    choose_min: int
    choose_max: int
    opens_at: datetime
    closes_at: datetime
    closed_at: datetime | None = None
    show_turnout: bool = True
    on_people: bool = Field(default=False, sa_column_kwargs={"server_default": text("false")})
    """Whether an option is the name of somebody in the house."""
    state: str = Field(max_length=10, index=True)
    """`draft`, `open`, `closed` or `void`."""
    result: str | None = None
    created_at: datetime


class PollOption(Table, table=True):
    __tablename__ = "poll_option"

    poll_id: int = Field(foreign_key="poll.id", primary_key=True)
    place: int = Field(primary_key=True)
    label: str = Field(max_length=200)


class PollRoll(Table, table=True):
    """Who may vote, frozen at the opening."""

    __tablename__ = "poll_roll"

    poll_id: int = Field(foreign_key="poll.id", primary_key=True)
    person_id: int = Field(foreign_key="person.id", primary_key=True, index=True)


class PollVote(Table, table=True):
    """A named vote: the places chosen, `1,3`. `marking` is what is marked and not yet handed in."""

    __tablename__ = "poll_vote"

    poll_id: int = Field(foreign_key="poll.id", primary_key=True)
    person_id: int = Field(foreign_key="person.id", primary_key=True)
    choice: str | None = None
    marking: str | None = None
    voted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ballot:
    """A poll and its options (labels by place, from 1)."""

    id: int
    organisation_id: int
    author_id: int | None
    title: str
    rule: str
    secret: bool
    electorate: str
    choose_min: int
    choose_max: int
    opens_at: datetime
    closes_at: datetime
    closed_at: datetime | None
    show_turnout: bool
    on_people: bool
    state: str
    options: tuple[str, ...] = ()

    @property
    def several(self) -> bool:
        return self.choose_max > 1


@dataclass(frozen=True, slots=True)
class Stand:
    """Where a person stands in a poll: the places handed in (None: not voted), the places marked."""

    choice: tuple[int, ...] | None
    marking: tuple[int, ...]


_COLUMNS = [name for name in Ballot.__slots__ if name != "options"]
_POLL = select(*(col(getattr(Poll, name)) for name in _COLUMNS))
_LABELS = (
    select(col(PollOption.label))
    .where(col(PollOption.poll_id) == bindparam("poll_id"))
    .order_by(col(PollOption.place))
    .subquery()
)


def _with_options(*others: Any, gather: Any) -> Select[Any]:
    """A poll, the labels of its options in their order as JSON, and what else is wanted."""
    labels = select(cast(gather(_LABELS.c.label), String)).scalar_subquery()
    return _POLL.add_columns(labels, *others).where(col(Poll.id) == bindparam("poll_id"))


def _standing(gather: Any) -> Select[Any]:
    """The same, and where a person stands in it: on the roll, handed in, marked."""
    on_roll = and_(col(PollRoll.poll_id) == col(Poll.id), col(PollRoll.person_id) == bindparam("person_id"))
    voted = and_(col(PollVote.poll_id) == col(Poll.id), col(PollVote.person_id) == col(PollRoll.person_id))
    found = (col(PollRoll.person_id), col(PollVote.choice), col(PollVote.marking))
    return _with_options(*found, gather=gather).outerjoin(PollRoll, on_roll).outerjoin(PollVote, voted)


_GET = Prepared(_with_options(gather=func.json_group_array), postgres=_with_options(gather=func.json_agg))
_LOOK = Prepared(_standing(func.json_group_array), postgres=_standing(func.json_agg))


@lru_cache(256)
def _ballot(*row: Any) -> Ballot:
    """A row as a poll. The same row is the same poll: what is written of it once need not be written again."""
    return Ballot(*(*row[:-1], tuple(json.loads(row[-1]))))


def add(tx: Tx, now: datetime, options: Sequence[str], **values: Any) -> int:
    """A new poll in state `draft`; its id."""
    named = {label for option in options for label in (option, re.split(r"[\s（(，,、·]", option)[0])}
    on_people = tx.run(select(exists().where(col(Person.name).in_(named)))).scalar_one()
    statement = insert(Poll).values(**values, on_people=on_people, state="draft", created_at=now)
    poll_id = int(tx.run(statement.returning(col(Poll.id))).scalar_one())
    rows = [{"poll_id": poll_id, "place": place, "label": label} for place, label in enumerate(options, 1)]
    tx.run(insert(PollOption), rows)
    return poll_id


def get(tx: Tx, poll_id: int) -> Ballot | None:
    row = tx.row(_GET, poll_id=poll_id)
    return _ballot(*row) if row else None


def look(tx: Tx, poll_id: int, person_id: int) -> tuple[Ballot | None, Stand | None]:
    """A poll, and where a person stands in it; None: no such poll, not on its roll. It runs at every tap."""
    row = tx.row(_LOOK, poll_id=poll_id, person_id=person_id)
    if row is None:
        return None, None
    on_roll, choice, marking = row[-3:]
    return _ballot(*row[:-3]), None if on_roll is None else Stand(_places(choice), _places(marking) or ())


def listed(tx: Tx, *conditions: Any) -> list[Ballot]:
    """Polls, newest first, with their options."""
    ids = tx.run(select(col(Poll.id)).where(*conditions).order_by(col(Poll.id).desc())).scalars()
    return [poll for poll_id in list(ids) if (poll := get(tx, poll_id))]


def open_for(tx: Tx, person_id: int) -> list[Ballot]:
    """The open polls on whose roll a person stands, those that close first first."""
    ids = select(col(PollRoll.poll_id)).where(col(PollRoll.person_id) == person_id)
    return sorted(listed(tx, col(Poll.state) == "open", col(Poll.id).in_(ids)), key=lambda p: p.closes_at)


def open_from(tx: Tx, org_ids: Sequence[int]) -> list[Ballot]:
    """The open polls of some organisations, and those on whose roll somebody of theirs stands; newest first."""
    theirs = (
        select(col(PollRoll.poll_id))
        .join(Person, col(Person.id) == col(PollRoll.person_id))
        .where(col(PollRoll.poll_id) == col(Poll.id), col(Person.organisation_id).in_(org_ids))
    )
    mine = or_(col(Poll.organisation_id).in_(org_ids), theirs.correlate(Poll).exists())
    return listed(tx, col(Poll.state) == "open", mine)


def to_close(tx: Tx, now: datetime) -> list[Ballot]:
    return listed(tx, col(Poll.state) == "open", col(Poll.closes_at) <= now)


def closing(tx: Tx, after: datetime, until: datetime) -> list[Ballot]:
    """Open polls that close in between, with their options."""
    return listed(tx, col(Poll.state) == "open", col(Poll.closes_at) > after, col(Poll.closes_at) <= until)


def to_open(tx: Tx, now: datetime) -> list[Ballot]:
    """Drafts whose opening time has come and which have been released by writing their roll."""
    rolled = select(col(PollRoll.poll_id)).distinct()
    return listed(tx, col(Poll.state) == "draft", col(Poll.opens_at) <= now, col(Poll.id).in_(rolled))


def set_state(tx: Tx, poll_id: int, state: str, *, was: str, **values: Any) -> bool:
    """Move a poll on; whether it was still in the state it was thought to be in."""
    statement = update(Poll).where(col(Poll.id) == poll_id, col(Poll.state) == was).values(state=state, **values)
    return bool(tx.run(statement).rowcount)


def close(tx: Tx, now: datetime, poll_id: int, counted: dict[str, Any]) -> bool:
    """Close with this result; whether it was still open."""
    kept = json.dumps(counted, ensure_ascii=False)
    return set_state(tx, poll_id, "closed", was="open", closed_at=now, result=kept)


def write_roll(tx: Tx, poll_id: int, people: Sequence[int]) -> None:
    rows = [{"poll_id": poll_id, "person_id": person} for person in people]
    for at in range(0, len(rows), 5000):
        tx.run(insert(PollRoll), rows[at : at + 5000])


def roll(tx: Tx, poll_id: int) -> list[int]:
    return list(tx.run(select(col(PollRoll.person_id)).where(col(PollRoll.poll_id) == poll_id)).scalars())


_VOTE = upsert(PollVote, ["poll_id", "person_id"], "choice", "marking", "voted_at")
_MARK = upsert(PollVote, ["poll_id", "person_id"], "marking")


@lru_cache(256)
def _places(kept: str | None) -> tuple[int, ...] | None:
    return None if kept is None else tuple(int(place) for place in kept.split(",") if place)


def vote(tx: Tx, now: datetime, poll_id: int, person_id: int, places: Sequence[int]) -> None:
    """Hand a vote in; the last one counts."""
    choice = ",".join(map(str, places))
    tx.rows(_VOTE, poll_id=poll_id, person_id=person_id, choice=choice, marking=None, voted_at=now)


def mark(tx: Tx, poll_id: int, person_id: int, places: Sequence[int]) -> None:
    """Remember marks that are not handed in yet."""
    tx.rows(_MARK, poll_id=poll_id, person_id=person_id, marking=",".join(map(str, places)))


def turnout(tx: Tx, poll_id: int) -> tuple[int, int]:
    """How many have voted, of how many."""
    voted = select(func.count()).where(col(PollVote.poll_id) == poll_id, col(PollVote.choice).is_not(None))
    expected = select(func.count()).where(col(PollRoll.poll_id) == poll_id)
    return int(tx.run(voted).scalar_one()), int(tx.run(expected).scalar_one())


def voters(tx: Tx, poll_id: int) -> set[int]:
    statement = select(col(PollVote.person_id)).where(
        col(PollVote.poll_id) == poll_id, col(PollVote.choice).is_not(None)
    )
    return set(tx.run(statement).scalars())


def choices(tx: Tx, poll_id: int) -> list[tuple[int, tuple[int, ...]]]:
    """Every vote handed in: (person, places)."""
    statement = select(col(PollVote.person_id), col(PollVote.choice)).where(
        col(PollVote.poll_id) == poll_id, col(PollVote.choice).is_not(None)
    )
    return [(row.person_id, _places(row.choice) or ()) for row in tx.run(statement)]


def result(tx: Tx, poll_id: int) -> dict[str, Any] | None:
    kept = tx.run(select(col(Poll.result)).where(col(Poll.id) == poll_id)).scalar_one_or_none()
    return json.loads(kept) if kept else None


def remove_draft(tx: Tx, poll_id: int) -> None:
    tx.run(delete(PollOption).where(col(PollOption.poll_id) == poll_id))
    tx.run(delete(Poll).where(col(Poll.id) == poll_id, col(Poll.state) == "draft"))
