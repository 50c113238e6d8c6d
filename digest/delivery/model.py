"""What a delivery is: one mail for one recipient, and what became of it.

The types that are made anew for each mail are named tuples: a frozen dataclass takes five times as long to make."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, NamedTuple

Mail = Literal["digest", "welcome", "confirmation", "test", "staff", "seed"]
LIST_MAIL: frozenset[Mail] = frozenset({"digest", "welcome"})
"""What a reader gets because they are subscribed, and can leave from."""


class Status(StrEnum):
    """What became of a delivery. PENDING and CLAIMED are unsettled and count as pending in the books."""

    PENDING = "pending"
    CLAIMED = "claimed"
    SENT = "sent"
    EXCLUDED = "excluded"
    FAILED = "failed"
    UNCERTAIN = "uncertain"


class Delivery(NamedTuple):
    """A row of the outbox. `id` is its number; `rendition` the hash of the content; `subscriber` the
    subscriber's id.

    `message_id` is the same on every retry, and so is the Date header: `first_attempt_at`, when it was
    first claimed. `attempts` counts those that ended with a reply or a loss."""

    id: int
    mail: Mail
    key: str
    address: str
    rendition: str
    message_id: str
    subscriber: int | None = None
    attempts: int = 0
    first_attempt_at: datetime | None = None
    claim: str = ""


class Ready(NamedTuple):
    """A delivery to go now: the address of this moment and the texts of its personal places."""

    delivery: Delivery
    address: str
    places: dict[str, str]


class Excluded(NamedTuple):
    """A delivery that must not go any more (its reader left, was suppressed, was erased), and why."""

    delivery: Delivery
    reason: str


class Verdict(StrEnum):
    """What a reply means for the delivery, by the table in docs/reference/replies.md."""

    SENT = "sent"
    RETRY = "retry"  # later, this message; the address is untouched
    RETRY_SESSION = "retry-session"  # the connection, not the message
    SLOW_DOWN = "slow-down"  # later, and this provider more slowly
    HARD = "hard"  # the address does not exist: failed, suppress now
    HARD_SECOND = "hard-second"  # hard when it comes again at least 3 days later
    SOFT = "soft"  # failed; counts against the address
    BLOCK = "block"  # failed; never counts against the address
    FAULT = "fault"  # failed; the message's or our own fault
    PAUSE = "pause"  # the relay refuses us: stop the run, tell staff
    UNCERTAIN = "uncertain"  # lost after the final dot


class Outcome(NamedTuple):
    """A verdict with the words it was made from: SMTP code, enhanced status ("5.1.1" or "") and text."""

    verdict: Verdict
    code: int = 0
    status: str = ""
    text: str = ""
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Books:
    """An edition's account: candidates = sent + excluded + failed + uncertain + pending."""

    candidates: int
    sent: int
    excluded: int
    failed: int
    uncertain: int
    pending: int

    @property
    def balance(self) -> bool:
        return self.candidates == self.sent + self.excluded + self.failed + self.uncertain + self.pending
