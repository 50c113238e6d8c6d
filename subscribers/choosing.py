"""What readers do themselves: choose, leave, come back."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from subscribers.consents import record
from subscribers.model import Status
from subscribers.store import get, text_of
from subscribers.tables import subscribers


def set_regions(connection: Connection, number: int, regions: Collection[str], *, at: datetime) -> bool:
    """A reader's own choice. False where there is no such reader."""
    statement = sa.update(subscribers).where(subscribers.c.id == number).values(regions=text_of(regions))
    if connection.execute(statement).rowcount != 1:
        return False
    record(connection, number, "chose", {"regions": sorted(set(regions))}, at)
    return True


def leave(
    connection: Connection, number: int, *, at: datetime, how: str = "one-click", joined: int | None = None
) -> bool:
    """A reader leaves; doing it twice is the same as once. False where there is no such reader.

    `joined` is the reader who they are from now on, where they moved to an address that had one."""
    statement = sa.update(subscribers).where(
        subscribers.c.id == number, subscribers.c.status.in_((Status.ACTIVE, Status.PENDING))
    )
    if connection.execute(statement.values(status=Status.LEFT.value, left_at=at)).rowcount == 1:
        record(connection, number, "left", {"how": how} | ({} if joined is None else {"joined": joined}), at)
        return True
    return get(connection, number) is not None


def come_back(connection: Connection, number: int, *, at: datetime) -> bool:
    """A reader who left changes their mind, by the link that only they have. False for anybody else, and for somebody
    who had not confirmed before they left."""
    statement = sa.update(subscribers).where(
        subscribers.c.id == number, subscribers.c.status == Status.LEFT.value, subscribers.c.since.is_not(None)
    )
    if connection.execute(statement.values(status=Status.ACTIVE.value, left_at=None)).rowcount == 1:
        record(connection, number, "came back", {}, at)
        return True
    found = get(connection, number)
    return found is not None and found.status is Status.ACTIVE
