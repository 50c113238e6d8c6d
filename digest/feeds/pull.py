"""Several feeds side by side: fetched and parsed in threads, each failure its own. No database in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from digest.feeds.child import parse_safely
from digest.feeds.errors import FeedError
from digest.feeds.fetch import MAX_BYTES, fetch
from digest.feeds.model import Feed, Fetched, NotModified, Parsed

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
) -> Iterator[Retrieved]:
    """Each feed once, as it comes in: what was fetched, and the feed as read if there was something to read.

    A feed that could not be had or read comes with its FeedError and None; it never stops another."""

    def one(feed: Feed) -> Retrieved:
        try:
            got = fetch(
                feed,
                allow_private=allow_private,
                timeout=timeout,
                deadline=deadline,
                max_bytes=max_bytes,
                contact=contact,
            )
            if isinstance(got, NotModified):
                return feed, got, None
            return feed, got, parse_safely(got.body, got.headers, got.url)
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
