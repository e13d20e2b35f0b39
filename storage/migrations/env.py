"""How Alembic reaches the tables: with foreign keys off, in batch mode where SQLite needs it."""

from __future__ import annotations

from alembic import context

from storage import tables
from storage.database import migrating

with migrating(context.config.attributes["url"]) as connection:
    context.configure(
        connection=connection, target_metadata=tables.METADATA, render_as_batch=True, transactional_ddl=True
    )
    with context.begin_transaction():
        context.run_migrations()
        if connection.dialect.name == "sqlite":
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
            if broken:
                raise RuntimeError(f"{len(broken)} rows point at nothing after the migration; nothing was changed")
    connection.commit()
