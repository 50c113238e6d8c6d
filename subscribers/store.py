"""Subscribers in the database."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from digest.database import insert_or_ignore
from digest.errors import RefusedError
from subscribers.addresses import match_key
from subscribers.consents import record
from subscribers.keys import Keys
from subscribers.model import Status, Subscriber
from subscribers.suppression import is_suppressed
from subscribers.tables import subscribers, suppressions

Choice = tuple[str, ...]
PAGE = 2_000


def text_of(regions: Collection[str]) -> str:
    """A choice as it is stored: sorted slugs with commas, "" for all."""
    return ",".join(sorted(set(regions)))


def choice_of(text: str) -> Choice:
    return tuple(text.split(",")) if text else ()


FIELDS = [
    subscribers.c[name]
    for name in ("id", "address", "status", "regions", "name", "language", "since", "consent", "paused_until")
]


def subscriber_of(row: Any) -> Subscriber:
    return Subscriber(
        id=row.id, address=row.address, status=Status(row.status), regions=choice_of(row.regions), name=row.name,
        language=row.language, since=row.since, consent=row.consent, paused_until=row.paused_until,
    )  # fmt: skip


def add(
    connection: Connection,
    keys: Keys,
    address: str,
    *,
    regions: Collection[str] = (),
    name: str = "",
    language: str = "",
    consent: str,
    at: datetime,
    active: bool = True,
) -> Subscriber:
    """Add a reader, or bring back one who had left, by whoever's word `consent` tells. `address` is normalised.

    Somebody who is active already keeps their choice. Raises RefusedError for a suppressed address."""
    if is_suppressed(connection, keys, address):
        raise RefusedError(f"{address} is suppressed and must not be mailed", mend="only the reader can come back")
    status = Status.ACTIVE if active else Status.PENDING
    row = new_row(address, status, regions, name, language, consent, at)
    new = insert_or_ignore(connection, subscribers, row, subscribers.c.id).scalar()
    if new is None:
        _bring_back(connection, address, row)
    found = find(connection, address)
    assert found is not None
    if new is not None or found.status is status:
        record(
            connection,
            found.id,
            "added" if active else "pending",
            {"consent": consent, "regions": list(found.regions)},
            at,
        )
    return found


def new_row(
    address: str,
    status: Status,
    regions: Collection[str],
    name: str,
    language: str,
    consent: str,
    at: datetime,
) -> dict[str, Any]:
    return {
        "match_key": match_key(address),
        "address": address,
        "name": name,
        "status": status.value,
        "regions": text_of(regions),
        "language": language,
        "since": at if status is Status.ACTIVE else None,
        "consent": consent,
        "created_at": at,
    }


def _bring_back(connection: Connection, address: str, row: Mapping[str, Any]) -> None:
    statement = sa.update(subscribers).where(
        subscribers.c.match_key == match_key(address), subscribers.c.status.in_((Status.LEFT, Status.PENDING))
    )
    connection.execute(
        statement.values({k: row[k] for k in ("status", "regions", "since", "consent")} | {"left_at": None})
    )


def find(connection: Connection, address: str) -> Subscriber | None:
    """By address, in any spelling of its case."""
    row = connection.execute(sa.select(*FIELDS).where(subscribers.c.match_key == match_key(address))).first()
    return subscriber_of(row) if row else None


def get(connection: Connection, number: int) -> Subscriber | None:
    row = connection.execute(sa.select(*FIELDS).where(subscribers.c.id == number)).first()
    return subscriber_of(row) if row else None


def stream(connection: Connection, status: Status | None = None) -> Iterator[Subscriber]:
    """Everybody, by number, in constant memory."""
    for row in pages(connection, FIELDS, status):
        yield subscriber_of(row)


def pages(connection: Connection, fields: Sequence[Any], status: Status | None) -> Iterator[Any]:
    """Keyset paging: each page starts behind the last number seen, whatever else happens meanwhile."""
    statement = sa.select(*fields).order_by(subscribers.c.id).limit(PAGE)
    if status is not None:
        # coalesce keeps SQLite off the index on status, from which it would sort everybody anew for every page
        statement = statement.where(sa.func.coalesce(subscribers.c.status, "") == status.value)
    last = 0
    while page := connection.execute(statement.where(subscribers.c.id > last)).all():
        yield from page
        last = page[-1].id


def counts(connection: Connection) -> dict[str, int]:
    """How many there are of each status."""
    statement = sa.select(subscribers.c.status, sa.func.count()).group_by(subscribers.c.status)
    return dict(connection.execute(statement).all())


def longest_address(connection: Connection) -> int:
    """In characters; 0 where there is nobody."""
    return connection.execute(sa.select(sa.func.max(sa.func.length(subscribers.c.address)))).scalar() or 0


def is_empty(connection: Connection) -> bool:
    """Whether nobody was ever added or suppressed."""
    return not any(
        connection.execute(sa.select(sa.exists().select_from(t))).scalar() for t in (subscribers, suppressions)
    )
