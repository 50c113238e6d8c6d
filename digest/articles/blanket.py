"""Categories that a content system puts on everything it publishes: they say nothing about one article."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from digest.articles.cleaning import topic
from digest.articles.gazetteer import areas_of
from digest.feeds.model import Entry

_FEWEST_ENTRIES = 4
_SHARE = 0.9


def without_blanket_categories(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """The entries of one document without the places that stand on nearly every one of them.

    Only where those places lie in several parts of the world: the feed of one country's or one region's news
    rightly tags every article with it. Categories that name no place are left as they are, and so is a document
    of fewer than four entries."""
    if len(entries) < _FEWEST_ENTRIES:
        return tuple(entries)
    counts = Counter(name for entry in entries for name in {topic(c) for c in entry.categories} if name)
    everywhere = {name for name, count in counts.items() if count >= _SHARE * len(entries)}
    places = {name: areas for name in everywhere if (areas := areas_of(name))}
    if len(frozenset().union(*places.values())) < 2:
        return tuple(entries)
    return tuple(
        replace(entry, categories=tuple(c for c in entry.categories if topic(c) not in places)) for entry in entries
    )
