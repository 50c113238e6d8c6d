"""What surrounds the pages: headers, logs, links, languages, and the edition in the browser."""

from __future__ import annotations

import re
import shutil
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
import structlog

from digest.database import Database
from digest.errors import DigestError
from digest.rendering.model import Design
from digest.web.phrases import phrases
from digest.web.sentences import SENTENCES, SIGNUP
from digest.web.serve import start
from subscribers import tokens
from tests.support.databases import create_all, missing
from tests.support.subscribers import KEYS, Site, add_reader, publication, running

LANGUAGES = ("fr", "es", "ar")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    database = Database(f"sqlite:///{tmp_path / 'digest.sqlite3'}")
    create_all(database)
    yield Site(database)
    database.close()


@pytest.fixture
def http(site: Site) -> Iterator[httpx2.Client]:
    with running(site) as server, httpx2.Client(base_url=server.url, trust_env=False) as client:
        yield client


def paths(site: Site) -> tuple[str, str, str]:
    """The three pages of one reader's tokens."""
    reader = add_reader(site.database, "ann@example.org")
    preferences = tokens.make(KEYS, "preferences", reader.id)
    return (f"/u/{tokens.make(KEYS, 'unsubscribe', reader.id)}", f"/p/{preferences}", f"/c/{preferences}")


def test_headers(http: httpx2.Client, site: Site) -> None:
    """A page of a token is kept by nobody, told to nobody, framed by nobody, and runs nothing; nor does an error."""
    for path in (*paths(site), "/u/forged", "/nowhere"):
        headers = http.get(path).headers
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert "noindex" in headers["x-robots-tag"]
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
        policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
        assert (policy["default-src"], policy["frame-ancestors"], policy["base-uri"]) == ("'none'",) * 3
        assert "script-src" not in policy
        assert "unsafe" not in str(policy)
        assert not {"server", "set-cookie"} & set(headers)


def test_nothing_from_third_parties(http: httpx2.Client, site: Site) -> None:
    """A page loads its stylesheet from us and nothing else, whatever logo the mail has; it shows no address."""
    site.design = Design(logo="https://cdn.example.org/logo.png", logo_width=100, logo_height=20)
    for path in (*paths(site), "/", "/archive"):
        page = http.get(path).text
        [stylesheet] = re.findall(r'"(/style\.css\?\w+)"', page)
        assert re.findall(r"<(?:link|img|script|iframe|source)\b[^>]*", page) == [
            f'<link rel="stylesheet" href="{stylesheet}"',
            f'<link rel="alternate" type="application/atom+xml" title="{site.publication.name}" href="/feed.atom"',
        ]
        assert "ann@" not in page
    assert http.get("/style.css").headers["content-type"].startswith("text/css")
    assert "url(" not in http.get("/style.css").text


def test_the_log_has_no_token(http: httpx2.Client, site: Site) -> None:
    """Requests are logged without what is secret in their address, also when it stands in the wrong place."""
    secret = [path.split("/")[2] for path in paths(site)]
    with structlog.testing.capture_logs() as lines:
        for token in secret:
            for path in (f"/u/{token}", f"/p/{token}/leave", f"/{token}", f"/u/{token}/x?{token}", f"/e/{token}"):
                http.get(path)
                http.post(path)
        until = time.monotonic() + 30
        while len(lines) < 30 and time.monotonic() < until:  # a request may be logged after its answer has gone
            time.sleep(0.01)
    assert len(lines) == 30
    assert not [line for line in lines for token in secret if token in str(line)]


def test_the_host_decides_nothing(http: httpx2.Client, site: Site) -> None:
    """No link, form or redirect follows the Host header, or any that a proxy might add."""
    lies = {
        "Host": "evil.example.org",
        "X-Forwarded-Host": "evil.example.org",
        "X-Forwarded-Prefix": "//evil.example.org",
    }
    unsubscribe, preferences, back = paths(site)
    pages = [http.get(path, headers=lies) for path in (unsubscribe, preferences, back, "/", "/archive", "/e/none")]
    pages.append(http.post(preferences, data={"region": "asia"}, headers=lies))
    for answer in pages:
        assert "evil" not in answer.text
        assert "evil" not in str(answer.headers)


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example.org/",
        "//evil.example.org/u/x",
        "/u//evil.example.org",
        "/%2f%2fevil.example.org",
        "/archive/",
        "/p/x/",
    ],
)
def test_no_open_redirect(http: httpx2.Client, path: str) -> None:
    """No address makes us send anybody elsewhere."""
    answer = http.send(httpx2.Request("GET", f"{http.base_url}{path}"))
    assert "evil" not in answer.headers.get("location", "")
    if answer.is_redirect:
        assert httpx2.URL(answer.headers["location"]).host in ("", http.base_url.host)


def test_below_a_path(tmp_path: Path, site: Site) -> None:
    """Where readers reach us below a path, links hold it, whether or not the proxy takes it away."""
    site.publication = publication(public_url="https://example.org/roundup/")
    unsubscribe, preferences, _ = paths(site)
    with running(site) as server, httpx2.Client(base_url=server.url, trust_env=False) as http:
        for arriving in ("", "/roundup"):
            page = http.get(f"{arriving}{unsubscribe}").text
            assert f'action="/roundup{unsubscribe}"' in page
            answer = http.post(f"{arriving}{preferences}", data={"region": "asia"})
            assert answer.headers["location"] == f"/roundup{preferences}?saved"
            assert http.get(f"{arriving}/").status_code == 200


def test_editions(http: httpx2.Client) -> None:
    """A past edition is shown for any choice of regions; what is no edition is not there."""
    answer = http.get("/e/2026-11-20?regions=europe,africa,atlantis,europe")
    assert "<p>africa,europe</p>" in answer.text
    assert "unsafe-inline" in answer.headers["content-security-policy"]
    assert "script-src" not in answer.headers["content-security-policy"]
    assert "x-robots-tag" not in answer.headers
    assert "<p>all</p>" in http.get("/e/2026-11-20").text
    assert http.get("/e/2026-11-27").status_code == 404
    assert 'href="/e/2026-11-20"' in http.get("/archive").text


def test_health(http: httpx2.Client) -> None:
    """Health says ok while the database answers."""
    assert (http.get("/health").status_code, http.get("/health").text) == (200, "ok\n")


def test_the_database_is_away(http: httpx2.Client, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """When leaving cannot be stored the answer is 503, so that a mail provider tries again; nothing is made up."""
    unsubscribe, *_ = paths(site)

    def away(*_: object) -> bool:
        raise DigestError("database locked")

    monkeypatch.setattr(site, "leave", away)
    answer = http.post(unsubscribe)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")

    def broken(*_: object) -> bool:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(site, "leave", broken)
    answer = http.post(unsubscribe)
    assert answer.status_code == 500
    assert "fault" not in answer.text
    assert answer.headers["cache-control"] == "no-store"


def test_a_taken_port(site: Site) -> None:
    """A port that is taken, or a host that is not ours, is one clear line."""
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(DigestError, match="already taken"):
        start(lambda *_: None, "127.0.0.1", other.getsockname()[1])  # type: ignore[arg-type]
    with pytest.raises(DigestError):
        start(lambda *_: None, "192.0.2.1", 0)  # type: ignore[arg-type]
    with running(site) as server:
        assert httpx2.get(f"{server.url}/health", trust_env=False).status_code == 200
        server.stop()
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(f"{server.url}/health", trust_env=False)


def used() -> set[str]:
    """Every phrase of the pages, as the templates and the application name them."""
    root = Path(__file__).parents[2]
    found = {
        phrase
        for file in (root / "templates" / "web").glob("*.html")
        if file.name != "preview.html"
        for phrase in re.findall(r'_\("([^"]+)"', file.read_text())
    }
    return found.union(*SENTENCES.values(), *SIGNUP.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_phrase_is_translated(language: str) -> None:
    """No page speaks English in the middle of another language, none loses what is filled in, none is stale."""
    catalogue = phrases(language)
    for phrase in used():
        said = catalogue.gettext(phrase)
        assert said != phrase, phrase
        assert re.findall(r"%\(\w+\)s", said) == re.findall(r"%\(\w+\)s", phrase)
    source = (Path(__file__).parents[2] / "digest" / "web" / "locale" / f"{language}.po").read_text(encoding="utf-8")
    assert set(re.findall(r'^msgid "(.+)"$', source, re.MULTILINE)) <= used()


@pytest.mark.parametrize(
    ("language", "direction", "words"),
    [
        ("en", "ltr", "Past editions"),
        ("fr-CA", "ltr", "Éditions passées"),
        ("ar", "rtl", "الأعداد السابقة"),
        ("de", "ltr", "Past editions"),
    ],
)
def test_languages(site: Site, language: str, direction: str, words: str) -> None:
    """The pages speak the publication's language and run in its direction; what is filled into a phrase is escaped."""
    site.publication = replace(publication(language=language), name="<b>Us & Them</b>")
    site.editions["2026-11-27"] = "<i>Talks</i>"
    with running(site) as server:
        page = httpx2.get(f"{server.url}/", trust_env=False).text
    assert f'<html lang="{language}" dir="{direction}">' in page
    assert words in page
    assert "&lt;b&gt;Us &amp; Them" in page
    assert "<b>" not in page
    assert "<i>" not in page


@pytest.mark.browser
@pytest.mark.parametrize("language", ["en", "ar"])
def test_in_a_browser(site: Site, language: str) -> None:
    """In Chromium with scripts off the buttons work; axe finds nothing in either scheme; nothing scrolls sideways."""
    chromium = shutil.which("chromium")
    if chromium is None:
        missing("Chromium is not installed")
    from axe_playwright_python.sync_playwright import Axe
    from playwright.sync_api import sync_playwright

    site.publication = publication(language=language)
    unsubscribe, preferences, back = paths(site)
    flags = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-sync"
    with running(site) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=flags.split())
        for scheme, width in (("light", 1200), ("dark", 320)):
            page = browser.new_page(viewport={"width": width, "height": 700}, color_scheme=scheme)  # type: ignore[arg-type]
            for path in (unsubscribe, preferences, back, "/", "/archive", "/u/forged"):
                page.goto(server.url + path)
                findings = Axe().run(page).response["violations"]
                assert [(path, finding["id"]) for finding in findings] == []
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        plain = browser.new_context(java_script_enabled=False).new_page()
        plain.goto(server.url + preferences)
        plain.uncheck("[value=asia]")
        plain.click("button.main")
        assert plain.url == f"{server.url}{preferences}?saved"
        assert not plain.is_checked("[value=asia]")
        plain.goto(server.url + unsubscribe)
        plain.click("button.main")
        plain.click("form button")
        assert plain.url == server.url + back
        browser.close()
