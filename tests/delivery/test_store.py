"""The outbox, on both databases."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from digest.database import Database
from digest.delivery import claims, erasing, store
from digest.delivery.claims import Choice
from digest.delivery.figures import figures
from digest.delivery.model import Books, Delivery, Outcome, Status, Verdict
from digest.delivery.recovery import this_process
from digest.delivery.settlements import doubt_rest, release_rest, settle, settlement
from digest.delivery.store import NewDelivery
from digest.delivery.tables import deliveries
from tests.delivery.samples import KEY, NOW, books_of, fill_outbox
from tests.support.databases import listen

MINUTE = timedelta(minutes=1)


def take(database: Database, limit: int = 500, claim_id: str | None = None, **options: object) -> list[Delivery]:
    with database.begin() as connection:
        return claims.claim(
            connection, owner=this_process(), journal="j", limit=limit, now=NOW, lease=MINUTE, claim_id=claim_id,
            choice=Choice(key=options.get("key")),  # type: ignore[arg-type]
        )  # fmt: skip


def put(database: Database, row: Delivery, verdict: Verdict, **outcome: object) -> None:
    with database.begin() as connection:
        settle(connection, [settlement(row, Outcome(verdict, **outcome))], now=NOW)  # type: ignore[arg-type]


def test_enqueueing_twice_is_harmless(database: Database) -> None:
    """A delivery is unique by mail, key and recipient: the second time nothing is written, by any path."""
    rows = [NewDelivery("digest", KEY, f"r{n}@example.org", "h", subscriber=n) for n in range(1200)]
    with database.begin() as connection:
        assert store.enqueue(connection, iter(rows), domain="news.example.org", now=NOW) == 1200
        assert store.enqueue(connection, rows[:7], domain="news.example.org", now=NOW) == 0
        assert store.enqueue(connection, [rows[0]._replace(address="new@example.org")], domain="x.org", now=NOW) == 0
        other = rows[0]._replace(key=f"{KEY}#correction-1")
        assert store.enqueue(connection, [other], domain="news.example.org", now=NOW) == 1
    assert books_of(database).candidates == 1200


def test_message_ids_are_unique_and_of_our_domain(database: Database) -> None:
    """Each delivery has its own Message-ID, whose right side is the From domain."""
    fill_outbox(database, 50, now=NOW)
    names = [row.message_id for row in take(database)]
    assert len(set(names)) == 50
    assert all(name.endswith("@news.example.org>") for name in names)


def test_the_urgent_goes_first(database: Database) -> None:
    """A confirmation overtakes a digest; equal ones go in the order of their time."""
    with database.begin() as connection:
        store.enqueue(connection, [NewDelivery("digest", KEY, "a@x.org", "h", 1)], domain="x.org", now=NOW - MINUTE)
        store.enqueue(connection, [NewDelivery("staff", "s", "b@x.org", "h")], domain="x.org", now=NOW)
        store.enqueue(connection, [NewDelivery("confirmation", "c", "c@x.org", "h")], domain="x.org", now=NOW)
        store.enqueue(connection, [NewDelivery("digest", KEY, "d@x.org", "h", 2)], domain="x.org", now=NOW - 2 * MINUTE)
        store.enqueue(connection, [NewDelivery("digest", KEY, "e@x.org", "h", 3)], domain="x.org", now=NOW + MINUTE)
    assert [row.address for row in take(database, limit=3)] == ["c@x.org", "b@x.org", "d@x.org"]
    assert [row.address for row in take(database)] == ["a@x.org"]
    assert take(database) == []


def test_a_claim_can_be_for_one_key(database: Database) -> None:
    """A test send takes its own mail only."""
    fill_outbox(database, 3, now=NOW)
    fill_outbox(database, 2, now=NOW, key="test-1")
    assert len(take(database, key="test-1")) == 2
    with database.read() as connection:
        assert not claims.any_due(connection, now=NOW, choice=Choice(key="test-1"))
        assert claims.any_due(connection, now=NOW)


def test_the_date_is_that_of_the_first_claim(database: Database) -> None:
    """A retry keeps Message-ID and date; a mail given back untried has no date yet."""
    fill_outbox(database, 2, now=NOW)
    tried, untried = take(database)
    put(database, tried, Verdict.RETRY, code=450, retry_at=NOW + MINUTE)
    with database.begin() as connection:
        assert release_rest(connection, untried.claim, now=NOW) == 1
    with database.begin() as connection:
        again = claims.claim(connection, owner=this_process(), journal="j", limit=9, now=NOW + MINUTE, lease=MINUTE)
    by_id = {row.id: row for row in again}
    assert by_id[tried.id].first_attempt_at == NOW
    assert by_id[tried.id].message_id == tried.message_id
    assert by_id[tried.id].attempts == 1
    assert by_id[untried.id].first_attempt_at == NOW + MINUTE
    assert by_id[untried.id].attempts == 0


def test_books_balance_through_every_verdict(database: Database) -> None:
    """Whatever the verdict, candidates = sent + excluded + failed + uncertain + pending; other mails do not count."""
    verdicts = list(Verdict)
    fill_outbox(database, len(verdicts) + 2, now=NOW)
    with database.begin() as connection:
        store.enqueue(connection, [NewDelivery("test", KEY, "t@x.org", "h")], domain="x.org", now=NOW + MINUTE)
    rows = take(database)
    again = (Verdict.RETRY, Verdict.RETRY_SESSION, Verdict.SLOW_DOWN, Verdict.PAUSE)
    for row, verdict in zip(rows, verdicts, strict=False):
        put(database, row, verdict, code=1, text="said", retry_at=NOW + MINUTE if verdict in again else None)
        assert books_of(database).balance
    with database.begin() as connection:
        assert store.exclude(connection, 2, "left", now=NOW) == 1  # was to be repeated
        counts = store.reasons(connection, KEY)
        assert store.due_later(connection, now=NOW, key=KEY) == (4, NOW + MINUTE)
    assert books_of(database) == Books(len(verdicts) + 2, sent=1, excluded=1, failed=5, uncertain=1, pending=5)
    assert counts[Status.FAILED, "hard"] == 1
    assert counts[Status.EXCLUDED, "left"] == 1


def test_leaving_marks_what_a_sender_holds(database: Database) -> None:
    """What is claimed and has not left yet can still be taken out by its sender."""
    fill_outbox(database, 3, now=NOW)
    rows = take(database, claim_id="mine")
    with database.begin() as connection:
        assert store.exclude(connection, 1, "left on Friday", now=NOW) == 0
        assert claims.withdrawn(connection, ["mine"]) == {rows[1].id: "left on Friday"}
        assert claims.withdrawn(connection, ["another"]) == {}


def test_erasing_keeps_the_books(database: Database) -> None:
    """An erased reader's row stays, without address or number."""
    fill_outbox(database, 2, now=NOW)
    with database.begin() as connection:
        assert erasing.erase(connection, 0, now=NOW) == 1
        assert erasing.erase(connection, 0, now=NOW) == 0
    assert [row.address for row in take(database)] == ["reader-1@example.org"]
    assert books_of(database) == Books(2, sent=0, excluded=1, failed=0, uncertain=0, pending=1)


def test_erased_while_a_sender_holds_it(database: Database) -> None:
    """What a server says after its reader was erased is kept without its words: they may name them."""
    fill_outbox(database, 3, now=NOW)
    rows = take(database)
    with database.begin() as connection:
        for number in range(3):
            erasing.erase(connection, number, now=NOW)
    said = "<reader-0@example.org> said"
    put(database, rows[0], Verdict.SENT, code=250, text=said)
    put(database, rows[1], Verdict.HARD, code=550, text=said)
    put(database, rows[2], Verdict.RETRY, code=450, text=said, retry_at=NOW + MINUTE)
    with database.read() as connection:
        told = connection.execute(sa.select(deliveries.c.status, deliveries.c.reply_text, deliveries.c.reason)).all()
    assert sorted(tuple(row) for row in told) == [
        ("excluded", "", "erased"), ("failed", "", "erased"), ("sent", "", "erased"),
    ]  # fmt: skip


def test_a_person_settles_the_uncertain(database: Database) -> None:
    """Uncertain mail is listed with its evidence, and sent or sent again by a person's word only."""
    fill_outbox(database, 3, now=NOW)
    rows = take(database)
    for row in rows:
        put(database, row, Verdict.UNCERTAIN, text="no answer in time")
    with database.begin() as connection:
        listed = list(store.uncertain(connection, KEY))
        assert [(one.delivery.id, one.text, one.at) for one in listed] == [
            (row.id, "no answer in time", NOW) for row in rows
        ]
        assert store.resolve(connection, [rows[0].id], "sent", now=NOW) == 1
        assert store.resolve(connection, [rows[1].id, 999], "resend", now=NOW) == 1
        assert store.resolve(connection, [rows[0].id], "resend", now=NOW) == 0
    assert books_of(database) == Books(3, sent=1, excluded=0, failed=0, uncertain=1, pending=1)
    (again,) = take(database)
    assert again.message_id == rows[1].message_id


def test_a_late_result_tells_the_truth_only_while_in_doubt(database: Database) -> None:
    """A sender given up for dead may still settle what it held, but never what a person has decided since."""
    fill_outbox(database, 2, now=NOW)
    late, decided = take(database, claim_id="old")
    with database.begin() as connection:
        assert doubt_rest(connection, "old", "fell silent", now=NOW) == 2
        store.resolve(connection, [decided.id], "resend", now=NOW)
    put(database, late, Verdict.SENT, code=250)
    put(database, decided, Verdict.SENT, code=250)
    assert books_of(database) == Books(2, sent=1, excluded=0, failed=0, uncertain=0, pending=1)


def test_the_partial_indexes_are_used(database: Database) -> None:
    """Claiming and the books stay quick however many mails have been sent: no query reads the whole table."""
    if not database.is_sqlite:
        return  # the planner of PostgreSQL reads small tables whole, and rightly
    fill_outbox(database, 10, now=NOW)
    seen: list[str] = []

    def explain(connection: object, cursor: object, statement: str, parameters: object, *_: object) -> None:
        if "deliveries" in statement and not statement.startswith(("INSERT", "EXPLAIN")):
            plan = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)  # type: ignore[attr-defined]
            seen.extend(row[-1] for row in plan)

    listen(database, "before_cursor_execute", explain)
    rows = take(database, limit=5, claim_id="c")
    take(database, limit=2, key=KEY)
    assert [step for step in seen if "TEMP B-TREE" in step] == []  # a claim reads what it takes, and no more
    put(database, rows[0], Verdict.SENT)
    with database.begin() as connection:
        claims.any_due(connection, now=NOW, choice=Choice(key=KEY))
        figures(connection, KEY, now=NOW)
        store.outcomes(connection, "test-1")
        store.reasons(connection, KEY)
        store.due_later(connection, now=NOW, key=KEY)
        claims.withdrawn(connection, ["c"])
        store.books(connection, KEY)
        list(store.uncertain(connection, KEY))
        store.exclude(connection, 3, "left", now=NOW)
        release_rest(connection, "c", now=NOW)
    assert [step for step in seen if "ix_deliveries_books (key=? AND mail=?" in step]
    assert [step for step in seen if step.startswith("SCAN deliveries") and "INDEX" not in step] == []
