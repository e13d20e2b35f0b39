"""Signing in: the six-digit codes that are sent over a bound channel."""

from __future__ import annotations

import hmac
from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlmodel import Field, col

from storage.base import Table
from storage.house import Tx


class SignIn(Table, table=True):
    """The code a person may sign in with now, by its digest; a new one takes its place."""

    __tablename__ = "sign_in"

    person_id: int = Field(primary_key=True, foreign_key="person.id")
    digest: bytes
    tries: int
    expires_at: datetime


def _digest(tx: Tx, person_id: int, code: str) -> bytes:
    return tx.house.keys.digest("sign-in code", person_id, code)


def put(tx: Tx, person_id: int, code: str, expires_at: datetime) -> None:
    """The code that is good from now on; the one before is not."""
    tx.lock("sign_in", person_id)
    tx.run(delete(SignIn).where(col(SignIn.person_id) == person_id))
    digest = _digest(tx, person_id, code)
    tx.run(insert(SignIn).values(person_id=person_id, digest=digest, tries=0, expires_at=expires_at))


def attempt(tx: Tx, now: datetime, person_id: int, code: str, most: int) -> bool:
    """Whether it is the person's code, which is used up then. At most so many tries for each code."""
    tx.lock("sign_in", person_id)
    good = (col(SignIn.person_id) == person_id, col(SignIn.expires_at) > now, col(SignIn.tries) < most)
    expected = tx.run(select(col(SignIn.digest)).where(*good)).scalar_one_or_none()
    if expected is None:
        return False
    if not hmac.compare_digest(expected, _digest(tx, person_id, code)):
        tx.run(update(SignIn).where(col(SignIn.person_id) == person_id).values(tries=col(SignIn.tries) + 1))
        return False
    tx.run(delete(SignIn).where(col(SignIn.person_id) == person_id))
    return True


def revoke(tx: Tx) -> int:
    """Make every code worthless; how many there were."""
    return tx.run(delete(SignIn)).rowcount
