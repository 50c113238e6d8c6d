"""What an article is: an entry that we have identified, cleaned and stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from digest.feeds.model import Image, Role

GLOBAL = "global"
"""The slug of the section for articles about no region."""


@dataclass(frozen=True, slots=True)
class Region:
    """One of the configured parts of the world. `topics` are lower-case categories that decide for it."""

    slug: str
    name: str
    topics: tuple[str, ...] = ()
    link: str = ""


@dataclass(frozen=True, slots=True)
class Article:
    """An entry, ours. Every text is plain text; `excerpt` is whole sentences; `text` is the body, capped.

    `topics` are lower-case; `kind` is a label for the reader ("Interview") or ""; `published_at` is aware
    UTC, or None where the feed gives no believable date: then `first_seen` decides. One in the future is no
    candidate before that moment. `reading_minutes` is 0 where
    the feed gives no body. `position` is the feed's own order. `source` is the feed's title, `feed` its
    URL."""

    id: str
    link: str
    title: str
    author: str = ""
    excerpt: str = ""
    text: str = ""
    topics: tuple[str, ...] = ()
    kind: str = ""
    published_at: datetime | None = None
    first_seen: datetime | None = None
    image: Image | None = None
    reading_minutes: int = 1
    comments: int | None = None
    feed: str = ""
    source: str = ""
    role: Role = "articles"
    position: int = 0


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an article belongs by its subject: `regions` most telling first, `region` the one section.

    `reason` is a sentence for staff that names the rule, the words and where they were found."""

    region: str = GLOBAL
    regions: tuple[str, ...] = ()
    reason: str = "no region is named in its topics, title or summary"
    evidence: tuple[Evidence, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Evidence:
    """One sign of a region: the `words` found, in which field (`topics`, `title`, …), by which rule."""

    region: str
    words: str
    where: str
    rule: str
