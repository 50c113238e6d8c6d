"""A statement for many rows at once.

SQLAlchemy looks at each row of an executemany as if it were the first: where thousands are written a second, that costs
more than the database. Here a statement is compiled once for each kind of database, and rows go to the driver."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Dialect


@dataclass(frozen=True, eq=False)
class Bulk:
    """An UPDATE, INSERT or DELETE whose values are all bound by name, and can be hashed."""

    statement: sa.UpdateBase

    def execute(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Once for each row, which has a value for every name."""
        if rows:
            made = _compiled(self, connection.dialect)
            connection.exec_driver_sql(made.text, [made.values(row) for row in rows])


@dataclass(frozen=True)
class _Compiled:
    text: str
    names: tuple[str, ...]
    converters: Mapping[str, Callable[[Any], Any]]
    positional: bool

    def values(self, row: Mapping[str, Any]) -> Any:
        if self.converters:
            row = {**row, **{name: convert(row[name]) for name, convert in self.converters.items()}}
        return tuple([row[name] for name in self.names]) if self.positional else row


@lru_cache(maxsize=64)
def _compiled(bulk: Bulk, dialect: Dialect) -> _Compiled:
    made = bulk.statement.compile(dialect=dialect)
    converters = {}
    for name, parameter in made.binds.items():
        if (convert := parameter.type.dialect_impl(dialect).bind_processor(dialect)) is not None:
            converters[name] = lru_cache(maxsize=64)(convert)  # most rows of a group are of one moment
    return _Compiled(str(made), tuple(made.positiontup or ()), converters, bool(made.positional))
