"""What is odd about a feed that is pulled well: each a word to staff, none of which holds an edition. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Literal

from digest.feeds.history import Pull

Concern = Literal["incomplete", "older", "one-date", "silent", "moved"]

USUAL = 8
"""Pulls of an undamaged feed whose median is what it usually has; with fewer than three there is no telling."""

JUMP = timedelta(days=7)
"""A newest entry that is older by so much, and by three of the feed's own intervals, is no mere retraction."""

QUIET_AFTER = timedelta(days=7)
"""A feed without anything new for so long is quiet."""

RHYTHM = timedelta(days=28)
"""How long a feed's news must have been followed, and through at least so many gaps, before its silence is judged."""
GAPS = 5


def concerns(
    good: Sequence[Pull], *, now: datetime, news: Sequence[datetime] = (), moved_to: str | None = None
) -> list[tuple[Concern, str]]:
    """What staff should know, the most telling first.

    `good` are the good pulls, newest first; `news` the moments at which something new came, newest first."""
    found: list[tuple[Concern, str | None]] = [
        ("incomplete", _incomplete(good)),
        ("older", _older(good)),
        ("one-date", _one_date(good)),
        ("silent", _silent(news, now)),
        ("moved", moved(moved_to)),
    ]
    return [(concern, sentence) for concern, sentence in found if sentence]


def moved(to: str | None) -> str | None:
    """The sentence for a feed that every redirect says has moved for good (301, 308)."""
    return f"it has moved for good: set its url to {to} in [[feeds]]" if to else None


def _incomplete(good: Sequence[Pull]) -> str | None:
    """Damaged, with fewer entries than it has when it is whole: some were lost in the reading."""
    whole = [pull.items for pull in good[1:] if not pull.shape.damage][:USUAL]
    if not good or not good[0].shape.damage or len(whole) < 3:
        return None
    items, usual = good[0].items, median(whole)
    if items >= usual:
        return None
    return f"it is {good[0].shape.damage}, and {items} of its usual {usual:g} entries could be read: tell the publisher"


def _older(good: Sequence[Pull]) -> str | None:
    """The newest entry suddenly much older than the newest of before; after a week that is how the feed is.

    An entry that was dated in the future tells nothing when it is gone."""
    newest = good[0].shape.newest if good else None
    if newest is None:
        return None
    recent = [pull for at, pull in enumerate(good[1:]) if at == 0 or good[0].at - pull.at <= JUMP]
    dated = [(pull.shape.newest, pull) for pull in recent if pull.shape.newest and pull.shape.newest <= pull.at]
    if not dated:
        return None
    before, pull = max(dated, key=lambda pair: pair[0])
    interval = (before - (pull.shape.oldest or before)) / max(1, pull.items - 1)
    if before - newest <= max(JUMP, 3 * interval):
        return None
    return (
        f"its newest entry is of {newest:%d %b %Y}, where it had one of {before:%d %b %Y}: "
        "does the server give an old copy?"
    )


def _one_date(good: Sequence[Pull]) -> str | None:
    date = good[0].shape.newest if good and good[0].shape.same_dates else None
    if date is None:
        return None
    return f"all {good[0].items} entries have the same date, {date:%d %b %Y %H:%M} UTC: tell the publisher"


def _silent(news: Sequence[datetime], now: datetime) -> str | None:
    if len(news) <= GAPS or news[0] - news[-1] < RHYTHM:
        return None
    longest = max(later - earlier for later, earlier in pairwise(news))
    if now - news[0] <= max(longest, QUIET_AFTER):
        return None
    days = f"{longest.days} day{'' if longest.days == 1 else 's'}" if longest.days else "a day"
    return f"it was never silent for longer than {days} before: is it still the right feed?"
