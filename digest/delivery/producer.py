"""The thread that claims, and fills the messages for the connections."""

from __future__ import annotations

import heapq
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future
from itertools import count
from pathlib import Path
from time import monotonic

from sqlalchemy.engine import Connection

from digest.delivery import claims
from digest.delivery.claims import Choice
from digest.delivery.compiled import Compiled, fill
from digest.delivery.headers import MessageError
from digest.delivery.lanes import Lanes
from digest.delivery.model import Delivery, Excluded, Outcome, Ready, Status, Verdict
from digest.delivery.recovery import Recovered, recover, this_process
from digest.delivery.run import HeldClaim, Job, Run, held_here
from digest.delivery.settlements import Settlement, settlement
from digest.errors import DigestError

ExceptKeys = Callable[[Connection], Collection[str]]
"""The keys whose deliveries stay where they are for now."""
Prepare = Callable[[Connection, Sequence[Delivery]], Sequence[Ready | Excluded]]
"""Looks again at each claimed delivery, in the transaction that claims it: may it still go, and with which
texts."""

_WORK_IN_A_CLAIM = 2.0  # seconds
_KEPT_COMPILED = 128
_POLL = 1.0  # seconds between two looks at an empty outbox
_ASK = 0.5  # seconds between two looks at what is paused
_BREATH = 0.01  # seconds
_MOMENT = 0.03  # seconds between two looks at lanes that wait for theirs


class Producer:
    """Claims, has the claimed looked at again, fills, and keeps the connections' queue from running dry."""

    def __init__(
        self,
        run: Run,
        lanes: Lanes,
        compiled: Callable[[str, Delivery], Compiled],
        prepare: Prepare,
        journals: Path,
        except_keys: ExceptKeys,
    ) -> None:
        self._run = run
        self._lanes = lanes
        self._compiled = compiled
        self._prepare = prepare
        self._journals = journals
        self._except_keys = except_keys
        self._kept: OrderedDict[tuple[str, str, str], Compiled] = OrderedDict()
        self._later: list[tuple[float, int, Job]] = []
        self._numbers = count()
        self._asked = -_ASK
        self._more = False  # the last claim left some

    def produce(self, until: str, threads: Sequence[Future[None]]) -> None:
        run, lanes = self._run, self._lanes
        looked = -_POLL
        while not run.ending():
            if any(thread.done() for thread in threads):
                return  # it failed: its error is raised when all has been wound up
            if monotonic() - looked >= _POLL or run.slow_news:
                self._look_around()
                looked = monotonic()
            if monotonic() - self._asked >= _ASK:
                with run.database.read() as connection:
                    self._ask(connection)
            self._let_go()
            limit = run.claim_limit(_WORK_IN_A_CLAIM)
            if run.jobs.qsize() > limit // 2:
                run.rest(_BREATH)
            elif not self._claim_any(limit):
                if run.held_claims():
                    run.rest(_MOMENT if self._later else _BREATH)
                elif until == "stopped":
                    run.rest(_MOMENT if lanes.any else _POLL)
                elif not self._any_due(lanes.whatever()) and not self._look_around():  # what was last made due again
                    return
                elif lanes.any:
                    run.rest(_MOMENT)

    def _look_around(self) -> bool:
        """What dead senders left, and which providers were slowed; whether anything was left."""
        run = self._run
        found = recover(run.database, now=run.clock(), held=held_here(), on_result=run.on_result)
        so_far = run.recovered
        run.recovered = Recovered(
            so_far.settled + found.settled,
            so_far.released + found.released,
            so_far.uncertain + found.uncertain,
        )
        self._lanes.refresh()
        return found != Recovered()

    def _ask(self, connection: Connection) -> None:
        """What is paused."""
        self._run.waiting = frozenset(self._except_keys(connection))
        self._asked = monotonic()

    def _let_go(self) -> None:
        """Hands on what waited for its moment."""
        now = monotonic()
        while self._later and self._later[0][0] <= now:
            self._run.jobs.put(heapq.heappop(self._later)[2])

    def _any_due(self, choice: Choice) -> bool:
        with self._run.database.read() as connection:
            return claims.any_due(connection, now=self._run.clock(), choice=choice)

    def _claim_any(self, limit: int) -> bool:
        """From the lanes whose moments have come, and of what needs none; False when nothing was claimed."""
        some = False
        for lane in self._lanes.open():
            if not self._any_due(lane.choice):
                lane.empty()
                continue
            if not (moments := lane.moments(limit)):
                continue
            taken = self._claim(lane.choice, len(moments), moments)
            lane.unused(moments[taken:])
            if taken:
                lane.claimed(moments[:taken])
                some = True
        choice = self._lanes.everything_else()
        if choice is not None and (self._more or self._any_due(choice)):  # to look does not take the right to write
            taken = self._claim(choice, limit)
            self._more = taken == limit
            some = taken > 0 or some
        return some

    def _claim(self, choice: Choice, limit: int, moments: Sequence[float] = ()) -> int:
        """Takes one batch and hands it to the connections, each mail at its moment; returns how many."""
        run, now = self._run, self._run.clock()
        held = HeldClaim(self._journals, limit, now + run.lease)
        held.paced = bool(moments)
        run.hold(held)  # before the commit, or another run in this process would take it for a dead one's
        committed = False
        try:
            with run.database.begin() as connection:
                self._ask(connection)  # nothing of what was paused by now is claimed
                taken = claims.claim(
                    connection,
                    owner=this_process(),
                    journal=str(held.journal.path),
                    limit=limit,
                    now=now,
                    lease=run.lease,
                    choice=choice.without(run.waiting),
                    claim_id=held.id,
                )
                prepared = _checked(taken, self._prepare(connection, taken) if taken else ())
            committed = True
        finally:
            if not committed:
                run.drop(held)
        if not taken:
            run.drop(held)
            return 0
        held.size = held.remaining = len(prepared)
        for number, one in enumerate(prepared):
            if isinstance(one, Excluded):
                result = Settlement(one.delivery, Status.EXCLUDED, one.reason, tried=False)
                run.results.put((held, result))
                continue
            made = self._job(one, held, number)
            if not isinstance(made, Job):
                run.results.put((held, made))
            elif moments:
                heapq.heappush(self._later, (moments[number], next(self._numbers), made))
            else:
                run.jobs.put(made)
        return len(taken)

    def _job(self, ready: Ready, held: HeldClaim, slot: int) -> Job | Settlement:
        delivery = ready.delivery
        try:
            message = self._message(delivery)
            made = fill(message, ready)
        except MessageError as error:
            return settlement(delivery, Outcome(Verdict.FAULT, 0, "", str(error)))
        return Job(delivery, made, held, slot)

    def _message(self, delivery: Delivery) -> Compiled:
        key = (delivery.rendition, delivery.mail, delivery.key)
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = self._compiled(delivery.rendition, delivery)
            if len(self._kept) > _KEPT_COMPILED:
                self._kept.popitem(last=False)
        return found


def _checked(taken: Sequence[Delivery], prepared: Sequence[Ready | Excluded]) -> Sequence[Ready | Excluded]:
    if {one.delivery.id for one in prepared} != {one.id for one in taken} or len(prepared) != len(taken):
        raise DigestError("prepare() must answer for each claimed delivery exactly once")
    return prepared
