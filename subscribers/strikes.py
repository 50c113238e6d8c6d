"""What counts against an address until a mail gets through: failures that may pass, and those that need a second.

A strike is counted at the time of the mail that failed, once an edition, however often it is reported."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from digest.database import insert_or_ignore
from subscribers.tables import strikes

Kind = Literal["soft", "hard-second"]

EDITIONS = 3
"""So many editions in a row must have failed,"""
LASTING = timedelta(days=21)
"""and for so long, before a reader is suspended."""
APART = timedelta(days=3)
"""A failure that needs a second: how much later that must be."""


@dataclass(frozen=True, slots=True)
class Strike:
    """`key` is the edition, `at` when its mail was first tried."""

    kind: Kind
    key: str
    at: datetime


def add(connection: Connection, subscriber: int, strike: Strike) -> bool:
    """False where that edition counts already."""
    row = {"subscriber": subscriber, "kind": strike.kind, "key": strike.key, "at": strike.at}
    return insert_or_ignore(connection, strikes, row, strikes.c.id).first() is not None


def of(connection: Connection, subscriber: int) -> list[Strike]:
    """What stands against a reader, the oldest first."""
    statement = sa.select(strikes.c.kind, strikes.c.key, strikes.c.at).where(strikes.c.subscriber == subscriber)
    return [Strike(*row) for row in connection.execute(statement.order_by(strikes.c.at, strikes.c.id))]


def clear(connection: Connection, subscriber: int, *, until: datetime | None = None) -> None:
    """A mail got through: what came before it counts no more. Without `until` all of it."""
    statement = sa.delete(strikes).where(strikes.c.subscriber == subscriber)
    connection.execute(statement if until is None else statement.where(strikes.c.at <= until))


def verdict(found: Collection[Strike]) -> str:
    """Why this address must not be mailed any more, as a sentence; "" while it may. Pure."""
    seconds = sorted(one.at for one in found if one.kind == "hard-second")
    if seconds and seconds[-1] - seconds[0] >= APART:
        return "it bounced again, days after the first time"
    soft = sorted((one.at, one.key) for one in found if one.kind == "soft")
    if len(soft) >= EDITIONS and soft[-1][0] - soft[0][0] >= LASTING:
        return f"{len(soft)} editions in a row could not be delivered, over {(soft[-1][0] - soft[0][0]).days} days"
    return ""
