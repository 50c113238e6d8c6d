"""What we hold of one reader, for themselves."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from subscribers.store import choice_of
from subscribers.tables import confirmations, consents, strikes, subscribers


def of_reader(connection: Connection, number: int) -> dict[str, Any] | None:
    """Everything of the audience's tables that is this reader's, as plain values; None where there is nobody."""
    row = connection.execute(sa.select(subscribers).where(subscribers.c.id == number)).mappings().first()
    if row is None:
        return None
    profile = {name: value for name, value in row.items() if name != "match_key"}
    return {
        "profile": {**profile, "regions": list(choice_of(row["regions"]))},
        "consent_record": _rows(connection, consents, number, "at", "event", "detail"),
        "asked_for": _rows(connection, confirmations, number, "purpose", "detail", "created_at", "used_at"),
        "counted_against_the_address": _rows(connection, strikes, number, "kind", "key", "at"),
    }


def _rows(connection: Connection, table: sa.Table, number: int, *names: str) -> list[dict[str, Any]]:
    statement = sa.select(*(table.c[name] for name in names)).where(table.c.subscriber == number).order_by(table.c.id)
    return [dict(row) for row in connection.execute(statement).mappings()]
