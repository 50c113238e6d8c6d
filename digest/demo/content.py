"""What the demo's feeds hold: articles, partner entries and events, their dates as offsets from now."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any

SITE = "https://observatory.example.org"

TOPICS = (
    "africa", "americas", "arab spring", "asia", "central asia", "conflict", "cyber security",
    "democracy", "democratic republic of the congo", "development", "egypt", "elections", "environment",
    "europe", "fragile states", "general assembly", "health and security", "humanitarian", "iran",
    "justice", "mali", "mass protest", "mediation", "middle east", "myanmar", "nonproliferation",
    "peace and security", "peace processes", "peacebuilding", "peacekeeping", "rebel groups",
    "resources", "responsibility to protect", "rule of law", "sahel", "salw", "somalia",
    "southeast asia", "statebuilding", "sudan", "syria", "technology", "terrorism",
    "transnational organized crime", "united nations", "water", "women peace and security",
)  # fmt: skip
"""The topics of the site, as its categories are spelt."""


def focus() -> dict[str, Any]:
    """The focus of the demo's month, as a table of `[focus]`."""
    return {
        "title": "Peace Processes",
        "topics": ["peace processes", "mediation"],
        "introduction": (
            "Organizations push for talks to include women and minorities, while entrenched conflicts raise the "
            "older questions: how to bring the parties to the table, and how to seal the deal."
        ),
        "link": f"{SITE}/topics/peace-processes/",
    }


@dataclass(frozen=True, slots=True)
class Story:
    """An article. `published` is None where the feed gives no date; `appears` is when the feed first has it.

    `title` is markup, as WordPress writes titles. `guid_changes`: from then on it has another guid."""

    slug: str
    title: str
    author: str
    kind: str
    tags: tuple[str, ...]
    summary: str
    paragraphs: tuple[str, ...]
    appears: datetime
    published: datetime | None
    photo: str = ""
    alt: str = ""
    credit: str = ""
    comments: int | None = None
    also_in: tuple[str, ...] = ()
    guid_changes: datetime | None = None
    boilerplate: bool = False
    protected: bool = False
    tracking: bool = False
    pixel: bool = False
    photo_in_text: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """An entry of a partner's feed."""

    slug: str
    title: str
    author: str
    summary: str
    published: datetime


@dataclass(frozen=True, slots=True)
class Partner:
    """A partner's feed; `name` is its path under /reading/."""

    name: str
    title: str
    site: str
    pieces: tuple[Piece, ...]


def stories(now: datetime) -> tuple[Story, ...]:
    """Every article, newest first, with its dates counted back from `now`."""
    made = [_story(table, now) for table in _tables("week0", "trouble", "earlier")]
    return tuple(sorted(made, key=lambda story: story.appears, reverse=True))


def partners(now: datetime) -> tuple[Partner, ...]:
    """The partner feeds, each newest first."""
    return tuple(
        Partner(
            name=source["name"],
            title=source["title"],
            site=source["site"],
            pieces=tuple(
                Piece(e["slug"], e["title"], e["author"], e["summary"], now - ago(e["age"])) for e in source["entry"]
            ),
        )
        for source in _read("reading")["source"]
    )


def happenings() -> list[dict[str, Any]]:
    """The calendar's events, as they stand in events.toml."""
    return list(_read("events")["event"])


def ago(text: str) -> timedelta:
    """ "1d 3h" as a timedelta; a minus in front is the future."""
    total = timedelta()
    for number, unit in re.findall(r"(\d+)([dhm])", text):
        total += timedelta(**{{"d": "days", "h": "hours", "m": "minutes"}[unit]: int(number)})
    return -total if text.startswith("-") else total


def _story(table: dict[str, Any], now: datetime) -> Story:
    table = dict(table)
    dated = now - ago(table.pop("age"))
    appears = now - ago(table.pop("appears")) if "appears" in table else dated
    tags = tuple(table.pop("tags"))
    guid_changes = now - ago(table.pop("guid_changes")) if "guid_changes" in table else None
    paragraphs = tuple(" ".join(part.split()) for part in table.pop("body").strip().split("\n\n"))
    return Story(
        tags=TOPICS if tags == ("*",) else tags,
        paragraphs=paragraphs,
        appears=appears,
        published=None if table.pop("undated", False) else dated,
        also_in=tuple(table.pop("also_in", ())),
        guid_changes=guid_changes,
        **table,
    )


def _tables(*names: str) -> Iterator[dict[str, Any]]:
    for name in names:
        yield from _read(name)["article"]


@cache
def _read(name: str) -> dict[str, Any]:
    return tomllib.loads((resources.files("digest.demo") / "data" / f"{name}.toml").read_text(encoding="utf-8"))
