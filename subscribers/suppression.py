"""The suppression list: addresses that must not be mailed, and why, known or not; kept as keyed hashes only."""

from __future__ import annotations

import hmac
from collections.abc import Collection, Iterable
from datetime import datetime
from hashlib import sha256

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from digest.database import insert_or_ignore
from subscribers import consents
from subscribers.addresses import match_key
from subscribers.keys import Keys
from subscribers.model import Status
from subscribers.tables import subscribers, suppressions


def address_hash(keys: Keys, address: str) -> str:
    """What the suppression list keeps of an address: HMAC-SHA-256 under a key of its own, in hex."""
    return hmac.digest(keys.suppression, match_key(address).encode(), sha256).hex()


def suppress(connection: Connection, keys: Keys, address: str, *, reason: str, at: datetime) -> int | None:
    """Never mail this address again, known or not. Returns the number of its reader, if there is one."""
    row = {"address_hash": address_hash(keys, address), "reason": reason, "at": at}
    insert_or_ignore(connection, suppressions, row)
    statement = sa.update(subscribers).where(subscribers.c.match_key == match_key(address))
    number: int | None = connection.execute(
        statement.values(status=Status.SUPPRESSED.value).returning(subscribers.c.id)
    ).scalar()
    if number is not None:
        consents.record(connection, number, "suppressed", {"reason": reason}, at)
    return number


def suppress_hashes(connection: Connection, hashes: Collection[str], *, reason: str, at: datetime) -> None:
    """Put many on the list at once, none of whom is a subscriber."""
    if hashes:
        rows = [{"address_hash": found, "reason": reason, "at": at} for found in hashes]
        insert_or_ignore(connection, suppressions, rows)


def is_suppressed(connection: Connection, keys: Keys, address: str) -> bool:
    return bool(suppressed_hashes(connection, [address_hash(keys, address)]))


def suppressed_hashes(connection: Connection, hashes: Iterable[str]) -> set[str]:
    """Which of these hashes are on the suppression list."""
    statement = sa.select(suppressions.c.address_hash).where(suppressions.c.address_hash.in_(list(hashes)))
    return set(connection.execute(statement).scalars())
