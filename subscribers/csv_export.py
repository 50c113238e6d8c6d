"""Every reader as CSV, which `csv_import` reads again, and in which a spreadsheet finds no formula."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from typing import TextIO

from sqlalchemy.engine import Connection

from subscribers import store
from subscribers.csv_columns import HEADER
from subscribers.csv_text import harmless


def export_csv(connection: Connection, stream: TextIO) -> int:
    """Write every reader, by number, in constant memory; returns how many. `stream` is opened with newline=""."""
    writer = csv.writer(stream)
    writer.writerow(HEADER)
    count = 0
    for reader in store.stream(connection):
        regions, since, paused = ",".join(reader.regions), _moment(reader.since), _moment(reader.paused_until)
        cells = (
            reader.address, reader.status.value, regions, reader.name, reader.language, since, reader.consent, paused
        )  # fmt: skip
        writer.writerow([harmless(cell) for cell in cells])
        count += 1
    return count


def _moment(when: datetime | None) -> str:
    return when.astimezone(UTC).isoformat() if when else ""
