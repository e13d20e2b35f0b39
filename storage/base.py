"""What every table has in common: how its constraints are named, how a blob of ids is kept."""

from __future__ import annotations

import array
import sys
import zlib
from collections.abc import Iterable

from sqlmodel import SQLModel

SQLModel.metadata.naming_convention = {  # before any table is defined, or a migration cannot name what it alters
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

Table = SQLModel


def pack_ids(ids: Iterable[int]) -> bytes:
    """Many row ids in little space: 100,000 take about 150 KB."""
    numbers = array.array("q", ids)
    if sys.byteorder == "big":
        numbers.byteswap()
    return zlib.compress(numbers.tobytes(), 1)


def unpack_ids(packed: bytes) -> list[int]:
    numbers = array.array("q")
    numbers.frombytes(zlib.decompress(packed))
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tolist()
