"""What staff do with the audience: add, import, export, look up, suppress, erase."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from digest.app import App
from digest.bounces import store as bounces
from digest.delivery import store as outbox
from digest.errors import DigestError, NotFoundError, UsageError
from subscribers import csv_io, erasure, suppression
from subscribers import store as subscribers
from subscribers.addresses import normalise
from subscribers.model import Status, Subscriber


def split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def spoken(regions: Sequence[str]) -> str:
    return ", ".join(regions) or "all regions"


def _checked(app: App, regions: Sequence[str]) -> tuple[str, ...]:
    known = app.publication.region_names
    for region in regions:
        if region not in known:
            raise UsageError(f"there is no region {region!r}", mend=f"the regions are {', '.join(known)}")
    return tuple(regions)


def add(app: App, address: str, *, regions: Sequence[str] = (), name: str = "") -> Subscriber:
    """Raises UsageError for an address or a region that cannot be, RefusedError for a suppressed address."""
    with app.database.begin() as connection:
        return subscribers.add(
            connection,
            app.keys,
            normalise(address),
            regions=_checked(app, regions),
            name=name,
            consent="added by staff",
            at=app.now,
        )


def import_file(app: App, file: Path, *, consent: str = "", dry_run: bool = False) -> csv_io.ImportReport:
    """Good rows go in, in one transaction; bad ones are told line by line."""
    try:
        stream = sys.stdin.buffer if str(file) == "-" else file.open("rb")
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}", mend="name a CSV file, or - for standard input") from None
    with stream, app.database.begin() as connection:
        return csv_io.import_csv(
            connection,
            app.keys,
            stream,
            regions=app.publication.region_names,
            consent=consent,
            at=app.now,
            dry_run=dry_run,
        )


def export_file(app: App, output: Path | None) -> int:
    """Returns how many were written. A file is there whole or not at all, for its owner alone: it holds addresses."""
    with app.database.read() as connection:
        if output is None:
            return csv_io.export_csv(connection, sys.stdout)
        if output.exists() and not output.is_file():  # a pipe or a device
            with output.open("w", encoding="utf-8", newline="") as stream:
                return csv_io.export_csv(connection, stream)
        part = output.with_name(f".{output.name}.{secrets.token_hex(4)}")
        try:
            with os.fdopen(
                os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8", newline=""
            ) as stream:
                count = csv_io.export_csv(connection, stream)
            part.replace(output)
        except OSError as error:
            raise DigestError(
                f"{output}: {error.strerror}", mend="nothing was written; choose another place, or make room"
            ) from error
        finally:
            part.unlink(missing_ok=True)
        return count


def stream(app: App, status: str | None = None) -> Iterator[Subscriber]:
    """Every subscriber, in constant memory. Raises UsageError for a status that is none."""
    if status is not None and status not in list(Status):
        raise UsageError(f"--status {status!r} is none", mend=f"it is one of {', '.join(Status)}")
    with app.database.read() as connection:
        yield from subscribers.stream(connection, Status(status) if status else None)


def find(app: App, address: str) -> Subscriber:
    with app.database.read() as connection:
        found = subscribers.find(connection, normalise(address))
    if found is None:
        raise NotFoundError(f"{address} is no subscriber")
    return found


def suppress(app: App, address: str, reason: str) -> None:
    """Works for an address that is no subscriber, too; at once for a delivery that waits."""
    with app.database.begin() as connection:
        subscriber = suppression.suppress(connection, app.keys, normalise(address), reason=reason, at=app.now)
        if subscriber is not None:
            outbox.exclude(connection, subscriber, f"suppressed: {reason}", now=app.now)


def erase(app: App, address: str) -> None:
    """Raises NotFoundError where there is nobody."""
    with app.database.begin() as connection:
        erased = erasure.erase(connection, app.keys, normalise(address), at=app.now)
        if erased is None:
            raise NotFoundError(f"{address} is no subscriber")
        outbox.erase(connection, erased, now=app.now)
        bounces.forget(connection, erased)
