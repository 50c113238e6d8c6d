"""A reader's whole way in Chromium, on a phone: sign up, confirm, choose, read, leave; with scripts and without."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from digest.post_office import sending, signups
from digest.post_office.web import web_app
from digest.web.serve import start
from tests.support.browser import chromium
from tests.support.house import House, house
from tests.support.stories import Read, mails

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
PUBLIC = "https://roundup.example.org"
ANN = "ann@example.org"
FOCUS = {"focus": {"2026-11": {"title": "Peace Processes", "topics": ["mediation"]}}}


@contextmanager
def phone(h: House, *, scripts: bool) -> Iterator[Page]:
    """A phone on which the publication's address leads to a server of ours."""
    server = start(web_app(lambda: h.app), "127.0.0.1", 0)
    try:
        with chromium() as browser:
            context = browser.new_context(
                viewport={"width": 375, "height": 760}, has_touch=True, java_script_enabled=scripts, base_url=server.url
            )
            page = context.new_page()
            strays: list[str] = []
            page.on("request", lambda request: strays.append(request.url) if server.url not in request.url else None)
            yield page
            assert strays == [], "no page asks anybody else for anything"
    finally:
        server.stop()


def here(address: str) -> str:
    """The path of an address in a mail."""
    assert address.startswith(PUBLIC), address
    return address.removeprefix(PUBLIC)


def link(mail: Read, pattern: str) -> str:
    found = re.search(rf'href="({PUBLIC}{pattern})"', mail.html)
    assert found is not None, pattern
    return here(found[1].replace("&amp;", "&"))


def newest(h: House) -> Read:
    """The mail in the reader's inbox that came last."""
    signups.answer_waiting(h.app)
    sending.deliver(h.app)
    return [mail for mail in mails(h) if mail.recipient == ANN][-1]


def week(h: House, first: int) -> None:
    """Two articles of the focus, and one about each of three regions; the edition goes out."""
    regions = ("africa", "asia", "europe")
    h.publish(
        *(
            h.article(first + n, title=f"From {region}, week {first}", region=region)
            for n, region in enumerate(regions)
        ),
        h.article(first + 5, title=f"At the table, week {first}", categories=["mediation"]),
    )
    h.ready()
    h.send()


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_from_signing_up_to_leaving(tmp_path: Path, scripts: bool) -> None:
    """Sign up, confirm by the mail, choose two regions, get those and the focus alone, read it in the archive, leave by
    the link in the mail, and receive nothing more."""
    with house(tmp_path, changes=FOCUS) as h, phone(h, scripts=scripts) as page:
        h.subscribe(("other@example.org", ()))
        page.goto("/")
        page.get_by_label("Your email address").fill(ANN)
        h.clock.now += timedelta(seconds=20)
        page.get_by_role("button", name="Subscribe").click()
        page.get_by_role("heading", name="Look into your mail").wait_for()

        page.goto(link(newest(h), r"/confirm/[\w-]+"))
        page.get_by_role("main").get_by_role("button").click()
        page.get_by_role("main").get_by_role("link", name=re.compile("choose", re.IGNORECASE)).first.click()

        for region in ("Americas", "Europe", "Middle East", "Global"):
            page.get_by_label(region, exact=True).uncheck()
        page.get_by_role("button", name="Keep this choice").click()
        page.get_by_role("status").get_by_text("Your choice is kept").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth") if scripts else True

        week(h, 1)
        mail = newest(h)
        assert "List-Unsubscribe" in mail.message
        for part in (mail.html, mail.text):
            assert all(title in part for title in ("At the table, week 1", "From africa, week 1", "From asia, week 1"))
            assert "From europe" not in part

        page.goto(link(mail, r"/e/[\d-]+\?regions=africa,asia"))
        assert page.get_by_role("link", name="From asia, week 1").count() == 1
        assert page.get_by_text("From europe, week 1").count() == 0
        assert "nsubscribe" not in page.content()
        page.get_by_role("link", name="Everything").click()
        assert page.get_by_role("link", name="From europe, week 1").count() == 1

        page.goto(link(mail, r"/u/[\w-]+"))
        page.get_by_role("button", name="Unsubscribe").click()
        page.get_by_role("heading", name="You are unsubscribed").wait_for()
        had = len([one for one in mails(h) if one.recipient == ANN])
        h.clock.now += timedelta(weeks=1)
        week(h, 11)
        assert len([one for one in mails(h) if one.recipient == ANN]) == had
        digests = [one for one in mails(h) if "List-ID" in one.message and "From europe, week 11" in one.text]
        assert [one.recipient for one in digests] == ["other@example.org"]


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_pausing_and_moving_by_hand(tmp_path: Path, scripts: bool) -> None:
    """From the mail: a pause by one press, its end by another; another address, confirmed there; a download."""
    with house(tmp_path, changes=FOCUS) as h, phone(h, scripts=scripts) as page:
        h.subscribe((ANN, ()))
        week(h, 1)
        mail = newest(h)
        page.goto(link(mail, r"/p/[\w-]+/pause"))
        page.get_by_role("button", name="For 4 weeks").click()
        page.get_by_role("heading", name="Your roundup is paused").wait_for()
        page.get_by_role("button", name="Resume now").click()
        page.get_by_role("heading", name="Your roundup", exact=True).wait_for()
        with page.expect_download() as download:
            page.get_by_role("button", name="Download it").click()
        assert ANN in download.value.path().read_text(encoding="utf-8")
        page.get_by_label("Language of these pages").select_option("ar")
        page.locator("button.main").click()
        assert page.locator("html").get_attribute("dir") == "rtl"
        page.get_by_label("لغة هذه الصفحات").select_option("en")
        page.locator("button.main").click()
        page.get_by_role("link", name="Get it at another address").click()
        page.get_by_label("Your new email address").fill("ann@example.net")
        page.get_by_role("button", name="Send the mail").click()
        page.get_by_role("status").wait_for()
        sending.deliver(h.app)
        [sent] = [one for one in mails(h) if one.recipient == "ann@example.net"]
        page.goto(link(sent, r"/a/[\w-]+"))
        page.get_by_role("button", name="Use this address").click()
        page.get_by_role("heading", name="Your roundup comes here now").wait_for()
        h.clock.now += timedelta(weeks=1)
        week(h, 11)
        assert [one.recipient for one in mails(h) if "week 11" in one.text and "List-ID" in one.message] == [
            "ann@example.net"
        ]
