"""A reader's pause and language, on each database."""

from __future__ import annotations

from datetime import timedelta

import pytest

from digest.database import Database
from subscribers import candidates, preferences, store
from tests.support.subscribers import NOW, add_reader, consents_of

WEEK = timedelta(weeks=1)


def test_a_pause_ends_by_itself(database: Database) -> None:
    """Who makes a pause is not counted among those who get an edition until it is over, and then is, untouched."""
    ann, bo = add_reader(database, "ann@example.org", ["asia"]), add_reader(database, "bo@example.org", ["asia"])
    with database.begin() as connection:
        assert preferences.pause(connection, ann.id, NOW + 2 * WEEK, at=NOW)
    with database.read() as connection:
        for moment, expected in ((NOW, 1), (NOW + 2 * WEEK - timedelta(seconds=1), 1), (NOW + 2 * WEEK, 2)):
            assert candidates.count_by_choice(connection, moment) == {("asia",): expected}
        assert candidates.count_paused(connection, NOW) == {"paused until 2026-12-11": 1}
        assert candidates.count_paused(connection, NOW + 2 * WEEK) == {}
        assert [reader.number for reader in candidates.active(connection)] == [ann.id, bo.id]
    assert consents_of(database, ann.id) == ["added", "paused"]


def test_nobody_left_of_a_choice(database: Database) -> None:
    """A choice that only paused readers made is not there to be rendered."""
    ann = add_reader(database, "ann@example.org", ["asia"])
    with database.begin() as connection:
        preferences.pause(connection, ann.id, preferences.UNTIL_THEY_RESUME, at=NOW)
        assert candidates.choices(connection, NOW) == frozenset()
        assert candidates.count_paused(connection, NOW) == {"paused until they resume": 1}


def test_resuming(database: Database) -> None:
    """A pause is over at once when its reader says so; saying it without a pause is no event."""
    ann = add_reader(database, "ann@example.org")
    with database.begin() as connection:
        preferences.pause(connection, ann.id, preferences.UNTIL_THEY_RESUME, at=NOW)
        for _ in range(2):
            assert preferences.resume(connection, ann.id, at=NOW)
        assert candidates.choices(connection, NOW) == {()}
    assert consents_of(database, ann.id) == ["added", "paused", "resumed"]


def test_language(database: Database) -> None:
    """The language of a reader's pages is kept."""
    ann = add_reader(database, "ann@example.org")
    with database.begin() as connection:
        assert preferences.set_language(connection, ann.id, "fr")
        found = store.get(connection, ann.id)
    assert found is not None
    assert found.language == "fr"


def test_no_such_reader(database: Database) -> None:
    """For a number that is nobody's nothing is changed and nothing recorded."""
    with database.begin() as connection:
        assert not preferences.pause(connection, 7, NOW + WEEK, at=NOW)
        assert not preferences.resume(connection, 7, at=NOW)
        assert not preferences.set_language(connection, 7, "fr")
    assert consents_of(database, 7) == []


@pytest.mark.parametrize(
    ("until", "reason"),
    [
        (None, ""),
        (NOW, ""),
        (NOW + WEEK, "paused until 2026-12-04"),
        (preferences.UNTIL_THEY_RESUME, "paused until they resume"),
    ],
)
def test_the_reason_in_the_books(until: object, reason: str) -> None:
    """The books name the day that a pause ends, and nothing once it has."""
    assert preferences.pause_reason(until, NOW) == reason  # type: ignore[arg-type]
