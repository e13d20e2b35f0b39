"""The command line as the tests use it: what a command prints, and how it ends."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from bot.cli.door import DONE, REFUSED
from bot.cli.main import app
from tests.rosters import Cell, delimited, grid

CODE = re.compile(r"[0-9A-Z]{5}-[0-9A-Z]{5}")


@dataclass
class Admin:
    """Somebody at the command line of one installation."""

    environment: dict[str, str]
    folder: Path

    def __call__(self, *args: str, ends: int = DONE) -> str:
        """What a command prints; fails unless it ends as said."""
        ran = CliRunner().invoke(app, list(args), env=self.environment, catch_exceptions=False)
        assert ran.exit_code == ends, ran.output
        return ran.stdout

    def no(self, *args: str, ends: int = REFUSED) -> str:
        """The one line on stderr by which a command refuses."""
        ran = CliRunner().invoke(app, list(args), env=self.environment, catch_exceptions=False)
        assert ran.exit_code == ends, ran.output
        assert ran.stdout == ""
        (line,) = ran.stderr.splitlines()
        return line

    def json(self, *args: str, ends: int = DONE) -> Any:
        return json.loads(self(*args, "--json", ends=ends))

    def file(self, name: str, *rows: dict[str, Cell]) -> str:
        file = self.folder / name
        file.write_bytes(delimited(grid(*rows)))
        return str(file)


def environment_of(folder: Path) -> dict[str, str]:
    return {
        "TIEXIN_DATABASE__URL": f"sqlite:///{folder}/tiexin.db",
        "TIEXIN_SECURITY__KEY_FILE": str(folder / "key"),
    }
