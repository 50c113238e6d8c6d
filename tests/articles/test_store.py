"""The store: absorbing documents, and finding again what is known. On each database that we support."""

from __future__ import annotations

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from time import process_time
from typing import Any

import pytest
import sqlalchemy as sa

from digest.articles import store
from digest.articles.store import Absorbed, absorb, candidates, drop, find, load, standing
from digest.database import Database
from digest.errors import NotFoundError
from digest.feeds.model import Entry, Feed, Image
from tests.support.articles import FEED, NOW, READING, entry

WEEK = timedelta(days=7)


def take(
    database: Database, *entries: Entry, feed: Feed = FEED, now: datetime = NOW, first_pull: bool = False
) -> Absorbed:
    with database.begin() as connection:
        return absorb(
            connection, entries, feed=feed, source=feed.title, kinds={"interviews": "Interview"}, now=now,
            first_pull=first_pull, lookback=WEEK,
        )  # fmt: skip


def titles(database: Database, now: datetime = NOW, **more: Any) -> list[str]:
    with database.read() as connection:
        return [article.title for article in candidates(connection, now=now, **more)]


def test_what_was_stored_comes_back_whole(database: Database) -> None:
    """An article is read as it was written: texts, topics, kind, image, dates, feed."""
    image = Image(url="https://example.org/a.jpg", alt="A river", width=800, height=450, credit="A. Example")
    given = entry(1, categories=("Water", "Interviews"), image=image, comments=3, title="L’eau, «ici» 水")
    (identity,) = take(database, given).new
    with database.read() as connection:
        article = load(connection, [identity, "unknown"])[identity]
    assert (article.title, article.topics, article.kind) == ("L’eau, «ici» 水", ("water",), "Interview")
    assert (article.image, article.comments, article.published_at) == (image, 3, given.published)
    assert (article.feed, article.source, article.role, article.first_seen) == (
        FEED.url,
        FEED.title,
        "articles",
        NOW,
    )


def test_the_same_document_again_changes_nothing(database: Database) -> None:
    """Absorbing is idempotent: a second time brings nothing new and nothing changed."""
    document = [entry(n) for n in range(1, 6)]
    assert len(take(database, *document).new) == 5
    again = take(database, *document, now=NOW + timedelta(hours=1))
    assert (again.new, again.changed, again.unchanged) == ((), (), 5)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "another-guid"},
        {"link": "https://observatory.example.org/moved/"},
        {"link": "http://www.observatory.example.org/2026/11/article-1?utm_source=rss"},
        {"title": "A quite different headline", "published": NOW - timedelta(days=3)},
    ],
)
def test_one_change_is_the_same_article(database: Database, changes: dict[str, object]) -> None:
    """Another guid, another link, or another title and date: the article is updated and not repeated."""
    (identity,) = take(database, entry(1)).new
    after = take(database, entry(1, **changes))
    assert after.new == ()
    with database.read() as connection:
        assert load(connection, [identity])[identity].title == changes.get("title", entry(1).title)


def test_keys_gather_over_the_weeks(database: Database) -> None:
    """Guid, link and title may all change, one after the other: it stays one article."""
    (identity,) = take(database, entry(1)).new
    steps: Sequence[dict[str, object]] = (
        {"id": "new-guid"},
        {"id": "new-guid", "link": "https://observatory.example.org/new/"},
        {
            "id": "new-guid",
            "link": "https://observatory.example.org/new/",
            "title": "A new headline altogether",
        },
        {"id": "third", "link": "https://observatory.example.org/new/", "title": "A new headline altogether"},
    )
    for step in steps:
        assert take(database, entry(1, **step)).new == ()
    with database.read() as connection:
        assert [a.id for a in candidates(connection, now=NOW)] == [identity]


def test_an_edit_is_taken_and_told(database: Database) -> None:
    """An edited text is stored under the same id; the day it was first seen stays."""
    (identity,) = take(database, entry(1)).new
    later = NOW + timedelta(days=1)
    assert take(database, entry(1, title="A corrected headline"), now=later).changed == (identity,)
    with database.read() as connection:
        article = load(connection, [identity])[identity]
        assert (article.title, article.first_seen) == ("A corrected headline", NOW)
        assert standing(connection, identity).updated_at == later


def test_more_comments_are_no_edit(database: Database) -> None:
    """A comment count follows the feed quietly."""
    (identity,) = take(database, entry(1, comments=1)).new
    assert take(database, entry(1, comments=2)).changed == ()
    with database.read() as connection:
        assert load(connection, [identity])[identity].comments == 2


def test_the_same_story_in_two_feeds_is_one_article(database: Database) -> None:
    """A story that a partner repeats stays ours, whichever feed is read first, and however often."""
    theirs = entry(1, id="theirs", title="The partner's headline for it")
    (early,) = take(database, theirs, feed=READING).new
    (late,) = take(database, entry(2)).new
    assert take(database, entry(1)).changed == (early,)
    take(database, theirs, entry(2, id="theirs-2"), feed=READING)
    with database.read() as connection:
        assert {a.id: (a.role, a.feed) for a in candidates(connection, now=NOW)} == {
            early: ("articles", FEED.url), late: ("articles", FEED.url),
        }  # fmt: skip
        assert candidates(connection, now=NOW, role="reading") == []


def test_two_feeds_do_not_overwrite_each_other(database: Database) -> None:
    """Two feeds of articles that carry one story in different words do not report a change at every pull."""
    other = Feed(url="https://observatory.example.org/africa/feed/", title="Africa")
    take(database, entry(1))
    for _ in range(2):
        assert take(database, entry(1, id="x", summary_html="<p>Other words.</p>"), feed=other).changed == ()
        assert take(database, entry(1)).changed == ()


def test_the_first_pull_takes_the_lookback(database: Database) -> None:
    """A new installation mails no archive: what is older is known, and not eligible, with the reason."""
    old, young = entry(1, published=NOW - timedelta(days=8)), entry(2, published=NOW - timedelta(days=6))
    result = take(database, old, young, first_pull=True)
    assert titles(database) == [young.title]
    with database.read() as connection:
        assert standing(connection, result.new[0]).why_not == "older than 7d at the first pull"
    take(database, old, young)
    assert titles(database) == [young.title]


def test_a_backdated_article_is_never_left_behind(database: Database) -> None:
    """After the first pull, what is new is eligible whatever its date."""
    take(database, entry(1), first_pull=True)
    take(database, entry(1), entry(2, published=NOW - timedelta(days=400)))
    assert titles(database) == [entry(1).title, entry(2).title]


def test_of_undated_entries_the_first_pull_takes_ten(database: Database) -> None:
    """Undated: the first ten in the feed's order, dated ones aside; later ones when they are first seen."""
    undated = [entry(n, published=None) for n in range(1, 15)]
    take(database, entry(99), *undated, first_pull=True)
    expected = {e.title for e in undated[:10]} | {entry(99).title}
    assert set(titles(database)) == expected
    take(database, entry(50, published=None), *undated)
    assert set(titles(database)) == expected | {entry(50).title}


def test_a_date_in_the_future_waits(database: Database) -> None:
    """An article dated tomorrow is no candidate today, and one tomorrow."""
    take(database, entry(1, published=NOW + timedelta(days=1)), first_pull=True)
    assert titles(database) == []
    assert titles(database, now=NOW + timedelta(days=1)) == [entry(1).title]


def test_an_item_twice_in_one_document_is_one_article(database: Database) -> None:
    """The upper one counts, and the next pull finds no difference."""
    document = [entry(1), entry(1, title="An older wording of it")]
    assert len(take(database, *document).new) == 1
    again = take(database, *document)
    assert (again.new, again.changed, again.unchanged) == ((), (), 1)
    assert titles(database) == [entry(1).title]


def test_a_guid_in_every_item_does_not_melt_them(database: Database) -> None:
    """Ten items with one guid are ten articles, at the next pull too."""
    document = [entry(n, id="same") for n in range(1, 11)]
    assert len(take(database, *document).new) == 10
    assert take(database, *document).unchanged == 10


def test_protected_posts_are_left_out_with_the_reason(database: Database) -> None:
    """What only a password opens is not stored, and said so."""
    result = take(
        database,
        entry(1, title="Protected: Draft", summary_html="There is no excerpt because this is a protected post."),
    )
    assert [(o.title, o.reason) for o in result.left_out] == [("Protected: Draft", "it is protected by a password")]
    assert titles(database) == []


def test_no_byte_breaks_the_store(database: Database) -> None:
    """A NUL or half of a surrogate pair, which no database takes, is cleaned away before; the rest is stored."""
    mean = "A\x00 headline \ud800of trouble"
    given = entry(1, id=mean, title=mean, author=mean, summary_html=mean, content_html=mean, categories=(mean,))
    assert len(take(database, given).new) == 1
    assert take(database, given).unchanged == 1
    assert titles(database) == ["A headline ?of trouble"]


def test_dropped_is_never(database: Database) -> None:
    """A dropped article is no candidate any more, even after an edit; who dropped it first is kept."""
    (identity,) = take(database, entry(1)).new
    with database.begin() as connection:
        drop(connection, identity, "maria", NOW)
        drop(connection, identity, "somebody else", NOW + WEEK)
    take(database, entry(1, title="A corrected headline"))
    assert titles(database) == []
    with database.read() as connection:
        assert (standing(connection, identity).dropped_by, standing(connection, identity).dropped_at) == (
            "maria",
            NOW,
        )
    with database.begin() as connection, pytest.raises(NotFoundError):
        drop(connection, "nothing", "maria", NOW)


def test_candidates_leave_out_what_was_sent(database: Database) -> None:
    """The ledger of another room comes in as ids or as a SELECT."""
    sent, fresh = take(database, entry(1), entry(2)).new
    assert titles(database, exclude=[sent]) == [entry(2).title]
    ledger = sa.select(store.articles.c.id).where(store.articles.c.id == fresh)
    assert titles(database, exclude=ledger) == [entry(1).title]


def test_candidates_are_newest_first(database: Database) -> None:
    """Newest first; undated ones by when they were seen; ties in the feed's order."""
    a, b = entry(1, published=NOW - WEEK), entry(2, published=NOW - WEEK)
    take(database, b, a, entry(3, published=None), now=NOW)
    assert titles(database) == [entry(3).title, a.title, b.title]


@pytest.mark.parametrize(
    "text",
    ["http://m.observatory.example.org/2026/11/article-2?utm_source=x", "ÉTÉ fleuve", "fleuve  d'été"],
)
def test_staff_find_an_article(database: Database, text: str) -> None:
    """By any spelling of its link, or words of its title in any case and order."""
    take(database, entry(1), entry(2, title="Un fleuve d’été"), entry(3))
    with database.read() as connection:
        assert [a.title for a in find(connection, text)] == ["Un fleuve d’été"]


def test_staff_find_by_id_or_its_beginning(database: Database) -> None:
    """The id, in either case, or its first letters."""
    identity = take(database, *(entry(n) for n in range(1, 20))).new[7]
    with database.read() as connection:
        assert [a.id for a in find(connection, identity.upper())] == [identity]
        assert identity in [a.id for a in find(connection, identity[:5])]
        assert find(connection, "zz") == find(connection, "  ") == find(connection, "https://example.org/none") == []


def test_a_moved_feed_keeps_its_articles(database: Database) -> None:
    """After a feed's address changed, its edits still reach the articles it brought."""
    (identity,) = take(database, entry(1)).new
    moved = replace(FEED, url="https://observatory.example.org/new-feed")
    with database.begin() as connection:
        store.rename_feed(connection, FEED.url, moved.url)
    assert take(database, entry(1, title="A corrected headline"), feed=moved).changed == (identity,)


def test_two_pulls_at_once_store_a_story_once(database: Database) -> None:
    """Two machines that read two feeds with the same stories at the same moment make no story twice."""
    ours = [entry(n) for n in range(1, 21)]
    theirs = [entry(n, id=f"theirs-{n}") for n in range(1, 21)]
    with ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(take, database, *ours), pool.submit(take, database, *theirs, feed=READING)]
        assert sum(len(run.result().new) for run in runs) == 20
    assert len(titles(database)) == 20


def test_a_hostile_content_system_repeats_and_loses_nothing(database: Database) -> None:
    """Over weeks of renamed guids, moved links and edited titles every story is exactly one article."""
    chance = random.Random(7)
    stories = {n: entry(n, title=f"Story number {n} of the talks", id=f"guid-{n}") for n in range(1, 31)}
    found: set[str] = set()
    for week in range(12):
        for n in chance.sample(sorted(stories), 10):
            change = chance.choice(["id", "link", "title"])
            value: Any = {"id": f"guid-{n}-{week}", "link": f"https://observatory.example.org/w{week}/{n}",
                     "title": f"Week {week} wording of story {n}"}[change]  # fmt: skip
            stories[n] = replace(stories[n], **{change: value})
        document = list(stories.values())
        chance.shuffle(document)
        new = take(database, *document).new
        assert not found & set(new)
        found |= set(new)
    assert len(found) == 30


def test_a_thousand_entries_are_quick(database: Database) -> None:
    """A large document costs seconds, not minutes: its keys are looked up in batches."""
    document = [entry(n, title=f"A headline about matter {n}") for n in range(1000)]
    start = process_time()
    assert len(take(database, *document).new) == 1000
    assert take(database, *document).unchanged == 1000
    assert process_time() - start < 8


def test_a_page_that_moved_for_good_stays_where_it_is(database: Database) -> None:
    """After a permanent redirect the article has the new link and is found by both, though the feed keeps the old one;
    a third link in the feed is followed again."""
    old, new, third = ("https://site.example.org/" + path for path in ("old/", "new/", "third/"))
    take(database, entry(id="g", link=old))
    with database.begin() as connection:
        (article,) = candidates(connection, now=NOW)
        assert store.relink(connection, article.id, new, NOW)
        assert store.relink(connection, article.id, new, NOW)
    again = take(database, entry(id="other", link=old))
    assert (again.new, again.changed, again.unchanged) == ((), (), 1)
    with database.read() as connection:
        assert [a.link for a in find(connection, old)] == [a.link for a in find(connection, new)] == [new]
    assert take(database, entry(id="g", link=third)).changed == (article.id,)


def test_a_page_that_moved_onto_another_articles_is_not_followed(database: Database) -> None:
    """Two articles never have one link: a redirect to another article's page changes nothing."""
    one, other = "https://site.example.org/1/", "https://site.example.org/2/"
    take(database, entry(id="1", link=one, title="One"), entry(id="2", link=other, title="Another"))
    with database.begin() as connection:
        (article,) = find(connection, one)
        assert not store.relink(connection, article.id, other, NOW)
        assert not store.relink(connection, "unknown", other, NOW)
        assert [a.id for a in find(connection, one)] == [article.id]
