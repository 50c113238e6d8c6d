"""What became of pages, by asking their server."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from digest.feeds.probe import Found, Probe, same_site
from tests.support.feed_server import FeedServer, feed_server


@pytest.fixture
def site() -> Iterator[FeedServer]:
    with feed_server() as served:
        yield served


def look(*urls: str, deadline: float = 20) -> dict[str, Found]:
    with Probe(allow_private=True, pause=0.05, timeout=1, deadline=deadline) as probe:
        return probe.look(urls)


@pytest.mark.parametrize("status", [404, 410])
def test_a_page_that_is_gone(site: FeedServer, status: int) -> None:
    """404 and 410 are told, after two looks, the second by GET."""
    url = site.status("/a/", status)
    assert look(url) == {url: Found(gone=status)}
    assert len(site.requests["/a/"]) == 2


@pytest.mark.parametrize("status", [200, 204, 304, 401, 403, 429, 451, 500, 502, 503])
def test_every_other_answer_is_no_news(site: FeedServer, status: int) -> None:
    """Pages that stand, are refused, or whose server has a fault, are as they were."""
    assert look(site.status("/a/", status)) == {}


def test_a_server_that_does_not_know_head(site: FeedServer) -> None:
    """Where HEAD is not allowed GET decides; where HEAD is answered 404 by mistake, the second look sees the page."""
    site.heads["/refused/"] = 405
    site.heads["/wrong/"] = 404
    gone, there, wrong = site.url("/refused/"), site.page("/there/", "x"), site.page("/wrong/", "x")
    site.heads["/there/"] = 405
    assert look(gone, there, wrong) == {gone: Found(gone=404)}


def test_a_permanent_redirect_is_followed_on_its_own_site(site: FeedServer) -> None:
    """301 and 308 to a page that stands are a new address; a step that is not for good, leads elsewhere, to a fault or
    round in a circle, is none; to a page that is gone, it is gone."""
    new = site.page("/new/", "x")
    moved = [site.redirect("/a/", new), site.redirect("/b/", "/a/", status=308)]
    site.status("/fault/", 500)
    others = [
        site.redirect("/c/", new, status=302),
        site.redirect("/d/", "https://elsewhere.example.org/"),
        site.redirect("/e/", "/fault/"),
        site.redirect("/f/", "/f/"),
    ]
    lost = site.redirect("/g/", "/nothing/")
    assert look(*moved, *others, lost) == {**dict.fromkeys(moved, Found(moved_to=new)), lost: Found(gone=404)}


def test_without_an_answer_nothing_is_known_and_nothing_waits_long(site: FeedServer) -> None:
    """Silence, resets, nonsense and hosts that are not there are no news, and all of it together is bounded in time."""
    bad = [site.silence(f"/s{n}/", seconds=3) for n in range(12)]
    started = time.monotonic()
    assert look(*bad, site.drip("/d/", headers_too=True), deadline=2) == {}
    assert look(site.reset("/r/"), site.raw("/n/", b"nonsense\r\n\r\n"), "http://gone.invalid/", "ftp://x/", "") == {}
    assert time.monotonic() - started < 8


def test_the_address_guard_holds_here_too(site: FeedServer) -> None:
    """A link into our own network is not asked for."""
    with Probe(allow_private=False, pause=0) as probe:
        assert probe.look([site.status("/a/", 404)]) == {}
    assert site.requests["/a/"] == []


def test_one_site() -> None:
    """The host counts, without its www."""
    assert same_site("http://www.example.org/a", "https://example.org:443/b")
    assert not same_site("https://example.org/a", "https://example.com/a")
    assert not same_site("/a", "/b")
