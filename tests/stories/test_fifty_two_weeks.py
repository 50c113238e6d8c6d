"""A year with a hostile feed, through the real use cases and stores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa

from digest.articles import store as articles
from digest.editions import store as editions
from digest.feeds.model import Feed, Fetched
from digest.feeds.parse import parse
from digest.feeds.pull import Retrieved
from digest.newsroom import intake
from tests.support.feed_server import item, rss
from tests.support.house import house
from tests.support.stories import COMPOSE, SEND, WEEK, pull, ring

REGIONS = ("africa", "asia", "europe", "mediation", "humanitarian")
CHANGES = {
    "editions": {"approval": "automatic", "minimum": 3, "section_limit": 3, "focus_limit": 2},
    "schedule": {"skip": ["2026-12-25", "2027-04-02"]},
    "staff": {"mail": []},
}


@dataclass
class Story:
    """An article of the site under whatever guid, link and title it has at the moment."""

    number: int
    guid: str
    link: str
    title: str
    published: datetime
    region: str

    def item(self) -> str:
        words = f"What became of matter {self.number}. It is told here."
        return item(
            self.title, link=self.link, guid=self.guid, published=self.published, categories=[self.region],
            description=words,
        )  # fmt: skip


@dataclass
class Site:
    """A site that publishes, backdates, edits, gives new guids and moves links; the feed shows the last thirty."""

    random: Random
    stories: list[Story] = field(default_factory=list)

    def week(self, now: datetime) -> None:
        for _ in range(self.random.choice((0, 1, 4, 6, 9, 13))):
            number = len(self.stories)
            age = timedelta(days=self.random.choice((0, 1, 2, 60)), hours=self.random.randrange(1, 20))
            self.stories.append(
                Story(
                    number, f"guid-{number}", f"https://site.example.org/{number}", f"The long matter of case {number}",
                    now - age, self.random.choice(REGIONS),
                )
            )  # fmt: skip
        for at in self.random.sample(range(len(self.stories)), min(5, len(self.stories))):
            old = self.stories[at]
            self.stories[at] = self.random.choice(
                (
                    replace(old, guid=f"{old.guid}x"),
                    replace(old, link=f"{old.link}-moved"),
                    replace(old, title=f"{old.title}, updated"),
                )
            )

    def document(self) -> str:
        return rss(*(story.item() for story in reversed(self.stories[-30:])), title="The Site")


def test_every_eligible_article_is_in_exactly_one_edition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over 52 weeks of backdated, edited, re-guided and overflowing articles each one comes once, and none waits on."""
    site = Site(Random(52))

    def at_hand(feeds: Sequence[Feed], **_: Any) -> Iterator[Retrieved]:
        """Without HTTP and a child process a pull is quick; both have their own tests."""
        body = site.document().encode()
        yield feeds[0], Fetched(feeds[0].url, body, {}), parse(body, {}, feeds[0].url)

    monkeypatch.setattr(intake, "retrieve", at_hand)
    with house(tmp_path, changes=CHANGES, now=COMPOSE) as h:
        for week in range(52):
            site.week(COMPOSE + week * WEEK)
            for late in (timedelta(0), timedelta(hours=5)):
                pull(h, COMPOSE + week * WEEK + late)
            ring(h, COMPOSE + week * WEEK + timedelta(hours=5))
            ring(h, SEND + week * WEEK)
        for week in range(52, 62):  # nothing new any more: what waits goes out
            pull(h, COMPOSE + week * WEEK)
            ring(h, COMPOSE + week * WEEK)
            ring(h, SEND + week * WEEK)
        with h.app.database.read() as connection:
            sent = editions.list_editions(connection, states=("sent",), limit=100)
            stood: Counter[str] = Counter()
            for head in sent:
                found = editions.load(connection, head.slug)
                assert found is not None
                stood.update(placed.article.id for placed in found.edition.articles)
            eligible = set(
                connection.execute(sa.select(articles.articles.c.id).where(articles.articles.c.eligible)).scalars()
            )
            known = connection.execute(sa.select(sa.func.count()).select_from(articles.articles)).scalar_one()
            left = {placed.article.id for placed in _last_waiting(connection)}
        assert known == len(site.stories)
        assert set(stood.values()) == {1}
        assert set(stood) <= eligible
        assert eligible - set(stood) <= left
        assert len(left) < 3  # fewer than the minimum: they wait for company
        assert 40 < len(sent) <= 60


def _last_waiting(connection: sa.Connection) -> list[Any]:
    """What the last edition holds that was too small to go."""
    last = editions.latest(connection)
    assert last is not None
    return list(last.edition.articles) if last.state != "sent" else []
