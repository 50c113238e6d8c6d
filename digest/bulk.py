"""A statement for many rows at once, to write them and to read them.

SQLAlchemy looks at each row of an executemany as if it were the first: where thousands are written a second, that costs
more than the database. Here a statement is compiled once for each kind of database, and rows go to the driver.

SQLite's driver fetches row by row, and at each lets another thread go first. Here the database makes one JSON text of
all rows, which comes in one step; and the numbers that are asked for go there as one as well."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


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


class Rows(FunctionElement[str]):
    """The given columns of all rows of a SELECT, as one JSON text of lists: it is the only column there."""

    inherit_cache = True
    type = sa.Text()


class Numbers(FunctionElement[int]):
    """The numbers of a JSON text, to stand after IN."""

    inherit_cache = True
    type = sa.BigInteger()


@compiles(Rows, "sqlite")
def _rows_in_sqlite(element: Rows, compiler: SQLCompiler, **options: Any) -> str:
    return f"json_group_array(json_array({compiler.process(element.clauses, **options)}))"


@compiles(Rows, "postgresql")
def _rows_in_postgresql(element: Rows, compiler: SQLCompiler, **options: Any) -> str:
    return f"CAST(json_agg(json_build_array({compiler.process(element.clauses, **options)})) AS TEXT)"


@compiles(Numbers, "sqlite")
def _numbers_in_sqlite(element: Numbers, compiler: SQLCompiler, **options: Any) -> str:
    value = sa.func.json_each(*element.clauses).table_valued("value").c.value
    return compiler.process(sa.select(value).scalar_subquery(), **options)


@compiles(Numbers, "postgresql")
def _numbers_in_postgresql(element: Numbers, compiler: SQLCompiler, **options: Any) -> str:
    texts = [sa.cast(text, postgresql.JSON) for text in element.clauses]
    value = sa.func.json_array_elements_text(*texts).table_valued("value").c.value
    return compiler.process(sa.select(sa.cast(value, sa.BigInteger)).scalar_subquery(), **options)


def by_number(column: sa.Column[int], *columns: sa.Column[Any]) -> sa.Select[Any]:
    """The `columns` of the rows that have one of some numbers in `column`, for `fetch`."""
    numbers = Numbers(sa.bindparam("numbers", type_=sa.Text))
    return sa.select(Rows(*columns)).where(column.op("IN")(numbers))


def fetch(connection: Connection, statement: sa.Select[Any], numbers: Collection[int]) -> list[list[Any]]:
    """All rows of a `by_number`, in no order; a moment is a text for `moment`."""
    found = connection.execute(statement, {"numbers": json.dumps(list(numbers))}).scalar()
    rows: list[list[Any]] = json.loads(found or "[]")
    return rows


@lru_cache(maxsize=4096)
def moment(text: str) -> datetime:
    """A moment of the database, as JSON has it there. Many rows share one: they were written together."""
    made = datetime.fromisoformat(text)
    return made.replace(tzinfo=UTC) if made.tzinfo is None else made.astimezone(UTC)
