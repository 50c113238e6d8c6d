"""Rates, providers and spreading: what goes slowly, and that it holds nobody else up."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from digest.database import Database
from digest.delivery import pace, store
from digest.delivery.pace import Pace
from digest.delivery.providers import provider_of
from digest.delivery.store import NewDelivery
from digest.delivery.tables import deliveries, paces
from tests.delivery.samples import KEY, NOW, RENDITION, books_of, fill_outbox, send
from tests.support.databases import listen
from tests.support.smtp import Fault, Sink

SECOND = timedelta(seconds=1)


def add(database: Database, domain: str, count: int, *, first: int, mail: str = "digest", key: str = KEY) -> None:
    rows = [
        NewDelivery(mail, key, f"r{number}@{domain}", RENDITION.hash, number)  # type: ignore[arg-type]
        for number in range(first, first + count)
    ]
    with database.begin() as connection:
        store.enqueue(connection, rows, domain="news.example.org", now=datetime.now(UTC))


def at(sink: Sink, domain: str) -> list[str]:
    return [who for who in sink.recipients() if who.endswith(f"@{domain}")]


@pytest.mark.parametrize(
    ("address", "provider"),
    [("Ann@GMail.com", "google"), ("b@googlemail.com", "google"), ("c@hotmail.co.uk", "microsoft"), ("d@ymail.com",
     "yahoo"), ("e@aol.com", "yahoo"), ("f@me.com", "apple"), ("g@web.de", "gmx"), ("h@News.Example.org.",
     "news.example.org"), ("gmail.com", "google"), ("i@gmail.com.example.org", "gmail.com.example.org"),
     ("j@" + "a" * 60 + ".example.org", "a" * 60 + ".exa")],
)  # fmt: skip
def test_providers(address: str, provider: str) -> None:
    """Domains of one provider count as one; every other domain is its own, cut to what the ledger holds."""
    assert provider_of(address) == provider


@given(st.lists(st.tuples(st.integers(1, 50), st.floats(0, 5)), min_size=1, max_size=20), st.integers(1, 200))
def test_no_more_than_the_rate(steps: list[tuple[int, float]], rate: int) -> None:
    """However moments are booked, no two mails have the same one and no second has more than the rate."""
    free_at, now, moments = NOW, NOW, list[datetime]()
    gap = SECOND / rate
    for most, pause in steps:
        count = min(most, rate)  # a process books a second at a time
        now += timedelta(seconds=pause)
        first = pace.first_moment(free_at, now, gap)
        moments += [first + gap * number for number in range(count)]
        free_at = first + gap * count
    assert all(later - earlier >= gap for earlier, later in pairwise(moments))


def test_booking_is_shared(database: Database) -> None:
    """Two processes that book from one rate get different moments; the database is asked once a batch."""
    with database.begin() as connection:
        firsts = [pace.book(connection, "relay:a", 10, gap=SECOND / 10, now=NOW) for _ in range(3)]
    assert firsts == [NOW, NOW + SECOND, NOW + 2 * SECOND]
    asked: list[str] = []
    listen(database, "before_cursor_execute", lambda *said: asked.append(said[2]))
    one = Pace(database, "relay:b", 1000.0, lambda: datetime.now(UTC))
    taken = [moment for _ in range(40) for moment in one.take(10, within=60)]
    assert len(taken) == 400
    assert len([said for said in asked if said.startswith("UPDATE")]) == 1


def test_booking_survives_a_clock_that_was_set_back(database: Database) -> None:
    """A row from the future of a clock that has been corrected holds nobody up for an hour."""
    hour = timedelta(hours=1)
    with database.begin() as connection:
        pace.book(connection, "relay:a", 10, gap=SECOND / 10, now=NOW + hour)
        assert pace.book(connection, "relay:a", 10, gap=SECOND / 10, now=NOW) == NOW
        pace.slow_down(connection, "google", now=NOW + 3 * hour)
        assert pace.resting(connection, now=NOW) == {}


def test_the_rate_of_a_relay_holds_for_two_senders(database: Database, tmp_path: Path) -> None:
    """Two senders through one relay keep its rate together: 30 mails at 20 a second take more than a second."""
    fill_outbox(database, 30)
    with Sink().serve() as sink:
        start = time.monotonic()
        both = [
            threading.Thread(target=send, args=(database, sink.port, tmp_path / str(n)), kwargs={"rate": 20.0})
            for n in range(2)
        ]
        for n, thread in enumerate(both):
            (tmp_path / str(n)).mkdir()
            thread.start()
        for thread in both:
            thread.join()
    assert len(sink.received) == 30
    assert time.monotonic() - start >= 1.4


def test_a_slow_provider_holds_nobody_up(database: Database, tmp_path: Path) -> None:
    """A rate for one provider counts for all of its domains, and for no one else."""
    for first, domain in ((0, "gmail.com"), (100, "googlemail.com")):
        add(database, domain, 10, first=first)
    add(database, "other.example", 200, first=1000)
    finished: list[float] = []

    def seen(_recipient: str) -> None:
        if len(at(sink, "other.example")) == 199:
            finished.append(time.monotonic())

    with Sink(on_data=seen).serve() as sink:
        start = time.monotonic()
        summary = send(database, sink.port, tmp_path, rates={"google": 12.0})
        took = time.monotonic() - start
    assert summary.sent == 220
    assert took >= 19 / 12 - 0.3
    assert finished[0] - start < took
    assert books_of(database).sent == 220


def test_a_spread_edition_lets_others_pass(database: Database, tmp_path: Path) -> None:
    """An edition that is spread goes evenly, and a confirmation that comes meanwhile goes at once."""
    fill_outbox(database, 30)
    order: list[str] = []

    def seen(recipient: str) -> None:
        order.append(recipient)
        if len(order) == 5:
            add(database, "new.example", 1, first=5000, mail="confirmation", key="c-1")

    with Sink(on_data=seen).serve() as sink:
        start = time.monotonic()
        send(database, sink.port, tmp_path, spreads=lambda: {KEY: 20.0})
    assert time.monotonic() - start >= 29 / 20 - 0.3
    assert len(sink.received) == 31
    assert order.index("r5000@new.example") < 29


def test_a_spread_edition_to_a_slow_provider(database: Database, tmp_path: Path) -> None:
    """Both limits hold for a mail that falls under both, and everything arrives once."""
    add(database, "gmail.com", 8, first=0)
    add(database, "other.example", 8, first=100)
    with Sink().serve() as sink:
        start = time.monotonic()
        send(database, sink.port, tmp_path, rates={"google": 10.0}, spreads=lambda: {KEY: 40.0})
    assert len(sink.recipients()) == len(set(sink.recipients())) == 16
    assert time.monotonic() - start >= 0.5


def test_a_key_that_is_sent_alone_can_be_spread(database: Database, tmp_path: Path) -> None:
    """`only_key` and a spread together: that key goes, slowly, and no other."""
    fill_outbox(database, 6)
    fill_outbox(database, 3, key="another")
    with Sink().serve() as sink:
        send(database, sink.port, tmp_path, only_key=KEY, spreads=lambda: {KEY: 50.0, "another": 50.0})
    assert len(sink.received) == 6


def test_slowed_alone_and_for_every_process(database: Database, tmp_path: Path) -> None:
    """A provider that says "slow down" gets nothing more for a while, from a later run either; all others do."""
    add(database, "gmail.com", 12, first=0)
    add(database, "other.example", 40, first=100)
    with Sink().serve() as sink:
        sink.faults["r0@gmail.com"] = Fault("rcpt", "421 4.7.28 unusual rate of mail", times=1)
        send(database, sink.port, tmp_path, connections=1)
        first = len(at(sink, "gmail.com"))
        send(database, sink.port, tmp_path)
        assert len(at(sink, "gmail.com")) == first < 12
        assert len(at(sink, "other.example")) == 40
        with database.read() as connection:
            count, until = store.due_later(connection, now=datetime.now(UTC), key=KEY)
            assert count == books_of(database).pending == 12 - first
            slow = pace.slowed(connection, now=datetime.now(UTC))["google"]
        assert slow.until is not None
        assert slow.times == 1
        assert until is not None
        assert until <= slow.until
        ahead = slow.until - datetime.now(UTC) + SECOND
        send(database, sink.port, tmp_path, clock=lambda: datetime.now(UTC) + ahead)
    assert sorted(set(sink.recipients())) == sink.recipients()
    assert books_of(database).sent == 52


def test_slower_each_time_and_eased_again(database: Database) -> None:
    """Each "slow down" after a wait doubles the wait and halves the rate; what comes during a wait adds nothing."""
    now, waits = NOW, []
    with database.begin() as connection:
        for _ in range(5):
            slow = pace.slow_down(connection, "google", now=now)
            assert pace.slow_down(connection, "google", now=now + SECOND) == slow
            assert slow.until is not None
            waits.append((slow.until - now) // timedelta(minutes=1))
            now = slow.until + SECOND
        assert waits == [5, 10, 20, 40, 60]
        assert pace.slowed(connection, now=now)["google"].until is None
        for times in range(5, 0, -1):
            assert pace.slowed(connection, now=now)["google"].rate == pytest.approx(10 / 2**times, rel=1, abs=0.1)
            pace.ease(connection, "google", times)
        assert pace.slowed(connection, now=now) == {}


def test_nothing_is_asked_where_nothing_is_limited(database: Database, tmp_path: Path) -> None:
    """Without rates the table of paces is read about once a second, and never written."""
    fill_outbox(database, 100)
    asked: list[str] = []
    listen(database, "before_cursor_execute", lambda *said: asked.append(said[2]))
    with Sink().serve() as sink:
        start = time.monotonic()
        send(database, sink.port, tmp_path)
        seconds = time.monotonic() - start
    about = [said for said in asked if "paces" in said]
    assert all(said.startswith("SELECT") for said in about)
    assert len(about) <= seconds + 2


def test_what_is_enqueued_knows_its_provider(database: Database) -> None:
    """The ledger names the provider of each delivery, digests and confirmations alike."""
    add(database, "outlook.com", 1, first=1)
    add(database, "gmail.com", 1, first=2, mail="confirmation", key="c-2")
    with database.read() as connection:
        found: Sequence[str] = connection.execute(sa.select(deliveries.c.provider)).scalars().all()
        assert connection.execute(sa.select(paces)).all() == []
    assert sorted(found) == ["google", "microsoft"]
