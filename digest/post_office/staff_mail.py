"""A word to staff: one mail an event, by the outbox, however often the event is noticed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy.engine import Connection

from digest.app import App
from digest.delivery import store as outbox
from digest.logger import Logger
from digest.post_office.mail import sender_domain
from digest.rendering import store as renditions
from digest.rendering.render import render_mail

log = Logger("digest.staff")


def tell(app: App, connection: Connection, name: str, *, key: str, context: Mapping[str, Any]) -> int:
    """Put the mail `name` into the outbox for every address of `[staff] mail`; always into the log.

    `key` names the event: the same event is told once. Returns how many mails are new."""
    log.info(name, key=key)
    if not app.config.staff.mail:
        return 0
    made = render_mail(name, context, publication=app.publication, design=app.design, templates=app.templates)
    renditions.save(connection, made, now=app.now)
    short = f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    return outbox.enqueue(
        connection,
        (
            outbox.NewDelivery(mail="staff", key=short, address=address, rendition=made.hash)
            for address in app.config.staff.mail
        ),
        domain=sender_domain(app),
        now=app.now,
    )
