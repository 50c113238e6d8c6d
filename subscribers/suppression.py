"""The suppression list: addresses that must not be mailed, and why, known or not; kept as keyed hashes only."""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection, Iterable
from datetime import datetime
from hashlib import sha256

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from digest.database import insert_or_ignore
from digest.errors import NotFoundError, RefusedError
from subscribers import consents
from subscribers.addresses import match_key
from subscribers.keys import Keys
from subscribers.model import Status, Suppression
from subscribers.tables import subscribers, suppressions

COMPLAINT, REQUEST, STAFF, ERASED = "complaint", "request", "staff", "erased"
"""First words of reasons; `bounced` and `imported` are others."""


def address_hash(keys: Keys, address: str) -> str:
    """What the suppression list keeps of an address: HMAC-SHA-256 under a key of its own, in hex."""
    return hmac.digest(keys.suppression, match_key(address).encode(), sha256).hex()


def suppress(connection: Connection, keys: Keys, address: str, *, reason: str, at: datetime) -> int | None:
    """Never mail this address again, known or not. Returns the number of its reader, if there is one.

    The first reason stands, but a complaint, which nobody can lift, stands over all others. The list never names the
    address, though what a server said of it may: it is left out of the reason."""
    told = re.sub(re.escape(address), "…", reason, flags=re.IGNORECASE)
    row = {"address_hash": address_hash(keys, address), "reason": told, "at": at}
    insert_or_ignore(connection, suppressions, row)
    if kind_of(told) == COMPLAINT:
        _overrule(connection, row["address_hash"], told)
    known = sa.select(subscribers.c.id, subscribers.c.status)
    before = connection.execute(known.where(subscribers.c.match_key == match_key(address))).first()
    if before is None:
        return None
    number = int(before.id)
    connection.execute(sa.update(subscribers).where(subscribers.c.id == number).values(status=Status.SUPPRESSED.value))
    consents.record(connection, number, "suppressed", {"reason": told, "was": before.status}, at)
    return number


def _overrule(connection: Connection, hash_: object, reason: str) -> None:
    connection.execute(sa.update(suppressions).where(suppressions.c.address_hash == hash_).values(reason=reason))


def forget_reason(connection: Connection, keys: Keys, address: str) -> None:
    """For erasing: of the reason its kind stays where it is a complaint, since that cannot be lifted; else "erased"."""
    found = why(connection, keys, address)
    if found is not None:
        told = COMPLAINT if kind_of(found.reason) == COMPLAINT else ERASED
        _overrule(connection, found.address_hash, told)


def why(connection: Connection, keys: Keys, address: str) -> Suppression | None:
    """Why this address must not be mailed; None where it may be."""
    statement = sa.select(suppressions).where(suppressions.c.address_hash == address_hash(keys, address))
    row = connection.execute(statement).first()
    return Suppression(row.address_hash, row.reason, row.at) if row else None


def lift(connection: Connection, keys: Keys, address: str, *, reason: str, at: datetime) -> Status | None:
    """Let an address be mailed again, by the staff's word; returns what its reader is now, None where there is none.

    Somebody whose mail bounced, or whom staff had suppressed, is what they were before. Who asked for it themselves has
    left, and can come back. Raises NotFoundError where it is not suppressed, RefusedError where its reader complained:
    only they can take that back."""
    found = why(connection, keys, address)
    if found is None:
        raise NotFoundError(f"{address} is not suppressed")
    kind = kind_of(found.reason)
    if kind == COMPLAINT:
        raise RefusedError(
            f"{address} was reported as spam by its reader and stays suppressed",
            mend="no staff's word undoes a complaint",
        )
    connection.execute(sa.delete(suppressions).where(suppressions.c.address_hash == found.address_hash))
    known = sa.select(subscribers.c.id, subscribers.c.status).where(subscribers.c.match_key == match_key(address))
    reader = connection.execute(known).first()
    if reader is None or reader.status != Status.SUPPRESSED:
        return Status(reader.status) if reader else None
    status = Status.LEFT if kind == REQUEST else _before(connection, reader.id)
    connection.execute(sa.update(subscribers).where(subscribers.c.id == reader.id).values(status=status.value))
    consents.record(connection, reader.id, "allowed", {"reason": reason, "was suppressed": found.reason}, at)
    return status


def _before(connection: Connection, number: int) -> Status:
    """What a reader was when they were suppressed first; LEFT where nothing tells."""
    before = Status.LEFT
    for event, detail in consents.events(connection, number):
        if event == "suppressed" and detail.get("was") != Status.SUPPRESSED:
            before = Status(detail.get("was") or Status.LEFT)
    return before


def kind_of(reason: str) -> str:
    """The kind of a reason, which is its first word: bounced, complaint, request, staff, imported, erased."""
    return reason.partition(":")[0].strip()


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
