"""The articles we know, and by which keys. What was sent is the editions' to know, not ours."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from digest.articles.identity import keys, left_key, link_key, normalised_title, shared_keys
from digest.articles.intake import Absorbed, absorb
from digest.articles.model import Article
from digest.articles.tables import article_keys, articles, content_hash, from_row, owners, rows
from digest.database import UTCDateTime, insert_or_ignore
from digest.errors import NotFoundError
from digest.feeds.model import Entry, Role

__all__ = [
    "Absorbed", "Standing", "absorb", "article_keys", "articles", "candidates", "content_hash", "drop",
    "find", "known", "load", "relink", "rename_feed", "standing", ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Standing:
    """How an article stands with us: whether it may come into an edition, and if not, why, or who dropped
    it."""

    eligible: bool
    why_not: str
    content_hash: str
    updated_at: datetime
    dropped_by: str = ""
    dropped_at: datetime | None = None


def load(connection: Connection, ids: Iterable[str]) -> dict[str, Article]:
    """These articles by id; ids that are not known are not in the answer."""
    return {identity: from_row(row) for identity, row in rows(connection, set(ids)).items()}


def candidates(
    connection: Connection,
    *,
    now: datetime,
    role: Role = "articles",
    exclude: sa.Select[Any] | Collection[str] | None = None,
) -> list[Article]:
    """Every article that may come into an edition now, newest first, the feed's order for ties.

    Eligible, not dropped, not dated in the future, and not among `exclude`: ids, or a SELECT of ids (never
    NULL)."""
    moment = sa.func.coalesce(articles.c.published_at, articles.c.first_seen)
    statement = (
        sa.select(articles)
        .where(articles.c.role == role, articles.c.eligible, articles.c.dropped_at.is_(None))
        .where(sa.or_(articles.c.published_at.is_(None), articles.c.published_at <= now))
        .order_by(moment.desc(), articles.c.position, articles.c.id)
    )
    if isinstance(exclude, sa.Select):
        statement = statement.where(articles.c.id.not_in(exclude))
    found = connection.execute(statement).all()
    unwanted = frozenset() if exclude is None or isinstance(exclude, sa.Select) else frozenset(exclude)
    return [from_row(row) for row in found if row.id not in unwanted]


def find(connection: Connection, text: str, *, limit: int = 20) -> list[Article]:
    """The articles that staff may mean: by id or its beginning, by link in any spelling, by words of the
    title.

    An exact id or link gives that one only; else newest first."""
    text = text.strip()
    if "://" in text:
        owner = owners(connection, [link_key(text)])
        return list(load(connection, owner.values()).values())
    if exact := load(connection, [text.lower()]):
        return list(exact.values())
    tests = []
    if len(text) >= 3 and text.isascii() and text.isalnum():
        tests.append(articles.c.id.startswith(text.lower()))
    if words := normalised_title(text).split():
        tests.append(sa.and_(*(articles.c.title_words.contains(word) for word in words)))
    if not tests:
        return []
    moment = sa.func.coalesce(articles.c.published_at, articles.c.first_seen)
    statement = sa.select(articles).where(sa.or_(*tests)).order_by(moment.desc(), articles.c.id).limit(limit)
    return [from_row(row) for row in connection.execute(statement)]


def standing(connection: Connection, identity: str) -> Standing:
    """How this article stands with us. NotFoundError where there is none."""
    row = rows(connection, [identity]).get(identity)
    if row is None:
        raise _unknown(identity)
    return Standing(row.eligible, row.why_not, row.content_hash, row.updated_at, row.dropped_by or "", row.dropped_at)


def drop(connection: Connection, identity: str, who: str, at: datetime) -> None:
    """Never put this article into an edition. A second time changes nothing. NotFoundError where there is
    none."""
    result = connection.execute(
        sa.update(articles)
        .where(articles.c.id == identity)
        .values(
            dropped_by=sa.func.coalesce(articles.c.dropped_by, who),
            dropped_at=sa.func.coalesce(articles.c.dropped_at, sa.bindparam("at", at, UTCDateTime)),
        )
    )
    if not result.rowcount:
        raise _unknown(identity)


def known(connection: Connection, entries: Sequence[Entry], *, feed: str, by: datetime) -> list[bool]:
    """For each entry of a document whether this feed had brought it by that moment.

    A story that another feed brought is known here only once it has stood in this feed too."""
    shared = shared_keys(entries, feed)
    every = [keys(entry, feed, shared) for entry in entries]
    owned = owners(connection, {key for found in every for key in found})
    held = rows(connection, owned.values())

    def is_ours(key: str) -> bool:
        row = held.get(owned.get(key, ""))
        return row is not None and row.first_seen <= by and (row.feed == feed or key.startswith("guid:"))

    return [any(map(is_ours, found)) for found in every]


def relink(connection: Connection, identity: str, link: str, now: datetime) -> bool:
    """The page of an article has moved for good: it is linked there, and known by both addresses, whatever the feed
    goes on saying. False, and nothing changed, where that is another article's page, or the article is not known."""
    row = rows(connection, [identity]).get(identity)
    if row is None or owners(connection, [link_key(link)]).get(link_key(link), identity) != identity:
        return False
    article = replace(from_row(row), link=link)
    found = {"link": link, "content_hash": content_hash(article), "updated_at": now}
    connection.execute(sa.update(articles).where(articles.c.id == identity).values(found))
    connection.execute(sa.delete(article_keys).where(article_keys.c.key == left_key(link)))
    new = [{"key": key, "article": identity} for key in (link_key(link), left_key(row.link))]
    insert_or_ignore(connection, article_keys, new)
    return True


def rename_feed(connection: Connection, old: str, new: str) -> None:
    """A feed moved: its articles belong to the new address, so that later edits still reach them."""
    connection.execute(sa.update(articles).where(articles.c.feed == old).values(feed=new))


def _unknown(identity: str) -> NotFoundError:
    return NotFoundError(f"no article {identity!r}", mend="`digest explain` finds it by words of its title")
