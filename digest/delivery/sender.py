"""The sender: claims what is due, has it looked at again, sends it over several connections, and writes
what became of it.

Three kinds of thread: the caller's claims and fills, each connection sends, one writer commits results in
groups."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from digest.database import Database
from digest.delivery.compiled import Compiled
from digest.delivery.connection import send_jobs
from digest.delivery.lanes import Lanes, Spreads
from digest.delivery.model import Delivery
from digest.delivery.producer import ExceptKeys, Prepare, Producer
from digest.delivery.recovery import OnResult, recover, sweep
from digest.delivery.run import Run, Summary, held_here
from digest.delivery.session import RelaySettings
from digest.delivery.writer import write_results
from digest.errors import DigestError

LEASE = timedelta(seconds=60)


def run(
    database: Database,
    *,
    relays: Sequence[RelaySettings],
    prepare: Prepare,
    compiled: Callable[[str, Delivery], Compiled],
    clock: Callable[[], datetime],
    journal_dir: Path,
    stop: threading.Event | None = None,
    progress: Callable[[Summary], None] | None = None,
    on_result: OnResult | None = None,
    until: Literal["nothing due", "stopped"] = "nothing due",
    only_key: str | None = None,
    except_keys: ExceptKeys = lambda _: (),
    rates: Mapping[str, float] | None = None,
    spreads: Spreads = dict,
    lease: timedelta = LEASE,
) -> Summary:
    """Sends what is due, until nothing is or `stop` is set; never resends what may have arrived.

    `relays` share the mails by their weights. `rates`: mails a second by provider; `spreads` is asked which keys go
    slowly and how many a second each. `compiled` is asked once for each rendition and key. `except_keys` is asked in
    the transaction of each claim and every half second: deliveries of those keys stay where they are, and go back where
    they have not left. `on_result` is called in the transaction that settles the delivery. `journal_dir` must be on
    this machine.
    Setting `stop` finishes the mails that are going out and gives the others back.

    The Summary says why it ended; DigestError where the database or the journal fails (nothing is lost: the
    next run takes it up)."""
    try:
        journal_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DigestError(f"journal folder {journal_dir}: {error.strerror}", mend="make it writable") from error
    journals = journal_dir.resolve()
    sweep(database, journals, now=datetime.now(UTC))  # files are dated by the machine's clock, whatever ours says
    state = Run(database, relays, clock, lease, stop or threading.Event(), on_result, progress)
    lanes = Lanes(state, only_key, rates or {}, spreads)
    producer = Producer(state, lanes, compiled, prepare, journals, except_keys)
    senders = [relay for relay in state.relays.all for _ in range(relay.settings.connections)]
    with _undisturbed(), ThreadPoolExecutor(len(senders) + 1, thread_name_prefix="digest-sender") as pool:
        threads = [pool.submit(send_jobs, state, relay, str(number)) for number, relay in enumerate(senders)]
        writer = pool.submit(write_results, state)
        try:
            producer.produce(until, [*threads, writer])
        finally:
            _wind_up(state, threads, writer)
            lanes.close()
    for future in (*threads, writer):
        future.result()
    return state.summary()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """The garbage collector passes over what was there before: else it looks at all of it again every few hundred
    mails, and finds nothing."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _wind_up(run: Run, threads: Sequence[Future[None]], writer: Future[None]) -> None:
    """Lets the mails in flight end, writes their results, and gives the others back."""
    run.halt.set()
    for _ in threads:
        run.jobs.put(None)
    wait(threads)
    run.results.put(None)
    wait([writer])
    run.forget_all()
    # Ours are now like a dead sender's: the journals know whatever a thread that failed could not write.
    recover(run.database, now=run.clock(), held=held_here(), on_result=run.on_result)
