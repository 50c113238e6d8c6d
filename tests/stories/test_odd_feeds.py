"""Feeds that can be read and are odd all the same: staff are told, and the edition goes."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from digest.articles import store as articles
from digest.newsroom import intake
from digest.newsroom.intake import PullReport
from digest.post_office import feed_health
from tests.support.feed_server import rss
from tests.support.house import House, house
from tests.support.stories import (
    AUTOMATIC,
    COMPOSE,
    SEND,
    another_app,
    digests,
    pull,
    ring,
    row,
    words_to_staff,
)

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def fill(h: House, count: int = 10) -> None:
    h.publish(*(h.article(number, age=(number + 1) * HOUR) for number in range(count)))


def read(h: House, after: timedelta = HOUR) -> PullReport:
    h.clock.now += after
    (report,) = h.pull()
    return report


def state(h: House) -> tuple[str, str]:
    (found,) = feed_health.states(h.app)
    assert not found.health.holds
    return found.health.state, found.health.sentence


def test_a_truncated_feed_is_told_and_asked_for_again(tmp_path: Path) -> None:
    """A document that was cut off says so in `pull` and in `status`; it is had again though its ETag is the same."""
    with house(tmp_path) as h:
        fill(h)
        for _ in range(4):
            assert read(h).warnings == ()
        whole = rss(*h.items, title="The Observatory")
        h.site.feed("/feed/", whole[: len(whole) // 2])
        report = read(h)
        assert any("usual 10 entries" in warning for warning in report.warnings)
        assert state(h)[0] == "incomplete"
        assert read(h).state == "ok"  # no 304: without it the lost entries would stay lost
        h.serve_feed()
        read(h)
        assert state(h)[0] == "good"


def test_an_old_copy_of_the_feed_is_told(tmp_path: Path) -> None:
    """A server that falls back to what it had in spring is noticed, and brings nothing into the edition twice."""
    with house(tmp_path) as h:
        old = [h.article(100 + number, age=200 * DAY + number * DAY) for number in range(10)]
        fill(h)
        read(h)
        h.site.feed("/feed/", rss(*old, title="The Observatory"))
        assert any("old copy" in warning for warning in read(h).warnings)
        assert state(h)[0] == "older"


def test_an_unchanged_feed_stays_odd(tmp_path: Path) -> None:
    """After a 304 the document is the same, and so is what is odd about it."""
    with house(tmp_path) as h:
        h.publish(*(h.article(number) for number in range(10)))
        assert any("same date" in warning for warning in read(h).warnings)
        report = read(h)
        assert report.state == "not-modified"
        assert any("same date" in warning for warning in report.warnings)


def test_a_feed_that_fell_silent_is_told(tmp_path: Path) -> None:
    """After weeks of something every six days, eight days without anything are longer than ever before."""
    with house(tmp_path) as h:
        for number in range(7):
            h.publish(h.article(number))
            read(h, 6 * DAY)
        read(h, 8 * DAY)
        found, sentence = state(h)
        assert found == "silent"
        assert "6 days" in sentence


def test_a_moved_feed_keeps_all_that_is_known_of_it(tmp_path: Path) -> None:
    """Staff are told to change the url; when they do, the feed goes on where it was: no first pull, nothing twice."""
    with house(tmp_path) as h:
        fill(h)
        read(h)
        new = h.site.feed("/new/", rss(*h.items, title="The Observatory"))
        h.site.redirect("/feed/", "/new/", status=308)
        assert any(f"set its url to {new}" in warning for warning in read(h).warnings)
        assert state(h)[0] == "moved"
        app = another_app(h, {"feeds": [{"url": new}]})
        h.clock.now += HOUR
        backdated = h.article(50, age=60 * DAY)  # a first pull would not take it
        h.site.feed("/new/", rss(backdated, *h.items, title="The Observatory"))
        (report,) = intake.pull(app)
        assert (report.url, report.new, report.changed, report.unchanged) == (new, 1, 0, 10)
        (found,) = feed_health.states(app)
        assert (found.health.state, found.moved_to) == ("good", None)
        with app.database.read() as connection:
            assert {a.feed for a in articles.candidates(connection, now=h.clock.now)} == {new}
            assert connection.scalar(sa.text("SELECT count(*) FROM feeds")) == 1


def test_another_feed_is_not_taken_for_a_moved_one(tmp_path: Path) -> None:
    """A feed that is replaced by one to which nothing leads begins anew, with a first pull."""
    with house(tmp_path) as h:
        fill(h)
        read(h)
        other = h.site.feed("/other/", rss(h.article(50, age=60 * DAY), title="Another"))
        app = another_app(h, {"feeds": [{"url": other}]})
        list(intake.pull(app))
        with app.database.read() as connection:
            found = [a.title for a in articles.candidates(connection, now=h.clock.now) if a.feed == other]
            assert found == []
            assert connection.scalar(sa.text("SELECT count(*) FROM feeds")) == 2


def test_a_partner_that_fails_leaves_out_only_its_part(tmp_path: Path) -> None:
    """One partner has never answered, another gives a page instead of a feed: our articles and the third partner go."""
    with house(tmp_path) as h:
        reading = [{"url": h.site.url(f"/{name}/"), "role": "reading"} for name in ("dead", "page", "well")]
        app = another_app(h, {**AUTOMATIC, "feeds": [{"url": h.site.url("/feed/")}, *reading]})
        h.subscribe(("all@example.org", ()))
        h.clock.now = COMPOSE - HOUR
        h.publish(*(h.article(n, age=(n + 1) * HOUR, region=("africa", "asia")[n % 2]) for n in range(8)))
        h.site.reset("/dead/")
        h.site.page("/page/", "<html><title>Gone</title><p>Nothing here</p></html>")
        h.site.feed("/well/", rss(h.article(70, title="From the partner that is well"), title="The third partner"))
        for at in (COMPOSE - 30 * HOUR, COMPOSE - HOUR):
            pull(h, at, app)
        ring(h, COMPOSE, app)
        ring(h, SEND, app)
        assert row(h).state == "sent"
        text = digests(h)["all@example.org"].text
        assert "From the partner that is well" in text
        assert all(f"Article number {n} " in text for n in range(8))
        assert not any("broken" in subject or "Held" in subject for subject in words_to_staff(h, app=app))
        told = {found.feed.url.rsplit("/", 2)[1]: found.health for found in feed_health.states(app)}
        assert told["dead"].state == told["page"].state == "stale"
        assert not told["dead"].holds
        assert not told["page"].holds
