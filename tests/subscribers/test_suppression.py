"""Who must not be mailed is not, for a reason that is kept; staff may take back their own word, and no complaint."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from digest.database import Database
from digest.errors import NotFoundError, RefusedError
from subscribers import choosing, erasure, suppression, tables
from subscribers.model import Status
from tests.support.subscribers import KEYS, NOW, add_reader, consents_of, status_of

ANN = "ann@example.org"


def suppress(database: Database, reason: str, address: str = ANN) -> None:
    with database.begin() as connection:
        suppression.suppress(connection, KEYS, address, reason=reason, at=NOW)


def lift(database: Database, address: str = ANN) -> Status | None:
    with database.begin() as connection:
        return suppression.lift(connection, KEYS, address, reason="they wrote to us", at=NOW)


@pytest.mark.parametrize(
    ("reason", "then"),
    [("bounced: 5.1.1", Status.ACTIVE), ("staff: a typo", Status.ACTIVE), ("request: by telephone", Status.LEFT)],
)
def test_lifting(database: Database, reason: str, then: Status) -> None:
    """A lifted suppression makes a reader what they were; who asked for it themselves has left."""
    reader = add_reader(database, ANN)
    suppress(database, reason)
    suppress(database, "bounced: again")
    assert lift(database, "ANN@example.org") is then
    assert status_of(database, reader.id) is then
    assert consents_of(database, reader.id)[-1] == "allowed"
    with pytest.raises(NotFoundError):
        lift(database)


def test_whoever_had_left_has_left(database: Database) -> None:
    """Lifting never makes somebody active who had left, or never confirmed."""
    left, pending = add_reader(database, ANN), add_reader(database, "bo@example.org", active=False)
    with database.begin() as connection:
        choosing.leave(connection, left.id, at=NOW)
    for address in (ANN, "bo@example.org"):
        suppress(database, "bounced", address)
        lift(database, address)
    assert status_of(database, left.id) is Status.LEFT
    assert status_of(database, pending.id) is Status.PENDING


def test_complaints_stand(database: Database) -> None:
    """A complaint stands over any other reason, before or after it, and nobody of the staff can lift it."""
    add_reader(database, ANN)
    for reason in ("bounced", "complaint: ARF", "staff"):
        suppress(database, reason)
    with pytest.raises(RefusedError, match="spam"):
        lift(database)
    with database.begin() as connection:
        erasure.erase(connection, KEYS, ANN, at=NOW)
    with pytest.raises(RefusedError, match="spam"):
        lift(database)


def test_the_list_names_nobody(database: Database) -> None:
    """A server's words that name the address are kept without it, in the list and in the record."""
    add_reader(database, ANN)
    suppress(database, "bounced: 550 <Ann@Example.org> unknown")
    with database.read() as connection:
        told = connection.execute(sa.select(tables.suppressions.c.reason)).scalar_one()
    assert told == "bounced: 550 <…> unknown"


def test_strangers(database: Database) -> None:
    """An address that is no reader's can be suppressed and allowed again."""
    suppress(database, "staff", "nobody@example.org")
    assert lift(database, "Nobody@example.org") is None
    add_reader(database, "nobody@example.org")
