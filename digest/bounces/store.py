"""What came back, in the database: each report once, without the address that it is about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from digest.database import BigKey, UTCDateTime, insert_or_ignore, metadata
from digest.delivery.model import Delivery, Status
from digest.delivery.tables import DELIVERY, deliveries, delivery_of

bounces = sa.Table(
    "bounces",
    metadata,
    sa.Column("id", BigKey, primary_key=True),
    sa.Column("event", sa.String(64), nullable=False, unique=True),  # a hash of the report: a replay is not news
    sa.Column("kind", sa.String(16), nullable=False),  # bounce, delayed, complaint, leave, auto-reply, unknown, refused
    sa.Column("verdict", sa.String(16), nullable=False, server_default=""),
    sa.Column("delivery", sa.BigInteger),
    sa.Column("subscriber", sa.BigInteger),
    sa.Column("provider", sa.String(64), nullable=False, server_default=""),
    sa.Column("status", sa.String(16), nullable=False, server_default=""),
    sa.Column("diagnostic", sa.Text, nullable=False, server_default=""),
    sa.Column("source", sa.String(32), nullable=False),  # imap, maildir, lmtp, ses, postmark, mailgun, sendgrid
    sa.Column("why", sa.Text, nullable=False, server_default=""),  # what was made of it, or why nothing was
    sa.Column("at", UTCDateTime, nullable=False),
)
sa.Index("ix_bounces_at", bounces.c.at)
sa.Index("ix_bounces_delivery", bounces.c.delivery)


@dataclass(frozen=True, slots=True)
class Return:
    """One thing that came back. `verdict` is "" where nothing was judged; `why` a sentence: what was made of it."""

    event: str
    kind: str
    source: str
    at: datetime
    verdict: str = ""
    delivery: int | None = None
    subscriber: int | None = None
    provider: str = ""
    status: str = ""
    diagnostic: str = ""
    why: str = ""


_FIELDS = [bounces.c[name] for name in Return.__dataclass_fields__]


def add(connection: Connection, event: str, *, kind: str, source: str, at: datetime) -> int | None:
    """Claim the report for this transaction; returns its number, or None where it has been here before, and nothing
    must come of it."""
    row = {"event": event, "kind": kind, "source": source, "at": at}
    number: int | None = insert_or_ignore(connection, bounces, row, bounces.c.id).scalar()
    return number


def fill(connection: Connection, made: Return) -> None:
    """What was made of it."""
    values = {name: getattr(made, name) for name in Return.__dataclass_fields__ if name != "event"}
    connection.execute(sa.update(bounces).where(bounces.c.event == made.event).values(**values))


def newest(connection: Connection, *, limit: int, kind: str | None = None) -> Iterator[Return]:
    """The last ones first."""
    statement = sa.select(*_FIELDS).order_by(bounces.c.at.desc(), bounces.c.id.desc()).limit(limit)
    if kind is not None:
        statement = statement.where(bounces.c.kind == kind)
    for row in connection.execute(statement):
        yield Return(**dict(zip(Return.__dataclass_fields__, row, strict=True)))


def counts(connection: Connection) -> dict[tuple[str, str], int]:
    """How many there are of each kind and verdict."""
    statement = sa.select(bounces.c.kind, bounces.c.verdict, sa.func.count()).group_by(
        bounces.c.kind, bounces.c.verdict
    )
    return {(kind, verdict): count for kind, verdict, count in connection.execute(statement)}


def forget(connection: Connection, subscriber: int) -> None:
    """Somebody is erased: what came back stays for the counts, and nothing in it is theirs."""
    statement = sa.update(bounces).where(bounces.c.subscriber == subscriber)
    connection.execute(statement.values(subscriber=None, diagnostic="", provider="", why="erased"))


def delivery(connection: Connection, number: int) -> Delivery | None:
    """The delivery of that number."""
    row = connection.execute(sa.select(*DELIVERY).where(deliveries.c.id == number)).first()
    return delivery_of(row) if row else None


def delivery_to(connection: Connection, subscriber: int, message_id: str) -> Delivery | None:
    """The delivery of that Message-ID, among those of one subscriber."""
    statement = sa.select(*DELIVERY).where(deliveries.c.subscriber == subscriber, deliveries.c.message_id == message_id)
    row = connection.execute(statement).first()
    return delivery_of(row) if row else None


def newest_to(connection: Connection, subscriber: int) -> Delivery | None:
    """The last mail that was tried to a subscriber."""
    statement = sa.select(*DELIVERY).where(
        deliveries.c.subscriber == subscriber, deliveries.c.first_attempt_at.is_not(None)
    )
    row = connection.execute(statement.order_by(deliveries.c.first_attempt_at.desc()).limit(1)).first()
    return delivery_of(row) if row else None


def got_through(
    connection: Connection, subscriber: int, *, after: datetime, before: datetime, settled_before: datetime
) -> datetime | None:
    """When the last digest left, between these two, of which nothing has come back.

    A relay takes every mail and sends a bounce later: one that was handed over lately has not got through yet."""
    table = deliveries.c
    came_back = sa.exists().where(bounces.c.delivery == table.id, bounces.c.kind.in_(("bounce", "complaint")))
    statement = sa.select(sa.func.max(table.first_attempt_at)).where(
        table.subscriber == subscriber,
        table.mail == "digest",
        table.status == Status.SENT.value,
        table.first_attempt_at > after,
        table.first_attempt_at < before,
        table.settled_at <= settled_before,
        ~came_back,
    )
    return connection.execute(statement).scalar()


def count_of(connection: Connection, keys: tuple[str, ...], *, kind: str, verdict: str = "", since: datetime) -> int:
    """How many deliveries of these keys came back so since then; a delivery counts once."""
    statement = (
        sa.select(sa.func.count(sa.distinct(bounces.c.delivery)))
        .select_from(bounces.join(deliveries, deliveries.c.id == bounces.c.delivery))
        .where(bounces.c.kind == kind, bounces.c.at >= since, deliveries.c.key.in_(keys))
    )
    if verdict:
        statement = statement.where(bounces.c.verdict == verdict)
    return int(connection.execute(statement).scalar() or 0)
