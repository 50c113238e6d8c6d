"""Draws edition.png beside this file: the demo's edition on a phone and on a desktop.

Needs the development tools and Chromium: `.venv/bin/python docs/picture.py`."""

from __future__ import annotations

import io
import shutil
import tempfile
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from playwright.sync_api import sync_playwright

from digest.demo import job

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route

HEIGHT = 1400
DESKTOP, PHONE, GAP = 700, 375, 36
WIDEST = 600_000  # bytes: a README should open at once
GROUND = "#d9d6cd"
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]


def edition(folder: Path) -> str:
    """The HTML of the demo's edition, as its preview has it."""
    job.run(folder, 1, say=lambda _: None, now=datetime(2026, 11, 26, 22, tzinfo=UTC))
    return (folder / "preview" / "edition.html").read_text(encoding="utf-8")


def shot(browser: Browser, html: str, width: int) -> Image.Image:
    """The top of the mail at that width, its photos the demo's own."""
    photos = resources.files("digest.demo") / "photos"

    def answer(route: Route) -> None:
        name = route.request.url.rpartition("/")[2]
        if route.request.resource_type == "document":
            route.fulfill(body=html, content_type="text/html; charset=utf-8")
        elif name.endswith(".jpg") and (photos / name).is_file():
            route.fulfill(body=(photos / name).read_bytes(), content_type="image/jpeg")
        else:
            route.abort()

    page = browser.new_page(viewport={"width": width, "height": HEIGHT}, color_scheme="light")
    page.route("**/*", answer)
    page.goto("https://mail.example.org/", wait_until="networkidle")
    picture = Image.open(io.BytesIO(page.screenshot()))
    page.close()
    return picture.convert("RGB")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        html = edition(Path(folder) / "demo")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        wide, narrow = shot(browser, html, DESKTOP), shot(browser, html, PHONE)
        browser.close()
    sheet = Image.new("RGB", (DESKTOP + PHONE + 3 * GAP, HEIGHT + GAP), GROUND)
    sheet.paste(wide, (GAP, GAP))
    sheet.paste(narrow, (DESKTOP + 2 * GAP, GAP))
    target = Path(__file__).with_name("edition.png")
    sheet.quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(target, optimize=True)
    if target.stat().st_size > WIDEST:
        raise SystemExit(f"{target} has {target.stat().st_size} bytes; {WIDEST} is the most")


if __name__ == "__main__":
    main()
