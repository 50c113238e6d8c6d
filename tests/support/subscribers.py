"""Readers for tests, in a real database, and the readers' pages over them on a real server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import sqlalchemy as sa

from digest.database import Database
from digest.rendering.environment import Templates
from digest.rendering.model import Design, Publication
from digest.web.app import create_app
from digest.web.serve import Running, start
from digest.web.services import ArchivedEdition, Purpose, ReaderView
from subscribers import choosing, store, tables, tokens
from subscribers.addresses import normalise
from subscribers.keys import Keys
from subscribers.model import Status, Subscriber

KEYS = Keys({"1": bytes(range(32))}, bytes(range(32, 64)))
NOW = datetime(2026, 11, 27, 14, 0, tzinfo=UTC)
REGIONS = {"africa": "Africa", "asia": "Asia", "europe": "Europe", "middle-east": "Middle East", "global": "Global"}


def publication(*, language: str = "en", public_url: str = "https://roundup.example.org") -> Publication:
    return Publication(
        name="The Example Observatory",
        url="https://example.org/",
        language=language,
        timezone="America/New_York",
        postal_address="Institute of Examples, 1 Sample Plaza, New York",
        public_url=public_url,
        region_names=dict(REGIONS),
    )


def add_reader(database: Database, address: str, regions: Sequence[str] = (), *, active: bool = True) -> Subscriber:
    """A reader by the staff's word."""
    with database.begin() as connection:
        return store.add(
            connection, KEYS, normalise(address), regions=regions, consent="by the test", at=NOW, active=active
        )


def status_of(database: Database, number: int) -> Status | None:
    with database.read() as connection:
        found = store.get(connection, number)
        return found.status if found else None


def consents_of(database: Database, number: int) -> list[str]:
    """The events in a reader's consent record, in order."""
    statement = sa.select(tables.consents.c.event).where(tables.consents.c.subscriber == number)
    with database.read() as connection:
        return list(connection.execute(statement.order_by(tables.consents.c.id)).scalars())


@dataclass
class Site:
    """What the pages need, over a database and nothing else."""

    database: Database
    publication: Publication = field(default_factory=publication)
    design: Design = field(default_factory=Design)
    templates: Templates = field(default_factory=Templates)
    editions: dict[str, str] = field(default_factory=lambda: {"2026-11-20": "Who keeps the peace in the villages"})

    def _number(self, token: str, purpose: Purpose) -> int | None:
        return tokens.read(KEYS, purpose, token)

    def reader(self, token: str, purpose: Purpose) -> ReaderView | None:
        number = self._number(token, purpose)
        with self.database.read() as connection:
            found = store.get(connection, number) if number else None
        if found is None:
            return None
        return ReaderView(
            regions=found.regions,
            subscribed=found.status is Status.ACTIVE,
            unsubscribe=tokens.make(KEYS, "unsubscribe", found.id),
            preferences=tokens.make(KEYS, "preferences", found.id),
            may_return=found.status is not Status.SUPPRESSED,
        )

    def leave(self, token: str) -> bool:
        number = self._number(token, "unsubscribe")
        with self.database.begin() as connection:
            return number is not None and choosing.leave(connection, number, at=NOW)

    def come_back(self, token: str) -> bool:
        number = self._number(token, "preferences")
        with self.database.begin() as connection:
            return number is not None and choosing.come_back(connection, number, at=NOW)

    def choose(self, token: str, regions: tuple[str, ...]) -> bool:
        number = self._number(token, "preferences")
        with self.database.begin() as connection:
            return number is not None and choosing.set_regions(connection, number, regions, at=NOW)

    def edition_page(self, slug: str, regions: tuple[str, ...]) -> str | None:
        if slug not in self.editions:
            return None
        return f"<!DOCTYPE html><title>{self.editions[slug]}</title><p>{','.join(regions) or 'all'}</p>"

    def archive(self) -> Sequence[ArchivedEdition]:
        return [ArchivedEdition(slug, title) for slug, title in sorted(self.editions.items(), reverse=True)]

    def healthy(self) -> bool:
        with self.database.read() as connection:
            return connection.execute(sa.text("SELECT 1")).scalar() == 1


@contextmanager
def running(site: Site) -> Iterator[Running]:
    """The pages on a real server, on a free port of loopback."""
    server = start(create_app(site), "127.0.0.1", 0)
    try:
        yield server
    finally:
        server.stop()
