"""Signing up, from the form to the first edition: a real database, real HTTP, real SMTP."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from digest.delivery import store as outbox
from digest.post_office import signups, starting
from digest.post_office.books import status_of
from digest.which import current
from subscribers import choosing
from subscribers import store as subscribers
from subscribers.model import Status, Subscriber
from subscribers.wishes import Wish
from tests.support.browser import chromium
from tests.support.house import House, house
from tests.support.signups import FILLED, confirm_path, deliver, mails_to, pages, sign_up
from tests.support.smtp import DROP, Fault, Sink

if TYPE_CHECKING:
    from playwright.sync_api import Page

ANN = "ann@example.org"


def reader(h: House, address: str = ANN) -> Subscriber:
    with h.app.database.read() as connection:
        found = subscribers.find(connection, address)
    assert found is not None
    return found


def gone_out(h: House) -> str:
    """An edition of six articles that went to one reader."""
    h.publish(*(h.article(n, region=("africa", "asia", "europe")[n % 3]) for n in range(6)))
    h.subscribe(("bo@example.org", ()))
    slug = h.ready()
    h.send()
    return slug


def test_from_the_form_to_the_first_edition(tmp_path: Path, database_url: str) -> None:
    """Sign up, confirm by the mail, and at once have the latest edition in one's regions, while the books of that
    edition stay as they were."""
    with house(tmp_path, database_url=database_url) as h, pages(h.app) as http:
        slug = gone_out(h)
        before = status_of(h.app, slug).books
        assert "Look into your mail" in sign_up(h, http, f" {ANN.upper()} ", ["africa"]).text
        deliver(h)
        (mail,) = mails_to(h, "ANN@example.org")
        path = confirm_path(mail)
        assert reader(h).status is Status.PENDING
        page = http.get(path)
        assert "Africa" in page.text
        assert reader(h).status is Status.PENDING, "a GET changes nothing"
        assert "latest edition is on its way" in http.post(path).text
        found = reader(h)
        assert (found.status, found.regions, found.since) == (Status.ACTIVE, ("africa",), h.clock.now)
        deliver(h)
        _, welcome = mails_to(h, "ANN@example.org")
        assert "Article number 0 of the week" in welcome.text
        assert "Article number 1 of the week" not in welcome.text
        assert "List-Unsubscribe" in welcome.message
        assert status_of(h.app, slug).books == before


def test_a_reader_who_is_subscribed_is_told_so(tmp_path: Path, database_url: str) -> None:
    """Whoever signs up again is told that they are subscribed, with the way to their own page; nothing changes."""
    with house(tmp_path, database_url=database_url) as h, pages(h.app) as http:
        h.subscribe((ANN, ("asia",)))
        sign_up(h, http, ANN, ["africa"])
        deliver(h)
        (mail,) = mails_to(h, ANN)
        assert mail.subject == "You are subscribed to The Global Observatory already"
        assert "/confirm/" not in mail.text
        found = re.search(r"https://[^/\s]+(/p/[\w-]+)", mail.text)
        assert found is not None
        assert http.get(found[1]).status_code == 200
        assert reader(h).regions == ("asia",)


def test_a_confirmation_is_no_list_mail(tmp_path: Path) -> None:
    """It has no Precedence, nothing to unsubscribe from with one click, nothing that was typed, and one token, which
    stands in no table; it speaks the language of the page."""
    with house(tmp_path) as h, pages(h.app) as http:
        sign_up(h, http, ANN, ["africa"], lang="ar")
        deliver(h)
        (mail,) = mails_to(h, ANN)
        names = {name.lower() for name in mail.message.keys()}  # noqa: SIM118  (a message is no dictionary)
        assert not {name for name in names if name.startswith("list-") or name in ("precedence", "feedback-id")}
        assert (mail.message["Auto-Submitted"], mail.message["Content-Language"]) == ("auto-generated", "ar")
        assert 'dir="rtl"' in mail.html
        assert ANN not in mail.text + mail.html
        token = confirm_path(mail).rpartition("/")[2]
        file = h.app.database.path
        assert file is not None
        assert not [path for path in file.parent.glob(f"{file.name}*") if token.encode() in path.read_bytes()]


def test_a_language_that_we_do_not_speak(tmp_path: Path) -> None:
    """Whatever another system calls a language, the mail is whole in one that we have, and says which."""
    with house(tmp_path, changes={"publication": {"language": "fr"}}) as h:
        told = ["de", "English", "x" * 35, 'en"><b>', "", "es-MX"]
        for number, language in enumerate(told):
            signups.ask(h.app, Wish(f"r{number}@example.org", (), language, {}, h.clock.now))
        deliver(h)
        for number, expected in enumerate(["fr", "fr", "fr", "fr", "fr", "es"]):
            (mail,) = mails_to(h, f"r{number}@example.org")
            assert f'<html lang="{expected}"' in mail.html
            assert mail.message["Content-Language"] == expected
            assert ("Confirmez" in mail.subject) == (expected == "fr")


def test_it_goes_before_an_edition(tmp_path: Path) -> None:
    """While an edition is going out, whoever signs up gets their mail before the readers who still wait."""
    with house(tmp_path, changes={"smtp": {"connections": 1}}) as h, pages(h.app) as http:
        h.publish(*(h.article(n) for n in range(4)))
        h.subscribe(*((f"reader{n}@example.org", ()) for n in range(5)))
        starting.start(h.app, current(h.app, h.ready()))
        sign_up(h, http, ANN)
        deliver(h)
        assert h.sink.received[0].recipient == ANN
        assert len(h.digests()) == 6


def test_a_retry_is_the_same_mail(tmp_path: Path) -> None:
    """Refused for now and tried again, the mail has the very same bytes: the same token, identifier and date."""
    refusing = Sink(faults={ANN: Fault("lost", DROP, times=1)})
    with house(tmp_path, sink=refusing) as h, pages(h.app) as http:
        sign_up(h, http, ANN)
        deliver(h)
        with h.app.database.begin() as connection:
            (doubt,) = outbox.uncertain(connection)
            outbox.resolve(connection, [doubt.delivery.id], "resend", now=h.clock.now)
        deliver(h)
        first, second = (one.data for one in h.sink.received)
        assert first == second


def test_no_welcome_where_it_would_be_none(tmp_path: Path) -> None:
    """No edition out yet, nothing in it about the chosen regions, or had already: none comes; all else is as usual."""
    with house(tmp_path) as h, pages(h.app) as http:
        sign_up(h, http, "early@example.org")
        deliver(h)
        assert "next weekly roundup" in http.post(confirm_path(mails_to(h, "early@example.org")[0])).text
        gone_out(h)  # early gets it as everybody
        sign_up(h, http, ANN, ["middle-east"])
        deliver(h)
        assert "next weekly roundup" in http.post(confirm_path(mails_to(h, ANN)[0])).text
        with h.app.database.begin() as connection:
            choosing.leave(connection, reader(h, "early@example.org").id, at=h.clock.now)
        h.clock.now += timedelta(days=2)
        sign_up(h, http, "early@example.org")
        deliver(h)
        page = http.post(confirm_path(mails_to(h, "early@example.org")[-1]))
        assert "next weekly roundup" in page.text
        deliver(h)
        assert reader(h, "early@example.org").status is Status.ACTIVE
        assert [mail.subject for mail in mails_to(h, "early@example.org")].count("Article number 0 of the week") == 1
        assert len(mails_to(h, ANN)) == 1


def test_a_newcomer_while_an_edition_goes_out(tmp_path: Path) -> None:
    """Whoever confirms when the candidates are counted already gets that edition all the same, once, outside its books;
    and whoever leaves before it went gets none."""
    with house(tmp_path) as h, pages(h.app) as http:
        for address in (ANN, "bo@example.org"):
            sign_up(h, http, address)
        deliver(h)
        h.publish(*(h.article(n) for n in range(4)))
        h.subscribe(("cy@example.org", ()))
        slug = h.ready()
        starting.start(h.app, current(h.app, slug))
        for address in (ANN, "bo@example.org"):
            for _ in range(2):
                http.post(confirm_path(mails_to(h, address)[0]))
        with h.app.database.begin() as connection:
            choosing.leave(connection, reader(h, "bo@example.org").id, at=h.clock.now)
        h.send(slug)
        assert [len(mails_to(h, address)) for address in (ANN, "bo@example.org", "cy@example.org")] == [2, 1, 1]
        assert status_of(h.app, slug).books.candidates == 1


@pytest.mark.browser
def test_on_a_phone_without_scripts(tmp_path: Path) -> None:
    """The whole way in Chromium, phone-sized and without JavaScript: form, mail, button, subscribed."""
    with house(tmp_path) as h, pages(h.app) as http, chromium() as browser:
        context = browser.new_context(viewport={"width": 375, "height": 700}, java_script_enabled=False)
        page = context.new_page()
        page.goto(f"{http.base_url}/")
        h.clock.now += FILLED
        page.get_by_label("Your email address").fill(ANN)
        page.get_by_label("Europe").uncheck()
        page.get_by_role("button", name="Subscribe").click()
        assert page.get_by_role("heading", level=1).inner_text() == "Look into your mail"
        deliver(h)
        page.goto(f"{http.base_url}{confirm_path(mails_to(h, ANN)[0])}")
        page.get_by_role("button", name="Yes, subscribe me").click()
        assert "subscribed" in page.get_by_role("heading", level=1).inner_text()
        assert reader(h).regions == ("africa", "americas", "asia", "global", "middle-east")


@pytest.mark.browser
def test_every_sign_up_page_is_accessible(tmp_path: Path) -> None:
    """Axe finds nothing, light and dark, on a phone and wide, in either direction of writing; nothing is wider than the
    window, and the keyboard does not reach the field that people do not see."""
    from axe_playwright_python.sync_playwright import Axe

    with house(tmp_path) as h, pages(h.app) as http, chromium() as browser:
        sign_up(h, http, ANN)
        deliver(h)
        confirm = confirm_path(mails_to(h, ANN)[0])
        for scheme, width in (("light", 1200), ("dark", 320)):
            page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]

            def look(page: Page = page) -> None:
                found = [one["id"] for one in Axe().run(page).response["violations"]]
                assert (page.url, found) == (page.url, [])
                assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url

            for path in ("/?lang=ar", "/embed?lang=fr", "/confirm/forged", confirm, "/embed"):
                page.goto(f"{http.base_url}{path}")
                look()
            page.fill("[name=email]", "cy@example.org")
            page.click("button.main")
            look()  # one more press
            assert page.evaluate("document.querySelector('[name=message]').tabIndex") == -1
            h.clock.now += FILLED
            page.click("button.main")
            look()  # look into your mail
            page.close()
        http.post(confirm)
        page = browser.new_page()
        page.goto(f"{http.base_url}{confirm}")
        look(page)
