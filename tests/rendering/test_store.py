"""Renditions are kept by their content."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from digest.database import Database
from digest.errors import NotFoundError
from digest.rendering import store
from digest.rendering.model import Rendition

NOW = datetime(2013, 11, 29, 14, tzinfo=UTC)
ASIA = Rendition("Subject", "<p>ägypt 🌍</p>\n", "text\n", "before", ("africa", "asia"))


def test_saved_is_loaded(database: Database) -> None:
    """What was saved comes back, to the byte, under its hash."""
    with database.begin() as connection:
        digest = store.save(connection, ASIA, now=NOW)
    with database.read() as connection:
        assert store.load(connection, digest) == ASIA
        assert digest == ASIA.hash


def test_saving_twice_is_harmless(database: Database) -> None:
    """The same content is one row."""
    with database.begin() as connection:
        assert store.save(connection, ASIA, now=NOW) == store.save(connection, ASIA, now=NOW)
        assert connection.scalar(sa.select(sa.func.count()).select_from(store.renditions)) == 1


def test_unknown_is_not_found(database: Database) -> None:
    """A hash that was never saved is an error, not nothing."""
    with database.read() as connection, pytest.raises(NotFoundError, match="no rendition"):
        store.load(connection, "0" * 64)


def test_an_edition_knows_its_renditions(database: Database) -> None:
    """Each choice of regions has one rendition, the newest; the one before stays saved."""
    everything = Rendition("Subject", "<p>all</p>", "all", "before")
    newer = Rendition("Corrected", ASIA.html, ASIA.text, "before", ASIA.regions)
    with database.begin() as connection:
        store.attach(connection, "2013-11-29", everything, now=NOW)
        store.attach(connection, "2013-11-29", ASIA, now=NOW)
        store.attach(connection, "2013-11-29", newer, now=NOW)
    with database.read() as connection:
        assert store.for_edition(connection, "2013-11-29") == {
            (): everything.hash,
            ("africa", "asia"): newer.hash,
        }
        assert store.load(connection, ASIA.hash) == ASIA
        assert store.for_edition(connection, "2013-12-06") == {}
