"""Pulling the feeds: fetched and parsed side by side, stored one feed a transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.engine import Connection

from digest.app import App
from digest.articles import store as articles
from digest.articles.plain import label
from digest.articles.store import absorb
from digest.editions import calendars
from digest.feeds import store as feeds
from digest.feeds.errors import FeedError
from digest.feeds.fetch import fetch
from digest.feeds.history import shape_of
from digest.feeds.model import Entry, Feed, Fetched, NotModified, Parsed
from digest.feeds.paging import Reach, needs_more, within
from digest.feeds.pull import retrieve
from digest.newsroom import moving
from digest.newsroom.follow_up import after_pull
from digest.post_office import feed_health


@dataclass(frozen=True, slots=True)
class PullReport:
    """What one pull of one feed came to. `state` is "ok", "not-modified", or why it failed."""

    url: str
    title: str
    state: str
    sentence: str
    items: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    left_out: int = 0
    warnings: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return self.state in ("ok", "not-modified")


def pull(app: App) -> Iterator[PullReport]:
    """Fetch every feed once, and the events' calendar; one report each as it is done. A failing one stops no other."""
    now = app.now
    with app.database.begin() as connection:
        moving.follow(connection, app.config.feed_list())
        feeds.sync(connection, app.config.feed_list(), now=now)
        known = feeds.load(connection)
        reaches = feeds.reaches(connection, now=now, lookback=app.config.editions.lookback)

    def wanted(feed: Feed, entries: Sequence[Entry]) -> bool:
        """The ledger needs our own feeds without a gap; of further reading the newest is enough."""
        if feed.role != "articles":
            return False
        return needs_more(entries, _known(app, feed, entries, reaches[feed.url]), reaches[feed.url])

    fetching = app.config.fetching
    for feed, result, parsed in retrieve(
        known,
        allow_private=fetching.allow_private_addresses,
        timeout=fetching.timeout.total_seconds(),
        max_bytes=fetching.max_size,
        contact=app.publication.url,
        wanted=wanted,
    ):
        yield _record(app, feed, result, parsed, now, reaches[feed.url])
    pull_calendar(app, now)
    feed_health.tell_staff(app)
    after_pull(app)


def _known(app: App, feed: Feed, entries: Sequence[Entry], reach: Reach) -> list[bool]:
    if reach.known_by is None:
        return [False] * len(entries)
    with app.database.read() as connection:
        return articles.known(connection, entries, feed=feed.url, by=reach.known_by)


def _oddities(app: App, connection: Connection, feed: Feed) -> tuple[str, ...]:
    """What is odd about this feed, seen beside its earlier pulls."""
    stale_after = app.config.fetching.stale_after
    judged = feeds.state_of(connection, feed.url, now=app.now, stale_after=stale_after).health
    return (judged.sentence,) if judged.notable else ()


def _given_up(app: App, reach: Reach, now: datetime) -> bool:
    """Whether a page that fails has been tried for long enough: after `lookback` it is no news any more."""
    lookback = app.config.editions.lookback
    return now - (reach.known_by or reach.horizon + lookback) > lookback


def _record(
    app: App,
    feed: Feed,
    result: Fetched | NotModified | FeedError,
    parsed: Parsed | None,
    now: datetime,
    reach: Reach,
) -> PullReport:
    with app.database.begin() as connection:
        if isinstance(result, NotModified):
            feeds.record(connection, feed.url, at=now, ok=True, moved_to=result.moved_to)
            said = _oddities(app, connection, feed)
            return PullReport(feed.url, feed.title, "not-modified", "nothing new since the last pull", warnings=said)
        if isinstance(result, FeedError):
            feeds.record(connection, feed.url, at=now, ok=False, state=result.state, reason=result.reason)
            return PullReport(feed.url, feed.title, result.state, result.reason)
        assert parsed is not None
        source = feed.title or label(parsed.title) or feed.url
        first_pull = feeds.is_first_pull(connection, feed.url)
        # The first pull takes note of older entries too; later ones have no need of what is older than that.
        older = parsed.older if first_pull else within(parsed.older, reach)
        absorbed = absorb(
            connection,
            (*parsed.entries, *older),
            feed=feed,
            source=source,
            kinds=app.config.kinds,
            now=now,
            first_pull=first_pull,
            lookback=app.config.editions.lookback,
        )
        # Without validators the next pull gets the document again, and with it what is missing now.
        again = not parsed.whole or parsed.damage == "cut off"
        new, changed = len(absorbed.new), len(absorbed.changed)
        feeds.record(
            connection,
            feed.url,
            at=now,
            ok=True,
            items=len(parsed.entries),
            new=new,
            changed=changed,
            unchanged=absorbed.unchanged,
            etag=None if again else result.etag,
            last_modified=None if again else result.last_modified,
            title=label(parsed.title),
            moved_to=result.moved_to,
            shape=shape_of(parsed),
            whole=parsed.whole or _given_up(app, reach, now),
        )
        warnings = parsed.warnings + _oddities(app, connection, feed)
    return PullReport(
        feed.url,
        source,
        "ok",
        "",
        items=len(parsed.entries) + len(older),
        new=new,
        changed=changed,
        unchanged=absorbed.unchanged,
        left_out=len(absorbed.left_out),
        warnings=warnings,
    )


def pull_calendar(app: App, now: datetime) -> str | None:
    """Keep the events' calendar as it is now; where it cannot be had the last good one stays. Returns what is wrong."""
    url = app.config.events.calendar
    if not url:
        return None
    try:
        if url.startswith(("http://", "https://")):
            answer = fetch(Feed(url), allow_private=app.config.fetching.allow_private_addresses)
            body = answer.body if isinstance(answer, Fetched) else b""
        else:
            body = app.config.resolve(url).read_bytes()
    except (FeedError, OSError) as error:
        return f"{url}: {error}"
    with app.database.begin() as connection:
        calendars.keep(connection, url, body, now)
    return None
