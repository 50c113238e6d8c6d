"""Short ways to read a feed document in a test."""

from __future__ import annotations

from datetime import UTC, datetime

from digest.feeds.model import Entry, Parsed
from digest.feeds.parse import parse

URL = "https://news.example.org/feed"
NOV_5 = datetime(2013, 11, 5, 12, tzinfo=UTC)


def read(document: str | bytes, url: str = URL, **headers: str) -> Parsed:
    body = document.encode() if isinstance(document, str) else document
    return parse(body, headers, url)


def only(document: str | bytes, url: str = URL) -> Entry:
    (entry,) = read(document, url).entries
    return entry
