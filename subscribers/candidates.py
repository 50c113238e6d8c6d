"""Who is to get an edition, and what each of them chose."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from digest.bulk import by_number, fetch, moment
from subscribers.model import Status
from subscribers.preferences import pause_reason
from subscribers.store import Choice, choice_of, pages
from subscribers.tables import subscribers


class Candidate(NamedTuple):
    """An active reader, whether or not a pause of theirs keeps an edition from them."""

    number: int
    address: str
    choice: Choice
    paused_until: datetime | None


class Current(NamedTuple):
    """A reader as they are at this moment, as far as a mail to them needs it. `status` is the value of a Status."""

    id: int
    address: str
    status: str
    since: datetime | None
    paused_until: datetime | None


def active(connection: Connection) -> Iterator[Candidate]:
    """Every active reader, in constant memory: the candidates of an edition."""
    fields = [subscribers.c.id, subscribers.c.address, subscribers.c.regions, subscribers.c.paused_until]
    for row in pages(connection, fields, Status.ACTIVE):
        yield Candidate(row.id, row.address, choice_of(row.regions), row.paused_until)


def choices(connection: Connection, now: datetime) -> frozenset[Choice]:
    """Each distinct choice of those who get an edition now."""
    return frozenset(count_by_choice(connection, now))


def count_by_choice(connection: Connection, now: datetime) -> dict[Choice, int]:
    """How many active readers who have made no pause share each choice."""
    statement = (
        sa.select(subscribers.c.regions, sa.func.count())
        .where(subscribers.c.status == Status.ACTIVE.value)
        .group_by(subscribers.c.regions)
    )
    # all of them by one index less the paused ones by another: looking at each reader would take its time
    kept = connection.execute(statement.where(subscribers.c.paused_until > now)).all()
    paused = {row[0]: row[1] for row in kept}
    left = {text: count - paused.get(text, 0) for text, count in connection.execute(statement)}
    return {choice_of(text): count for text, count in left.items() if count}


def count_paused(connection: Connection, now: datetime) -> dict[str, int]:
    """How many active readers have made a pause, by the reason that stands in the books."""
    statement = sa.select(subscribers.c.paused_until, sa.func.count()).where(
        subscribers.c.status == Status.ACTIVE.value, subscribers.c.paused_until > now
    )
    counted: dict[str, int] = {}
    for until, count in connection.execute(statement.group_by(subscribers.c.paused_until)):
        reason = pause_reason(until, now)
        counted[reason] = counted.get(reason, 0) + count
    return counted


_CURRENT = by_number(subscribers.c.id, *(subscribers.c[name] for name in Current._fields))


def current(connection: Connection, numbers: Collection[int]) -> dict[int, Current]:
    """These readers as they are now; one who was erased is missing."""
    if not numbers:
        return {}
    return {
        number: Current(number, address, status, since and moment(since), until and moment(until))
        for number, address, status, since, until in fetch(connection, _CURRENT, numbers)
    }
