"""A batch of rows into the audience, in one transaction; again is harmless, so that a killed import can be resumed.

Good rows go in; each bad one is told with its line. Nobody who is suppressed or has left comes back this way, and what
another program knows of people who left it is kept: they are stored as having left, or suppressed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.engine import Connection

from subscribers import csv_store, store, suppression
from subscribers.addresses import match_key
from subscribers.csv_rows import Row
from subscribers.former import Former, Moved
from subscribers.keys import Keys
from subscribers.model import Status

MOST_PROBLEMS = 10_000
"""Sentences that a report holds; beyond them it only counts."""


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a row, or would: `outcome` is active, pending, known, suppressed, gone or bad."""

    line: int
    address: str
    outcome: str
    why: str = ""
    regions: tuple[str, ...] = ()

    def sentence(self) -> str:
        regions = f", {', '.join(self.regions) or 'all regions'}" if self.outcome in ("active", "pending") else ""
        why = f": {self.why}" if self.why else ""
        return f"line {self.line}: {self.address + ': ' if self.address else ''}{self.outcome}{regions}{why}"


@dataclass(slots=True)
class ImportReport:
    """What an import came to: rows = active + pending + known + suppressed + gone + bad.

    `problems` are sentences, each with its line; `bad` rows were not taken, the others in it were."""

    rows: int = 0
    active: int = 0
    pending: int = 0
    known: int = 0
    suppressed: int = 0
    gone: int = 0
    bad: int = 0
    dry_run: bool = False
    problems: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def sentence(self) -> str:
        would = "would be " if self.dry_run else ""
        return (
            f"{self.rows} {'row' if self.rows == 1 else 'rows'}: {would}{self.active} active, "
            f"{self.pending} pending for want of consent, {self.known} known already, {self.suppressed} suppressed, "
            f"{self.gone} had left, {self.bad} with a problem"
        )

    def count(self, told: Iterable[Told]) -> None:
        for one in told:
            self.rows += 1
            setattr(self, one.outcome, getattr(self, one.outcome) + 1)
            if one.why and len(self.problems) < MOST_PROBLEMS:
                self.problems.append(f"line {one.line}: {one.why}")


class Rehearsal:
    """What a dry run would have stored so far, on the disk: a million addresses are too many for the memory."""

    def __init__(self) -> None:
        self._kept = sqlite3.connect("")  # a temporary file, gone with the connection
        self._kept.execute("CREATE TABLE seen (key TEXT PRIMARY KEY) WITHOUT ROWID")

    def among(self, keys: Sequence[str]) -> set[str]:
        places = ",".join("?" * len(keys))
        return {key for (key,) in self._kept.execute(f"SELECT key FROM seen WHERE key IN ({places})", keys)}  # noqa: S608

    def keep(self, keys: Iterable[str]) -> None:
        self._kept.executemany("INSERT OR IGNORE INTO seen VALUES (?)", ((key,) for key in keys))

    def close(self) -> None:
        self._kept.close()


def take(
    connection: Connection,
    keys: Keys,
    rows: Sequence[Row],
    *,
    at: datetime,
    former: Former | None = None,
    rehearsal: Rehearsal | None = None,
) -> list[Told]:
    """Store one batch, and tell of each row in turn what became of it; with a `rehearsal`, only what would.

    A row with evidence of consent is active, one without pending; a reader who is known keeps what they chose, and a
    pending one becomes active by evidence. Who had an address before they moved is known by it, too; `former` is kept
    from batch to batch."""
    good = [row for row in rows if not row.problem]
    matches = {row.address: match_key(row.address) for row in good}
    hashes = {row.address: suppression.address_hash(keys, row.address) for row in good}
    forbidden = suppression.suppressed_hashes(connection, hashes.values())
    known = csv_store.known(connection, list(matches.values()))
    moved = (former or Former()).among(connection, set(matches.values()) - known.keys())
    seen = rehearsal.among(list(matches.values())) if rehearsal else set()
    fresh: dict[str, Row] = {}
    confirmed: dict[str, Row] = {}
    told: list[Told] = []
    for row in rows:
        if row.problem:
            told.append(Told(row.line, "", "bad", row.problem))
            continue
        key = matches[row.address]
        outcome, why = "known", ""
        if hashes[row.address] in forbidden:
            outcome = "suppressed"
        elif key in fresh or key in seen or key in confirmed:
            pass
        elif key in moved and row.status in (Status.ACTIVE, Status.PENDING):
            outcome, why = _moved(row, moved[key])
        elif key not in known:
            fresh[key] = row
            outcome = row.status.value if row.status in (Status.ACTIVE, Status.PENDING) else "gone"
        elif known[key] in (Status.LEFT, Status.SUPPRESSED):
            outcome = "gone"
        elif row.status in (Status.LEFT, Status.SUPPRESSED):
            why = f"{row.address} is {known[key].value} here and {row.said} there; nothing was changed"
        elif known[key] is Status.PENDING and row.status is Status.ACTIVE:
            confirmed[key] = row
            outcome = "active"
        if row.lost and outcome in ("active", "pending"):
            why = f"{row.address} chose {', '.join(row.lost)}, which is no region now; the choice is kept"
        told.append(Told(row.line, row.address, outcome, why, row.regions))
    if rehearsal:
        rehearsal.keep([*fresh, *confirmed])
    else:
        _store(connection, keys, fresh, confirmed, at)
    return told


def _moved(row: Row, now: Moved) -> tuple[str, str]:
    if now.status in (Status.LEFT, Status.SUPPRESSED):
        return "gone", ""
    return "known", f"{row.address} moved to {now.address}, who is {now.status.value} here; nothing was changed"


def _store(connection: Connection, keys: Keys, fresh: dict[str, Row], confirmed: dict[str, Row], at: datetime) -> None:
    readers = [row for row in fresh.values() if row.status is not Status.SUPPRESSED]
    others = [suppression.address_hash(keys, row.address) for row in fresh.values() if row.status is Status.SUPPRESSED]
    suppression.suppress_hashes(connection, others, reason="imported", at=at)
    if readers:
        new = csv_store.import_rows(connection, [_stored(row, at) for row in readers])
        csv_store.record_import(connection, new, at)
    for row in confirmed.values():
        store.add(connection, keys, row.address, regions=row.regions, name=row.name, consent=row.consent, at=at)


def _stored(row: Row, at: datetime) -> dict[str, Any]:
    made = store.new_row(row.address, row.status, row.regions, row.name, row.language, row.consent, at)
    since = (row.since or at) if row.status is Status.ACTIVE else row.since
    left_at = at if row.status is Status.LEFT else None
    return made | {"since": since, "left_at": left_at, "paused_until": row.paused_until}
