"""What can be wrong with a feed: each failure is a state of that feed, with a sentence for staff."""

from __future__ import annotations

from digest.errors import DigestError


class FeedError(DigestError):
    """A feed that could not be had or read. `state` is a short slug that is kept and shown ("timeout").

    `detail` is what happened, without the address; `reason` adds how to mend it."""

    def __init__(self, url: str, state: str, message: str, *, mend: str = "") -> None:
        super().__init__(f"{url or 'the feed'}: {message}", mend=mend)
        self.url = url
        self.state = state
        self.detail = message
        self.reason = f"{message}; {mend}" if mend else message


class FetchError(FeedError):
    """The document could not be fetched."""


class NotAFeedError(FeedError):
    """The document was fetched and is no feed. `found` are feeds that it points to, if it is a web page."""

    def __init__(
        self,
        url: str,
        message: str,
        *,
        mend: str = "",
        found: tuple[str, ...] = (),
        state: str = "not-a-feed",
    ) -> None:
        super().__init__(url, state, message, mend=mend)
        self.found = found


class ParseLimitError(FeedError):
    """Reading the document took more time or memory than a feed may, and was stopped."""
