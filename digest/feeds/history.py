"""What is remembered of each pull of a feed, so that the next ones can be compared with it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from digest.feeds.model import Damage, Parsed

FEW_DATES = 5
"""Entries whose dates are all the same before that means anything."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a document looked like: the dates of its newest and oldest entry (None where no entry has one),
    whether all its entries have one and the same, and whether a part of it could not be read."""

    newest: datetime | None = None
    oldest: datetime | None = None
    same_dates: bool = False
    damage: Damage = ""


@dataclass(frozen=True, slots=True)
class Pull:
    """What one pull of a feed brought. `items` are in the document; `state` and `reason` tell a failure."""

    at: datetime
    ok: bool
    state: str = ""
    reason: str = ""
    items: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    shape: Shape = Shape()


def shape_of(parsed: Parsed) -> Shape:
    """The shape of a feed's first page."""
    dates = [entry.published for entry in parsed.entries if entry.published]
    if not dates:
        return Shape(damage=parsed.damage)
    newest, oldest = max(dates), min(dates)
    # A system that writes the moment of asking into every entry may take some seconds over it.
    same = len(dates) == len(parsed.entries) >= FEW_DATES and newest - oldest < timedelta(minutes=1)
    return Shape(newest, oldest, same, parsed.damage)
