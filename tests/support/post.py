"""A post office after the post has gone: readers, editions handed to the relay, and a clock; no feeds, no SMTP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from digest import audience
from digest.app import App, open_app
from digest.config import bundled
from digest.delivery import store as outbox
from digest.delivery import verp
from digest.delivery.model import Mail
from digest.delivery.store import NewDelivery
from digest.delivery.tables import deliveries
from digest.post_office import returns
from digest.post_office.returns import Taken
from subscribers import store as subscribers
from subscribers import strikes
from subscribers.model import Status
from subscribers.strikes import Strike
from tests.support.house import SetClock, over
from tests.support.returned import RETURN, dsn

READER = "reader@example.org"
MONDAY = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


@dataclass
class Post:
    app: App
    clock: SetClock

    def subscribe(self, *addresses: str) -> None:
        with self.app.database.begin() as connection:
            for address in addresses:
                subscribers.add(connection, self.app.keys, address, consent="a test", at=self.clock.now)

    def mailed(self, *readers: str, mail: Mail = "digest", key: str = "") -> str:
        """The relay has taken an edition (named by the day) for these readers; returns its key."""
        key = key or f"{self.clock.now:%Y-%m-%d}"
        with self.app.database.begin() as connection:
            new = []
            for address in readers or (READER,):
                found = subscribers.find(connection, address)
                new.append(NewDelivery(mail, key, address, "rendition", subscriber=found.id if found else None))
            outbox.enqueue(connection, new, domain="news.example.org", now=self.clock.now)
            connection.execute(
                sa.update(deliveries)
                .where(deliveries.c.key == key)
                .values(status="sent", first_attempt_at=self.clock.now, settled_at=self.clock.now)
            )
        return key

    def next_week(self, *readers: str) -> str:
        self.clock.now += timedelta(weeks=1)
        return self.mailed(*readers)

    def number(self, key: str, reader: str = READER) -> int:
        """The number of a delivery."""
        with self.app.database.read() as connection:
            wanted = sa.select(deliveries.c.id).where(deliveries.c.key == key, deliveries.c.address == reader)
            return int(connection.execute(wanted).scalar_one())

    def message_id(self, key: str, reader: str = READER) -> str:
        with self.app.database.read() as connection:
            wanted = sa.select(deliveries.c.message_id).where(deliveries.c.key == key, deliveries.c.address == reader)
            return str(connection.execute(wanted).scalar_one())

    def address(self, key: str, reader: str = READER) -> str:
        """Where that mail returns to."""
        assert self.app.return_path is not None
        return verp.make(self.app.return_path, "bounce", self.number(key, reader))

    def leaving(self, reader: str = READER) -> str:
        """Where that reader leaves by mail."""
        assert self.app.return_path is not None
        return verp.make(self.app.return_path, "leave", audience.find(self.app, reader).id)

    def bounced(self, key: str, status: str = "5.1.1", said: str = "no such user", reader: str = READER) -> bytes:
        """A bounce of that mail."""
        return dsn(
            status, f"smtp; {status[0]}50 {status} {said}",
            to=self.address(key, reader), Message_ID=f"<{key}.{status}.{reader.partition('@')[0]}@mx.example.org>",
        )  # fmt: skip

    def comes_back(self, key: str, status: str = "5.1.1", said: str = "no such user", reader: str = READER) -> Taken:
        return returns.take_mail(self.app, self.bounced(key, status, said, reader), source="maildir")

    def status(self, reader: str = READER) -> Status:
        return audience.find(self.app, reader).status

    def strikes(self, reader: str = READER) -> list[Strike]:
        with self.app.database.read() as connection:
            return strikes.of(connection, audience.find(self.app, reader).id)


def settings(folder: Path, database_url: str | None = None) -> dict[str, Any]:
    return {
        "bounces": {"address": RETURN},
        "database": {"url": database_url or f"sqlite:///{folder / 'digest.sqlite3'}"},
        "secrets": {"key_file": str(folder / "keys")},
        "staff": {"mail": []},
    }


@contextmanager
def post(folder: Path, database_url: str | None = None, *, changes: Mapping[str, Any] | None = None) -> Iterator[Post]:
    """A post office with one reader."""
    clock = SetClock(MONDAY)
    app = open_app(bundled(overrides=over(settings(folder, database_url), changes or {})), clock=clock)
    made = Post(app, clock)
    made.subscribe(READER)
    try:
        yield made
    finally:
        app.close()
