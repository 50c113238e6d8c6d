"""A test send: the mail as it would look, to any address, with dead personal links."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from digest.app import App
from digest.delivery import store as outbox
from digest.errors import RefusedError
from digest.post_office import sending
from digest.post_office.content import rendition
from digest.post_office.mail import sender_domain
from digest.rendering import store as renditions
from digest.which import current
from subscribers.addresses import normalise


@dataclass(frozen=True, slots=True)
class TrialRun:
    """How many went, and why the others did not, by address."""

    edition: str
    sent: int
    failed: dict[str, str] = field(default_factory=dict)


def send_test(app: App, slug: str | None, addresses: Sequence[str]) -> TrialRun:
    """Send the edition as it stands to each address. Raises UsageError for one that cannot be."""
    wanted = list(dict.fromkeys(normalise(address) for address in addresses))
    row = current(app, slug)
    made = rendition(app, row.edition)  # the message of a test says so in its subject
    if made is None:
        raise RefusedError(f"{row.slug} has no article: there is nothing to test")
    key = f"test-{secrets.token_hex(6)}"
    with app.database.begin() as connection:
        renditions.save(connection, made, now=app.now)
        outbox.enqueue(
            connection,
            (outbox.NewDelivery(mail="test", key=key, address=a, rendition=made.hash) for a in wanted),
            domain=sender_domain(app),
            now=app.now,
        )
    sending.deliver(app, key=key)
    with app.database.read() as connection:
        outcomes = outbox.outcomes(connection, key)
    failed = {address: said or status for address, status, said in outcomes if status != "sent"}
    return TrialRun(row.slug, len(outcomes) - len(failed), failed)
