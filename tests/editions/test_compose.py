"""An edition from articles: one place each, explained, and the same whatever the order of the input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.articles.model import GLOBAL, Article, Placement
from digest.editions.compose import compose, too_small
from digest.editions.model import Edition, Event, Overlay, Period, Pin
from tests.support.editions import DAY, FOCUS, REGIONS, piece

PERIOD = Period(DAY)
SLUGS = [region.slug for region in REGIONS]


def by_first_topic(article: Article) -> Placement:
    """A place that is easy to foretell: the article's first topic that is a region's slug."""
    for topic in article.topics:
        if topic in SLUGS:
            return Placement(topic, (topic,), f"its topic “{topic}” is a region")
    return Placement()


def make(articles: Sequence[Article], **options: Any) -> Edition:
    """Compose with the usual regions and focus."""
    return compose(
        articles, **{"place": by_first_topic, "period": PERIOD, "focus": FOCUS, "regions": REGIONS, **options}
    )


def layout(edition: Edition) -> dict[str, list[str]]:
    """Section slugs in order, and the ids in each."""
    return {section.slug: [placed.article.id for placed in section.articles] for section in edition.sections}


def reason_of(edition: Edition, article: str) -> str:
    """Why an article stands, or why it waits."""
    standing = {p.article.id: p.reason for section in edition.sections for p in section.articles}
    return standing.get(article) or next(w.reason for w in edition.waiting if w.article.id == article)


def in_(region: str, *ids: str) -> list[Article]:
    """Articles of a region, the first the newest."""
    return [piece(name, days_before=n + 1, topics=(region,)) for n, name in enumerate(ids)]


def test_focus_comes_first_then_the_regions_as_configured() -> None:
    """Whatever came in, the sections stand in the publication's order and empty ones are left out."""
    articles = [
        *in_("europe", "e"),
        *in_("africa", "a"),
        piece("g"),
        piece("f", topics=("mediation", "asia")),
    ]
    edition = make(
        articles,
        pins=[Pin("Evergreen", "https://example.org/evergreen")],
        events=[Event(DAY, "A summit")],
        reading=[piece("r", role="reading", source="Partner")],
    )
    assert layout(edition) == {
        "focus": ["f"], "africa": ["a"], "europe": ["e"], "global": ["g"], "pinned": [], "events": [],
        "reading": ["r"],
    }  # fmt: skip
    assert edition.sections[0].kicker == "This Month’s Focus"
    assert edition.sections[0].introduction == FOCUS.introduction
    assert [p.article.id for p in edition.articles] == ["f", "a", "e", "g"]


def test_focus_wins_over_region_and_says_so() -> None:
    """An article of the focus and of a region stands in the focus, and its regions are kept for the card."""
    edition = make([piece("f", topics=("africa", "mediation"))])
    (placed,) = edition.articles
    assert edition.sections[0].slug == "focus"
    assert placed.regions == ("africa",)
    assert placed.reason == "its topic “mediation” belongs to the focus, Peace Processes"


def test_without_a_focus_there_is_no_focus_section() -> None:
    """A month that the calendar leaves out sends the same articles to their regions."""
    edition = make([piece("f", topics=("africa", "mediation"))], focus=None)
    assert layout(edition) == {"africa": ["f"]}
    assert edition.focus is None


def test_the_newest_first_and_the_feed_decides_ties() -> None:
    """By date; where dates are equal or missing, as the feed had them."""
    same = [piece(name, topics=("asia",), position=n) for n, name in enumerate("xyz")]
    undated = piece("u", topics=("asia",), published_at=None, position=3)
    newer = piece("n", days_before=0, topics=("asia",), position=9)
    undated = replace(undated, first_seen=same[0].published_at)
    assert layout(make([undated, *same, newer]))["asia"] == ["n", "x", "y", "z", "u"]


def test_over_the_focus_limit_an_article_stands_in_its_region() -> None:
    """The newest fill the focus; the next goes to its region and says that the focus was full."""
    articles = [piece(n, days_before=i, topics=("mediation", "africa")) for i, n in enumerate(["1", "2", "3"])]
    edition = make(articles, focus_limit=2)
    assert layout(edition) == {"focus": ["1", "2"], "africa": ["3"]}
    assert reason_of(edition, "3") == "the focus was full; its topic “africa” is a region"


def test_over_both_limits_it_waits_and_says_why() -> None:
    """What neither the focus nor the region can take waits for the next edition."""
    articles = [piece(n, days_before=i, topics=("mediation", "africa")) for i, n in enumerate(["1", "2", "3"])]
    edition = make([*articles, *in_("asia", "a", "b")], focus_limit=1, section_limit=1)
    assert layout(edition) == {"focus": ["1"], "africa": ["2"], "asia": ["a"]}
    assert reason_of(edition, "3") == "the focus and Africa were full; it waits for the next edition"
    assert reason_of(edition, "b") == "Asia was full; it waits for the next edition"


def test_what_waited_is_let_in_before_what_is_newer() -> None:
    """An article that was over a limit comes in the next edition, even when newer ones fill the section."""
    articles = in_("asia", "1", "2", "3", "4")
    edition = make(articles, section_limit=2, waited={"3", "4"})
    assert layout(edition) == {"asia": ["3", "4"]}
    assert [w.article.id for w in edition.waiting] == ["1", "2"]


def test_an_editors_hand_decides() -> None:
    """Pinned first, moved where it was put, excluded left out, retitled, re-excerpted, introduced."""
    overlay = Overlay(
        introduction="A week of talks.",
        pinned=("3", "2"),
        moved={"1": "focus", "a": GLOBAL, "g": "asia"},
        excluded=frozenset({"4"}),
        titles={"2": "Another title", "3": "  "},
        excerpts={"2": ""},
    )
    articles = [*in_("asia", "1", "2", "3", "4", "5"), *in_("africa", "a"), piece("g", days_before=1)]
    edition = make(articles, overlay=overlay)
    assert layout(edition) == {"focus": ["1"], "asia": ["3", "2", "g", "5"], GLOBAL: ["a"]}
    assert edition.introduction == "A week of talks."
    assert reason_of(edition, "1") == "an editor moved it to the focus"
    assert reason_of(edition, "g") == "an editor moved it to Asia"
    assert reason_of(edition, "4") == "an editor excluded it from this edition"
    cards = {p.article.id: p for p in edition.articles}
    assert (cards["2"].article.title, cards["2"].article.excerpt) == ("Another title", "")
    assert cards["3"].article.title == "The story of 3"
    assert [name for name, p in cards.items() if p.pinned] == ["3", "2"]


def test_no_limit_holds_what_an_editor_placed() -> None:
    """Pinned and moved articles stand although the section is full; the rest take the room that is left."""
    articles = [*in_("asia", "1", "2", "3", "4"), *in_("africa", "a")]
    overlay = Overlay(pinned=("4",), moved={"a": "asia", "3": "asia"})
    edition = make(articles, overlay=overlay, section_limit=2)
    assert layout(edition) == {"asia": ["4", "a", "3"]}
    assert {w.article.id for w in edition.waiting} == {"1", "2"}


def test_an_overlay_of_what_is_gone_does_no_harm() -> None:
    """An article that is gone, a region that is no more, a focus that is not: the rest stands as it would."""
    articles = [*in_("asia", "1"), piece("f", topics=("mediation",))]
    overlay = Overlay(
        pinned=("gone",), moved={"1": "atlantis", "gone": "asia", "f": "events"},
        excluded=frozenset({"lost"}), titles={"gone": "x"}, excerpts={"gone": "y"},
    )  # fmt: skip
    assert make(articles, overlay=overlay) == make(articles)
    moved = make(articles, overlay=Overlay(moved={"1": "focus"}), focus=None)
    assert moved == make(articles, focus=None)


def test_a_place_that_is_not_configured_becomes_global() -> None:
    """A region that the configuration no longer has is no reason to lose an article."""
    edition = make([piece("1")], place=lambda _: Placement("atlantis", ("atlantis", "asia"), "an old rule"))
    assert layout(edition) == {GLOBAL: ["1"]}
    assert edition.articles[0].regions == ("asia",)
    assert "atlantis" in edition.articles[0].reason


def test_further_reading_is_capped_per_source_and_never_ours() -> None:
    """So many of a partner, so many in all, none of our own; it never counts for the minimum."""
    partners = [
        piece(f"{source}{n}", days_before=n + 1, role="reading", source=source) for source in "pqr" for n in range(3)
    ]
    own = in_("asia", "1")
    edition = make(own, reading=[*partners, *own], reading_limit=5, reading_per_source=2)
    assert layout(edition)["reading"] == ["p0", "q0", "r0", "p1", "q1"]
    assert len(edition.articles) == 1
    hand = Overlay(pinned=("r2",), excluded=frozenset({"p0"}), titles={"r2": "Ours to title"})
    edited = make(own, reading=partners, reading_limit=3, overlay=hand)
    assert layout(edited)["reading"] == ["r2", "q0", "r0"]
    assert reason_of(edited, "p0") == "an editor excluded it from this edition"


def test_events_are_those_of_the_coming_weeks_in_order() -> None:
    """From the edition's day on, for as long as asked, each once."""
    days = [-1, 27, 0, 5, 28, 5]
    events = [Event(DAY + timedelta(days=n), f"Event {n}") for n in days]
    (section,) = make([], events=events).sections
    assert [e.title for e in section.events] == ["Event 0", "Event 5", "Event 27"]


@pytest.mark.parametrize(
    ("first", "last", "stands"),
    [
        (None, None, True),
        (DAY, DAY, True),
        (DAY + timedelta(days=1), None, False),
        (None, date(2013, 11, 28), False),
    ],
)
def test_a_pinned_piece_stands_within_its_dates(first: date | None, last: date | None, stands: bool) -> None:
    """Both dates are included; a missing one is no bound."""
    edition = make([], pins=[Pin("Evergreen", "https://example.org/e", first, last)])
    assert [s.slug for s in edition.sections] == (["pinned"] if stands else [])


def test_headings_are_the_callers() -> None:
    """Each fixed heading can be said in the publication's language; one that is not given is English."""
    edition = make(
        [piece("g"), piece("f", topics=("mediation",))],
        headings={"focus": "Le dossier du mois", "global": "Monde"},
        events=[Event(DAY, "Sommet")],
    )
    assert [(s.title, s.kicker) for s in edition.sections] == [
        ("Peace Processes", "Le dossier du mois"), ("Monde", ""), ("Key Events", ""),
    ]  # fmt: skip


def test_too_small_counts_our_own_articles() -> None:
    """Fewer than the minimum is too small; partners, events and pinned pieces do not make up for it."""
    edition = make(in_("asia", "1", "2"), reading=[piece("r", role="reading")], events=[Event(DAY, "x")])
    assert too_small(edition, 3) == "it has 2 articles, and the minimum is 3"
    assert too_small(edition, 2) is None


names = st.sampled_from([f"a{n}" for n in range(25)])
topics = st.lists(st.sampled_from([*SLUGS, "mediation", "water"]), max_size=2, unique=True).map(tuple)
articles_ = st.lists(
    st.builds(
        lambda name, t, days, position: piece(name, topics=t, days_before=days, position=position),
        names, topics, st.integers(0, 6), st.integers(0, 9),
    ),
    max_size=30,
)  # fmt: skip
overlays = st.builds(
    Overlay,
    pinned=st.lists(names, max_size=3, unique=True).map(tuple),
    moved=st.dictionaries(names, st.sampled_from([*SLUGS, GLOBAL, "focus", "nowhere"]), max_size=4),
    excluded=st.frozensets(names, max_size=3),
)


@settings(max_examples=120, deadline=None)
@given(articles_, overlays, st.integers(0, 4), st.integers(0, 4), st.sets(names, max_size=5), st.randoms())
def test_every_article_has_one_place_whatever_the_order(
    articles: list[Article], overlay: Overlay, limit: int, focus_limit: int, waited: set[str], random: Any
) -> None:
    """Each stands or waits once, with a reason; limits hold but for an editor's hand; order never shows."""
    options = {"overlay": overlay, "section_limit": limit, "focus_limit": focus_limit, "waited": waited}
    edition = make(articles, **options)
    everywhere = [p.article.id for p in edition.articles] + [w.article.id for w in edition.waiting]
    assert sorted(everywhere) == sorted({article.id for article in articles})
    assert all(p.reason for p in edition.articles)
    assert all(w.reason for w in edition.waiting)
    for section in edition.sections:
        by_hand = set(overlay.pinned) | set(overlay.moved)
        free = [p for p in section.articles if p.article.id not in by_hand]
        assert len(free) <= (focus_limit if section.slug == "focus" else limit)
    shuffled = list(articles)
    random.shuffle(shuffled)
    assert make(shuffled, **options) == edition
