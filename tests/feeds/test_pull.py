"""Several feeds side by side, over real HTTP and through real child processes."""

from __future__ import annotations

import time

from digest.feeds.errors import FeedError
from digest.feeds.model import Feed, Fetched, NotModified
from digest.feeds.pull import retrieve
from tests.support.feed_server import feed_server, item, rss


def test_one_broken_feed_never_stops_the_others() -> None:
    """Each feed comes with what became of it: good, unchanged, gone, no feed, silent."""
    with feed_server() as server:
        good = Feed(server.feed("/good", rss(item("One"), item("Two"))))
        first = next(iter(retrieve([good], allow_private=True)))[1]
        assert isinstance(first, Fetched)
        same = Feed(server.feed("/good2", rss(item("One"), item("Two"))), etag=first.etag)
        feeds = [
            good,
            same,
            Feed(server.status("/gone", 410)),
            Feed(server.page("/page", "<html><title>Hello</title></html>")),
            Feed(server.silence("/silent", seconds=2)),
        ]
        found = {feed.url: (got, parsed) for feed, got, parsed in retrieve(feeds, allow_private=True, timeout=0.5)}
    assert len(found) == 5
    got, parsed = found[good.url]
    assert isinstance(got, Fetched)
    assert parsed is not None
    assert [entry.title for entry in parsed.entries] == ["One", "Two"]
    assert found[same.url] == (NotModified(same.url), None)
    states = [got.state for got, _ in found.values() if isinstance(got, FeedError)]
    assert sorted(states) == ["html", "http-410", "timeout"]


def test_feeds_are_waited_for_together() -> None:
    """Six slow feeds take about as long as one."""
    with feed_server() as server:
        feeds = [Feed(server.silence(f"/slow{number}", seconds=2)) for number in range(6)]
        started = time.monotonic()
        assert len(list(retrieve(feeds, allow_private=True, timeout=0.4))) == 6
        assert time.monotonic() - started < 1.5


def test_no_feeds_are_no_trouble() -> None:
    """An empty list is an empty answer."""
    assert list(retrieve([])) == []
