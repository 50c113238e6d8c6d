"""The addresses that readers have moved away from: who had one is known, whatever a list of long ago says of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from subscribers.addresses import match_key
from subscribers.consents import events
from subscribers.model import Status
from subscribers.tables import consents, subscribers

MOVED = "moved"
TAKEN_BACK = "taken back"
"""What the consent record says of a move, and of one that the old address took back: that one was never theirs."""


class Moved(NamedTuple):
    """Where whoever had an address is now, and whether they are still a reader there."""

    address: str
    status: Status


class Former:
    """Looks for former addresses in one batch after another; each look reads what was recorded since the last."""

    def __init__(self) -> None:
        self._seen = 0
        self._readers: dict[str, int] = {}

    def among(self, connection: Connection, keys_of: Collection[str]) -> dict[str, Moved]:
        """By match key, those of these addresses that a reader had before they moved."""
        self._read(connection)
        numbers = {key: self._readers[key] for key in keys_of if key in self._readers}
        if not numbers:
            return {}
        reader = subscribers.c
        statement = sa.select(reader.id, reader.address, reader.status).where(reader.id.in_(set(numbers.values())))
        now = {row.id: Moved(row.address, Status(row.status)) for row in connection.execute(statement)}
        return {key: now[number] for key, number in numbers.items() if number in now}

    def _read(self, connection: Connection) -> None:
        record = consents.c
        newest = connection.execute(sa.select(sa.func.max(record.id))).scalar_one() or 0
        statement = sa.select(record.subscriber, record.detail).where(
            record.id > self._seen, record.id <= newest, record.event == MOVED
        )
        for row in connection.execute(statement.order_by(record.id)):
            if (old := _left_behind(row.detail)) is not None:
                self._readers[match_key(old)] = row.subscriber
        self._seen = newest


def of(connection: Connection, number: int) -> list[str]:
    """The addresses that this reader had."""
    left = (_left_behind(detail) for event, detail in events(connection, number) if event == MOVED)
    return [address for address in left if address is not None]


def _left_behind(detail: Mapping[str, Any]) -> str | None:
    return None if detail.get(TAKEN_BACK) else detail.get("from")
