"""Forgetting a reader: everything personal goes, a keyed hash stays."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from subscribers import confirmations, strikes, wishes
from subscribers.keys import Keys
from subscribers.store import find
from subscribers.suppression import suppress
from subscribers.tables import consents, subscribers


def erase(connection: Connection, keys: Keys, address: str, *, at: datetime) -> int | None:
    """Remove everything personal. A keyed hash stays on the suppression list, so that no import brings them back.

    Returns the number that the reader had, or None."""
    found = find(connection, address)
    if found is None:
        return None
    suppress(connection, keys, address, reason="erased", at=at)
    wishes.forget_address(connection, keys, address)
    confirmations.forget(connection, found.id)
    strikes.clear(connection, found.id)
    connection.execute(sa.delete(consents).where(consents.c.subscriber == found.id))
    connection.execute(sa.delete(subscribers).where(subscribers.c.id == found.id))
    return found.id
