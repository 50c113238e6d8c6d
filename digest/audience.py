"""What staff do with the audience: add, import, export, look up, suppress, erase."""

from __future__ import annotations

import gc
import os
import secrets
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from digest.app import App
from digest.bounces import store as bounces
from digest.database import one_at_a_time
from digest.delivery import erasing
from digest.delivery import store as outbox
from digest.errors import DigestError, NotFoundError, UsageError
from subscribers import csv_import, csv_rows, erasure, former, suppression
from subscribers import store as subscribers
from subscribers.addresses import normalise
from subscribers.csv_export import export_csv
from subscribers.csv_import import ImportReport, Rehearsal, Told
from subscribers.model import Status, Subscriber, Suppression

IMPORTED_AT_ONCE = 1_000
"""Rows in a transaction: some 50 ms, for which another writer waits."""

TIDIED_EVERY = 20_000
"""Rows after which the memory is tidied: the command line lets rubbish lie for longer than a million rows allow."""


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


def import_file(
    app: App,
    file: Path,
    *,
    consent: str = "",
    dry_run: bool = False,
    told: Callable[[Told], None] | None = None,
    progress: Callable[[ImportReport, int, int], None] | None = None,
) -> ImportReport:
    """Good rows go in, a batch a transaction; bad ones are told line by line. Again is harmless, also after a kill.

    Rows are read between the transactions, so that readers who leave meanwhile need not wait. `told` gets each row as
    it is done, `progress` the report so far, and how many bytes of how many have been read."""
    report = ImportReport(dry_run=dry_run)
    where = [0, 0]

    def position(done: int, total: int) -> None:
        where[:] = done, total

    try:
        stream = sys.stdin.buffer if str(file) == "-" else file.open("rb")
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}", mend="name a CSV file, or - for standard input") from None
    with stream, closing(Rehearsal()) as rehearsal:
        names, now, moves = app.publication.region_names, app.now, former.Former()
        for batch in csv_rows.read(
            stream, regions=names, consent=consent, at=now, size=IMPORTED_AT_ONCE, position=position
        ):
            if dry_run:
                with app.database.read() as connection:
                    done = csv_import.take(connection, app.keys, batch, at=now, former=moves, rehearsal=rehearsal)
            else:
                with app.database.begin() as connection:
                    one_at_a_time(connection, "import")
                    done = csv_import.take(connection, app.keys, batch, at=now, former=moves)
            report.count(done)
            if told:
                for one in done:
                    told(one)
            if progress:
                progress(report, where[0], where[1])
            if report.rows % TIDIED_EVERY < IMPORTED_AT_ONCE:
                gc.collect()
    return report


def export_file(app: App, output: Path | None) -> int:
    """Returns how many were written. A file is there whole or not at all, for its owner alone: it holds addresses."""
    with app.database.read() as connection:
        if output is None:
            return export_csv(connection, sys.stdout)
        if output.exists() and not output.is_file():  # a pipe or a device
            with output.open("w", encoding="utf-8", newline="") as stream:
                return export_csv(connection, stream)
        part = output.with_name(f".{output.name}.{secrets.token_hex(4)}")
        try:
            with os.fdopen(
                os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8", newline=""
            ) as stream:
                count = export_csv(connection, stream)
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


def find_suppressed(app: App, address: str) -> Subscriber | None:
    """The reader of a suppressed address; None where there is none."""
    with app.database.read() as connection:
        return subscribers.find(connection, normalise(address))


def widest(app: App, *, at_most: int) -> int:
    """How wide a column of addresses is, so that it can be written as it comes."""
    with app.database.read() as connection:
        return min(subscribers.longest_address(connection), at_most)


def suppressed(app: App, address: str) -> Suppression | None:
    """Why an address must not be mailed, known or not; None where it may be."""
    with app.database.read() as connection:
        return suppression.why(connection, app.keys, normalise(address))


def suppress(app: App, address: str, reason: str = "", *, by_request: bool = False) -> str:
    """Works for an address that is no subscriber, too; at once for a delivery that waits. Returns the whole reason."""
    kind = suppression.REQUEST if by_request else suppression.STAFF
    reason = f"{kind}: {reason.strip()}" if reason.strip() else kind
    with app.database.begin() as connection:
        subscriber = suppression.suppress(connection, app.keys, normalise(address), reason=reason, at=app.now)
        if subscriber is not None:
            outbox.exclude(connection, subscriber, f"suppressed: {reason}", now=app.now)
    return reason


def allow(app: App, address: str, reason: str) -> Status | None:
    """Lift a suppression; what its reader is now, None where there is none. Raises NotFoundError, RefusedError, and
    UsageError without a reason."""
    if not reason.strip():
        raise UsageError("--reason is empty", mend="say why this address may be mailed again")
    with app.database.begin() as connection:
        return suppression.lift(connection, app.keys, normalise(address), reason=reason.strip(), at=app.now)


def erase(app: App, address: str) -> bool:
    """Everything personal, in every room, and on the disk; a keyed hash stays. False where the file could not be
    written anew, as others use it, and free space in it may hold traces. Raises NotFoundError where there is nothing.
    """
    wanted = normalise(address)
    with app.database.begin() as connection:
        reader = subscribers.find(connection, wanted)
        had = former.of(connection, reader.id) if reader else []
        waiting = erasure.forget_waiting(connection, app.keys, wanted)
        erased = erasure.erase(connection, app.keys, wanted, at=app.now)
        same = partial(erasure.same, wanted)
        mails = erasing.erase_address(connection, same, now=app.now)
        moved = erasure.forget_mentions(connection, wanted)
        erasing.erase_former(connection, moved, same, now=app.now)
        if erased is not None:
            erasing.erase(connection, erased, now=app.now)
            bounces.forget(connection, erased)
        elif waiting or mails or moved:
            erasure.keep_hash(connection, app.keys, wanted, at=app.now)
        elif suppression.why(connection, app.keys, wanted) is None:  # else it may be erased already, but for the disk
            raise NotFoundError(f"{address} is no subscriber")
        suppression.forget_reason(connection, app.keys, wanted)
    return app.database.scrub({address, wanted, wanted.casefold(), *had})
