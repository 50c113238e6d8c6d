"""The demo's mail in Chromium: accessible, within its width, inlined as another inliner would."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

import pytest

from digest.rendering import render as rendering
from digest.rendering.environment import Templates
from digest.rendering.inline import inline
from digest.rendering.model import Design
from tests.support.browser import chromium, opened
from tests.support.demo_mail import Received
from tests.support.renditions import edition, publication

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
PROPERTIES = (
    "color", "background-color", "font-family", "font-size", "font-weight", "font-style", "line-height",
    "letter-spacing", "text-align", "text-transform", "text-decoration-line", "text-decoration-color", "vertical-align",
    "display", "width", "max-width", "margin-top", "margin-bottom", "margin-left", "padding-top", "padding-right",
    "padding-bottom", "padding-left", "border-top-width", "border-top-color", "border-bottom-width",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("mail", ["digest", "Draft ready", "Sent"])
def test_axe_finds_nothing(browser: Browser, received: Received, mail: str, scheme: Literal["light", "dark"]) -> None:
    """axe has nothing to say but that a mail has no landmarks, in either scheme."""
    from axe_playwright_python.sync_playwright import Axe

    shown = received.everything if mail == "digest" else received.staff_mail(mail)
    with opened(browser, shown.html, scheme=scheme) as page:
        rules = {"region": {"enabled": False}, "landmark-one-main": {"enabled": False}}
        found = Axe().run(page, options={"rules": rules}).response["violations"]
    assert [f"{one['id']}: {node['html'][:120]}" for one in found for node in one["nodes"]] == []


def test_no_side_scroll(browser: Browser, received: Received) -> None:
    """No mail is wider than the screen, from 320 to 1200 pixels, with images and without."""
    for images in (True, False):
        for mail in (received.everything, received.staff_mail("Draft ready"), received.staff_mail("Sent")):
            with opened(browser, mail.html, images=images) as page:
                for width in (320, 375, 600, 1200):
                    page.set_viewport_size({"width": width, "height": 900})
                    assert page.evaluate("document.documentElement.scrollWidth") <= width, (mail.name, width)


def test_words_of_pictures_can_be_read(browser: Browser, received: Received) -> None:
    """With images off the words in a picture's place have a contrast of 4.5 on its frame, in both schemes."""
    from digest.rendering.colour import contrast

    def hexed(colour: str) -> str:
        return "#" + "".join(f"{int(part):02x}" for part in re.findall(r"\d+", colour)[:3])

    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme in schemes:
        with opened(browser, received.everything.html, scheme=scheme, images=False) as page:
            pairs = page.eval_on_selector_all(
                "img", "all => all.map(e => [getComputedStyle(e).color, getComputedStyle(e).backgroundColor])"
            )
        assert pairs
        for words, ground in pairs:
            assert contrast(hexed(words), hexed(ground)) >= 4.5, (scheme, words, ground)


def test_regions_are_told_apart(browser: Browser, received: Received) -> None:
    """Each region's heading has a colour of its own, in both schemes."""
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme in schemes:
        with opened(browser, received.everything.html, scheme=scheme) as page:
            colours = {}
            for region in ("Africa", "Americas", "Asia", "Europe", "Middle East"):
                heading = page.get_by_role("heading", name=region, exact=True)
                colours[region] = heading.evaluate("e => getComputedStyle(e).color")
        assert len(set(colours.values())) == 5, colours


def test_another_inliner_agrees(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every element looks as css-inline would have it, so premailer lost and reordered nothing."""
    import css_inline

    before: list[str] = []

    def seen(html: str) -> str:
        before.append(html)
        return inline(html)

    monkeypatch.setattr(rendering, "inline", seen)
    ours = rendering.render(edition(), publication=publication(), design=Design(), templates=Templates()).html
    source = before[-1].replace('data-premailer="ignore"', 'data-css-inline="ignore"')
    theirs = css_inline.CSSInliner(keep_style_tags=False, load_remote_stylesheets=False).inline(source)
    looks = []
    for html in (ours, theirs):
        with opened(browser, html) as page:
            looks.append(
                page.eval_on_selector_all(
                    "body, body *",
                    "(all, names) => all.map(e => e.tagName + ' ' + names.map(name =>"
                    " name + ':' + getComputedStyle(e).getPropertyValue(name)).join(';'))",
                    list(PROPERTIES),
                )
            )
    assert len(looks[0]) == len(looks[1]) > 100
    assert [pair for pair in zip(*looks, strict=True) if pair[0] != pair[1]] == []
