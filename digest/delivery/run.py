"""What the threads of one run share: the queues, the claims held, the counts, and why the run ends."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from queue import SimpleQueue
from secrets import token_hex
from time import monotonic
from typing import Literal, NamedTuple

from digest.database import Database
from digest.delivery.claims import MOST_CLAIMED
from digest.delivery.compiled import Filled
from digest.delivery.journal import Journal
from digest.delivery.model import Delivery, Outcome, Status, Verdict
from digest.delivery.pace import FIRST_WAIT, Pace
from digest.delivery.providers import provider_of
from digest.delivery.recovery import OnResult, Recovered
from digest.delivery.relays import Relay, Relays
from digest.delivery.session import RelaySettings
from digest.delivery.settlements import Settlement

Ended = Literal["nothing due", "stopped", "paused", "unreachable"]

HARD_SHARE = 0.05
HARD_AFTER = 200
EQUAL_BLOCKS = 5
FAULTS_IN_A_ROW = 20
_FIRST_CLAIM = 100
_SENT = Status.SENT  # a member of an enumeration takes longer to look up

_held_here: set[str] = set()
"""The claims that runs in this process hold: recovery must leave them alone."""
_held_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run did, and why it ended: `ended` and, where a person must look, `reason`.

    "paused": the relay refuses us or a threshold was passed. "unreachable": no session could be had.
    `deferred` counts attempts that will be repeated."""

    sent: int = 0
    failed: int = 0
    excluded: int = 0
    uncertain: int = 0
    deferred: int = 0
    recovered: Recovered = field(default_factory=Recovered)
    ended: Ended = "nothing due"
    reason: str = ""


class HeldClaim:
    """A claim of this run: its journal, its lease, and how many of its deliveries have no result yet."""

    __slots__ = ("expires_at", "id", "journal", "paced", "remaining", "since", "size")

    def __init__(self, journals: Path, limit: int, expires_at: datetime) -> None:
        """With a journal for so many deliveries. Raises DigestError where that cannot be made."""
        self.id = token_hex(8)
        self.journal = Journal(journals / self.id, limit)
        self.expires_at = expires_at
        self.size = 0
        self.remaining = 0
        self.paced = False  # its mails wait for their moments: it tells nothing of our speed
        self.since = monotonic()


class Job(NamedTuple):
    """A message that is ready for the wire; its slot is that of its claim's journal."""

    delivery: Delivery
    message: Filled
    held: HeldClaim
    slot: int

    @property
    def provider(self) -> str:
        return provider_of(self.message.recipient)


Result = tuple[HeldClaim, Settlement] | tuple[Job, bytes]
"""What became of a claimed delivery; or the line with which the relay took a mail, for the writer to read."""


@dataclass(eq=False)
class Run:
    """The shared state. Counts are the writer's alone; everything else that changes is guarded or atomic."""

    database: Database
    settings: Sequence[RelaySettings]
    clock: Callable[[], datetime]
    lease: timedelta
    stop: threading.Event
    on_result: OnResult | None
    progress: Callable[[Summary], None] | None
    jobs: SimpleQueue[Job | None] = field(default_factory=SimpleQueue)
    results: SimpleQueue[Result | None] = field(default_factory=SimpleQueue)
    halt: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    claims: dict[str, HeldClaim] = field(default_factory=dict)
    withdrawn: dict[int, str] = field(default_factory=dict)
    waiting: frozenset[str] = frozenset()  # the keys that are paused
    slow_until: dict[str, datetime] = field(default_factory=dict)  # by provider; replaced, never changed
    slow_news: list[str] = field(default_factory=list)  # the providers that the database must hear of yet
    slowness: dict[str, int] = field(default_factory=dict)  # how often providers were slowed
    eased: dict[str, int] = field(default_factory=dict)  # sent in a row to a provider that was slowed
    counts: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)  # digests that were taken or refused for good, by key
    hard: Counter[str] = field(default_factory=Counter)  # of those, the ones to addresses that do not exist
    blocks: dict[str, tuple[str, int]] = field(default_factory=dict)
    faults: int = 0  # in a row
    recovered: Recovered = field(default_factory=Recovered)
    speed: float = 0.0
    ended: Ended = "nothing due"
    reason: str = ""

    def __post_init__(self) -> None:
        made = [
            Relay(one, Pace(self.database, f"relay:{one.name}"[:100], one.rate, self.clock) if one.rate else None)
            for one in self.settings
        ]
        self.relays = Relays(made, self.end)
        self.connections = sum(one.connections for one in self.settings)
        self.rate = (
            sum(one.rate for one in self.settings if one.rate) if all(one.rate for one in self.settings) else None
        )

    @property
    def has_news(self) -> bool:
        """Whether anything has happened that may keep a claimed mail from going: nearly never."""
        return bool(self.withdrawn or self.waiting or self.slow_until)

    def ending(self) -> bool:
        return self.halt.is_set() or self.stop.is_set()

    def rest(self, seconds: float) -> None:
        until = monotonic() + seconds
        while not self.ending() and (left := until - monotonic()) > 0:
            self.halt.wait(min(left, 0.05))

    def end(self, ended: Ended, reason: str) -> None:
        """The first reason counts."""
        with self.lock:
            if not self.reason:
                self.ended, self.reason = ended, reason
        self.halt.set()

    def slow_down(self, provider: str) -> None:
        """It said so: nothing more goes there for now. The producer writes it down, for other processes and runs."""
        now = self.clock()
        with self.lock:
            if provider in self.slow_news or self.slow_until.get(provider, now) > now:
                return
            self.slow_until = {**self.slow_until, provider: now + FIRST_WAIT}
            self.slow_news.append(provider)

    def hold(self, held: HeldClaim) -> None:
        with _held_lock:
            _held_here.add(held.id)
        with self.lock:
            self.claims[held.id] = held

    def drop(self, held: HeldClaim) -> None:
        """The claim has ended, or was never written: its journal goes."""
        held.journal.close()
        with self.lock:
            self.claims.pop(held.id, None)
        with _held_lock:
            _held_here.discard(held.id)

    def forget_all(self) -> None:
        """Lets go of every claim, for recovery to take up from the journals."""
        with self.lock:
            names, self.claims = list(self.claims), {}
        with _held_lock:
            _held_here.difference_update(names)

    def held_claims(self) -> list[HeldClaim]:
        with self.lock:
            return list(self.claims.values())

    def claim_limit(self, seconds: float) -> int:
        """As many as take about that long, so that a dead machine leaves little in doubt."""
        limit = self.speed * seconds if self.speed else _FIRST_CLAIM
        if self.rate:
            limit = min(limit, self.rate * seconds)
        return max(self.connections, min(int(limit), MOST_CLAIMED))

    def count(self, result: Settlement) -> None:
        """Counts a result, and ends the run where a threshold of email.md, "Replies and bounces", is
        passed."""
        if result.status is _SENT and not self.blocks and not self.slowness:  # nearly always
            self.counts["sent"] += 1
            self.faults = 0
            if result.delivery.mail == "digest":
                self.answered[result.delivery.key] += 1
            return
        name = "deferred" if result.status is Status.PENDING else result.status.value
        if result.tried or result.status is not Status.PENDING:
            self.counts[name] += 1
        outcome = result.outcome
        if outcome is None:
            return
        # Who takes its mail matters only where something is, or was, amiss.
        provider = provider_of(result.delivery.address)
        if outcome.verdict is Verdict.SENT:
            self.faults = 0
            self.blocks.pop(provider, None)
            self._ease(provider)
        if result.delivery.mail == "digest":
            self._weigh(result.delivery.key, provider, result.status, outcome)

    def _weigh(self, key: str, provider: str, status: Status, outcome: Outcome) -> None:
        if outcome.code and status is not Status.PENDING:
            self.answered[key] += 1
        if outcome.verdict is Verdict.HARD:
            self.hard[key] += 1
            hard, answered = self.hard[key], self.answered[key]
            if answered > HARD_AFTER and hard > HARD_SHARE * answered:
                self.end("paused", f"{hard} of {answered} addresses do not exist: over {HARD_SHARE:.0%}")
        elif outcome.verdict is Verdict.BLOCK and outcome.status.startswith("5.7."):
            before, times = self.blocks.get(provider, ("", 0))
            times = times + 1 if before == outcome.status else 1
            self.blocks[provider] = (outcome.status, times)
            if times >= EQUAL_BLOCKS:
                self.end(
                    "paused",
                    f"{provider} refused {times} in a row: {outcome.code} {outcome.status} {outcome.text}",
                )
        elif outcome.verdict is Verdict.FAULT:
            self.faults += 1
            if self.faults >= FAULTS_IN_A_ROW:
                said = " ".join(str(part) for part in (outcome.code, outcome.status, outcome.text) if part)
                self.end("paused", f"{self.faults} mails in a row failed by a fault of our own: {said}")

    def _ease(self, provider: str) -> None:
        """A provider that was slowed took a mail; many of them in a row, and it is slowed less."""
        if provider not in self.slowness:
            return
        times = self.eased.get(provider, 0) + 1
        self.eased[provider] = times

    def summary(self) -> Summary:
        counts = self.counts
        stopped = self.stop.is_set() and not self.reason
        return Summary(
            counts["sent"],
            counts["failed"],
            counts["excluded"],
            counts["uncertain"],
            counts["deferred"],
            self.recovered,
            "stopped" if stopped else self.ended,
            self.reason,
        )


def held_here() -> frozenset[str]:
    """The claims that runs in this process hold."""
    with _held_lock:
        return frozenset(_held_here)
