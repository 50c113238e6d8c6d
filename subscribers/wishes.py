"""Wishes to subscribe, as they came in: written down unseen, looked at later.

Whoever writes one learns nothing from it: the row is the same for an address that is new, known, suppressed or none."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from digest.database import upsert
from subscribers.keys import Keys
from subscribers.store import choice_of, text_of
from subscribers.suppression import address_hash
from subscribers.tables import wishes

LONGEST = 320
"""Characters that are kept of what was typed as an address; no address is longer."""
_UNSTORABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff\ufffd]")


@dataclass(frozen=True, slots=True)
class Wish:
    """Somebody wants to subscribe. `address` is as it was typed; `regions` are slugs, () for all.

    `evidence` is what consent is proved with: ip, user_agent, form, wording."""

    address: str
    regions: tuple[str, ...]
    language: str
    evidence: Mapping[str, str]
    at: datetime
    id: int = 0


def write_down(connection: Connection, keys: Keys, new: Iterable[Wish]) -> None:
    """Keep wishes. One for an address that waits already is written anew: a burst is one row."""
    rows = {}
    for wish in new:
        row = _row(keys, wish)
        rows[row["address_key"]] = row
    for key in sorted(rows):  # two that write the same rows at the same time must not wait for each other
        upsert(connection, wishes, rows[key], "address_key")


def _row(keys: Keys, wish: Wish) -> dict[str, Any]:
    typed = _UNSTORABLE.sub("<", wish.address.strip())[:LONGEST]  # which no address has
    return {
        "address_key": address_hash(keys, typed),
        "address": typed,
        "regions": text_of(wish.regions),
        "language": wish.language,
        "evidence": {name: _UNSTORABLE.sub("\ufffd", value) for name, value in wish.evidence.items()},
        "at": wish.at,
    }


def waiting(connection: Connection, *, after: int, limit: int) -> list[Wish]:
    """Those that came behind number `after`, in the order of their coming."""
    statement = sa.select(wishes).where(wishes.c.id > after).order_by(wishes.c.id).limit(limit)
    return [
        Wish(row.address, choice_of(row.regions), row.language, row.evidence, row.at, row.id)
        for row in connection.execute(statement)
    ]


def any_waiting(connection: Connection) -> bool:
    return connection.execute(sa.select(wishes.c.id).limit(1)).first() is not None


def count(connection: Connection) -> int:
    return connection.execute(sa.select(sa.func.count()).select_from(wishes)).scalar_one()


def forget(connection: Connection, numbers: Collection[int]) -> None:
    """They have been answered."""
    if numbers:
        connection.execute(sa.delete(wishes).where(wishes.c.id.in_(list(numbers))))


def forget_older(connection: Connection, than: datetime) -> int:
    """Nobody waits for an answer to these any more; returns how many there were."""
    return int(connection.execute(sa.delete(wishes).where(wishes.c.at < than)).rowcount)


def forget_address(connection: Connection, keys: Keys, address: str) -> None:
    """For erasing: a wish that still waits is personal, too."""
    connection.execute(sa.delete(wishes).where(wishes.c.address_key == address_hash(keys, address)))
