"""Claims: what a sender takes from the outbox in one go. What becomes of each delivery of it: `settlements`.

A delivery's `claim` names the claim that holds it, or that held it last."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from digest.bulk import Rows, fetch_rows, moment
from digest.database import UTCDateTime, lock_rows
from digest.delivery.model import Delivery, Status
from digest.delivery.tables import CLAIMED, DELIVERY, PENDING, claims, deliveries, delivery_of

MOST_CLAIMED = 500


@dataclass(frozen=True, slots=True)
class Owner:
    """The process that holds a claim: machine, boot, process id and its start (clock ticks since boot, 0
    unknown)."""

    host: str
    boot_id: str
    pid: int
    started: int


@dataclass(frozen=True, slots=True)
class Claim:
    """What an owner took in one go. `journal` is the path of its journal, on the owner's machine."""

    id: str
    owner: Owner
    journal: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of the due deliveries are meant: of one key or provider only, or of all but some."""

    key: str | None = None
    except_keys: Collection[str] = ()
    provider: str | None = None
    except_providers: Collection[str] = ()

    def due(self, now: datetime) -> sa.Select[Any]:
        table = deliveries.c
        statement = sa.select(table.id).where(table.status == PENDING, table.due_at <= now)
        if self.key is not None:
            statement = statement.where(table.key == self.key)
        if self.except_keys:
            statement = statement.where(table.key.not_in(list(self.except_keys)))
        if self.provider is not None:
            statement = statement.where(table.provider == self.provider)
        if self.except_providers:
            statement = statement.where(table.provider.not_in(list(self.except_providers)))
        return statement


ALL = Choice()


def any_due(connection: Connection, *, now: datetime, choice: Choice = ALL) -> bool:
    """Whether a claim would find something."""
    return connection.execute(choice.due(now).limit(1)).first() is not None


def claim(
    connection: Connection,
    *,
    owner: Owner,
    journal: str,
    limit: int,
    now: datetime,
    lease: timedelta,
    choice: Choice = ALL,
    claim_id: str | None = None,
) -> list[Delivery]:
    """Takes up to `limit` (at most 500) due deliveries, the most urgent first; commit before the first byte
    goes out.

    The claim is written only where something was due."""
    claim_id = claim_id or secrets.token_hex(8)
    table = deliveries.c
    due = choice.due(now).order_by(table.priority, table.due_at, table.id).limit(min(limit, MOST_CLAIMED))
    # A WITH and no plain subquery: PostgreSQL may run that once a row, and then it takes more than the limit.
    chosen = lock_rows(connection, due).cte("due")
    taken = connection.execute(
        sa.update(deliveries)
        .where(table.id.in_(sa.select(chosen.c.id)), table.status == PENDING)
        .values(
            status=Status.CLAIMED.value,
            claim=claim_id,
            reason="",
            first_attempt_at=sa.func.coalesce(table.first_attempt_at, sa.bindparam("claimed_at", now, UTCDateTime)),
        )
    )
    if not taken.rowcount:
        return []
    connection.execute(
        sa.insert(claims).values(
            id=claim_id,
            host=owner.host,
            boot_id=owner.boot_id,
            pid=owner.pid,
            started=owner.started,
            journal=journal,
            expires_at=now + lease,
            created_at=now,
        )
    )
    rows = fetch_rows(connection, _TAKEN, {"c_id": claim_id})
    rows.sort()  # by priority and number
    return [
        Delivery(number, mail, key, address, rendition, message_id, reader, attempts, moment(first), claim_id)
        for _, number, mail, key, address, rendition, message_id, reader, attempts, first in rows
    ]


_TAKEN = sa.select(Rows(deliveries.c.priority, *(column for column in DELIVERY if column.name != "claim"))).where(
    deliveries.c.claim == sa.bindparam("c_id"), deliveries.c.status == CLAIMED
)


def open_claims(connection: Connection, *, lock: bool = False) -> list[Claim]:
    """Every claim that has not ended; `lock`: those that no other process is looking at with a lock."""
    statement = sa.select(claims).order_by(claims.c.created_at, claims.c.id)
    rows = connection.execute(lock_rows(connection, statement) if lock else statement)
    return [
        Claim(row.id, Owner(row.host, row.boot_id, row.pid, row.started), row.journal, row.expires_at) for row in rows
    ]


def claimed(connection: Connection, claim_id: str) -> dict[int, Delivery]:
    """The deliveries of a claim that have no result yet, by id."""
    table = deliveries.c
    rows = connection.execute(sa.select(*DELIVERY).where(table.claim == claim_id, table.status == CLAIMED))
    return {row.id: delivery_of(row) for row in rows}


def end_claims(connection: Connection, claim_ids: Iterable[str]) -> None:
    """Forgets claims all of whose deliveries have a result."""
    if ids := list(claim_ids):
        connection.execute(sa.delete(claims).where(claims.c.id.in_(ids)))


def renew(connection: Connection, claim_ids: Iterable[str], *, expires_at: datetime) -> set[str]:
    """A longer lease; returns the claims that are still ours."""
    ids = list(claim_ids)
    if not ids:
        return set()
    statement = sa.update(claims).where(claims.c.id.in_(ids)).values(expires_at=expires_at).returning(claims.c.id)
    return set(connection.execute(statement).scalars())


def withdrawn(connection: Connection, claim_ids: Iterable[str]) -> dict[int, str]:
    """The claimed deliveries that must not leave any more, and why."""
    table = deliveries.c
    statement = sa.select(table.id, table.reason).where(
        table.claim.in_(list(claim_ids)), table.status == CLAIMED, table.reason != ""
    )
    return {row.id: row.reason for row in connection.execute(statement)}
