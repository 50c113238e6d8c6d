"""Readers for tests, in a real database, and the readers' pages over them on a real server."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import cast

import sqlalchemy as sa

from digest.app import App
from digest.config import bundled
from digest.database import Database
from digest.post_office.reader_pages import ReaderPages
from digest.post_office.signup_pages import sign_ups
from digest.rendering.environment import Templates
from digest.rendering.model import Design, Publication
from digest.web import signup
from digest.web.app import create_app
from digest.web.serve import Running, start
from digest.web.services import ArchivedEdition, Listing
from subscribers import store, tables
from subscribers.addresses import normalise
from subscribers.keys import Keys
from subscribers.model import Status, Subscriber

_SECRETS = {"token": bytes(range(32)), "suppression": bytes(range(32, 64))}
KEYS = Keys({"1": _SECRETS["token"]}, _SECRETS["suppression"])
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


class Site(ReaderPages):
    """The readers' pages over a database and nothing else: no feed, no relay, and editions that are only named."""

    def __init__(self, database: Database) -> None:
        secrets = "\n".join(f"{name} 1 {urlsafe_b64encode(key).decode()}" for name, key in _SECRETS.items())
        config = bundled(overrides={"secrets": {"keys": secrets}})
        self.database, self.now = database, NOW
        self.app = App(config, database, lambda: self.now)
        super().__init__(lambda: self.app)
        self.editions = {"2026-11-20": "Who keeps the peace in the villages"}
        self.shown = {"publication": publication(), "design": Design()}

    @property
    def publication(self) -> Publication:
        return cast("Publication", self.shown["publication"])

    @publication.setter
    def publication(self, other: Publication) -> None:
        self.shown["publication"] = other

    @property
    def design(self) -> Design:
        return cast("Design", self.shown["design"])

    @design.setter
    def design(self, other: Design) -> None:
        self.shown["design"] = other

    @property
    def templates(self) -> Templates:
        return Templates()

    def edition_page(self, slug: str, regions: tuple[str, ...]) -> str | None:
        if slug not in self.editions:
            return None
        title, choice = self.editions[slug], ",".join(regions) or "all"
        return f'<!DOCTYPE html><html lang="en"><head><title>{title}</title></head><body><p>{choice}</p></body></html>'

    def archive(self) -> Sequence[ArchivedEdition]:
        return [ArchivedEdition(slug, title, NOW, NOW) for slug, title in sorted(self.editions.items(), reverse=True)]

    def contents(self, slug: str) -> Sequence[Listing]:
        return [Listing("Africa", (("Rain <over> the delta", "https://observatory.example.org/1/"),))]


@contextmanager
def running(site: Site) -> Iterator[Running]:
    """The pages on a real server, on a free port of loopback."""
    services = sign_ups(lambda: site.app, lambda: None)
    server = start(create_app(site, partial(signup.routes, services=services)), "127.0.0.1", 0)
    try:
        yield server
    finally:
        server.stop()
