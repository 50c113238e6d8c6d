"""Staff first: the seed list gets the very edition some time before everyone, and may still stop it."""

from __future__ import annotations

from datetime import datetime

from digest.app import App
from digest.delivery import store as outbox
from digest.editions import store as editions
from digest.editions.model import Period
from digest.editions.states import should_seed
from digest.editions.store import EditionRow
from digest.errors import RefusedError
from digest.post_office import holding
from digest.post_office.content import content_hash, rendition
from digest.post_office.mail import sender_domain
from digest.post_office.seed_keys import seed_key
from digest.rendering import store as renditions


def is_due(app: App, row: EditionRow, period: Period) -> bool:
    """Whether the seed list should have it by now, before the moment to send."""
    lead = app.config.staff.seed_lead
    wanted = bool(app.config.staff.seeds) and should_seed(
        app.now, period, row.state, automatic=app.approves_itself, lead=lead
    )
    return wanted and row.seeded_at is None


def seed(app: App, row: EditionRow) -> datetime | None:
    """Put the edition into the outbox for the seed list, once for each content; returns when the rest may go.

    None where there is no seed list. A seed is no candidate, and stands in no books."""
    if not app.config.staff.seeds:
        return None
    made = rendition(app, row.edition)
    if made is None:
        raise RefusedError(f"{row.slug} has no article")
    now = app.now
    with app.database.begin() as connection:
        renditions.save(connection, made, now=now)
        key = key_of(app, row)
        wanted = (
            outbox.NewDelivery(mail="seed", key=key, address=address, rendition=made.hash)
            for address in app.config.staff.seeds
        )
        new = outbox.enqueue(connection, wanted, domain=sender_domain(app), now=now)
        seeded_at = holding.fresh(connection, row.slug).seeded_at
        if new or seeded_at is None:
            editions.seed(connection, row.slug, at=now)
            seeded_at = now
    return _rest_at(app, row, seeded_at)


def key_of(app: App, row: EditionRow) -> str:
    """The key of the seed list's mails, by what exactly would go now."""
    return seed_key(row.slug, content_hash(app, row.edition))


def waits(app: App, row: EditionRow) -> bool:
    """Whether the seed list is looking at it, and everyone else must wait."""
    return bool(app.config.staff.seeds and row.seeded_at and app.now < _rest_at(app, row, row.seeded_at))


def _rest_at(app: App, row: EditionRow, seeded_at: datetime) -> datetime:
    """When everyone gets it: the lead later, not before its moment, but never after its deadline."""
    then = seeded_at + app.config.staff.seed_lead
    if row.send_at is not None:
        then = max(then, row.send_at)
    return min(then, row.deadline) if row.deadline is not None and row.deadline >= app.now else then
