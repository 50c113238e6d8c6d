"""The one thread that writes results: in groups, so that a commit costs little a mail; it also keeps the
leases."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from queue import Empty
from time import monotonic, sleep
from typing import cast

from sqlalchemy.engine import Connection

from digest.delivery import claims
from digest.delivery.policy import taken
from digest.delivery.run import HeldClaim, Result, Run
from digest.delivery.settlements import Settlement, settle, settlement

_GROUP = 800  # results that wait for no company
_MOST = 1000
_WAIT = 0.1  # seconds that the first of a group waits for company
_GLANCE = 0.01  # seconds between two looks at whether any may still come, when no mail waits for a connection
_LOOK = 0.1  # seconds between two looks for readers who have left

Results = list[tuple[HeldClaim, Settlement]]


def write_results(run: Run) -> None:
    """Until None comes. Raises DigestError where the database fails; the journals then tell the next run."""
    looked, renewed = 0.0, monotonic()
    while True:
        batch, more = _collect(run)
        ids = [held.id for held in run.held_claims()]
        renewing = bool(ids) and monotonic() - renewed >= run.lease.total_seconds() / 3
        looking = bool(ids) and monotonic() - looked >= _LOOK
        if batch or renewing:
            _write(run, batch, ids, renewing=renewing, looking=looking)
        elif looking:
            with run.database.read() as connection:
                run.withdrawn.update(claims.withdrawn(connection, ids))
        renewed = monotonic() if renewing else renewed
        looked = monotonic() if looking else looked
        if not more:
            return


def _collect(run: Run) -> tuple[Results, bool]:
    """A group of results, perhaps none; False when there will be no more."""
    batch: Results = []
    try:
        item = run.results.get(timeout=_LOOK)
        _await_company(run)
        while item is not None:
            batch.append(_read(item))
            if len(batch) == _MOST:
                break
            item = run.results.get_nowait()
    except Empty:
        return batch, True
    return batch, item is not None


def _await_company(run: Run) -> None:
    """Others come meanwhile; to wake up for each would cost more than the commit. None come where this was the last."""
    until = monotonic() + _WAIT
    while (others := run.results.qsize()) < _GROUP and (left := until - monotonic()) > 0:
        if run.jobs.empty():
            if others + 1 >= sum(held.remaining for held in run.held_claims()):
                return
            left = min(left, _GLANCE)
        sleep(left)


def _read(result: Result) -> tuple[HeldClaim, Settlement]:
    first, what = result
    if isinstance(first, HeldClaim):
        return first, cast("Settlement", what)
    return first.held, settlement(first.delivery, taken(cast("bytes", what)), first.message.content_hash)


def _write(run: Run, batch: Results, ids: list[str], *, renewing: bool, looking: bool) -> None:
    now = run.clock()
    done = Counter(held for held, _ in batch)
    finished = [held for held, count in done.items() if count == held.remaining]
    with run.database.begin() as connection:
        settle(connection, [result for _, result in batch], now=now)
        if run.on_result is not None:
            for _, result in batch:
                if result.outcome is not None:
                    run.on_result(connection, result.delivery, result.outcome)
        claims.end_claims(connection, [held.id for held in finished])
        if renewing:
            _renew(run, connection, ids, now)
        if looking:
            run.withdrawn.update(claims.withdrawn(connection, ids))
    for held, count in done.items():
        held.remaining -= count
    for held in finished:
        run.drop(held)
        if not held.paced:
            run.speed = held.size / max(monotonic() - held.since, 0.001)
    for _, result in batch:
        run.count(result)
    if run.withdrawn:
        for _, result in batch:
            run.withdrawn.pop(result.delivery.id, None)
    if run.progress is not None and batch:
        run.progress(run.summary())


def _renew(run: Run, connection: Connection, ids: list[str], now: datetime) -> None:
    """A claim that is no longer ours was given up for dead elsewhere: its lease runs out here as well."""
    ours = claims.renew(connection, ids, expires_at=now + run.lease)
    for held in run.held_claims():
        if held.id in ours:
            held.expires_at = now + run.lease
        elif held.id in ids:
            held.expires_at = now
