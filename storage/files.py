"""Files: what people have handed in, sealed, each with its owner and what it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import String, and_, bindparam, cast, delete, func, insert, literal, select, update
from sqlmodel import Field, Index, col

from storage.base import Table
from storage.dialogues import OpenDraft
from storage.house import Tx
from storage.prepared import Prepared

KEEP_LOOSE = timedelta(days=3)
"""How long a file is kept that has come to belong to nothing; longer only while its owner has a draft open."""


class StoredFile(Table, table=True):
    """A file. Its name and its content are sealed; nothing about it can be read without the key but its size."""

    __tablename__ = "stored_file"
    __table_args__ = (Index("ix_stored_file_subject", "subject_kind", "subject_id"),)

    id: int | None = Field(default=None, primary_key=True)
    owner_id: int | None = Field(default=None, foreign_key="person.id", index=True)
    """Who handed it in; None: the operator."""
    subject_kind: str = Field(default="", max_length=20)
    """What it belongs to (`report`, `notice`), and which of those; empty: nothing yet."""
    subject_id: int = 0
    kind: str = Field(max_length=8)
    """`pdf`, `docx`, `jpg` …, recognised by its content."""
    size: int
    name: bytes
    body: bytes
    created_at: datetime = Field(index=True)


@dataclass(frozen=True, slots=True)
class File:
    """A file without its content. `size` is in bytes."""

    id: int
    owner_id: int | None
    subject_kind: str
    subject_id: int
    kind: str
    size: int
    name: str
    created_at: datetime

    @property
    def loose(self) -> bool:
        """Whether it belongs to nothing yet."""
        return not self.subject_kind


_COLUMNS = ("id", "owner_id", "subject_kind", "subject_id", "kind", "size", "name", "created_at")
_FILE = select(*(col(getattr(StoredFile, name)) for name in _COLUMNS))


def _file(tx: Tx, row: Any) -> File:
    values = dict(zip(_COLUMNS, row, strict=True))
    return File(**{**values, "name": tx.house.keys.open(values["name"])})


def add(
    tx: Tx, now: datetime, *, owner_id: int | None, kind: str, name: str, content: bytes,
    subject: tuple[str, int] = ("", 0),
) -> int:  # fmt: skip
    """Keep a file; its number. The caller has looked at kind and size."""
    keys = tx.house.keys
    statement = insert(StoredFile).values(
        owner_id=owner_id, subject_kind=subject[0], subject_id=subject[1], kind=kind, size=len(content),
        name=keys.seal(name), body=keys.seal_bytes(content), created_at=now,
    )  # fmt: skip
    return int(tx.run(statement.returning(col(StoredFile.id))).scalar_one())


def get(tx: Tx, file_id: int) -> File | None:
    row = tx.run(_FILE.where(col(StoredFile.id) == file_id)).one_or_none()
    return _file(tx, row) if row else None


def content(tx: Tx, file_id: int) -> bytes:
    """What is in a file, opened. Raises NoResultFound."""
    sealed = tx.run(select(col(StoredFile.body)).where(col(StoredFile.id) == file_id)).scalar_one()
    return tx.house.keys.open_bytes(sealed)


def attach(tx: Tx, owner_id: int | None, ids: Sequence[int], subject: tuple[str, int]) -> int:
    """Let loose files of an owner belong to something from now on; how many did."""
    whose = col(StoredFile.owner_id).is_(None) if owner_id is None else col(StoredFile.owner_id) == owner_id
    loose = and_(col(StoredFile.id).in_(list(ids)), whose, col(StoredFile.subject_kind) == "")
    return tx.run(update(StoredFile).where(loose).values(subject_kind=subject[0], subject_id=subject[1])).rowcount


def of(tx: Tx, kind: str, subject_ids: Sequence[int]) -> dict[int, list[File]]:
    """The files of each of these things, in the order in which they came."""
    found: dict[int, list[File]] = {}
    its = and_(col(StoredFile.subject_kind) == kind, col(StoredFile.subject_id).in_(list(subject_ids)))
    for row in tx.run(_FILE.where(its).order_by(col(StoredFile.id))):
        file = _file(tx, row)
        found.setdefault(file.subject_id, []).append(file)
    return found


def drop(tx: Tx, owner_id: int | None, ids: Sequence[int]) -> int:
    """Delete loose files of an owner; how many."""
    whose = col(StoredFile.owner_id).is_(None) if owner_id is None else col(StoredFile.owner_id) == owner_id
    loose = and_(col(StoredFile.id).in_(list(ids)), whose, col(StoredFile.subject_kind) == "")
    return tx.run(delete(StoredFile).where(loose)).rowcount


def drop_of(tx: Tx, kind: str, subject_id: int) -> int:
    """Delete the files of something that is gone; how many."""
    its = and_(col(StoredFile.subject_kind) == kind, col(StoredFile.subject_id) == subject_id)
    return tx.run(delete(StoredFile).where(its)).rowcount


def loose_size(tx: Tx, owner_id: int) -> int:
    """Bytes of all files of an owner that belong to nothing yet."""
    mine = and_(col(StoredFile.owner_id) == owner_id, col(StoredFile.subject_kind) == "")
    return int(tx.run(select(func.coalesce(func.sum(col(StoredFile.size)), 0)).where(mine)).scalar_one())


_DRAFT = (
    select(literal(1))
    .select_from(OpenDraft)
    .where(col(OpenDraft.owner) == "p" + cast(col(StoredFile.owner_id), String))
    .exists()
)
_PURGE = Prepared(
    delete(StoredFile)
    .where(col(StoredFile.created_at) < bindparam("before"), col(StoredFile.subject_kind) == "", ~_DRAFT)
    .returning(col(StoredFile.id))
)


def purge(tx: Tx, now: datetime) -> int:
    """Delete what has belonged to nothing for three days and stands in no draft; how many."""
    return len(tx.rows(_PURGE, before=now - KEEP_LOOSE))
