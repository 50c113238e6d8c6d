"""Claims: what a sender takes from the outbox in one go, and what becomes of each delivery of it.

A delivery's `claim` names the claim that holds it, or that held it last."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from digest.bulk import Rows, Texts, fetch_rows, moment
from digest.database import BigKey, UTCDateTime, lock_rows
from digest.delivery.model import Delivery, Outcome, Status, Verdict
from digest.delivery.tables import CLAIMED, DELIVERY, PENDING, claims, deliveries, delivery_of

MOST_CLAIMED = 500
_CHUNK = 500


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
    """What an owner took in one go. `journal` is the folder of its journal, on the owner's machine."""

    id: str
    owner: Owner
    journal: str
    expires_at: datetime


class Settlement(NamedTuple):
    """What becomes of a claimed delivery. `due_at` where it is pending again; `tried`: it counts as an
    attempt; `content_hash`: of the body that began to go, if one did."""

    delivery: Delivery
    status: Status
    reason: str = ""
    outcome: Outcome | None = None
    due_at: datetime | None = None
    tried: bool = True
    content_hash: str = ""


def settlement(delivery: Delivery, outcome: Outcome, content_hash: str = "") -> Settlement:
    """The one place that says which verdict leaves a delivery in which status."""
    verdict = outcome.verdict
    if verdict is Verdict.SENT:
        return Settlement(delivery, Status.SENT, "", outcome, content_hash=content_hash)
    if verdict is Verdict.UNCERTAIN:
        return Settlement(delivery, Status.UNCERTAIN, outcome.text, outcome, content_hash=content_hash)
    if outcome.retry_at is not None:
        tried = verdict is not Verdict.PAUSE
        return Settlement(delivery, Status.PENDING, "", outcome, outcome.retry_at, tried, content_hash)
    return Settlement(delivery, Status.FAILED, verdict.value, outcome, content_hash=content_hash)


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

_EACH = Texts(sa.bindparam("s_each", type_=sa.Text)).table_valued("key", "value", name="each")
"""What differs in a group: by number, the content hash and, right after it, the reply's text."""
_HASHED = sa.bindparam("s_hashed", type_=sa.Integer)
_OURS = (
    deliveries.c.id == sa.cast(_EACH.c.key, BigKey),
    deliveries.c.claim == sa.bindparam("s_claim"),
    # A result that comes after its lease was given up still tells the truth.
    deliveries.c.status.in_((CLAIMED, sa.literal_column("'uncertain'"))),
)
_ERASED = deliveries.c.address == sa.literal_column("''")
"""Its reader was erased while a sender held it: what the server said may name them."""
_SAID = {
    "reply_code": sa.bindparam("s_code"),
    "reply_status": sa.bindparam("s_reply_status"),
    "reply_text": sa.case((_ERASED, sa.literal_column("''")), else_=sa.func.substr(_EACH.c.value, _HASHED + 1)),
    "attempts": deliveries.c.attempts + sa.bindparam("s_tried", type_=sa.Integer),
    # An attempt of which nothing went leaves the hash of what went before.
    "content_hash": sa.case((_HASHED > 0, sa.func.substr(_EACH.c.value, 1, _HASHED)), else_=deliveries.c.content_hash),
}
_SETTLE = (
    sa.update(deliveries)
    .where(*_OURS)
    .values(
        status=sa.bindparam("s_status"),
        reason=sa.case((_ERASED, sa.literal_column("'erased'")), else_=sa.bindparam("s_reason", type_=sa.Text)),
        settled_at=sa.bindparam("s_now", type_=UTCDateTime),
        **_SAID,
    )
)

_WITHDRAWN = sa.and_(deliveries.c.status == CLAIMED, deliveries.c.reason != sa.literal_column("''"))
"""Its reader left, or its edition was stopped, while a sender held it: it never becomes pending again."""


def _put_back(now: sa.ColumnElement[Any]) -> dict[str, Any]:
    """Pending again, or excluded with the reason where it was withdrawn meanwhile."""
    return {
        "status": sa.case((_WITHDRAWN, sa.literal_column("'excluded'")), else_=PENDING),
        "reason": sa.case((_WITHDRAWN, deliveries.c.reason), else_=sa.literal_column("''")),
        "settled_at": sa.case((_WITHDRAWN, now), else_=sa.null()),
    }


_DEFER = (
    sa.update(deliveries)
    .where(*_OURS)
    .values(
        due_at=sa.func.coalesce(sa.bindparam("s_due_at", type_=UTCDateTime), deliveries.c.due_at),
        **_put_back(sa.bindparam("s_now", type_=UTCDateTime)),
        **_SAID,
    )
)


class _Same(NamedTuple):
    """What a group of results has in common: it is settled in one statement."""

    claim: str
    status: str
    reason: str
    due_at: datetime | None
    tried: bool
    code: int
    reply_status: str
    hashed: int  # the length of their content hashes


def settle(connection: Connection, results: Sequence[Settlement], *, now: datetime) -> None:
    """Writes what became of claimed deliveries, each once. One that somebody has settled by hand meanwhile is left
    alone; one that is to be tried again and was withdrawn meanwhile is excluded."""
    groups: dict[_Same, dict[int, str]] = {}
    for delivery, status, reason, outcome, due_at, tried, content_hash in results:
        _, code, said, text, _ = outcome or _NOTHING_SAID
        same = _Same(delivery.claim, status.value, reason, due_at, tried, code, said, len(content_hash))
        groups.setdefault(same, {})[delivery.id] = content_hash + text
    for same, each in groups.items():
        ends = same.status != Status.PENDING.value
        values = {"s_status": same.status, "s_reason": same.reason} if ends else {"s_due_at": same.due_at}
        connection.execute(
            _SETTLE if ends else _DEFER,
            {
                "s_claim": same.claim,
                "s_code": same.code,
                "s_reply_status": same.reply_status,
                "s_tried": int(same.tried),
                "s_hashed": same.hashed,
                "s_now": now,
                "s_each": json.dumps(each),
                **values,
            },
        )


_NOTHING_SAID = Outcome(Verdict.SENT)


def release(connection: Connection, rows: Sequence[Delivery], *, now: datetime, due_at: datetime | None = None) -> None:
    """Gives back claimed deliveries that were not tried; their date is then that of a later claim."""
    for claim_id, ids in _grouped(rows):
        connection.execute(
            _release_statement(now, due_at).where(deliveries.c.id.in_(ids), deliveries.c.claim == claim_id)
        )


def release_rest(connection: Connection, claim_id: str, *, now: datetime) -> int:
    """Gives back whatever of a claim has no result; returns how many."""
    return int(connection.execute(_release_statement(now, None).where(deliveries.c.claim == claim_id)).rowcount)


def doubt_rest(connection: Connection, claim_id: str, reason: str, *, now: datetime) -> int:
    """Makes uncertain whatever of a claim has no result; returns how many."""
    statement = (
        sa.update(deliveries)
        .where(deliveries.c.claim == claim_id, deliveries.c.status == CLAIMED)
        .values(status=Status.UNCERTAIN.value, reason=reason, settled_at=now)
    )
    return int(connection.execute(statement).rowcount)


def _release_statement(now: datetime, due_at: datetime | None) -> sa.Update:
    table = deliveries.c
    return (
        sa.update(deliveries)
        .where(table.status == CLAIMED)
        .values(
            first_attempt_at=sa.case((table.attempts == 0, sa.null()), else_=table.first_attempt_at),
            due_at=table.due_at if due_at is None else sa.bindparam("r_due_at", due_at, UTCDateTime),
            **_put_back(sa.bindparam("r_now", now, UTCDateTime)),
        )
    )


def _grouped(rows: Sequence[Delivery]) -> Iterator[tuple[str, list[int]]]:
    by_claim: dict[str, list[int]] = {}
    for row in rows:
        by_claim.setdefault(row.claim, []).append(row.id)
    for claim_id, ids in by_claim.items():
        for start in range(0, len(ids), _CHUNK):
            yield claim_id, ids[start : start + _CHUNK]


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
