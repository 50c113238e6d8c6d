"""An edition with one of everything, for looking whether the templates can be filled."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from digest.articles.model import Article
from digest.editions.model import Edition, Event, Focus, Pin, Placed, Section
from digest.feeds.model import Image

_IMAGE = Image("https://example.org/photo.jpg", "A bridge", 1200, 800, "A photographer")


def specimen(now: datetime, region_names: Mapping[str, str]) -> Edition:
    """The focus, each region, events, pins and further reading, an article in each that has any."""
    day = now.astimezone(UTC).date()
    focus = Focus(f"{day:%Y-%m}", "A focus", ("a topic",), "Its introduction.", "https://example.org/focus")
    sections = [
        Section("focus", focus.title, "focus", focus.link, focus.introduction, (_placed(0, now),), kicker="The focus")
    ]
    sections += [
        Section(slug, name, "global" if slug == "global" else "region", articles=(_placed(number, now),))
        for number, (slug, name) in enumerate(region_names.items(), 1)
    ]
    sections += [
        Section("pinned", "Pinned", "pinned", pins=(Pin("A pinned piece", "https://example.org/pinned"),)),
        Section("events", "Events", "events", events=(Event(day, "An event", "https://example.org/event"),)),
        Section("reading", "Further reading", "reading", articles=(_placed(1000, now),)),
    ]
    return Edition(day, tuple(sections), focus, "An introduction.")


def _placed(number: int, now: datetime) -> Placed:
    article = Article(
        id=f"specimen{number}", link=f"https://example.org/{number}", title=f"Headline {number}", author="An Author",
        excerpt="A sentence. And another one.", topics=("a topic",), kind="Analysis", published_at=now, first_seen=now,
        image=_IMAGE if number % 2 == 0 else None, comments=number, source="A partner",
    )  # fmt: skip
    return Placed(article, "a specimen")
