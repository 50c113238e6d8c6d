"""The feeds as they stand and the pulls that were made, in the database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from digest.database import BigKey, UTCDateTime, insert_or_ignore, metadata
from digest.feeds.health import Health, health
from digest.feeds.history import Pull, Shape
from digest.feeds.model import Damage, Feed, Role
from digest.feeds.paging import Reach

NO_SHAPE = Shape()

FEEDS = sa.Table(
    "feeds",
    metadata,
    sa.Column("url", sa.Text, primary_key=True),
    sa.Column("title", sa.Text, nullable=False, server_default=""),
    sa.Column("own_title", sa.Text, nullable=False, server_default=""),
    sa.Column("role", sa.String(20), nullable=False),
    sa.Column("position", sa.Integer, nullable=False, server_default="0"),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("known_since", UTCDateTime, nullable=False),
    sa.Column("etag", sa.Text),
    sa.Column("last_modified", sa.Text),
    sa.Column("moved_to", sa.Text),
    sa.Column("first_good_at", UTCDateTime),
    sa.Column("last_good_at", UTCDateTime),
    sa.Column("whole_at", UTCDateTime),
    sa.Column("state", sa.String(40), nullable=False, server_default=""),
    sa.Column("sentence", sa.Text, nullable=False, server_default=""),
)
"""`title` is the configured one, `own_title` what the feed calls itself.

`state` and `sentence` are of the last pull: "" and "" where it went well. `whole_at` is the last good pull after
which nothing was missing: a later one may have failed to read one of the feed's older pages."""

PULLS = sa.Table(
    "pulls",
    metadata,
    sa.Column("id", BigKey, primary_key=True, autoincrement=True),
    sa.Column("feed", sa.Text, sa.ForeignKey("feeds.url", ondelete="CASCADE"), nullable=False),
    sa.Column("at", UTCDateTime, nullable=False),
    sa.Column("ok", sa.Boolean, nullable=False),
    sa.Column("state", sa.String(40), nullable=False, server_default=""),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("items", sa.Integer, nullable=False, server_default="0"),
    sa.Column("new", sa.Integer, nullable=False, server_default="0"),
    sa.Column("changed", sa.Integer, nullable=False, server_default="0"),
    sa.Column("unchanged", sa.Integer, nullable=False, server_default="0"),
    sa.Column("newest", UTCDateTime),
    sa.Column("oldest", UTCDateTime),
    sa.Column("same_dates", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("damage", sa.String(20), nullable=False, server_default=""),
    sa.Index("ix_pulls_feed_at", "feed", "at"),
)

RECENT = 400
"""Pulls that are looked at: two weeks of hourly ones."""

NEWS = 1000
"""Pulls with something new that are looked at: a year of a daily feed, or more."""


@dataclass(frozen=True, slots=True)
class FeedState:
    """A feed with its health and its last pull, for staff."""

    feed: Feed
    health: Health
    last: Pull | None
    first_good_at: datetime | None
    last_good_at: datetime | None
    moved_to: str | None


def sync(connection: Connection, feeds: Iterable[Feed], *, now: datetime) -> None:
    """Make these the configured feeds, in this order. Others are kept, but no longer pulled."""
    wanted = list(feeds)
    connection.execute(FEEDS.update().where(FEEDS.c.url.not_in([feed.url for feed in wanted])).values(active=False))
    for position, feed in enumerate(wanted):
        settings: dict[str, Any] = {
            "title": feed.title,
            "role": feed.role,
            "position": position,
            "active": True,
        }
        back = FEEDS.update().where(FEEDS.c.url == feed.url, ~FEEDS.c.active).values(known_since=now)
        connection.execute(back)  # its silence while it was not configured is no failure
        insert_or_ignore(connection, FEEDS, {"url": feed.url, "known_since": now, **settings})
        connection.execute(FEEDS.update().where(FEEDS.c.url == feed.url).values(**settings))


def load(connection: Connection) -> list[Feed]:
    """The configured feeds in their order, with what their servers told us last time."""
    rows = connection.execute(sa.select(FEEDS).where(FEEDS.c.active).order_by(FEEDS.c.position, FEEDS.c.url))
    return [_feed(row) for row in rows]


def is_first_pull(connection: Connection, url: str) -> bool:
    """Whether this feed has never been read: then only what is young enough is taken."""
    return connection.scalar(sa.select(FEEDS.c.first_good_at).where(FEEDS.c.url == url)) is None


def reaches(connection: Connection, *, now: datetime, lookback: timedelta) -> dict[str, Reach]:
    """How far back each configured feed is needed, by its URL.

    From its first pull on we know whatever is not older than `lookback` before it."""
    columns = (FEEDS.c.url, FEEDS.c.first_good_at, FEEDS.c.whole_at)
    rows = connection.execute(sa.select(*columns).where(FEEDS.c.active))
    return {row.url: Reach((row.first_good_at or now) - lookback, row.whole_at) for row in rows}


def record(
    connection: Connection,
    url: str,
    *,
    at: datetime,
    ok: bool,
    state: str = "",
    reason: str = "",
    items: int | None = None,
    new: int = 0,
    changed: int = 0,
    unchanged: int = 0,
    etag: str | None = None,
    last_modified: str | None = None,
    title: str = "",
    moved_to: str | None = None,
    whole: bool = True,
    shape: Shape = NO_SHAPE,
) -> None:
    """Write down one pull of a feed that `sync` knows.

    `items=None` on a good pull is a 304: the document is as before, its items and validators too.
    A failure leaves the validators alone, so that what could not be read is asked for again. `whole=False` is
    a good pull that could not read an older page."""
    same = items is None
    if items is None:
        items, shape = _last_document(connection, url) if ok else (0, NO_SHAPE)
    connection.execute(
        PULLS.insert().values(
            feed=url, at=at, ok=ok, state=state, reason=reason, items=items, new=new, changed=changed,
            unchanged=items if ok and same else unchanged, newest=shape.newest, oldest=shape.oldest,
            same_dates=shape.same_dates, damage=shape.damage,
        )
    )  # fmt: skip
    values: dict[str, Any] = {"state": state, "sentence": reason}
    if ok:
        values |= {"last_good_at": at, "first_good_at": sa.func.coalesce(FEEDS.c.first_good_at, at)}
        if whole:
            values["whole_at"] = at
        values["moved_to"] = moved_to
        if not same:
            values |= {"etag": etag, "last_modified": last_modified}
        if title:
            values["own_title"] = title
    connection.execute(FEEDS.update().where(FEEDS.c.url == url).values(**values))


def pulls(connection: Connection, url: str, limit: int = RECENT) -> list[Pull]:
    """The feed's pulls, newest first."""
    rows = connection.execute(
        sa.select(PULLS).where(PULLS.c.feed == url).order_by(PULLS.c.at.desc(), PULLS.c.id.desc()).limit(limit)
    )
    return [
        Pull(row.at, row.ok, row.state, row.reason, row.items, row.new, row.changed, row.unchanged, _shape(row))
        for row in rows
    ]


def news(connection: Connection, url: str, *, since: datetime) -> list[datetime]:
    """The moments since then at which a pull brought something new, newest first."""
    brought = (PULLS.c.feed == url, PULLS.c.ok, PULLS.c.new > 0, PULLS.c.at >= since)
    return list(connection.scalars(sa.select(PULLS.c.at).where(*brought).order_by(PULLS.c.at.desc()).limit(NEWS)))


def states(connection: Connection, *, now: datetime, stale_after: timedelta) -> list[FeedState]:
    """Every configured feed with its health, in the configured order."""
    rows = connection.execute(sa.select(FEEDS).where(FEEDS.c.active).order_by(FEEDS.c.position, FEEDS.c.url)).all()
    return [_state(connection, row, now, stale_after) for row in rows]


def state_of(connection: Connection, url: str, *, now: datetime, stale_after: timedelta) -> FeedState:
    """One feed that `sync` knows, with its health."""
    row = connection.execute(sa.select(FEEDS).where(FEEDS.c.url == url)).one()
    return _state(connection, row, now, stale_after)


def _state(connection: Connection, row: sa.Row[Any], now: datetime, stale_after: timedelta) -> FeedState:
    recent = pulls(connection, row.url)
    feed = _feed(row)
    # A feed that was taken out and put back is judged from when it came back.
    last_good = row.last_good_at if row.last_good_at and row.last_good_at >= row.known_since else None
    judged = health(
        [pull for pull in recent if pull.at >= row.known_since],
        role=feed.role,
        now=now,
        stale_after=stale_after,
        known_since=row.known_since,
        last_good_at=last_good,
        news=news(connection, row.url, since=row.known_since),
        moved_to=row.moved_to,
    )
    return FeedState(feed, judged, recent[0] if recent else None, row.first_good_at, row.last_good_at, row.moved_to)


def addresses(connection: Connection) -> dict[str, str | None]:
    """Every feed that was ever configured, and where it has moved for good, if it has."""
    return {row.url: row.moved_to for row in connection.execute(sa.select(FEEDS.c.url, FEEDS.c.moved_to))}


def rename(connection: Connection, old: str, new: str) -> None:
    """Give a feed another address: what is known of it stays, but for what its old server told."""
    row = connection.execute(sa.select(FEEDS).where(FEEDS.c.url == old)).mappings().one()
    told = {"url": new, "etag": None, "last_modified": None, "moved_to": None}
    connection.execute(FEEDS.insert().values(**{**row, **told}))
    connection.execute(PULLS.update().where(PULLS.c.feed == old).values(feed=new))
    connection.execute(FEEDS.delete().where(FEEDS.c.url == old))


def forget_pulls(connection: Connection, *, before: datetime) -> int:
    """Delete pulls older than this; how many there were."""
    return connection.execute(PULLS.delete().where(PULLS.c.at < before)).rowcount


def _last_document(connection: Connection, url: str) -> tuple[int, Shape]:
    """The items and the shape of the document that the last good pull saw."""
    row = connection.execute(
        sa.select(PULLS).where(PULLS.c.feed == url, PULLS.c.ok).order_by(PULLS.c.at.desc(), PULLS.c.id.desc()).limit(1)
    ).first()
    return (row.items, _shape(row)) if row else (0, NO_SHAPE)


def _shape(row: sa.Row[Any]) -> Shape:
    return Shape(row.newest, row.oldest, row.same_dates, cast("Damage", row.damage))


def _feed(row: sa.Row[Any]) -> Feed:
    return Feed(
        url=row.url,
        title=row.title or row.own_title,
        role=cast("Role", row.role),
        etag=row.etag,
        last_modified=row.last_modified,
    )
