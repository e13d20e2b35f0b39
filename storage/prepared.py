"""prepared: how does a statement that runs at every tap get to the database without a detour?

Building a statement of SQLAlchemy costs 100 to 400 us and running it another 35, where SQLite itself needs 2.
So what runs at every tap is written in SQLAlchemy like everything else, but built and compiled once, and then
handed to the driver's own cursor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Dialect, Executable
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from storage.base import Table

Row = tuple[Any, ...]
_Processor = Callable[[Any], Any] | None


@dataclass(frozen=True, slots=True)
class Plan:
    """A statement in one dialect: its text, how values become parameters, how columns become values."""

    text: str
    binds: tuple[tuple[str, _Processor, Any], ...]
    columns: tuple[_Processor, ...]
    positional: bool

    def parameters(self, values: Mapping[str, Any]) -> Sequence[Any] | Mapping[str, Any]:
        """What the driver is handed. Raises KeyError for a value that was not given."""
        taken = [
            (name, values[name] if default is _NEEDED else default, process) for name, process, default in self.binds
        ]
        if self.positional:
            return [value if process is None else process(value) for _, value, process in taken]
        return {name: value if process is None else process(value) for name, value, process in taken}

    def rows(self, found: Iterable[Row]) -> list[Row]:
        """Rows as SQLAlchemy's types would give them."""
        if not any(self.columns):
            return list(found)
        return [
            tuple(
                [
                    value if process is None else process(value)
                    for value, process in zip(row, self.columns, strict=True)
                ]
            )
            for row in found
        ]


_NEEDED = object()


class Prepared:
    """A statement for `Tx.rows`, `Tx.row` and `Tx.many`, with a `bindparam` for each value.

    It knows no IN over a list, and no defaults that a table computes in Python. `columns` are those an insert fills.
    """

    def __init__(
        self, statement: Executable, *, postgres: Executable | None = None, columns: Sequence[str] = ()
    ) -> None:
        self._statements = {"sqlite": statement, "postgresql": statement if postgres is None else postgres}
        self._columns = list(columns) or None
        self._plans: dict[str, Plan] = {}

    def plan(self, dialect: Dialect) -> Plan:
        """The statement in this dialect. Raises TypeError for what cannot be prepared."""
        return self._plans.get(dialect.name) or self._plans.setdefault(dialect.name, self._compile(dialect))

    def _compile(self, dialect: Dialect) -> Plan:
        statement = self._statements[dialect.name]
        compiled: Any = statement.compile(dialect=dialect, column_keys=self._columns)  # type: ignore[attr-defined]  # every statement can
        text = str(compiled)
        if "POSTCOMPILE" in text:
            raise TypeError("a list of unknown length cannot be prepared")
        names = compiled.positiontup if compiled.positional else list(compiled.binds)
        binds = tuple(
            (
                name,
                bind.type.dialect_impl(dialect).bind_processor(dialect),
                _NEEDED if bind.required else bind.effective_value,
            )
            for name, bind in ((name, compiled.binds[name]) for name in names)
        )
        columns = tuple(
            column.type.dialect_impl(dialect).result_processor(dialect, None)
            for column in statement.exported_columns  # type: ignore[attr-defined]  # selects and whatever returns
        )
        return Plan(text, binds, columns, compiled.positional)


def upsert(table: type[Table], index: Sequence[str], *columns: str) -> Prepared:
    """Insert a row, or put these columns into the one that is there."""

    def build(add: Callable[..., Any]) -> Executable:
        statement = add(table)
        new = {name: statement.excluded[name] for name in columns}
        built: Executable = statement.on_conflict_do_update(index_elements=index, set_=new)
        return built

    return Prepared(build(sqlite_insert), postgres=build(postgres_insert), columns=[*index, *columns])
