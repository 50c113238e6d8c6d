"""The rows of a CSV file as they would be stored, each with what is wrong with it. Nothing is asked of the database."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import BinaryIO

from digest.errors import UsageError
from subscribers.addresses import AddressError, is_role, normalise
from subscribers.csv_columns import GONE, UNCONFIRMED, columns, is_evidence, moment
from subscribers.csv_text import Position, Record, plain, records
from subscribers.model import Status

_NOT_DELIVERABLE = frozenset({
    "cleaned", "bounced", "blocklisted", "blacklisted", "complained", "suppressed", "unreachable",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it will be stored; `status` SUPPRESSED is for the suppression list. `said` is the file's word for it.

    `problem` is why it cannot be taken; then the rest means nothing."""

    line: int
    address: str = ""
    status: Status = Status.PENDING
    name: str = ""
    language: str = ""
    regions: tuple[str, ...] = ()
    since: datetime | None = None
    consent: str = ""
    said: str = ""
    problem: str = ""


def read(
    stream: BinaryIO,
    *,
    regions: Mapping[str, str],
    consent: str,
    at: datetime,
    size: int,
    position: Position | None = None,
) -> Iterator[list[Row]]:
    """Every row, `size` at a time. `regions` are slug → name, either of which a row may use; `consent` is the evidence
    for rows that bring none. Raises UsageError where it is no CSV with a column of addresses."""
    found = records(stream, position)
    heading = next(found, Record(1, []))
    if heading.problem:
        raise UsageError(f"the first line is no CSV: {heading.problem}")
    where = columns(heading.cells)
    by_name = {name.casefold(): slug for slug, name in regions.items()} | {slug: slug for slug in regions}
    rows = (_row_or_problem(record, where, by_name, consent, at) for record in found)
    while batch := list(islice(rows, size)):
        yield batch


def _row_or_problem(
    record: Record, where: Mapping[str, list[int]], by_name: Mapping[str, str], consent: str, at: datetime
) -> Row:
    try:
        return _row(record, where, by_name, consent, at)
    except AddressError as error:
        return Row(record.line, problem=error.message)
    except ValueError as error:
        return Row(record.line, problem=str(error))


def _row(record: Record, where: Mapping[str, list[int]], by_name: Mapping[str, str], consent: str, at: datetime) -> Row:
    """Raises AddressError, or ValueError with the reason."""
    if record.problem:
        raise ValueError(record.problem)

    def values(column: str) -> Iterator[str]:
        for place in where.get(column, ()):
            cell = record.cells[place] if place < len(record.cells) else ""
            yield _clean(plain(cell))

    def value(column: str) -> str:
        return next(filter(None, values(column)), "")

    address = normalise(value("address"))
    if is_role(address):
        raise ValueError(f"{address} belongs to a function, not to a reader")
    wanted = [part.strip() for part in value("regions").replace(";", ",").replace("|", ",").split(",") if part.strip()]
    unknown = [part for part in wanted if part.casefold() not in by_name]
    if unknown:
        there = ", ".join(dict.fromkeys(by_name.values())) or "none"
        raise ValueError(f"there is no region {unknown[0][:40]!r}; the regions are {there}")
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
    return Row(
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
