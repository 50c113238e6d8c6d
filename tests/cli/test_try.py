"""`digest try FEED`: any feed in the world gives sensible articles or one sensible line, quickly, in little memory."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import run_here
from tests.support.feed_server import FeedServer, feed_server, item, rss
from tests.support.workspace import COMMAND, plain_environment

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "feeds"
FILES = sorted(path for folder in ("nasty", "policy") for path in (CORPUS / folder).glob("*") if path.is_file())
NO_FEED = {"bomb_xmlbomb.xml", "empty_file_0bytes.xml", "html_not_a_feed.html"}
SECONDS = 5.0
MEGABYTES = 300
SCRIPT = re.compile(
    r"<\s*/?\s*(script|iframe|object|embed|form|img|svg|style|link|meta)\b|\bon(error|load|click)\s*=", re.IGNORECASE
)
SCHEME = re.compile(r"\s*(javascript|vbscript|data)\s*:", re.IGNORECASE)


@dataclass
class Tried:
    code: int
    out: str
    error: str
    seconds: float = 0.0
    megabytes: float = 0.0


MEASURE = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss, file=sys.stderr)
sys.exit(code)
"""
"""A small process between us and the command: Linux counts the memory of whoever forked as the child's own."""


def try_out(*arguments: str | Path, cwd: Path | None = None) -> Tried:
    """The real command, with its processor time and the largest of its processes, the parsing child among them."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, COMMAND, "try", *arguments],
        capture_output=True,
        text=True,
        cwd=cwd or tempfile.gettempdir(),
        env=plain_environment(),
        timeout=60,
    )
    *said, measured = done.stderr.splitlines(keepends=True)
    seconds, kilobytes = measured.split()
    # Processor time, so that a busy machine changes nothing. The memory is the largest single process's: two of them
    # at once are at most twice that.
    return Tried(done.returncode, done.stdout, "".join(said), float(seconds), 2 * int(kilobytes) / 1024)


def try_here(*arguments: str | Path) -> Tried:
    """The same command in this process: only the parsing child is started."""
    return Tried(*run_here("try", *arguments))


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


@pytest.fixture(scope="module")
def corpus() -> dict[str, Tried]:
    """Every file, tried once."""
    if not FILES:
        pytest.skip("the collection of feeds is not here")
    return {path.name: try_here("--json", path) for path in FILES}


@pytest.mark.slow
def test_sensible_articles_or_a_sensible_line(corpus: dict[str, Tried]) -> None:
    """Each file ends with 0 and articles, or with 1 and one line that names the file and the mend."""
    for name, tried in corpus.items():
        assert "Traceback" not in tried.error, name
        if name in NO_FEED:
            assert (tried.code, tried.out) == (1, ""), name
            assert re.fullmatch(r"digest: \S+: .+; .+\n", tried.error), (name, tried.error)
            assert name in tried.error
            continue
        assert (tried.code, tried.error) == (0, ""), name
        document = json.loads(tried.out)
        assert document["feed"]["version"], name
        for article in document["articles"]:
            assert article["title"] or article["excerpt"] or article["link"] or article["id"] or article["why_not"], (
                name
            )
            assert article["eligible"] == (not article["why_not"])
            assert article["region"] == "global" or article["region"] in article["regions"], name
            assert "�" not in article["title"] or "chardet" in name, (name, article["title"])


@pytest.mark.slow
def test_quick_and_small() -> None:
    """Neither the largest files nor the worst take five seconds, or 300 MB with the child that parses."""
    if not FILES:
        pytest.skip("the collection of feeds is not here")
    largest = sorted(FILES, key=lambda path: path.stat().st_size)[-3:]
    for path in {*largest, *(path for path in FILES if path.name == "bomb_xmlbomb.xml")}:
        tried = try_out("--json", path)
        assert tried.seconds < SECONDS, (path.name, tried.seconds)
        assert tried.megabytes < MEGABYTES, (path.name, tried.megabytes)


@pytest.mark.slow
def test_nothing_scriptable(corpus: dict[str, Tried]) -> None:
    """No markup that acts and no address that runs is in the output."""
    for name, tried in corpus.items():
        document = json.loads(tried.out) if tried.out else {}
        for text in strings(document):
            assert not SCRIPT.search(text), (name, text)
            assert not SCHEME.match(text), (name, text)
        for article in document.get("articles", []):
            for url in (article["link"], (article["image"] or {}).get("url", "")):
                assert url == "" or url.startswith(("http://", "https://")), (name, url)


KEYS = {
    "id", "link", "title", "author", "published", "kind", "topics", "regions", "region", "reason", "excerpt", "image",
    "eligible", "why_not",
}  # fmt: skip


@pytest.fixture(scope="module")
def site() -> Iterator[FeedServer]:
    now = datetime.now(UTC)
    with feed_server() as server:
        items = (
            item(
                "Talks resume in Bamako", link="/talks/?utm_source=rss", guid="talks-1", published=now,
                author="Ada Example", categories=["Mali", "Mediation"], image="https://example.org/bamako.jpg",
                description="<p>The talks resume. <script>alert(1)</script>It is <b>late</b>.</p>",
            ),
            item("Of last year", link=server.url("/old"), published=now - timedelta(days=300)),
            item("Of next year", link=server.url("/next"), published=now + timedelta(days=300)),
            item("Run me", link="javascript:alert(1)", guid="", published=now),
        )  # fmt: skip
        server.feed("/feed/", rss(*items, title="The Gazette", link=server.url("/")))
        link = '<link rel="alternate" type="application/rss+xml" href="/feed/">'
        server.page("/", f"<!DOCTYPE html><html><title>The Gazette</title>{link}")
        yield server


@pytest.fixture
def allowed(tmp_path: Path) -> Path:
    """A folder with a configuration that lets feeds be on this machine."""
    made = subprocess.run([COMMAND, "init", tmp_path, "--allow-private-addresses"], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    return tmp_path


def test_every_entry_whatever_its_age(site: FeedServer, allowed: Path) -> None:
    """Over HTTP: each entry with all its keys, `eligible` and why not, its id and link as given but absolute."""
    tried = try_out("--json", site.url("/feed/"), cwd=allowed)
    assert tried.code == 0, tried.error
    document = json.loads(tried.out)
    assert set(document) == {"feed", "articles"}
    assert set(document["feed"]) == {"url", "title", "version", "warnings"}
    assert (document["feed"]["url"], document["feed"]["title"]) == (site.url("/feed/"), "The Gazette")
    assert all(set(article) == KEYS for article in document["articles"])
    talks, old, future, script = document["articles"]
    assert (talks["id"], talks["link"]) == ("talks-1", site.url("/talks/?utm_source=rss"))
    assert (talks["author"], talks["region"], talks["regions"][0]) == ("Ada Example", "africa", "africa")
    assert "ali" in talks["reason"]
    assert talks["excerpt"] == "The talks resume. It is late."
    assert talks["image"]["url"] == "https://example.org/bamako.jpg"
    assert talks["eligible"] is True
    assert (old["eligible"], "older than" in old["why_not"]) == (False, True)
    assert (future["eligible"], "future" in future["why_not"]) == (False, True)
    assert script["link"] == ""
    assert script["eligible"] is False
    assert not (allowed / "var").exists()


def test_for_people(site: FeedServer, allowed: Path) -> None:
    """Without --json: the feed, and under each title what decided and what is wrong."""
    tried = try_out(site.url("/feed/"), cwd=allowed)
    assert tried.code == 0
    assert tried.out.startswith("The Gazette (rss20): 4 entries, 1 eligible\n")
    assert "\nTalks resume in Bamako\n" in tried.out
    assert "  not eligible: older than 7d" in tried.out


def test_a_page_tells_its_feed(site: FeedServer, allowed: Path) -> None:
    """A web page is no feed, and the line names the feed that it points to."""
    tried = try_out(site.url("/"), cwd=allowed)
    assert tried.code == 1
    assert f"its feed is {site.url('/feed/')}" in tried.error


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{site}/feed/", "not an address of the public internet"),
        ("http://169.254.169.254/latest/", "not an address of the public internet"),
        ("http://[::1]/feed", "not an address of the public internet"),
        ("missing.xml", "No such file or directory; name a file, or a URL"),
        (".", "is a folder"),
        ("ftp://example.org/feed", "name a file, or a URL"),
    ],
)
def test_what_is_refused(site: FeedServer, tmp_path: Path, source: str, words: str) -> None:
    """Addresses of this machine and its network, folders and what is not there: one line with the mend, and 1."""
    asked = len(site.requests["/feed/"])
    tried = try_out(source.format(site=site.base), cwd=tmp_path)
    assert (tried.code, tried.out) == (1, "")
    assert words in tried.error
    assert tried.error.count("\n") == 1
    if "public internet" in words:
        assert "allow_private_addresses = true" in tried.error
    assert len(site.requests["/feed/"]) == asked
