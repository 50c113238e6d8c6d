"""The tables of this room, and an article's way into a row and out of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from digest.articles.identity import canonical_link, normalised_title
from digest.articles.model import Article
from digest.database import JSON, UTCDateTime, metadata
from digest.feeds.model import Image

articles = sa.Table(
    "articles",
    metadata,
    sa.Column("id", sa.String(16), primary_key=True),
    sa.Column("link", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("title_words", sa.Text, nullable=False),  # normalised, for finding; LOWER knows only ASCII on SQLite
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("excerpt", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("topics", JSON, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("published_at", UTCDateTime),
    sa.Column("first_seen", UTCDateTime, nullable=False),
    sa.Column("image", JSON),
    sa.Column("reading_minutes", sa.Integer, nullable=False),
    sa.Column("comments", sa.Integer),
    sa.Column("feed", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("role", sa.String(16), nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("eligible", sa.Boolean, nullable=False),
    sa.Column("why_not", sa.Text, nullable=False),
    sa.Column("content_hash", sa.String(64), nullable=False),
    sa.Column("updated_at", UTCDateTime, nullable=False),
    sa.Column("dropped_by", sa.Text),
    sa.Column("dropped_at", UTCDateTime),
    sa.Index("ix_articles_role_eligible", "role", "eligible"),
)
article_keys = sa.Table(
    "article_keys",
    metadata,
    sa.Column("key", sa.String(320), primary_key=True),
    sa.Column("article", sa.String(16), sa.ForeignKey("articles.id", ondelete="CASCADE"), nullable=False, index=True),
)


def content_hash(article: Article) -> str:
    """SHA-256 in hex of what a reader would see of an article; the link in its canonical spelling."""
    image = (article.image.url, article.image.alt, article.image.credit) if article.image else ()
    parts = (
        canonical_link(article.link),
        article.title,
        article.author,
        article.excerpt,
        article.text,
        article.topics,
        article.kind,
        article.published_at.isoformat() if article.published_at else "",
        image,
        article.role,
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def columns(article: Article, now: datetime) -> dict[str, Any]:
    return {
        "link": article.link,
        "title": article.title,
        "title_words": normalised_title(article.title),
        "author": article.author,
        "excerpt": article.excerpt,
        "text": article.text,
        "topics": list(article.topics),
        "kind": article.kind,
        "published_at": article.published_at,
        "image": asdict(article.image) if article.image else None,
        "reading_minutes": article.reading_minutes,
        "comments": article.comments,
        "feed": article.feed,
        "source": article.source,
        "role": article.role,
        "position": article.position,
        "content_hash": content_hash(article),
        "updated_at": now,
    }


def from_row(row: sa.Row[Any]) -> Article:
    return Article(
        id=row.id,
        link=row.link,
        title=row.title,
        author=row.author,
        excerpt=row.excerpt,
        text=row.text,
        topics=tuple(row.topics),
        kind=row.kind,
        published_at=row.published_at,
        first_seen=row.first_seen,
        image=Image(**row.image) if row.image else None,
        reading_minutes=row.reading_minutes,
        comments=row.comments,
        feed=row.feed,
        source=row.source,
        role=row.role,
        position=row.position,
    )


def _batches(values: Iterable[str], size: int = 500) -> Iterator[list[str]]:
    ordered = sorted(values)
    return (ordered[start : start + size] for start in range(0, len(ordered), size))


def owners(connection: Connection, wanted: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for batch in _batches(wanted):
        result = connection.execute(
            sa.select(article_keys.c.key, article_keys.c.article).where(article_keys.c.key.in_(batch))
        )
        found.update((row.key, row.article) for row in result)
    return found


def rows(connection: Connection, ids: Iterable[str]) -> dict[str, sa.Row[Any]]:
    found: dict[str, sa.Row[Any]] = {}
    for batch in _batches(ids):
        result = connection.execute(sa.select(articles).where(articles.c.id.in_(batch)))
        found.update((row.id, row) for row in result)
    return found
