"""check: what works here, what does not, and what is to be done about it?"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import typer

from bot.cli.door import REFUSED, WRONG, Door, door

if TYPE_CHECKING:
    from bot.config import Config
    from storage.house import Tx


@dataclass(frozen=True, slots=True)
class Line:
    """One part of the house: whether it works, what was found, and the remedy where it does not."""

    part: str
    works: bool
    found: str
    remedy: str = ""


def check(ctx: typer.Context) -> None:
    """Look at configuration, database, key, queue and every channel. Ends with 0 when all of them work."""
    from bot.config import ConfigError

    here = door(ctx)
    try:
        config = here.config
    except ConfigError as error:
        lines = [Line("configuration", False, str(error), "config.example.toml documents every key")]
        _show(here, lines)
        raise typer.Exit(WRONG) from None
    lines = [Line("configuration", True, str(here.file or os.environ.get("TIEXIN_CONFIG") or "as it stands"))]
    for look in (_database, _key, _queue, _rules, _web, *(channel for channel in CHANNELS.values())):
        lines += look(config)
    _show(here, lines)
    if not all(line.works for line in lines):
        raise typer.Exit(REFUSED)


def _show(here: Door, lines: list[Line]) -> None:
    text = "\n".join(
        f"{'ok ' if line.works else 'NO '} {line.part}: {line.found}{f' – {line.remedy}' if line.remedy else ''}"
        for line in lines
    )
    here.show([asdict(line) for line in lines], text)


def _database(config: Config) -> Iterator[Line]:
    from sqlalchemy.exc import SQLAlchemyError

    from storage.database import revisions, sqlite_file

    file = sqlite_file(config.database.url)
    name = f"SQLite, {file}" if file else "PostgreSQL"
    if file and not file.exists():
        yield Line("database", False, f"{name} does not exist yet", "run `tiexin init`")
        return
    try:
        have, want = revisions(config.database.url)
    except (SQLAlchemyError, OSError) as error:
        why = str(getattr(error, "orig", None) or type(error).__name__).strip().split("\n")[0]
        yield Line("database", False, f"{name} cannot be used: {why}", "start it, or correct database.url")
        return
    yield Line("database", True, name)
    if have == want:
        yield Line("tables", True, f"revision {have}")
    else:
        remedy = "run `tiexin init`" + ("" if have is None or not file else ", or just `tiexin serve`")
        yield Line("tables", False, f"revision {have or 'none'}, this program needs {want}", remedy)


def _key(config: Config) -> Iterator[Line]:
    from sqlalchemy.exc import SQLAlchemyError

    file = config.security.key_file
    if not file.exists():
        yield Line("key", False, f"{file} does not exist", "run `tiexin init`, or put the key of this house there")
        return
    if file.stat().st_mode & 0o077:
        yield Line("key", False, f"{file} can be read by others", f"chmod 600 {file}")
        return
    try:
        fits = _fits(config)
    except (ValueError, SQLAlchemyError) as error:
        fits, why = False, str(error).split("\n")[0]
    else:
        why = f"{file} did not seal what is in the database"
    if fits:
        yield Line("key", True, str(file))
    else:
        yield Line("key", False, why, "put the key of this house there")


def _fits(config: Config) -> bool:
    """Whether the key opens what the database holds. Raises ValueError for a damaged key."""
    from sqlalchemy import text

    from bot.app import house
    from storage.database import Database, revisions

    its = house(config)
    if revisions(config.database.url)[0] is None:
        return True
    database = Database(config.database.url, its)
    try:
        with database.read() as tx:
            sealed = tx.run(text("SELECT phone FROM person WHERE phone IS NOT NULL LIMIT 1")).scalar_one_or_none()
            sealed = sealed or tx.run(text("SELECT body FROM web_message LIMIT 1")).scalar_one_or_none()
        if sealed is not None:
            its.keys.open(bytes(sealed))
    except ValueError:
        return False
    finally:
        database.close()
    return True


def _queue(config: Config) -> Iterator[Line]:
    yield Line("queue", True, "embedded: the server delivers by itself")


def _rules(config: Config) -> Iterator[Line]:
    from handlers.dues.tables import dues_book
    from handlers.roster.columns import Columns
    from handlers.roster.desk import ALIASES

    folder = config.rules.dir
    try:
        dues_book(folder)
        Columns.load(folder / ALIASES if folder and (folder / ALIASES).exists() else None)
    except ValueError as error:  # TableError, ColumnsInvalid: both name file and key
        yield Line("rules", False, str(error), "correct the file")
    else:
        yield Line("rules", True, f"local tables in {folder}" if folder else "as shipped")


def _web(config: Config) -> Iterator[Line]:
    address = config.server.public_url
    if address is None:
        found = f"only on this machine, http://{config.server.host}:{config.server.port}"
        yield Line("web chat", True, found, "set server.public_url for members' browsers")
    elif not address.startswith("https://"):
        yield Line("web chat", False, f"{address} is not encrypted", "put an HTTPS proxy before it")
    else:
        yield Line("web chat", True, address)


def _telegram(config: Config) -> Iterator[Line]:
    """Telegram's own line. It works when nothing is left to say but how many updates wait."""
    if config.telegram is None:
        yield Line("telegram", True, "off: there is no [telegram] section")
        return
    import asyncio

    from bot.adapters.telegram_check import check as ask
    from bot.adapters.telegram_check import quota
    from bot.parts import now

    said = asyncio.run(ask(config.telegram, config.server.public_url)).removeprefix("telegram: ")
    found, _, remedy = said.partition("; ") if not said.endswith("waiting") else (said, "", "")
    with _tables(config) as tx:
        found += f", {quota(config.telegram, tx, now())}" if tx and said.endswith("waiting") else ""
    yield Line("telegram", said.endswith("waiting"), found, remedy)


def _wechat(config: Config) -> Iterator[Line]:
    if config.wechat is None:
        yield Line("wechat", True, "off: there is no [wechat] section")
        return
    from bot.adapters.wechat_check import check as ask
    from bot.parts import now

    with _tables(config) as tx:
        yield Line("wechat", *ask(config.wechat, tx, config.server.public_url, now()))


def _wecom(config: Config) -> Iterator[Line]:
    if config.wecom is None:
        yield Line("wecom", True, "off: there is no [wecom] section")
        return
    from bot.adapters.wecom_check import check as ask
    from bot.parts import now

    with _tables(config) as tx:
        yield Line("wecom", *ask(config.wecom, tx, config.server.public_url, now()))


def _email(config: Config) -> Iterator[Line]:
    if config.email is None:
        yield Line("email", True, "off: there is no [email] section")
        return
    import asyncio

    from bot.adapters.email_check import check as ask

    yield Line("email", *asyncio.run(ask(config.email)))


@contextmanager
def _tables(config: Config) -> Iterator[Tx | None]:
    """The database, to be read; None while its tables are not those of this program."""
    from bot.app import house
    from storage.database import Database, revisions

    have, want = revisions(config.database.url)
    if have != want:
        yield None
        return
    database = Database(config.database.url, house(config))
    try:
        with database.read() as tx:
            yield tx
    finally:
        database.close()


CHANNELS: dict[str, Callable[[Config], Iterator[Line]]] = {
    "telegram": _telegram,
    "wechat": _wechat,
    "wecom": _wecom,
    "email": _email,
}
"""A channel's look at itself; one line each."""
