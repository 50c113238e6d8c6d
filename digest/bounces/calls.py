"""A provider's call over HTTP: proved first, understood after."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from digest.bounces.judging import judged
from digest.bounces.model import Failure, Report
from digest.errors import DigestError

FRESH = timedelta(days=1)
"""How old a signed call may be: providers try again for hours. Within it, an event counts once."""
AHEAD = timedelta(minutes=10)
"""How far the provider's clock may be ahead of ours."""


class ForgedError(DigestError):
    """A call that is not the provider's, is too old, or makes no sense. Nothing of it is believed."""


@dataclass(frozen=True, slots=True)
class Call:
    """`headers` with names in lower case; `at` when it came."""

    headers: Mapping[str, str]
    body: bytes
    at: datetime


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that a call says. `id` is unique for the provider; `email` the recipient as the provider names them:
    it narrows the search for the Message-ID, and decides nothing by itself."""

    id: str
    report: Report
    email: str = ""

    def hash(self, provider: str) -> str:
        return sha256(f"{provider}\0{self.id}".encode("utf-8", "replace")).hexdigest()


def loaded(body: bytes) -> Any:
    """The JSON of a call. Raises ForgedError."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ForgedError("the call is no JSON") from error


def check_fresh(moment: datetime, now: datetime) -> None:
    """Raises ForgedError for a call from another time."""
    if not now - FRESH <= moment <= now + AHEAD:
        raise ForgedError("the call is not of today: it may be an old one, played again")


def failure(diagnostic: str, *, status: str = "", otherwise: str = "") -> Failure:
    """What the provider quotes, and where that says nothing, what its own classes mean in words of the table."""
    said = Failure(action="failed", status=status, diagnostic=diagnostic.strip()[:2_000])
    if judged(said).verdict is None and otherwise:
        return Failure(action="failed", diagnostic=otherwise)
    return said


def bracketed(message_id: str) -> str:
    """A Message-ID as it stands in the mail."""
    bare = message_id.strip().strip("<>")
    return f"<{bare}>" if bare else ""
