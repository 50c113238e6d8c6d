"""The engine, the transactions and the column types. Only this module knows whether it is SQLite or PostgreSQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.ext.compiler import compiles

from digest.errors import DigestError, UsageError

_LOOK = 4 << 20
"""Bytes of a file that are looked at at once."""

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)
"""Every room declares its own tables on this, in its `store`."""


class UTCDateTime(sa.types.TypeDecorator[datetime]):
    """Aware datetimes in UTC, in and out; a naive one is an error. (SQLite itself drops the zone.)"""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a naive datetime reached the database: {value!r}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class JSON(sa.types.TypeDecorator[Any]):
    """A document; on PostgreSQL JSONB. (That dialect takes long to load, and is loaded only where it is spoken.)"""

    impl = sa.JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        if dialect.name != "postgresql":
            return super().load_dialect_impl(dialect)
        from sqlalchemy.dialects.postgresql import JSONB

        return dialect.type_descriptor(JSONB())


BigKey = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
"""An automatic integer key; SQLite counts only plain INTEGER by itself."""


def partial_index(name: str, *columns: sa.Column[Any], where: sa.ColumnElement[bool] | sa.TextClause | None) -> None:
    """An index of the rows for which `where` holds; of all where it is None. It spares loading PostgreSQL's dialect."""
    sa.Index(name, *columns, sqlite_where=where, info={"where": where})


@compiles(sa.schema.CreateIndex, "postgresql")
def _create_index(create: Any, compiler: Any, **options: Any) -> str:
    index = create.element
    if index.info.get("where") is not None:
        index.dialect_options["postgresql"]["where"] = index.info["where"]
    return str(compiler.visit_create_index(create, **options))


class Database:
    """One database: `begin()` writes, `read()` looks. Stores are handed the connection and never make one."""

    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        if parsed.get_backend_name() not in ("sqlite", "postgresql"):
            raise UsageError(f"database url {url!r} is neither sqlite:/// nor postgresql://")
        if parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg")
        self.url = parsed
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        self.engine: Engine = _sqlite_engine(parsed) if self.is_sqlite else sa.create_engine(parsed, pool_pre_ping=True)
        # SQLite has one writer at a time anyway. A connection of its own keeps the pages that it has read and changed:
        # one that sees another's changes throws all of them away.
        self.writing = _sqlite_writing(parsed) if self.is_sqlite else self.engine

    @property
    def path(self) -> Path | None:
        """The SQLite file, or None on PostgreSQL."""
        return Path(self.url.database) if self.is_sqlite and self.url.database else None

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One write transaction (on SQLite the only writer): all of it, or nothing.

        Raises DigestError where the database is full, locked, read-only or gone."""
        with self._speaking_plainly(), self.writing.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One consistent look; nothing that is written in it is kept."""
        with self._speaking_plainly(), self.engine.connect() as connection:
            if not self.is_sqlite:  # there a read is one snapshot by itself
                connection.execution_options(isolation_level="REPEATABLE READ")
            connection = connection.execution_options(digest_read=True)
            try:
                yield connection
            finally:
                connection.rollback()

    @contextmanager
    def _speaking_plainly(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.TimeoutError as error:  # another thread of ours is writing
            raise DigestError(f"database {self._where()}: database is locked", mend=_mend("locked")) from error
        except (sa.exc.IntegrityError, sa.exc.DataError):
            raise  # not the database's state, but what we gave it
        except sa.exc.DBAPIError as error:
            what = str(error.orig).strip().splitlines()[0]
            raise DigestError(f"database {self._where()}: {what}", mend=_mend(what)) from error

    def _where(self) -> str:
        return str(self.path) if self.is_sqlite else self.url.render_as_string(hide_password=True)

    def scrub(self, words: Collection[str]) -> bool:
        """Leave no trace of erased words in the space that SQLite has freed: where there is one, the file is written
        anew. False where others keep it from that. PostgreSQL frees and fills its space by itself."""
        path = self.path
        if path is None:
            return True
        needles = [word.encode() for word in words]
        with self._speaking_plainly(), self.engine.connect() as connection:
            raw: Any = connection.connection.driver_connection
            busy = _emptied(raw)
            if not busy and not _holds(path, needles):
                return True
            try:
                raw.execute("VACUUM")
            except sqlite3.OperationalError:
                return False
            return not _emptied(raw)  # a file that was written anew has no other space

    def close(self) -> None:
        self.engine.dispose()
        self.writing.dispose()


def _emptied(connection: sqlite3.Connection) -> bool:
    """Move what the write-ahead log holds into the file, and cut the log off. True where a reader kept it from that."""
    return bool(connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])


def _holds(path: Path, needles: Collection[bytes]) -> bool:
    """Whether the bytes of a file hold one of these, in either case of their letters."""
    wanted = [needle.lower() for needle in needles]
    overlap = max(len(needle) for needle in wanted)
    before = b""
    with path.open("rb") as file:
        while part := file.read(_LOOK):
            window = (before + part).lower()
            if any(needle in window for needle in wanted):
                return True
            before = part[-overlap:]
    return False


def _mend(what: str) -> str:
    table = {
        "locked": "another process has held it for over 30 s; wait, or stop that process",
        "full": "free some disk space and run the command again; nothing was half done",
        "disk I/O": "is the disk full, or broken? Make room and run the command again; nothing was half done",
        "readonly": "give the user that runs this write access to the file and its folder",
        "unable to open": "give the user that runs this write access to the file and its folder",
        "no such table": "run `digest db upgrade`",
        "does not exist": "run `digest db upgrade`",
        "not a database": "it is another kind of file: correct `[database] url`, or restore a backup",
        "malformed": "restore a backup",
        "refused": "start PostgreSQL, or correct `[database] url`",
    }
    return next((mend for word, mend in table.items() if word in what), "see `digest doctor`")


def _sqlite_writing(url: sa.URL) -> Engine:
    engine = _sqlite_engine(url, pool_size=1, max_overflow=0)

    @sa.event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA temp_store=MEMORY")  # what undoes one statement: a few hundred pages at most

    return engine


def _sqlite_engine(url: sa.URL, **pool: Any) -> Engine:
    engine = sa.create_engine(url, connect_args={"check_same_thread": False, "timeout": 30}, pool_use_lifo=True, **pool)

    @sa.event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions are ours: see _begin
        for pragma in ("journal_mode=WAL", "foreign_keys=ON", "busy_timeout=30000", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get("digest_read", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    return engine


def _insert(dialect: sa.Dialect, table: sa.Table) -> Any:
    """The INSERT of the database's own dialect, which knows ON CONFLICT."""
    if dialect.name == "sqlite":
        from sqlalchemy.dialects import sqlite

        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql

    return postgresql.insert(table)


def insert_or_ignore(
    connection: Connection,
    table: sa.Table,
    rows: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    *returning: Any,
) -> Any:
    """INSERT … ON CONFLICT DO NOTHING; with `returning` columns, the rows that were really inserted.

    It is how a unique key decides who was first."""
    statement = _insert(connection.dialect, table).on_conflict_do_nothing()
    if returning:
        return connection.execute(statement.returning(*returning), rows)
    return connection.execute(statement, rows)


def insert_in_bulk(
    connection: Connection, table: sa.Table, names: tuple[str, ...], rows: Sequence[tuple[Any, ...]]
) -> int:
    """The same for a great many rows, each its values for `names` (in the table's order); returns how many were new.

    They go to the driver as they are: a value that its column stores in another form is made by `as_stored` before."""
    text, order = _inserting(connection.dialect, table, names)
    if order is None:
        return connection.exec_driver_sql(text, [dict(zip(names, row, strict=True)) for row in rows]).rowcount
    assert order == list(names), f"the columns of {table.name} stand in the order {order}"
    return connection.exec_driver_sql(text, list(rows)).rowcount


@lru_cache(maxsize=16)
def _inserting(dialect: sa.Dialect, table: sa.Table, names: tuple[str, ...]) -> tuple[str, list[str] | None]:
    """The statement as text, and in which order it takes the values; None: by their names."""
    compiled = _insert(dialect, table).on_conflict_do_nothing().compile(dialect=dialect, column_keys=list(names))
    return str(compiled), compiled.positiontup if compiled.positional else None


def as_stored(connection: Connection, column: sa.Column[Any], value: Any) -> Any:
    """A value in the form in which the driver takes it."""
    process = column.type.dialect_impl(connection.dialect).bind_processor(connection.dialect)
    return process(value) if process else value


def upsert(connection: Connection, table: sa.Table, row: Mapping[str, Any], *keys: str) -> None:
    """Insert the row, or update every other column of the one that has the same `keys`."""
    statement = _insert(connection.dialect, table).values(**row)
    changes = {name: statement.excluded[name] for name in row if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=list(keys), set_=changes))


def one_at_a_time(connection: Connection, what: str) -> None:
    """Wait until no other transaction is doing `what`, and keep others waiting until this one ends.

    On SQLite a write transaction is alone already."""
    if connection.dialect.name != "sqlite":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(what))))
