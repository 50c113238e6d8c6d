"""Many rows at once, for an import."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from digest.database import insert_or_ignore
from subscribers.model import Status
from subscribers.store import choice_of
from subscribers.tables import consents, subscribers


def known(connection: Connection, keys_of: Collection[str]) -> dict[str, Status]:
    """The status by match key, of those who are known."""
    statement = sa.select(subscribers.c.match_key, subscribers.c.status).where(
        subscribers.c.match_key.in_(list(keys_of))
    )
    return {key: Status(status) for key, status in connection.execute(statement)}


def import_rows(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """Insert many at once; one whose address is known is left alone. Returns the match keys of those that are new."""
    made = insert_or_ignore(connection, subscribers, list(rows), subscribers.c.match_key)
    return set(made.scalars())


def record_import(connection: Connection, keys_of: Collection[str], at: datetime) -> None:
    """The consent record of rows just imported."""
    statement = sa.select(subscribers.c.id, subscribers.c.consent, subscribers.c.regions).where(
        subscribers.c.match_key.in_(list(keys_of))
    )
    rows = [
        {
            "subscriber": row.id,
            "at": at,
            "event": "imported",
            "detail": {"consent": row.consent, "regions": list(choice_of(row.regions))},
        }
        for row in connection.execute(statement)
    ]
    if rows:
        connection.execute(sa.insert(consents), rows)
