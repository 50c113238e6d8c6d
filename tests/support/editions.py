"""Builders for editions: one that has everything, and small ones made of what a test names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from digest.articles.model import GLOBAL, Article, Region
from digest.editions.model import Edition, Event, Focus, Pin, Placed, Section, Waiting
from digest.feeds.model import Image

DAY = date(2013, 11, 29)
"""The day of every edition here, unless told otherwise: a Friday."""

FOCUS = Focus(
    month="2013-11",
    title="Peace Processes",
    topics=("peace processes", "mediation"),
    introduction="What brings the parties to a table, what keeps them there, and who is missing from it.",
    link="https://example.org/topics/peace-processes",
)

REGIONS = (
    Region("africa", "Africa", ("africa", "sahel", "mali"), "https://example.org/africa"),
    Region("americas", "Americas", ("americas",), "https://example.org/americas"),
    Region("asia", "Asia", ("asia", "myanmar"), "https://example.org/asia"),
    Region("europe", "Europe", ("europe",), "https://example.org/europe"),
    Region("middle-east", "Middle East", ("middle east", "syria"), "https://example.org/middle-east"),
)

# id, section, title, kind, author, days before the edition, has a photo, excerpt
_PIECES = (
    (
        "table",
        "focus",
        "Who Sits at the Table When Nobody Trusts It",
        "Analysis",
        "Amara Lindqvist",
        1,
        True,
        (
            "Talks reopened on Tuesday with two chairs empty. The envoys kept them empty on purpose. "
            "Three earlier rounds had failed over who was invited."
        ),
    ),
    (
        "mediator",
        "focus",
        "“A Mediator Who Is Never Bored Is Not Listening”",
        "Interview",
        "Tomás Reyes",
        3,
        True,
        (
            "After thirty years between other people's lines, she has learnt to distrust an easy afternoon. "
            "The hard part, she says, begins after the signatures."
        ),
    ),
    (
        "ceasefire",
        "focus",
        "The Quiet Arithmetic of a Local Ceasefire",
        "Opinion",
        "Ines Okafor",
        4,
        False,
        "A truce between two villages does not end a war. It does open a road, a clinic and a school.",
    ),
    (
        "sahel-wells",
        "africa",
        "In the Sahel, the Well Comes Before the Vote",
        "Analysis",
        "Moussa Keita",
        2,
        True,
        "Six districts were asked what a state is for. Five of them answered with water.",
    ),
    (
        "great-lakes",
        "africa",
        "A New Brigade Meets an Old Border",
        "Analysis",
        "Lena Baptiste",
        5,
        False,
        "Its mandate is bold and its maps are borrowed. The first month showed what both are worth.",
    ),
    (
        "andes",
        "americas",
        "The Andes Talk About Mines Again",
        "Analysis",
        "Tomás Reyes",
        2,
        True,
        "Three governments and eleven communities agreed on an agenda. The agenda is mostly about trust.",
    ),
    (
        "delta",
        "asia",
        "Delta Towns Count the Cost of a Quiet Year",
        "Analysis",
        "Thida Win",
        3,
        False,
        "Nothing burned this year. Insurers, fishermen and monks each have a reason to worry.",
    ),
    (
        "archipelago",
        "asia",
        "An Archipelago Negotiates With the Sea",
        "Interview",
        "Noor Hadi",
        6,
        True,
        "Moving a capital is engineering. Moving a cemetery is politics, its governor explains.",
    ),
    (
        "frozen",
        "europe",
        "A Frozen Conflict Warms at the Edges",
        "Analysis",
        "Ines Okafor",
        1,
        False,
        "Two markets have opened where the checkpoint used to be. No ministry admits to allowing them.",
    ),
    (
        "camps",
        "middle-east",
        "The Third Winter in the Camps",
        "Analysis",
        "Rania Sarkis",
        2,
        True,
        "The tents have become houses without anyone deciding it. Now the streets need names.",
    ),
    (
        "rivers",
        "middle-east",
        "Sharing a River Nobody Owns",
        "Opinion",
        "Amara Lindqvist",
        6,
        False,
        "The treaty is older than the dams. Its drafters left one sentence that may still save it.",
    ),
    (
        "assembly",
        GLOBAL,
        "What the Assembly Did When Nobody Was Looking",
        "Analysis",
        "Lena Baptiste",
        3,
        True,
        "A resolution passed at ten at night changes who pays for observers. Few delegations had read it.",
    ),
    (
        "cyber",
        GLOBAL,
        "Rules for a War of Keyboards",
        "Opinion",
        "Noor Hadi",
        5,
        False,
        "Forty states agree that the law applies online. None agrees on what it says.",
    ),
)


def image(name: str, *, alt: str = "", credit: str = "") -> Image:
    """A photo of 1200 by 800 on example.org."""
    return Image(f"https://example.org/photos/{name}.jpg", alt, 1200, 800, credit)


def piece(id: str = "a", *, days_before: int = 1, day: date = DAY, **fields: object) -> Article:  # noqa: A002
    """An article of our own, published some days before the edition; any field can be named."""
    published = datetime(day.year, day.month, day.day, 9, tzinfo=UTC) - timedelta(days=days_before)
    article = Article(
        id=id,
        link=f"https://example.org/articles/{id}",
        title=f"The story of {id}",
        excerpt=f"What became of {id}, told in one sentence.",
        published_at=published,
        first_seen=published + timedelta(hours=1),
        feed="https://example.org/feed",
        source="The Example Observatory",
    )
    return replace(article, **fields)  # type: ignore[arg-type]  # field names are checked by replace itself


def placed(*names: str, reason: str = "its topic says so", regions: tuple[str, ...] = ()) -> tuple[Placed, ...]:
    """Plain articles, standing."""
    return tuple(Placed(piece(name), reason, regions) for name in names)


def small_edition(sections: Mapping[str, Iterable[str]], *, day: date = DAY, waiting: Iterable[str] = ()) -> Edition:
    """An edition of region sections (and "focus", "global") made of nothing but ids."""
    kinds = {"focus": "focus", GLOBAL: "global", "reading": "reading"}
    return Edition(
        day=day,
        focus=FOCUS if "focus" in sections else None,
        sections=tuple(
            Section(slug, slug.title(), kinds.get(slug, "region"), articles=placed(*ids))  # type: ignore[arg-type]
            for slug, ids in sections.items()
        ),
        waiting=tuple(Waiting(piece(name), "its section was full") for name in waiting),
    )


def edition(day: date = DAY, *, introduction: str = "") -> Edition:
    """An edition with everything: focus, five regions, global, pinned, events, reading, photos."""
    standing = _standing(day)
    regions = tuple(Section(r.slug, r.name, "region", r.link, articles=standing[r.slug]) for r in REGIONS)
    focus = Section(
        "focus",
        FOCUS.title,
        "focus",
        FOCUS.link,
        FOCUS.introduction,
        kicker="This Month’s Focus",
        articles=standing["focus"],
    )
    return Edition(
        day=day,
        focus=FOCUS,
        introduction=introduction,
        sections=(
            focus,
            *regions,
            Section(GLOBAL, "Around the World", "global", articles=standing[GLOBAL]),
            Section("pinned", "What to Watch", "pinned", pins=_pins(day)),
            Section("events", "Key Events", "events", events=_events(day)),
            Section("reading", "Further Reading", "reading", articles=_reading(day)),
        ),
        waiting=(Waiting(piece("late", day=day, title="A Story That Waits"), "Asia was full; it waits"),),
    )


def _standing(day: date) -> dict[str, tuple[Placed, ...]]:
    sections: dict[str, tuple[Placed, ...]] = {}
    for id_, section, title, kind, author, days, photo, excerpt in _PIECES:
        topics = ("peace processes",) if section == "focus" else (section.replace("-", " "),)
        article = piece(
            id_,
            day=day,
            days_before=days,
            title=title,
            kind=kind,
            author=author,
            excerpt=excerpt,
            topics=topics,
            text=" ".join([excerpt] * 12),
            reading_minutes=3 + days,
            comments=days if photo else None,
            image=image(id_, alt=f"A photograph for {title}", credit="Photo: Example Pictures") if photo else None,
        )
        regions = () if section in ("focus", GLOBAL) else (section,)
        here = Placed(article, f"its topic “{topics[0]}” decides", regions)
        sections[section] = (*sections.get(section, ()), here)
    return sections


def _pins(day: date) -> tuple[Pin, ...]:
    return (
        Pin("Ten Things to Watch This Year", "https://example.org/watch", day - timedelta(days=90), None),
        Pin("How We Cover Elections", "https://example.org/elections", None, day + timedelta(days=90)),
    )


def _events(day: date) -> tuple[Event, ...]:
    return (
        Event(day + timedelta(days=3), "The Council Debates Observers", "https://example.org/events/council"),
        Event(day + timedelta(days=6), "Talks Resume at the Lake"),
        Event(day + timedelta(days=12), "A Continental Summit on Water", "https://example.org/events/water"),
    )


def _reading(day: date) -> tuple[Placed, ...]:
    titles = {"partner-a": "A Handbook for Local Truces", "partner-b": "Maps of Who Trades With Whom"}
    return tuple(
        Placed(
            piece(
                id_,
                day=day,
                days_before=2,
                title=title,
                role="reading",
                source=source,
                link=f"https://partner.example.org/{id_}",
                feed=f"https://partner.example.org/{id_}/feed",
                excerpt="A partner's piece that our editors found worth an hour.",
            ),
            f"further reading, from {source}",
        )
        for (id_, title), source in zip(titles.items(), ("The Truce Project", "Trade Atlas"), strict=True)
    )
