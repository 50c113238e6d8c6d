"""Who moved to another address is known by the old one, too, and their rights go with them."""

from __future__ import annotations

import io
from datetime import timedelta

from digest.database import Database
from subscribers import address_change, choosing, confirmations, csv_import, csv_rows, erasure, store, suppression
from subscribers.csv_import import Told
from subscribers.former import Former
from subscribers.model import Status
from tests.support.subscribers import KEYS, NOW

OLD, NEW, NEWEST = "ann@old.example.org", "ann@new.example.org", "ann@newest.example.org"


def move(database: Database, number: int, to: str) -> str:
    """The reader asks, and presses the button in the mail to the new address; returns the token of the notice."""
    with database.begin() as connection:
        reader = store.get(connection, number)
        assert reader is not None
        asked = address_change.ask(connection, KEYS, reader, to, at=NOW)
        assert asked is not None
        token, notice = (confirmations.token_of(KEYS, one) for one in (asked.change, asked.stop))
        assert token is not None
        assert notice is not None
        moved = address_change.confirm(connection, KEYS, token, at=NOW)
        assert moved is not None
        assert moved.address == to
    return notice


def moved(database: Database, *to: str) -> tuple[int, str]:
    """A reader who has moved so often; their number, and the token of the last notice."""
    with database.begin() as connection:
        number = store.add(connection, KEYS, OLD, consent="a form", at=NOW - timedelta(days=90)).id
    return number, [move(database, number, address) for address in to][-1]


def imported(database: Database, *lines: str, former: Former | None = None) -> list[Told]:
    content = "\n".join(("email,consent,status", *lines))
    told: list[Told] = []
    for batch in csv_rows.read(io.BytesIO(content.encode()), regions={}, consent="", at=NOW, size=1):
        with database.begin() as connection:
            told += csv_import.take(connection, KEYS, batch, at=NOW, former=former)
    return told


def addresses(database: Database) -> dict[str, Status]:
    with database.read() as connection:
        return {reader.address: reader.status for reader in store.stream(connection)}


def test_a_list_of_long_ago(database: Database) -> None:
    """An import that names an address that a reader moved from, once or twice, adds nobody and says where they are."""
    moved(database, NEW, NEWEST)
    told = imported(database, f"{OLD.upper()},a form,", f"{NEW},,", "bo@example.org,a form,")
    assert [one.outcome for one in told] == ["known", "known", "active"]
    assert all(f"moved to {NEWEST}" in one.why for one in told[:2])
    assert addresses(database) == {NEWEST: Status.ACTIVE, "bo@example.org": Status.ACTIVE}


def test_a_move_in_the_middle_of_an_import(database: Database) -> None:
    """What is kept from batch to batch hears of a move that was made between two of them."""
    with database.begin() as connection:
        number = store.add(connection, KEYS, OLD, consent="a form", at=NOW).id
    former = Former()
    assert [one.outcome for one in imported(database, "bo@example.org,a form,", former=former)] == ["active"]
    move(database, number, NEW)
    assert [one.outcome for one in imported(database, f"{OLD},a form,", former=former)] == ["known"]


def test_who_left_or_is_suppressed_there_stays_out_here(database: Database) -> None:
    """Somebody who left at the new address, or is suppressed there, is not brought back by the old one."""
    number, _ = moved(database, NEW)
    with database.begin() as connection:
        choosing.leave(connection, number, at=NOW)
    assert imported(database, f"{OLD},a form,")[0].outcome == "gone"
    with database.begin() as connection:
        suppression.suppress(connection, KEYS, NEW, reason="complaint", at=NOW)
    assert imported(database, f"{OLD},a form,")[0].outcome == "gone"
    assert list(addresses(database)) == [NEW]


def test_who_was_erased_is_forgotten_at_both(database: Database) -> None:
    """Erasing a reader keeps a hash of each address they had, and no list brings them back by any."""
    moved(database, NEW, NEWEST)
    with database.begin() as connection:
        erasure.erase(connection, KEYS, NEWEST, at=NOW)
    told = imported(database, f"{OLD},a form,", f"{NEW},a form,", f"{NEWEST},a form,")
    assert [one.outcome for one in told] == ["suppressed"] * 3
    assert addresses(database) == {}


def test_somebody_else_at_the_old_address(database: Database) -> None:
    """Who signed up at an address that another reader had left is a reader of their own: erasing that one is not
    erasing them, and an import knows them."""
    moved(database, NEW)
    with database.begin() as connection:
        store.add(connection, KEYS, OLD, consent="a form", at=NOW)
        erasure.erase(connection, KEYS, NEW, at=NOW)
    assert addresses(database) == {OLD: Status.ACTIVE}
    assert imported(database, f"{OLD},a form,")[0].outcome == "known"


def test_a_move_that_was_taken_back(database: Database) -> None:
    """An address that took no part in what the reader wanted is nobody's: who comes by an import there is taken."""
    _, notice = moved(database, NEW)
    with database.begin() as connection:
        assert address_change.stop(connection, KEYS, notice, at=NOW)
    assert [one.outcome for one in imported(database, f"{OLD},a form,", f"{NEW},a form,")] == ["known", "active"]


def test_what_another_list_knows_of_the_old_address(database: Database) -> None:
    """A bounce of the old address, or that somebody left there, is kept, and the reader stays at the new one."""
    moved(database, NEW)
    assert [one.outcome for one in imported(database, f"{OLD},,bounced")] == ["gone"]
    with database.read() as connection:
        assert suppression.is_suppressed(connection, KEYS, OLD)
    assert addresses(database) == {NEW: Status.ACTIVE}
