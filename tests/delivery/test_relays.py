"""Several relays: shares by weight, and each stands in for the others."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from digest.database import Database
from digest.delivery import store, tables
from digest.delivery.relays import Relay, Relays
from digest.delivery.session import RelaySettings
from digest.delivery.store import NewDelivery
from tests.delivery.samples import KEY, RENDITION, books_of, fill_outbox, relay_at, send
from tests.support.smtp import DROP, Fault, Sink

TEN_MINUTES = timedelta(minutes=10)
EVERYONE = Counter(f"reader-{number}@example.org" for number in range(200))


def got(*sinks: Sink) -> Counter[str]:
    return Counter(who for sink in sinks for who in sink.recipients())


def test_shares_by_weight(database: Database, tmp_path: Path) -> None:
    """Three mails in four go through the relay with three times the weight; each arrives once."""
    fill_outbox(database, 200)
    with Sink(delay=0.001).serve() as heavy, Sink(delay=0.001).serve() as light:
        relays = [relay_at(heavy.port, weight=3), relay_at(light.port, weight=1)]
        summary = send(database, 0, tmp_path, relays=relays)
    assert (summary.sent, summary.ended) == (200, "nothing due")
    assert got(heavy, light) == EVERYONE
    assert 115 <= len(heavy.received) <= 185


def test_the_ledger_says_which_relay_took_it(database: Database, tmp_path: Path) -> None:
    """Where there are several relays, each delivery's reply names the one that it went through."""
    fill_outbox(database, 40)
    with Sink().serve() as one, Sink().serve() as other:
        send(database, 0, tmp_path, relays=[relay_at(one.port), relay_at(other.port)])
    table = tables.deliveries.c
    with database.read() as connection:
        said = {row[0]: row[1] for row in connection.execute(sa.select(table.address, table.reply_text))}
    for sink in (one, other):
        assert all(said[who].endswith(f"[127.0.0.1:{sink.port}]") for who in sink.recipients())


FAILING = [
    Fault("connect", "554 5.7.1 your host is listed"),
    Fault("connect", DROP),
    Fault("mail", "550 5.7.1 sender not allowed"),
    Fault("mail", DROP),
    Fault("ehlo", "421 4.3.2 closing"),
]


@pytest.mark.parametrize("fault", FAILING, ids=lambda fault: f"{fault.phase}-{fault.reply[:3]}")
def test_a_relay_that_fails_is_left_out(database: Database, tmp_path: Path, fault: Fault) -> None:
    """One relay refuses us, or cannot be had: the other takes all of it, and nobody's address is touched."""
    fill_outbox(database, 200)
    with Sink().serve() as bad, Sink().serve() as good:
        bad.faults["*"] = fault
        summary = send(database, 0, tmp_path, relays=[relay_at(bad.port), relay_at(good.port)])
        if summary.deferred:  # mails that two broken sessions cost some minutes
            send(database, 0, tmp_path, relays=[relay_at(good.port)], clock=lambda: datetime.now(UTC) + TEN_MINUTES)
    assert summary.ended == "nothing due"
    assert got(good) == EVERYONE
    assert books_of(database).sent == 200


def test_a_relay_that_dies_on_the_way(database: Database, tmp_path: Path) -> None:
    """A relay that goes away in the middle of an edition costs nobody a mail; what it may have taken is uncertain."""
    fill_outbox(database, 200)
    with Sink(delay=0.001).serve() as dying, Sink(delay=0.001).serve() as steady:

        def die(_recipient: str) -> None:
            if len(dying.received) >= 20:
                dying.faults["*"] = Fault("connect", DROP)
                raise OSError("gone")

        dying.on_data = die
        relays = [relay_at(dying.port, connections=2), relay_at(steady.port, connections=2)]
        summary = send(database, 0, tmp_path, relays=relays)
    books = books_of(database)
    assert summary.ended == "nothing due"
    assert books.pending == 0
    assert 1 <= books.uncertain <= 2
    arrived = got(dying, steady)
    assert max(arrived.values()) == 1
    assert sum(arrived.values()) == books.sent


def test_a_spare_is_for_when_the_others_fail(database: Database, tmp_path: Path) -> None:
    """A relay of weight 0 gets nothing while another works, and everything when none does."""
    fill_outbox(database, 200)
    with Sink().serve() as first, Sink().serve() as spare:
        relays = [relay_at(first.port), relay_at(spare.port, weight=0)]
        send(database, 0, tmp_path, relays=relays)
        assert (len(first.received), len(spare.received)) == (200, 0)
        fill_outbox(database, 50, key="next")
        first.faults["*"] = Fault("connect", "554 5.3.2 not today")
        send(database, 0, tmp_path, relays=relays)
    assert len(spare.received) == 50


@pytest.mark.parametrize(
    ("faults", "ended"),
    [
        ((Fault("connect", DROP), Fault("connect", DROP)), "unreachable"),
        ((Fault("connect", DROP), Fault("mail", "550 5.7.1 not from you")), "paused"),
    ],
)
def test_only_when_none_can_be_had_the_run_ends(
    database: Database, tmp_path: Path, faults: tuple[Fault, Fault], ended: str
) -> None:
    """With every relay out the run says why of each; nothing is lost, and the next run sends it."""
    fill_outbox(database, 20)
    with Sink().serve() as one, Sink().serve() as other:
        relays = [relay_at(one.port, connections=1), relay_at(other.port, connections=1)]
        one.faults["*"], other.faults["*"] = faults
        summary = send(database, 0, tmp_path, relays=relays)
        assert summary.ended == ended
        assert f"127.0.0.1:{one.port}" in summary.reason
        assert f"127.0.0.1:{other.port}" in summary.reason
        assert books_of(database).pending == 20
        one.faults.clear()
        other.faults.clear()
        assert send(database, 0, tmp_path, relays=relays).sent == 20


def test_smtputf8_goes_where_it_is_offered(database: Database, tmp_path: Path) -> None:
    """An address that only one of two relays can take goes through that one."""
    with database.begin() as connection:
        rows = [NewDelivery("digest", KEY, f"ż{n}@x.example", RENDITION.hash, n) for n in range(12)]
        store.enqueue(connection, rows, domain="news.example.org", now=datetime.now(UTC))
    with Sink().serve() as plain, Sink(extensions=("PIPELINING", "SMTPUTF8", "8BITMIME")).serve() as able:
        send(database, 0, tmp_path, relays=[relay_at(plain.port), relay_at(able.port)])
    assert (len(plain.received), len(able.received)) == (0, 12)


def test_left_out_for_longer_each_time() -> None:
    """A relay that fails again is left out for twice as long; a mail that it takes makes that good."""
    ends: list[str] = []
    made = [Relay(RelaySettings(host, retry_pause=0.1), None) for host in ("a.example", "b.example")]
    relays = Relays(made, lambda trouble, _why: ends.append(trouble))
    waits = []
    for _ in range(3):
        made[0].out_until = 0.0
        relays.leave_out(made[0], "unreachable", "gone")
        assert not relays.may_take(made[0])
        waits.append(round(made[0].out_until - made[0].asked))
    assert waits == [3, 6, 12]
    relays.back(made[0])
    assert relays.may_take(made[0])
    assert ends == []
