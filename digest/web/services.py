"""What the pages need from the application: plain values and plain calls. The web room holds no rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from digest.rendering.environment import Templates
from digest.rendering.model import Design, Publication

Purpose = Literal["unsubscribe", "preferences"]


@dataclass(frozen=True, slots=True)
class ReaderView:
    """A reader as a page may show them; no address but a masked one (`m…@example.org`, or "").

    `regions` are slugs, () for all. `subscribed` is whether digests reach them now; `may_return` whether they can come
    back by themselves (somebody whose address is suppressed cannot). The two tokens are this reader's own: a page
    that was opened with one offers what the other is for. `language` is what they chose for the pages, or ""."""

    regions: tuple[str, ...]
    subscribed: bool
    unsubscribe: str
    preferences: str
    may_return: bool = True
    masked: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class ArchivedEdition:
    """An edition that has gone out. `slug` is its date, `2026-11-27`; `title` its subject."""

    slug: str
    title: str


class WebServices(Protocol):
    """Each is asked anew for every request, so that a changed configuration shows at once.

    All may raise DigestError (the database is away): the page then says "try again", with 503."""

    @property
    def publication(self) -> Publication: ...

    @property
    def design(self) -> Design: ...

    @property
    def templates(self) -> Templates: ...

    def reader(self, token: str, purpose: Purpose) -> ReaderView | None:
        """The reader of a genuine token for this purpose, or None."""

    def leave(self, token: str) -> bool:
        """The reader of this unsubscribe token leaves, at once; twice is the same as once. False: no such reader."""

    def come_back(self, token: str) -> bool:
        """The reader of this *preferences* token, who had left, gets digests again. False where that must not be."""

    def choose(self, token: str, regions: tuple[str, ...]) -> bool:
        """The reader of this preferences token wants these regions, () for all. False: no such reader."""

    def edition_page(self, slug: str, regions: tuple[str, ...]) -> str | None:
        """The HTML of an edition that has begun to go out, for a choice of regions, without anything personal."""

    def archive(self) -> Sequence[ArchivedEdition]:
        """The editions that have gone out, the newest first."""

    def healthy(self) -> bool:
        """Whether the database answers."""
