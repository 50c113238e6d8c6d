"""Leaving, by whichever way: at once, and also for what waits in the outbox."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.engine import Connection

from digest.delivery import store as outbox
from subscribers import address_change, choosing

LEFT = "left"
"""The reason that stands at a delivery whose reader left before it went."""


def leave(connection: Connection, number: int, *, how: str = "one-click", at: datetime) -> bool:
    """This reader gets nothing more; twice is the same as once. False where there is no such reader.

    Who moved to an address that was subscribed already is one person with the reader there: the link in a mail of long
    ago does what its page says, and nothing more comes."""
    known = False
    for one in address_change.all_of(connection, number):
        if choosing.leave(connection, one, at=at, how=how):
            outbox.exclude(connection, one, LEFT, now=at)
            known = True
    return known
