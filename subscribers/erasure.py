"""Forgetting a reader: everything personal goes, a keyed hash stays."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from subscribers import address_change, confirmations, former, strikes, tables, wishes
from subscribers.addresses import AddressError, match_key, normalise
from subscribers.keys import Keys
from subscribers.store import find
from subscribers.suppression import ERASED, forget_reason, suppress
from subscribers.tables import consents, subscribers

_ALL = 1_000_000_000


def same(address: str, other: str) -> bool:
    """Whether two addresses are one mailbox, however the other is written; `address` is normalised."""
    try:
        return match_key(normalise(other)) == match_key(address)
    except AddressError:
        return other.strip().casefold() == address.casefold()


def erase(connection: Connection, keys: Keys, address: str, *, at: datetime) -> int | None:
    """Remove everything personal. A keyed hash stays on the suppression list, so that no import brings them back, and
    one of each address that they had before, unless somebody else reads there now.

    Returns the number that the reader had, or None where there is nobody and nothing."""
    forget_waiting(connection, keys, address)
    found = find(connection, address)
    if found is None:
        return None
    keep_hash(connection, keys, address, at=at)
    for had in former.of(connection, found.id):
        if find(connection, had) is None:
            keep_hash(connection, keys, had, at=at)
    confirmations.forget(connection, found.id)
    strikes.clear(connection, found.id)
    connection.execute(sa.delete(consents).where(consents.c.subscriber == found.id))
    connection.execute(sa.delete(subscribers).where(subscribers.c.id == found.id))
    return found.id


def forget_waiting(connection: Connection, keys: Keys, address: str) -> int:
    """What somebody has asked for who is perhaps no reader yet: returns how many wishes and questions there were."""
    waiting = [wish.id for wish in wishes.waiting(connection, after=0, limit=_ALL) if same(address, wish.address)]
    wishes.forget(connection, waiting)
    asked = tables.confirmations.c.address_hash == confirmations.mailbox_hash(keys, address)
    return len(waiting) + int(connection.execute(sa.delete(tables.confirmations).where(asked)).rowcount)


def forget_mentions(connection: Connection, address: str) -> list[int]:
    """What others moved to this address, or from it: it is taken out of their records, and the buttons of such a move
    go. Returns the numbers of those readers."""
    record = consents.c
    moves = sa.select(record.id, record.subscriber, record.detail).where(record.event.in_(address_change.EVENTS))
    found = set()
    for row in connection.execute(moves).all():
        kept = {name: value for name, value in row.detail.items() if not _names(value, address)}
        if kept != row.detail:
            connection.execute(sa.update(consents).where(record.id == row.id).values(detail=kept))
            found.add(row.subscriber)
    button = tables.confirmations.c
    buttons = sa.select(button.id, button.subscriber, button.detail).where(button.subscriber.in_(found))
    named = [row.id for row in connection.execute(buttons) if any(_names(v, address) for v in row.detail.values())]
    connection.execute(sa.delete(tables.confirmations).where(button.id.in_(named)))
    return sorted(found)


def _names(value: object, address: str) -> bool:
    return isinstance(value, str) and same(address, value)


def keep_hash(connection: Connection, keys: Keys, address: str, *, at: datetime) -> None:
    """What stays: that this address must not be mailed, and nothing that tells whose it is."""
    suppress(connection, keys, address, reason=ERASED, at=at)
    forget_reason(connection, keys, address)
