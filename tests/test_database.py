"""The database: transactions, time, and failures in one clear line."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from digest.database import Database, UTCDateTime, insert_or_ignore, upsert
from digest.errors import DigestError, UsageError

META = sa.MetaData()
THINGS = sa.Table(
    "things",
    META,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("at", UTCDateTime),
    sa.Column("n", sa.Integer),
)
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


@pytest.fixture
def things(database_url: str) -> Database:
    database = Database(database_url)
    META.create_all(database.engine)
    return database


def test_a_transaction_is_all_or_nothing(things: Database) -> None:
    """What a failing block wrote is not there."""
    with pytest.raises(ZeroDivisionError), things.begin() as connection:  # noqa: PT012
        connection.execute(THINGS.insert().values(name="a", at=NOON))
        _ = 1 / 0
    with things.read() as connection:
        assert connection.execute(sa.select(THINGS)).all() == []


def test_a_read_is_one_consistent_look(things: Database) -> None:
    """What another writes meanwhile does not show in the middle of a read."""
    with things.read() as reading:
        before = reading.scalar(sa.select(sa.func.count()).select_from(THINGS))
        with things.begin() as writing:
            writing.execute(THINGS.insert().values(name="a"))
        assert reading.scalar(sa.select(sa.func.count()).select_from(THINGS)) == before == 0


def test_times_are_aware_and_utc(things: Database) -> None:
    """A moment comes back as the same moment, in UTC; a naive one is refused."""
    moment = datetime.fromisoformat("2026-11-27T09:00:00-05:00")
    with things.begin() as connection:
        connection.execute(THINGS.insert().values(name="a", at=moment))
        found = connection.execute(sa.select(THINGS.c.at)).scalar_one()
    assert found == moment
    assert found.tzinfo is UTC
    with pytest.raises(sa.exc.StatementError, match="naive"), things.begin() as connection:
        connection.execute(THINGS.insert().values(name="b", at=datetime(2026, 1, 1)))  # noqa: DTZ001


def test_one_of_eight_racing_threads_wins(things: Database) -> None:
    """A unique key decides who was first, on both databases."""
    won: list[int] = []
    start = threading.Barrier(8)

    def race(number: int) -> None:
        start.wait()
        with things.begin() as connection:
            if insert_or_ignore(connection, THINGS, {"name": "edition", "n": number}, THINGS.c.n).first():
                won.append(number)

    threads = [threading.Thread(target=race, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with things.read() as connection:
        assert won == [connection.execute(sa.select(THINGS.c.n)).scalar_one()]


def test_upsert_replaces_what_has_the_same_key(things: Database) -> None:
    """The second row of a key takes the place of the first."""
    for number in (1, 2):
        with things.begin() as connection:
            upsert(connection, THINGS, {"name": "a", "n": number}, "name")
    with things.read() as connection:
        assert connection.execute(sa.select(THINGS.c.n)).scalars().all() == [2]


def test_another_kind_of_database_is_wrong_usage() -> None:
    """A URL that is neither of the two says so."""
    with pytest.raises(UsageError, match="neither sqlite"):
        Database("mysql://example.org/digest")


def test_a_missing_table_says_how_to_mend_it(database_url: str) -> None:
    """An empty database names the command that fills it."""
    database = Database(database_url)
    with pytest.raises(DigestError, match="digest db upgrade"), database.read() as connection:
        connection.execute(sa.text("SELECT * FROM editions"))
    database.close()


def test_a_file_that_is_no_database_says_so(tmp_path: Path) -> None:
    """Another kind of file is one line, with its path."""
    (tmp_path / "x.sqlite3").write_bytes(b"this is not a database, by far" * 100)
    database = Database(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    with pytest.raises(DigestError, match=r"x\.sqlite3.*not a database"), database.read():
        pass


def test_a_server_that_is_away_says_so() -> None:
    """PostgreSQL that does not answer is one line, without the password."""
    database = Database("postgresql://digest:sesame@127.0.0.1:1/digest")
    with pytest.raises(DigestError, match="start PostgreSQL") as caught, database.read():
        pass
    assert "sesame" not in str(caught.value)
