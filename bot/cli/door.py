"""How does a command reach the house, who is responsible for what it does, and how is a no told?

Everything heavy is imported inside, so that `--help` answers at once.
"""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, is_dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from bot.config import Config
    from bot.core.reply import Words
    from bot.parts import App
    from storage.audit import Actor
    from storage.house import Tx

DONE, REFUSED, WRONG, PARTLY = 0, 1, 2, 3
"""What a command ends with: done · refused, or nothing done · wrong usage or configuration · partly done."""


class Wrong(Exception):
    """The command or the configuration cannot be used: one line that names the remedy. Ends with 2."""


class NothingDone(Exception):
    """Nothing was done, for a reason of one line. Ends with 1."""


@dataclass
class Door:
    """The global options of one call, and the house behind them."""

    file: Path | None = None
    as_json: bool = False
    number: str | None = None
    """`--as`: the employee number of the one responsible."""

    @cached_property
    def config(self) -> Config:
        """Raises ConfigError."""
        from bot.config import load

        return load(self.file, os.environ)

    @cached_property
    def app(self) -> App:
        """The house, ready to be used. Raises Wrong without its key, Behind without its tables."""
        from bot.app import build
        from storage.database import check_revision

        check_revision(self.config.database.url)
        key = self.config.security.key_file
        if not key.exists():
            raise Wrong(f"security.key_file: {key} does not exist; put the key of this house there")
        return build(self.config)

    def close(self) -> None:
        """Let go of the database, if it was opened."""
        if "app" in self.__dict__:
            self.app.database.close()

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """One short transaction."""
        with self.app.database.write() as tx:
            yield tx

    @contextmanager
    def read(self) -> Iterator[Tx]:
        with self.app.database.read() as tx:
            yield tx

    def actor(self, tx: Tx) -> Actor:
        """Who is responsible: whom `--as` names, with their rights and no others; else the operator."""
        from storage import people
        from storage.audit import Actor

        if self.number is None:
            return Actor(None, self.config.org.operator or "operator", "cli")
        person = people.by_number(tx, self.number)
        if person is None or person.left_on is not None:
            raise Wrong(f"--as {self.number}: nobody here has this number; `tiexin member list` shows them")
        return Actor(person.id, person.name, "cli")

    @property
    def language(self) -> str:
        return self.config.org.language

    def say(self, words: Words) -> str:
        """Words in the organisation's language."""
        return self.app.reception.renderer.say(words, self.language)

    def show(self, data: Any, text: str | Callable[[], str]) -> None:
        """What a command has to say: as JSON where that was asked for, else as text."""
        if self.as_json:
            print(json.dumps(data, ensure_ascii=False, indent=2, default=_plain))
        else:
            print(text if isinstance(text, str) else text())


def door(ctx: typer.Context) -> Door:
    """The door of this call."""
    found = ctx.find_object(Door)
    assert found is not None
    return found


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


# -- how a no is told --------------------------------------------------------------------------------------------


def tell(error: Exception, language: Callable[[], str]) -> int | None:
    """Tell an error in one line on stderr; the exit code. None: it is a bug, and is not ours to tell."""
    from bot.config import ConfigError
    from bot.core.reply import Refused

    if isinstance(error, Refused):
        from zoneinfo import ZoneInfo

        from bot.render import renderer

        text = renderer(ZoneInfo("Asia/Shanghai")).say(error.words, language())
        print(" ".join(text.split("\n")), file=sys.stderr)
        return REFUSED
    if isinstance(error, NothingDone):
        print(error, file=sys.stderr)
        return REFUSED
    if isinstance(error, (Wrong, ConfigError)) or type(error).__name__ in SETTINGS:
        print(error, file=sys.stderr)
        return WRONG
    if isinstance(error, BrokenPipeError):  # whoever read has seen enough, as `head` does
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  # so that the end of the process does not write either
        return REFUSED
    if type(error).__name__ in ("OperationalError", "AlreadyServing", "BlockingIOError") or isinstance(
        error, OSError
    ):
        print(_cause(error), file=sys.stderr)
        return REFUSED
    return None


SETTINGS = ("Behind", "TableError", "ColumnsInvalid", "CaseFileError")
"""Errors of what the operator has set up; by name, so that their modules need not be loaded to tell any other."""


def _cause(error: Exception) -> str:
    """The driver's own words on one line; a database that cannot be reached has no better ones."""
    first = str(getattr(error, "orig", None) or error).strip().split("\n")[0]
    remedy = "; `tiexin check` shows what works" if type(error).__name__ == "OperationalError" else ""
    return f"{first}{remedy}"


# -- how things are shown ----------------------------------------------------------------------------------------


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Columns that stand under each other, Chinese counted as it is drawn."""
    cells = [[("" if cell is None else str(cell)) for cell in row] for row in (headings, *rows)]
    widths = [max(width(row[i]) for row in cells) for i in range(len(headings))]
    return "\n".join(
        "  ".join(cell + " " * (widths[i] - width(cell)) for i, cell in enumerate(row)).rstrip() for row in cells
    )


def width(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


@contextmanager
def progress(total: int, label: str) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, nothing in a pipe; the function takes how much more is done."""
    if not sys.stderr.isatty():
        yield lambda _done: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(label, total=total)
        yield lambda done: bars.advance(task, done)


def asks() -> bool:
    """Whether somebody sits there who can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def day(text: str) -> Any:
    """A date such as 2026-11-24, for an option. Raises BadParameter."""
    from datetime import date

    try:
        return date.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter("write a date such as 2026-11-24") from None
