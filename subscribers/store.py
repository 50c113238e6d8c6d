"""Subscribers, suppressions and consents in the database."""

from __future__ import annotations

import hmac
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from digest.database import insert_or_ignore
from digest.errors import RefusedError
from subscribers.addresses import match_key
from subscribers.keys import Keys
from subscribers.model import Status, Subscriber
from subscribers.tables import consents, subscribers, suppressions

Choice = tuple[str, ...]
PAGE = 2_000


def address_hash(keys: Keys, address: str) -> str:
    """What the suppression list keeps of an address: HMAC-SHA-256 under a key of its own, in hex."""
    return hmac.digest(keys.suppression, match_key(address).encode(), sha256).hex()


def _text(regions: Collection[str]) -> str:
    return ",".join(sorted(set(regions)))


def _choice(text: str) -> Choice:
    return tuple(text.split(",")) if text else ()


_FIELDS = [
    subscribers.c[name] for name in ("id", "address", "status", "regions", "name", "language", "since", "consent")
]


def _subscriber(row: Any) -> Subscriber:
    return Subscriber(
        id=row.id, address=row.address, status=Status(row.status), regions=_choice(row.regions), name=row.name,
        language=row.language, since=row.since, consent=row.consent,
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
        "regions": _text(regions),
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


def import_rows(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> set[str]:
    """Insert many at once; one whose address is known is left alone. Returns the match keys of those that are new."""
    made = insert_or_ignore(connection, subscribers, list(rows), subscribers.c.match_key)
    return set(made.scalars())


def known(connection: Connection, keys_of: Collection[str]) -> dict[str, Status]:
    """The status by match key, of those who are known."""
    statement = sa.select(subscribers.c.match_key, subscribers.c.status).where(
        subscribers.c.match_key.in_(list(keys_of))
    )
    return {key: Status(status) for key, status in connection.execute(statement)}


def record_import(connection: Connection, keys_of: Collection[str], at: datetime) -> None:
    """The consent record of rows just imported."""
    statement = sa.select(subscribers.c.id, subscribers.c.consent, subscribers.c.regions).where(
        subscribers.c.match_key.in_(list(keys_of))
    )
    rows = [
        {
            "subscriber": row.id,
            "at": at,
            "event": "imported",
            "detail": {"consent": row.consent, "regions": list(_choice(row.regions))},
        }
        for row in connection.execute(statement)
    ]
    if rows:
        connection.execute(sa.insert(consents), rows)


def find(connection: Connection, address: str) -> Subscriber | None:
    """By address, in any spelling of its case."""
    row = connection.execute(sa.select(*_FIELDS).where(subscribers.c.match_key == match_key(address))).first()
    return _subscriber(row) if row else None


def get(connection: Connection, number: int) -> Subscriber | None:
    row = connection.execute(sa.select(*_FIELDS).where(subscribers.c.id == number)).first()
    return _subscriber(row) if row else None


def stream(connection: Connection, status: Status | None = None) -> Iterator[Subscriber]:
    """Everybody, by number, in constant memory."""
    for row in _pages(connection, _FIELDS, status):
        yield _subscriber(row)


def active(connection: Connection) -> Iterator[tuple[int, str, Choice]]:
    """Number, address and choice of every active reader, in constant memory: the candidates of an edition."""
    fields = [subscribers.c.id, subscribers.c.address, subscribers.c.regions]
    for row in _pages(connection, fields, Status.ACTIVE):
        yield row.id, row.address, _choice(row.regions)


def _pages(connection: Connection, fields: Sequence[Any], status: Status | None) -> Iterator[Any]:
    """Keyset paging: each page starts behind the last number seen, whatever else happens meanwhile."""
    statement = sa.select(*fields).order_by(subscribers.c.id).limit(PAGE)
    if status is not None:
        # coalesce keeps SQLite off the index on status, from which it would sort everybody anew for every page
        statement = statement.where(sa.func.coalesce(subscribers.c.status, "") == status.value)
    last = 0
    while page := connection.execute(statement.where(subscribers.c.id > last)).all():
        yield from page
        last = page[-1].id


def choices(connection: Connection) -> frozenset[Choice]:
    """Each distinct choice of an active reader."""
    return frozenset(count_by_choice(connection))


def count_by_choice(connection: Connection) -> dict[Choice, int]:
    statement = sa.select(subscribers.c.regions, sa.func.count()).where(subscribers.c.status == Status.ACTIVE.value)
    return {_choice(text): count for text, count in connection.execute(statement.group_by(subscribers.c.regions))}


def counts(connection: Connection) -> dict[str, int]:
    """How many there are of each status."""
    statement = sa.select(subscribers.c.status, sa.func.count()).group_by(subscribers.c.status)
    return dict(connection.execute(statement).all())


def is_empty(connection: Connection) -> bool:
    """Whether nobody was ever added or suppressed."""
    return not any(
        connection.execute(sa.select(sa.exists().select_from(t))).scalar() for t in (subscribers, suppressions)
    )


def current(connection: Connection, numbers: Collection[int]) -> dict[int, Subscriber]:
    """These readers as they are now; one who was erased is missing."""
    wanted = list(numbers)
    if not wanted:
        return {}
    rows = connection.execute(sa.select(*_FIELDS).where(subscribers.c.id.in_(wanted)))
    return {row.id: _subscriber(row) for row in rows}


def set_regions(connection: Connection, number: int, regions: Collection[str], *, at: datetime) -> bool:
    """A reader's own choice. False where there is no such reader."""
    statement = sa.update(subscribers).where(subscribers.c.id == number).values(regions=_text(regions))
    if connection.execute(statement).rowcount != 1:
        return False
    record(connection, number, "chose", {"regions": sorted(set(regions))}, at)
    return True


def leave(connection: Connection, number: int, *, at: datetime, how: str = "one-click") -> bool:
    """A reader leaves; doing it twice is the same as once. False where there is no such reader."""
    statement = sa.update(subscribers).where(
        subscribers.c.id == number, subscribers.c.status.in_((Status.ACTIVE, Status.PENDING))
    )
    if connection.execute(statement.values(status=Status.LEFT.value, left_at=at)).rowcount == 1:
        record(connection, number, "left", {"how": how}, at)
        return True
    return get(connection, number) is not None


def come_back(connection: Connection, number: int, *, at: datetime) -> bool:
    """A reader who left changes their mind, by the link that only they have. False for anybody else, and for somebody
    who had not confirmed before they left."""
    statement = sa.update(subscribers).where(
        subscribers.c.id == number, subscribers.c.status == Status.LEFT.value, subscribers.c.since.is_not(None)
    )
    if connection.execute(statement.values(status=Status.ACTIVE.value, left_at=None)).rowcount == 1:
        record(connection, number, "came back", {}, at)
        return True
    found = get(connection, number)
    return found is not None and found.status is Status.ACTIVE


def suppress(connection: Connection, keys: Keys, address: str, *, reason: str, at: datetime) -> int | None:
    """Never mail this address again, known or not. Returns the number of its reader, if there is one."""
    row = {"address_hash": address_hash(keys, address), "reason": reason, "at": at}
    insert_or_ignore(connection, suppressions, row)
    found = find(connection, address)
    if found is None:
        return None
    connection.execute(
        sa.update(subscribers).where(subscribers.c.id == found.id).values(status=Status.SUPPRESSED.value)
    )
    record(connection, found.id, "suppressed", {"reason": reason}, at)
    return found.id


def suppress_hashes(connection: Connection, hashes: Collection[str], *, reason: str, at: datetime) -> None:
    """Put many on the list at once, none of whom is a subscriber."""
    if hashes:
        rows = [{"address_hash": found, "reason": reason, "at": at} for found in hashes]
        insert_or_ignore(connection, suppressions, rows)


def is_suppressed(connection: Connection, keys: Keys, address: str) -> bool:
    return bool(suppressed_hashes(connection, [address_hash(keys, address)]))


def suppressed_hashes(connection: Connection, hashes: Iterable[str]) -> set[str]:
    """Which of these hashes are on the suppression list."""
    statement = sa.select(suppressions.c.address_hash).where(suppressions.c.address_hash.in_(list(hashes)))
    return set(connection.execute(statement).scalars())


def erase(connection: Connection, keys: Keys, address: str, *, at: datetime) -> int | None:
    """Remove everything personal. A keyed hash stays on the suppression list, so that no import brings them back.

    Returns the number that the reader had, or None."""
    found = find(connection, address)
    if found is None:
        return None
    suppress(connection, keys, address, reason="erased", at=at)
    connection.execute(sa.delete(consents).where(consents.c.subscriber == found.id))
    connection.execute(sa.delete(subscribers).where(subscribers.c.id == found.id))
    return found.id


def record(connection: Connection, number: int, event: str, detail: Mapping[str, Any], at: datetime) -> None:
    """Append to the consent record; nothing in it is ever changed."""
    connection.execute(sa.insert(consents).values(subscriber=number, at=at, event=event, detail=dict(detail)))
