"""From the entries of one document to stored articles: what is new, what changed, what is known already."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from digest.articles.blanket import without_blanket_categories
from digest.articles.cleaning import LeftOut, article_from
from digest.articles.identity import keys, left_key, shared_keys
from digest.articles.model import Article
from digest.articles.tables import article_keys, articles, owners, rows
from digest.articles.tables import columns as columns_of
from digest.database import one_at_a_time
from digest.feeds.model import Entry, Feed

UNDATED_AT_FIRST_PULL = 10
"""Undated entries that the first pull of a feed takes, in the feed's own order."""


@dataclass(frozen=True, slots=True)
class Absorbed:
    """What one document brought: ids of new and changed articles, how many were as before, what was left
    out."""

    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unchanged: int = 0
    left_out: tuple[LeftOut, ...] = ()


def absorb(
    connection: Connection,
    entries: Sequence[Entry],
    *,
    feed: Feed,
    source: str,
    kinds: Mapping[str, str],
    now: datetime,
    first_pull: bool,
    lookback: timedelta,
) -> Absorbed:
    """Store what one document of a feed holds; again with the same document changes nothing.

    An article belongs to the feed that brought it first; a feed of articles takes one over from further
    reading. Another feed with the same story only adds its keys. The first pull takes what is younger than
    `lookback` and the newest ten undated entries; the rest is known from then on, and not eligible. Later,
    all that is new is eligible, whatever its date."""
    entries = without_blanket_categories(entries)
    one_at_a_time(connection, "articles")  # two pulls at once would store a story twice
    document = _Document(connection, entries, feed)
    left_out: list[LeftOut] = []
    undated = 0
    for entry in entries:
        article = article_from(entry, feed=feed.url, source=source, role=feed.role, kinds=kinds, now=now)
        if isinstance(article, LeftOut):
            left_out.append(article)
            continue
        undated += article.published_at is None
        why_not = too_old(article, now, lookback, undated) if first_pull else ""
        document.take(entry, article, why_not, now)
    document.write(connection)
    return Absorbed(tuple(document.new), tuple(document.changed), document.unchanged, tuple(left_out))


class _Document:
    """One document on its way in: who owns which key, what is known, and the rows to be written together."""

    def __init__(self, connection: Connection, entries: Sequence[Entry], feed: Feed) -> None:
        self._feed = feed
        self._shared = shared_keys(entries, feed.url)
        every = [keys(entry, feed.url, self._shared) for entry in entries]
        left = {left_key(entry.link) for entry in entries if entry.link}
        self._owners = owners(connection, {key for found in every for key in found} | left)
        first_ids = {_short_id(found[0]) for found in every}
        self._known = rows(connection, {*self._owners.values(), *first_ids})
        self._seen: set[str] = set()
        self._keys: dict[str, str] = {}
        self._comments: dict[str, int] = {}
        self.new: dict[str, dict[str, Any]] = {}
        self.changed: dict[str, dict[str, Any]] = {}
        self.unchanged = 0

    def take(self, entry: Entry, article: Article, why_not: str, now: datetime) -> None:
        found = keys(entry, self._feed.url, self._shared)
        identity = next((self._owners[key] for key in found if key in self._owners), None) or self._new_id(found[0])
        for key in found:
            if key not in self._owners:
                self._owners[key] = self._keys[key] = identity
        if identity in self._seen:  # the same item twice in one document: the upper one counts
            return
        self._seen.add(identity)
        row = self._known.get(identity)
        if row is None:
            self.new[identity] = columns_of(article, now) | {
                "id": identity, "first_seen": now, "eligible": not why_not, "why_not": why_not,
            }  # fmt: skip
            return
        if row.feed != article.feed and (row.role, article.role) != ("reading", "articles"):
            self.unchanged += 1
            return
        if entry.published is None and row.published_at is not None:
            article = replace(article, published_at=row.published_at)  # an edit is no new publication
        if self._owners.get(left_key(article.link)) == identity:
            article = replace(article, link=row.link)  # the feed still has the address that the page has left
        columns = columns_of(article, now)
        if row.feed == article.feed and row.content_hash == columns["content_hash"]:
            self.unchanged += 1
            if article.comments is not None and article.comments != row.comments:
                self._comments[identity] = article.comments
            return
        if row.role != article.role and not row.eligible:
            columns |= {"eligible": not why_not, "why_not": why_not}
        self.changed[identity] = columns

    def _new_id(self, key: str) -> str:
        attempt = 0
        while (identity := _short_id(key, attempt)) in self._known or identity in self.new:
            attempt += 1
        return identity

    def write(self, connection: Connection) -> None:
        if self.new:
            connection.execute(sa.insert(articles), list(self.new.values()))
        for identity, columns in self.changed.items():
            connection.execute(sa.update(articles).where(articles.c.id == identity).values(columns))
        for identity, comments in self._comments.items():
            connection.execute(sa.update(articles).where(articles.c.id == identity).values(comments=comments))
        if self._keys:
            connection.execute(sa.insert(article_keys), [{"key": k, "article": i} for k, i in self._keys.items()])


def too_old(article: Article, now: datetime, lookback: timedelta, undated: int) -> str:
    """Why the first pull of a feed does not take this article, or "". `undated`: how many such there were, with it."""
    if article.published_at is None:
        few = UNDATED_AT_FIRST_PULL
        return "" if undated <= few else f"undated, and not among the newest {few} at the first pull"
    return f"older than {_span(lookback)} at the first pull" if article.published_at < now - lookback else ""


def _span(length: timedelta) -> str:
    hours = round(length.total_seconds() / 3600)
    return f"{hours // 24}d" if hours % 24 == 0 else f"{hours}h"


_ID_LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"  # no i, l, o, u: people type these


def _short_id(key: str, attempt: int = 0) -> str:
    number = int.from_bytes(hashlib.sha256(f"{key}\n{attempt}".encode()).digest()[:8], "big")
    return "".join(_ID_LETTERS[(number >> (5 * place)) & 31] for place in range(10))
