"""The database's shape: what the migrations make is what the rooms declare."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from alembic import command
from alembic.script import ScriptDirectory

from digest.database import Database
from digest.errors import DigestError
from digest.migrations import alembic_config, current, upgrade
from digest.migrations.head import HEAD


@pytest.fixture
def empty(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.close()


def test_the_constant_names_the_newest_migration() -> None:
    """The quick look at a database's version compares with the real head of the migrations."""
    assert ScriptDirectory.from_config(alembic_config()).get_current_head() == HEAD


def test_migrations_make_exactly_the_declared_tables(empty: Database) -> None:
    """On both databases, a migrated database differs in nothing from the tables that the stores declare."""
    upgrade(empty)
    with empty.begin() as connection:
        command.check(alembic_config(connection))


def test_upgrading_again_is_harmless(empty: Database) -> None:
    """`db upgrade` may be run as often as one likes."""
    assert upgrade(empty) == upgrade(empty) == current(empty) == HEAD


def test_a_database_of_a_newer_version_is_left_alone(empty: Database) -> None:
    """An older program says that it is older, and touches nothing."""
    upgrade(empty)
    with empty.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DigestError, match="9999"):
        upgrade(empty)
    assert current(empty) == "9999"


def test_mails_that_wait_get_their_provider(empty: Database) -> None:
    """What an earlier version left in the outbox keeps to the rates of whoever takes it; what has gone stays."""
    with empty.begin() as connection:
        command.upgrade(alembic_config(connection), "0001")
        for number, (address, status) in enumerate(
            [("ann@googlemail.com", "pending"), ("bo@example.org", "pending"), ("cy@gmail.com", "sent")]
        ):
            connection.exec_driver_sql(
                "INSERT INTO deliveries (id, mail, key, recipient, address, rendition, message_id, status, due_at,"
                " priority, created_at)"
                f" VALUES ({number}, 'digest', '2026-11-27', 's:{number}', '{address}', 'x', 'm{number}', '{status}',"
                " '2026-11-27 14:00:00', 5, '2026-11-27 14:00:00')"
            )
    upgrade(empty)
    with empty.read() as connection:
        found = connection.exec_driver_sql("SELECT provider FROM deliveries ORDER BY id").scalars().all()
    assert found == ["google", "example.org", ""]
