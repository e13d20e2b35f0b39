"""patterns: with which words does a notice often begin?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from handlers.ruletable import read_table


@dataclass(frozen=True, slots=True)
class Pattern:
    """Title and text of a notice, with 〔gaps〕 for whoever sends it."""

    title: str
    body: str


@cache
def patterns(local: Path | None = None) -> Mapping[str, Pattern]:
    """The patterns by name, as shipped or from [rules] dir. Raises TableError."""
    shipped = Path(__file__).with_name("patterns.toml")
    table = read_table(local / shipped.name if local and (local / shipped.name).exists() else shipped)
    found = {}
    for name in table.names():
        row = table.table(name)
        found[name] = Pattern(row.text("title"), row.text("body"))
        row.done()
    return found
