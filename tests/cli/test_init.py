"""`digest init`: from an address to a workspace that makes a first preview without a word of editing."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digest.app import open_app
from digest.config import load
from digest.config.placeholders import POSTAL_ADDRESS
from digest.errors import DigestError, RefusedError, UsageError
from digest.feeds.errors import FeedError
from digest.newsroom import drafts, editing, intake
from digest.post_office import sending
from digest.workspace import create
from digest.workspace.logo import Logo, measured
from digest.workspace.survey import Survey
from digest.workspace.writing import configuration
from tests.support.feed_server import FeedServer, feed_server, item, rss
from tests.support.workspace import COMMAND, plain_environment

NOW = datetime.now(UTC)
NASTY = 'The "Odd" \\ Site\x07\u202e\nof Peace' + " and so on" * 40
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (560).to_bytes(4, "big") + (120).to_bytes(4, "big")


@pytest.fixture
def site() -> Iterator[FeedServer]:
    with feed_server() as server:
        yield server


def a_feed(site: FeedServer, *, age: timedelta = timedelta(hours=5), title: str = "The Gazette", count: int = 6) -> str:
    topics = (["africa", "mediation", "Analysis"], ["france", "mediation"], ["asia", "elections"])
    items = [
        item(
            f"Report {number} from the field",
            link=site.url(f"/{number}/"),
            published=NOW - age - timedelta(hours=number),
            categories=topics[number % 3],
            description=f"What happened in case {number}. It matters to those who live there.",
        )
        for number in range(count)
    ]
    return site.feed("/news/feed.xml", rss(*items, title=title, link=site.url("/")))


def a_page(site: FeedServer, head: str = "", body: str = "", title: str = "The Gazette | News and views") -> str:
    return site.page(
        "/", f'<!DOCTYPE html><html lang="fr-ca"><head><title>{title}</title>{head}</head><body>{body}</body>'
    )


LINK = '<link rel="alternate" type="application/rss+xml" href="/news/feed.xml">'


def run(*arguments: str | Path, cwd: Path) -> tuple[int, str, str]:
    done = subprocess.run(
        [COMMAND, *arguments], cwd=cwd, env=plain_environment(), capture_output=True, text=True, timeout=60
    )
    return done.returncode, done.stdout, done.stderr


def test_from_a_site_to_the_first_preview(site: FeedServer, tmp_path: Path) -> None:
    """Five minutes, no editing: init, pull, compose, preview; then doctor tells what is still to be filled in."""
    a_feed(site)
    a_page(site, LINK, '<img class="site-logo" src="/logo.png"><a href="https://www.facebook.com/gazette">f</a>')
    site.page("/logo.png", PNG, content_type="image/png")
    code, out, error = run("init", "roundup", "--feed", site.url("/"), "--allow-private-addresses", cwd=tmp_path)
    assert code == 0, error
    assert "Found The Gazette" in out
    assert "cd roundup && digest pull && digest compose && digest preview --serve" in out
    folder = tmp_path / "roundup"
    config = load(folder / "config.toml", {})
    assert (config.publication.name, config.publication.language) == ("The Gazette", "en")
    assert [feed.url for feed in config.feed_list()] == [site.url("/news/feed.xml")]
    assert [region.name for region in config.region_list()] == ["Africa", "Asia", "Europe"]
    assert config.kinds == {"analysis": "Analysis"}
    assert config.focus_calendar()[0].topics == ("mediation",)
    assert config.tables.links == {"facebook": "https://www.facebook.com/gazette"}
    assert f'logo = "{site.url("/logo.png")}"' in config.path.read_text()
    for command in ("pull", "compose", "preview"):
        code, out, error = run(command, cwd=folder)
        assert code == 0, (command, out, error)
    assert "Report 0 from the field" in (folder / "preview" / "edition.html").read_text()
    code, out, _ = run("doctor", "--json", cwd=folder)
    said = " ".join(one["sentence"] for one in json.loads(out) if not one["ok"])
    assert code == 1
    assert all(f"[publication] {key} is" in said for key in ("postal_address", "from", "public_url"))


def test_nothing_goes_out_with_the_placeholder(site: FeedServer, tmp_path: Path) -> None:
    """To a relay elsewhere `digest send` refuses while the postal address is the placeholder, and names the key."""
    made = create(tmp_path / "w", a_feed(site), allow_private=True)
    made.config.write_text(made.config.read_text().replace('host = "127.0.0.1"', 'host = "relay.invalid"'))
    app = open_app(load(made.config, {}))
    try:
        assert all(report.ok for report in intake.pull(app))
        slug = drafts.compose_draft(app).row.slug
        editing.approve(app, slug, by="Ada")
        with pytest.raises(UsageError, match=r"\[publication\] postal_address is still the placeholder"):
            sending.send(app, slug, now=True)
    finally:
        app.close()
    assert POSTAL_ADDRESS in made.config.read_text()


def test_a_page_that_names_no_feed(site: FeedServer, tmp_path: Path) -> None:
    """A site that names no feed is asked where feeds often are; one that has none is told so, and nothing is made."""
    a_page(site)
    with pytest.raises(FeedError, match="is a web page"):
        create(tmp_path / "none", site.url("/"), allow_private=True)
    assert not (tmp_path / "none").exists()
    site.feed("/feed/", rss(item("One", published=NOW), title="Found"))
    made = create(tmp_path / "some", site.url("/"), allow_private=True)
    assert made.found is not None
    assert made.found.feed == site.url("/feed/")


def test_a_feed_that_is_named_and_broken(site: FeedServer, tmp_path: Path) -> None:
    """Of several feeds that a page names, the first that can be read is taken."""
    a_page(site, '<link rel="alternate" type="application/rss+xml" href="/gone">' + LINK)
    a_feed(site)
    made = create(tmp_path, site.url("/"), allow_private=True)
    assert made.found is not None
    assert made.found.feed == site.url("/news/feed.xml")


def test_a_feed_that_rests(site: FeedServer, tmp_path: Path) -> None:
    """A feed with nothing in the last week looks back further, so that the first preview is not empty."""
    made = create(tmp_path, a_feed(site, age=timedelta(days=40)), allow_private=True)
    assert load(made.config, {}).editions.lookback == timedelta(days=41)


def test_nothing_is_overwritten(site: FeedServer, tmp_path: Path) -> None:
    """A workspace that is there stays as it is, to the byte; so do a file's own templates and .gitignore."""
    (tmp_path / ".gitignore").write_text("mine\n")
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "README.md").write_text("mine")
    create(tmp_path, None)
    before = (tmp_path / "config.toml").read_bytes()
    with pytest.raises(RefusedError, match="exists already"):
        create(tmp_path, None)
    assert (tmp_path / "config.toml").read_bytes() == before
    assert (tmp_path / ".gitignore").read_text() == "mine\n"
    assert (tmp_path / "templates" / "README.md").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == [".gitignore", "config.toml", "templates"]


@pytest.mark.parametrize(
    "address", ["", "no address", "ftp://example.org/", "./feed.xml", "https://", "http://[", "a b.c"]
)
def test_no_address(tmp_path: Path, address: str) -> None:
    """What is no address of a web page is refused, and nothing is made."""
    with pytest.raises(DigestError):
        create(tmp_path / "new", address or "  ")
    assert not (tmp_path / "new").exists()


def test_the_private_network_is_left_alone(site: FeedServer, tmp_path: Path) -> None:
    """Without the option no address of this machine is asked, and the option is told."""
    code, _, error = run("init", "new", "--feed", a_feed(site), cwd=tmp_path)
    assert code == 1
    assert "--allow-private-addresses" in error
    assert list(tmp_path.iterdir()) == []
    assert not site.requests


odd = [NASTY, '"""', "'''", "\\", "\x7f", "a\nb = 1", "[x]", "# x", "\ud7ff", "", "a:b@example.org/", "."]
texts = st.text(max_size=200) | st.sampled_from(odd)


@given(
    name=texts, site_url=texts, language=texts, topics=st.lists(texts, max_size=5), links=st.dictionaries(texts, texts)
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_site_says(
    tmp_path: Path, name: str, site_url: str, language: str, topics: list[str], links: dict[str, str]
) -> None:
    """Whatever the feed and the site say, the configuration is valid and says nothing that was not meant."""
    found = Survey(
        feed="https://example.org/feed/", name=name, site=f"https://{site_url}", language=language,
        topics=tuple(topics), regions=("Africa",), links=links, logo=Logo("https://example.org/l.png", 300, 60),
    )  # fmt: skip
    file = tmp_path / "config.toml"
    file.write_text(configuration(found, now=NOW), encoding="utf-8")
    config = load(file, {})
    assert config.path == file
    assert config.smtp.host == "127.0.0.1"
    assert [region.name for region in config.region_list()] == ["Africa"]
    assert len(config.publication.name) <= 120
    assert "\x07" not in config.publication.name


@pytest.mark.parametrize(
    ("body", "size"),
    [
        (PNG, (560, 120)),
        (b"GIF89a" + (200).to_bytes(2, "little") + (50).to_bytes(2, "little"), (200, 50)),
        (b"\xff\xd8\xff\xe0\x00\x04\x00\x00\xff\xc0\x00\x11\x08\x00\x64\x01\x2c", (300, 100)),
        (b"\xff\xd8\xff", None),
        (b"<svg/>", None),
        (b"", None),
    ],
)
def test_the_size_of_a_logo(body: bytes, size: tuple[int, int] | None) -> None:
    """A picture's size is read from its first bytes, and what is no picture has none."""
    logo = measured("https://example.org/logo", body)
    assert (logo and (logo.width, logo.height)) == size


def test_the_offer_at_a_terminal(site: FeedServer, tmp_path: Path) -> None:
    """At a terminal the first preview is offered, and a word makes it."""
    address = a_feed(site)
    main, other = pty.openpty()
    process = subprocess.Popen(
        [COMMAND, "init", "w", "--feed", address, "--allow-private-addresses"],
        cwd=tmp_path, env={**plain_environment(), "TERM": "xterm", "COLUMNS": "100"},
        stdin=other, stdout=other, stderr=other,
    )  # fmt: skip
    os.close(other)
    shown = b""
    answered = False
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        if select.select([main], [], [], 0.1)[0]:
            try:
                shown += os.read(main, 4096)
            except OSError:
                break
        if not answered and b"[Y/n]" in shown:
            answered = bool(os.write(main, b"\n"))
    assert process.wait(timeout=30) == 0, shown.decode()
    os.close(main)
    assert b"Make the first preview now? [Y/n]" in shown
    assert (tmp_path / "w" / "preview" / "index.html").is_file()
