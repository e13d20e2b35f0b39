"""Is a rule table well formed, and if not, in which file and at which key?

Rule tables are TOML files an organisation may replace by its own; whoever keeps one reads these errors, so
each is one line with file, key and remedy.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator
from datetime import date
from pathlib import Path
from typing import Final, TypeVar, cast

_T = TypeVar("_T")


class TableError(ValueError):
    """A rule table is wrong: one line naming file, key and remedy, for whoever keeps the file."""

    def __init__(self, file: Path, key: str, problem: str) -> None:
        super().__init__(f"{file}: {key}: {problem}" if key else f"{file}: {problem}")
        self.file: Final = file
        self.key: Final = key


def read_table(file: Path) -> Row:
    """Read a TOML file as one Row. Raises TableError when it cannot be read or is not TOML."""
    try:
        data: dict[str, object] = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise TableError(file, "", f"cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise TableError(file, "", "is not UTF-8; save it as UTF-8") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise TableError(file, "", f"is not TOML: {error}") from None
    return Row(file, "", data)


class Row:
    """One TOML table, read key by key: wrong types, missing and unknown keys name their place."""

    def __init__(self, file: Path, where: str, data: dict[str, object]) -> None:
        self.file = file
        self._where, self._data, self._asked = where, data, set[str]()

    def error(self, key: str, problem: str) -> TableError:
        """The error of one key, to be raised by the caller."""
        return TableError(self.file, f"{self._where}.{key}" if self._where else key, problem)

    def names(self) -> Iterator[str]:
        """The keys as they stand in the file."""
        return iter(self._data)

    def has(self, key: str) -> bool:
        """Whether the key is there at all."""
        return key in self._data

    def done(self) -> None:
        """Refuse keys nobody asked for: a misspelt key must not silently change a rule."""
        for key in self._data:
            if key not in self._asked:
                raise self.error(key, "unknown key; correct its spelling or remove it")

    def text(self, key: str, default: str | None = None) -> str:
        """A string that is not blank; without a default the key is needed."""
        if default is not None and key not in self._data:
            return default
        value = self._take(key, str, "a string")
        if not value.strip():
            raise self.error(key, "must not be empty")
        return value

    def one_of(self, key: str, allowed: Collection[str]) -> str:
        """A string out of a few."""
        value = self.text(key)
        if value not in allowed:
            raise self.error(key, f"{value!r} is none of {', '.join(allowed)}")
        return value

    def day(self, key: str) -> date:
        """A date without a time."""
        value = self._take(key, date, "a date such as 2026-01-01")
        if type(value) is not date:  # a datetime is a date to isinstance
            raise self.error(key, "must be a date such as 2026-01-01, without a time")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings."""
        found: list[str] = []
        for value in cast(list[object], self._take(key, list, "a list of strings")):
            if not isinstance(value, str):
                raise self.error(key, "must be a list of strings")
            found.append(value)
        return tuple(found)

    def flag(self, key: str, default: bool | None = None) -> bool:
        """true or false; without a default the key is needed."""
        if default is not None and key not in self._data:
            return default
        return self._take(key, bool, "true or false")

    def number(self, key: str) -> int:
        """A whole number from zero up."""
        value = self._take(key, int, "a whole number")
        if isinstance(value, bool) or value < 0:
            raise self.error(key, "must be a whole number from 0 up")
        return value

    def numbers(self, key: str) -> tuple[int, ...]:
        """A list of whole numbers from zero up."""
        found = self._take(key, list, "a list of whole numbers")
        for value in found:
            if type(value) is not int or value < 0:
                raise self.error(key, "must be a list of whole numbers from 0 up")
        return tuple(found)

    def table(self, key: str) -> Row:
        """A table within this one."""
        value = self._take(key, dict, "a table")
        return Row(self.file, f"{self._where}.{key}" if self._where else key, cast(dict[str, object], value))

    def rows(self, key: str, *, needed: bool = True) -> Iterator[Row]:
        """A list of tables, numbered from 1 in errors."""
        if not needed and key not in self._data:
            return
        for position, value in enumerate(cast(list[object], self._take(key, list, "a list of tables")), 1):
            where = f"{self._where}.{key}[{position}]" if self._where else f"{key}[{position}]"
            if not isinstance(value, dict):
                raise TableError(self.file, where, "must be a table")
            yield Row(self.file, where, value)

    def _take(self, key: str, kind: type[_T], what: str) -> _T:
        self._asked.add(key)
        if key not in self._data:
            raise self.error(key, f"is missing; it must be {what}")
        value = self._data[key]
        if not isinstance(value, kind):
            raise self.error(key, f"must be {what}")
        return value
