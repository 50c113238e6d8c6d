"""What readers decide besides their regions: a pause, and the language of their pages."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from subscribers.consents import record
from subscribers.tables import subscribers

UNTIL_THEY_RESUME = datetime(9999, 1, 1, tzinfo=UTC)
"""The end of a pause that has none."""


def pause(connection: Connection, number: int, until: datetime, *, at: datetime) -> bool:
    """No digest before that moment; a pause that ends needs nobody to end it. False where there is no such reader."""
    if not _set(connection, number, paused_until=until):
        return False
    record(connection, number, "paused", {"until": until.isoformat()}, at)
    return True


def resume(connection: Connection, number: int, *, at: datetime) -> bool:
    """The pause is over. False where there is no such reader."""
    statement = sa.update(subscribers).where(subscribers.c.id == number, subscribers.c.paused_until > at)
    if connection.execute(statement.values(paused_until=None)).rowcount == 1:
        record(connection, number, "resumed", {}, at)
        return True
    return connection.execute(sa.select(subscribers.c.id).where(subscribers.c.id == number)).first() is not None


def set_language(connection: Connection, number: int, language: str) -> bool:
    """The language of their pages, "" for whatever their browser asks for. False where there is no such reader."""
    return _set(connection, number, language=language)


def pause_reason(until: datetime | None, now: datetime) -> str:
    """Why a reader with this pause gets no digest now, as it stands in the books; "" where they get it."""
    if until is None or until <= now:
        return ""
    return "paused until they resume" if until >= UNTIL_THEY_RESUME else f"paused until {until:%Y-%m-%d}"


def _set(connection: Connection, number: int, **values: object) -> bool:
    statement = sa.update(subscribers).where(subscribers.c.id == number).values(**values)
    return connection.execute(statement).rowcount == 1
