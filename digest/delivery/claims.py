"""Claims: what a sender takes from the outbox in one go. What becomes of each delivery of it: `settlements`.

A delivery's `claim` names the claim that holds it, or that held it last."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from digest.bulk import Rows, fetch_rows, moment
from digest.database import UTCDateTime
from digest.delivery.model import Delivery
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
    except_keys: frozenset[str] = frozenset()
    provider: str | None = None
    except_providers: frozenset[str] = frozenset()

    def without(self, keys: frozenset[str]) -> Choice:
        return replace(self, except_keys=self.except_keys | keys) if keys else self


ALL = Choice()
_KEPT = 256  # statements: to put one together takes longer than to run it
_NOW = sa.bindparam("c_now", type_=UTCDateTime)
_ID = sa.bindparam("c_id", type_=sa.String)
_IDS = sa.bindparam("c_ids", type_=sa.String, expanding=True)


def _due(choice: Choice) -> sa.Select[Any]:
    """Those that are due at `c_now`."""
    table = deliveries.c
    statement = sa.select(table.id).where(table.status == PENDING, table.due_at <= _NOW)
    if choice.key is not None:
        statement = statement.where(table.key == choice.key)
    if choice.except_keys:
        statement = statement.where(table.key.not_in(sorted(choice.except_keys)))
    if choice.provider is not None:
        statement = statement.where(table.provider == choice.provider)
    if choice.except_providers:
        statement = statement.where(table.provider.not_in(sorted(choice.except_providers)))
    return statement


def any_due(connection: Connection, *, now: datetime, choice: Choice = ALL) -> bool:
    """Whether a claim would find something."""
    return connection.execute(_first(choice), {"c_now": now}).first() is not None


@lru_cache(maxsize=_KEPT)
def _first(choice: Choice) -> sa.Select[Any]:
    return _due(choice).limit(1)


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
    most = {"c_now": now, "c_id": claim_id, "c_most": min(limit, MOST_CLAIMED)}
    if not connection.execute(_take(choice), most).rowcount:
        return []
    connection.execute(
        _NEW_CLAIM,
        {
            "id": claim_id,
            "host": owner.host,
            "boot_id": owner.boot_id,
            "pid": owner.pid,
            "started": owner.started,
            "journal": journal,
            "expires_at": now + lease,
            "created_at": now,
        },
    )
    rows = fetch_rows(connection, _TAKEN, {"c_id": claim_id})
    rows.sort()  # by priority and number
    return [
        Delivery(number, mail, key, address, rendition, message_id, reader, attempts, moment(first), claim_id)
        for _, number, mail, key, address, rendition, message_id, reader, attempts, first in rows
    ]


@lru_cache(maxsize=_KEPT)
def _take(choice: Choice) -> sa.Update:
    table = deliveries.c
    most = sa.bindparam("c_most", type_=sa.Integer)
    due = _due(choice).order_by(table.priority, table.due_at, table.id).limit(most)
    # A WITH and no plain subquery: PostgreSQL may run that once a row, and then it takes more than the limit.
    chosen = due.with_for_update(skip_locked=True).cte("due")
    return (
        sa.update(deliveries)
        .where(table.id.in_(sa.select(chosen.c.id)), table.status == PENDING)
        .values(
            status=CLAIMED, claim=_ID, reason=sa.literal_column("''"),
            first_attempt_at=sa.func.coalesce(table.first_attempt_at, _NOW),
        )
    )  # fmt: skip


_NEW_CLAIM = sa.insert(claims)
_TAKEN = sa.select(Rows(deliveries.c.priority, *(column for column in DELIVERY if column.name != "claim"))).where(
    deliveries.c.claim == _ID, deliveries.c.status == CLAIMED
)


def open_claims(connection: Connection, *, lock: bool = False) -> list[Claim]:
    """Every claim that has not ended; `lock`: those that no other process is looking at with a lock."""
    statement = sa.select(claims).order_by(claims.c.created_at, claims.c.id)
    rows = connection.execute(statement.with_for_update(skip_locked=True) if lock else statement)
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
        connection.execute(_END, {"c_ids": ids})


_END = sa.delete(claims).where(claims.c.id.in_(_IDS))


def renew(connection: Connection, claim_ids: Iterable[str], *, expires_at: datetime) -> set[str]:
    """A longer lease; returns the claims that are still ours."""
    ids = list(claim_ids)
    if not ids:
        return set()
    statement = sa.update(claims).where(claims.c.id.in_(ids)).values(expires_at=expires_at).returning(claims.c.id)
    return set(connection.execute(statement).scalars())


def withdrawn(connection: Connection, claim_ids: Iterable[str]) -> dict[int, str]:
    """The claimed deliveries that must not leave any more, and why."""
    found = connection.execute(_WITHDRAWN, {"c_ids": list(claim_ids)})
    return {row.id: row.reason for row in found}


_WITHDRAWN = sa.select(deliveries.c.id, deliveries.c.reason).where(
    deliveries.c.claim.in_(_IDS), deliveries.c.status == CLAIMED, deliveries.c.reason != sa.literal_column("''")
)
