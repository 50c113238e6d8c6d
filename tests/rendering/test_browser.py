"""The mail as Chromium shows it: accessible, within its width, in both schemes and directions, with and
without photos."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from digest.editions.model import Edition, Section
from digest.rendering.environment import Templates
from digest.rendering.model import Design, place
from digest.rendering.render import render, render_mail
from tests.support.browser import chromium, opened
from tests.support.renditions import DAY, article, edition, picture, placed, publication

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
WIDTHS = (320, 375, 600, 1200)
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


def filled(html: str) -> str:
    """With its personal places, as a reader gets it."""
    since = html.replace(place("SINCE"), " on March 3, 2013")
    return since.replace(place("UNSUBSCRIBE"), "https://roundup.example.org/u/abc").replace(
        place("PREFERENCES"), "https://roundup.example.org/p/abc"
    )


def html_of(shown: Edition, language: str = "en", design: Design | None = None) -> str:
    return filled(
        render(shown, publication=publication(language), design=design or Design(), templates=Templates()).html
    )


def shapes() -> dict[str, str]:
    """Editions of every shape that a design must bear."""
    german = Section("asia", LONG, "region", "https://review.example.org/asia", articles=placed(
        article(1, f"{LONG} und {LONG}", image=picture(1), author=LONG, excerpt=f"Wort {LONG}. {LONG}")
    ))  # fmt: skip
    return {
        "full": html_of(edition(per_region=1)),
        "no photos": html_of(edition(photos=False)),
        "one region": html_of(edition(regions=("asia",)).for_regions(("asia",))),
        "sixty": html_of(edition(per_region=10)),
        "long words": html_of(Edition(DAY, (german,), None, LONG), "de"),
        "arabic": html_of(edition(per_region=1), "ar"),
        "pale design": html_of(
            edition(per_region=1), design=Design(accent="#ffee88", focus_ground="#ffe9d6", ink="#888888")
        ),
    }


def axe(page: Page) -> list[str]:
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"rules": {"region": {"enabled": False}, "landmark-one-main": {"enabled": False}}})
    return [f"{v['id']}: {n['html'][:160]}" for v in found.response["violations"] for n in v["nodes"]]


def test_no_side_scroll(browser: Browser) -> None:
    """No edition is wider than the screen it is read on, from 320 to 1200 pixels."""
    for name, html in shapes().items():
        with opened(browser, html) as page:
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 900})
                assert page.evaluate("document.documentElement.scrollWidth") <= width, (name, width)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(browser: Browser, scheme: str) -> None:
    """axe has nothing to say about any edition, in either scheme."""
    for name, html in shapes().items():
        if name in ("sixty", "no photos", "one region"):
            continue  # more, or less, of the same, and slow
        with opened(browser, html, scheme="dark" if scheme == "dark" else "light") as page:
            assert axe(page) == [], name


def test_staff_mails_are_accessible(browser: Browser) -> None:
    """The words to staff pass as the digest does."""
    context = {
        "day": DAY, "edition_subject": "A Friend at the Table", "needs_approval": True, "waiting": 2,
        "send_at": datetime(2013, 11, 29, 14, tzinfo=UTC), "command": "digest approve 2013-11-29",
        "link": "http://127.0.0.1:8000/newsroom",
        "sections": [{"title": "Africa", "articles": [{"title": "One", "link": "https://review.example.org/1"}]}],
    }  # fmt: skip
    made = render_mail("staff-draft", context, publication=publication(), design=Design(), templates=Templates())
    with opened(browser, made.html, scheme="dark", width=320) as page:
        assert axe(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_the_focus_is_a_panel_without_photos(browser: Browser) -> None:
    """With images off the focus still looks like one: a dark ground, and its heading before any picture."""
    with opened(browser, html_of(edition()), images=False) as page:
        ground = page.locator("td.panel", has=page.locator("h2")).evaluate("e => getComputedStyle(e).backgroundColor")
        assert ground == "rgb(18, 50, 74)"
        assert page.locator("img").first.evaluate("e => getComputedStyle(e).backgroundColor") == "rgb(14, 40, 59)"
        heading, photo = page.locator("h2").first.bounding_box(), page.locator("img").first.bounding_box()
        assert heading is not None
        assert photo is not None
        assert heading["y"] < photo["y"]


def test_dark_mode_is_dark(browser: Browser) -> None:
    """In the dark scheme the paper is dark and the photos stay within the column."""
    with opened(browser, html_of(edition()), scheme="dark", width=1200) as page:
        paper = page.locator("td.paper").first.evaluate("e => getComputedStyle(e).backgroundColor")
        assert paper == "rgb(23, 25, 29)"
        assert page.locator("img").first.bounding_box()["width"] == 600  # type: ignore[index]


def test_the_preheader_is_not_seen(browser: Browser) -> None:
    """What the inbox shows beside the subject does not stand in the mail."""
    shown = replace(edition(), introduction="Only the inbox shows this sentence, before the mail is opened at all.")
    with opened(browser, html_of(shown)) as page:
        assert page.get_by_text("Only the inbox").count() == 2
        assert not page.get_by_text("Only the inbox").first.is_visible()
        assert page.get_by_text("Only the inbox").last.is_visible()
