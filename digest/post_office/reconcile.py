"""Settling what is uncertain, by the evidence: a relay's log, or a person's word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from digest.app import App
from digest.delivery import store as outbox
from digest.editions import store as editions
from digest.errors import UsageError
from digest.which import current

_REFUSED = re.compile(r"reject|bounced|refused|discard|5\d\d 5\.\d", re.IGNORECASE)
"""A line that names a message to say that it was not accepted proves nothing."""


@dataclass(frozen=True, slots=True)
class Uncertain:
    """A delivery whose fate is unknown, and what is known of it."""

    id: int
    address: str
    message_id: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What was settled now, and what stays uncertain."""

    edition: str
    sent: int
    resend: int
    uncertain: tuple[Uncertain, ...]

    def sentence(self) -> str:
        done = f"{self.sent} settled as sent, {self.resend} to be sent again, " if self.sent or self.resend else ""
        return f"{self.edition}: {done}{len(self.uncertain)} uncertain"


def reconcile(
    app: App,
    slug: str | None,
    *,
    log: Path | None = None,
    sent: tuple[int, ...] = (),
    resend: tuple[int, ...] = (),
) -> Reconciled:
    """Settle deliveries by id, or by the Message-IDs that a relay's log names as accepted; list the rest.

    A log settles only what it names: silence is no proof that a mail was not sent."""
    row = current(app, slug)
    with app.database.begin() as connection:
        by_id = {u.delivery.id: u for u in outbox.uncertain(connection, row.slug)}
        for number in (*sent, *resend):
            if number not in by_id:
                raise UsageError(f"{row.slug} has no uncertain delivery {number}", mend="`digest reconcile` lists them")
        logged = _named_in(log, {u.delivery.message_id: n for n, u in by_id.items()}) if log else set()
        settled = outbox.resolve(connection, sorted(logged), "sent", now=app.now, reason="in the relay's log")
        settled += outbox.resolve(connection, sorted(set(sent) - logged), "sent", now=app.now)
        again = outbox.resolve(connection, sorted(set(resend)), "resend", now=app.now)
        if again and row.state == "sent":
            editions.reopen(connection, row.slug)
        left = [
            Uncertain(u.delivery.id, u.delivery.address, u.delivery.message_id, u.text or u.reason)
            for u in outbox.uncertain(connection, row.slug)
        ]
    return Reconciled(row.slug, settled, again, tuple(left))


def _named_in(log: Path, wanted: dict[str, int]) -> set[int]:
    """The deliveries whose Message-ID stands in the log, read line by line: logs are long."""
    bare = {message_id.strip("<>"): number for message_id, number in wanted.items()}
    found: set[int] = set()
    try:
        with log.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                if "@" in line and not _REFUSED.search(line):
                    found |= {number for message_id, number in bare.items() if message_id in line}
    except OSError as error:
        raise UsageError(f"--log {log}: {error.strerror}", mend="name the relay's log file") from error
    return found
