"""What is kept of feeds and pulls, on both kinds of database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from digest.database import Database
from digest.feeds import store
from digest.feeds.history import Shape
from digest.feeds.model import Feed
from digest.feeds.paging import Reach

NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)
DAY = timedelta(days=1)
NEWS = Feed("https://news.example.org/feed", "News")
PARTNER = Feed("https://partner.example.org/feed", role="reading")


def test_the_configured_feeds_are_known_in_their_order(database: Database) -> None:
    """What was taken out of the configuration is not pulled, and comes back with what was known of it."""
    with database.begin() as connection:
        store.sync(connection, [PARTNER, NEWS], now=NOW)
        store.record(connection, NEWS.url, at=NOW, ok=True, items=3, etag='"a"', title="As it calls itself")
        assert [feed.url for feed in store.load(connection)] == [PARTNER.url, NEWS.url]
        store.sync(connection, [PARTNER], now=NOW)
        assert [feed.url for feed in store.load(connection)] == [PARTNER.url]
        store.sync(connection, [NEWS, PARTNER], now=NOW + DAY)
        assert store.load(connection)[0] == Feed(NEWS.url, "News", "articles", '"a"')


def test_a_feed_without_a_configured_title_has_its_own(database: Database) -> None:
    """The feed's own title fills in, and never overrides the staff's."""
    with database.begin() as connection:
        store.sync(connection, [PARTNER, NEWS], now=NOW)
        for feed in (PARTNER, NEWS):
            store.record(connection, feed.url, at=NOW, ok=True, items=1, title="Own")
        store.sync(connection, [PARTNER, NEWS], now=NOW)
        assert [feed.title for feed in store.load(connection)] == ["Own", "News"]


def test_not_modified_is_a_good_pull_with_the_items_of_before(database: Database) -> None:
    """A 304 keeps validators and the number of items, so that nothing looks emptied."""
    with database.begin() as connection:
        store.sync(connection, [NEWS], now=NOW)
        assert store.is_first_pull(connection, NEWS.url)
        store.record(connection, NEWS.url, at=NOW, ok=True, items=7, new=7, etag='"a"', last_modified="yesterday")
        assert not store.is_first_pull(connection, NEWS.url)
        store.record(connection, NEWS.url, at=NOW + DAY / 24, ok=True)
        newest = store.pulls(connection, NEWS.url)[0]
        assert (newest.items, newest.new, newest.unchanged) == (7, 0, 7)
        assert store.load(connection)[0].etag == '"a"'


def test_a_failure_is_kept_and_shown_and_forgets_nothing(database: Database) -> None:
    """The state of a failed pull is there for staff; validators and the last good pull stay."""
    with database.begin() as connection:
        store.sync(connection, [NEWS, PARTNER], now=NOW - 2 * DAY)
        store.record(
            connection,
            NEWS.url,
            at=NOW - 2 * DAY,
            ok=True,
            items=7,
            etag='"a"',
            moved_to="https://x.example.org/",
        )
        store.record(connection, NEWS.url, at=NOW, ok=False, state="timeout", reason="did not answer in time")
    with database.read() as connection:
        assert store.load(connection)[0].etag == '"a"'
        news, partner = store.states(connection, now=NOW, stale_after=DAY)
    assert (news.health.state, news.health.holds) == ("stale", True)
    assert "did not answer in time" in news.health.sentence
    assert news.last is not None
    assert news.last.state == "timeout"
    assert (news.last_good_at, news.moved_to) == (NOW - 2 * DAY, "https://x.example.org/")
    assert (partner.health.state, partner.health.holds) == ("stale", False)


def test_a_feed_that_comes_back_is_not_stale_at_once(database: Database) -> None:
    """The time in which it was not configured is no silence of the feed's."""
    with database.begin() as connection:
        store.sync(connection, [NEWS], now=NOW - 30 * DAY)
        store.record(connection, NEWS.url, at=NOW - 30 * DAY, ok=True, items=7)
        store.sync(connection, [], now=NOW - 20 * DAY)
        store.sync(connection, [NEWS], now=NOW)
        assert store.states(connection, now=NOW, stale_after=DAY)[0].health.state == "new"


def test_old_pulls_can_be_forgotten(database: Database) -> None:
    """The history is trimmed from its old end."""
    with database.begin() as connection:
        store.sync(connection, [NEWS], now=NOW)
        for day in range(5):
            store.record(connection, NEWS.url, at=NOW - day * DAY, ok=True, items=day)
        assert store.forget_pulls(connection, before=NOW - 2.5 * DAY) == 2
        assert [pull.items for pull in store.pulls(connection, NEWS.url)] == [0, 1, 2]


def test_what_a_document_looked_like_is_kept(database: Database) -> None:
    """The shape of a document comes back as it was; a 304 has that of the document before, a failure none."""
    shape = Shape(NOW, NOW - 9 * DAY, same_dates=True, damage="cut off")
    with database.begin() as connection:
        store.sync(connection, [NEWS], now=NOW)
        store.record(connection, NEWS.url, at=NOW, ok=True, items=7, new=2, shape=shape)
        store.record(connection, NEWS.url, at=NOW + DAY, ok=True)
        store.record(connection, NEWS.url, at=NOW + 2 * DAY, ok=False, state="timeout", reason="too slow")
        assert [pull.shape for pull in store.pulls(connection, NEWS.url)] == [Shape(), shape, shape]
        assert store.news(connection, NEWS.url, since=NOW) == [NOW]
        assert store.news(connection, NEWS.url, since=NOW + DAY) == []


def test_how_far_back_a_feed_is_needed(database: Database) -> None:
    """To `lookback` before its first good pull, and to what was known when nothing of it was missing."""
    with database.begin() as connection:
        store.sync(connection, [NEWS], now=NOW)
        assert store.reaches(connection, now=NOW, lookback=7 * DAY) == {NEWS.url: Reach(NOW - 7 * DAY)}
        store.record(connection, NEWS.url, at=NOW, ok=True, items=7)
        store.record(connection, NEWS.url, at=NOW + DAY, ok=True)
        store.record(connection, NEWS.url, at=NOW + 2 * DAY, ok=True, items=7, whole=False)
        store.record(connection, NEWS.url, at=NOW + 3 * DAY, ok=False, state="timeout")
        reaches = store.reaches(connection, now=NOW + 4 * DAY, lookback=7 * DAY)
        assert reaches == {NEWS.url: Reach(NOW - 7 * DAY, NOW + DAY)}


def test_a_feed_with_another_address_is_the_same(database: Database) -> None:
    """Its pulls and its dates go with it; what the old server said of the document does not."""
    new = "https://new.example.org/feed"
    with database.begin() as connection:
        store.sync(connection, [NEWS, PARTNER], now=NOW)
        store.record(connection, NEWS.url, at=NOW, ok=True, items=7, etag='"a"', moved_to=new)
        assert store.addresses(connection) == {NEWS.url: new, PARTNER.url: None}
        store.rename(connection, NEWS.url, new)
        store.sync(connection, [Feed(new, "News"), PARTNER], now=NOW + DAY)
        assert not store.is_first_pull(connection, new)
        assert [feed.url for feed in store.load(connection)] == [new, PARTNER.url]
        found = store.state_of(connection, new, now=NOW + DAY / 2, stale_after=DAY)
        assert (found.health.state, found.feed.etag, found.moved_to, found.last_good_at) == ("good", None, None, NOW)
        assert store.pulls(connection, NEWS.url) == []
