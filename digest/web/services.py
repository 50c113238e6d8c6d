"""What the pages need from the application: plain values and plain calls. The web room holds no rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from digest.rendering.environment import Templates
from digest.rendering.model import Design, Publication

Purpose = Literal["unsubscribe", "preferences"]
Move = Literal["address", "address-stop"]
"""The two buttons of a change of address: the new address confirms it, the old one stops it."""


@dataclass(frozen=True, slots=True)
class ReaderView:
    """A reader as a page may show them; no address but a masked one (`m…@example.org`, or "").

    `regions` are slugs, () for all. `subscribed` is whether digests reach them now; `may_return` whether they can come
    back by themselves (somebody whose address is suppressed cannot). The two tokens are this reader's own: a page
    that was opened with one offers what the other is for. `language` is what they chose for the pages, or "".

    `paused` without `paused_until`: until they resume. `dropped` are regions they chose that are no more; `moving_to`
    is the masked address that waits to be confirmed, or ""."""

    regions: tuple[str, ...]
    subscribed: bool
    unsubscribe: str
    preferences: str
    may_return: bool = True
    masked: str = ""
    language: str = ""
    paused: bool = False
    paused_until: datetime | None = None
    dropped: tuple[str, ...] = ()
    moving_to: str = ""


@dataclass(frozen=True, slots=True)
class MoveView:
    """A change of address as its page may show it: masked addresses, and the language of the reader's pages."""

    old: str
    new: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class ArchivedEdition:
    """An edition that has gone out. `slug` is its date, `2026-11-27`; `title` its subject; `published` when it began to
    go out, `updated` when it was corrected last, or the same."""

    slug: str
    title: str
    published: datetime
    updated: datetime


@dataclass(frozen=True, slots=True)
class Listing:
    """What stands in one section of an edition: headlines with their links."""

    title: str
    articles: tuple[tuple[str, str], ...]


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

    def speak(self, token: str, language: str) -> bool:
        """The reader of this preferences token wants their pages in this language. False: no such reader."""

    def pause(self, token: str, weeks: int | None) -> bool:
        """No digest for so many weeks, or (None) until they resume. False: no such reader."""

    def resume(self, token: str) -> bool:
        """The pause is over. False: no such reader."""

    def own_data(self, token: str) -> str | None:
        """All that is held of the reader of this preferences token, as JSON. None: no such reader."""

    def ask_to_move(self, token: str, address: str) -> bool:
        """Send both addresses a mail with a button. Nothing tells whether the new one is known. False: too often today.

        Raises UsageError for what is no address."""

    def stay(self, token: str) -> bool:
        """The reader of this preferences token withdraws a move that nobody has confirmed. False: no such reader."""

    def move(self, purpose: Move, token: str, *, press: bool) -> MoveView | None:
        """What the button of a mail about a move does, pressed or only looked at. None: nothing any more."""

    def contents(self, slug: str) -> Sequence[Listing]:
        """The headlines of an edition that has gone out, by section."""

    def edition_page(self, slug: str, regions: tuple[str, ...]) -> str | None:
        """The HTML of an edition that has begun to go out, for a choice of regions, without anything personal."""

    def archive(self) -> Sequence[ArchivedEdition]:
        """The editions that have gone out, the newest first."""

    def healthy(self) -> bool:
        """Whether the database answers."""
