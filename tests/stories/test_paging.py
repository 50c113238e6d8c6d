"""A week with more articles than the feed shows at once: its older pages are read, and none is lost."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest

from digest.articles import store as articles
from digest.newsroom.intake import PullReport
from tests.support.feed_server import rss
from tests.support.house import House, house
from tests.support.paged_feeds import PagedSite
from tests.support.stories import another_app

HOUR = timedelta(hours=1)
WEEK = timedelta(days=7)


def posts(h: House, *numbers: int, age: timedelta = HOUR) -> list[str]:
    """Articles by number, the highest, which is the newest, first; an hour apart."""
    ordered = sorted(numbers, reverse=True)
    return [h.article(number, age=age + at * HOUR) for at, number in enumerate(ordered)]


def pull(h: House, *, after: timedelta = timedelta()) -> PullReport:
    h.clock.now += after
    (report,) = h.pull()
    assert report.ok, report
    return report


def eligible(h: House) -> set[str]:
    with h.app.database.read() as connection:
        return {article.title for article in articles.candidates(connection, now=h.clock.now)}


def titles(*numbers: int) -> set[str]:
    return {f"Article number {number} of the week" for number in numbers}


@pytest.mark.parametrize("style", ["wordpress", "next", "prev-archive"])
def test_thirty_articles_in_a_feed_of_ten(tmp_path: Path, style: Literal["wordpress", "next", "prev-archive"]) -> None:
    """Thirty articles since the last pull, and a feed of ten read once: all thirty are there, in one order."""
    with house(tmp_path) as h:
        site = PagedSite(h.site, style=style)
        site.publish(*posts(h, *range(10)))
        pull(h)
        site.asked.clear()
        h.clock.now += WEEK
        site.publish(*posts(h, *range(10, 40)))
        report = pull(h)
        assert report.new == 30
        assert report.warnings == ()
        assert eligible(h) == titles(*range(40))
        assert site.asked == [1, 2, 3, 4]  # the fourth holds what we know
        with h.app.database.read() as connection:
            found = [a for a in articles.candidates(connection, now=h.clock.now) if a.position < 30]
        assert [article.position for article in found][:30] == list(range(30))


def test_an_ordinary_pull_reads_one_page(tmp_path: Path) -> None:
    """Where the first page reaches back to what we know, no other page is asked for."""
    with house(tmp_path) as h:
        site = PagedSite(h.site)
        site.publish(*posts(h, *range(30)))
        pull(h)
        site.asked.clear()
        site.publish(*posts(h, 30, 31))
        assert pull(h, after=HOUR).new == 2
        assert site.asked == [1]


def test_the_first_pull_reaches_back_to_the_lookback(tmp_path: Path) -> None:
    """A new installation takes the last seven days from as many pages as they fill, and nothing older."""
    with house(tmp_path) as h:
        site = PagedSite(h.site)
        site.publish(*posts(h, *range(25, 40)), *posts(h, *range(25), age=30 * WEEK))
        pull(h)
        assert site.asked == [1, 2]
        assert eligible(h) == titles(*range(25, 40))


def test_what_the_first_pull_left_alone_stays_alone(tmp_path: Path) -> None:
    """When articles vanish from the site, the archive that moves up into the feed is not followed back."""
    with house(tmp_path) as h:
        site = PagedSite(h.site)
        site.publish(*posts(h, *range(30, 40)), *posts(h, *range(30), age=30 * WEEK))
        pull(h)
        site.asked.clear()
        del site.posts[:5]
        pull(h, after=HOUR)
        assert site.asked == [1]


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_page_that_fails_is_tried_again(tmp_path: Path, status: int) -> None:
    """A page that cannot be had for the moment is told as a warning, keeps what came before it, and is read later."""
    with house(tmp_path) as h:
        site = PagedSite(h.site)
        site.publish(*posts(h, *range(10)))
        pull(h)
        h.clock.now += WEEK
        site.publish(*posts(h, *range(10, 40)))
        site.fails = {3: status}
        report = pull(h)
        assert report.new == 20
        assert any("page 3" in warning and "tried again" in warning for warning in report.warnings)
        site.fails = {}
        site.publish(*posts(h, 40))
        assert pull(h, after=HOUR).new == 11
        assert eligible(h) == titles(*range(41))
        site.asked.clear()
        pull(h, after=HOUR)
        assert site.asked == [1]


def test_a_page_that_always_fails_is_given_up(tmp_path: Path) -> None:
    """After the time of `lookback` a page that never answers is let alone, and the feed is read as ever."""
    with house(tmp_path) as h:
        site = PagedSite(h.site)
        site.publish(*posts(h, *range(10)))
        pull(h)
        site.publish(*posts(h, *range(10, 40)))
        site.fails = {3: 500}
        for _ in range(3):
            pull(h, after=WEEK / 2)
        site.asked.clear()
        report = pull(h, after=HOUR)
        assert (site.asked, report.warnings) == ([1], ())


def test_a_first_pull_with_a_failing_page_loses_nothing(tmp_path: Path) -> None:
    """What the first pull could not read of the last seven days comes with the second; the archive does not."""
    with house(tmp_path) as h:
        site = PagedSite(h.site)
        site.publish(*posts(h, *range(30, 55)), *posts(h, *range(30), age=30 * WEEK))
        site.fails = {2: 502}
        assert pull(h).new == 10
        site.fails = {}
        pull(h, after=HOUR)
        assert eligible(h) == titles(*range(30, 55))


def test_loops_are_cut(tmp_path: Path) -> None:
    """A feed whose next page is itself, or another that leads back, is read once and does no harm."""
    for number, address in enumerate(("/feed/", "/feed/?paged=2", "/feed/#top")):
        folder = tmp_path / str(number)
        folder.mkdir()
        with house(folder) as h:
            site = PagedSite(h.site, style="next", link=lambda _, to=address: to)  # type: ignore[misc]
            site.publish(*posts(h, *range(30)))
            report = pull(h)
            assert len(site.asked) <= 2
            assert report.warnings == ()


def test_a_server_that_ignores_the_page(tmp_path: Path) -> None:
    """A feed that answers every page with the first one is asked for one page more and believed."""
    with house(tmp_path) as h:
        generator = "<generator>https://wordpress.org/?v=6.8</generator>"
        h.site.feed("/feed/", rss(*posts(h, *range(10)), title="The Observatory", extra=generator))
        report = pull(h)
        assert (report.new, report.items, report.warnings) == (10, 10, ())
        assert len(h.site.requests["/feed/"]) == 2


def test_an_endless_feed_is_bounded(tmp_path: Path) -> None:
    """Ten pages are read, not more, and staff are told that older ones were not looked for."""
    with house(tmp_path) as h:
        site = PagedSite(h.site, size=2)
        site.publish(*posts(h, *range(60)))
        report = pull(h)
        assert site.asked == list(range(1, 11))
        assert any("10 pages" in warning for warning in report.warnings)


def test_only_wordpress_is_guessed(tmp_path: Path) -> None:
    """A feed that names no next page and is not WordPress is asked for no page that it may not have."""
    with house(tmp_path) as h:
        h.publish(*posts(h, *range(10)))
        pull(h)
        assert len(h.site.requests["/feed/"]) == 1


def test_a_page_may_not_lead_inside(tmp_path: Path) -> None:
    """The address of a next page passes the same guard as the feed's: no file, no other scheme."""
    with house(tmp_path) as h:
        site = PagedSite(h.site, style="next", link=lambda _: "file:///etc/hostname")
        site.publish(*posts(h, *range(10)))
        report = pull(h)
        assert (report.new, site.asked) == (10, [1])


def test_a_partner_is_not_followed_back(tmp_path: Path) -> None:
    """Of further reading the newest is enough: one request a pull."""
    with house(tmp_path) as h:
        site = PagedSite(h.site, path="/partner/")
        site.publish(*posts(h, *range(30)))
        feeds = [{"url": h.site.url("/feed/")}, {"url": h.site.url("/partner/"), "role": "reading"}]
        h.app = another_app(h, {"feeds": feeds})
        h.publish(h.article(99))
        h.pull()
        assert site.asked == [1]
