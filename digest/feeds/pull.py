"""Several feeds side by side: fetched and parsed in threads, each failure its own. No database in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from digest.feeds.child import parse_safely
from digest.feeds.errors import FeedError
from digest.feeds.fetch import MAX_BYTES, fetch
from digest.feeds.model import Feed, Fetched, NotModified, Parsed
from digest.feeds.paging import Wanted, follow

Outcome = Fetched | NotModified | FeedError
Retrieved = tuple[Feed, Outcome, Parsed | None]


def retrieve(
    feeds: Sequence[Feed],
    *,
    workers: int = 8,
    allow_private: bool = False,
    timeout: float = 20,
    deadline: float = 60,
    max_bytes: int = MAX_BYTES,
    contact: str = "",
    wanted: Wanted | None = None,
) -> Iterator[Retrieved]:
    """Each feed once, as it comes in: what was fetched, and the feed as read if there was something to read.

    `wanted` tells whether the page after these entries of a feed is needed; without it none is. It is asked in
    a thread of the feed's own. All following pages of a feed together get as much time and as many bytes as its
    first. A feed that could not be had or read comes with its FeedError and None; it never stops another."""

    def have(feed: Feed, most: int, seconds: float) -> Fetched | NotModified:
        return fetch(
            feed,
            allow_private=allow_private,
            timeout=timeout,
            deadline=seconds,
            max_bytes=most,
            contact=contact,
        )

    def page(address: str, most: int, seconds: float) -> tuple[str, int, Parsed]:
        got = have(Feed(address), most, seconds)
        assert isinstance(got, Fetched)  # nothing conditional was asked
        return got.url, len(got.body), parse_safely(got.body, got.headers, got.url)

    def read(feed: Feed, got: Fetched) -> Parsed:
        parsed = parse_safely(got.body, got.headers, got.url)
        if wanted is None:
            return parsed
        return follow(feed, got.url, parsed, wanted=wanted, get=page, max_bytes=max_bytes, seconds=deadline)

    def one(feed: Feed) -> Retrieved:
        try:
            got = have(feed, max_bytes, deadline)
            return feed, got, None if isinstance(got, NotModified) else read(feed, got)
        except FeedError as error:
            return feed, error, None
        except OSError as error:  # our own machine: no temporary file, no more processes
            what = error.strerror or type(error).__name__
            return (
                feed,
                FeedError(feed.url, "local", f"could not be read here ({what})", mend="see `digest doctor`"),
                None,
            )

    if not feeds:
        return
    with ThreadPoolExecutor(max_workers=max(1, min(workers, len(feeds))), thread_name_prefix="pull") as pool:
        for done in as_completed([pool.submit(one, feed) for feed in feeds]):
            yield done.result()
