"""What an edition is: one weekly roundup, composed from articles, known by its local publication date."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Literal

from digest.articles.model import GLOBAL, Article

State = Literal["draft", "approved", "held", "sending", "paused", "sent", "skipped"]
SectionKind = Literal["focus", "pinned", "region", "global", "events", "reading"]


@dataclass(frozen=True, slots=True)
class Focus:
    """The topic of a month. `month` is "2013-11"; `topics` are lower-case, the first one names it."""

    month: str
    title: str
    topics: tuple[str, ...]
    introduction: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Period:
    """The moments of one edition, aware UTC. Without a schedule only `day` is set."""

    day: date
    compose_at: datetime | None = None
    send_at: datetime | None = None
    deadline: datetime | None = None

    @property
    def slug(self) -> str:
        return self.day.isoformat()


@dataclass(frozen=True, slots=True)
class Pin:
    """An evergreen piece that stands in a small fixed section between two dates, both included."""

    title: str
    link: str
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that will happen, on a local day."""

    day: date
    title: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Placed:
    """An article as it stands in a section, and why. `pinned`: the editor's hand put it first."""

    article: Article
    reason: str
    regions: tuple[str, ...] = ()
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A headed group of articles (or of events, or pinned links) in an edition.

    `kicker` is the small line above the title ("This Month’s Focus")."""

    slug: str
    title: str
    kind: SectionKind
    link: str = ""
    introduction: str = ""
    articles: tuple[Placed, ...] = ()
    events: tuple[Event, ...] = ()
    pins: tuple[Pin, ...] = ()
    kicker: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """An eligible article that does not stand in this edition, and why it waits."""

    article: Article
    reason: str


@dataclass(frozen=True, slots=True)
class Change:
    """What came to an article of an edition by itself after it was composed: its page "withdrawn", or its "link".

    `old` is the link it stood with; `new` the one it has now, or why it left the edition."""

    article: Article
    what: Literal["withdrawn", "link"]
    old: str
    new: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Overlay:
    """What staff changed in an edition, kept apart from feed data. Keys are article ids."""

    introduction: str = ""
    pinned: tuple[str, ...] = ()
    moved: dict[str, str] = field(default_factory=dict)
    excluded: frozenset[str] = frozenset()
    titles: dict[str, str] = field(default_factory=dict)
    excerpts: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Edition:
    """A composed edition: the sections in order, and what waits. Pure data, the same for the same input."""

    day: date
    sections: tuple[Section, ...]
    focus: Focus | None = None
    introduction: str = ""
    waiting: tuple[Waiting, ...] = ()
    changes: tuple[Change, ...] = ()

    @property
    def slug(self) -> str:
        return self.day.isoformat()

    @property
    def articles(self) -> tuple[Placed, ...]:
        """Our own articles, in reading order; further reading is never counted."""
        return tuple(p for s in self.sections if s.kind in ("focus", "region", "global") for p in s.articles)

    @property
    def choices(self) -> tuple[str, ...]:
        """The slugs a reader can choose among, in order: regions, then global."""
        return tuple(s.slug for s in self.sections if s.kind in ("region", "global"))

    def for_regions(self, slugs: Iterable[str]) -> Edition:
        """What a reader gets who chose these regions; no choice means all.

        Focus, pinned, events and reading go to everyone."""
        chosen = frozenset(slugs)
        if not chosen:
            return self
        kept = tuple(s for s in self.sections if s.kind not in ("region", "global") or s.slug in chosen)
        return replace(self, sections=kept)

    @property
    def is_empty(self) -> bool:
        """No article in the focus or a region: such a digest is not sent."""
        return not self.articles


__all__ = [
    "GLOBAL",
    "Change",
    "Edition",
    "Event",
    "Focus",
    "Overlay",
    "Period",
    "Pin",
    "Placed",
    "Section",
    "SectionKind",
    "State",
    "Waiting",
]
