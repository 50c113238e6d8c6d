"""What is wrong with a feed that can be read: sentences for staff, who may tell the publisher."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from digest.feeds.dates import is_placeholder
from digest.feeds.model import Entry, Parsed


def examine(parsed: Parsed) -> tuple[Parsed, list[str]]:
    """The feed without dates that mean nothing, and what is wrong with it. `parsed.entries` stay as many."""
    placeholders = sum(1 for entry in parsed.entries if entry.published and is_placeholder(entry.published))
    entries = tuple(
        replace(entry, published=_meant(entry.published), updated=_meant(entry.updated)) for entry in parsed.entries
    )
    if not entries:
        return replace(parsed, entries=entries), ["it has no entries at present"]
    total = len(entries)
    undated = sum(1 for entry in entries if entry.published is None) - placeholders
    warnings = [
        *_counted(placeholders, total, "dated 1970 or before, as if a date were missing; taken as undated"),
        *_counted(undated, total, "without a date that can be read"),
        *_counted(sum(1 for entry in entries if not entry.title), total, "without a title"),
        *_counted(sum(1 for entry in entries if not entry.link), total, "without a link that can be used"),
        *_counted(sum(1 for entry in entries if not entry.id), total, "without an identifier (guid)"),
        *_repeated("identifier", (entry.id for entry in entries)),
        *_repeated("link", (entry.link for entry in entries)),
        *_same_categories(entries),
    ]
    return replace(parsed, entries=entries), warnings


def _meant(moment: datetime | None) -> datetime | None:
    return None if moment is None or is_placeholder(moment) else moment


def _counted(count: int, total: int, what: str) -> list[str]:
    if count <= 0:
        return []
    if total == 1:
        return [f"its only entry is {what}"]
    return [f"every entry is {what}" if count == total else f"{count} of {total} entries are {what}"]


def _repeated(what: str, values: Iterable[str | None]) -> list[str]:
    counts = Counter(value for value in values if value)
    repeated = sum(count - 1 for count in counts.values())
    if not repeated:
        return []
    return [f"{repeated} {'entry repeats' if repeated == 1 else 'entries repeat'} the {what} of another"]


def _same_categories(entries: tuple[Entry, ...]) -> list[str]:
    """Every entry in every category: they tell nothing then."""
    if len(entries) < 4 or len(entries[0].categories) < 3:
        return []
    first = frozenset(entries[0].categories)
    if any(frozenset(entry.categories) != first for entry in entries):
        return []
    return [f"all {len(entries)} entries have the same {len(first)} categories, which therefore tell nothing"]
