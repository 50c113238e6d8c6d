"""Pulling the feeds: fetched and parsed side by side, stored one feed a transaction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from digest.app import App
from digest.articles.intake import absorb
from digest.editions import calendars
from digest.feeds import store as feeds
from digest.feeds.errors import FeedError
from digest.feeds.fetch import fetch
from digest.feeds.model import Feed, Fetched, NotModified, Parsed
from digest.feeds.pull import retrieve
from digest.newsroom import feed_health


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
    """Fetch every feed once, and the events' calendar; a report for each as it is done. A failing one stops no other."""
    now = app.now
    with app.database.begin() as connection:
        feeds.sync(connection, app.config.feed_list(), now=now)
        known = feeds.load(connection)
    fetching = app.config.fetching
    for feed, result, parsed in retrieve(
        known,
        allow_private=fetching.allow_private_addresses,
        timeout=fetching.timeout.total_seconds(),
        max_bytes=fetching.max_size,
        contact=app.publication.url,
    ):
        yield _record(app, feed, result, parsed, now)
    pull_calendar(app, now)
    feed_health.tell_staff(app)


def _record(
    app: App, feed: Feed, result: Fetched | NotModified | FeedError, parsed: Parsed | None, now: datetime
) -> PullReport:
    with app.database.begin() as connection:
        if isinstance(result, NotModified):
            feeds.record(connection, feed.url, at=now, ok=True)
            return PullReport(feed.url, feed.title, "not-modified", "nothing new since the last pull")
        if isinstance(result, FeedError):
            feeds.record(connection, feed.url, at=now, ok=False, state=result.state, reason=result.reason)
            return PullReport(feed.url, feed.title, result.state, result.reason)
        assert parsed is not None
        source = feed.title or parsed.title or feed.url
        absorbed = absorb(
            connection,
            parsed.entries,
            feed=feed,
            source=source,
            kinds=app.config.kinds,
            now=now,
            first_pull=feeds.is_first_pull(connection, feed.url),
            lookback=app.config.editions.lookback,
        )
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
            etag=result.etag,
            last_modified=result.last_modified,
            title=parsed.title,
            moved_to=result.moved_to,
        )
    warnings = parsed.warnings + ((f"it has moved to {result.moved_to}",) if result.moved_to else ())
    return PullReport(
        feed.url,
        source,
        "ok",
        "",
        items=len(parsed.entries),
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
