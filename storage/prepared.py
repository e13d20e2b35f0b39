"""prepared: how does a statement that runs at every tap get to the database without a detour?

Building a statement of SQLAlchemy costs 100 to 400 us and running it another 35, where SQLite itself needs 2.
So what runs at every tap is written in SQLAlchemy like everything else, but built and compiled once, and then
handed to the driver's own cursor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Dialect, Executable
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.types import Date, DateTime, Float, TypeDecorator, TypeEngine

from storage.base import Table

Row = tuple[Any, ...]
_Processor = Callable[[Any], Any] | None


_Processors = tuple[tuple[int, Callable[[Any], Any]], ...]
"""The places whose values are not what the driver takes or gives, and what makes them so."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A statement in one dialect: its text, how values become parameters, how columns become values."""

    text: str
    names: tuple[str, ...]
    """What stands at each place; where the dialect goes by names, each once."""
    take: Callable[[Mapping[str, Any]], Sequence[Any]]
    """Picks the values of these names."""
    binds: _Processors
    constants: Mapping[str, Any]
    columns: _Processors
    positional: bool
    returns: bool

    def parameters(self, given: Mapping[str, Any]) -> Sequence[Any] | Mapping[str, Any]:
        """What the driver is handed. Raises KeyError for a value that was not given."""
        values = {**self.constants, **given} if self.constants else given
        if self.positional and not self.binds:
            return self.take(values)
        found = [*self.take(values)]
        for place, process in self.binds:
            found[place] = process(found[place])
        return found if self.positional else dict(zip(self.names, found, strict=True))

    def rows(self, found: list[Row]) -> list[Row]:
        """Rows as SQLAlchemy's types would give them."""
        if not self.columns:
            return found
        return [self._row(list(row)) for row in found]

    def _row(self, row: list[Any]) -> Row:
        for place, process in self.columns:
            row[place] = process(row[place])
        return tuple(row)


class Prepared:
    """A statement for `Tx.rows`, `Tx.row` and `Tx.many`, with a `bindparam` for each value.

    It knows no IN over a list, and no defaults that a table computes in Python. `columns` are those an insert fills.
    """

    def __init__(
        self, statement: Executable, *, postgres: Executable | None = None, columns: Sequence[str] = ()
    ) -> None:
        self._statements = {"sqlite": statement, "postgresql": statement if postgres is None else postgres}
        self._columns = list(columns) or None
        self.plans: dict[str, Plan] = {}

    def plan(self, dialect: Dialect) -> Plan:
        """The statement in this dialect. Raises TypeError for what cannot be prepared."""
        return self.plans.get(dialect.name) or self.plans.setdefault(dialect.name, self._compile(dialect))

    def _compile(self, dialect: Dialect) -> Plan:
        statement = self._statements[dialect.name]
        compiled: Any = statement.compile(dialect=dialect, column_keys=self._columns)  # type: ignore[attr-defined]  # every statement can
        text = str(compiled)
        if "POSTCOMPILE" in text:
            raise TypeError("a list of unknown length cannot be prepared")
        names, binds, constants = [], [], {}
        for place, name in enumerate(compiled.positiontup if compiled.positional else compiled.binds):
            bind = compiled.binds[name]
            process = bind.type.dialect_impl(dialect).bind_processor(dialect)
            if not bind.required:
                constants[name] = bind.effective_value if process is None else process(bind.effective_value)
            elif process is not None:
                binds.append((place, lru_cache(8)(process) if isinstance(_plain(bind.type), Date) else process))
            names.append(name)
        types = [column.type for column in statement.exported_columns]  # type: ignore[attr-defined]  # selects and whatever returns
        columns = [(place, process) for place, kind in enumerate(types) if (process := _reader(kind, dialect))]
        return Plan(
            text, tuple(names), _taker(names), tuple(binds), constants, tuple(columns), compiled.positional,
            returns=bool(types),
        )  # fmt: skip


def _taker(names: Sequence[str]) -> Callable[[Mapping[str, Any]], Sequence[Any]]:
    """Picks values by name, as a tuple even where there are few."""
    if len(names) > 1:
        return itemgetter(*names)
    return lambda values: tuple([values[name] for name in names])


def _reader(kind: TypeEngine[Any], dialect: Dialect) -> Callable[[Any], Any] | None:
    """What makes a value of the driver's one of ours. The same few moments come again and again: they are kept."""
    if isinstance(_plain(kind), Float):  # both drivers give one, and only a running statement tells the dialect that
        return None
    process: _Processor = kind.dialect_impl(dialect).result_processor(dialect, None)
    return lru_cache(1024)(process) if process and isinstance(_plain(kind), Date | DateTime) else process


def _plain(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    return kind.impl_instance if isinstance(kind, TypeDecorator) else kind


def upsert(table: type[Table], index: Sequence[str], *columns: str) -> Prepared:
    """Insert a row, or put these columns into the one that is there."""

    def build(add: Callable[..., Any]) -> Executable:
        statement = add(table)
        new = {name: statement.excluded[name] for name in columns}
        built: Executable = statement.on_conflict_do_update(index_elements=index, set_=new)
        return built

    return Prepared(build(sqlite_insert), postgres=build(postgres_insert), columns=[*index, *columns])
