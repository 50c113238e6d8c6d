"""Identity: the same article is known again, and two articles are never taken for one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.articles.identity import canonical_link, keys, normalised_title, shared_keys, without_tracking
from digest.feeds.model import Entry
from tests.support.articles import FEED, READING, entry

PLAIN = "https://example.org/2026/11/water-talks"

entries = st.builds(
    Entry,
    id=st.none() | st.text(min_size=1, max_size=30),
    link=st.from_regex(
        r"https?://(www\.|m\.)?example\.org/[a-zA-Z0-9/_.%-]{0,30}(\?[a-z=&0-9]{0,12})?", fullmatch=True
    ),
    title=st.text(max_size=60),
    published=st.none() | st.datetimes(timezones=st.just(UTC)),
)


@pytest.mark.parametrize(
    "variant",
    [
        "http://example.org/2026/11/water-talks",
        "https://www.example.org/2026/11/water-talks/",
        "https://EXAMPLE.org:443/2026/11/water-talks",
        "http://example.org:80//2026/11/water-talks/index.html",
        "https://m.example.org/2026/11/water-talks#comments",
        "https://mobile.example.org/2026/11/water-talks",
        "https://amp.example.org/2026/11/water-talks",
        "https://example.org/2026/11/water-talks/amp/",
        "https://example.org/amp/2026/11/water-talks",
        "https://example.org/2026/11/water-talks?amp=1",
        "https://example-org.cdn.ampproject.org/c/s/example.org/2026/11/water-talks",
        "https://www.google.com/amp/s/example.org/2026/11/water-talks",
        "https://example.org/2026/11/water-talks?utm_source=rss&utm_medium=feed&fbclid=abc",
        "https://example.org/2026/11/water-talks;jsessionid=0A1B?partner=rss",
        "https://reader@example.org/2026/11/w%61ter-talks",
    ],
)
def test_every_spelling_of_a_link_is_one_link(variant: str) -> None:
    """Scheme, www, mobile and AMP faces, ports, fragments and tracking do not make another article."""
    assert canonical_link(variant) == PLAIN


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://example.org/?p=1", "https://example.org/?p=2"),
        ("https://example.org/a", "https://example.org/A"),
        ("https://example.org/a", "https://example.com/a"),
        ("https://example.org/camp", "https://example.org/c"),
        ("https://example.org:8080/a", "https://example.org/a"),
        ("https://example.org/%E9", "https://example.org/%E8"),
        ("https://example.org/?q=%E9", "https://example.org/?q=%E8"),
        ("https://example.org/#!/a", "https://example.org/#!/b"),
    ],
)
def test_another_page_is_another_link(one: str, other: str) -> None:
    """What really leads elsewhere stays apart."""
    assert canonical_link(one) != canonical_link(other)


def test_the_order_of_a_query_means_nothing() -> None:
    """Parameters that count are compared in any order."""
    assert canonical_link("https://example.org/?b=2&a=1") == canonical_link("https://example.org/?a=1&b=2")


@given(st.text(max_size=80) | st.from_regex(r"https?://[a-z.:\[\]0-9]{1,20}/[^\s]{0,40}", fullmatch=True))
def test_canonical_is_settled_at_once(url: str) -> None:
    """Making a canonical link canonical again changes nothing, and nothing makes it fail."""
    assert canonical_link(canonical_link(url)) == canonical_link(url)


@given(entries, st.sampled_from(["guid", "link", "title"]))
def test_one_change_leaves_a_key(original: Entry, changed: str) -> None:
    """Whichever one of guid, link, and title with date a content system changes, some key still matches."""
    full = entry(1, id=original.id or "g", link=original.link, title=original.title, published=original.published)
    other = {
        "guid": entry(1, id="another guid", link=full.link, title=full.title, published=full.published),
        "link": entry(1, id=full.id, link="https://example.org/moved", title=full.title, published=full.published),
        "title": entry(1, id=full.id, link=full.link, title="Edited", published=datetime(2026, 1, 2, tzinfo=UTC)),
    }[changed]
    assert set(keys(full, FEED.url)) & set(keys(other, FEED.url))


@given(entries)
def test_there_is_always_a_key(anything: Entry) -> None:
    """Even an entry with no guid, link or date is known again at the next pull."""
    found = keys(anything, FEED.url)
    assert found
    assert found == keys(anything, FEED.url)
    assert all(len(key) < 300 and key.isprintable() for key in found)


def test_a_guid_that_is_the_link_may_move_with_it() -> None:
    """Where the guid is the permalink, moving the page changes both; title with date still knows it."""
    before = entry(1, id="https://example.org/a", link="https://example.org/a")
    after = entry(1, id="https://example.org/b", link="https://example.org/b")
    assert set(keys(before, FEED.url)) & set(keys(after, FEED.url))


def test_a_guid_belongs_to_its_feed() -> None:
    """The number 7 in two feeds is two articles."""
    one, other = entry(1, id="7"), entry(2, id="7")
    assert not set(keys(one, FEED.url)) & set(keys(other, READING.url))


def test_a_short_title_needs_the_very_second() -> None:
    """Two items called Briefing on one day are two articles; one re-guided and moved is still one."""
    morning = datetime(2026, 11, 25, 8, 0, 12, tzinfo=UTC)
    one = entry(1, title="Briefing", published=morning)
    evening = entry(2, title="Briefing", published=morning + timedelta(hours=9))
    moved = entry(3, title="Briefing", published=morning)
    assert not set(keys(one, FEED.url)) & set(keys(evening, FEED.url))
    assert set(keys(one, FEED.url)) & set(keys(moved, FEED.url))


def test_a_short_title_with_a_bare_day_is_no_key() -> None:
    """Where the feed tells only days, a short title proves nothing."""
    midnight = datetime(2026, 11, 25, tzinfo=UTC)
    one, other = (
        entry(1, title="Briefing", published=midnight),
        entry(2, title="Briefing", published=midnight),
    )
    assert not set(keys(one, FEED.url)) & set(keys(other, FEED.url))


@pytest.mark.parametrize("moment", [None, datetime(1970, 1, 1, tzinfo=UTC)])
def test_a_title_without_a_date_is_no_key(moment: datetime | None) -> None:
    """A missing date, or the epoch that a broken clock writes, gives no title key."""
    assert not any(key.startswith("title:") for key in keys(entry(1, published=moment), FEED.url))


def test_a_guid_that_many_items_share_is_no_key() -> None:
    """A system that writes one guid into every item does not melt them into one article."""
    document = [entry(n, id="urn:same") for n in range(1, 6)]
    shared = shared_keys(document, FEED.url)
    found = [set(keys(e, FEED.url, shared)) for e in document]
    assert len(set.union(*found)) == sum(len(k) for k in found)


def test_side_by_side_with_another_guid_and_link_are_two() -> None:
    """The same long headline twice in one document, under two guids and two links, is two articles."""
    document = [
        entry(1, title="The week in peace operations"),
        entry(2, title="The week in peace operations"),
    ]
    shared = shared_keys(document, FEED.url)
    assert not set(keys(document[0], FEED.url, shared)) & set(keys(document[1], FEED.url, shared))


def test_an_item_that_is_merely_repeated_is_one() -> None:
    """The same item twice in one document keeps its keys."""
    assert not shared_keys([entry(1), entry(1), entry(2)], FEED.url)


def test_titles_compare_by_their_words() -> None:
    """Case, punctuation, spacing and typographic forms do not make another title."""
    assert normalised_title("“Mali’s  Peace”—a ﬁrst LOOK!") == normalised_title("'Mali's peace' - A first look")


def test_readers_get_links_without_tracking() -> None:
    """What tells where a reader came from is taken out of a link; all else stays to the letter."""
    assert (
        without_tracking("https://x.example.org/a/?utm_source=rss&id=7&UTM_Medium=feed#c")
        == "https://x.example.org/a/?id=7#c"
    )
    assert without_tracking("http://www.x.example.org/a?fbclid=1") == "http://www.x.example.org/a"
    kept = "http://www.x.example.org/A/?b=2&a=%7E&ref=menu&a=1#!/route?utm_x=1"
    assert without_tracking(kept) == kept
