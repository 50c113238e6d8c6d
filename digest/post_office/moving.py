"""A reader moves to another address: the two mails, and what their buttons do."""

from __future__ import annotations

from digest.app import App
from digest.delivery import store as outbox
from digest.delivery.model import Status as Fate
from digest.post_office.mail import sender_domain
from digest.post_office.reader_mail import render_for
from digest.rendering import store as renditions
from subscribers import address_change, store
from subscribers.model import Status

MOVED = "moved to another address"
"""The reason at a delivery whose reader is somebody who had another subscription at their new address."""


def ask(app: App, number: int, address: str) -> bool:
    """Write to both addresses. False: too often today, or not a reader who gets anything.

    Nothing that can be seen or timed tells whether the new address is known: one that must not be mailed has the same
    rows, its mail excluded."""
    with app.database.read() as connection:
        reader = store.get(connection, number)
    if reader is None or reader.status is not Status.ACTIVE:
        return False
    mails = [render_for(app, name, reader.language, {}) for name in ("address-change", "address-notice")]
    with app.database.begin() as connection:
        asked = address_change.ask(connection, app.keys, reader, address, at=app.now)
        if asked is None:
            return False
        change, notice = (renditions.save(connection, mail, now=app.now) for mail in mails)
        fate, reason = (Fate.PENDING, "") if asked.mailable else (Fate.EXCLUDED, "this address is not to be mailed")
        rows = [
            outbox.NewDelivery(
                mail="confirmation", key=asked.change.token_id, address=address, subscriber=number, rendition=change,
                status=fate, reason=reason,
            ),
            outbox.NewDelivery(
                mail="confirmation", key=asked.stop.token_id, address=reader.address, subscriber=number,
                rendition=notice,
            ),
        ]  # fmt: skip
        outbox.enqueue(connection, rows, domain=sender_domain(app), now=app.now)
    return True


def confirm(app: App, token: str) -> bool:
    """The button in the mail to the new address. False where it does nothing any more."""
    with app.database.begin() as connection:
        found = address_change.look(connection, address_change.CHANGE, token, at=app.now)
        moved = address_change.confirm(connection, app.keys, token, at=app.now)
        if found is None or moved is None:
            return False
        if moved.id != found[1].id:
            outbox.exclude(connection, found[1].id, MOVED, now=app.now)
    return True


def stop(app: App, token: str) -> bool:
    """The button in the notice to the old address. False where it does nothing any more."""
    with app.database.begin() as connection:
        return address_change.stop(connection, app.keys, token, at=app.now)
