"""Pages that are gone, or moved, between the pull and the send: promises 3 and 5."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from digest.errors import RefusedError
from digest.feeds.probe import Probe
from digest.newsroom import drafts, editing, follow_up, standing
from digest.post_office import sending
from digest.post_office.settling import SendReport
from tests.support.house import House, house, over
from tests.support.stories import (
    AUTOMATIC,
    COMPOSE,
    EDITION,
    MINUTE,
    NEXT,
    SEND,
    STAFF,
    WEEK,
    digests,
    mails,
    pull,
    ring,
    row,
    titles,
    words_to_staff,
)

CHECKED: Mapping[str, Any] = {"fetching": {"check_links": True}}
VOID = f"{EDITION} must be approved again"


@contextmanager
def site_with_pages(
    folder: Path, database_url: str | None = None, *, changes: Mapping[str, Any] | None = None, count: int = 5
) -> Iterator[House]:
    """A house whose articles have pages, pulled at the moment to compose."""
    with house(folder, database_url=database_url, changes=over(CHECKED, changes or {}), now=COMPOSE) as h:
        h.subscribe(("all@example.org", ()))
        for n in range(count):
            h.site.page(f"/{n}/", f"Case {n}")
        h.publish(*(h.article(n, title=f"Case {n} at the port", link=h.site.url(f"/{n}/")) for n in range(count)))
        h.pull()
        yield h


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second look follows the first at once."""
    monkeypatch.setattr(standing, "Probe", partial(Probe, pause=0))


def send(h: House) -> SendReport:
    """As `digest send --now` does it."""
    return sending.send(h.app, EDITION, now=True, before_start=lambda slug: follow_up.before_start(h.app, slug))


def links(h: House) -> list[str]:
    return [placed.article.link for placed in row(h).edition.articles]


def test_what_is_gone_at_compose_does_not_come_in(tmp_path: Path, database_url: str) -> None:
    """A page that answers 410 at compose: its article waits, with the reason, and comes when the page is back."""
    with site_with_pages(tmp_path, database_url, changes=AUTOMATIC) as h:
        h.site.status("/2/", 410)
        drafted = drafts.compose_draft(h.app)
        assert drafted.warnings == ("“Case 2 at the port” is left out: its page is gone (HTTP 410)",)
        assert len(titles(drafted.row)) == 4
        assert [(w.article.title, w.reason) for w in drafted.row.edition.waiting] == [
            ("Case 2 at the port", "its page is gone (HTTP 410)")
        ]
        ring(h, SEND)
        assert "Case 2 at the port" not in digests(h)["all@example.org"].text
        h.site.page("/2/", "Case 2")
        h.publish(*(h.article(n, title=f"Case {n} at sea", link=h.site.page(f"/{n}/", "")) for n in range(5, 8)))
        pull(h, COMPOSE + WEEK)
        ring(h, COMPOSE + WEEK)
        assert "Case 2 at the port" in titles(row(h, NEXT))


def test_a_page_deleted_after_the_approval_voids_it(tmp_path: Path, database_url: str) -> None:
    """Between approval and send a page is deleted: nothing goes, staff are told which, and approve what is left."""
    with site_with_pages(tmp_path, database_url) as h:
        ring(h, COMPOSE)
        editing.approve(h.app, EDITION, by="Ada")
        h.site.status("/1/", 404)
        with pytest.raises(RefusedError, match="not approved"):
            send(h)
        assert (row(h).state, row(h).voided_by) == ("draft", "Ada")
        assert "Case 1 at the port" not in titles(row(h))
        assert VOID in words_to_staff(h)
        (told,) = [mail.text for mail in mails(h) if mail.subject == VOID]
        assert "“Case 1 at the port” has dropped out" in " ".join(told.split())
        editing.approve(h.app, EDITION, by="Ada")
        assert send(h).finished
        assert "Case 1 at the port" not in digests(h)["all@example.org"].text


def test_the_clock_looks_too(tmp_path: Path) -> None:
    """At the send moment an approved edition that lost an article is held for the editor's word, and not sent."""
    with site_with_pages(tmp_path) as h:
        ring(h, COMPOSE)
        editing.approve(h.app, EDITION, by="Ada")
        h.site.status("/1/", 410)
        assert ring(h, SEND) == [f"changed {EDITION}", f"held {EDITION}"]
        assert digests(h) == {}
        editing.approve(h.app, EDITION, by="Ada")
        assert ring(h, SEND + MINUTE) == [f"started {EDITION}"]


def test_without_approval_the_rest_goes_and_staff_are_told(tmp_path: Path) -> None:
    """Where nobody's word is needed, an article that is gone drops out at the last moment, and staff learn of it."""
    with site_with_pages(tmp_path, changes=AUTOMATIC) as h:
        ring(h, COMPOSE)
        h.site.status("/1/", 404)
        assert ring(h, SEND) == [f"changed {EDITION}", f"started {EDITION}"]
        assert "Case 1 at the port" not in digests(h)["all@example.org"].text
        assert f"{EDITION} has changed" in [mail.subject for mail in mails(h) if mail.recipient == STAFF]


def test_one_that_is_too_small_now_is_held(tmp_path: Path) -> None:
    """What drops out may leave too few articles: the minimum holds then as ever."""
    with site_with_pages(tmp_path, changes=AUTOMATIC, count=3) as h:
        ring(h, COMPOSE)
        h.site.status("/1/", 410)
        assert ring(h, SEND) == [f"changed {EDITION}", f"held {EDITION}"]
        assert "fewer than the 3" in row(h).held_reason


def test_a_page_that_moved_for_good_is_followed(tmp_path: Path, database_url: str) -> None:
    """A permanent redirect after the approval: the draft links to the new page, the approval is void, and the next
    pulls, with the old link still in the feed, change nothing more."""
    with site_with_pages(tmp_path, database_url) as h:
        ring(h, COMPOSE)
        editing.approve(h.app, EDITION, by="Ada")
        moved = h.site.page("/archive/1/", "Case 1")
        h.site.redirect("/1/", "/archive/1/")
        with pytest.raises(RefusedError, match="not approved"):
            send(h)
        assert moved in links(h)
        assert h.site.url("/1/") not in links(h)
        assert VOID in words_to_staff(h)
        editing.approve(h.app, EDITION, by="Ada")
        h.publish(h.article(9))
        pull(h, SEND - MINUTE)
        assert row(h).state == "approved"
        assert ring(h, SEND) == [f"started {EDITION}"]
        assert moved in digests(h)["all@example.org"].text


def test_what_a_site_cannot_mean_changes_nothing(tmp_path: Path) -> None:
    """Faults, refusals, temporary redirects, the front page, another spelling, one page for many, most pages missing
    at once: the approval stands, and the edition goes as it was approved."""
    with site_with_pages(tmp_path, count=10) as h:
        ring(h, COMPOSE)
        editing.approve(h.app, EDITION, by="Ada")
        before = links(h)
        h.site.page("/", "front")
        h.site.page("/sorry/", "We are moving")
        h.site.page("/6", "another spelling")
        for n, answer in enumerate((500, 403, 503)):
            h.site.status(f"/{n}/", answer)
        h.site.redirect("/3/", "/sorry/", status=302)
        h.site.redirect("/4/", "/sorry/")
        h.site.redirect("/5/", "/sorry/")
        h.site.redirect("/6/", "/6")
        h.site.redirect("/7/", "/")
        h.site.redirect("/8/", "/0/")
        assert send(h).finished
        assert links(h) == before


def test_a_site_that_lost_everything_is_a_broken_site(tmp_path: Path) -> None:
    """Most pages answer 404 at once: no article is left out, and whoever composes is told to look at the site."""
    with site_with_pages(tmp_path) as h:
        for n in range(4):
            h.site.status(f"/{n}/", 404)
        drafted = drafts.compose_draft(h.app)
        assert len(titles(drafted.row)) == 5
        assert drafted.warnings == ("4 of 5 articles' pages are not found (HTTP 404): is the site in order?",)


def test_nobody_is_asked_where_it_is_switched_off(tmp_path: Path) -> None:
    """With `check_links = false` no page is asked for."""
    with site_with_pages(tmp_path, changes={"fetching": {"check_links": False}}) as h:
        h.site.status("/1/", 410)
        ring(h, COMPOSE)
        assert len(titles(row(h))) == 5
        assert h.site.requests["/1/"] == []
