"""In which order articles stand, and in which order they are let in: total orders, whatever the input's."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import UTC, datetime

from digest.articles.model import Article
from digest.editions.model import Overlay

_NEVER = datetime.min.replace(tzinfo=UTC)

Newest = tuple[float, str, int, str, str]


def newest(article: Article) -> Newest:
    """A sort key: the newest first, then as the feed had them. Undated: as new as when first seen."""
    moment = article.published_at or article.first_seen or _NEVER
    return -_seconds(moment), article.feed, article.position, article.id, repr(article)


def turn(article: Article, waited: Collection[str]) -> tuple[bool, float, Newest]:
    """A sort key: those that have waited, the longest waiting before the others; then the newest."""
    has_waited = article.id in waited
    since = _seconds(article.first_seen or article.published_at or _NEVER) if has_waited else 0.0
    return not has_waited, since, newest(article)


def pin_rank(article: Article, overlay: Overlay) -> tuple[bool, int]:
    """A sort key: what an editor pinned first, in the editor's order."""
    pinned = article.id in overlay.pinned
    return not pinned, overlay.pinned.index(article.id) if pinned else 0


def once(articles: Iterable[Article]) -> list[Article]:
    """One article an id (the newest where they differ), the newest first."""
    one_each = {article.id: article for article in sorted(articles, key=newest, reverse=True)}
    return sorted(one_each.values(), key=newest)


def _seconds(moment: datetime) -> float:
    return (moment - _NEVER).total_seconds()
