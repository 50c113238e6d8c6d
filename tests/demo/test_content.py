"""The bundled feeds are what a publication of this kind has, with the trouble of real feeds."""

from __future__ import annotations

import io
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from importlib import resources

import feedparser
import pytest
import recurring_ical_events
from icalendar import Calendar
from PIL import Image

from digest.config import bundled
from digest.demo.content import TOPICS, focus, partners, stories
from digest.demo.feeds import MAIN, PHOTO_SIZE, atom, calendar, link, rss

NOW = datetime(2026, 11, 26, 15, tzinfo=UTC)
PHOTOS = resources.files("digest.demo") / "photos"


def read(body: bytes) -> feedparser.FeedParserDict:
    return feedparser.parse(io.BytesIO(body), response_headers={"content-type": "application/xml"}, sanitize_html=False)


def test_there_are_about_sixty_articles_over_six_weeks() -> None:
    """Every week has more than the minimum of an edition, and this week has the most."""
    weeks = Counter((NOW - story.appears).days // 7 for story in stories(NOW))
    assert 55 <= weeks.total() <= 75
    assert sorted(weeks) == list(range(6))
    assert all(count >= 4 for count in weeks.values())
    assert weeks[0] == max(weeks.values())


def test_this_week_has_a_focus_and_every_region() -> None:
    """At least five articles of this week have a topic of the focus, and each region has two more of its own."""
    week = [s for s in stories(NOW) if s.appears > NOW - timedelta(days=7) and len(s.tags) < len(TOPICS)]
    wanted = set(focus()["topics"])
    assert sum(bool(wanted & set(s.tags)) for s in week) >= 5
    for region in bundled().region_list():
        own = [s for s in week if set(region.topics) & set(s.tags) and not wanted & set(s.tags)]
        assert len(own) >= 2, region.name
    about_none = [s for s in week if not any(set(r.topics) & set(s.tags) for r in bundled().region_list())]
    assert len(about_none) >= 2


def test_every_text_is_written_for_readers() -> None:
    """Summaries have two to four sentences, bodies follow, topics are those of the site, and no slug comes twice."""
    made = stories(NOW)
    assert len({s.slug for s in made}) == len(made)
    for story in made:
        assert set(story.tags) <= set(TOPICS), story.slug
        if story.protected:
            continue
        assert 2 <= len(re.findall(r'[.?!]"?(?:\s|$)', story.summary)) <= 5, story.slug
        assert len(story.paragraphs) >= 2, story.slug


def test_every_photo_is_there_and_described() -> None:
    """Each photo has its file, an alt text and a credit; all are of one size and small; none lies about unused."""
    made = [s for s in stories(NOW) if s.photo]
    files = {f.name for f in PHOTOS.iterdir() if f.name.endswith(".jpg")}
    assert {f"{s.photo}.jpg" for s in made} == files
    assert all(s.alt and s.credit for s in made)
    total = 0
    for name in files:
        body = (PHOTOS / name).read_bytes()
        total += len(body)
        assert len(body) < 60_000, name
        assert Image.open(io.BytesIO(body)).size == PHOTO_SIZE
    assert total < 800_000


@pytest.mark.parametrize("name", [MAIN, "interviews"])
def test_the_feeds_are_well_formed(name: str) -> None:
    """A parser has nothing to say, every link is https on example.org, and no guid comes twice."""
    found = read(rss(name, NOW))
    assert not found.bozo
    assert found.version == "rss20"
    assert found.entries
    assert all(re.match(r"https://observatory\.example\.org/20\d\d/\d\d/[a-z0-9-]+/", e.link) for e in found.entries)
    assert len({e.id for e in found.entries}) == len(found.entries)
    for url in re.findall(rb'(?:href|src|url)="([^"]+)"', rss(name, NOW)):
        assert url.startswith(b"https://observatory.example.org")


def test_the_trouble_of_real_feeds_is_in_it() -> None:
    """Each kind of trouble that the job must come through is there, this week."""
    body = rss(MAIN, NOW)
    entries = read(body).entries
    ages = [(NOW - parsedate_to_datetime(e.published)).days for e in entries if "published" in e]
    assert max(ages) > 14, "backdated"
    assert min(ages) < 0, "future-dated"
    assert any("published" not in e for e in entries), "undated"
    assert any(e.title.startswith("Protected:") for e in entries)
    assert b"appeared first on" in body
    assert any("&#8217;" in e.title for e in entries), "entities in a title"
    assert any(len(e.title) > 200 for e in entries)
    assert any(not e.author.isascii() for e in entries)
    assert any(len(e.tags) > len(TOPICS) for e in entries), "every category"
    assert any("utm_source" in e.link for e in entries)
    assert b'width="1" height="1"' in body
    own = {e.link.partition("?")[0] for e in entries}
    second = read(rss("interviews", NOW)).entries
    assert own & {e.link for e in second}, "the same story in two feeds"
    assert not {e.id for e in entries} & {e.id for e in second}


def test_a_guid_changes_under_an_article() -> None:
    """One article has another guid than the day before, with the same link."""
    before, after = (
        {e.link: e.id for e in read(rss(MAIN, NOW, at=at)).entries} for at in (NOW - timedelta(days=2), NOW)
    )
    assert [url for url in before.keys() & after.keys() if before[url] != after[url]] == [
        link(next(s for s in stories(NOW) if s.guid_changes))
    ]


def test_earlier_weeks_can_be_had_as_they_were() -> None:
    """Asked as of an earlier moment a feed has nothing that came later, and the same bytes each time."""
    for weeks in range(6):
        at = NOW - timedelta(weeks=weeks)
        there = {s.title for s in stories(NOW) if s.appears <= at}
        assert {e.title for e in read(rss(MAIN, NOW, at=at)).entries} <= there
        assert rss(MAIN, NOW, at=at) == rss(MAIN, NOW, at=at)
    assert read(rss(MAIN, NOW, at=NOW - timedelta(weeks=5))).entries


def test_the_partners_have_a_dozen_pieces() -> None:
    """Two Atom feeds of partners, well formed, each with something new this week."""
    assert sum(len(p.pieces) for p in partners(NOW)) == 12
    for partner in partners(NOW):
        found = read(atom(partner.name, NOW))
        assert not found.bozo
        assert found.version == "atom10"
        assert found.feed.title == partner.title
        assert partner.pieces[0].published > NOW - timedelta(days=7)


def test_the_calendar_has_the_coming_weeks() -> None:
    """A calendar reads without complaint: days, hours, a weekly one, and one that is cancelled."""
    read_back = Calendar.from_ical(calendar(NOW))
    events = recurring_ical_events.of(read_back).between(NOW.date(), NOW.date() + timedelta(days=31))
    titles = Counter(str(e["SUMMARY"]) for e in events)
    assert len(titles) >= 7
    assert max(titles.values()) >= 3
    assert any(not isinstance(e["DTSTART"].dt, datetime) for e in events)
    assert any(e.get("STATUS") == "CANCELLED" for e in events)
