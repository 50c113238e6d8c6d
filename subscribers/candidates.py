"""Who is to get an edition, and what each of them chose."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from subscribers.model import Status, Subscriber
from subscribers.store import FIELDS, Choice, choice_of, pages, subscriber_of
from subscribers.tables import subscribers


def active(connection: Connection) -> Iterator[tuple[int, str, Choice]]:
    """Number, address and choice of every active reader, in constant memory: the candidates of an edition."""
    fields = [subscribers.c.id, subscribers.c.address, subscribers.c.regions]
    for row in pages(connection, fields, Status.ACTIVE):
        yield row.id, row.address, choice_of(row.regions)


def choices(connection: Connection) -> frozenset[Choice]:
    """Each distinct choice of an active reader."""
    return frozenset(count_by_choice(connection))


def count_by_choice(connection: Connection) -> dict[Choice, int]:
    statement = sa.select(subscribers.c.regions, sa.func.count()).where(subscribers.c.status == Status.ACTIVE.value)
    return {choice_of(text): count for text, count in connection.execute(statement.group_by(subscribers.c.regions))}


def current(connection: Connection, numbers: Collection[int]) -> dict[int, Subscriber]:
    """These readers as they are now; one who was erased is missing."""
    wanted = list(numbers)
    if not wanted:
        return {}
    rows = connection.execute(sa.select(*FIELDS).where(subscribers.c.id.in_(wanted)))
    return {row.id: subscriber_of(row) for row in rows}
