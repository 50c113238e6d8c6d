"""The outbox in the database: what goes in, what is taken out again, and the account of it. What senders do with it is
in `claims` and `settlements`, how a reader is erased from it in `erasing`.

Priorities: the lower goes first."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Literal, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from digest.database import as_stored, insert_in_bulk
from digest.delivery.figures import books_from, counted
from digest.delivery.model import Books, Delivery, Mail, Status
from digest.delivery.pace import resting
from digest.delivery.providers import provider_of
from digest.delivery.tables import CLAIMED, DELIVERY, PENDING, SETTLED, deliveries, delivery_of

_CHUNK = 500
PRIORITY: Mapping[str, int] = {"confirmation": 0, "welcome": 1, "test": 1, "seed": 1, "staff": 2, "digest": 5}


class NewDelivery(NamedTuple):
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
class Uncertain:
    """A delivery whose fate is unknown, with the evidence."""

    delivery: Delivery
    reason: str
    text: str
    at: datetime | None
    content_hash: str = ""


def enqueue(connection: Connection, rows: Iterable[NewDelivery], *, domain: str, now: datetime) -> int:
    """Writes new deliveries and returns how many; one that is there already (mail, key, recipient) is left
    alone.

    `domain` is the right side of the Message-IDs: that of From. `rows` may be a generator of any length."""
    source = iter(rows)
    moment = as_stored(connection, deliveries.c.due_at, now)
    count = 0
    while chunk := list(islice(source, _CHUNK)):
        marks = secrets.token_hex(_MARK * len(chunk) // 2)
        made = [
            _row(new, f"<{marks[start : start + _MARK]}@{domain}>", moment)
            for new, start in zip(chunk, range(0, len(marks), _MARK), strict=True)
        ]
        count += insert_in_bulk(connection, deliveries, _NEW, made)
    return count


_MARK = 32
"""The left side of a Message-ID: so many hexadecimal digits, which nobody guesses."""
_NEW = (
    "mail",
    "key",
    "recipient",
    "subscriber",
    "address",
    "provider",
    "rendition",
    "message_id",
    "status",
    "reason",
    "due_at",
    "priority",
    "created_at",
    "settled_at",
)


def _row(new: NewDelivery, message_id: str, now: Any) -> tuple[Any, ...]:
    """The values of `_NEW`."""
    return (
        new.mail,
        new.key,
        new.address if new.subscriber is None else f"s:{new.subscriber}",
        new.subscriber,
        new.address,
        provider_of(new.address),
        new.rendition,
        message_id,
        new.status.value,
        new.reason,
        now,
        PRIORITY[new.mail] if new.priority is None else new.priority,
        now,
        None if new.status is Status.PENDING else now,
    )


def exclude(connection: Connection, subscriber: int, reason: str, *, now: datetime) -> int:
    """Somebody leaves: nothing pending goes to them any more; returns how many were excluded at once.

    What a sender holds at this moment is marked, and the sender takes it out where it has not left (see
    `withdrawn`)."""
    table = deliveries.c
    excluded = connection.execute(
        sa.update(deliveries)
        .where(table.subscriber == subscriber, table.status == PENDING)
        .values(status=Status.EXCLUDED.value, reason=reason, settled_at=now)
    )
    connection.execute(
        sa.update(deliveries).where(table.subscriber == subscriber, table.status == CLAIMED).values(reason=reason)
    )
    return int(excluded.rowcount)


def stop(connection: Connection, keys: Collection[str], reason: str, *, now: datetime) -> int:
    """What has not left of these keys never goes; returns how many were excluded at once.

    What senders hold at this moment is marked, and excluded as soon as they look or give it back."""
    table = deliveries.c
    excluded = connection.execute(
        sa.update(deliveries)
        .where(table.key.in_(keys), table.status == PENDING)
        .values(status=Status.EXCLUDED.value, reason=reason, settled_at=now)
    )
    connection.execute(sa.update(deliveries).where(table.status == CLAIMED, table.key.in_(keys)).values(reason=reason))
    return int(excluded.rowcount)


def unsettled(connection: Connection, keys: Collection[str]) -> bool:
    """Whether any delivery of these keys is still pending, or with a sender."""
    table = deliveries.c
    for status in (PENDING, CLAIMED):
        statement = sa.select(table.id).where(table.status == status, table.key.in_(keys)).limit(1)
        if connection.execute(statement).first() is not None:
            return True
    return False


def has(connection: Connection, mail: Mail, key: str, subscriber: int) -> bool:
    """Whether a subscriber was sent this mail, or it waits for them or may have arrived."""
    table = deliveries.c
    got = (Status.PENDING.value, Status.CLAIMED.value, Status.SENT.value, Status.UNCERTAIN.value)
    statement = sa.select(table.id).where(
        table.subscriber == subscriber, table.mail == mail, table.key == key, table.status.in_(got)
    )
    return connection.execute(statement.limit(1)).first() is not None


def books(connection: Connection, key: str, candidates: int | None = None) -> Books:
    """An edition's account, of digests only. Without `candidates`, as many as there are rows."""
    return books_from(Counter({row[0]: row[1] for row in connection.execute(counted(key))}), candidates)


def reasons(connection: Connection, key: str) -> dict[tuple[Status, str], int]:
    """How many digests of an edition were excluded or failed, by reason."""
    table = deliveries.c
    statement = (
        sa.select(table.status, table.reason, sa.func.count())
        .where(SETTLED, table.key == key, table.mail == "digest", table.status.in_((Status.EXCLUDED, Status.FAILED)))
        .group_by(table.status, table.reason)
    )
    return {(Status(status), reason): count for status, reason, count in connection.execute(statement)}


def waiting(connection: Connection, key: str) -> dict[str, int]:
    """How many digests of an edition have not gone yet, by rendition; the most first."""
    table, count = deliveries.c, sa.func.count()
    statement = (
        sa.select(table.rendition, count)
        .where(table.key == key, table.mail == "digest", table.status.in_((PENDING, CLAIMED)))
        .group_by(table.rendition)
        .order_by(count.desc(), table.rendition)
    )
    return {row[0]: row[1] for row in connection.execute(statement)}


def uncertain(connection: Connection, key: str | None = None) -> Iterator[Uncertain]:
    """The deliveries whose fate is unknown, oldest first."""
    table = deliveries.c
    statement = (
        sa.select(*DELIVERY, table.reason, table.reply_text, table.settled_at, table.content_hash)
        .where(table.status == sa.literal_column("'uncertain'"))
        .order_by(table.key, table.id)
    )
    if key is not None:
        statement = statement.where(table.key == key)
    for row in connection.execute(statement):
        yield Uncertain(delivery_of(row), row.reason, row.reply_text, row.settled_at, row.content_hash)


def outcomes(connection: Connection, key: str) -> list[tuple[str, Status, str]]:
    """Address, status and what was said of it, of every delivery of a key that is not an edition's: few."""
    table = deliveries.c
    statement = sa.select(table.address, table.status, table.reply_text, table.reason).where(
        table.mail.in_(PRIORITY),
        table.key == key,  # of any mail: so that its index is used
    )
    return [
        (row.address, Status(row.status), row.reply_text or row.reason)
        for row in connection.execute(statement.order_by(table.id))
    ]


def due_later(connection: Connection, *, now: datetime, key: str | None = None) -> tuple[int, datetime | None]:
    """How many pending deliveries wait for their time, or for their provider's, and when the first may go."""
    table = deliveries.c
    pending = sa.select(sa.func.count(), sa.func.min(table.due_at)).where(table.status == PENDING)
    if key is not None:
        pending = pending.where(table.key == key)
    count, first = connection.execute(pending.where(table.due_at > now)).one()
    moments = [first] if first is not None else []
    for provider, until in resting(connection, now=now).items():
        more, _ = connection.execute(pending.where(table.due_at <= now, table.provider == provider)).one()
        count += more
        moments += [until] if more else []
    return count, min(moments, default=None)


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
