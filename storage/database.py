"""The database: engines that do not lose updates, and migrations."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import NullPool

from storage.house import House, Tx

if TYPE_CHECKING:  # Alembic takes a third of a second to load, and only migrations need it
    from alembic.config import Config as AlembicConfig

PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "foreign_keys=ON", "secure_delete=ON")


class Behind(Exception):
    """The database's tables are not those of this program."""


def sqlite_file(url: str) -> Path | None:
    """The file behind a SQLite URL; None for PostgreSQL."""
    parsed = make_url(url)
    return Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None


def _url(url: str) -> URL:
    parsed = make_url(url)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername not in ("sqlite", "postgresql+psycopg"):
        raise ValueError("database.url starts with sqlite:/// or postgresql+psycopg://")
    return parsed


def open_engine(url: str, *, read_only: bool = False, pool_size: int = 5) -> Engine:
    """An engine whose transactions take the write lock when they begin, or one that never writes.

    SQLite's default mode loses updates silently (two readers of a row, then two writers); BEGIN IMMEDIATE
    cannot. A read-only engine has no such hook, so that it never makes the writer wait.
    """
    parsed = _url(url)
    sqlite = parsed.drivername == "sqlite"
    if sqlite and parsed.database and not read_only:
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    if sqlite:
        engine = create_engine(
            parsed, hide_parameters=True, poolclass=NullPool if read_only else None,
            connect_args={"check_same_thread": False},
        )  # fmt: skip
    else:
        engine = create_engine(parsed, hide_parameters=True, pool_size=pool_size, max_overflow=0, pool_pre_ping=True)

    if sqlite:

        @event.listens_for(engine, "connect")
        def _prepare(connection: Any, _record: object) -> None:
            connection.isolation_level = None
            cursor = connection.cursor()
            for pragma in PRAGMAS:
                cursor.execute(f"PRAGMA {pragma}")
            if read_only:
                cursor.execute("PRAGMA query_only=ON")
            cursor.close()

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    elif read_only:

        @event.listens_for(engine, "begin")
        def _begin_reading(connection: Connection) -> None:
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")

    return engine


class Database:
    """One engine that writes, one that only reads, and the house they belong to."""

    def __init__(self, url: str, house: House, *, pool_size: int = 5) -> None:
        self.url, self.house = url, house
        self.engine = open_engine(url, pool_size=pool_size)
        self.reader = open_engine(url, read_only=True, pool_size=pool_size)

    @property
    def sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """One transaction: committed at the end, undone when anything is raised. For the CLI and workers."""
        with self.engine.begin() as connection:
            yield Tx(connection, self.house)

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """One consistent look, which makes nobody wait."""
        with self.reader.connect() as connection, connection.begin():
            yield Tx(connection, self.house)

    def close(self) -> None:
        self.engine.dispose()
        self.reader.dispose()


def is_trouble(error: BaseException) -> bool:
    """Whether it is the database that failed (locked, full, gone), not the program: then ask again later.

    SQLite says OperationalError for a mistake in a statement as well; asking again would not mend that.
    """
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    cause = error.orig if isinstance(error, OperationalError) else error
    if isinstance(cause, sqlite3.OperationalError):
        return getattr(cause, "sqlite_errorcode", None) != sqlite3.SQLITE_ERROR
    return isinstance(error, OperationalError)


# -- migrations ------------------------------------------------------------------------------------------

_MIGRATIONS = Path(__file__).parent / "migrations"


def _alembic(url: str) -> AlembicConfig:
    from alembic.config import Config as AlembicConfig

    config = AlembicConfig()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["url"] = url
    return config


@contextmanager
def migrating(url: str, *, read_only: bool = False) -> Iterator[Connection]:
    """A connection for migrations: foreign keys off, or a re-created parent deletes its children (1 vote → 0).

    All steps are one transaction, on SQLite as well, whose driver would commit each by itself.
    """
    engine = create_engine(_url(url), poolclass=NullPool, hide_parameters=True)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def _prepare(connection: Any, _record: object) -> None:
            connection.isolation_level = None
            connection.execute("PRAGMA foreign_keys=OFF")
            connection.execute("PRAGMA secure_delete=ON")

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the tables to a revision. Raises RuntimeError, nothing changed, where a row would point at nothing."""
    if file := sqlite_file(url):
        file.parent.mkdir(parents=True, exist_ok=True)
    from alembic import command

    command.upgrade(_alembic(url), revision)


def downgrade(url: str, revision: str) -> None:
    """Bring the tables back to an earlier revision."""
    from alembic import command

    command.downgrade(_alembic(url), revision)


def revisions(url: str) -> tuple[str | None, str]:
    """The revision the tables have (None: no tables yet), and the one this program wants."""
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    head = ScriptDirectory.from_config(_alembic(url)).get_current_head() or ""
    file = sqlite_file(url)
    if file and not file.exists():
        return None, head
    with migrating(url, read_only=True) as connection:
        return MigrationContext.configure(connection).get_current_revision(), head


def check_revision(url: str) -> None:
    """Raises Behind, with the remedy, unless the tables are this program's."""
    have, want = revisions(url)
    if have != want:
        raise Behind(f"the database is at revision {have or 'none'}, this program needs {want}: run `tiexin init`")
