"""What becomes of a dead sender's claim."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from digest.database import Database
from digest.delivery import claims, recovery, store
from digest.delivery.journal import Journal, replay
from digest.delivery.model import Books, Delivery, Outcome, Verdict
from digest.delivery.recovery import Recovered, is_alive, recover, sweep, this_process
from digest.delivery.settlements import settle, settlement
from digest.delivery.tables import deliveries
from digest.errors import DigestError
from tests.delivery.samples import NOW, books_of, fill_outbox

LEASE = timedelta(seconds=60)
HERE = replace(this_process(), host="here", boot_id="boot-1", pid=4242, started=77)


def claim_five(database: Database, folder: Path, owner: claims.Owner = HERE) -> list[Delivery]:
    fill_outbox(database, 5, now=NOW)
    with database.begin() as connection:
        return claims.claim(
            connection, owner=owner, journal=str(folder / "c1"), limit=9, now=NOW, lease=LEASE, claim_id="c1"
        )


def write_journal(folder: Path, rows: list[Delivery]) -> None:
    """One was sent, one is to be repeated, one was refused, one was in flight, one not begun."""
    journal = Journal(folder / "c1", len(rows))
    journal.begin(0, rows[0].id, "a" * 64, "0")
    journal.took(0, b"250 2.0.0 ok queued\r\n")
    journal.begin(1, rows[1].id, "b" * 64, "1")
    journal.end(1, rows[1].id, Outcome(Verdict.RETRY, 451, "4.3.0", "later", NOW + timedelta(minutes=5)))
    journal.end(2, rows[2].id, Outcome(Verdict.HARD, 550, "5.1.1", "user unknown"))
    journal.begin(3, rows[3].id, "d" * 64, "0")


def test_a_dead_process_is_replayed(database: Database, tmp_path: Path) -> None:
    """Results of the journal are settled, the mail in flight is uncertain, the rest goes back; the app hears."""
    rows = claim_five(database, tmp_path)
    write_journal(tmp_path, rows)
    heard: list[tuple[int, Verdict]] = []

    def on_result(_connection: Connection, row: Delivery, outcome: Outcome) -> None:
        heard.append((row.id, outcome.verdict))

    found = recover(database, now=NOW, owner=HERE, alive=lambda *_: False, on_result=on_result)
    assert found == Recovered(settled=3, released=1, uncertain=1)
    assert books_of(database) == Books(5, sent=1, excluded=0, failed=1, uncertain=1, pending=2)
    assert sorted(heard) == [(rows[0].id, "sent"), (rows[1].id, "retry"), (rows[2].id, "hard")]
    with database.read() as connection:
        assert store.due_later(connection, now=NOW) == (1, NOW + timedelta(minutes=5))
        assert claims.open_claims(connection) == []
        hashes = connection.execute(sa.select(deliveries.c.content_hash).order_by(deliveries.c.id)).scalars().all()
    assert hashes == ["a" * 64, "b" * 64, "", "d" * 64, ""]
    assert not (tmp_path / "c1").exists()
    assert recover(database, now=NOW, owner=HERE, alive=lambda *_: False) == Recovered()


@pytest.mark.parametrize("kept", [False, True], ids=["rolled back", "committed"])
def test_the_last_words_of_the_dead_are_awaited(database: Database, tmp_path: Path, kept: bool) -> None:
    """A server still at work on the last transaction of a killed process hides no claim: what it ends in holds."""
    rows = claim_five(database, tmp_path)
    write_journal(tmp_path, rows)
    begun, dying = threading.Event(), Database(database.url.render_as_string(hide_password=False))

    def last_words() -> None:
        with dying.engine.connect() as connection:
            ends = connection.begin()
            sent = Outcome(Verdict.SENT, 250)
            settle(connection, [settlement(row, sent) for row in rows], now=NOW)
            claims.end_claims(connection, ["c1"])
            begun.set()
            time.sleep(0.2)
            ends.commit() if kept else ends.rollback()

    thread = threading.Thread(target=last_words)
    thread.start()
    assert begun.wait(10)
    found = recover(database, now=NOW, owner=HERE, alive=lambda *_: False)
    thread.join()
    dying.close()
    assert found == (Recovered() if kept else Recovered(settled=3, released=1, uncertain=1))
    assert books_of(database).sent == (5 if kept else 1)
    with database.read() as connection:
        assert claims.open_claims(connection) == []


def test_the_living_are_left_alone(database: Database, tmp_path: Path) -> None:
    """A claim of a living process is not touched, however long ago its lease ended."""
    claim_five(database, tmp_path)
    later = NOW + timedelta(hours=5)
    other = replace(HERE, pid=1)
    assert recover(database, now=later, owner=other, alive=lambda *_: True) == Recovered()
    assert recover(database, now=later, owner=HERE, held={"c1"}) == Recovered()
    assert books_of(database).pending == 5


@pytest.mark.parametrize("case", ["another boot", "no journal", "another host, expired", "an unreadable journal"])
def test_without_proof_the_whole_claim_is_uncertain(
    database: Database, tmp_path: Path, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a restart of the machine, without the journal, or when another host fell silent: nothing is guessed."""
    monkeypatch.setattr(recovery, "_watched", {})
    rows = claim_five(database, tmp_path)
    me, now = HERE, NOW
    if case != "no journal":
        write_journal(tmp_path, rows)
    if case == "another boot":
        me = replace(HERE, boot_id="boot-2")
    if case == "another host, expired":
        me, now = replace(HERE, host="there"), NOW + LEASE
        assert recover(database, now=now, owner=me, ticks=lambda: 0.0) == Recovered()
    if case == "an unreadable journal":
        (tmp_path / "c1").write_text("B one\n")
    found = recover(database, now=now, owner=me, alive=lambda *_: False, ticks=lambda: 30.0)
    assert found == Recovered(uncertain=5)
    with database.read() as connection:
        assert all(one.reason for one in store.uncertain(connection))
    assert (tmp_path / "c1").exists() == (case == "another host, expired")


def test_a_clock_that_jumps_fools_no_lease(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever our clock says, a sender elsewhere that renews its lease lives, and one that does not is found dead."""
    monkeypatch.setattr(recovery, "_watched", {})
    claim_five(database, tmp_path)
    there = replace(HERE, host="there")
    day = timedelta(days=1)
    for tick in (0.0, 20.0, 40.0, 60.0):  # our clock is a day ahead; the other one renews
        assert recover(database, now=NOW + day, owner=there, ticks=lambda tick=tick: tick) == Recovered()  # type: ignore[misc]
        with database.begin() as connection:
            claims.renew(connection, ["c1"], expires_at=NOW + LEASE + timedelta(seconds=tick))
    for tick in (80.0, 169.0):  # our clock is a day behind; the other one is dead
        assert recover(database, now=NOW - day, owner=there, ticks=lambda tick=tick: tick) == Recovered()  # type: ignore[misc]
    assert recover(database, now=NOW - day, owner=there, ticks=lambda: 170.0) == Recovered(uncertain=5)


def test_another_host_has_its_lease(database: Database, tmp_path: Path) -> None:
    """A sender on another machine is waited for as long as its lease lasts."""
    claim_five(database, tmp_path)
    there = replace(HERE, host="there")
    now = NOW + LEASE - timedelta(seconds=1)
    assert recover(database, now=now, owner=there, alive=lambda *_: False) == Recovered()


def test_a_torn_line_says_nothing(tmp_path: Path) -> None:
    """A line without its end, or with a hole, was being written when the process died: it is not read."""
    path, reply = tmp_path / "c1", b"250 2.0.0 queued as 4711\r\n"
    journal = Journal(path, 4)
    for slot in range(4):
        journal.begin(slot, 12 + slot, "e" * 64, "7")
    journal.end(0, 12, Outcome(Verdict.SENT, 250, "", "line\nbreak"))
    for slot in (1, 2, 3):
        journal.took(slot, reply)
    content = path.read_bytes()
    torn = content.rindex(b"4711")
    path.write_bytes(content[:torn] + bytes(len(content) - torn))  # slot 3: the end is missing
    with path.open("r+b") as file:
        file.seek(content.index(reply) + 4)
        file.write(b"\0\0")  # slot 1: so is something in the middle
    found = replay(path)
    assert found.results == {
        12: Outcome(Verdict.SENT, 250, "", "line break"),
        14: Outcome(Verdict.SENT, 250, "2.0.0", "queued as 4711"),
    }
    assert found.in_flight.keys() == {13, 15}
    assert found.hashes == dict.fromkeys((12, 13, 14, 15), "e" * 64)


def test_a_long_reply_is_cut_in_the_journal_alone(tmp_path: Path) -> None:
    """It has room for what decides; the mail after it is not touched."""
    journal = Journal(tmp_path / "c1", 2)
    journal.begin(1, 13, "f" * 64, "0")
    journal.end(0, 12, Outcome(Verdict.BLOCK, 554, "5.7.1", "né " * 500))
    found = replay(tmp_path / "c1")
    assert found.results[12].text.startswith("né né")
    assert found.results[12]._replace(text="") == Outcome(Verdict.BLOCK, 554, "5.7.1")
    assert found.in_flight.keys() == {13}


def test_a_journal_has_its_room_before_anything_goes(tmp_path: Path) -> None:
    """Where the disk has none, one line says so, and nothing is left lying about."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(DigestError, match=r"journal .*c1"):
            Journal(tmp_path / "c1", 500)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not (tmp_path / "c1").exists()


def test_a_process_is_known_by_its_start() -> None:
    """A process is alive while it runs, and a process id that was used again is another process."""
    me = this_process()
    assert is_alive(me.pid, me.started)
    assert not is_alive(me.pid, me.started + 1)
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert not is_alive(child.pid, 1)
    assert not is_alive(child.pid, 0)


def test_left_over_journals_are_swept(database: Database, tmp_path: Path) -> None:
    """An old journal that no claim names is removed; a young one may be about to be claimed."""
    for name, age in (("old", 7200), ("young", 10), ("c1", 7200)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (NOW.timestamp() - age,) * 2)
    claim_five(database, tmp_path)
    sweep(database, tmp_path, now=NOW)
    assert not (tmp_path / "old").exists()
    assert (tmp_path / "c1").exists()
    assert (tmp_path / "young").exists()
