"""What was sent to one reader, for their own eyes."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from digest.delivery.tables import deliveries

_FATE = ("status", "reason", "reply_text", "attempts", "settled_at", "message_id")


def of_reader(connection: Connection, subscriber: int, address: str) -> list[dict[str, Any]]:
    """Each delivery of this reader, whose address it is now, the oldest first, as plain values.

    Of a mail with a button to any other address it is not told what became of it: that would tell whether that one is
    suppressed."""
    names = ("mail", "key", "address", "status", "reason", "reply_text", "attempts", "created_at", "settled_at")
    statement = (
        sa.select(*(deliveries.c[name] for name in names), deliveries.c.message_id)
        .where(deliveries.c.subscriber == subscriber)
        .order_by(deliveries.c.id)
    )
    rows = [dict(row) for row in connection.execute(statement).mappings()]
    # the key of a mail with a button is its identifier, which is nobody's data
    return [
        row if row["mail"] != "confirmation"
        else {**row, "key": "", **({} if row["address"] == address else dict.fromkeys(_FATE))}
        for row in rows
    ]  # fmt: skip
