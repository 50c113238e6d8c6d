"""Promise 7: kill any process at any moment; nobody is lost, nobody is mailed twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from digest.database import Database
from digest.delivery import claims, recovery, store
from digest.delivery.journal import Journal
from digest.delivery.message import verify
from digest.delivery.tables import DELIVERY, deliveries, delivery_of
from tests.delivery.samples import KEY, books_of, compiled, fill_outbox, send
from tests.support.smtp import Sink

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("DIGEST_TESTS_KILLS", "7"))


def start(database: Database, sink: Sink, folder: Path) -> subprocess.Popen[bytes]:
    url = database.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.delivery.sender_process", url, str(sink.port), str(folder)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def uncertain_addresses(database: Database) -> list[str]:
    with database.read() as connection:
        return [one.delivery.address for one in store.uncertain(connection, KEY)]


def wait_for(sink: Sink, count: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 20
    while len(sink.received) < count and process.poll() is None and time.monotonic() < until:
        time.sleep(0.001)


def assert_once(database: Database, sink: Sink, everyone: Sequence[str]) -> None:
    got = Counter(sink.recipients())
    doubtful = set(uncertain_addresses(database))
    assert all(count == 1 for count in got.values()), [who for who, count in got.items() if count > 1]
    assert set(got) | doubtful == set(everyone)


def assert_ledger_is_true(database: Database, sink: Sink) -> None:
    """Each mail that came is the one whose hash its row has, though its sender was killed."""
    with database.read() as connection:
        rows = connection.execute(sa.select(*DELIVERY, deliveries.c.content_hash)).all()
    ledger = {row.address: (row.content_hash, delivery_of(row)) for row in rows}
    for one in sink.received:
        content_hash, delivery = ledger[one.recipient]
        assert verify(one.data, compiled("", delivery)) == content_hash


def test_killed_at_random_moments(database: Database, tmp_path: Path) -> None:
    """A sender is killed again and again: each reader has one mail or is uncertain; the books always balance."""
    count, seed = 400, random.randrange(2**32)
    print(f"seed {seed}")  # shown where it fails
    choose = random.Random(seed)
    fill_outbox(database, count)
    with Sink(delay=0.002).serve() as sink:
        for number in range(KILLS):
            process = start(database, sink, tmp_path)
            wait_for(sink, (number + 1) * count // (KILLS + 2), process)
            time.sleep(choose.uniform(0, 0.02))
            process.send_signal(signal.SIGKILL)
            process.communicate()
            books = books_of(database)
            assert books.balance
            assert books.candidates == count
        summary = send(database, sink.port, tmp_path)
        assert summary.ended == "nothing due"
        books = books_of(database)
        assert (books.pending, books.sent + books.uncertain) == (0, count)
        # At most what was in flight on each of three connections, each time.
        assert books.uncertain <= 3 * KILLS
        assert_once(database, sink, [f"reader-{n}@example.org" for n in range(count)])
        assert_ledger_is_true(database, sink)
    with database.read() as connection:
        assert claims.open_claims(connection) == []


def test_killed_while_claiming(database: Database, tmp_path: Path) -> None:
    """What a killed process had asked for is claimed a moment after its death: the run that is on sends it, too."""
    fill_outbox(database, 20)
    gone = subprocess.Popen([sys.executable, "-c", ""])
    owner = replace(recovery.this_process(), pid=gone.pid, started=0)
    gone.wait()
    (tmp_path / "journals").mkdir()
    Journal(tmp_path / "journals" / "c1", 9)
    dying, begun = Database(database.url.render_as_string(hide_password=False)), threading.Event()

    def last_words() -> None:
        with dying.begin() as connection:
            now = datetime.now(UTC)
            journal = str(tmp_path / "journals" / "c1")
            claims.claim(connection, owner=owner, journal=journal, limit=9, now=now, lease=timedelta(seconds=60))
            begun.set()
            time.sleep(0.4)

    thread = threading.Thread(target=last_words)
    thread.start()
    assert begun.wait(10)
    with Sink().serve() as sink:
        summary = send(database, sink.port, tmp_path)
        thread.join()
        assert (summary.sent, summary.recovered.released) == (20, 9)
        assert_once(database, sink, [f"reader-{n}@example.org" for n in range(20)])
    dying.close()


def test_two_senders_at_once(database: Database, tmp_path: Path) -> None:
    """Two processes that send the same edition share it: none twice, none lost."""
    fill_outbox(database, 300)
    with Sink(delay=0.001).serve() as sink:
        both = [start(database, sink, tmp_path) for _ in range(2)]
        for process in both:
            output, _ = process.communicate(timeout=60)
            assert process.returncode == 0, output
    assert Counter(sink.recipients()) == Counter(f"reader-{n}@example.org" for n in range(300))
    assert books_of(database).sent == 300


def test_lost_journal(database: Database, tmp_path: Path) -> None:
    """A journal that is gone makes the whole claim uncertain: nothing is guessed."""
    fill_outbox(database, 60)
    with Sink(delay=0.02).serve() as sink:
        process = start(database, sink, tmp_path)
        wait_for(sink, 5, process)
        process.kill()
        process.communicate()
        for path in (tmp_path / "journals").iterdir():
            path.unlink()
        send(database, sink.port, tmp_path)
        assert_once(database, sink, [f"reader-{n}@example.org" for n in range(60)])
    books = books_of(database)
    assert books.pending == 0
    assert books.uncertain >= 1
