"""Erasing a reader from the outbox: their rows stay for the books, and no longer tell whose they were."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from digest.delivery import store
from digest.delivery.model import Status
from digest.delivery.tables import CLAIMED, PENDING, deliveries

_CHUNK = 500


def erase(connection: Connection, subscriber: int, *, now: datetime) -> int:
    """Makes a subscriber's rows anonymous and keeps them for the books; returns how many there were."""
    store.exclude(connection, subscriber, "erased", now=now)
    return _make_anonymous(connection, deliveries.c.subscriber == subscriber)


def erase_address(connection: Connection, same: Callable[[str], bool], *, now: datetime) -> int:
    """The same for mails that went to an address and not to a subscriber, such as tests; `same` knows the address in
    all its spellings. What has not left does not go. Returns how many there were."""
    table = deliveries.c
    statement = sa.select(table.id, table.address).where(table.subscriber.is_(None), table.address != "")
    found = [number for number, address in connection.execute(statement) if same(address)]
    for start in range(0, len(found), _CHUNK):
        these = table.id.in_(found[start : start + _CHUNK])
        connection.execute(
            sa.update(deliveries)
            .where(these, table.status == PENDING)
            .values(status=Status.EXCLUDED.value, reason="erased", settled_at=now)
        )
        connection.execute(sa.update(deliveries).where(these, table.status == CLAIMED).values(reason="erased"))
        _make_anonymous(connection, these)
    return len(found)


def erase_former(
    connection: Connection, subscribers: Collection[int], same: Callable[[str], bool], *, now: datetime
) -> int:
    """The same for mails that went to an address which these readers had, or asked for; they stay theirs."""
    table = deliveries.c
    statement = sa.select(table.id, table.address).where(table.subscriber.in_(subscribers), table.address != "")
    found = [number for number, address in connection.execute(statement) if same(address)]
    for start in range(0, len(found), _CHUNK):
        these = table.id.in_(found[start : start + _CHUNK])
        connection.execute(
            sa.update(deliveries)
            .where(these, table.mail == "confirmation", table.status == PENDING)
            .values(status=Status.EXCLUDED.value, reason="erased", settled_at=now)
        )
        settled = sa.and_(these, table.status.not_in((PENDING, CLAIMED)))
        connection.execute(sa.update(deliveries).where(settled).values(address="", provider="", reply_text=""))
    return len(found)


def _make_anonymous(connection: Connection, which: sa.ColumnElement[bool]) -> int:
    table = deliveries.c
    statement = (
        sa.update(deliveries)
        .where(which)
        .values(
            subscriber=None,
            address="",
            provider="",
            reply_text="",
            reason=sa.case((table.reason.contains("@", autoescape=True), "erased"), else_=table.reason),
            recipient=sa.literal("erased:") + sa.cast(table.id, sa.String),
        )
    )
    return int(connection.execute(statement).rowcount)
