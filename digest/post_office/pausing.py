"""The staff's hand on an edition that is going out: what waits, going on, stopping for good. (To pause is `hold`.)"""

from __future__ import annotations

from sqlalchemy.engine import Connection

from digest.app import App
from digest.delivery import store as outbox
from digest.editions import corrections
from digest.editions import store as editions
from digest.editions.model import State
from digest.editions.store import EditionRow
from digest.logger import Logger
from digest.post_office.holding import fresh
from digest.post_office.settling import SendReport, settle_up
from digest.which import current

log = Logger("digest.post_office")


def paused_keys(app: App, connection: Connection) -> frozenset[str]:
    """What must wait, editions and their corrections, asked anew at each claim; all of it where sending is unlawful."""
    waiting: tuple[State, ...] = ("paused", "sending") if app.config.lawful_for_sending else ("paused",)
    slugs = editions.slugs(connection, waiting)
    return frozenset(key for slug in slugs for key in corrections.keys_of(connection, slug))


def resume(app: App, slug: str | None) -> EditionRow:
    """Let a paused edition go on."""
    row = current(app, slug)
    with app.database.begin() as connection:
        editions.resume(connection, row.slug, at=app.now)
        return fresh(connection, row.slug)


def stop(app: App, slug: str | None, *, by: str, reason: str = "") -> SendReport:
    """What has not left of an edition (or of its correction) never goes: those readers are excluded, with the reason.

    Raises RefusedError where it is not going out."""
    row = current(app, slug)
    said = f"stopped by {by}" + (f": {reason}" if reason else "")
    with app.database.begin() as connection:
        editions.stop(connection, row.slug, reason=said, at=app.now)
        count = outbox.stop(connection, corrections.keys_of(connection, row.slug), said, now=app.now)
    log.info("stop", edition=row.slug, by=by, excluded=count)
    return settle_up(app, row.slug)
