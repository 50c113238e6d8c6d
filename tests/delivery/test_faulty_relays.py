"""Relays that do everything wrong: the books balance, nobody is lost, nobody mailed twice, doubt only after the dot."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from digest.database import Database
from digest.delivery.tables import deliveries
from tests.delivery.samples import books_of, fill_outbox, relay_at, send
from tests.support import faults
from tests.support.databases import create_all
from tests.support.faults import FaultyRelay, close, dribble, half_close, keeping, late, reset, say, stall
from tests.support.tls import Authority

ROUNDS = int(os.environ.get("DIGEST_TESTS_FAULT_ROUNDS", "1"))
READERS = 120
PATIENCE = {"connect_timeout": 0.2, "command_timeout": 0.2, "data_timeout": 0.2, "retry_pause": 0.01}
MIXED = "250-2.0.0 yes\r\n550 5.0.0 no"
NONSENSE = "huh?"

BEFORE_THE_DOT: list[tuple[str, faults.Fault]] = [
    ("connect", say("220-one\r\n554 two")),
    ("connect", say(NONSENSE)),
    ("connect", dribble("220 slow")),
    ("ehlo", half_close),
    ("ehlo", say("250-faulty\r\n500 or not")),
    ("mail", close),
    ("mail", reset),
    ("mail", stall),
    ("mail", say(NONSENSE)),
    ("mail", say(MIXED)),
    ("mail", dribble("250 2.1.0 ok")),
    ("mail", say("421 4.3.2 going down")),
    ("rcpt", say("450 4.2.0 greylisted")),
    ("rcpt", reset),
    ("rcpt", half_close),
    ("data", close),
    ("data", say("451 4.3.0 not now")),
    ("dot", say("451 4.3.0 disk full")),
    ("dot", faults.say_and_close("421 4.3.2 closing")),
]
AFTER_THE_DOT: list[faults.Fault] = [
    close,
    reset,
    stall,
    half_close,
    say(NONSENSE),
    say(MIXED),
    dribble("250 2.0.0 kept"),
    keeping(close),
    keeping(reset),
    keeping(say(NONSENSE)),
    keeping(late("250 2.0.0 kept")),
]


def statuses(database: Database) -> dict[str, str]:
    table = deliveries.c
    with database.read() as connection:
        return {row[0]: row[1] for row in connection.execute(sa.select(table.address, table.status))}


def assert_true(database: Database, relays: Sequence[FaultyRelay], count: int) -> None:
    """The ledger against what the relays took."""
    books = books_of(database)
    assert books.balance
    assert books.candidates == count
    for who, status in statuses(database).items():
        took = sum(relay.took[who] for relay in relays)
        assert took <= 1, f"{who} got {took}"
        assert took == 1 or status != "sent", f"{who} is sent and did not get it"
        assert took == 0 or status in ("sent", "uncertain"), f"{who} got it and is {status}"


@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelined", "lock-step"])
@pytest.mark.parametrize("number", range(len(BEFORE_THE_DOT)))
def test_a_fault_before_the_dot_leaves_no_doubt(tmp_path: Path, number: int, pipelining: bool) -> None:
    """Whatever happens before the final dot, or is refused plainly after it: nothing is uncertain, all can be sent."""
    phase, fault = BEFORE_THE_DOT[number]
    database = fresh(tmp_path)
    fill_outbox(database, 5)
    extensions = ("PIPELINING",) if pipelining else ()
    with FaultyRelay({phase: [fault]}, percent=50, seed=number, extensions=extensions).serve() as relay:
        ahead = timedelta(0)
        for _ in range(12):
            send(database, 0, tmp_path, relays=[relay_at(relay.port, connections=1, **PATIENCE)], clock=clock(ahead))
            if not books_of(database).pending:
                break
            ahead += timedelta(hours=1)
        assert_true(database, [relay], 5)
        assert relay.happened[phase] > 0
    assert books_of(database).uncertain == 0
    assert books_of(database).sent == 5
    database.close()


@pytest.mark.parametrize("number", range(len(AFTER_THE_DOT)))
def test_doubt_after_the_dot(tmp_path: Path, number: int) -> None:
    """Once the dot has gone and no answer came that can be trusted, the mail is uncertain, and never goes again."""
    database = fresh(tmp_path)
    fill_outbox(database, 5)
    with FaultyRelay({"dot": [AFTER_THE_DOT[number]]}).serve() as relay:
        for hours in (0, 1):
            relays = [relay_at(relay.port, connections=1, **PATIENCE)]
            send(database, 0, tmp_path, relays=relays, clock=clock(timedelta(hours=hours)))
        assert_true(database, [relay], 5)
    assert books_of(database).uncertain == 5
    database.close()


def test_a_relay_that_lies_about_pipelining(tmp_path: Path) -> None:
    """A relay that offers PIPELINING and throws away what comes along is found out, and then asked step by step."""
    database = fresh(tmp_path)
    fill_outbox(database, 20)
    with FaultyRelay(lies=True).serve() as relay:
        for hours in range(4):
            relays = [relay_at(relay.port, connections=2, **PATIENCE)]
            send(database, 0, tmp_path, relays=relays, clock=clock(timedelta(hours=hours)))
        assert_true(database, [relay], 20)
    assert books_of(database).sent == 20
    assert books_of(database).uncertain == 0
    database.close()


@pytest.mark.parametrize("complaint", ["503 5.5.1 bad sequence", "554 5.5.0 SMTP synchronization error"])
def test_a_relay_that_takes_offence_at_pipelining(tmp_path: Path, complaint: str) -> None:
    """A relay that answers pipelined commands with an error gets them one by one: no mail fails for it."""
    database = fresh(tmp_path)
    fill_outbox(database, 6)
    with FaultyRelay(offended=complaint).serve() as relay:
        for hours in range(3):
            relays = [relay_at(relay.port, connections=1, **PATIENCE)]
            send(database, 0, tmp_path, relays=relays, clock=clock(timedelta(hours=hours)))
        assert_true(database, [relay], 6)
    assert books_of(database).sent == 6
    database.close()


def test_a_few_messages_a_connection(tmp_path: Path) -> None:
    """A relay that ends each session after three messages gets them all, over as many sessions as it takes."""
    database = fresh(tmp_path)
    fill_outbox(database, 20)
    with FaultyRelay(most=3).serve() as relay:
        for hours in range(3):
            relays = [relay_at(relay.port, connections=2, **PATIENCE)]
            send(database, 0, tmp_path, relays=relays, clock=clock(timedelta(hours=hours)))
        assert_true(database, [relay], 20)
    assert books_of(database).sent == 20
    database.close()


@pytest.mark.parametrize("phase", ["mail", "body", "dot"])
@pytest.mark.parametrize("fault", [close, reset], ids=["closed", "reset"])
def test_tls_that_dies(tmp_path: Path, authority: Authority, phase: str, fault: faults.Fault) -> None:
    """TLS cut off without a goodbye: before the dot the mail goes again, after it the mail is uncertain."""
    database = fresh(tmp_path)
    fill_outbox(database, 6)
    with FaultyRelay({phase: [fault]}, percent=40, seed=3, tls=authority.serving()).serve() as relay:
        for hours in range(6):
            at = relay_at(relay.port, connections=1, security="tls", ca_file=authority.file, **PATIENCE)
            send(database, 0, tmp_path, relays=[replace(at, host="localhost")], clock=clock(timedelta(hours=hours)))
        assert relay.happened[phase] > 0
        assert_true(database, [relay], 6)
    books = books_of(database)
    assert books.pending == 0
    assert books.uncertain == 0 or phase != "mail"
    database.close()


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_everything_at_once(database: Database, tmp_path: Path, round_: int) -> None:
    """Two relays, every fault drawn at random, run after run: at the end each reader has one mail or is in doubt."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # shown where it fails
    wrong: dict[str, list[faults.Fault]] = {}
    for phase, fault in BEFORE_THE_DOT:
        wrong.setdefault(phase, []).append(fault)
    wrong["body"] = [close, reset]
    wrong["dot"] = [*wrong["dot"], *AFTER_THE_DOT, keeping(late("250 2.0.0 kept"))]
    fill_outbox(database, READERS)
    one = FaultyRelay(wrong, percent=4, seed=seed)
    other = FaultyRelay(wrong, percent=4, seed=seed + 1, extensions=(), most=7)
    with one.serve(), other.serve():
        relays = [relay_at(relay.port, connections=2, **PATIENCE) for relay in (one, other)]
        for number in range(40):
            send(database, 0, tmp_path, relays=relays, clock=clock(timedelta(hours=number)))
            assert_true(database, [one, other], READERS)
            if not books_of(database).pending:
                break
        books = books_of(database)
    assert books.pending == 0
    assert books.sent >= READERS * 3 // 4
    assert books.sent + books.uncertain + books.failed == READERS


def clock(ahead: timedelta) -> Callable[[], datetime]:
    return lambda: datetime.now(UTC) + ahead


def fresh(folder: Path) -> Database:
    """An empty SQLite database: these faults are the relay's, and the same on both kinds."""
    database = Database(f"sqlite:///{folder / 'digest.sqlite3'}")
    create_all(database)
    return database
