"""The readers' pages over the whole house: a real edition, a real outbox, real links, real HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.app import App
from digest.config import bundled
from digest.delivery import store as outbox
from digest.delivery.model import Status as Fate
from digest.newsroom import drafts, editing
from digest.post_office import starting
from digest.post_office.reader_links import places_for
from digest.post_office.reader_pages import masked
from digest.post_office.web import web_app
from digest.rendering import store as renditions
from digest.web.serve import start
from digest.which import current
from subscribers import store as subscribers
from subscribers.model import Status
from tests.support.browser import chromium
from tests.support.house import House, house, over, overrides
from tests.support.stories import digests

if TYPE_CHECKING:
    from playwright.sync_api import Page

READERS = (("ann@example.org", ()), ("bo@example.org", ("africa",)), ("cy@example.org", ("asia",)))


@contextmanager
def pages(app: App) -> Iterator[httpx2.Client]:
    server = start(web_app(lambda: app), "127.0.0.1", 0)
    try:
        with httpx2.Client(base_url=server.url, trust_env=False, timeout=20) as client:
            yield client
    finally:
        server.stop()


def ready(h: House) -> str:
    """Three readers, an approved edition of six articles; its date."""
    h.publish(*(h.article(n, region=("africa", "asia", "europe")[n % 3]) for n in range(6)))
    h.subscribe(*READERS)
    return h.ready()


def link(h: House, address: str, place: str) -> str:
    """The path of a reader's own link, as it stands in their mail."""
    with h.app.database.read() as connection:
        reader = subscribers.find(connection, address)
    assert reader is not None
    return places_for(h.app, reader)[place].removeprefix(h.app.publication.public_url.rstrip("/"))


def status(h: House, address: str) -> Status:
    with h.app.database.read() as connection:
        found = subscribers.find(connection, address)
    assert found is not None
    return found.status


def test_leaving_while_the_mail_waits(tmp_path: Path, database_url: str) -> None:
    """Whoever leaves when the edition has begun and their mail has not left gets none, and the books say why."""
    with house(tmp_path, database_url=database_url) as h, pages(h.app) as http:
        slug = ready(h)
        starting.start(h.app, current(h.app, slug))
        for _ in range(2):
            answer = http.post(link(h, "bo@example.org", "UNSUBSCRIBE"), content="List-Unsubscribe=One-Click")
            assert answer.status_code == 200
        with h.app.database.read() as connection:
            assert outbox.reasons(connection, slug) == {(Fate.EXCLUDED, "left"): 1}
        report = h.send(slug)
        assert sorted(h.digests()) == ["ann@example.org", "cy@example.org"]
        assert (report.books.candidates, report.books.sent, report.books.excluded) == (3, 2, 1)


def test_leaving_by_the_link_in_the_mail(tmp_path: Path) -> None:
    """The address in the List-Unsubscribe header of a mail that was received does what it promises."""
    with house(tmp_path) as h, pages(h.app) as http:
        ready(h)
        h.send()
        header = str(digests(h)["cy@example.org"].message["List-Unsubscribe"])
        found = re.search(r"<https://[^/>]+(/u/[\w-]+)>", header)
        assert found is not None
        assert http.post(found[1], data={"List-Unsubscribe": "One-Click"}).status_code == 200
        assert status(h, "cy@example.org") is Status.LEFT
        assert status(h, "ann@example.org") is Status.ACTIVE


def test_a_reader_comes_back_and_chooses(tmp_path: Path, database_url: str) -> None:
    """Who left by mistake comes back with the regions they had, and chooses others."""
    with house(tmp_path, database_url=database_url) as h, pages(h.app) as http:
        h.subscribe(*READERS)
        unsubscribe, preferences = (link(h, "bo@example.org", place) for place in ("UNSUBSCRIBE", "PREFERENCES"))
        page = http.get(unsubscribe).text
        assert "b…@example.org" in page
        assert "bo@" not in page
        http.post(unsubscribe)
        assert http.post(preferences.replace("/p/", "/c/")).status_code == 200
        assert status(h, "bo@example.org") is Status.ACTIVE
        assert http.post(preferences, data={"region": ["europe", "asia"]}).status_code == 303
        with h.app.database.read() as connection:
            found = subscribers.find(connection, "bo@example.org")
        assert found is not None
        assert found.regions == ("asia", "europe")


def test_links_of_previews_and_tests_lead_nowhere(tmp_path: Path) -> None:
    """The dead links of a preview or a test send get the page of any forged link, and change nothing."""
    with house(tmp_path) as h, pages(h.app) as http:
        h.subscribe(*READERS)
        answers = [http.get(f"/{letter}/{word}") for letter in "upc" for word in ("preview", "1-forged", "test")]
        answers += [http.post(f"/u/{word}", content="List-Unsubscribe=One-Click") for word in ("preview", "test")]
        assert {answer.status_code for answer in answers} == {404}
        assert len({answer.text for answer in answers}) == 1
        with h.app.database.read() as connection:
            assert subscribers.counts(connection) == {"active": 3}


def test_the_edition_page_has_no_trace_of_a_reader(tmp_path: Path, database_url: str) -> None:
    """An edition in the browser is the one that was sent, for a choice of regions, without anything personal."""
    with house(tmp_path, database_url=database_url) as h, pages(h.app) as http:
        slug = ready(h)
        h.send()
        with h.app.database.read() as connection:
            assert set(renditions.for_edition(connection, slug)) == {(), ("africa",), ("asia",)}
        for query in ("", "?regions=africa", "?regions=africa,europe"):
            answer = http.get(f"/e/{slug}{query}")
            assert answer.status_code == 200
            assert not re.search(r"DIGESTPLACE|/[upc]/|(ann|bo|cy)@example\.org", answer.text)
            assert not re.search(r"unsubscribe|you signed up", answer.text, re.IGNORECASE)
            assert '<nav class="archive-bar"' in answer.text
            assert "View in browser" not in answer.text  # it is there
            assert answer.headers["referrer-policy"] == "no-referrer"
        assert "Article number 1 " in http.get(f"/e/{slug}?regions=asia").text
        assert "Article number 0 " not in http.get(f"/e/{slug}?regions=asia").text
        archive = http.get("/archive").text
        assert f'href="/e/{slug}"' in archive
        assert current(h.app, slug).subject in archive


def test_a_draft_is_not_shown(tmp_path: Path) -> None:
    """What has not begun to go out is the staff's alone; it is public from the moment it goes."""
    with house(tmp_path) as h, pages(h.app) as http:
        h.publish(*(h.article(n) for n in range(4)))
        h.pull()
        slug = drafts.compose_draft(h.app).row.slug
        for step in (lambda: None, lambda: editing.approve(h.app, slug, by="Ada")):
            step()
            assert http.get(f"/e/{slug}").status_code == 404
            assert slug not in http.get("/archive").text
        h.subscribe(*READERS)
        starting.start(h.app, current(h.app, slug))
        assert http.get(f"/e/{slug}").status_code == 200
        assert http.get(f"/e/{slug}?regions=asia").status_code == 404  # it would be empty, and is sent to nobody


def test_no_redirect_follows_the_host(tmp_path: Path) -> None:
    """An address with a slash too many is not there; nobody is sent to whatever host a request claims."""
    with house(tmp_path) as h, pages(h.app) as http:
        h.subscribe(*READERS)
        unsubscribe = link(h, "ann@example.org", "UNSUBSCRIBE")
        for path in ("/archive/", f"{unsubscribe}/", "/style.css/"):
            answer = http.get(path, headers={"Host": "elsewhere.example.org"})
            assert (answer.status_code, answer.headers.get("location")) == (404, None)


@pytest.mark.browser
def test_every_state_of_a_page_is_accessible(tmp_path: Path) -> None:
    """Axe finds nothing on a page, before and after something was done there, light and dark, wide and on a phone."""
    from axe_playwright_python.sync_playwright import Axe

    with house(tmp_path) as h, pages(h.app) as http, chromium() as browser:
        slug = ready(h)
        h.send()
        http.post(link(h, "cy@example.org", "UNSUBSCRIBE"))
        preferences = link(h, "bo@example.org", "PREFERENCES")
        states = [link(h, who, "UNSUBSCRIBE") for who in ("bo@example.org", "cy@example.org")]
        states += [f"{preferences}?saved", link(h, "cy@example.org", "PREFERENCES"), f"/e/{slug}?regions=africa"]
        ann = link(h, "ann@example.org", "PREFERENCES")
        states += [f"{preferences}/pause", f"{preferences}/address", "/archive?lang=ar"]
        http.post(f"{ann}/pause", data={"weeks": "4"})
        http.post(f"{ann}/address", data={"address": "ann@example.net"})
        states += [ann, f"{ann}/pause", f"{ann}/address?asked"]
        for scheme, width in (("light", 1200), ("dark", 375)):
            page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
            for path in states:
                page.goto(f"{http.base_url}{path}")
                page.wait_for_load_state()
                _fits(page, Axe().run(page).response["violations"])
            page.goto(f"{http.base_url}{preferences}")
            page.uncheck("[value=africa]")
            page.click("button.main")
            page.get_by_role("alert").wait_for()
            _fits(page, Axe().run(page).response["violations"])


def _fits(page: Page, violations: list[dict[str, Any]]) -> None:
    """`region` and `landmark-one-main` are for pages; an edition is a mail."""
    found = [one["id"] for one in violations if one["id"] not in ("region", "landmark-one-main")]
    assert (page.url, found) == (page.url, [])
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_changed_configuration_shows_at_once(tmp_path: Path) -> None:
    """The pages follow the application that is in force, from one request to the next."""
    with house(tmp_path) as h:
        in_force = [h.app]
        server = start(web_app(lambda: in_force[0]), "127.0.0.1", 0)
        try:
            assert "The Global Observatory" in httpx2.get(f"{server.url}/", trust_env=False).text
            changes = over(overrides(tmp_path, h.site, h.sink.port), {"publication": {"name": "The Harbour Review"}})
            in_force[0] = replace(h.app, config=bundled(overrides=changes))
            assert "The Harbour Review" in httpx2.get(f"{server.url}/", trust_env=False).text
        finally:
            server.stop()


def test_health_tells_a_broken_database(tmp_path: Path) -> None:
    """Health is 503 when the database does not answer, without a word about where it is."""
    with house(tmp_path) as h, pages(h.app) as http:
        assert http.get("/health").status_code == 200
        h.app.database.close()
        file = h.app.database.path
        assert file is not None
        for path in file.parent.glob(f"{file.name}*"):
            path.unlink()
        file.mkdir()
        answer = http.get("/health")
        assert answer.status_code == 503
        assert file.name not in answer.text


@given(st.emails())
def test_a_masked_address_gives_away_one_letter(address: str) -> None:
    """Of the name before the @ a page shows the first letter at most."""
    local, _, domain = address.rpartition("@")
    assert masked(address) == f"{local[0]}…@{domain}"
