"""No article is left behind, and none comes twice: promise 1, week after week."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path

from digest.editions import store as editions
from digest.newsroom import editing
from tests.support.house import House, house
from tests.support.stories import AUTOMATIC, COMPOSE, EDITION, NEXT, SEND, WEEK, digests, pull, ring, row, titles

SMALL = {"editions": {"approval": "automatic", "section_limit": 2, "focus_limit": 2, "minimum": 3}}


def _week(h: House, number: int) -> None:
    """One week of the house, from the moment to compose to the send."""
    pull(h, COMPOSE + number * WEEK)
    ring(h, COMPOSE + number * WEEK)
    ring(h, SEND + number * WEEK)


def _sent(h: House) -> Counter[str]:
    """How often each headline has gone out."""
    with h.app.database.read() as connection:
        found = [editions.load(connection, head.slug) for head in editions.list_editions(connection, states=("sent",))]
    return Counter(title for one in found if one for title in titles(one))


def test_over_the_limit_comes_later(tmp_path: Path, database_url: str) -> None:
    """Articles over a section's limit come in the following editions, the longest waiting first, each once."""
    with house(tmp_path, database_url=database_url, changes=SMALL, now=COMPOSE) as h:
        pull(h)
        h.publish(*(h.article(n, title=f"Market day {n}") for n in range(5)), h.article(9, region="asia"))
        _week(h, 0)
        first = row(h)
        assert len(titles(first)) == 3
        waiting = {w.article.title for w in first.edition.waiting}
        assert len(waiting) == 3
        assert all("full" in w.reason for w in first.edition.waiting)
        h.publish(h.article(20, title="Newer than those"), h.article(21, region="asia"))
        _week(h, 1)
        assert sum(title in waiting for title in titles(row(h, NEXT))) == 2
        for number in (2, 3):
            h.publish(*(h.article(30 + 10 * number + n, region="asia") for n in range(2)))
            _week(h, number)
        sent = _sent(h)
        assert all(sent[f"Market day {n}"] == 1 for n in range(5))
        assert sent["Newer than those"] == 1
        assert set(sent.values()) == {1}


def test_backdated_articles_come_all_the_same(tmp_path: Path) -> None:
    """An article that appears with last month's date, after the first pull, comes in the next edition."""
    with house(tmp_path, changes=SMALL, now=COMPOSE - timedelta(hours=1)) as h:
        h.publish(*(h.article(n, region=region) for n, region in enumerate(("africa", "asia", "europe"))))
        _week(h, 0)
        h.publish(
            h.article(10, title="From long ago", age=timedelta(days=40)),
            *(h.article(11 + n, region="asia") for n in range(2)),
        )
        _week(h, 1)
        assert "From long ago" in titles(row(h, NEXT))
        assert _sent(h)["From long ago"] == 1


def test_too_small_an_edition_gives_its_articles_to_the_next(tmp_path: Path, database_url: str) -> None:
    """An edition below the minimum does not go, and what it had comes in the next one, once."""
    with house(tmp_path, database_url=database_url, changes=SMALL) as h:
        h.subscribe(("all@example.org", ()))
        pull(h, COMPOSE)
        h.publish(h.article(1), h.article(2, region="asia"))
        _week(h, 0)
        assert row(h).state == "held"
        assert "fewer than the 3" in row(h).held_reason
        assert digests(h) == {}
        h.publish(h.article(3, region="europe"))
        _week(h, 1)
        assert row(h).expired_at is not None
        assert len(titles(row(h, NEXT))) == 3
        assert set(_sent(h).values()) == {1}
        assert set(digests(h)) == {"all@example.org"}


def test_enough_articles_release_a_small_edition(tmp_path: Path) -> None:
    """When the missing article comes after all, before the deadline, the edition goes by itself."""
    with house(tmp_path, changes=SMALL) as h:
        pull(h, COMPOSE)
        h.publish(h.article(1), h.article(2, region="asia"))
        _week(h, 0)
        assert row(h).state == "held"
        h.publish(h.article(3, region="europe"))
        pull(h, SEND + timedelta(hours=1))
        ring(h, SEND + timedelta(hours=1))
        assert row(h).state == "sent"
        assert len(titles(row(h))) == 3


def test_a_skipped_edition_gives_its_articles_back(tmp_path: Path, database_url: str) -> None:
    """Skipping a week, by hand, loses nothing: its articles come in the next edition."""
    with house(tmp_path, database_url=database_url, changes=SMALL) as h:
        h.publish(*(h.article(n, region=region) for n, region in enumerate(("africa", "asia", "europe"))))
        pull(h, COMPOSE)
        ring(h, COMPOSE)
        wanted = set(titles(row(h)))
        editing.skip(h.app, EDITION, by="Ada")
        ring(h, SEND)
        assert row(h).state == "skipped"
        _week(h, 1)
        assert set(titles(row(h, NEXT))) == wanted


def test_the_first_pull_mails_no_archive(tmp_path: Path) -> None:
    """A new installation takes only what is younger than `lookback`; the older ones never come."""
    with house(tmp_path, changes=AUTOMATIC) as h:
        h.publish(
            *(h.article(n, age=timedelta(days=n)) for n in (1, 2, 3)),
            *(h.article(n, age=timedelta(days=n)) for n in (8, 30)),
        )
        _week(h, 0)
        _week(h, 1)
        assert sorted(_sent(h)) == [f"Article number {n} of the week" for n in (1, 2, 3)]


def test_an_article_of_the_future_waits_for_its_date(tmp_path: Path) -> None:
    """An article dated next Monday is not in this week's edition, but in the next."""
    with house(tmp_path, changes=AUTOMATIC) as h:
        h.publish(
            *(h.article(n) for n in range(3)),
            h.article(9, title="Tomorrow's news", age=timedelta(days=-4)),
        )
        _week(h, 0)
        assert "Tomorrow's news" not in titles(row(h))
        h.publish(*(h.article(20 + n) for n in range(3)))
        _week(h, 1)
        assert "Tomorrow's news" in titles(row(h, NEXT))
