"""One step for many rows, to write them and to read them.

SQLite's driver writes and fetches row by row, and at each lets another thread go first. Here the database makes one
JSON text of all rows, which comes in one step; what is asked for, or differs from row to row, goes there as one too."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class Rows(FunctionElement[str]):
    """The given columns of all rows of a SELECT, as one JSON text of lists: it is the only column there."""

    inherit_cache = True
    type = sa.Text()


class Numbers(FunctionElement[int]):
    """The numbers of a JSON text, to stand after IN."""

    inherit_cache = True
    type = sa.BigInteger()


class Texts(FunctionElement[str]):
    """The texts of a JSON object, as rows of `key` and `value`."""

    inherit_cache = True
    type = sa.Text()


def _spell(element: type[FunctionElement[Any]], *, sqlite: str, postgresql: str) -> None:
    """How each database writes it, with `{}` for what it is made of."""
    for name, written in (("sqlite", sqlite), ("postgresql", postgresql)):

        @compiles(element, name)
        def _spelt(made: FunctionElement[Any], compiler: SQLCompiler, written: str = written, **options: Any) -> str:
            return written.format(compiler.process(made.clauses, **options))


_spell(
    Rows,
    sqlite="json_group_array(json_array({}))",
    postgresql="CAST(json_agg(json_build_array({})) AS TEXT)",
)
_spell(
    Numbers,
    sqlite="(SELECT value FROM json_each({}))",
    postgresql="(SELECT CAST(value AS BIGINT) FROM json_array_elements_text(CAST({} AS JSON)))",
)
_spell(Texts, sqlite="json_each({})", postgresql="json_each_text(CAST({} AS JSON))")


def by_number(column: sa.Column[int], *columns: sa.Column[Any]) -> sa.Select[Any]:
    """The `columns` of the rows that have one of some numbers in `column`, for `fetch`."""
    numbers = Numbers(sa.bindparam("numbers", type_=sa.Text))
    return sa.select(Rows(*columns)).where(column.op("IN")(numbers))


def fetch(connection: Connection, statement: sa.Select[Any], numbers: Collection[int]) -> list[list[Any]]:
    """All rows of a `by_number`, in no order; a moment is a text for `moment`."""
    return fetch_rows(connection, statement, {"numbers": json.dumps(list(numbers))})


def fetch_rows(connection: Connection, statement: sa.Select[Any], values: Mapping[str, Any]) -> list[list[Any]]:
    """All rows of a SELECT of `Rows`."""
    found = connection.execute(statement, values).scalar()
    rows: list[list[Any]] = json.loads(found or "[]")
    return rows


@lru_cache(maxsize=4096)
def moment(text: str) -> datetime:
    """A moment of the database, as JSON has it there. Many rows share one: they were written together."""
    made = datetime.fromisoformat(text)
    return made.replace(tzinfo=UTC) if made.tzinfo is None else made.astimezone(UTC)
