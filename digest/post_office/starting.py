"""The start of an edition: candidates frozen, deliveries written, articles carried, in one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy.engine import Connection

from digest.app import App
from digest.delivery import store as outbox
from digest.delivery.model import Status
from digest.editions import store as editions
from digest.editions.store import EditionRow
from digest.errors import DigestError, RefusedError
from digest.post_office.content import content_hash, rendition
from digest.post_office.mail import sender_domain
from digest.rendering import store as renditions
from digest.rendering.model import Rendition
from subscribers.candidates import active, choices
from subscribers.preferences import pause_reason

EMPTY = "nothing in this edition is about the chosen regions"
Choice = tuple[str, ...]


def start(app: App, row: EditionRow) -> int:
    """Begin to send; returns how many candidates there are. Exactly one process wins; the others get RefusedError.

    The candidates are counted once, here: whoever leaves later becomes excluded, with the reason."""
    # What is approved must be exactly what goes; what needs no approval must be what was composed.
    expected = content_hash(app, row.edition) if row.state == "approved" else row.content_hash
    made = render_choices(app, row)
    _ = app.keys, app.signer  # mails need them: unusable ones must stop it here, before anything has begun
    now = app.now
    with app.database.begin() as connection:
        if not editions.begin(
            connection,
            row.slug,
            automatic=app.approves_itself,
            content_hash=expected,
            at=now,
        ):
            raise RefusedError(f"{row.slug} has been started by another process")
        saved: dict[Choice, str | None] = {}
        for choice, one in made.items():
            saved[choice] = _save(connection, row.slug, one, now)
        candidates = 0

        def deliveries() -> Iterator[outbox.NewDelivery]:
            nonlocal candidates
            for reader in active(connection):
                paused = pause_reason(reader.paused_until, now)
                if not paused and reader.choice not in saved:  # chosen since we rendered
                    saved[reader.choice] = _save(connection, row.slug, rendition(app, row.edition, reader.choice), now)
                candidates += 1
                hash_ = None if paused else saved[reader.choice]
                yield outbox.NewDelivery(
                    mail="digest",
                    key=row.slug,
                    address=reader.address,
                    subscriber=reader.number,
                    rendition=hash_ or "",
                    status=Status.PENDING if hash_ else Status.EXCLUDED,
                    reason="" if hash_ else paused or EMPTY,
                )

        written = outbox.enqueue(connection, deliveries(), domain=sender_domain(app), now=now)
        if written != candidates:
            raise DigestError(f"{row.slug}: {candidates} candidates but {written} deliveries; nothing was started")
        editions.set_candidates(connection, row.slug, candidates)
    return candidates


def render_choices(app: App, row: EditionRow) -> dict[Choice, Rendition | None]:
    """Each distinct choice of regions, rendered once, however many readers share it."""
    with app.database.read() as connection:
        chosen = choices(connection, app.now)
    return {choice: rendition(app, row.edition, choice) for choice in sorted(chosen)}


def _save(connection: Connection, slug: str, one: Rendition | None, now: datetime) -> str | None:
    if one is None:
        return None
    return renditions.attach(connection, slug, one, now=now)
