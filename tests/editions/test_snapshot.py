"""What is stored is what was composed, and what an approval covers."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given, settings
from hypothesis import strategies as st

from digest.articles.model import Article
from digest.editions.approval import content_hash, offers
from digest.editions.model import Edition, Event, Focus, Overlay, Pin, Placed, Section, Waiting
from digest.editions.snapshot import decode, encode, from_json, to_json
from digest.feeds.model import Image
from tests.support.editions import edition, image, piece

zones = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))])
moments = st.none() | st.datetimes(timezones=zones)
text = st.text(max_size=20)
texts = st.lists(text, max_size=3).map(tuple)
articles = st.builds(
    Article, id=text, link=text, title=text, topics=texts, published_at=moments, first_seen=moments,
    image=st.none() | st.builds(Image, text, width=st.none() | st.integers(0, 9999)),
    comments=st.none() | st.integers(0),
)  # fmt: skip
sections = st.builds(
    Section, slug=text, title=text, kind=st.sampled_from(["focus", "region", "events"]),
    articles=st.lists(st.builds(Placed, articles, text, texts, st.booleans()), max_size=2).map(tuple),
    events=st.lists(st.builds(Event, st.dates(), text), max_size=2).map(tuple),
    pins=st.lists(st.builds(Pin, text, text, st.none() | st.dates()), max_size=2).map(tuple),
)  # fmt: skip
editions = st.builds(
    Edition, day=st.dates(), sections=st.lists(sections, max_size=3).map(tuple),
    focus=st.none() | st.builds(Focus, text, text, texts), introduction=text,
    waiting=st.lists(st.builds(Waiting, articles, text), max_size=2).map(tuple),
)  # fmt: skip
overlays = st.builds(
    Overlay, introduction=text, pinned=texts, moved=st.dictionaries(text, text, max_size=3),
    excluded=st.frozensets(text, max_size=3), titles=st.dictionaries(text, text, max_size=3),
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(editions, overlays)
def test_what_is_stored_comes_back_equal(composed: Edition, overlay: Overlay) -> None:
    """Any edition and any overlay, through JSON as text and back, is the same."""
    assert from_json(json.loads(json.dumps(to_json(composed)))) == composed
    assert decode(Overlay, json.loads(json.dumps(encode(overlay)))) == overlay


def test_an_older_snapshot_still_loads() -> None:
    """A field that the types gained since has its default; one that they lost is passed over."""
    stored = to_json(edition())
    for section in stored["sections"]:
        del section["kicker"]
        section["colour"] = "red"
    assert [s.title for s in from_json(stored).sections] == [s.title for s in edition().sections]


def hash_of(composed: Edition, templates: str = "t", configured: str = "s") -> str:
    return content_hash(composed, templates=templates, settings=configured)


def test_an_approval_covers_everything_that_is_sent() -> None:
    """A title, a link, a photo's alt, an order, an introduction, the templates or a setting: another hash."""
    whole = edition()
    first, *rest = whole.sections
    lead = first.articles[0]

    def with_lead(article: Article) -> Edition:
        changed = replace(first, articles=(replace(lead, article=article), *first.articles[1:]))
        return replace(whole, sections=(changed, *rest))

    others = [
        with_lead(replace(lead.article, title="Another")),
        with_lead(replace(lead.article, link="https://example.org/other")),
        with_lead(replace(lead.article, image=image("table", alt="Another"))),
        replace(whole, sections=(replace(first, articles=first.articles[::-1]), *rest)),
        replace(whole, sections=whole.sections[1:]),
        replace(whole, introduction="Another"),
        replace(whole, day=whole.day + timedelta(days=7)),
    ]
    hashes = {
        hash_of(whole),
        hash_of(whole, templates="u"),
        hash_of(whole, configured="u"),
        *map(hash_of, others),
    }
    assert len(hashes) == len(others) + 3


def test_what_no_reader_sees_voids_nothing() -> None:
    """What waits, and why an article stands where it does, are not covered; equal editions hash alike."""
    whole = edition()
    first, *rest = whole.sections
    other_reasons = tuple(replace(placed, reason="for another reason") for placed in first.articles)
    unseen = replace(whole, waiting=(), sections=(replace(first, articles=other_reasons), *rest))
    assert hash_of(unseen) == hash_of(whole) == hash_of(from_json(to_json(whole)))


def test_a_feeds_later_edit_is_offered() -> None:
    """What a reader would see is offered, with what differs; only a changed link voids an approval."""
    stands = (piece("a"), piece("b"), piece("c"), piece("gone"))
    now = {
        "a": replace(stands[0], title="Corrected", excerpt="Corrected."),
        "b": replace(stands[1], link="https://example.org/moved"),
        "c": replace(stands[2], comments=12, position=4, first_seen=datetime(2013, 1, 1, tzinfo=UTC)),
    }
    found = offers(stands, now)
    assert [(o.stands.id, o.fields, o.voids) for o in found] == [
        ("a", ("title", "excerpt"), False),
        ("b", ("link",), True),
    ]
