"""A broken feed is not an empty week: promise 10."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from digest.app import App
from digest.newsroom import editing
from digest.post_office import feed_health
from tests.support.feed_server import rss
from tests.support.house import House, house
from tests.support.stories import (
    AUTOMATIC,
    COMPOSE,
    EDITION,
    SEND,
    another_app,
    digests,
    pull,
    ring,
    row,
    words_to_staff,
)

HOUR = timedelta(hours=1)
START = COMPOSE - timedelta(days=2)


def _well(h: House, until: datetime, *, app: App | None = None) -> None:
    """A feed of twelve items, pulled at least eight times until that moment."""
    h.subscribe(("all@example.org", ()))
    h.clock.now = START
    regions = ("africa", "asia", "europe")
    h.publish(*(h.article(n, region=regions[n % 3], age=(5 + n) * HOUR) for n in range(12)))
    for part in range(9):
        pull(h, START + part * (until - START) / 8, app)


def _fails(h: House) -> None:
    h.site.status("/feed/", 503)


def _empties(h: House) -> None:
    h.site.feed("/feed/", rss(title="The Observatory"))


def _drops(h: House) -> None:
    h.site.feed("/feed/", rss(*h.items[:2], title="The Observatory"))


@pytest.mark.parametrize("broken", [_fails, _empties, _drops], ids=["fails", "empties", "drops"])
def test_it_holds_is_told_once_and_released(tmp_path: Path, broken: Callable[[House], None]) -> None:
    """A feed that fails for long, empties, or loses most of its items holds the edition and is told once; a good pull
    releases it."""
    with house(tmp_path, changes=AUTOMATIC) as h:
        _well(h, SEND - 30 * HOUR)
        broken(h)
        for hours in (-28, -20, -12, -4, 0, 1, 2):
            pull(h, SEND + hours * HOUR)
            ring(h, SEND + hours * HOUR)
        assert row(h).state == "held"
        assert digests(h) == {}
        subjects = words_to_staff(h)
        assert sum(subject.startswith("Held:") for subject in subjects) == 1
        assert sum("feed is broken" in subject for subject in subjects) == 1
        h.serve_feed()
        pull(h, SEND + 4 * HOUR)
        ring(h, SEND + 4 * HOUR)
        assert row(h).state == "sent"
        assert set(digests(h)) == {"all@example.org"}


def test_an_approved_edition_goes_as_approved_when_the_feed_is_well(tmp_path: Path) -> None:
    """Held for a feed after its approval, it goes with the approval it had, without articles nobody has seen."""
    with house(tmp_path) as h:
        _well(h, COMPOSE)
        ring(h, COMPOSE)
        editing.approve(h.app, EDITION, by="Ada")
        approved = row(h).approved_hash
        _empties(h)
        pull(h, SEND - HOUR)
        ring(h, SEND)
        assert row(h).state == "held"
        h.clock.now = COMPOSE
        h.publish(h.article(99, title="Come since"))
        pull(h, SEND + HOUR)
        ring(h, SEND + HOUR)
        assert (row(h).state, row(h).approved_hash) == ("sent", approved)
        assert "Come since" not in digests(h)["all@example.org"].text


def test_a_failure_after_the_fall_does_not_release(tmp_path: Path) -> None:
    """A feed that lost its items and then cannot be had at all still holds the edition."""
    with house(tmp_path, changes=AUTOMATIC) as h:
        _well(h, SEND - 4 * HOUR)
        _empties(h)
        pull(h, SEND - 2 * HOUR)
        ring(h, SEND - 2 * HOUR)
        assert row(h).state == "held"
        _fails(h)
        pull(h, SEND - HOUR)
        ring(h, SEND)
        assert row(h).state == "held"


def test_one_bad_pull_holds_nothing(tmp_path: Path) -> None:
    """A single failure right before the send moment is no reason to hold, and nobody is alarmed."""
    with house(tmp_path, changes=AUTOMATIC) as h:
        _well(h, SEND - 2 * HOUR)
        ring(h, COMPOSE)
        _fails(h)
        pull(h, SEND - HOUR)
        ring(h, SEND)
        assert row(h).state == "sent"
        assert not any(subject.startswith("Held") for subject in words_to_staff(h))


def test_a_reading_feed_never_holds(tmp_path: Path) -> None:
    """A partner's feed may fail for days: the edition goes."""
    with house(tmp_path) as h:
        feeds = [{"url": h.site.url("/feed/")}, {"url": h.site.url("/partner/"), "role": "reading"}]
        app = another_app(h, {**AUTOMATIC, "feeds": feeds})
        h.site.feed("/partner/", rss(*(h.article(50 + n) for n in range(8)), title="A partner"))
        _well(h, START + 4 * HOUR, app=app)
        h.site.status("/partner/", 500)
        for hours in range(-40, 1, 4):
            pull(h, SEND + hours * HOUR, app)
        ring(h, SEND, app)
        assert row(h).state == "sent"
        assert not any(subject.startswith("Held") for subject in words_to_staff(h, app=app))


def test_nothing_published_is_told_from_broken(tmp_path: Path) -> None:
    """A feed that is well and has nothing new says so; one that cannot be had says why."""
    with house(tmp_path) as h:
        _well(h, START)
        for days in range(1, 10):
            pull(h, START + timedelta(days=days))
        (quiet,) = feed_health.states(h.app)
        assert (quiet.health.state, quiet.health.holds) == ("quiet", False)
        assert "the feed itself is well" in quiet.health.sentence
        _fails(h)
        for hours in (1, 30):
            pull(h, START + timedelta(days=9, hours=hours))
        (broken,) = feed_health.states(h.app)
        assert (broken.health.state, broken.health.holds) == ("stale", True)
        assert "503" in broken.health.sentence
