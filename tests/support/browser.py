"""Chromium, for looking at mails and pages as a reader does. Skips where the machine has none."""

from __future__ import annotations

import functools
import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from tests.support.databases import missing

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
Scheme = Literal["light", "dark"]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium under Playwright, without a window."""
    path = shutil.which("chromium")
    if path is None:
        missing("Chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(
    browser: Browser, html: str, *, width: int = 600, scheme: Scheme = "light", images: bool = True
) -> Iterator[Page]:
    """The document in a page of that width. Its pictures are drawn for it, or fail to load; nothing else is
    fetched."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    try:
        page = context.new_page()

        def answer(route: Route) -> None:
            if route.request.resource_type == "document":
                route.fulfill(body=html, content_type="text/html; charset=utf-8")
            elif images and route.request.resource_type == "image":
                route.fulfill(body=photo(sum(route.request.url.encode()) % 6), content_type="image/jpeg")
            else:
                route.abort()

        page.route("**/*", answer)
        page.goto("https://mail.example.org/")
        yield page
    finally:
        context.close()


@functools.lru_cache(maxsize=8)
def photo(kind: int) -> bytes:
    """A landscape with a sun, 1200 by 800, in one of six lights."""
    from PIL import Image, ImageDraw, ImageFilter

    top, low, hill, sun = (
        ("#d9783a", "#7a3b24", "#3b241d", "#f7e0ae"), ("#8fb79a", "#3d6f55", "#1f3a2e", "#f2e8b8"),
        ("#c4606b", "#5c2440", "#2b1526", "#ffd9b0"), ("#7fa3cf", "#38578a", "#18294a", "#f3efdf"),
        ("#a48ac4", "#4f3a78", "#241b3d", "#f6e3c4"), ("#6fb3b0", "#2f6a70", "#163a40", "#f4ecc8"),
    )[kind]  # fmt: skip
    picture = Image.linear_gradient("L").resize((1200, 800))
    from PIL import ImageOps

    sky = ImageOps.colorize(picture, top, low)
    draw = ImageDraw.Draw(sky)
    draw.ellipse((820, 130, 980, 290), fill=sun)
    draw.polygon([(0, 560), (260, 430), (520, 560), (800, 400), (1200, 590), (1200, 800), (0, 800)], fill=low)
    draw.polygon([(0, 660), (380, 540), (760, 690), (1200, 600), (1200, 800), (0, 800)], fill=hill)
    out = io.BytesIO()
    sky.filter(ImageFilter.GaussianBlur(2)).save(out, "JPEG", quality=80)
    return out.getvalue()
