"""One place, explained; and the same article whatever the content system does to it: promises 2 and 3."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from digest.newsroom import drafts
from digest.newsroom.explain import explain
from tests.support.feed_server import rss
from tests.support.house import House, house
from tests.support.stories import (
    AUTOMATIC,
    COMPOSE,
    EDITION,
    NEXT,
    SEND,
    WEEK,
    another_app,
    digests,
    pull,
    ring,
    row,
    section_of,
    titles,
)


def test_an_article_stands_in_one_place_and_the_focus_wins(tmp_path: Path) -> None:
    """An article of the focus that names two regions stands in the focus only."""
    with house(tmp_path) as h:
        h.publish(
            h.article(1, title="Talks about talks", categories=["peace processes", "mali", "asia"]),
            h.article(2, title="Rain and roads", categories=["mali", "asia"]),
            h.article(3),
        )
        h.ready()
        found = row(h)
        assert Counter(titles(found)) == dict.fromkeys(titles(found), 1)
        assert section_of(found, "Talks about talks") == "focus"
        assert section_of(found, "Rain and roads") in ("africa", "asia")


@pytest.mark.parametrize(
    ("fields", "section", "words"),
    [
        ({"title": "Rain and roads", "categories": ["mali"]}, "africa", ("Africa", "mali")),
        ({"title": "A harvest in Myanmar", "categories": []}, "asia", ("Asia", "Myanmar", "headline")),
        ({"title": "At the table", "categories": ["mediation"]}, "focus", ("mediation", "Peace Processes")),
        ({"title": "On method", "categories": ["methods"]}, "global", ("no region",)),
    ],
)
def test_explain_names_the_rule(tmp_path: Path, fields: dict[str, Any], section: str, words: tuple[str, ...]) -> None:
    """`explain` says which tag, or which name and where, put an article where it stands."""
    with house(tmp_path) as h:
        h.publish(h.article(1, description="Nothing else is said.", **fields), h.article(2), h.article(3))
        h.ready()
        assert section_of(row(h), fields["title"]) == section
        (answer,) = explain(h.app, fields["title"])
        assert answer["section"] == section
        assert answer["edition"] == EDITION
        for word in words:
            assert word.lower() in answer["sentence"].lower()


def test_explain_finds_by_id_link_and_words(tmp_path: Path) -> None:
    """The same answer comes for an article's id, its link, and words of its title."""
    with house(tmp_path) as h:
        h.publish(h.article(1, title="The ferry to Gao"), h.article(2), h.article(3))
        h.ready()
        by_words = explain(h.app, "ferry gao")
        assert explain(h.app, by_words[0]["id"]) == by_words
        assert explain(h.app, "http://www.observatory.example.org/1?utm_source=mail") == by_words


def test_explain_tells_what_waits_and_what_never_comes(tmp_path: Path) -> None:
    """What does not stand in the edition is explained too: over the limit, or too old at the first pull."""
    with house(tmp_path, changes={"editions": {"section_limit": 2, "minimum": 1}}) as h:
        h.publish(
            *(h.article(n, title=f"Case {n} of the harbour") for n in range(3)),
            h.article(9, title="An old harbour", age=timedelta(days=30)),
        )
        h.ready()
        (waiting,) = row(h).edition.waiting
        assert "Africa was full" in explain(h.app, waiting.article.id)[0]["sentence"]
        assert "older than 7d at the first pull" in explain(h.app, "An old harbour")[0]["sentence"]


CHANGED: list[dict[str, Any]] = [
    {"guid": "new-guid"},
    {"link": "https://observatory.example.org/moved/somewhere-else/"},
    {"title": "The same article under quite another headline"},
]


@pytest.mark.parametrize("change", CHANGED, ids=["guid", "link", "title"])
def test_a_changed_sign_is_the_same_article(tmp_path: Path, change: dict[str, Any]) -> None:
    """Guid, link or title changed after it was sent: it is updated in the store and never repeated."""
    with house(tmp_path, changes=AUTOMATIC) as h:
        moment = h.clock.now
        h.publish(h.article(1), h.article(2, region="asia"), h.article(3, region="europe"))
        pull(h, COMPOSE)
        ring(h, SEND)
        assert len(titles(row(h))) == 3
        h.clock.now = moment
        edited = h.article(1, **change)
        fresh = [h.article(n, region="asia", age=timedelta(days=-5)) for n in (11, 12, 13)]
        h.items[:] = [*fresh, edited, *h.items[1:]]
        h.serve_feed()
        pull(h, COMPOSE + WEEK)
        ring(h, SEND + WEEK)
        assert sorted(titles(row(h, NEXT))) == sorted(f"Article number {n} of the week" for n in (11, 12, 13))
        if "guid" not in change:  # a guid is not shown to anybody
            new = change.get("title", "Article number 1 of the week")
            found = [a for a in explain(h.app, new) if a["title"] == new and a["link"].endswith(change.get("link", ""))]
            assert len(found) == 1


def test_signs_may_change_one_after_another(tmp_path: Path) -> None:
    """Guid, then link, then title, one at a time between pulls: after all three it is still one article."""
    with house(tmp_path) as h:
        moment = h.clock.now
        signs: dict[str, Any] = {}
        for hours, change in enumerate([{}, *CHANGED]):
            signs |= change
            h.clock.now = moment
            h.items[:] = [h.article(1, **signs), h.article(2), h.article(3)]
            h.serve_feed()
            pull(h, moment + timedelta(hours=hours))
        drafts.compose_draft(h.app)
        assert len(titles(row(h))) == 3
        assert CHANGED[2]["title"] in titles(row(h))


def test_the_same_story_in_two_feeds_is_one_article(tmp_path: Path) -> None:
    """A story that stands in the main feed and in that of a category is in the mail once."""
    with house(tmp_path) as h:
        feeds = [{"url": h.site.url(path), "role": "articles"} for path in ("/feed/", "/category/")]
        app = another_app(h, {"feeds": feeds})
        h.publish(h.article(1, title="Told in both feeds"), h.article(2), h.article(3))
        h.site.feed("/category/", rss(h.article(1, title="Told in both feeds", guid="other")))
        both = House(app, h.clock, h.site, h.sink)
        both.subscribe(("all@example.org", ()))
        both.ready()
        both.send()
        assert titles(row(h)).count("Told in both feeds") == 1
        assert digests(h)["all@example.org"].text.count("Told in both feeds") == 1
