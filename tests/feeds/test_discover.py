"""A site's page tells its feeds, name, language, logo and social links."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from digest.feeds.discover import FeedLink, discover, likely_feeds
from digest.feeds.images import content_images

PAGE = """<!doctype html><html lang="fr-CA"><head><title>L’Observatoire – Paix et sécurité</title>
<base href="/site/">
<meta property="og:image" content="/og.jpg"><link rel="icon" href="/favicon.ico">
<link rel="apple-touch-icon" href="/touch.png">
<meta name="description" content="Analyses">
<link rel="alternate" type="application/rss+xml" title="Observatoire » Comments Feed" href="/comments/feed/">
<link rel="alternate" type="application/json+oembed" href="/oembed?x">
<link rel="alternate" type="application/json" href="/wp-json/wp/v2/posts/1">
<link rel="alternate" hreflang="en" href="/en/">
<link rel="alternate" type="application/rss+xml" title="Observatoire" href="feed/">
<link rel="alternate" type="application/rss+xml" title="Observatoire" href="feed/">
</head><body><a href="https://www.facebook.com/sharer.php?u=x">Share</a>
<a href="https://www.facebook.com/example">Facebook</a><a href="https://twitter.com/intent/tweet">t</a>
<a href="https://x.com/example">X</a><a href="javascript:alert(1)">no</a></body></html>"""


def test_a_page_tells_what_it_knows() -> None:
    """Feeds of articles before those of comments, each once; profile links, not share buttons."""
    site = discover(PAGE.encode(), "https://news.example.org/index.html")
    assert site.feeds == (
        FeedLink("https://news.example.org/site/feed/", "Observatoire", "application/rss+xml"),
        FeedLink("https://news.example.org/comments/feed/", "Observatoire » Comments Feed", "application/rss+xml"),
    )
    assert (site.name, site.language, site.description) == ("L’Observatoire", "fr-CA", "Analyses")
    assert site.logo == "https://news.example.org/touch.png"
    assert dict(site.links) == {"facebook": "https://www.facebook.com/example", "twitter": "https://x.com/example"}


def test_a_page_that_names_no_feed_has_likely_places() -> None:
    """The usual addresses, nearest first."""
    assert discover(b"<title>x</title>", "https://news.example.org/").feeds == ()
    assert likely_feeds("https://news.example.org")[0] == "https://news.example.org/feed/"


TAGS = st.lists(
    st.sampled_from(
        ["<", ">", "<!", "<![", "]]>", "<!--", "-->", "</", "<a href=", '"', "<img src=/a.jpg", "<?", "x ", "&#"]
    ),
    max_size=30,
).map("".join)


@given(st.binary(max_size=300) | TAGS.map(str.encode))
def test_no_page_breaks_it(page: bytes) -> None:
    """Any bytes, and any heap of broken tags, are a page that tells something or nothing."""
    assert discover(b"<html>" + page, "https://news.example.org/").url


@given(TAGS)
def test_no_content_breaks_the_search_for_pictures(markup: str) -> None:
    """Whatever stands in an entry, pictures are found or not."""
    assert all(image.url.startswith("https://") for image in content_images(markup, "https://news.example.org/"))


def test_endless_tags_cost_little() -> None:
    """Tags that never end are not looked at again and again."""
    started = time.monotonic()
    for broken in ("<a", "<a b=", "<!--", "<![", "<title>"):
        discover((broken * 40_000).encode(), "https://news.example.org/")
    assert time.monotonic() - started < 5
