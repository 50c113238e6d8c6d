"""Small builders: an entry or an article in one line, with what the test does not care about filled in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from digest.articles.model import Article
from digest.feeds.model import Entry, Feed

NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
"""A Friday morning."""

FEED = Feed(url="https://observatory.example.org/feed/", title="The Observatory")
READING = Feed(url="https://partner.example.org/rss", title="A Partner", role="reading")

ENTRY = Entry(
    id="https://observatory.example.org/?p=1",
    link="https://observatory.example.org/2026/11/article-1/",
    title="Article 1 on the water talks",
    summary_html="<p>The delegations met on Monday. They will meet again in spring.</p>",
    author="Maria Example",
    categories=("Water", "Mediation"),
    published=datetime(2026, 11, 25, 12, 0, tzinfo=UTC),
)

ARTICLE = Article(
    id="a000000001",
    link="https://observatory.example.org/2026/11/article-1/",
    title="Article 1 on the water talks",
    author="Maria Example",
    excerpt="The delegations met on Monday. They will meet again in spring.",
    text="The delegations met on Monday. They will meet again in spring.",
    topics=("water", "mediation"),
    published_at=datetime(2026, 11, 25, 12, 0, tzinfo=UTC),
    first_seen=datetime(2026, 11, 25, 13, 0, tzinfo=UTC),
    feed=FEED.url,
    source=FEED.title,
)


def entry(number: int = 1, **changes: Any) -> Entry:
    """Entry `number`: its guid, link and title differ from those of every other number."""
    numbered = replace(
        ENTRY,
        id=f"https://observatory.example.org/?p={number}",
        link=f"https://observatory.example.org/2026/11/article-{number}/",
        title=f"Article {number} on the water talks",
        position=max(0, number - 1),
    )
    return replace(numbered, **changes)


def article(number: int = 1, **changes: Any) -> Article:
    """Article `number`: its id, link and title differ from those of every other number."""
    numbered = replace(
        ARTICLE,
        id=f"a{number:09d}",
        link=f"https://observatory.example.org/2026/11/article-{number}/",
        title=f"Article {number} on the water talks",
        position=max(0, number - 1),
    )
    return replace(numbered, **changes)
