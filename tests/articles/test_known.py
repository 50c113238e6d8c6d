"""What a feed had brought by some moment: how far back its pages must be read hangs on it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from digest.articles import store
from digest.database import Database
from digest.feeds.model import Entry, Feed
from tests.support.articles import FEED, NOW, READING, entry

HOUR = timedelta(hours=1)


def take(database: Database, *entries: Entry, feed: Feed = FEED, at: datetime = NOW) -> None:
    with database.begin() as connection:
        store.absorb(
            connection, entries, feed=feed, source="", kinds={}, now=at, first_pull=False, lookback=7 * 24 * HOUR
        )


def known(database: Database, *entries: Entry, feed: Feed = FEED, by: datetime = NOW) -> list[bool]:
    with database.read() as connection:
        return store.known(connection, entries, feed=feed.url, by=by)


def test_known_by_any_sign(database: Database) -> None:
    """An entry is known by its guid, its link or its title with date, whichever of them has changed."""
    take(database, entry(1), entry(2))
    again = [entry(1), replace(entry(2), id="another", title="Another headline"), entry(3)]
    assert known(database, *again) == [True, True, False]
    assert known(database) == []


def test_known_by_a_moment(database: Database) -> None:
    """What came after that moment does not count: a gap below it may still be open."""
    take(database, entry(1))
    take(database, entry(2), at=NOW + HOUR)
    assert known(database, entry(1), entry(2)) == [True, False]
    assert known(database, entry(1), entry(2), by=NOW + HOUR) == [True, True]


def test_another_feed_with_the_same_story(database: Database) -> None:
    """A story that only another feed has brought is news here; once it has stood in this feed it is known."""
    take(database, entry(1))
    assert known(database, entry(1), feed=READING) == [False]
    take(database, entry(1), feed=READING)
    assert known(database, entry(1), feed=READING) == [True]
