"""The rows of a CSV file as they would be stored, each with what is wrong with it. Nothing is asked of the database."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import BinaryIO

from digest.errors import UsageError
from subscribers.addresses import AddressError, is_role, normalise
from subscribers.csv_columns import GONE, UNCONFIRMED, columns, is_evidence, is_ours, moment
from subscribers.csv_text import Position, Record, plain, records
from subscribers.model import Status

_NOT_DELIVERABLE = frozenset({
    "cleaned", "bounced", "blocklisted", "blacklisted", "complained", "suppressed", "unreachable",
})  # fmt: skip
_SLUG = re.compile(r"[a-z0-9-]{1,200}")


@dataclass(frozen=True, slots=True)
class Row:
    """A row as it will be stored; `status` SUPPRESSED is for the suppression list. `said` is the file's word for it.

    `lost` are regions that are configured no more, and kept. `problem` is why it cannot be taken; then the rest means
    nothing."""

    line: int
    address: str = ""
    status: Status = Status.PENDING
    name: str = ""
    language: str = ""
    regions: tuple[str, ...] = ()
    since: datetime | None = None
    consent: str = ""
    said: str = ""
    paused_until: datetime | None = None
    lost: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class _File:
    """How the cells of a file are to be read; `ours`: it is an export of ours."""

    where: Mapping[str, list[int]]
    regions: Mapping[str, str]
    consent: str
    at: datetime
    ours: bool


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
    for rows that bring none. In an export of ours a region may be one that is configured no more: its readers chose it
    here, and it stays theirs. Raises UsageError where it is no CSV with a column of addresses."""
    found = records(stream, position)
    heading = next(found, Record(1, []))
    if heading.problem:
        raise UsageError(f"the first line is no CSV: {heading.problem}")
    by_name = {name.casefold(): slug for slug, name in regions.items()} | {slug: slug for slug in regions}
    file = _File(columns(heading.cells), by_name, consent, at, is_ours(heading.cells))
    rows = (_row_or_problem(record, file) for record in found)
    while batch := list(islice(rows, size)):
        yield batch


def _row_or_problem(record: Record, file: _File) -> Row:
    try:
        return _row(record, file)
    except AddressError as error:
        return Row(record.line, problem=error.message)
    except ValueError as error:
        return Row(record.line, problem=str(error))


def _row(record: Record, file: _File) -> Row:
    """Raises AddressError, or ValueError with the reason."""
    if record.problem:
        raise ValueError(record.problem)

    def values(column: str) -> Iterator[str]:
        for place in file.where.get(column, ()):
            cell = record.cells[place] if place < len(record.cells) else ""
            yield _clean(plain(cell))

    def value(column: str) -> str:
        return next(filter(None, values(column)), "")

    address = normalise(value("address"))
    if is_role(address):
        raise ValueError(f"{address} belongs to a function, not to a reader")
    regions, lost = _regions(value("regions"), file)
    said = value("status").casefold()
    times = [(cell, moment(cell)) for cell in values("since") if is_evidence(cell)]
    past = [(cell, when) for cell, when in times if when is None or when <= file.at]
    words = next(filter(is_evidence, values("consent")), "") or next((cell for cell, _ in past), "")
    evidence = (words if words.startswith("imported: ") else f"imported: {words}") if words else file.consent
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
        regions=regions,
        since=next((when for _, when in past if when), None),
        consent=evidence[:2_000],
        said=said,
        paused_until=_until(value("pause"), status),
        lost=lost,
    )


def _until(cell: str, status: Status) -> datetime | None:
    """Raises ValueError where nobody could tell how long somebody wants no mail who would get it."""
    until = moment(cell) if is_evidence(cell) else None
    if until is None and is_evidence(cell) and status in (Status.ACTIVE, Status.PENDING):
        raise ValueError(f"paused until {cell[:40]!r}, which is no time; write it as 2026-12-24")
    return until


def _regions(cell: str, file: _File) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Their slugs, and those among them that are none now. Raises ValueError."""
    wanted = [part.strip() for part in cell.replace(";", ",").replace("|", ",").split(",") if part.strip()]
    lost = [part for part in wanted if part.casefold() not in file.regions]
    if wrong := [part for part in lost if not (file.ours and _SLUG.fullmatch(part))]:
        there = ", ".join(dict.fromkeys(file.regions.values())) or "none"
        raise ValueError(f"there is no region {wrong[0][:40]!r}; the regions are {there}")
    found = {part if part in lost else file.regions[part.casefold()] for part in wanted}
    return tuple(sorted(found)), tuple(sorted(set(lost)))


def _clean(cell: str) -> str:
    """One line of text, without what cannot be seen (control and format characters)."""
    if cell.isprintable():
        return " ".join(cell.split())
    return " ".join("".join(c if unicodedata.category(c)[0] != "C" else " " for c in cell).split())
