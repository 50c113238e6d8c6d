"""How far a feed is followed back: the decision, and the walk over its pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.feeds.errors import FetchError
from digest.feeds.model import Entry, Feed, Parsed
from digest.feeds.paging import MAX_PAGES, Reach, follow, needs_more, within
from digest.feeds.parse import parse
from tests.support.feed_server import item, rss

NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)
DAY = timedelta(days=1)
FEED = Feed("https://news.example.org/feed")
REACH = Reach(horizon=NOW - 7 * DAY, known_by=NOW - DAY)


def entry(number: int, *, age: timedelta | None = DAY, updated: datetime | None = None) -> Entry:
    published = None if age is None else NOW - age
    return Entry(
        f"guid-{number}", f"https://news.example.org/{number}", "A headline", published=published, updated=updated
    )


def page(*numbers: int, to: str = "") -> Parsed:
    return Parsed("News", "", "rss20", "", tuple(map(entry, numbers)), next_page=to)


def test_news_down_to_the_end_leads_on() -> None:
    """A page whose lowest entry is new may hide others below it; one that ends in what we know may not."""
    entries = [entry(1), entry(2)]
    assert needs_more(entries, [False, False], REACH)
    assert not needs_more(entries, [False, True], REACH)
    assert not needs_more([], [], REACH)


def test_a_pinned_entry_hides_nothing() -> None:
    """An entry that stands on top for ever does not stop the following, nor does an old one that was edited."""
    assert needs_more([entry(1), entry(2)], [True, False], REACH)
    assert needs_more([entry(1, age=900 * DAY), entry(2)], [False, False], REACH)
    edited = entry(2, age=900 * DAY, updated=NOW - DAY)
    assert needs_more([entry(1), edited], [False, False], REACH)


def test_the_archive_is_not_needed() -> None:
    """What is older than the horizon leads no further, and is left out."""
    old = entry(2, age=8 * DAY)
    assert not needs_more([entry(1), old], [False, False], REACH)
    assert within([entry(1), old, entry(3, age=None)], REACH) == (entry(1), entry(3, age=None))


def test_undated_entries_lead_on_with_care() -> None:
    """Without dates only a page of nothing but news leads on, and at the first pull none does."""
    entries = [entry(1, age=None), entry(2, age=None)]
    assert needs_more(entries, [False, False], REACH)
    assert not needs_more(entries, [True, False], REACH)
    assert not needs_more(entries, [False, False], Reach(NOW - 7 * DAY))


@given(st.lists(st.tuples(st.integers(0, 12), st.lists(st.integers(0, 60), max_size=5)), min_size=13, max_size=13))
def test_any_tangle_of_pages_comes_to_an_end(pages: list[tuple[int, list[int]]]) -> None:
    """However pages link to each other, each is read once, at most ten in all, and no entry comes twice."""
    asked: list[str] = []
    documents = {f"https://news.example.org/{at}": (to, numbers) for at, (to, numbers) in enumerate(pages)}

    def get(address: str, most: int, seconds: float) -> tuple[str, int, Parsed]:
        asked.append(address)
        to, numbers = documents[address]
        return address, 100, page(*dict.fromkeys(numbers), to=f"https://news.example.org/{to}")

    first = page(100, 101, to="https://news.example.org/0")
    found = follow(FEED, FEED.url, first, wanted=lambda *_: True, get=get, max_bytes=1000, seconds=60)
    assert len(asked) == len(set(asked)) < MAX_PAGES
    assert found.entries == first.entries
    ids = [e.id for e in (*found.entries, *found.older)]
    assert len(ids) == len(set(ids))
    assert [e.position for e in found.older] == [2 + at for at in range(len(found.older))]


def test_all_pages_share_one_allowance() -> None:
    """The bytes of one feed bound its older pages together; a limit that is reached is told."""
    given_bytes: list[int] = []

    def get(address: str, most: int, seconds: float) -> tuple[str, int, Parsed]:
        given_bytes.append(most)
        number = len(given_bytes)
        return address, 400, page(number, to=f"https://news.example.org/{number}")

    walk = partial(follow, FEED, FEED.url, page(100, to="https://news.example.org/0"), wanted=lambda *_: True, get=get)
    found = walk(max_bytes=1000, seconds=60)
    assert given_bytes == [1000, 600, 200]
    assert "4 pages" in found.warnings[-1]
    given_bytes.clear()
    assert walk(max_bytes=1000, seconds=0).older == ()
    assert given_bytes == []


@pytest.mark.parametrize(
    ("state", "whole"), [("html", True), ("http-403", True), ("timeout", False), ("http-503", False)]
)
def test_a_failing_page_keeps_what_there_is(state: str, whole: bool) -> None:
    """A page that is not a feed or is refused ends the following for good; one that is slow only for now."""

    def get(address: str, most: int, seconds: float) -> tuple[str, int, Parsed]:
        if address.endswith("2"):
            raise FetchError(address, state, "it did not work")
        return address, 10, page(1, to="https://news.example.org/2")

    first = page(100, to="https://news.example.org/1")
    found = follow(FEED, FEED.url, first, wanted=lambda *_: True, get=get, max_bytes=100, seconds=60)
    assert (len(found.older), found.whole) == (1, whole)
    assert "page 3" in found.warnings[-1]


def test_where_the_next_page_is_told() -> None:
    """RFC 5005's next before its prev-archive, JSON Feed's next_url; relative ones count from the feed."""
    url = "https://news.example.org/feed"
    links = '<atom:link rel="prev-archive" href="/old"/><atom:link rel="next" href="?page=2"/>'
    assert parse(rss(item("One"), extra=links).encode(), {}, url).next_page == f"{url}?page=2"
    atom = '<feed xmlns="http://www.w3.org/2005/Atom"><title>x</title><link rel="prev-archive" href="/old"/></feed>'
    assert parse(atom.encode(), {}, url).next_page == "https://news.example.org/old"
    told = '{"version": "https://jsonfeed.org/version/1.1", "title": "x", "items": [], "next_url": "/p2"}'
    assert parse(told.encode(), {}, url).next_page == "https://news.example.org/p2"
    assert (
        parse(rss(item("One"), extra='<atom:link rel="next" href="javascript:x"/>').encode(), {}, url).next_page == ""
    )
