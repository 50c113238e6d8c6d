"""The whole house for a story: real feeds over HTTP, a real database, a real SMTP sink, and a clock that we set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from digest.app import App, open_app
from digest.config import bundled
from digest.newsroom import drafts, editing, intake
from digest.post_office import sending
from digest.post_office.settling import SendReport
from subscribers import store as subscribers
from tests.support.feed_server import FeedServer, feed_server, item, rss
from tests.support.smtp import Sink

THURSDAY = datetime(2026, 11, 26, 22, 0, tzinfo=UTC)
"""After the moment to compose (16:00 in New York), before that to send (Friday 09:00)."""
FRIDAY = datetime(2026, 11, 27, 14, 5, tzinfo=UTC)
"""Five minutes after the moment to send."""


@dataclass
class SetClock:
    """The time is what the test says."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


@dataclass
class House:
    app: App
    clock: SetClock
    site: FeedServer
    sink: Sink
    feed_path: str = "/feed/"
    items: list[str] = field(default_factory=list)

    def publish(self, *items: str) -> None:
        """New items at the top of the feed."""
        self.items[:0] = items
        self.serve_feed()

    def serve_feed(self) -> None:
        self.site.feed(self.feed_path, rss(*self.items, title="The Observatory"))

    def article(
        self, number: int, *, region: str = "africa", age: timedelta = timedelta(hours=5), **fields: Any
    ) -> str:
        """An item of the feed, by default about a region."""
        return item(
            title=fields.pop("title", f"Article number {number} of the week"),
            link=fields.pop("link", f"https://observatory.example.org/{number}/"),
            guid=fields.pop("guid", f"guid-{number}"),
            published=self.clock.now - age,
            categories=fields.pop("categories", [region]),
            description=fields.pop(
                "description", f"What happened in case {number}. It matters to those who live there."
            ),
            **fields,
        )

    def pull(self) -> list[intake.PullReport]:
        return list(intake.pull(self.app))

    def subscribe(self, *readers: tuple[str, tuple[str, ...]]) -> None:
        with self.app.database.begin() as connection:
            for address, regions in readers:
                subscribers.add(
                    connection, self.app.keys, address, regions=regions, consent="a test", at=self.clock.now
                )

    def ready(self) -> str:
        """Pull, compose and approve; returns the edition's date."""
        self.pull()
        row = drafts.compose_draft(self.app).row
        editing.approve(self.app, row.slug, by="Ada")
        return row.slug

    def send(self, slug: str | None = None) -> SendReport:
        return sending.send(self.app, slug, now=True)

    def digests(self) -> list[str]:
        """Who has a digest, in order; staff left out."""
        return [address for address in self.sink.recipients() if address != "editors@example.org"]


def overrides(folder: Path, site: FeedServer, smtp_port: int, database_url: str | None = None) -> dict[str, Any]:
    """Over the example configuration: our feeds, our sink, our database."""
    return {
        "feeds": [{"url": site.url("/feed/"), "role": "articles"}],
        "events": {"calendar": ""},
        "fetching": {"allow_private_addresses": True, "check_links": False},
        "smtp": {"host": "127.0.0.1", "port": smtp_port, "security": "none", "connections": 2},
        "database": {"url": database_url or f"sqlite:///{folder / 'digest.sqlite3'}"},
        "secrets": {"key_file": str(folder / "keys")},
    }


def over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = over(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


@contextmanager
def house(
    folder: Path,
    *,
    now: datetime = THURSDAY,
    database_url: str | None = None,
    changes: Mapping[str, Any] | None = None,
    sink: Sink | None = None,
) -> Iterator[House]:
    """A house in `folder`, with `changes` over its configuration."""
    with feed_server() as site, (sink or Sink()).serve() as inbox:
        config = bundled(overrides=over(overrides(folder, site, inbox.port, database_url), changes or {}))
        clock = SetClock(now)
        app = open_app(config, clock=clock)
        made = House(app, clock, site, inbox)
        made.serve_feed()
        try:
            yield made
        finally:
            app.close()
