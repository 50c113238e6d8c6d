"""Readers, their choices, leaving and suppression, on both databases."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from digest.database import Database
from digest.errors import RefusedError
from subscribers import candidates, choosing, erasure, preferences, store, suppression, tables
from subscribers.model import Status
from tests.support.subscribers import KEYS, NOW, add_reader, consents_of, status_of


def test_one_mailbox_one_reader(database: Database) -> None:
    """Two spellings of one mailbox are one reader, who keeps what they chose."""
    first = add_reader(database, "Ann.Lee@Example.org", ["asia", "africa", "asia"])
    second = add_reader(database, "ann.lee@EXAMPLE.ORG", ["europe"])
    assert second.id == first.id
    assert second.regions == ("africa", "asia")
    assert second.address == "Ann.Lee@example.org"


def test_leaving_and_returning(database: Database) -> None:
    """Leaving twice is the same as once, coming back undoes it, and the record tells both."""
    reader = add_reader(database, "ann@example.org")
    with database.begin() as connection:
        assert choosing.leave(connection, reader.id, at=NOW)
        assert choosing.leave(connection, reader.id, at=NOW)
    assert status_of(database, reader.id) is Status.LEFT
    with database.begin() as connection:
        assert choosing.come_back(connection, reader.id, at=NOW)
        assert choosing.come_back(connection, reader.id, at=NOW)
        assert not choosing.leave(connection, reader.id + 1, at=NOW)
    assert status_of(database, reader.id) is Status.ACTIVE
    assert consents_of(database, reader.id) == ["added", "left", "came back"]


def test_who_never_confirmed_cannot_return(database: Database) -> None:
    """Somebody who had not confirmed is not made active by leaving and coming back."""
    reader = add_reader(database, "ann@example.org", active=False)
    with database.begin() as connection:
        choosing.leave(connection, reader.id, at=NOW)
        assert not choosing.come_back(connection, reader.id, at=NOW)
    assert status_of(database, reader.id) is Status.LEFT


def test_suppression(database: Database) -> None:
    """A suppressed address is never added again, in any spelling, and the first reason stands."""
    reader = add_reader(database, "ann@example.org")
    with database.begin() as connection:
        assert suppression.suppress(connection, KEYS, "ANN@example.org", reason="complaint", at=NOW) == reader.id
        assert suppression.suppress(connection, KEYS, "unknown@example.org", reason="bounced", at=NOW) is None
        assert suppression.suppress(connection, KEYS, "ann@example.org", reason="bounced", at=NOW) == reader.id
        assert suppression.is_suppressed(connection, KEYS, "Ann@example.org")
        assert not choosing.come_back(connection, reader.id, at=NOW)
        reasons = connection.execute(sa.select(tables.suppressions.c.reason)).scalars().all()
    assert sorted(reasons) == ["bounced", "complaint"]
    for address in ("Ann@example.org", "Unknown@example.org"):
        with pytest.raises(RefusedError):
            add_reader(database, address)


def test_erasing(database: Database) -> None:
    """Erasing leaves nothing but a keyed hash, and the number is never another reader's."""
    reader = add_reader(database, "ann@example.org")
    with database.begin() as connection:
        assert erasure.erase(connection, KEYS, "Ann@example.org", at=NOW) == reader.id
        assert erasure.erase(connection, KEYS, "ann@example.org", at=NOW) is None
        kept = [connection.execute(sa.select(table)).all() for table in (tables.subscribers, tables.consents)]
        hashes = connection.execute(sa.select(tables.suppressions.c.address_hash)).scalars().all()
    assert kept == [[], []]
    assert hashes == [suppression.address_hash(KEYS, "ann@example.org")]
    assert "ann" not in hashes[0]
    assert add_reader(database, "bo@example.org").id > reader.id


def test_candidates_and_choices(database: Database) -> None:
    """Candidates are the active readers in the order of their numbers; each distinct choice is told once."""
    wanted = [add_reader(database, f"r{n}@example.org", [["asia", "africa"], [], ["africa"]][n % 3]) for n in range(7)]
    add_reader(database, "pending@example.org", ["europe"], active=False)
    with database.read() as connection:
        assert list(candidates.active(connection)) == [(r.id, r.address, r.regions, None) for r in wanted]
        assert candidates.choices(connection, NOW) == {("africa", "asia"), (), ("africa",)}
        assert candidates.count_by_choice(connection, NOW)[()] == 2
        assert store.counts(connection) == {"active": 7, "pending": 1}


def test_pages(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who leaves or joins while the candidates stream by makes nobody else missed or told twice."""
    monkeypatch.setattr(store, "PAGE", 3)
    readers = [add_reader(database, f"r{n}@example.org") for n in range(10)]
    seen = []
    with database.begin() as connection:
        for number, *_ in candidates.active(connection):
            seen.append(number)
            if number == readers[4].id:
                choosing.leave(connection, readers[1].id, at=NOW)
                choosing.leave(connection, readers[8].id, at=NOW)
    assert seen == [reader.id for reader in readers if reader is not readers[8]]


def test_a_page_costs_the_same_everywhere(database: Database) -> None:
    """A page of candidates is read along the key: no database sorts everybody for it."""
    if not database.is_sqlite:
        return  # PostgreSQL plans by statistics that an empty table has not
    pages: list[tuple[str, tuple[object, ...]]] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *args: pages.append(args[2:4]))
    with database.read() as connection:
        list(candidates.active(connection))
        [(page, values)] = [found for found in pages if "ORDER BY" in found[0]]
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {page}", values).all()
    assert not [row for row in plan if "TEMP B-TREE" in row[3]]


def test_the_look_before_sending(database: Database) -> None:
    """What holds at the moment of sending is told for each number; who was erased is missing."""
    ann, bo, cy = (add_reader(database, f"{name}@example.org") for name in ("ann", "bo", "cy"))
    with database.begin() as connection:
        choosing.leave(connection, ann.id, at=NOW)
        choosing.set_regions(connection, bo.id, ["europe"], at=NOW)
        erasure.erase(connection, KEYS, "cy@example.org", at=NOW)
        now = candidates.current(connection, [ann.id, bo.id, cy.id])
        assert candidates.current(connection, []) == {}
        assert not choosing.set_regions(connection, cy.id, ["asia"], at=NOW)
    assert {number: (found.address, found.status) for number, found in now.items()} == {
        ann.id: ("ann@example.org", Status.LEFT),
        bo.id: ("bo@example.org", Status.ACTIVE),
    }


def test_the_look_sees_what_is_stored(database: Database) -> None:
    """An address in any script and moments to the microsecond come as they were written; no moment is None."""
    ends = NOW + timedelta(microseconds=1)
    strange, plain = (add_reader(database, name) for name in ("jörg'o😀@example.org", "bo@example.org"))
    with database.begin() as connection:
        preferences.pause(connection, strange.id, ends, at=NOW)
        connection.execute(sa.update(tables.subscribers).where(tables.subscribers.c.id == plain.id).values(since=None))
        now = candidates.current(connection, [strange.id, plain.id, 10**12])
    assert now == {
        strange.id: (strange.id, "jörg'o😀@example.org", "active", NOW, ends),
        plain.id: (plain.id, "bo@example.org", "active", None, None),
    }
    assert all(found.paused_until is None or found.paused_until.tzinfo is UTC for found in now.values())


class Lives(RuleBasedStateMachine):
    """Random lives of a few addresses, against what each event must mean."""

    database: Database
    who = st.sampled_from(["ann@example.org", "Bo@example.org", "cy@xn--bcher-kva.example.org"])

    @initialize()
    def nobody(self) -> None:
        with self.database.begin() as connection:
            for table in (tables.consents, tables.subscribers, tables.suppressions):
                connection.execute(table.delete())
        self.forbidden: set[str] = set()
        self.left: set[str] = set()

    def number(self, who: str) -> int | None:
        with self.database.read() as connection:
            found = store.find(connection, who)
        return found.id if found else None

    @rule(who=who)
    def staff_add(self, who: str) -> None:
        if who in self.forbidden:
            with pytest.raises(RefusedError):
                add_reader(self.database, who)
        else:
            add_reader(self.database, who)
            self.left.discard(who)

    @rule(who=who)
    def leave(self, who: str) -> None:
        if number := self.number(who):
            with self.database.begin() as connection:
                choosing.leave(connection, number, at=NOW)
            self.left.add(who)

    @rule(who=who)
    def come_back(self, who: str) -> None:
        if number := self.number(who):
            with self.database.begin() as connection:
                came = choosing.come_back(connection, number, at=NOW)
            assert came is (who not in self.forbidden)
            self.left.discard(who)

    @rule(who=who)
    def suppress(self, who: str) -> None:
        with self.database.begin() as connection:
            suppression.suppress(connection, KEYS, who, reason="bounced", at=NOW)
        self.forbidden.add(who)

    @rule(who=who)
    def erase(self, who: str) -> None:
        with self.database.begin() as connection:
            if erasure.erase(connection, KEYS, who, at=NOW) is not None:
                self.forbidden.add(who)

    @invariant()
    def nobody_is_mailed_against_their_will(self) -> None:
        """No candidate has left or is suppressed."""
        with self.database.read() as connection:
            mailed = {address for _, address, *_ in candidates.active(connection)}
        refused = self.forbidden | self.left
        assert not {address.casefold() for address in mailed} & {who.casefold() for who in refused}


def test_random_lives(database: Database) -> None:
    """Whatever order things happen in, no candidate has left or is suppressed."""
    Lives.database = database
    run_state_machine_as_test(
        Lives,
        settings=settings(
            max_examples=12,
            stateful_step_count=15,
            deadline=timedelta(seconds=5),
            suppress_health_check=list(HealthCheck),
        ),
    )
