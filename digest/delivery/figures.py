"""How far an edition has come, counted in the database: by provider and by reply, whoever sends it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from digest.delivery.model import Books, Status
from digest.delivery.tables import CLAIMED, PENDING, SETTLED, deliveries


@dataclass(frozen=True, slots=True)
class Figures:
    """The books, and what stands behind them.

    `deferred`: pending, and not due before `next_due`. `going`: in the hands of a sender at this moment.
    `providers`: provider to status to count, "" where it is not known yet. `replies`: what
    relays last said ("250", "451 4.7.1") to how many."""

    books: Books
    deferred: int = 0
    going: int = 0
    next_due: datetime | None = None
    providers: dict[str, dict[str, int]] = field(default_factory=dict)
    replies: dict[str, int] = field(default_factory=dict)

    @property
    def done(self) -> int:
        """How many are settled."""
        return self.books.candidates - self.books.pending


def due_before(connection: Connection, key: str, moment: datetime) -> int:
    """How many digests of a key nobody holds yet and will be due by then; from an index alone."""
    table = deliveries.c
    statement = sa.select(sa.func.count()).where(table.status == PENDING, table.key == key, table.due_at <= moment)
    return int(connection.execute(statement).scalar_one())


def figures(connection: Connection, key: str, *, now: datetime, candidates: int | None = None) -> Figures:
    """The figures of a key, of digests only, from indexes alone. `candidates` None: as many as there are rows."""
    table = deliveries.c
    statuses: Counter[str] = Counter()
    replies: Counter[str] = Counter()
    providers: dict[str, Counter[str]] = {}
    for status, provider, code, said, count in connection.execute(
        counted(key, table.provider, table.reply_code, table.reply_status)
    ):
        statuses[status] += count
        shown = Status.PENDING if status == Status.CLAIMED else status
        providers.setdefault(provider, Counter())[str(shown)] += count
        if code:
            replies[f"{code} {said}".strip()] += count
    waiting = sa.select(sa.func.count(), sa.func.min(table.due_at)).where(
        table.status == PENDING, table.key == key, table.due_at > now
    )
    deferred, next_due = connection.execute(waiting).one()
    return Figures(
        books_from(statuses, candidates),
        deferred,
        statuses[Status.CLAIMED],
        next_due,
        {name: dict(counts) for name, counts in sorted(providers.items())},
        dict(sorted(replies.items())),
    )


def counted(key: str, *columns: sa.Column[Any]) -> sa.CompoundSelect[Any]:
    """How many digests of a key there are, by status and these columns of the indexes: each status from its own index,
    in one statement, for while it reads others settle."""
    table, count = deliveries.c, sa.func.count()
    group = columns or (table.key,)
    digests = (table.mail == "digest", table.key == key)
    # Few are claimed: by their own index, and not by the edition's.
    in_hand = (table.mail + "" == "digest", table.key + "" == key)
    settled = sa.select(table.status, *columns, count).where(SETTLED, *digests).group_by(table.status, *columns)
    pending = sa.select(PENDING, *columns, count).where(table.status == PENDING, *digests).group_by(*group)
    claimed = sa.select(CLAIMED, *columns, count).where(table.status == CLAIMED, *in_hand).group_by(*group)
    return sa.union_all(settled, pending, claimed)


def books_from(statuses: Counter[str], candidates: int | None) -> Books:
    """The account from counts by status. Without `candidates`: as many as were counted."""
    return Books(
        candidates=statuses.total() if candidates is None else candidates,
        sent=statuses[Status.SENT],
        excluded=statuses[Status.EXCLUDED],
        failed=statuses[Status.FAILED],
        uncertain=statuses[Status.UNCERTAIN],
        pending=statuses[Status.PENDING] + statuses[Status.CLAIMED],
    )
