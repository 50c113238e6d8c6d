"""What a message or a provider's call says, once it has been read: a report, without a word on what is to be done."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a report is. Only BOUNCE, COMPLAINT and LEAVE can ever change anything."""

    BOUNCE = "bounce"
    DELAYED = "delayed"  # delayed, relayed, expanded, delivered: not the end of it, or a good one
    COMPLAINT = "complaint"
    LEAVE = "leave"
    AUTO_REPLY = "auto-reply"
    UNKNOWN = "unknown"
    REFUSED = "refused"  # it names a delivery, and its signature is forged


@dataclass(frozen=True, slots=True)
class Failure:
    """What is said of one recipient. `status` is the enhanced status (RFC 3463) or "", `action` that of RFC 3464.

    `context` is what was said around the diagnostic: it tells the phase, and stands in where there is no diagnostic."""

    recipient: str = ""
    action: str = ""
    status: str = ""
    diagnostic: str = ""
    context: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """A message as it was understood. Nothing in it says whose address it is about: that is in what only we could have
    made, among `addresses` (every address in its headers and in those it returned) and `recipients` (whom it was for).

    `message_id` is its own, `original_id` that of the mail it is about, `reader` what understood it, `why` says what
    is missing where it is unknown."""

    kind: Kind
    failures: tuple[Failure, ...] = ()
    addresses: tuple[str, ...] = ()
    recipients: tuple[str, ...] = ()
    message_id: str = ""
    original_id: str = ""
    reader: str = ""
    why: str = ""
