"""The audience as CSV, in and out: as Mailchimp, listmonk, Keila and plain spreadsheets write it.

Good rows go in; each bad one is told with its line. Nobody who is suppressed or has left comes back this way."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any, BinaryIO, TextIO

from sqlalchemy.engine import Connection

from digest.errors import UsageError
from subscribers import store
from subscribers.addresses import AddressError, is_role, match_key, normalise
from subscribers.keys import Keys
from subscribers.model import Status

ADDRESS = ("email address", "email", "e-mail", "e-mail address", "address", "mail", "courriel", "correo")
NAME = ("name", "full name", "nom", "nombre")
FIRST, LAST = (
    ("first name", "first_name", "firstname", "fname"),
    ("last name", "last_name", "lastname", "lname"),
)
REGIONS = ("regions", "region", "choices", "interests", "groups")
CONSENT = (
    "optin_time",
    "confirm_time",
    "opt-in time",
    "consent",
    "consent_time",
    "subscribed_at",
    "confirmed_at",
    "optin",
)
STATUS = ("status", "subscription status", "state")
GONE = (
    "unsubscribed",
    "cleaned",
    "blocklisted",
    "blacklisted",
    "disabled",
    "unreachable",
    "bounced",
    "left",
    "suppressed",
)
BATCH = 500
_LONGEST_FIELD = 10_000


@dataclass(slots=True)
class ImportReport:
    """What an import came to. `problems` are sentences, each with its line."""

    rows: int = 0
    active: int = 0
    pending: int = 0
    known: int = 0
    suppressed: int = 0
    gone: int = 0
    dry_run: bool = False
    problems: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def sentence(self) -> str:
        would = "would be " if self.dry_run else ""
        return (
            f"{self.rows} rows: {would}{self.active} active, {self.pending} pending for want of consent, {self.known} known "
            f"already, {self.suppressed} suppressed, {self.gone} had left, {len(self.problems)} with a problem"
        )


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    address: str
    name: str
    regions: tuple[str, ...]
    consent: str


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

    A row with evidence of consent (a column such as OPTIN_TIME, or `consent` for all) is active, one without pending.
    Raises UsageError where it is no CSV with a column of addresses. The caller owns the transaction."""
    report = ImportReport(dry_run=dry_run)
    seen: set[bytes] = set()
    rows = _rows(stream, regions, consent, report, seen)
    while batch := list(islice(rows, BATCH)):
        _take(connection, keys, batch, report, at, dry_run)
    return report


def _take(
    connection: Connection, keys: Keys, batch: list[_Row], report: ImportReport, at: datetime, dry_run: bool
) -> None:
    hashes = {row.address: store.address_hash(keys, row.address) for row in batch}
    forbidden = store.suppressed_hashes(connection, hashes.values())
    allowed = [row for row in batch if hashes[row.address] not in forbidden]
    report.suppressed += len(batch) - len(allowed)
    known = store.known(connection, [match_key(row.address) for row in allowed])
    new = [row for row in allowed if match_key(row.address) not in known]
    for row in allowed:
        if match_key(row.address) in known:
            gone = known[match_key(row.address)] in (Status.LEFT, Status.SUPPRESSED)
            report.gone, report.known = report.gone + gone, report.known + (not gone)
    report.active += sum(bool(row.consent) for row in new)
    report.pending += sum(not row.consent for row in new)
    if not dry_run and new:
        store.import_rows(
            connection,
            [
                store.new_row(
                    r.address,
                    Status.ACTIVE if r.consent else Status.PENDING,
                    r.regions,
                    r.name,
                    "",
                    r.consent,
                    at,
                )
                for r in new
            ],
        )
        store.record_import(connection, [match_key(row.address) for row in new], at)


def _rows(
    stream: BinaryIO, regions: Mapping[str, str], consent: str, report: ImportReport, seen: set[bytes]
) -> Iterator[_Row]:
    text = _decoded(stream)
    reader = csv.reader(text, _dialect(text), strict=True)
    columns = _columns(next(reader, []))
    by_name = {name.casefold(): slug for slug, name in regions.items()} | {slug: slug for slug in regions}
    try:
        for fields in reader:
            if not any(value.strip() for value in fields):
                continue
            report.rows += 1
            row = _row(fields, columns, by_name, consent, reader.line_num, report)
            if row is not None:
                mark = match_key(row.address).encode()
                if mark in seen:
                    report.known += 1
                else:
                    seen.add(mark)
                    yield row
    except csv.Error as error:
        raise UsageError(
            f"line {reader.line_num} is not CSV: {error}", mend="nothing was imported; mend that line"
        ) from None


def _row(
    fields: list[str],
    columns: Mapping[str, int],
    by_name: Mapping[str, str],
    consent: str,
    line: int,
    report: ImportReport,
) -> _Row | None:
    def value(column: str) -> str:
        at = columns.get(column)
        return fields[at].strip()[:_LONGEST_FIELD] if at is not None and at < len(fields) else ""

    if value("status").casefold() in GONE:
        report.gone += 1
        return None
    try:
        address = normalise(value("address").removeprefix("'"))
    except AddressError as error:
        report.problems.append(f"line {line}: {error.message}")
        return None
    if is_role(address):
        report.problems.append(f"line {line}: {address} belongs to a function, not to a reader")
        return None
    wanted = [part.strip() for part in value("regions").replace(";", ",").split(",") if part.strip()]
    unknown = [part for part in wanted if part.casefold() not in by_name]
    if unknown:
        report.problems.append(f"line {line}: there is no region {unknown[0]!r}")
        return None
    name = value("name") or f"{value('first')} {value('last')}".strip()
    chosen = tuple(sorted({by_name[part.casefold()] for part in wanted}))
    evidence = value("consent")
    return _Row(line, address, " ".join(name.split()), chosen, f"imported: {evidence}" if evidence else consent)


def _columns(header: list[str]) -> dict[str, int]:
    names = [name.strip().strip("\ufeff").casefold() for name in header]
    columns = {}
    for column, aliases in (
        ("address", ADDRESS), ("name", NAME), ("first", FIRST), ("last", LAST), ("regions", REGIONS), ("consent", CONSENT), ("status", STATUS),
    ):  # fmt: skip
        found = next((names.index(alias) for alias in aliases if alias in names), None)
        if found is not None:
            columns[column] = found
    if "address" not in columns:
        raise UsageError(
            f"the first line names no column of addresses: {', '.join(header[:6]) or 'it is empty'}",
            mend="name it `email` or `Email Address`",
        )
    return columns


def _decoded(stream: BinaryIO) -> io.TextIOWrapper:
    """UTF-8 or UTF-16 by their byte order marks, else UTF-8, else Windows-1252 as spreadsheets write it."""
    buffered = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(stream)  # type: ignore[type-var]
    start = buffered.peek(65_536)[:65_536]
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        encoding = "utf-16"
    else:
        try:
            start.decode("utf-8-sig")
            encoding = "utf-8-sig"
        except UnicodeDecodeError as error:  # a character cut at the end of what we looked at is no sign
            encoding = "utf-8-sig" if error.start > len(start) - 4 and len(start) >= 65_536 else "cp1252"
    return io.TextIOWrapper(buffered, encoding=encoding, errors="replace", newline="")


def _dialect(text: io.TextIOWrapper) -> type[csv.Dialect]:
    start = text.buffer.peek(65_536)[:65_536].decode(text.encoding, errors="replace")  # type: ignore[attr-defined]
    first = start.splitlines()[0] if start.strip() else ""
    delimiter = max(",;\t|", key=first.count)

    class Found(csv.excel):
        pass

    Found.delimiter = delimiter
    return Found


HEADER = ("email", "status", "regions", "name", "since", "consent")


def export_csv(connection: Connection, stream: TextIO) -> int:
    """Write every reader, by number, in constant memory; returns how many. Excel finds no formula in it."""
    writer = csv.writer(stream)
    writer.writerow(HEADER)
    count = 0
    for reader in store.stream(connection):
        since = reader.since.astimezone(UTC).isoformat() if reader.since else ""
        fields = (
            reader.address,
            reader.status.value,
            ",".join(reader.regions),
            reader.name,
            since,
            reader.consent,
        )
        writer.writerow([_harmless(value) for value in fields])
        count += 1
    return count


def _harmless(value: str) -> str:
    """A cell that a spreadsheet would take for a formula gets an apostrophe (OWASP, CSV injection)."""
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
