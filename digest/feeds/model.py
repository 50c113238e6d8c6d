"""What a feed is, and what it gave us: as the feed said it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Role = Literal["articles", "reading"]
Damage = Literal["", "cut off", "ill-formed"]


@dataclass(frozen=True, slots=True)
class Feed:
    """An RSS or Atom document at a URL, and what its server told us last time."""

    url: str
    title: str = ""
    role: Role = "articles"
    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """A picture as the feed offers it. `url` is absolute http(s); sizes in CSS pixels, or None."""

    url: str
    alt: str = ""
    width: int | None = None
    height: int | None = None
    credit: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """An item as a feed gave it. `link` is absolute http(s), or "" where there is none that may be used.

    `summary_html` and `content_html` are unsafe markup, exactly as received; `title` is plain text.
    `position` counts from 0 in the feed's own order. Datetimes are aware, in UTC."""

    id: str | None
    link: str
    title: str
    summary_html: str = ""
    content_html: str = ""
    author: str = ""
    categories: tuple[str, ...] = ()
    published: datetime | None = None
    updated: datetime | None = None
    image: Image | None = None
    comments: int | None = None
    position: int = 0


@dataclass(frozen=True, slots=True)
class Parsed:
    """A feed document as read. `version` is feedparser's ("rss20", "atom10", …) or "json1".

    `next_page` is the address of the page with older entries, where the feed tells it; `generator` is what made
    the feed. `damage` is set where a part of it could not be read. `older` are the entries of the pages that
    follow, if they were followed, and `whole` is False where one of them must be tried again."""

    title: str
    link: str
    version: str
    language: str
    entries: tuple[Entry, ...]
    image: str = ""
    warnings: tuple[str, ...] = ()
    generator: str = ""
    next_page: str = ""
    damage: Damage = ""
    older: tuple[Entry, ...] = ()
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Fetched:
    """A 200 answer. `url` is where the body came from; `moved_to` is set if every redirect was permanent."""

    url: str
    body: bytes
    headers: dict[str, str]
    etag: str | None = None
    last_modified: str | None = None
    moved_to: str | None = None


@dataclass(frozen=True, slots=True)
class NotModified:
    """A 304 answer: nothing new since last time. `moved_to` as in Fetched."""

    url: str
    moved_to: str | None = None
