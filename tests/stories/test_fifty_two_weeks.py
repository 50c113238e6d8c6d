"""A year with a hostile content system, through the real use cases and stores: promises 1, 2 and 3."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
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
from digest.feeds.probe import Found
from digest.feeds.pull import Retrieved
from digest.newsroom import intake, standing
from tests.support.feed_server import item, rss
from tests.support.house import House, house
from tests.support.stories import COMPOSE, SEND, WEEK, pull, ring

REGIONS = ("africa", "asia", "europe", "mediation", "humanitarian")
CHANGES = {
    "editions": {"approval": "automatic", "minimum": 3, "section_limit": 3, "focus_limit": 2},
    "schedule": {"skip": ["2026-12-25", "2027-04-02"]},
    "staff": {"mail": []},
    "fetching": {"check_links": True},
}


@dataclass
class Story:
    """An article of the site under whatever guid, link and title it has at the moment.

    `link` is what the feed says, `page` where the page is: elsewhere, the link redirects there. `unseen`: it has been
    edited since it last stood in the feed."""

    number: int
    guid: str
    link: str
    page: str
    title: str
    published: datetime
    region: str
    deleted: bool = False
    unseen: bool = False

    def item(self) -> str:
        words = f"What became of matter {self.number}. It is told here."
        return item(
            self.title, link=self.link, guid=self.guid, published=self.published, categories=[self.region],
            description=words,
        )  # fmt: skip


@dataclass
class Site:
    """A site that publishes, backdates, edits, renames guids, moves links and pages, deletes and restores.

    The feed shows the last thirty. Of guid, link and title one changes at a time: what has changed changes again only
    when the feed has shown it."""

    random: Random
    stories: list[Story] = field(default_factory=list)
    addresses: int = 0

    def week(self, now: datetime) -> None:
        """What happens from one draft to the next."""
        self.disturb()
        for _ in range(self.random.choice((0, 1, 4, 6, 9, 13))):
            number = len(self.stories)
            age = timedelta(days=self.random.choice((0, 1, 2, 60)), hours=self.random.randrange(1, 20))
            link = self._address(number)
            self.stories.append(
                Story(
                    number, f"guid-{number}", link, link, f"The long matter of case {number}", now - age,
                    self.random.choice(REGIONS),
                )
            )  # fmt: skip

    def disturb(self) -> None:
        """Edits of five stories that the feed has shown; two deleted or restored, every eleventh for ever."""
        shown = [story for story in self.stories if not story.unseen and not story.deleted]
        for story in self.random.sample(shown, min(5, len(shown))):
            self.random.choice((self._rename, self._move, self._redirect, self._edit))(story)
            story.unseen = True
        for story in self.random.sample(self.stories, min(2, len(self.stories))):
            if story.deleted:
                story.deleted = story.number % 11 == 0
            else:
                story.deleted = not story.unseen

    def restore(self) -> None:
        for story in self.stories:
            story.deleted = story.deleted and story.number % 11 == 0

    def _rename(self, story: Story) -> None:
        story.guid += "x"

    def _edit(self, story: Story) -> None:
        story.title += ", updated"

    def _move(self, story: Story) -> None:
        story.link = story.page = self._address(story.number)

    def _redirect(self, story: Story) -> None:
        story.page = self._address(story.number)

    def _address(self, number: int) -> str:
        self.addresses += 1
        return f"https://site.example.org/{number}/{self.addresses}"

    def document(self) -> str:
        shown = [story for story in reversed(self.stories) if not story.deleted][:30]
        for story in shown:
            story.unseen = False
        return rss(*(story.item() for story in shown), title="The Site")

    def behind(self, link: str) -> Story:
        return self.stories[int(link.split("/")[3])]

    def look(self, urls: Iterable[str]) -> dict[str, Found]:
        """What the probe finds."""
        found = {}
        for url in urls:
            story = self.behind(url)
            if story.deleted:
                found[url] = Found(gone=410)
            elif story.page != url:
                found[url] = Found(moved_to=story.page)
        return found


def _at_hand(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without HTTP and a child process a year is quick; feeds and pages over HTTP have their own tests."""

    def retrieve(feeds: Sequence[Feed], **_: Any) -> Iterator[Retrieved]:
        body = site.document().encode()
        yield feeds[0], Fetched(feeds[0].url, body, {}), parse(body, {}, feeds[0].url)

    @contextmanager
    def probe(**_: Any) -> Iterator[Site]:
        yield site

    monkeypatch.setattr(intake, "retrieve", retrieve)
    monkeypatch.setattr(standing, "Probe", probe)


@pytest.mark.parametrize("seed", [52, 7])
def test_every_eligible_article_is_in_exactly_one_edition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Over 52 weeks of backdated, edited, re-guided, moved, deleted, restored and overflowing articles each one comes
    once, in one section; none waits on, but for those whose page is gone; and no edition goes with such a one."""
    site = Site(Random(seed))
    _at_hand(site, monkeypatch)
    with house(tmp_path, changes=CHANGES, now=COMPOSE) as h:
        for week in range(62):
            moment = COMPOSE + week * WEEK
            if week < 52:
                site.week(moment)
            elif week == 52:  # nothing new any more: what waits goes out
                site.restore()
            for late in (timedelta(0), timedelta(hours=5)):
                pull(h, moment + late)
            ring(h, moment + timedelta(hours=5))
            if week < 52:
                site.disturb()
            ring(h, SEND + week * WEEK)
            _check_the_last(h, site)
        with h.app.database.read() as connection:
            sent = editions.list_editions(connection, states=("sent",), limit=100)
            stood: Counter[str] = Counter()
            for head in sent:
                found = editions.load(connection, head.slug)
                assert found is not None
                stood.update(placed.article.id for placed in found.edition.articles)
            stored = {row.id: row.link for row in connection.execute(sa.select(articles.articles))}
            eligible = set(
                connection.execute(sa.select(articles.articles.c.id).where(articles.articles.c.eligible)).scalars()
            )
            left = {placed.article.id for placed in _last_waiting(connection)}
        gone = {identity for identity, link in stored.items() if site.behind(link).deleted}
        assert len(stored) == len({site.behind(link).number for link in stored.values()}) == len(site.stories)
        assert set(stood.values()) == {1}
        assert set(stood) <= eligible
        assert eligible - set(stood) <= left | gone
        assert gone - set(stood)  # the year was hostile enough
        assert len(left) < 3  # fewer than the minimum: they wait for company
        assert 30 < len(sent) <= 60


def _check_the_last(h: House, site: Site) -> None:
    """The edition of this week, if it has just gone: every page in it stands, where the edition says."""
    with h.app.database.read() as connection:
        last = editions.latest(connection)
    if last is None or last.finished_at != h.clock.now:
        return
    for placed in last.edition.articles:
        story = site.behind(placed.article.link)
        assert not story.deleted
        assert placed.article.link == story.page


def _last_waiting(connection: sa.Connection) -> list[Any]:
    """What the last edition holds that was too small to go."""
    last = editions.latest(connection)
    assert last is not None
    return list(last.edition.articles) if last.state != "sent" else []
