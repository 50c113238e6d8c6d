"""What a subscriber is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Status(StrEnum):
    """PENDING has not confirmed and is sent nothing; LEFT pressed unsubscribe; SUPPRESSED must not be mailed."""

    PENDING = "pending"
    ACTIVE = "active"
    LEFT = "left"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A reader. `address` is normalised (IDN domain as A-label, domain in lower case); `regions` are slugs, () for all.

    Times are aware UTC; `since` is when consent was given; before `paused_until` they get no digest."""

    id: int
    address: str
    status: Status
    regions: tuple[str, ...] = ()
    name: str = ""
    language: str = ""
    since: datetime | None = None
    consent: str = ""
    paused_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Suppression:
    """An address that must not be mailed, and why: kept as a keyed hash only."""

    address_hash: str
    reason: str
    at: datetime
