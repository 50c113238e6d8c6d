"""The archive: its feed, its editions in the regions of one's choice, and no reader anywhere in it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import feedparser
from hypothesis import given
from hypothesis import strategies as st

from digest.web.atom import ATOM, feed
from digest.web.services import ArchivedEdition, Listing
from tests.support.house import house
from tests.support.subscribers import publication
from tests.web.test_reader_pages import link, pages, ready

DAY = datetime(2026, 11, 27, 14, 0, tzinfo=UTC)
NS = {"a": ATOM}


def test_the_feed(tmp_path: Path, database_url: str) -> None:
    """A feed reader finds each edition with its headlines; identifiers and dates stay as they are from week to week."""
    with house(tmp_path, database_url=database_url) as h, pages(h.app) as http:
        slug = ready(h)
        assert feedparser.parse(http.get("/feed.atom").content).entries == []
        h.send()
        answer = http.get("/feed.atom")
        assert answer.headers["content-type"].startswith("application/atom+xml")
        found = feedparser.parse(answer.content)
        assert not found.bozo, found.get("bozo_exception")
        assert (found.version, found.feed.id) == ("atom10", "tag:roundup.example.org,2013:archive")
        [entry] = found.entries
        assert entry.id == f"tag:roundup.example.org,{slug}:edition"
        assert entry.link == f"https://roundup.example.org/e/{slug}"
        assert entry.updated == entry.published == "2026-11-26T22:00:00Z"
        for number in range(6):
            assert f'<a href="https://observatory.example.org/{number}' in entry.content[0].value
        assert not re.search(r"/[upcas]/|@example\.org|DIGESTPLACE", answer.text)
        again = http.get("/feed.atom", headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert http.get("/feed.atom").content == answer.content


@given(st.text(max_size=60), st.text(max_size=60), st.lists(st.dates().map(str), unique=True, max_size=4))
def test_the_feed_is_always_valid(name: str, title: str, slugs: list[str]) -> None:
    """Whatever stands in a title, the feed has what RFC 4287 (4.1.1, 4.1.2) requires, once each, and parses."""
    editions = [(ArchivedEdition(slug, title, DAY, DAY), [Listing(name, ((title, "https://example.org/?a=1&b=2"),))])
                for slug in slugs]  # fmt: skip
    root = ET.fromstring(feed(publication(), name, editions))
    for element in (root, *root.findall("a:entry", NS)):
        for required in ("id", "title", "updated"):
            assert len(element.findall(f"a:{required}", NS)) == 1
        for moment in element.findall("a:updated", NS):
            assert datetime.fromisoformat(moment.text or "").tzinfo
        assert len([one for one in element.findall("a:link", NS) if one.get("rel") == "alternate"]) == 1
    assert [one.get("rel") for one in root.findall("a:link", NS)].count("self") == 1
    assert root.find("a:author/a:name", NS) is not None
    identifiers = [one.text for one in root.iter(f"{{{ATOM}}}id")]
    assert len(set(identifiers)) == len(slugs) + 1


def test_the_feed_is_found(tmp_path: Path) -> None:
    """The home page, the archive and each edition name the feed, and the archive has a link to it."""
    with house(tmp_path) as h, pages(h.app) as http:
        slug = ready(h)
        h.send()
        for path in ("/", "/archive", f"/e/{slug}"):
            assert re.search(
                r'<link rel="alternate" type="application/atom\+xml"[^>]*/feed\.atom">', http.get(path).text
            )
        assert '<a href="/feed.atom"' in http.get("/archive").text


def test_an_edition_in_the_regions_of_ones_choice(tmp_path: Path) -> None:
    """Above an edition each region is one press away, alone and with others, and so is the way back to all."""
    with house(tmp_path) as h, pages(h.app) as http:
        slug = ready(h)
        h.send()
        page = http.get(f"/e/{slug}").text
        assert f'href="/e/{slug}?regions=asia"' in page
        page = http.get(f"/e/{slug}?regions=asia").text
        assert "Article number 1 " in page
        assert "Article number 0 " not in page
        assert f'href="/e/{slug}?regions=africa,asia"' in page
        assert re.findall(r'<a href="([^"]+)"[^>]* aria-current="true"', page) == [f"/e/{slug}"]
        assert f'<link rel="canonical" href="https://roundup.example.org/e/{slug}">' in page


def test_no_reader_is_in_the_archive(tmp_path: Path) -> None:
    """Neither a link of anybody's own, nor why they get it, nor who they are stands in any page that anybody may read,
    in any language."""
    with house(tmp_path) as h, pages(h.app) as http:
        slug = ready(h)
        h.send()
        secrets = {link(h, f"{who}@example.org", place).rsplit("/", 1)[1]
                   for who in ("ann", "bo", "cy") for place in ("UNSUBSCRIBE", "PREFERENCES")}  # fmt: skip
        for path in (
            "/",
            "/archive",
            "/feed.atom",
            f"/e/{slug}",
            f"/e/{slug}?regions=africa",
            f"/e/{slug}?regions=europe",
        ):
            for language in ("en", "ar"):
                page = http.get(path, headers={"Accept-Language": language}).text
                assert not any(secret in page for secret in secrets)
                assert not re.search(r"(ann|bo|cy)@|DIGESTPLACE|you signed up|href=\"[^\"]*/[upcas]/", page)
