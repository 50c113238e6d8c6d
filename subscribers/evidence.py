"""Readers who come with evidence of consent from another system of the publication's."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from digest.database import insert_or_ignore
from digest.errors import RefusedError
from subscribers.addresses import is_role, match_key
from subscribers.consents import record
from subscribers.keys import Keys
from subscribers.model import Status, Subscriber
from subscribers.store import find, new_row
from subscribers.suppression import is_suppressed
from subscribers.tables import subscribers


def subscribe(
    connection: Connection,
    keys: Keys,
    address: str,
    *,
    regions: Collection[str],
    language: str,
    name: str,
    consent: str,
    detail: Mapping[str, Any],
    consented_at: datetime | None,
    at: datetime,
) -> tuple[Subscriber, bool]:
    """Make a reader active by this evidence; whether anything changed. `address` is normalised.

    Somebody who is active stays as they are. Somebody who has left comes back only by evidence that names a time after
    that: another system that tells its whole list anew every night must not bring them back. Raises RefusedError where
    that, a suppression, or the address itself forbids it."""
    if is_role(address):
        raise RefusedError(f"{address} belongs to a function, not to a reader", mend="use a person's own address")
    if consented_at is not None and consented_at > at:
        raise RefusedError("the consent is of a time to come", mend="give the time when they agreed")
    if is_suppressed(connection, keys, address):
        raise RefusedError(f"{address} is suppressed and must not be mailed", mend="only the reader can come back")
    row = new_row(address, Status.ACTIVE, regions, name, language, consent, consented_at or at) | {"created_at": at}
    new = insert_or_ignore(connection, subscribers, row, subscribers.c.id).scalar()
    if new is None and not _renewed(connection, address, row, consented_at):
        found = find(connection, address)
        assert found is not None
        return found, False
    found = find(connection, address)
    assert found is not None
    record(connection, found.id, "added", {"consent": consent, "regions": list(found.regions), **detail}, at)
    return found, True


def _renewed(connection: Connection, address: str, row: Mapping[str, Any], consented_at: datetime | None) -> bool:
    """Whether somebody who is known became active by it."""
    known = sa.select(subscribers.c.id, subscribers.c.status, subscribers.c.left_at)
    before = connection.execute(known.where(subscribers.c.match_key == match_key(address))).one()
    if before.status == Status.ACTIVE:
        return False
    if before.status == Status.SUPPRESSED:
        raise RefusedError(f"{address} is suppressed and must not be mailed", mend="only the reader can come back")
    if before.status == Status.LEFT and (
        consented_at is None or before.left_at is None or consented_at <= before.left_at
    ):
        when = f" on {before.left_at:%d %B %Y}" if before.left_at else ""
        raise RefusedError(f"{address} has left{when}", mend="only consent that they gave after that brings them back")
    changes = {name: row[name] for name in ("status", "regions", "since", "consent")}
    told = {name: row[name] for name in ("name", "language") if row[name]}
    statement = sa.update(subscribers).where(subscribers.c.id == before.id, subscribers.c.status == before.status)
    return connection.execute(statement.values(changes | told | {"left_at": None})).rowcount == 1
