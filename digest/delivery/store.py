"""The outbox in the database: deliveries, and the claims that senders hold on them.

Priorities: the lower goes first. A delivery's `claim` names the claim that holds it, or that held it last."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from digest.database import UTCDateTime, insert_or_ignore, lock_rows
from digest.delivery.model import Books, Delivery, Mail, Outcome, Status, Verdict
from digest.delivery.tables import claims, deliveries

PRIORITY: Mapping[str, int] = {"confirmation": 0, "test": 1, "staff": 2, "digest": 5}
MOST_CLAIMED = 500
_CHUNK = 500

_PENDING: sa.ColumnElement[str] = sa.literal_column("'pending'")  # a literal, or a partial index is not used
_CLAIMED: sa.ColumnElement[str] = sa.literal_column("'claimed'")


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


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A mail to be enqueued. `status` EXCLUDED with a `reason` is counted and never sent; `priority` None:
    the mail's."""

    mail: Mail
    key: str
    address: str
    rendition: str
    subscriber: int | None = None
    status: Status = Status.PENDING
    reason: str = ""
    priority: int | None = None


@dataclass(frozen=True, slots=True)
class Settlement:
    """What becomes of a claimed delivery. `due_at` where it is pending again; `tried`: it counts as an
    attempt."""

    delivery: Delivery
    status: Status
    reason: str = ""
    outcome: Outcome | None = None
    due_at: datetime | None = None
    tried: bool = True


@dataclass(frozen=True, slots=True)
class Uncertain:
    """A delivery whose fate is unknown, with the evidence."""

    delivery: Delivery
    reason: str
    text: str
    at: datetime | None


def settlement(delivery: Delivery, outcome: Outcome) -> Settlement:
    """The one place that says which verdict leaves a delivery in which status."""
    verdict = outcome.verdict
    if verdict is Verdict.SENT:
        return Settlement(delivery, Status.SENT, "", outcome)
    if verdict is Verdict.UNCERTAIN:
        return Settlement(delivery, Status.UNCERTAIN, outcome.text, outcome)
    if outcome.retry_at is not None:
        tried = verdict is not Verdict.PAUSE
        return Settlement(delivery, Status.PENDING, "", outcome, outcome.retry_at, tried)
    return Settlement(delivery, Status.FAILED, verdict.value, outcome)


def enqueue(connection: Connection, rows: Iterable[NewDelivery], *, domain: str, now: datetime) -> int:
    """Writes new deliveries and returns how many; one that is there already (mail, key, recipient) is left
    alone.

    `domain` is the right side of the Message-IDs: that of From. `rows` may be a generator of any length."""
    source = iter(rows)
    count = 0
    while chunk := list(islice(source, _CHUNK)):
        made = insert_or_ignore(connection, deliveries, [_row(row, domain, now) for row in chunk], deliveries.c.id)
        count += len(made.all())
    return count


def _row(new: NewDelivery, domain: str, now: datetime) -> dict[str, Any]:
    return {
        "mail": new.mail,
        "key": new.key,
        "recipient": f"s:{new.subscriber}" if new.subscriber is not None else new.address,
        "subscriber": new.subscriber,
        "address": new.address,
        "rendition": new.rendition,
        "message_id": f"<{secrets.token_hex(16)}@{domain}>",
        "status": new.status.value,
        "reason": new.reason,
        "due_at": now,
        "priority": PRIORITY[new.mail] if new.priority is None else new.priority,
        "created_at": now,
        "settled_at": None if new.status is Status.PENDING else now,
    }


def any_due(
    connection: Connection, *, now: datetime, key: str | None = None, except_keys: Collection[str] = ()
) -> bool:
    """Whether a claim would find something."""
    table = deliveries.c
    statement = sa.select(table.id).where(table.status == _PENDING, table.due_at <= now).limit(1)
    if key is not None:
        statement = statement.where(table.key == key)
    if except_keys:
        statement = statement.where(table.key.not_in(list(except_keys)))
    return connection.execute(statement).first() is not None


def claim(
    connection: Connection,
    *,
    owner: Owner,
    journal: str,
    limit: int,
    now: datetime,
    lease: timedelta,
    key: str | None = None,
    except_keys: Collection[str] = (),
    claim_id: str | None = None,
) -> list[Delivery]:
    """Takes up to `limit` (at most 500) due deliveries, the most urgent first; commit before the first byte
    goes out.

    The claim is written only where something was due. `key`: deliveries of that key only;
    `except_keys`: none of these."""
    claim_id = claim_id or secrets.token_hex(8)
    table = deliveries.c
    due = sa.select(table.id).where(table.status == _PENDING, table.due_at <= now)
    if key is not None:
        due = due.where(table.key == key)
    if except_keys:
        due = due.where(table.key.not_in(list(except_keys)))
    due = due.order_by(table.priority, table.due_at, table.id).limit(min(limit, MOST_CLAIMED))
    # A WITH and no plain subquery: PostgreSQL may run that once a row, and then it takes more than the limit.
    chosen = lock_rows(connection, due).cte("due")
    taken = connection.execute(
        sa.update(deliveries)
        .where(table.id.in_(sa.select(chosen.c.id)), table.status == _PENDING)
        .values(
            status=Status.CLAIMED.value,
            claim=claim_id,
            reason="",
            first_attempt_at=sa.func.coalesce(table.first_attempt_at, sa.bindparam("claimed_at", now, UTCDateTime)),
        )
        .returning(*_DELIVERY, table.priority, table.due_at)
    ).all()
    if not taken:
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
    return [_delivery(row) for row in sorted(taken, key=lambda row: (row.priority, row.due_at, row.id))]


_DELIVERY = tuple(
    deliveries.c[name]
    for name in (
        "id", "mail", "key", "address", "rendition", "message_id", "subscriber", "attempts",
        "first_attempt_at", "claim",
    )
)  # fmt: skip


def _delivery(row: Any) -> Delivery:
    return Delivery(*row[: len(_DELIVERY)])


_SETTLE = (
    sa.update(deliveries)
    .where(
        deliveries.c.id == sa.bindparam("s_id"),
        deliveries.c.claim == sa.bindparam("s_claim"),
        # A result that comes after its lease was given up still tells the truth.
        deliveries.c.status.in_((sa.literal_column("'claimed'"), sa.literal_column("'uncertain'"))),
    )
    .values(
        status=sa.bindparam("s_status"),
        reason=sa.bindparam("s_reason"),
        reply_code=sa.bindparam("s_code"),
        reply_status=sa.bindparam("s_reply_status"),
        reply_text=sa.bindparam("s_text"),
        attempts=deliveries.c.attempts + sa.bindparam("s_tried"),
        due_at=sa.func.coalesce(sa.bindparam("s_due_at", type_=UTCDateTime), deliveries.c.due_at),
        settled_at=sa.bindparam("s_settled_at", type_=UTCDateTime),
    )
)


def settle(connection: Connection, results: Sequence[Settlement], *, now: datetime) -> None:
    """Writes what became of claimed deliveries. One that somebody has settled by hand meanwhile is left
    alone."""
    if not results:
        return
    rows = []
    for result in results:
        outcome = result.outcome
        rows.append(
            {
                "s_id": result.delivery.id,
                "s_claim": result.delivery.claim,
                "s_status": result.status.value,
                "s_reason": result.reason,
                "s_code": outcome.code if outcome else 0,
                "s_reply_status": outcome.status if outcome else "",
                "s_text": outcome.text if outcome else "",
                "s_tried": int(result.tried),
                "s_due_at": result.due_at,
                "s_settled_at": None if result.status is Status.PENDING else now,
            }
        )
    connection.execute(_SETTLE, rows)


def release(connection: Connection, rows: Sequence[Delivery], *, due_at: datetime | None = None) -> None:
    """Gives back claimed deliveries that were not tried; their date is then that of a later claim."""
    for group in _grouped(rows).values():
        connection.execute(
            _release_statement(due_at).where(deliveries.c.id.in_(group[1]), deliveries.c.claim == group[0])
        )


def release_rest(connection: Connection, claim_id: str) -> int:
    """Gives back whatever of a claim has no result; returns how many."""
    return int(connection.execute(_release_statement(None).where(deliveries.c.claim == claim_id)).rowcount)


def doubt_rest(connection: Connection, claim_id: str, reason: str, *, now: datetime) -> int:
    """Makes uncertain whatever of a claim has no result; returns how many."""
    statement = (
        sa.update(deliveries)
        .where(deliveries.c.claim == claim_id, deliveries.c.status == _CLAIMED)
        .values(status=Status.UNCERTAIN.value, reason=reason, settled_at=now)
    )
    return int(connection.execute(statement).rowcount)


def _release_statement(due_at: datetime | None) -> Any:
    table = deliveries.c
    return (
        sa.update(deliveries)
        .where(table.status == _CLAIMED)
        .values(
            status=Status.PENDING.value,
            reason="",
            first_attempt_at=sa.case((table.attempts == 0, sa.null()), else_=table.first_attempt_at),
            due_at=table.due_at if due_at is None else sa.bindparam("r_due_at", due_at, UTCDateTime),
        )
    )


def _grouped(rows: Sequence[Delivery]) -> dict[tuple[str, int], tuple[str, list[int]]]:
    groups: dict[tuple[str, int], tuple[str, list[int]]] = {}
    for number, row in enumerate(rows):
        groups.setdefault((row.claim, number // _CHUNK), (row.claim, []))[1].append(row.id)
    return groups


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
    rows = connection.execute(sa.select(*_DELIVERY).where(table.claim == claim_id, table.status == _CLAIMED))
    return {row.id: _delivery(row) for row in rows}


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


def exclude(connection: Connection, subscriber: int, reason: str, *, now: datetime) -> int:
    """Somebody leaves: nothing pending goes to them any more; returns how many were excluded at once.

    What a sender holds at this moment is marked, and the sender takes it out where it has not left (see
    `withdrawn`)."""
    table = deliveries.c
    excluded = connection.execute(
        sa.update(deliveries)
        .where(table.subscriber == subscriber, table.status == _PENDING)
        .values(status=Status.EXCLUDED.value, reason=reason, settled_at=now)
    )
    connection.execute(
        sa.update(deliveries).where(table.subscriber == subscriber, table.status == _CLAIMED).values(reason=reason)
    )
    return int(excluded.rowcount)


def withdrawn(connection: Connection, claim_ids: Iterable[str]) -> dict[int, str]:
    """The claimed deliveries that must not leave any more, and why."""
    table = deliveries.c
    statement = sa.select(table.id, table.reason).where(
        table.claim.in_(list(claim_ids)), table.status == _CLAIMED, table.reason != ""
    )
    return {row.id: row.reason for row in connection.execute(statement)}


def erase(connection: Connection, subscriber: int, *, now: datetime) -> int:
    """Makes a subscriber's rows anonymous and keeps them for the books; returns how many there were."""
    exclude(connection, subscriber, "erased", now=now)
    table = deliveries.c
    statement = (
        sa.update(deliveries)
        .where(table.subscriber == subscriber)
        .values(
            subscriber=None,
            address="",
            reply_text="",
            recipient=sa.literal("erased:") + sa.cast(table.id, sa.String),
        )
    )
    return int(connection.execute(statement).rowcount)


def books(connection: Connection, key: str, candidates: int | None = None) -> Books:
    """An edition's account, of digests only. Without `candidates`, as many as there are rows."""
    table = deliveries.c
    statement = (
        sa.select(table.status, sa.func.count()).where(table.key == key, table.mail == "digest").group_by(table.status)
    )
    counts: dict[str, int] = {row[0]: row[1] for row in connection.execute(statement)}
    return Books(
        candidates=sum(counts.values()) if candidates is None else candidates,
        sent=counts.get(Status.SENT, 0),
        excluded=counts.get(Status.EXCLUDED, 0),
        failed=counts.get(Status.FAILED, 0),
        uncertain=counts.get(Status.UNCERTAIN, 0),
        pending=counts.get(Status.PENDING, 0) + counts.get(Status.CLAIMED, 0),
    )


def reasons(connection: Connection, key: str) -> dict[tuple[Status, str], int]:
    """How many digests of an edition were excluded or failed, by reason."""
    table = deliveries.c
    statement = (
        sa.select(table.status, table.reason, sa.func.count())
        .where(table.key == key, table.mail == "digest", table.status.in_((Status.EXCLUDED, Status.FAILED)))
        .group_by(table.status, table.reason)
    )
    return {(Status(status), reason): count for status, reason, count in connection.execute(statement)}


def uncertain(connection: Connection, key: str | None = None) -> Iterator[Uncertain]:
    """The deliveries whose fate is unknown, oldest first."""
    table = deliveries.c
    statement = (
        sa.select(*_DELIVERY, table.reason, table.reply_text, table.settled_at)
        .where(table.status == sa.literal_column("'uncertain'"))
        .order_by(table.key, table.id)
    )
    if key is not None:
        statement = statement.where(table.key == key)
    for row in connection.execute(statement):
        yield Uncertain(_delivery(row), row.reason, row.reply_text, row.settled_at)


def outcomes(connection: Connection, key: str) -> list[tuple[str, Status, str]]:
    """Address, status and what was said of it, of every delivery of a key that is not an edition's: few."""
    table = deliveries.c
    statement = sa.select(table.address, table.status, table.reply_text, table.reason).where(table.key == key)
    return [
        (row.address, Status(row.status), row.reply_text or row.reason)
        for row in connection.execute(statement.order_by(table.id))
    ]


def due_later(connection: Connection, *, now: datetime, key: str | None = None) -> tuple[int, datetime | None]:
    """How many pending deliveries wait for their time, and when the first is due."""
    table = deliveries.c
    statement = sa.select(sa.func.count(), sa.func.min(table.due_at)).where(
        table.status == _PENDING, table.due_at > now
    )
    if key is not None:
        statement = statement.where(table.key == key)
    count, first = connection.execute(statement).one()
    return count, first


def resolve(
    connection: Connection,
    ids: Sequence[int],
    as_: Literal["sent", "resend"],
    *,
    now: datetime,
    reason: str = "",
) -> int:
    """A person's word on uncertain deliveries; returns how many were uncertain. A resend keeps its
    Message-ID."""
    change: dict[str, Any] = (
        {"status": Status.SENT.value, "settled_at": now, "reason": reason or "settled by hand"}
        if as_ == "sent"
        else {"status": Status.PENDING.value, "settled_at": None, "due_at": now, "claim": "", "reason": ""}
    )
    count = 0
    for start in range(0, len(ids), _CHUNK):
        statement = (
            sa.update(deliveries)
            .where(
                deliveries.c.id.in_(ids[start : start + _CHUNK]),
                deliveries.c.status == Status.UNCERTAIN.value,
            )
            .values(**change)
        )
        count += connection.execute(statement).rowcount
    return count
