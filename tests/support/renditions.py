"""Editions to render, built by hand: a week of a publication in the middle of its life, in several shapes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from digest.articles.model import Article
from digest.editions.model import Edition, Event, Focus, Pin, Placed, Section
from digest.feeds.model import Image
from digest.rendering.model import Publication

DAY = date(2013, 11, 29)
REGIONS = {
    "africa": "Africa",
    "americas": "Americas",
    "asia": "Asia",
    "europe": "Europe",
    "middle-east": "Middle East",
    "global": "Global",
}


def publication(language: str = "en", **changes: object) -> Publication:
    """A publication on example.org."""
    values: dict[str, object] = {
        "name": "The Harbour Review",
        "url": "https://review.example.org/",
        "language": language,
        "timezone": "America/New_York",
        "postal_address": "Harbour Institute, 1 Sample Plaza, New York, NY 10017",
        "public_url": "https://roundup.example.org",
        "reply_to": "editors@example.org",
        "links": {
            "Facebook": "https://social.example.org/review",
            "RSS": "https://review.example.org/feed",
            "Privacy": "https://review.example.org/privacy",
        },
        "region_names": REGIONS,
    }
    return Publication(**(values | changes))  # type: ignore[arg-type]


def article(number: int, title: str = "", *, photo: bool = False, **changes: object) -> Article:
    """An article with everything on it."""
    values: dict[str, object] = {
        "id": f"article-{number}",
        "link": f"https://review.example.org/2013/11/article-{number}?part=1&issue={number}",
        "title": title or f"What the Talks of Week {number} Left Open, and Who Must Close It",
        "author": ("Amina Diallo", "Ibrahim Keïta", "Lena Vogt", "Tenzin Rao")[number % 4],
        "excerpt": "In the north the guns are quiet and the wells are not yet repaired. "
        "What the next six weeks decide for the families who return, and who pays for it.",
        "kind": ("Analysis", "Interview", "Opinion", "")[number % 4],
        "published_at": datetime(2013, 11, 28, 14, tzinfo=UTC) - timedelta(hours=7 * number),
        "reading_minutes": 3 + number % 7,
        "source": "The Harbour Review",
        "image": picture(number) if photo else None,
    }
    return Article(**(values | changes))  # type: ignore[arg-type]


def picture(number: int, width: int = 1200, height: int = 800) -> Image:
    """A photo with alt and credit."""
    return Image(
        f"https://review.example.org/photos/{number}.jpg",
        f"A river crossing at dawn, seen from bank {number}",
        width,
        height,
        "Ana Ruiz/Harbour",
    )


def placed(*articles: Article) -> tuple[Placed, ...]:
    return tuple(Placed(one, "the test says so") for one in articles)


def edition(*, photos: bool = True, per_region: int = 2, regions: tuple[str, ...] = tuple(REGIONS)) -> Edition:
    """A full edition: focus, regions, global, pinned, events, further reading."""
    focus = Focus(
        "2013-11", "Peace Processes", ("peace processes",),
        "Organizations push for talks to include women and minorities, while entrenched conflicts raise "
        "the older questions: how to bring the parties to the table, and how to seal the deal.",
        "https://review.example.org/peace-processes",
    )  # fmt: skip
    lead = article(1, "A Friend at the Table: What One Patron Wants From the Talks", photo=photos)
    sections = [
        Section("focus", "Peace Processes", "focus", focus.link, articles=placed(
            lead,
            article(2, "Who Speaks for the Villages? Mediation Below the Capital"),
            article(3, "Sealing the Deal: Guarantees That Held, and Some That Did Not"),
        )),
    ]  # fmt: skip
    number = 10
    for slug in regions:
        items = [article(number + at, photo=photos and at % 2 == 0) for at in range(per_region)]
        number += per_region
        kind = "global" if slug == "global" else "region"
        sections.append(
            Section(slug, REGIONS[slug], kind, f"https://review.example.org/{slug}", articles=placed(*items))  # type: ignore[arg-type]
        )
    sections += [
        Section("pinned", "What to Watch", "pinned", pins=(
            Pin("What to Watch in 2013", "https://review.example.org/watch"),
            Pin("Top Issues to Watch", "https://review.example.org/issues"),
        )),
        Section("events", "Key Global Events in November", "events", events=(
            Event(date(2013, 11, 29), "Libya: national dialogue opens in Tripoli", "https://events.example.org/1"),
            Event(date(2013, 11, 30), "Geneva: negotiations on the nuclear file resume", "https://events.example.org/2"),
            Event(date(2013, 12, 4), "Security Council: mandate review"),
        )),
        Section("reading", "Further Reading", "reading", articles=placed(
            article(901, "The price of a camel in Gao", source="Sahel Notes", role="reading"),
            article(902, "Reading the communiqué twice", source="East Asia Desk", role="reading"),
            article(903, "What the census forgot to ask", source="Development Talk", role="reading"),
        )),
    ]  # fmt: skip
    return Edition(
        DAY, tuple(sections), focus,
        "Three tables were set this week, and at none of them did everybody sit down. Our writers ask who is "
        "missing, and what it would take to bring them in.",
    )  # fmt: skip
