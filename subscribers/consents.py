"""The consent record: what each reader agreed to, when and how. Nothing in it is ever changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from subscribers.tables import consents


def record(connection: Connection, number: int, event: str, detail: Mapping[str, Any], at: datetime) -> None:
    """Append to the consent record; nothing in it is ever changed, but that erasing takes an address out of it."""
    connection.execute(sa.insert(consents).values(subscriber=number, at=at, event=event, detail=dict(detail)))


def events(connection: Connection, number: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """A reader's record, the oldest first: the event and its detail."""
    statement = sa.select(consents.c.event, consents.c.detail).where(consents.c.subscriber == number)
    for row in connection.execute(statement.order_by(consents.c.id)):
        yield row.event, row.detail
