"""What the HTTP API needs from the application: plain values and plain calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose key it is."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Consent:
    """That a reader agreed: to which words or where, and when, if that is known."""

    text: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """Somebody to be subscribed. `regions` are slugs, () for all."""

    address: str
    regions: tuple[str, ...] = ()
    language: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class ApiReader:
    """A reader as the publication's own systems may know them."""

    address: str
    status: str
    regions: tuple[str, ...]
    language: str
    name: str
    since: datetime | None


class ApiServices(Protocol):
    """Asked anew for every request. All may raise DigestError: the answer is then 503.

    What a rule forbids is RefusedError or UsageError, in words that the caller is shown."""

    @property
    def publication_name(self) -> str: ...

    @property
    def public_url(self) -> str: ...

    @property
    def regions(self) -> Sequence[str]:
        """The slugs that can be chosen."""

    def caller(self, presented: str) -> Caller | None:
        """Whose key this is, or None."""

    def subscribe(self, caller: Caller, wanted: Subscription, consent: Consent) -> tuple[ApiReader, bool]:
        """By evidence of consent; whether anything changed."""

    def ask(self, caller: Caller, wanted: Subscription) -> None:
        """Without evidence: they are asked by mail, and nothing tells whether they were known."""

    def lookup(self, address: str) -> ApiReader | None: ...

    def unsubscribe(self, caller: Caller, address: str) -> ApiReader | None:
        """At once; twice is the same as once. None where there is nobody."""
