"""How do the tables come to be those of this program, with a copy of what was there before?"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path


def migrate(url: str, now: datetime, *, postgres: bool) -> Path | None:
    """Bring the tables up to date; the copy that was made of an older SQLite file, if there was one.

    Without `postgres`, a PostgreSQL that is behind is left alone: several servers may be looking at it. Raises
    Behind then.
    """
    from storage.database import check_revision, revisions, sqlite_file, upgrade

    have, want = revisions(url)
    if have == want:
        return None
    file = sqlite_file(url)
    if file is None and not postgres:
        check_revision(url)
    copy = None
    if file and have is not None:
        copy = file.with_name(f"{file.name}.before-{want}-{now:%Y%m%dT%H%M%S}")
        copy_sqlite(file, copy)
    upgrade(url)
    return copy


def copy_sqlite(source: Path, target: Path) -> None:
    """A consistent copy of a database that may be in use, readable by its owner only. Nobody has to wait.

    It is written beside its place and moved there whole. Raises OSError; sqlite3.DatabaseError for what is no
    database, or a damaged one.
    """
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with closing(sqlite3.connect(source)) as here, closing(sqlite3.connect(draft)) as there:
            here.execute("PRAGMA query_only=ON")
            here.backup(there)
            there.execute("PRAGMA journal_mode=DELETE")  # one file, with nothing beside it
            if there.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("the database is damaged")
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
