"""backup, restore: how is everything put aside, and how is it brought back without telling anybody twice?"""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from bot.cli.door import Door, NothingDone, Wrong, asks, door
from bot.cli.tables import copy_sqlite

if TYPE_CHECKING:
    from datetime import datetime

    from storage.house import Tx

PASSWORD = "PGPASSWORD"  # noqa: S105  # the variable that PostgreSQL's programs read; an argument would be seen by all
MAGIC = b"SQLite format 3\x00"


def backup(
    ctx: typer.Context,
    file: Path = typer.Argument(metavar="FILE"),
    overwrite: bool = typer.Option(False, "--overwrite", help="Replace a file that is there."),
) -> None:
    """Put a consistent copy of the database aside, while members go on. The key is left out: keep it elsewhere."""
    from storage.database import check_revision, sqlite_file

    here = door(ctx)
    check_revision(here.config.database.url)
    if file.exists() and not overwrite:
        raise NothingDone(f"{file} is there already; --overwrite replaces it")
    database = sqlite_file(here.config.database.url)
    if database:
        _sqlite(lambda: copy_sqlite(database, file), database)
    else:
        _dump(here, file)
    key = here.config.security.key_file
    data = {"file": str(file), "bytes": file.stat().st_size, "key_not_included": str(key)}
    said = f"Written: {file}. The key is not in it, and without {key} nothing in it can be opened: keep a copy apart."
    here.show(data, said)


def restore(
    ctx: typer.Context,
    file: Path = typer.Argument(metavar="FILE"),
    yes: bool = typer.Option(False, "--yes", help="Do not ask."),
) -> None:
    """Bring a backup back. Codes, sessions and links end, and nothing is sent until `tiexin notice release`."""
    from bot.parts import now
    from storage.database import sqlite_file

    here, moment = door(ctx), now()
    database = sqlite_file(here.config.database.url)
    if not file.is_file():
        raise NothingDone(f"{file} does not exist")
    if not here.config.security.key_file.exists():
        raise Wrong(
            f"security.key_file: {here.config.security.key_file} does not exist; put the key of the backup there"
        )
    if database and asks() and not yes and database.exists():
        typer.confirm(f"Replace {database} by {file}?", abort=True, err=True)
    copy, done = _into_place(here, file, database, moment) if database else _load(here, file, moment)
    done |= {"file": str(file), "copy_of_before": str(copy) if copy else None}
    lines = [
        f"Restored from {file}.",
        *([f"What was here before: {copy}"] if copy else []),
        f"Revoked: {done['codes']} codes, {done['sessions']} sessions, {done['links']} links.",
        f"Held: {done['campaigns_held']} messages to many that were not finished; {done['deliveries_unknown']} "
        "deliveries are marked unknown, since they may have been sent after the backup.",
        "Nothing of these is sent until `tiexin notice release`.",
    ]
    here.show(done, "\n".join(lines))


# -- SQLite --------------------------------------------------------------------------------------------------------


def _sqlite(work: Any, file: Path) -> None:
    """Raises NothingDone where SQLite cannot do it."""
    try:
        work()
    except sqlite3.Error as error:
        raise NothingDone(f"{file}: {error}") from None


def _into_place(here: Door, file: Path, database: Path, now: datetime) -> tuple[Path | None, dict[str, Any]]:
    """Prepare the backup beside the database, then move it there in one step."""
    with file.open("rb") as head:
        if head.read(16) != MAGIC:
            raise NothingDone(f"{file} is no SQLite database; `tiexin backup` makes one")
    database.parent.mkdir(parents=True, exist_ok=True)
    with _nobody_serves(database):
        draft = database.with_name(f"{database.name}.restoring")
        for leftover in _and_its_logs(draft):
            leftover.unlink(missing_ok=True)
        _sqlite(lambda: copy_sqlite(file, draft), file)
        try:
            done = _settle(here, f"sqlite:///{draft}", now)
            copy = None
            if database.exists():
                copy = database.with_name(f"{database.name}.before-restore-{now:%Y%m%dT%H%M%S}")
                _sqlite(lambda: copy_sqlite(database, copy), database)
                with closing(sqlite3.connect(database)) as old:  # its log goes into the file, and away
                    old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            for log in _and_its_logs(database)[1:]:
                log.unlink(missing_ok=True)
            os.replace(draft, database)
        finally:
            for leftover in _and_its_logs(draft):
                leftover.unlink(missing_ok=True)
    return copy, done


def _and_its_logs(file: Path) -> list[Path]:
    return [file, *(file.with_name(file.name + end) for end in ("-wal", "-shm"))]


@contextmanager
def _nobody_serves(database: Path) -> Iterator[None]:
    """Hold what a serving process holds. Raises NothingDone while one does."""
    with database.with_name(f"{database.name}.serving").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise NothingDone(f"{database} is being served: stop `tiexin serve` first") from None
        yield


def _settle(here: Door, url: str, now: datetime) -> dict[str, Any]:
    """Bring restored tables up to date, and make sure that nothing old is good and nothing is sent twice."""
    from bot.app import house
    from storage.database import Database, upgrade

    upgrade(url)
    database = Database(url, house(here.config))
    try:
        with database.write() as tx:
            return _revoke(here, tx, now)
    finally:
        database.close()


def _revoke(here: Door, tx: Tx, now: datetime) -> dict[str, Any]:
    from storage import addresses, audit, campaigns, mailbox, mails, signin, web

    done = {"codes": addresses.revoke_codes(tx, now) + signin.revoke(tx)}
    links = web.revoke_links(tx, now) + mailbox.revoke_offers(tx, now)
    done |= {"sessions": web.end_sessions(tx, now), "links": links}
    unknown, held = campaigns.after_restore(tx, now)
    done |= {"deliveries_unknown": unknown, "campaigns_held": held, "mails_unknown": mails.after_restore(tx)}
    audit.record(tx, now, here.actor(tx), "restore", "database", **done)
    return done


# -- PostgreSQL ----------------------------------------------------------------------------------------------------


def _program(name: str) -> str:
    found = shutil.which(name)
    if not found:
        raise NothingDone(f"{name} is not installed here; PostgreSQL's client programs bring it")
    return found


def _run(here: Door, *command: str) -> None:
    """Run one of PostgreSQL's programs; the password goes by the environment. Raises NothingDone."""
    from sqlalchemy.engine import make_url

    url = make_url(here.config.database.url)
    environment = os.environ | ({PASSWORD: str(url.password)} if url.password else {})
    where = url.set(drivername="postgresql", password=None).render_as_string()
    whole = [*command, f"--dbname={where}"]
    ran = subprocess.run(whole, env=environment, capture_output=True, text=True, check=False)  # noqa: S603  # ours
    if ran.returncode:
        last = (ran.stderr.strip().splitlines() or ["it failed"])[-1]
        raise NothingDone(f"{Path(command[0]).name}: {last}")


def _dump(here: Door, file: Path) -> None:
    program = _program("pg_dump")
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        _run(here, program, "--format=custom", "--no-owner", f"--file={draft}")
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def _load(here: Door, file: Path, now: datetime) -> tuple[Path | None, dict[str, Any]]:
    program = _program("pg_restore")
    copy = Path(f"{file}.before-restore-{now:%Y%m%dT%H%M%S}")
    _dump(here, copy)
    _run(here, program, "--clean", "--if-exists", "--no-owner", "--single-transaction", str(file))
    return copy, _settle(here, here.config.database.url, now)
