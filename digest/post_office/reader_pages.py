"""What the web pages of readers do: the use cases behind leave, choose, come back, and the edition in the browser."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from digest.app import App
from digest.delivery import store as outbox
from digest.editions import store as editions
from digest.editions.model import State
from digest.errors import DigestError
from digest.post_office.content import filled, rendition
from digest.rendering import store as renditions
from digest.rendering.environment import Templates
from digest.rendering.model import Design, Publication
from digest.web.services import ArchivedEdition, Purpose, ReaderView, WebServices
from subscribers import choosing, tokens
from subscribers import store as subscribers
from subscribers.model import Status

BEGUN: tuple[State, ...] = ("sending", "paused", "sent")
"""The states of an edition that readers may see; a draft is the staff's alone."""
LEFT = "left"
"""The reason that stands at a delivery whose reader left before it went."""
ARCHIVED = 520
"""The most editions that the archive lists: ten years of weeks."""


def web_services(current: Callable[[], App]) -> WebServices:
    """The pages' services over whatever `current` says is the application: a changed configuration shows at once."""
    return ReaderPages(current)


@dataclass(frozen=True, slots=True)
class ReaderPages:
    """`digest.web.services.WebServices` over the database; each call that changes something is one transaction."""

    current: Callable[[], App]

    @property
    def publication(self) -> Publication:
        return self.current().publication

    @property
    def design(self) -> Design:
        return self.current().design

    @property
    def templates(self) -> Templates:
        return self.current().templates

    def reader(self, token: str, purpose: Purpose) -> ReaderView | None:
        app = self.current()
        number = tokens.read(app.keys, purpose, token)
        if number is None:
            return None
        with app.database.read() as connection:
            found = subscribers.get(connection, number)
        if found is None:
            return None
        return ReaderView(
            regions=found.regions,
            subscribed=found.status is Status.ACTIVE,
            unsubscribe=tokens.make(app.keys, "unsubscribe", found.id),
            preferences=tokens.make(app.keys, "preferences", found.id),
            may_return=found.status in (Status.ACTIVE, Status.LEFT),
            masked=masked(found.address),
            language=found.language,
        )

    def leave(self, token: str) -> bool:
        app = self.current()
        number = tokens.read(app.keys, "unsubscribe", token)
        if number is None:
            return False
        now = app.now
        with app.database.begin() as connection:
            if not choosing.leave(connection, number, at=now):
                return False
            outbox.exclude(connection, number, LEFT, now=now)
        return True

    def come_back(self, token: str) -> bool:
        app = self.current()
        number = tokens.read(app.keys, "preferences", token)
        if number is None:
            return False
        with app.database.begin() as connection:
            return choosing.come_back(connection, number, at=app.now)

    def choose(self, token: str, regions: tuple[str, ...]) -> bool:
        app = self.current()
        number = tokens.read(app.keys, "preferences", token)
        if number is None:
            return False
        known = app.publication.region_names
        with app.database.begin() as connection:
            return choosing.set_regions(connection, number, [slug for slug in regions if slug in known], at=app.now)

    def edition_page(self, slug: str, regions: tuple[str, ...]) -> str | None:
        """The very rendition that went to readers of this choice; one that nobody chose is made now."""
        app = self.current()
        with app.database.read() as connection:
            row = editions.load(connection, slug)
            if row is None or row.state not in BEGUN:
                return None
            kept = renditions.for_edition(connection, slug).get(regions)
            made = renditions.load(connection, kept) if kept else None
        made = made or rendition(app, row.edition, regions)
        if made is None:
            return None
        home = f"{app.publication.public_url.rstrip('/')}/"
        return filled(made, {"UNSUBSCRIBE": home, "PREFERENCES": home, "SINCE": ""})[0]

    def archive(self) -> Sequence[ArchivedEdition]:
        app = self.current()
        with app.database.read() as connection:
            found = editions.list_editions(connection, states=BEGUN, limit=ARCHIVED)
        return [ArchivedEdition(head.slug, head.subject or app.publication.name) for head in found]

    def healthy(self) -> bool:
        try:
            with self.current().database.read() as connection:
                return connection.execute(sa.select(1)).scalar() == 1
        except DigestError:
            return False


def masked(address: str) -> str:
    """An address that its reader knows again and nobody else learns: `a…@example.org`."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}…@{domain}" if local else ""
