"""No article left behind: a year of weeks, in memory and through the real stores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from random import Random
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from digest.articles.model import Article, Placement
from digest.database import Database
from digest.editions import store
from digest.editions.approval import content_hash
from digest.editions.compose import compose, too_small
from digest.editions.model import Edition, Focus, Overlay, Period
from digest.editions.schedule import Schedule, parse_weekly, periods
from digest.editions.states import due_now
from tests.support.editions import REGIONS, piece

ZONE = ZoneInfo("America/New_York")
START = datetime(2026, 1, 1, tzinfo=UTC)
WEEKLY = Schedule(parse_weekly("thu 16:00"), parse_weekly("fri 09:00"), timedelta(hours=12))
CALENDAR = [Focus(f"2026-{month:02}", "Mediation", ("mediation",)) for month in range(1, 13, 2)]
SLUGS = [region.slug for region in REGIONS]
MINIMUM, LIMIT = 2, 2


def by_topic(article: Article) -> Placement:
    region = next((topic for topic in article.topics if topic in SLUGS), "global")
    return Placement(region, (region,), "its topic says so")


@dataclass
class Newsroom:
    """What staff and chance do in a year: everything that could lose an article, or send it twice."""

    chance: Random
    written: int = 0
    eligible: dict[str, Article] = field(default_factory=dict)
    dropped: set[str] = field(default_factory=set)

    def publish(self, now: datetime) -> None:
        """Nothing in some weeks, a flood in others; some pieces are backdated by months, some undated."""
        for _ in range(self.chance.choice([0, 1, 3, 6, 6, 25])):
            self.written += 1
            name = f"a{self.written:04}"
            dated = now - timedelta(days=self.chance.choice([0, 1, 2, 30, 300]), minutes=self.written)
            topics = self.chance.choice([("asia",), ("asia", "mediation"), ("africa",), ("mediation",), ()])
            published = self.chance.choice([dated, dated, None])
            self.eligible[name] = piece(
                name, topics=topics, published_at=published, first_seen=now, position=self.written
            )

    def edit(self) -> None:
        """Feeds change what they published; staff drop a piece for good."""
        for name in self._some():
            self.eligible[name] = replace(self.eligible[name], title="Edited", published_at=None)
        for name in self._some()[:1]:
            self.dropped.add(name)

    def overlay(self, articles: Iterable[Article]) -> Overlay:
        """Staff exclude, pin and move at whim."""
        names = [article.id for article in articles]

        def pick() -> list[str]:
            return self.chance.sample(names, min(len(names), self.chance.choice([0, 0, 1, 2])))

        return Overlay(
            pinned=tuple(pick()),
            moved=dict.fromkeys(pick(), self.chance.choice(["focus", "europe", "atlantis"])),
            excluded=frozenset(pick()),
        )

    def _some(self) -> list[str]:
        names = sorted(self.eligible)
        return self.chance.sample(names, min(len(names), self.chance.choice([0, 0, 1, 3])))


def edition_of(
    period: Period, articles: Sequence[Article], overlay: Overlay, waited: Iterable[str], limit: int = LIMIT
) -> Edition:
    focus = next((f for f in CALENDAR if f.month == period.slug[:7]), None)
    return compose(
        articles, place=by_topic, period=period, focus=focus, regions=REGIONS, overlay=overlay,
        section_limit=limit, waited=frozenset(waited),
    )  # fmt: skip


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_over_a_year_every_article_appears_exactly_once(seed: int) -> None:
    """Backdated, edited, over a limit, excluded, held back: once each, and at last nothing is left but the dropped."""
    newsroom = Newsroom(Random(seed))
    sent: Counter[str] = Counter()
    waited: set[str] = set()
    for week, period in enumerate(islice(periods(START, WEEKLY, ZONE), 52)):
        assert period.compose_at is not None
        newsroom.publish(period.compose_at)
        newsroom.edit()
        pool = [a for a in newsroom.eligible.values() if a.id not in sent and a.id not in newsroom.dropped]
        newsroom.chance.shuffle(pool)
        whole = edition_of(period, pool, newsroom.overlay(pool), waited)
        waited = {article.id for article in pool}
        held = too_small(whole, MINIMUM) or newsroom.chance.random() < 0.1
        if not held:
            sent.update(placed.article.id for placed in whole.articles)
        assert max(sent.values(), default=0) <= 1, f"week {week}: an article was sent twice"
    for period in islice(periods(START + timedelta(days=364), WEEKLY, ZONE), 2):
        left = [a for a in newsroom.eligible.values() if a.id not in sent and a.id not in newsroom.dropped]
        sent.update(p.article.id for p in edition_of(period, left, Overlay(), (), limit=2000).articles)
    assert set(sent.values()) <= {1}
    assert set(newsroom.eligible) - set(sent) <= newsroom.dropped
    assert set(sent) <= set(newsroom.eligible)


def test_none_waits_for_ever_behind_newer_ones() -> None:
    """A section that is over its limit every week lets in the longest waiting first: a bounded wait, in turn."""
    waited: set[str] = set()
    pool: dict[str, Article] = {}
    standing: list[str] = []
    for week, period in enumerate(islice(periods(START, WEEKLY, ZONE), 52)):
        assert period.compose_at is not None
        for n in range(4 if week < 20 else LIMIT):  # twice what fits, for 20 weeks; then as much as fits
            name = f"{week:02}-{n}"
            pool[name] = piece(
                name, topics=("asia",), published_at=period.compose_at, first_seen=period.compose_at, position=n
            )
        whole = edition_of(period, list(pool.values()), Overlay(), waited)
        waited = set(pool)
        standing += sorted(placed.article.id for placed in whole.articles)
        for placed in whole.articles:
            del pool[placed.article.id]
    assert len(standing) == len(set(standing)) == 52 * LIMIT
    assert [name[:2] for name in standing] == sorted(name[:2] for name in [*standing, *pool])[: len(standing)]


def test_through_the_real_stores_every_article_appears_exactly_once(database: Database) -> None:
    """Sixteen weeks as the application runs them: drafts refreshed, held, skipped, expired, sent late or on time."""
    newsroom = Newsroom(Random(20261127))
    sent: Counter[str] = Counter()
    endings: Counter[str] = Counter()
    for week, period in enumerate(islice(periods(START, WEEKLY, ZONE), 19)):
        assert period.compose_at is not None
        assert period.send_at is not None
        assert period.deadline is not None
        last = week >= 16
        if not last:
            newsroom.publish(period.compose_at)
            newsroom.edit()
        overlay = Overlay() if last else newsroom.overlay(newsroom.eligible.values())
        for _ in range(newsroom.chance.choice([1, 2])):
            whole = _draft(database, newsroom, period, overlay, limit=2000 if last else LIMIT)
        few = too_small(whole, 1 if last else MINIMUM)
        fate = "goes" if last else newsroom.chance.choice(["goes", "goes", "skipped", "unapproved", "twice"])
        with database.begin() as connection:
            if few:
                store.hold(connection, period.slug, few, period.compose_at)
            elif fate == "skipped":
                store.skip(connection, period.slug, period.compose_at)
            elif fate != "unapproved":
                code = content_hash(whole, templates="t", settings="s")
                store.approve(connection, period.slug, content_hash=code, by="Amara", at=period.compose_at)
        for now in (period.send_at, period.send_at, period.deadline + timedelta(minutes=1)):
            with database.begin() as connection:
                row = store.load(connection, period.slug)
                assert row is not None
                due = due_now(now, period, row.state, automatic=False)
                if due == "send" and store.begin(connection, period.slug, at=now, candidates=1):
                    sent.update(placed.article.id for placed in row.edition.articles)
                elif due == "hold":
                    store.hold(connection, period.slug, "nobody approved it", now)
                for late in store.overdue(connection, now):
                    store.expire(connection, late.slug, now)
        with database.begin() as connection:
            row = store.load(connection, period.slug)
            assert row is not None
            endings[row.state] += 1
            if row.state == "sending":
                store.finish(connection, period.slug, at=period.deadline)
            assert len(store.articles_of(connection, period.slug)) == (
                len(row.edition.articles) if row.state == "sending" else 0
            )
    assert min(endings["sending"], endings["held"], endings["skipped"]) > 0
    assert set(sent.values()) == {1}
    assert set(newsroom.eligible) - set(sent) <= newsroom.dropped


def _draft(database: Database, newsroom: Newsroom, period: Period, overlay: Overlay, limit: int) -> Edition:
    """Compose from what the ledger leaves, and save: as often as one likes."""
    assert period.compose_at is not None
    with database.begin() as connection:
        taken = set(connection.execute(store.ledger(connection, except_edition=period.slug)).scalars())
        pool = [a for a in newsroom.eligible.values() if a.id not in taken | newsroom.dropped]
        waited = store.waited(connection, period.day)
        whole = edition_of(period, pool, overlay, waited, limit)
        code = content_hash(whole, templates="t", settings="s")
        store.save_draft(connection, whole, period=period, content_hash=code, now=period.compose_at, material=pool)
        store.set_overlay(connection, period.slug, overlay)
    return whole
