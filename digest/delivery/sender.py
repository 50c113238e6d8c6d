"""The sender: claims what is due, has it looked at again, sends it over several connections, and writes
what became of it.

Three kinds of thread: the caller's claims and fills, each connection sends, one writer commits results in
groups."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex
from time import monotonic
from typing import Literal

from sqlalchemy.engine import Connection

from digest.database import Database
from digest.delivery import claims
from digest.delivery.claims import Settlement
from digest.delivery.connection import send_jobs
from digest.delivery.headers import MessageError, wire_address
from digest.delivery.message import Compiled, fill
from digest.delivery.model import Delivery, Excluded, Outcome, Ready, Status, Verdict
from digest.delivery.recovery import OnResult, Recovered, recover, sweep, this_process
from digest.delivery.run import HeldClaim, Job, Run, Summary, held_here
from digest.delivery.session import RelaySettings
from digest.delivery.smtp import Envelope
from digest.delivery.writer import write_results
from digest.errors import DigestError

Prepare = Callable[[Connection, Sequence[Delivery]], Sequence[Ready | Excluded]]
"""Looks again at each claimed delivery, in the transaction that claims it: may it still go, and with which
texts."""

LEASE = timedelta(seconds=60)
_WORK_IN_A_CLAIM = 2.0  # seconds
_KEPT_COMPILED = 128
_POLL = 1.0  # seconds between two looks at an empty outbox
_ASK = 0.5  # seconds between two looks at what is paused


def run(
    database: Database,
    *,
    relay: RelaySettings,
    prepare: Prepare,
    compiled: Callable[[str, Delivery], Compiled],
    clock: Callable[[], datetime],
    journal_dir: Path,
    stop: threading.Event | None = None,
    progress: Callable[[Summary], None] | None = None,
    on_result: OnResult | None = None,
    until: Literal["nothing due", "stopped"] = "nothing due",
    rate: float | None = None,
    connections: int = 4,
    only_key: str | None = None,
    except_keys: Callable[[], Collection[str]] = tuple,
    lease: timedelta = LEASE,
) -> Summary:
    """Sends what is due, until nothing is or `stop` is set; never resends what may have arrived.

    `rate`: messages a second over all connections, None unlimited. `compiled` is asked once for each
    rendition and key. `except_keys` is asked before each claim and every half second: deliveries of those
    keys stay where they are, and go back where they have not left. `on_result` is called in the transaction that
    settles the delivery. `journal_dir` must be on this machine. Setting `stop` finishes the mails that are going out and gives the others back.
    The Summary says why it ended; DigestError where the database or the journal fails (nothing is lost: the
    next run takes it up)."""
    try:
        journal_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DigestError(f"journal folder {journal_dir}: {error.strerror}", mend="make it writable") from error
    journals = journal_dir.resolve()
    sweep(database, journals, now=datetime.now(UTC))  # folders are dated by the machine's clock, whatever ours says
    state = Run(database, relay, clock, connections, rate, lease, stop or threading.Event(), on_result, progress)
    producer = _Producer(state, compiled, prepare, journals, only_key, except_keys)
    with ThreadPoolExecutor(connections + 1, thread_name_prefix="digest-sender") as pool:
        threads = [pool.submit(send_jobs, state, f"{number}.log") for number in range(connections)]
        writer = pool.submit(write_results, state)
        try:
            producer.produce(until, [*threads, writer])
        finally:
            _wind_up(state, threads, writer)
    for future in (*threads, writer):
        future.result()
    return state.summary()


class _Producer:
    """Claims, has the claimed looked at again, fills, and keeps the connections' queue from running dry."""

    def __init__(
        self,
        run: Run,
        compiled: Callable[[str, Delivery], Compiled],
        prepare: Prepare,
        journals: Path,
        key: str | None,
        except_keys: Callable[[], Collection[str]],
    ) -> None:
        self._run = run
        self._compiled = compiled
        self._prepare = prepare
        self._journals = journals
        self._key = key
        self._except_keys = except_keys
        self._kept: OrderedDict[tuple[str, str, str], Compiled] = OrderedDict()

    def produce(self, until: str, threads: Sequence[Future[None]]) -> None:
        run, looked, asked = self._run, -_POLL, -_POLL
        while not run.ending():
            if any(thread.done() for thread in threads):
                return  # it failed: its error is raised when all has been wound up
            if monotonic() - looked >= _POLL:
                self._recover()
                looked = monotonic()
            if monotonic() - asked >= _ASK:
                run.waiting = self._except_keys()
                asked = monotonic()
            limit = run.claim_limit(_WORK_IN_A_CLAIM)
            if run.jobs.qsize() > limit // 2:
                run.rest(0.005)
            elif not self._claim(limit):
                if run.held_claims():
                    run.rest(0.005)
                elif until == "stopped":
                    run.rest(_POLL)
                elif not self._any_due():  # what a last result made due again comes first
                    return

    def _recover(self) -> None:
        run = self._run
        found = recover(run.database, now=run.clock(), held=held_here(), on_result=run.on_result)
        so_far = run.recovered
        run.recovered = Recovered(
            so_far.settled + found.settled,
            so_far.released + found.released,
            so_far.uncertain + found.uncertain,
        )

    def _any_due(self) -> bool:
        with self._run.database.read() as connection:
            return claims.any_due(connection, now=self._run.clock(), key=self._key, except_keys=self._run.waiting)

    def _claim(self, limit: int) -> bool:
        """Takes one batch and hands it to the connections; False when nothing was due."""
        self._run.waiting = self._except_keys()
        if not self._any_due():
            return False
        run, now = self._run, self._run.clock()
        held = HeldClaim(token_hex(8), self._journals, now + run.lease)
        held.make_folder()
        run.hold(held)  # before the commit, or another run in this process would take it for a dead one's
        committed = False
        try:
            with run.database.begin() as connection:
                taken = claims.claim(
                    connection,
                    owner=this_process(),
                    journal=str(held.folder),
                    limit=limit,
                    now=now,
                    lease=run.lease,
                    key=self._key,
                    except_keys=self._run.waiting,
                    claim_id=held.id,
                )
                prepared = _checked(taken, self._prepare(connection, taken) if taken else ())
            committed = True
        finally:
            if not committed:
                run.drop(held)
        if not taken:
            run.drop(held)
            return False
        held.size = held.remaining = len(prepared)
        for one in prepared:
            if isinstance(one, Excluded):
                result = Settlement(one.delivery, Status.EXCLUDED, one.reason, tried=False)
                run.results.put((held, result))
                continue
            made = self._job(one, held)
            if isinstance(made, Job):
                run.jobs.put(made)
            else:
                run.results.put((held, made))
        return True

    def _job(self, ready: Ready, held: HeldClaim) -> Job | Settlement:
        delivery = ready.delivery
        try:
            message = self._message(delivery)
            made = fill(message, ready)
            recipient = wire_address(ready.address)
        except MessageError as error:
            return claims.settlement(delivery, Outcome(Verdict.FAULT, 0, "", str(error)))
        return Job(delivery, Envelope(made.sender, recipient, made.size), made.pieces, held)

    def _message(self, delivery: Delivery) -> Compiled:
        key = (delivery.rendition, delivery.mail, delivery.key)
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = self._compiled(delivery.rendition, delivery)
            if len(self._kept) > _KEPT_COMPILED:
                self._kept.popitem(last=False)
        return found


def _checked(taken: Sequence[Delivery], prepared: Sequence[Ready | Excluded]) -> Sequence[Ready | Excluded]:
    if sorted(one.delivery.id for one in prepared) != sorted(one.id for one in taken):
        raise DigestError("prepare() must answer for each claimed delivery exactly once")
    return prepared


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
