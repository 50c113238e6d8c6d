"""The audience as CSV, in and out.

Good rows go in; each bad one is told with its line. Nobody who is suppressed or has left comes back this way, and what
another program knows of people who left it is kept: they are stored as having left, or suppressed."""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any, BinaryIO, TextIO

from sqlalchemy.engine import Connection

from digest.errors import UsageError
from subscribers import csv_store, store, suppression
from subscribers.addresses import AddressError, is_role, match_key, normalise
from subscribers.csv_columns import GONE, UNCONFIRMED, columns, is_evidence, moment
from subscribers.csv_text import Record, records
from subscribers.keys import Keys
from subscribers.model import Status

BATCH = 500
MOST_PROBLEMS = 10_000
"""Sentences that a report holds; beyond them it only counts."""

_NOT_DELIVERABLE = frozenset({
    "cleaned", "bounced", "blocklisted", "blacklisted", "complained", "suppressed", "unreachable",
})  # fmt: skip


@dataclass(slots=True)
class ImportReport:
    """What an import came to: rows = active + pending + known + suppressed + gone + bad.

    `problems` are sentences, each with its line; `bad` rows were not taken."""

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
            f"{self.rows} rows: {would}{self.active} active, {self.pending} pending for want of consent, "
            f"{self.known} known already, {self.suppressed} suppressed, {self.gone} had left, {self.bad} with a problem"
        )

    def problem(self, line: int, sentence: str) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(f"line {line}: {sentence}")


@dataclass(frozen=True, slots=True)
class _Row:
    """A row as it will be stored; `status` SUPPRESSED is for the suppression list."""

    line: int
    address: str
    status: Status
    name: str
    language: str
    regions: tuple[str, ...]
    since: datetime | None
    consent: str
    said: str = ""


def import_csv(
    connection: Connection,
    keys: Keys,
    stream: BinaryIO,
    *,
    regions: Mapping[str, str],
    consent: str = "",
    at: datetime,
    dry_run: bool = False,
) -> ImportReport:
    """Read a CSV file, in batches. `regions` are slug → name, either of which a row may use.

    A row with evidence of consent (a column such as OPTIN_TIME, or `consent` for all) is active, one without pending;
    a reader who is known keeps what they chose, and a pending one becomes active by evidence. The caller owns the
    transaction. Raises UsageError where it is no CSV with a column of addresses."""
    report = ImportReport(dry_run=dry_run)
    rows = _rows(stream, regions, consent, at, report)
    seen: set[str] = set()
    while batch := list(islice(rows, BATCH)):
        _take(connection, keys, batch, report, at, seen)
    return report


def _take(
    connection: Connection, keys: Keys, batch: list[_Row], report: ImportReport, at: datetime, seen: set[str]
) -> None:
    """One batch. `seen` stands in for the database in a dry run, which writes nothing."""
    fresh: dict[str, _Row] = {}
    hashes = {row.address: suppression.address_hash(keys, row.address) for row in batch}
    forbidden = suppression.suppressed_hashes(connection, hashes.values())
    known = csv_store.known(connection, [match_key(row.address) for row in batch])
    confirmed: dict[str, _Row] = {}
    for row in batch:
        key = match_key(row.address)
        if hashes[row.address] in forbidden:
            report.suppressed += 1
        elif key in fresh or key in seen or key in confirmed:
            report.known += 1
        elif key not in known:
            fresh[key] = row
        elif known[key] in (Status.LEFT, Status.SUPPRESSED):
            report.gone += 1
        elif row.status in (Status.LEFT, Status.SUPPRESSED):
            report.known += 1
            report.problem(
                row.line, f"{row.address} is {known[key].value} here and {row.said} there; nothing was changed"
            )
        elif known[key] is Status.PENDING and row.status is Status.ACTIVE:
            confirmed[key] = row
            report.active += 1
        else:
            report.known += 1
    _count(report, fresh.values())
    if report.dry_run:
        seen.update(fresh, confirmed)
        return
    stored = {key: row for key, row in fresh.items() if row.status is not Status.SUPPRESSED}
    suppression.suppress_hashes(
        connection, [hashes[row.address] for key, row in fresh.items() if key not in stored], reason="imported", at=at
    )
    if stored:
        new = csv_store.import_rows(connection, [_stored(row, at) for row in stored.values()])
        csv_store.record_import(connection, new, at)
    for row in confirmed.values():
        store.add(connection, keys, row.address, regions=row.regions, name=row.name, consent=row.consent, at=at)


def _count(report: ImportReport, rows: Any) -> None:
    for row in rows:
        report.active += row.status is Status.ACTIVE
        report.pending += row.status is Status.PENDING
        report.gone += row.status in (Status.LEFT, Status.SUPPRESSED)


def _stored(row: _Row, at: datetime) -> dict[str, Any]:
    made = store.new_row(row.address, row.status, row.regions, row.name, row.language, row.consent, at)
    since = (row.since or at) if row.status is Status.ACTIVE else row.since
    return made | {"since": since, "left_at": at if row.status is Status.LEFT else None}


def _rows(
    stream: BinaryIO, regions: Mapping[str, str], consent: str, at: datetime, report: ImportReport
) -> Iterator[_Row]:
    found = records(stream)
    heading = next(found, Record(1, []))
    if heading.problem:
        raise UsageError(f"the first line is no CSV: {heading.problem}")
    where = columns(heading.cells)
    by_name = {name.casefold(): slug for slug, name in regions.items()} | {slug: slug for slug in regions}
    for record in found:
        report.rows += 1
        try:
            yield _row(record, where, by_name, consent, at)
        except AddressError as error:
            report.bad += 1
            report.problem(record.line, error.message)
        except ValueError as error:
            report.bad += 1
            report.problem(record.line, str(error))


def _row(
    record: Record, where: Mapping[str, list[int]], by_name: Mapping[str, str], consent: str, at: datetime
) -> _Row:
    """Raises AddressError, or ValueError with the reason."""
    if record.problem:
        raise ValueError(record.problem)

    def values(column: str) -> Iterator[str]:
        for place in where.get(column, ()):
            cell = record.cells[place] if place < len(record.cells) else ""
            yield _clean(cell[1:] if cell[:1] == "'" and cell[1:2] in _FORMULA else cell)

    def value(column: str) -> str:
        return next(filter(None, values(column)), "")

    address = normalise(value("address"))
    if is_role(address):
        raise ValueError(f"{address} belongs to a function, not to a reader")
    wanted = [part.strip() for part in value("regions").replace(";", ",").replace("|", ",").split(",") if part.strip()]
    unknown = [part for part in wanted if part.casefold() not in by_name]
    if unknown:
        raise ValueError(
            f"there is no region {unknown[0][:40]!r}; the regions are {', '.join(by_name.values()) or 'none'}"
        )

    said = value("status").casefold()
    times = [(cell, moment(cell)) for cell in values("since") if is_evidence(cell)]
    past = [(cell, when) for cell, when in times if when is None or when <= at]
    words = next(filter(is_evidence, values("consent")), "") or next((cell for cell, _ in past), "")
    evidence = (words if words.startswith("imported: ") else f"imported: {words}") if words else consent
    if said in GONE or value("gone"):
        said = said if said in GONE else "unsubscribed"
        status = Status.SUPPRESSED if said in _NOT_DELIVERABLE else Status.LEFT
    else:
        status = Status.ACTIVE if evidence and said not in UNCONFIRMED else Status.PENDING
    return _Row(
        line=record.line,
        address=address,
        status=status,
        name=(value("name") or f"{value('first')} {value('last')}".strip())[:200],
        language=value("language")[:35],
        regions=tuple(sorted({by_name[part.casefold()] for part in wanted})),
        since=next((when for _, when in past if when), None),
        consent=evidence[:2_000],
        said=said,
    )


def _clean(cell: str) -> str:
    """One line of text, without what cannot be seen (control and format characters)."""
    if cell.isprintable():
        return " ".join(cell.split())
    return " ".join("".join(c if unicodedata.category(c)[0] != "C" else " " for c in cell).split())


HEADER = ("email", "status", "regions", "name", "language", "since", "consent")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def export_csv(connection: Connection, stream: TextIO) -> int:
    """Write every reader, by number, in constant memory; returns how many. `import_csv` reads it again.

    `stream` is opened with newline="". A spreadsheet finds no formula in it."""
    writer = csv.writer(stream)
    writer.writerow(HEADER)
    count = 0
    for reader in store.stream(connection):
        since = reader.since.astimezone(UTC).isoformat() if reader.since else ""
        regions = ",".join(reader.regions)
        cells = (reader.address, reader.status.value, regions, reader.name, reader.language, since, reader.consent)
        writer.writerow([_harmless(cell) for cell in cells])
        count += 1
    return count


def _harmless(value: str) -> str:
    """A cell that a spreadsheet would take for a formula gets an apostrophe (OWASP, CSV injection)."""
    return f"'{value}" if value.startswith(_FORMULA) else value
