"""Databases that are full, locked or slow, clocks that jump, and two senders: the books balance and nobody is lost."""

from __future__ import annotations

import os
import random
import sqlite3
import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from digest.database import Database
from digest.delivery.model import Delivery, Outcome
from digest.errors import DigestError
from tests.delivery.samples import books_of, fill_outbox, send
from tests.support.databases import create_all, fresh_postgres, listen
from tests.support.smtp import Sink

ROUNDS = int(os.environ.get("DIGEST_TESTS_FAULT_ROUNDS", "1"))
READERS = 150
EVERYONE = Counter(f"reader-{number}@example.org" for number in range(READERS))
HOUR = timedelta(hours=1)


@pytest.fixture
def sqlite(tmp_path: Path) -> Database:
    database = Database(f"sqlite:///{tmp_path / 'digest.sqlite3'}")
    create_all(database)
    fill_outbox(database, READERS)
    return database


def assert_once(database: Database, sink: Sink) -> None:
    """Each reader has it once, or the ledger has doubts; what the ledger calls sent has arrived."""
    books = books_of(database)
    arrived = Counter(sink.recipients())
    assert books.balance
    assert (books.pending, books.candidates) == (0, READERS)
    assert not [who for who, count in arrived.items() if count > 1]
    assert books.sent <= sum(arrived.values()) <= books.sent + books.uncertain
    assert len(EVERYONE - arrived) <= books.uncertain


def test_a_full_database(sqlite: Database, tmp_path: Path) -> None:
    """A disk that fills up in the middle ends the run with one line; with room again it goes on, and nobody is lost."""
    with sqlite.begin() as connection:
        connection.execute(sa.text("CREATE TABLE notes (said TEXT)"))

    def note(connection: Connection, _delivery: Delivery, _outcome: Outcome) -> None:
        """What is written beside each result needs a page more."""
        connection.execute(sa.text("INSERT INTO notes VALUES (:said)"), {"said": "x" * 4_000})

    turn = threading.Lock()  # whoever gets it first has it for good

    def fill(_recipient: str) -> None:
        if len(sink.received) >= 40 and turn.acquire(blocking=False):
            limit(sqlite, pages=1)

    with Sink(on_data=fill, delay=0.002).serve() as sink:
        with pytest.raises(DigestError, match="full"):
            send(sqlite, sink.port, tmp_path, on_result=note)
        books = books_of(sqlite)
        assert books.balance
        assert books.pending > 0
        limit(sqlite, pages=1_000_000)
        assert send(sqlite, sink.port, tmp_path, on_result=note).ended == "nothing due"
    assert_once(sqlite, sink)
    assert books_of(sqlite).uncertain == 0
    with sqlite.read() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM notes")).scalar_one() == READERS


def limit(database: Database, *, pages: int) -> None:
    """SQLite makes the file no larger than that, or than it is, on every connection from now on."""

    @sa.event.listens_for(database.writing, "connect")
    def _limit(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages}")

    database.writing.dispose()


def test_a_locked_database(sqlite: Database, tmp_path: Path) -> None:
    """Another process holds the database for a while: the sender waits, and everyone gets one mail."""
    path = sqlite.path
    assert path is not None
    held: list[threading.Thread] = []
    turns = [threading.Lock(), threading.Lock()]  # whoever gets one first has it for good

    def hold() -> None:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        time.sleep(1.0)
        other.execute("COMMIT")
        other.close()

    def lock(_recipient: str) -> None:
        for turn, count in zip(turns, (10, 60), strict=True):
            if len(sink.received) >= count and turn.acquire(blocking=False):
                thread = threading.Thread(target=hold)
                held.append(thread)
                thread.start()

    with Sink(on_data=lock, delay=0.002).serve() as sink:
        summary = send(sqlite, sink.port, tmp_path)
    for thread in held:
        thread.join()
    assert len(held) == 2
    assert (summary.sent, summary.uncertain) == (READERS, 0)
    assert_once(sqlite, sink)


def test_a_database_that_stays_locked(sqlite: Database, tmp_path: Path) -> None:
    """Locked for longer than we wait: one line says so; the next run replays what the journal knows."""
    path = sqlite.path
    assert path is not None
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)

    @sa.event.listens_for(sqlite.engine, "connect")
    def _impatient(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA busy_timeout=200")

    sqlite.engine.dispose()

    def lock(_recipient: str) -> None:
        if len(sink.received) == 30 and not other.in_transaction:
            other.execute("PRAGMA busy_timeout=10000")
            other.execute("BEGIN IMMEDIATE")

    with Sink(on_data=lock, delay=0.002).serve() as sink:
        with pytest.raises(DigestError, match="locked"):
            send(sqlite, sink.port, tmp_path, connections=1)
        other.execute("ROLLBACK")
        other.close()
        send(sqlite, sink.port, tmp_path)
    assert_once(sqlite, sink)
    assert books_of(sqlite).uncertain == 0


def test_a_postgresql_that_goes_away(postgres: str, tmp_path: Path) -> None:
    """A server that throws everybody out in the middle of a send ends it with one clear line; when it is back the
    journals tell what it had not heard, and nobody is in doubt."""
    with fresh_postgres(postgres) as url:
        name = sa.make_url(url).database
        admin = sa.create_engine(
            sa.make_url(postgres).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
        )
        out = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"

        def let_in(answer: str) -> None:
            with admin.connect() as connection:
                connection.exec_driver_sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS {answer}")
                connection.execute(sa.text(out), {"name": name})

        def seen(_recipient: str) -> None:
            if len(sink.received) >= 40 and first.acquire(blocking=False):
                let_in("false")

        first, database = threading.Lock(), Database(url)
        create_all(database)
        fill_outbox(database, READERS)
        with Sink(on_data=seen, delay=0.02).serve() as sink:
            with pytest.raises(DigestError, match=r"^database postgresql"):
                send(database, sink.port, tmp_path)
            let_in("true")
            at = books_of(database)
            assert at.balance
            assert at.sent < len(sink.received)
            assert send(database, sink.port, tmp_path).recovered.settled
            assert_once(database, sink)
            assert books_of(database).uncertain == 0
        database.close()
        admin.dispose()


def test_a_slow_disk(database: Database, tmp_path: Path) -> None:
    """Every commit takes 50 ms: it takes longer, and nothing else changes."""
    fill_outbox(database, READERS)
    listen(database, "commit", lambda _connection: time.sleep(0.05))
    with Sink().serve() as sink:
        summary = send(database, sink.port, tmp_path)
    assert (summary.sent, summary.ended) == (READERS, "nothing due")
    assert_once(database, sink)


@pytest.mark.parametrize("first", [HOUR, -HOUR], ids=["ahead", "back"])
def test_a_clock_that_jumps(database: Database, tmp_path: Path, first: timedelta) -> None:
    """A clock that jumps by an hour and back again in the middle of a send loses nobody and mails nobody twice."""
    fill_outbox(database, READERS)
    ahead = [timedelta(0)]

    def jump(_recipient: str) -> None:
        count = len(sink.received)
        ahead[0] = first if 30 <= count < 90 else timedelta(0)

    clock = lambda: datetime.now(UTC) + ahead[0]  # noqa: E731
    with Sink(on_data=jump, delay=0.002).serve() as sink:
        send(database, sink.port, tmp_path, clock=clock, lease=timedelta(seconds=5), rate=400.0)
        assert books_of(database).balance
        ahead[0] = timedelta(0)
        send(database, sink.port, tmp_path)
        ahead[0] = 2 * HOUR  # what a mail that came back then waits for
        send(database, sink.port, tmp_path, clock=lambda: datetime.now(UTC) + 2 * HOUR)
    assert_once(database, sink)
    assert books_of(database).uncertain == 0


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_two_senders_and_a_database_that_fails(database_url: str, tmp_path: Path, round_: int) -> None:
    """Two senders on one database, whose commits fail at random: run again, and everyone has it once or is in doubt."""
    database = Database(database_url)
    create_all(database)
    fill_outbox(database, READERS)
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # shown where it fails
    choose = random.Random(seed)
    working = [False]

    def fail(_connection: object) -> None:
        if not working[0] and choose.random() < 0.04:
            raise sa.exc.OperationalError("COMMIT", {}, Exception("database or disk is full"))

    def go(number: int) -> None:
        for _ in range(4):
            try:
                send(both[number], sink.port, tmp_path, lease=timedelta(seconds=2))
            except DigestError:
                continue

    both = [Database(database_url) for _ in range(2)]
    for one in both:
        sa.event.listen(one.engine, "commit", fail)
    with Sink(delay=0.003).serve() as sink:
        threads = [threading.Thread(target=go, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        working[0] = True
        assert books_of(database).balance
        send(database, sink.port, tmp_path)
    assert_once(database, sink)
    for one in (database, *both):
        one.close()
