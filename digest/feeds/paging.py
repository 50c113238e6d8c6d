"""A feed's older pages, followed back as far as they are needed: RFC 5005, JSON Feed and WordPress.

A feed of ten items that is read once a week loses whatever came before the last ten. Where it has pages, the
loss can be made good: by `next` or `prev-archive` links (RFC 5005, sections 3 and 4), by JSON Feed's
`next_url`, or, where WordPress made the feed, by `?paged=2`."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from digest.feeds.errors import FeedError
from digest.feeds.model import Entry, Feed, Parsed

MAX_PAGES = 10
"""Pages of a feed that one pull reads, the first among them."""

Wanted = Callable[[Feed, Sequence[Entry]], bool]
"""Whether older entries that are needed may lie beyond this page of a feed."""

Get = Callable[[str, int, float], tuple[str, int, Parsed]]
"""A page by its address, at most so many bytes and seconds: where it came from, its bytes, and what it holds.

Raises FeedError, or OSError where our own machine could not."""

_WORDPRESS = re.compile(r"(?:https?://(?:www\.)?)?wordpress\b", re.IGNORECASE)
_PASSING = frozenset({"timeout", "unreachable", "cut-off", "local", "http-429"})
_THE_END = frozenset({"http-404", "http-410"})


@dataclass(frozen=True, slots=True)
class Reach:
    """How far back a feed is needed. Entries older than `horizon` are not; nor what lies beyond an entry that
    was known by `known_by`, the last time when nothing was missing (None: never yet)."""

    horizon: datetime
    known_by: datetime | None = None


def needs_more(entries: Sequence[Entry], known: Sequence[bool], reach: Reach) -> bool:
    """Whether older entries that are needed may lie beyond these, the entries of one page in its order.

    The lowest entry decides: the others may be pinned, or old ones that were edited. Where it has no date
    there is no telling how old the next page is: only a page of nothing but news leads on."""
    if not entries:
        return False
    moment = _moment(entries[-1])
    if moment is None:
        return reach.known_by is not None and not any(known)
    return not known[-1] and moment >= reach.horizon


def within(entries: Sequence[Entry], reach: Reach) -> tuple[Entry, ...]:
    """Those that are not older than the horizon; undated ones are not."""
    return tuple(entry for entry in entries if (_moment(entry) or reach.horizon) >= reach.horizon)


def follow(feed: Feed, url: str, first: Parsed, *, wanted: Wanted, get: Get, max_bytes: int, seconds: float) -> Parsed:
    """The first page with the entries of the following ones in `older`, as one document in its order.

    `url` is where the first page came from; `max_bytes` and `seconds` bound all the others together. A page
    that cannot be had ends the following with a warning; `whole` is False where it is worth another try."""
    until = time.monotonic() + seconds
    visited, had = {feed.url, url}, {_sign(entry) for entry in first.entries}
    older: list[Entry] = []
    page, number, warnings, whole = first, 1, list(first.warnings), True
    while wanted(feed, page.entries):
        address, guessed = _next(page, url, number)
        if not address or address in visited:
            break
        left = until - time.monotonic()
        if number == MAX_PAGES or max_bytes <= 0 or left <= 0:
            warnings.append(f"it was followed back over {_pages(number)}; older entries were not looked for")
            break
        visited.add(address)
        number += 1
        try:
            url, size, page = get(address, max_bytes, left)
        except (FeedError, OSError) as error:
            state = error.state if isinstance(error, FeedError) else "local"
            if guessed and state in _THE_END:
                break  # so WordPress says that there are no more
            whole = not (state in _PASSING or state.startswith("http-5"))
            warnings.append(_lost(number, error, again=not whole))
            break
        visited.add(url)
        max_bytes -= size
        fresh = [entry for entry in page.entries if _sign(entry) not in had]
        if not fresh:
            break  # a server that answers every page with the first one
        had.update(map(_sign, fresh))
        start = len(first.entries) + len(older)
        older += [replace(entry, position=start + at) for at, entry in enumerate(fresh)]
    return replace(first, older=tuple(older), warnings=tuple(warnings), whole=whole)


def _next(page: Parsed, url: str, number: int) -> tuple[str, bool]:
    """The address of the next page ("" where there is none), and whether it is only guessed."""
    if page.next_page:
        return page.next_page, False
    if not _WORDPRESS.match(page.generator):
        return "", False
    parts = urlsplit(url)
    query = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] != "paged"]
    return urlunsplit(parts._replace(query=urlencode([*query, ("paged", str(number + 1))]), fragment="")), True


def _lost(number: int, error: FeedError | OSError, *, again: bool) -> str:
    what = error.detail if isinstance(error, FeedError) else f"could not be read here ({error.strerror})"
    after = "it is tried again at the next pull" if again else "older entries may be missing"
    return f"its page {number} could not be had: {what}; {after}"


def _pages(number: int) -> str:
    return "1 page" if number == 1 else f"{number} pages"


def _moment(entry: Entry) -> datetime | None:
    return max((moment for moment in (entry.published, entry.updated) if moment), default=None)


def _sign(entry: Entry) -> tuple[str | None, str, str]:
    return entry.id, entry.link, "" if entry.id or entry.link else entry.title
