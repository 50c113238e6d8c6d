"""A welcome that is useful: the latest edition that went out, in the reader's regions, right after confirming."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.engine import Connection

from digest.app import App
from digest.delivery import store as outbox
from digest.editions import store as editions
from digest.editions.model import State
from digest.errors import DigestError
from digest.logger import Logger
from digest.post_office.content import rendition
from digest.post_office.mail import sender_domain
from digest.rendering import store as renditions
from digest.rendering.model import Rendition
from subscribers.model import Subscriber

OUT: tuple[State, ...] = ("sending", "sent")
log = Logger("digest.welcome")


@dataclass(frozen=True, slots=True)
class Welcome:
    """An edition, rendered for a choice of regions."""

    slug: str
    rendition: Rendition


def prepare(app: App, regions: tuple[str, ...]) -> Welcome | None:
    """The latest edition for this choice; None where there is none, it would be empty, or digests may not go at all.

    The very rendition that others of this choice got; one that nobody chose is made now. What goes wrong here is
    logged, and confirming goes on without it."""
    if app.config.lawful_for_sending:
        return None
    regions = tuple(slug for slug in regions if slug in app.publication.region_names)
    try:
        with app.database.read() as connection:
            heads = editions.list_editions(connection, states=OUT, limit=1)
            if not heads:
                return None
            slug = heads[0].slug
            kept = renditions.for_edition(connection, slug).get(regions)
            if kept:
                return Welcome(slug, renditions.load(connection, kept))
            row = editions.load(connection, slug)
        made = rendition(app, row.edition, regions) if row else None
    except DigestError as error:
        log.error("welcome", reason=str(error))  # noqa: TRY400 - its sentence says it all
        return None
    return Welcome(slug, made) if made else None


def enqueue(app: App, connection: Connection, reader: Subscriber, welcome: Welcome) -> bool:
    """Put it into the outbox, unless this reader has had that edition or is getting it.

    It has a mail and a key of its own: the books of the edition are of its candidates alone."""
    if outbox.has(connection, "digest", welcome.slug, reader.id):
        return False
    made = renditions.save(connection, welcome.rendition, now=app.now)
    row = outbox.NewDelivery(
        mail="welcome", key=f"welcome-{welcome.slug}", address=reader.address, subscriber=reader.id, rendition=made
    )
    return outbox.enqueue(connection, [row], domain=sender_domain(app), now=app.now) == 1
