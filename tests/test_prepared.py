"""Does a prepared statement see and say what any other does, only sooner?"""

from __future__ import annotations

import pytest
from sqlalchemy import bindparam, insert, select
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from storage.people import Person
from storage.polls import Poll, PollVote
from storage.prepared import Prepared, upsert
from storage.web import WebSession
from tests.people import House
from tests.polls import open_poll

_POLL = select(col(Poll.id), col(Poll.secret), col(Poll.closes_at), col(Poll.title), col(Poll.closed_at)).where(
    col(Poll.id) == bindparam("poll")
)


def test_a_row_is_the_same_as_sqlalchemy_gives_it(house_on: House) -> None:
    poll = open_poll(house_on, hours=3)
    with house_on.app.database.read() as tx:
        plain = tuple(tx.run(_POLL, {"poll": poll}).one())
        assert tx.row(Prepared(_POLL), poll=poll) == plain
        assert plain[2].utcoffset() is not None
        assert tx.row(Prepared(_POLL), poll=poll + 1) is None
        assert tx.rows(Prepared(_POLL), poll=poll + 1) == []


def test_an_upsert_writes_and_overwrites(house_on: House) -> None:
    poll = open_poll(house_on)
    wang, sun = house_on.ids["王芳"], house_on.ids["孙明"]
    mark = upsert(PollVote, ["poll_id", "person_id"], "marking", "voted_at")
    choices = select(col(PollVote.person_id), col(PollVote.marking), col(PollVote.voted_at))
    with house_on.app.database.write() as tx:
        tx.rows(mark, poll_id=poll, person_id=wang, marking="1", voted_at=None)
        tx.rows(mark, poll_id=poll, person_id=wang, marking="2", voted_at=house_on.now)
        tx.many(mark, [{"poll_id": poll, "person_id": sun, "marking": "3", "voted_at": None}])
        found = sorted(tuple(row) for row in tx.run(choices))
    assert found == sorted([(wang, "2", house_on.now), (sun, "3", None)])


def test_an_error_is_sqlalchemys_and_tells_no_values(house_on: House) -> None:
    again = Prepared(insert(WebSession).values(digest=bindparam("secret")), columns=[])
    with pytest.raises(IntegrityError) as raised, house_on.app.database.write() as tx:
        tx.rows(again, secret=b"do not tell")
    assert "do not tell" not in str(raised.value)


def test_what_fails_in_a_savepoint_is_undone_and_the_rest_stands(house_on: House) -> None:
    poll = open_poll(house_on)
    wang = house_on.ids["王芳"]
    mark = upsert(PollVote, ["poll_id", "person_id"], "marking")
    with house_on.app.database.write() as tx:
        tx.rows(mark, poll_id=poll, person_id=wang, marking="1")
        with pytest.raises(IntegrityError), tx.savepoint():
            tx.many(mark, [{"poll_id": poll, "person_id": who, "marking": "2"} for who in (wang, None)])
        assert tx.run(select(col(PollVote.marking))).scalar_one() == "1"


def test_a_value_that_is_missing_is_a_mistake(house: House) -> None:
    with house.app.database.read() as tx, pytest.raises(KeyError):
        tx.rows(Prepared(_POLL))


def test_a_list_cannot_be_prepared(house: House) -> None:
    several = Prepared(select(col(Person.id)).where(col(Person.id).in_([1, 2])))
    with house.app.database.read() as tx, pytest.raises(TypeError, match="list"):
        tx.rows(several)
