"""Do migrations go up and down with data inside, on both databases, and lose nobody's vote?"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Column, Connection, Date, DateTime, Integer, LargeBinary, String, inspect, select, text
from sqlalchemy.exc import IntegrityError

import storage.database
from storage.database import (
    Behind,
    check_revision,
    downgrade,
    migrating,
    open_engine,
    revisions,
    sqlite_file,
    upgrade,
)
from storage.tables import METADATA
from tests.people import build_house
from tests.polls import open_poll, votes

HEAD = revisions("sqlite:////nowhere/at/all.db")[1]


def value_for(column: Column[Any], row: int) -> Any:
    """Something that fits a column; in row 0 the shortest, in row 1 the longest."""
    kind = column.type
    if column.foreign_keys:
        return row + 1
    if isinstance(kind, Integer):
        return row + 1
    if isinstance(kind, LargeBinary):
        return bytes(range(row, 256))
    if isinstance(kind, Date):
        return date(2026, 11, 24 + row)
    if isinstance(getattr(kind, "impl", kind), DateTime):
        return datetime(2026, 11, 24, 2, row, 0, 123456, tzinfo=UTC)
    if isinstance(getattr(kind, "impl", kind), String):
        length = getattr(kind, "length", None) or getattr(getattr(kind, "impl", None), "length", None) or 300
        return ("党员王芳" * 75)[: length - 1] + str(row) if row else str(row)
    return bool(row) if kind.python_type is bool else 0.5 + row


def fill(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Two rows into every table, parents first; what is in them then."""
    for table in METADATA.sorted_tables:
        for row in (0, 1):
            connection.execute(table.insert().values({c.name: value_for(c, row) for c in table.columns}))
    return contents(connection)


def contents(connection: Connection) -> dict[str, list[tuple[Any, ...]]]:
    return {
        table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
        for table in METADATA.sorted_tables
    }


@contextmanager
def writing(url: str) -> Iterator[Connection]:
    engine = open_engine(url)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def tables(url: str) -> set[str]:
    with migrating(url, read_only=True) as connection:
        return set(inspect(connection).get_table_names()) - {"alembic_version"}


def test_up_with_data_down_and_up_again(database_url: str) -> None:
    assert revisions(database_url) == (None, HEAD)
    upgrade(database_url)
    check_revision(database_url)
    with writing(database_url) as connection:
        filled = fill(connection)
    assert {len(rows) for rows in filled.values()} == {2}
    assert tables(database_url) == set(METADATA.tables)
    downgrade(database_url, "base")
    assert tables(database_url) == set()
    assert revisions(database_url) == (None, HEAD)
    upgrade(database_url)
    with writing(database_url) as connection:
        assert set(map(len, contents(connection).values())) == {0}
        assert fill(connection).keys() == filled.keys()


def test_every_step_goes_down_with_data_inside(database_url: str) -> None:
    upgrade(database_url)
    with writing(database_url) as connection:
        fill(connection)
    while revisions(database_url)[0] is not None:
        downgrade(database_url, "-1")
    assert tables(database_url) == set()


def test_an_upgrade_with_nothing_to_do_keeps_every_row(database_url: str) -> None:
    upgrade(database_url)
    with writing(database_url) as connection:
        before = fill(connection)
    upgrade(database_url)
    with writing(database_url) as connection:
        assert contents(connection) == before


def test_the_migrations_make_exactly_the_tables_of_the_program(database_url: str) -> None:
    upgrade(database_url)
    with migrating(database_url, read_only=True) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "render_as_batch": True})
        assert compare_metadata(context, METADATA) == []


def test_what_is_true_of_constraints_is_true_in_the_database(database_url: str) -> None:
    upgrade(database_url)
    with writing(database_url) as connection:
        inspector = inspect(connection)
        for table in METADATA.sorted_tables:
            assert {c["name"] for c in inspector.get_columns(table.name)} == set(table.columns.keys())
            keys = {tuple(key["constrained_columns"]) for key in inspector.get_foreign_keys(table.name)}
            assert keys == {tuple(c.name for c in key.columns) for key in table.foreign_key_constraints}
            assert all(key["name"] for key in inspector.get_foreign_keys(table.name)), "or nobody can alter them"


def test_a_database_that_is_behind_is_told_with_the_remedy(database_url: str) -> None:
    with pytest.raises(Behind, match=f"at revision none, this program needs {HEAD}: run `tiexin init`"):
        check_revision(database_url)


# -- a parent is altered while children point at it ---------------------------------------------------------------

ALTERS_A_PARENT = '''"""A step that makes SQLite build the table anew"""

import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{head}"


def upgrade():
    with op.batch_alter_table("poll") as batch:
        batch.alter_column("title", type_=sa.String(300), existing_type=sa.String(200))


def downgrade():
    with op.batch_alter_table("poll") as batch:
        batch.alter_column("title", type_=sa.String(200), existing_type=sa.String(300))
'''
ORPHANS = '''"""A step that forgets the children"""

from alembic import op

revision = "9999"
down_revision = "{head}"


def upgrade():
    op.execute("DELETE FROM poll")


def downgrade():
    pass
'''


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of migrations of a later program, to put another step into."""
    folder = tmp_path / "migrations"
    shutil.copytree(storage.database._MIGRATIONS, folder)
    monkeypatch.setattr(storage.database, "_MIGRATIONS", folder)
    return folder / "versions" / "9999_another.py"


def test_altering_polls_keeps_the_votes(database_url: str, tmp_path: Path, steps: Path) -> None:
    house = build_house(tmp_path, database_url)
    poll = open_poll(house)
    wang = house.chat("王芳")
    wang.say("投票")
    wang.tap("孙明")
    house.app.database.close()
    steps.write_text(ALTERS_A_PARENT.format(head=HEAD), encoding="utf-8")
    upgrade(database_url)
    assert revisions(database_url) == ("9999", "9999")
    assert votes(house, poll) == {house.ids["王芳"]: (2,)}
    downgrade(database_url, HEAD)
    assert votes(house, poll) == {house.ids["王芳"]: (2,)}
    wang.tap("改投")
    wang.tap("吴强")
    assert votes(house, poll) == {house.ids["王芳"]: (3,)}, "and the constraints still hold"
    house.app.database.close()


def test_with_foreign_keys_on_sqlite_would_refuse_or_delete(tmp_path: Path) -> None:
    """Why migrations turn them off: what stands here is what would happen."""
    url = f"sqlite:///{tmp_path}/tiexin.db"
    upgrade(url)
    with writing(url) as connection:
        fill(connection)
        operations = Operations(MigrationContext.configure(connection))
        with pytest.raises(IntegrityError), operations.batch_alter_table("poll", recreate="always") as batch:
            batch.add_column(Column("note", String(10)))
    with migrating(url) as connection:
        assert connection.execute(text("PRAGMA foreign_keys")).scalar_one() == 0


def test_a_step_that_leaves_votes_without_a_poll_changes_nothing(database_url: str, steps: Path) -> None:
    upgrade(database_url)
    with writing(database_url) as connection:
        before = fill(connection)
    steps.write_text(ORPHANS.format(head=HEAD), encoding="utf-8")
    with pytest.raises((RuntimeError, IntegrityError)):
        upgrade(database_url)
    assert revisions(database_url)[0] == HEAD
    with writing(database_url) as connection:
        assert contents(connection) == before


def test_the_file_of_a_database_is_made_with_its_folder(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/var/deep/tiexin.db"
    upgrade(url)
    assert sqlite_file(url) == tmp_path / "var/deep/tiexin.db"
    assert tables(url)
