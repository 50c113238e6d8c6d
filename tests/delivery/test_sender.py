"""The sender against a real relay that misbehaves."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from digest.database import Database
from digest.delivery import claims, store, tables, writer
from digest.delivery.message import Compiled
from digest.delivery.model import Books, Delivery, Excluded, Outcome, Ready, Verdict
from digest.delivery.run import Summary
from digest.delivery.session import RelaySettings
from digest.delivery.settlements import doubt_rest
from digest.delivery.store import NewDelivery
from digest.errors import DigestError
from tests.delivery.samples import KEY, RENDITION, books_of, fill_outbox, places, prepare, send
from tests.support.smtp import DROP, Fault, Sink


def addresses(count: int, but: Sequence[int] = ()) -> list[str]:
    return sorted(f"reader-{number}@example.org" for number in range(count) if number not in but)


def statuses(database: Database) -> dict[str, tuple[str, str, int, str]]:
    """Address → status, reason, attempts, reply."""
    table = tables.deliveries.c
    columns = (table.address, table.status, table.reason, table.attempts, table.reply_text)
    with database.read() as connection:
        return {row[0]: tuple(row[1:]) for row in connection.execute(sa.select(*columns))}


def assert_nothing_held(database: Database, folder: Path) -> None:
    with database.read() as connection:
        assert claims.open_claims(connection) == []
        table = tables.deliveries.c
        claimed = sa.select(sa.func.count()).where(table.status == "claimed")
        assert connection.execute(claimed).scalar_one() == 0
    assert list((folder / "journals").iterdir()) == []


def test_everyone_gets_one_mail(database: Database, tmp_path: Path) -> None:
    """A run hands each recipient exactly one mail, over connections that carry several, and the books balance."""
    fill_outbox(database, 120)
    seen: list[Summary] = []
    with Sink().serve() as sink:
        summary = send(database, sink.port, tmp_path, connections=3, progress=seen.append)
        assert send(database, sink.port, tmp_path).sent == 0
    assert (summary.sent, summary.ended, summary.reason) == (120, "nothing due", "")
    assert seen[-1].sent == 120
    assert Counter(sink.recipients()) == Counter(addresses(120))
    assert sink.connections <= 4
    assert books_of(database) == Books(120, sent=120, excluded=0, failed=0, uncertain=0, pending=0)
    assert_nothing_held(database, tmp_path)


def test_a_mail_that_goes_alone_waits_for_no_company(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Results are written in groups, and the last of all at once: nobody waits for others that cannot come."""

    def sleep(seconds: float) -> None:
        raise AssertionError(f"the writer waited {seconds} seconds")

    monkeypatch.setattr(writer, "sleep", sleep)
    fill_outbox(database, 1)
    with Sink().serve() as sink:
        assert send(database, sink.port, tmp_path).sent == 1


def test_each_gets_their_own(database: Database, tmp_path: Path) -> None:
    """Every mail carries its own recipient's places and Message-ID, and no one else's."""
    fill_outbox(database, 30)
    with Sink().serve() as sink:
        send(database, sink.port, tmp_path)
    ids = set()
    for one in sink.received:
        head = one.data.partition(b"\r\n\r\n")[0].decode()
        assert f"To: {one.recipient}\r\n" in head
        ids.add(head.partition("Message-ID: ")[2].partition("\r\n")[0])
        assert one.sender == "roundup@news.example.org"
    assert len(ids) == 30
    assert len({one.data.partition(b"token-")[2][:6] for one in sink.received}) == 30


FAULTS: list[tuple[Fault, str, str]] = [
    (Fault("rcpt", "550 5.1.1 user unknown"), "failed", "hard"),
    (Fault("rcpt", "450 4.2.0 greylisted"), "pending", ""),
    (Fault("rcpt", "552 5.2.2 mailbox full"), "failed", "soft"),
    (Fault("dot", "550 5.7.1 spam"), "failed", "block"),
    (Fault("dot", "451 4.3.0 later"), "pending", ""),
    (Fault("dot", "554 5.6.0 malformed"), "failed", "fault"),
    (Fault("dot", DROP), "uncertain", ""),
    (Fault("lost", DROP), "uncertain", ""),
    (Fault("data", DROP, times=1), "sent", ""),
    (Fault("rcpt", "421 4.3.2 closing", times=1), "sent", ""),
    (Fault("dot", "421 4.3.2 closing", times=1), "sent", ""),
]


@pytest.mark.parametrize("pipelining", [True, False])
def test_each_fault_hits_its_own_mail_only(database: Database, tmp_path: Path, pipelining: bool) -> None:
    """One run with every fault at once: each mail ends as the table says, all others arrive exactly once."""
    fill_outbox(database, 60)
    sink = Sink(extensions=("PIPELINING",) if pipelining else ())
    for number, (fault, _, _) in enumerate(FAULTS):
        sink.faults[f"reader-{number * 5}@example.org"] = replace(fault)
    heard: dict[str, Verdict] = {}

    def on_result(_connection: Connection, row: Delivery, outcome: Outcome) -> None:
        heard[row.address] = outcome.verdict

    with sink.serve():
        summary = send(database, sink.port, tmp_path, connections=3, on_result=on_result)
    found = statuses(database)
    for number, (fault, status, reason) in enumerate(FAULTS):
        address = f"reader-{number * 5}@example.org"
        assert found[address][0] == status, fault
        if status == "failed":
            assert found[address][1] == reason
        assert heard[address] is not None
    troubled = [number * 5 for number, (_, status, _) in enumerate(FAULTS) if status != "sent"]
    kept = [number * 5 for number, (fault, _, _) in enumerate(FAULTS) if fault.phase == "lost"]
    assert sink.recipients() == addresses(60, [number for number in troubled if number not in kept])
    assert summary.uncertain == 2
    assert books_of(database).balance
    with database.read() as connection:
        assert store.due_later(connection, now=datetime.now(UTC), key=KEY)[0] == 2
    assert_nothing_held(database, tmp_path)


def test_uncertain_is_never_resent_by_itself(database: Database, tmp_path: Path) -> None:
    """A mail lost after its final dot stays uncertain through any number of runs, until a person says resend."""
    fill_outbox(database, 3)
    with Sink().serve() as sink:
        sink.faults["reader-1@example.org"] = Fault("lost", DROP, times=1)
        send(database, sink.port, tmp_path)
        send(database, sink.port, tmp_path)
        assert sink.recipients() == addresses(3)
        with database.begin() as connection:
            (one,) = store.uncertain(connection, KEY)
            store.resolve(connection, [one.delivery.id], "resend", now=datetime.now(UTC))
        assert send(database, sink.port, tmp_path).sent == 1
    twice = [one.data for one in sink.received if one.recipient == "reader-1@example.org"]
    ids = {data.partition(b"Message-ID: ")[2].partition(b"\r\n")[0] for data in twice}
    assert (len(twice), len(ids)) == (2, 1)


def test_a_mail_that_breaks_every_session_waits(database: Database, tmp_path: Path) -> None:
    """Cut off before the dot twice: it is due later, and the run ends without it."""
    fill_outbox(database, 4)
    with Sink().serve() as sink:
        sink.faults["reader-2@example.org"] = Fault("data", DROP)
        summary = send(database, sink.port, tmp_path)
    assert (summary.sent, summary.deferred, summary.ended) == (3, 2, "nothing due")
    assert statuses(database)["reader-2@example.org"][::2] == ("pending", 2)


def test_a_retry_is_sent_when_it_is_due(database: Database, tmp_path: Path) -> None:
    """A greylisted mail goes out by itself after its wait, with the same bytes."""
    fill_outbox(database, 2)
    with Sink().serve() as sink:
        sink.faults["reader-0@example.org"] = Fault("rcpt", "451 4.7.1 greylisted", times=1)
        assert send(database, sink.port, tmp_path).deferred == 1
        assert send(database, sink.port, tmp_path).sent == 0
        later = lambda: datetime.now(UTC) + timedelta(minutes=6)  # noqa: E731
        assert send(database, sink.port, tmp_path, clock=later).sent == 1
    assert sink.recipients() == addresses(2)
    date = next(one.data for one in sink.received if one.recipient == "reader-0@example.org")
    assert f"{datetime.now(UTC):%d %b %Y}".encode() in date.partition(b"\r\n\r\n")[0]


@pytest.mark.parametrize(
    ("fault", "ended", "words"),
    [
        (Fault("connect", "554 5.7.1 your host is listed"), "paused", "refused us at CONNECT: 554 5.7.1 your host"),
        (Fault("mail", "550 5.7.1 sender not allowed"), "paused", "refused us at MAIL: 550 5.7.1"),
        (Fault("connect", "421 4.3.2 too busy"), "unreachable", "cannot be reached: 421"),
    ],
)
def test_a_relay_that_refuses_us(database: Database, tmp_path: Path, fault: Fault, ended: str, words: str) -> None:
    """The run ends with a clear reason; no address is touched, and everything is still there for the next."""
    fill_outbox(database, 10)
    with Sink().serve() as sink:
        sink.faults["*"] = fault
        summary = send(database, sink.port, tmp_path, connections=2)
        assert (summary.ended, summary.sent) == (ended, 0)
        assert words in summary.reason
        assert books_of(database).pending == 10
        assert_nothing_held(database, tmp_path)
        sink.faults.clear()
        assert send(database, sink.port, tmp_path).sent == 10


def test_an_unreachable_relay(database: Database, tmp_path: Path) -> None:
    """Nobody listens: the summary says so, and nothing is lost."""
    fill_outbox(database, 3)
    with Sink().serve() as sink:
        port = sink.port
    summary = send(database, port, tmp_path)
    assert summary.ended == "unreachable"
    assert f"relay 127.0.0.1:{port} cannot be reached" in summary.reason
    assert books_of(database).pending == 3
    assert_nothing_held(database, tmp_path)


def test_stopping_gives_the_rest_back(database: Database, tmp_path: Path) -> None:
    """A stop finishes the mails in flight, and everything else is pending for the next run, none twice."""
    fill_outbox(database, 100)
    stop = threading.Event()
    with Sink(delay=0.01).serve() as sink:

        def progress(summary: Summary) -> None:
            if summary.sent >= 20:
                stop.set()

        first = send(database, sink.port, tmp_path, stop=stop, until="stopped", progress=progress)
        assert first.ended == "stopped"
        assert 20 <= first.sent < 100
        assert books_of(database) == Books(100, first.sent, 0, 0, 0, 100 - first.sent)
        assert_nothing_held(database, tmp_path)
        send(database, sink.port, tmp_path)
    assert sink.recipients() == addresses(100)


def test_until_stopped_takes_what_comes(database: Database, tmp_path: Path) -> None:
    """A running sender notices new mail by itself."""
    stop = threading.Event()
    with Sink().serve() as sink:
        thread = threading.Thread(
            target=send, args=(database, sink.port, tmp_path), kwargs={"stop": stop, "until": "stopped"}
        )
        thread.start()
        fill_outbox(database, 5)
        end = time.monotonic() + 10
        while len(sink.received) < 5 and time.monotonic() < end:
            time.sleep(0.02)
        stop.set()
        thread.join(10)
    assert sink.recipients() == addresses(5)


def test_leaving_while_it_is_going_out(database: Database, tmp_path: Path) -> None:
    """A reader who leaves after the claim and before their mail has left does not get it."""
    fill_outbox(database, 80)

    def leave(recipient: str) -> None:
        if recipient == "reader-5@example.org":
            with database.begin() as connection:
                store.exclude(connection, 79, "left", now=datetime.now(UTC))

    with Sink(delay=0.02, on_data=leave).serve() as sink:
        send(database, sink.port, tmp_path, connections=1)
    assert sink.recipients() == addresses(80, [79])
    assert statuses(database)["reader-79@example.org"][:2] == ("excluded", "left")
    assert books_of(database) == Books(80, sent=79, excluded=1, failed=0, uncertain=0, pending=0)


def test_prepare_has_the_last_word(database: Database, tmp_path: Path) -> None:
    """What prepare excludes is not sent and has its reason; it may also give the address of this moment."""
    fill_outbox(database, 4)

    def choosy(_connection: Connection, rows: Sequence[Delivery]) -> list[Ready | Excluded]:
        return [
            Excluded(row, "suppressed") if row.subscriber == 1 else Ready(row, f"new-{row.address}", places())
            for row in rows
        ]

    with Sink().serve() as sink:
        summary = send(database, sink.port, tmp_path, prepare=choosy)
    assert (summary.sent, summary.excluded) == (3, 1)
    assert sink.recipients() == [f"new-{address}" for address in addresses(4, [1])]


def test_a_bad_value_fails_its_own_mail(database: Database, tmp_path: Path) -> None:
    """A place with a line break fails that delivery, as our fault, and no other."""
    fill_outbox(database, 3)

    def spoiled(_connection: Connection, rows: Sequence[Delivery]) -> list[Ready]:
        return [Ready(r, r.address, places() | {"SINCE": "a\r\nb"} if r.subscriber == 1 else places()) for r in rows]

    with Sink().serve() as sink:
        send(database, sink.port, tmp_path, prepare=spoiled)
    found = statuses(database)["reader-1@example.org"]
    assert found[:2] == ("failed", "fault")
    assert "SINCE" in found[3]
    assert sink.recipients() == addresses(3, [1])


def fails_in_prepare(_connection: Connection, _rows: Sequence[Delivery]) -> list[Ready]:
    raise DigestError("the audience cannot be read")


def forgets_in_prepare(connection: Connection, rows: Sequence[Delivery]) -> list[Ready | Excluded]:
    return prepare(connection, rows)[1:]


def fails_in_compiled(_hash: str, _row: Delivery) -> Compiled:
    raise DigestError("the rendition is gone")


def fails_in_on_result(_connection: Connection, _row: Delivery, _outcome: Outcome) -> None:
    raise DigestError("the suppression list is full")


@pytest.mark.parametrize(
    "broken",
    [{"prepare": fails_in_prepare}, {"prepare": forgets_in_prepare}, {"compiled": fails_in_compiled},
     {"on_result": fails_in_on_result}],
    ids=["prepare", "forgetful", "compiled", "on_result"],
)  # fmt: skip
def test_an_error_of_the_app_loses_nothing(
    database: Database, tmp_path: Path, broken: dict[str, Callable[..., object]]
) -> None:
    """Whatever the app raises comes out of run, and the next run takes everything up: each exactly one mail."""
    fill_outbox(database, 12)
    with Sink().serve() as sink:
        with pytest.raises(DigestError):
            send(database, sink.port, tmp_path, **broken)
        assert books_of(database).balance
        send(database, sink.port, tmp_path)
        assert sink.recipients() == addresses(12)
    assert books_of(database).sent == 12
    assert_nothing_held(database, tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_journal_that_cannot_be_written(database: Database, tmp_path: Path) -> None:
    """Without its journal nothing is sent: one clear line, and everything still pending."""
    fill_outbox(database, 2)
    (tmp_path / "journals").mkdir(mode=0o500)
    with Sink().serve() as sink, pytest.raises(DigestError, match="journal "):
        send(database, sink.port, tmp_path)
    assert books_of(database).pending == 2


def test_a_journal_folder_that_is_a_file(database: Database, tmp_path: Path) -> None:
    """A journal folder that cannot be made is one clear line, before anything is claimed."""
    fill_outbox(database, 2)
    (tmp_path / "journals").write_text("")
    with Sink().serve() as sink, pytest.raises(DigestError, match="journal folder"):
        send(database, sink.port, tmp_path)
    assert sink.received == []


def test_too_many_hard_bounces_pause_the_run(database: Database, tmp_path: Path) -> None:
    """Over 5 % hard after 200 answers: the run ends before the list does more harm."""
    fill_outbox(database, 700)
    with Sink(delay=0.01).serve() as sink:  # slow enough to be stopped on the way
        for number in range(0, 700, 10):
            sink.faults[f"reader-{number}@example.org"] = Fault("rcpt", "550 5.1.1 user unknown")
        summary = send(database, sink.port, tmp_path)
    assert summary.ended == "paused"
    assert "addresses do not exist: over 5%" in summary.reason
    assert books_of(database).pending > 0
    assert books_of(database).balance


def test_five_equal_blocks_pause_the_run(database: Database, tmp_path: Path) -> None:
    """Five times the same 5.7.x from one provider: the run ends, and says what the provider said."""
    fill_outbox(database, 40)
    with Sink(delay=0.005).serve() as sink:
        sink.faults["*"] = Fault("dot", "550 5.7.26 no DMARC")
        summary = send(database, sink.port, tmp_path, connections=1)
    assert summary.ended == "paused"
    assert "example.org refused 5 in a row: 550 5.7.26 no DMARC" in summary.reason
    assert books_of(database).failed < 40


def test_a_provider_that_asks_for_patience_is_left_in_peace(database: Database, tmp_path: Path) -> None:
    """After a 4.7.28 the provider gets nothing more for a while; the others go on."""
    fill_outbox(database, 30)
    with database.begin() as connection:
        rows = [NewDelivery("digest", KEY, f"r{n}@other.example", RENDITION.hash, 1000 + n) for n in range(10)]
        store.enqueue(connection, rows, domain="news.example.org", now=datetime.now(UTC))
    with Sink().serve() as sink:
        sink.faults["reader-0@example.org"] = Fault("rcpt", "450 4.7.28 unusual rate")
        send(database, sink.port, tmp_path, connections=1)
    assert len([one for one in sink.received if one.recipient.endswith("@other.example")]) == 10
    assert len(sink.received) <= 12
    found = statuses(database)
    assert found["reader-20@example.org"][0] == "pending"
    assert found["reader-20@example.org"][2] == 0
    assert books_of(database).balance


def test_addresses_that_the_relay_cannot_take_are_skipped(database: Database, tmp_path: Path) -> None:
    """A local part that is not ASCII, where the relay has no SMTPUTF8: excluded as skipped, not failed."""
    with database.begin() as connection:
        rows = [
            NewDelivery("digest", KEY, who, RENDITION.hash, n)
            for n, who in enumerate(["a@x.org", "ż@x.org", "b@x.org"])
        ]
        store.enqueue(connection, rows, domain="news.example.org", now=datetime.now(UTC))
    with Sink().serve() as sink:
        send(database, sink.port, tmp_path, connections=1)
    assert sink.recipients() == ["a@x.org", "b@x.org"]
    assert statuses(database)["ż@x.org"][0] == "excluded"
    assert statuses(database)["ż@x.org"][1].startswith("skipped")


def test_the_rate_is_kept(database: Database, tmp_path: Path) -> None:
    """A rate of 40 a second takes at least half a second for 21 mails, over any number of connections."""
    fill_outbox(database, 21)
    with Sink().serve() as sink:
        began = time.monotonic()
        send(database, sink.port, tmp_path, rate=40.0, connections=4)
        took = time.monotonic() - began
    assert len(sink.received) == 21
    assert took >= 0.5


def test_a_connection_carries_so_many_and_no_more(database: Database, tmp_path: Path) -> None:
    """After its number of messages a connection says QUIT, and a new one goes on."""
    fill_outbox(database, 25)
    with Sink().serve() as sink:
        relay = RelaySettings("127.0.0.1", sink.port, messages_per_connection=10, connections=1)
        send(database, sink.port, tmp_path, relays=[relay])
    assert sink.connections == 3
    assert sink.commands.count("QUIT") == 3
    assert sink.recipients() == addresses(25)


def test_a_key_of_its_own(database: Database, tmp_path: Path) -> None:
    """A test send delivers its own mail and leaves an edition alone."""
    fill_outbox(database, 5)
    with database.begin() as connection:
        rows = [NewDelivery("test", "test-1", "editor@example.org", RENDITION.hash)]
        store.enqueue(connection, rows, domain="news.example.org", now=datetime.now(UTC))
    with Sink().serve() as sink:
        assert send(database, sink.port, tmp_path, only_key="test-1").sent == 1
    assert sink.recipients() == ["editor@example.org"]
    assert books_of(database).pending == 5


def test_a_paused_edition_waits(database: Database, tmp_path: Path) -> None:
    """Deliveries of the keys that must wait stay where they are; they go when they need not wait any more."""
    fill_outbox(database, 5)
    fill_outbox(database, 2, key="2026-12-04")
    with Sink().serve() as sink:
        assert send(database, sink.port, tmp_path, except_keys=lambda _: [KEY]).sent == 2
        assert books_of(database).pending == 5
        assert send(database, sink.port, tmp_path).sent == 5


def test_a_lost_lease_stops_the_sender(database: Database, tmp_path: Path) -> None:
    """A sender whose claim was given up for dead elsewhere sends nothing more of it."""
    fill_outbox(database, 30)

    def give_up(recipient: str) -> None:
        if recipient == "reader-3@example.org":
            now = datetime.now(UTC)
            with database.begin() as connection:
                for one in claims.open_claims(connection):
                    doubt_rest(connection, one.id, "fell silent", now=now)
                    claims.end_claims(connection, [one.id])
            time.sleep(0.6)

    with Sink(on_data=give_up, extensions=()).serve() as sink:
        send(database, sink.port, tmp_path, connections=1, lease=timedelta(seconds=1))
    assert Counter(sink.recipients()) == Counter(addresses(30))
    assert books_of(database).sent == 30


def test_faults_of_our_own_pause_the_run(database: Database, tmp_path: Path) -> None:
    """Twenty mails in a row that fail by our own fault: it is the edition, and the rest is kept from failing, too."""
    fill_outbox(database, 300)
    with Sink(delay=0.005).serve() as sink:
        sink.faults["*"] = Fault("dot", "554 5.6.0 malformed")
        summary = send(database, sink.port, tmp_path, connections=1)
        assert summary.ended == "paused"
        assert "20 mails in a row failed by a fault of our own: 554 5.6.0 malformed" in summary.reason
        assert 20 <= books_of(database).failed < 300
        sink.faults.clear()
        send(database, sink.port, tmp_path)
    assert books_of(database).pending == 0


def test_a_bad_list_does_not_pause_another(database: Database, tmp_path: Path) -> None:
    """The share of hard bounces is counted for each edition by itself."""
    fill_outbox(database, 220, key="clean")
    fill_outbox(database, 30, key="bad")
    with Sink().serve() as sink:

        def refuse(_recipient: str) -> None:
            if len(sink.received) == 219:
                sink.faults["*"] = Fault("rcpt", "550 5.1.1 user unknown")

        sink.on_data = refuse
        summary = send(database, sink.port, tmp_path, connections=1)
    assert summary.ended == "nothing due"
    assert books_of(database, "clean").sent == 220


def test_throttling_at_mail_slows_no_provider(database: Database, tmp_path: Path) -> None:
    """A relay that says at MAIL that we are too fast speaks of us: no recipient's provider is slowed for it."""
    fill_outbox(database, 10)
    with Sink().serve() as sink:
        sink.faults["*"] = Fault("mail", "454 Throttling failure: maximum sending rate exceeded", times=1)
        summary = send(database, sink.port, tmp_path, connections=1)
    assert (summary.sent, summary.deferred) == (9, 1)
