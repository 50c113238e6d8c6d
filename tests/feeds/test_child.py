"""The child that parses: the same answer, and no feed that can take the program with it."""

from __future__ import annotations

import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from digest.feeds.child import parse_safely
from digest.feeds.errors import FeedError, NotAFeedError, ParseLimitError
from digest.feeds.model import Parsed
from digest.feeds.parse import parse
from tests.support.feed_server import item, rss

SHARED = Path(__file__).resolve().parents[3] / "shared" / "feeds"


def test_the_child_says_what_parse_says() -> None:
    """Dates, images, warnings: nothing is lost on the way."""
    body = rss(
        item(
            "One",
            published="Thu, 26 Nov 2026 10:00:00 +0100",
            categories=["Mali"],
            image="https://news.example.org/a.jpg",
            extra="<slash:comments>4</slash:comments>",
        ),
        item("Two", link=""),
    ).encode()
    assert parse_safely(body, {}, "https://news.example.org/feed") == parse(body, {}, "https://news.example.org/feed")


def test_a_page_is_named_across_the_process() -> None:
    """The error keeps its kind, its state, and the feed that the page points to."""
    page = b'<html><title>News</title><link rel="alternate" type="application/rss+xml" href="/feed"></html>'
    with pytest.raises(NotAFeedError) as caught:
        parse_safely(page, {}, "https://news.example.org/")
    assert caught.value.found == ("https://news.example.org/feed",)
    assert "https://news.example.org/feed" in str(caught.value)


def test_work_without_end_is_stopped() -> None:
    """A document that is quadratic to read costs its limit of processor time and no more."""
    author = "a" * 120_000
    body = rss(*(item(f"One {number}", extra=f"<author>{author}</author>") for number in range(5))).encode()
    started = time.monotonic()
    with pytest.raises(ParseLimitError) as caught:
        parse_safely(body, {}, "https://news.example.org/feed", cpu_seconds=1)
    assert time.monotonic() - started < 5
    assert caught.value.state == "too-slow"


def test_the_clock_stops_it_too() -> None:
    """Where processor time is short of the limit, the clock is not."""
    body = rss(*(item(f"One {number}") for number in range(2000))).encode()
    with pytest.raises(ParseLimitError):
        parse_safely(body, {}, "https://news.example.org/feed", wall_seconds=0.05)


def test_memory_without_end_is_stopped() -> None:
    """A document that needs more memory than a feed may is refused in words."""
    body = rss(*(item("x" * 50, description="y" * 100) for _ in range(50_000))).encode()
    with pytest.raises(ParseLimitError) as caught:
        parse_safely(body, {}, "https://news.example.org/feed", memory_mb=120)
    assert "120 MB" in str(caught.value)


def test_the_child_gets_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands in our environment stays here."""
    from digest.feeds import child

    monkeypatch.setenv("DIGEST_SMTP__PASSWORD", "hunter2")
    assert "hunter2" not in child._environment().values()


def test_nothing_is_left_running(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stopped child is dead and reaped when the error comes."""
    started: list[subprocess.Popen[bytes]] = []

    class Noted(subprocess.Popen[bytes]):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Noted)
    with pytest.raises(ParseLimitError):
        parse_safely(rss().encode(), {}, "", wall_seconds=0.01)
    assert [child.returncode for child in started] == [-signal.SIGKILL]


def outcome(body: bytes) -> tuple[Parsed | FeedError, float]:
    started = time.monotonic()
    found: Parsed | FeedError
    try:
        found = parse_safely(body, {}, "https://news.example.org/feed")
    except FeedError as error:
        found = error
    return found, time.monotonic() - started


@pytest.mark.skipif(not SHARED.is_dir(), reason="the captured feeds are not on this machine")
def test_real_feeds_are_read_or_refused_in_words() -> None:
    """Every captured document is entries with absolute links, or a sentence, in five seconds."""
    paths = sorted(SHARED.glob("*/*"))
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda path: outcome(path.read_bytes()), paths))
    for path, (found, seconds) in zip(paths, answers, strict=True):
        assert seconds < 5, path.name
        if isinstance(found, FeedError):
            assert len(str(found)) > 40, path.name
            assert path.name.startswith(("bomb", "empty", "html")), f"{path.name}: {found}"
        else:
            assert found.entries or path.name.startswith("no_items"), path.name
            assert all(not entry.link or entry.link.startswith("http") for entry in found.entries)
            assert all(entry.published is None or entry.published.tzinfo for entry in found.entries)
