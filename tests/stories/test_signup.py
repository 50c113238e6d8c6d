"""Signing up, from the form to the first edition: a real database, real HTTP, real SMTP."""

from __future__ import annotations

from pathlib import Path

from digest.post_office.books import status_of
from subscribers import store as subscribers
from subscribers.model import Status, Subscriber
from tests.support.house import House, house
from tests.support.signups import confirm_path, deliver, mails_to, pages, sign_up

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
