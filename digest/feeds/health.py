"""Whether a feed may be relied on: "nothing published" told from "feed broken" (promise 10). Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import median
from typing import Literal

from digest.feeds.concerns import QUIET_AFTER, Concern, concerns, moved
from digest.feeds.history import Pull
from digest.feeds.model import Role

__all__ = ["Health", "Pull", "State", "health", "spoken"]

State = Literal["good", "new", "quiet", "failing", "stale", "emptied", "dropped"] | Concern

FEW = 5
"""A feed that had at least so many items and has none is emptied."""

HISTORY = 8
"""Good pulls whose median is what a feed usually has."""

SETTLED_AFTER = timedelta(days=7)
"""After so long with few items, few is what the feed usually has."""


@dataclass(frozen=True, slots=True)
class Health:
    """A feed's state, a sentence for staff, and whether it holds the edition."""

    state: State
    sentence: str
    holds: bool

    @property
    def notable(self) -> bool:
        """Whether the document that was read is odd in some way, though it could be had."""
        return self.state not in ("good", "new", "quiet", "failing", "stale")


def health(
    pulls: Sequence[Pull],
    *,
    role: Role,
    now: datetime,
    stale_after: timedelta,
    known_since: datetime | None = None,
    last_good_at: datetime | None = None,
    news: Sequence[datetime] = (),
    moved_to: str | None = None,
) -> Health:
    """Judge a feed by its recent pulls, newest first.

    `known_since` is when it was configured, `last_good_at` its last good pull, for when `pulls` do not reach
    so far back; `news` are the moments at which it brought something new, newest first; `moved_to` is its new
    address. Only a feed of articles ever holds an edition, and never for one bad pull: it must have had
    no good pull for `stale_after`, or have lost its items (none where there were five, or under a quarter of
    what it usually has)."""
    counted = role == "articles"
    good = [pull for pull in pulls if pull.ok]
    last_good = good[0].at if good else last_good_at
    since = last_good or known_since or (pulls[-1].at if pulls else None)
    if since is None:
        return Health("new", "not pulled yet", holds=False)
    reason = pulls[0].reason or pulls[0].state if pulls and not pulls[0].ok else ""
    if now - since > stale_after:
        return Health("stale", _stale(now - since, reason, ever=last_good is not None), counted)
    if pulls and not pulls[0].ok:
        bad = next((at for at, pull in enumerate(pulls) if pull.ok), len(pulls))
        times = "the last pull failed" if bad == 1 else f"the last {bad} pulls failed"
        fallen = _by_items(good, counted, now) if good else None
        if fallen is not None and fallen.holds:  # a failure on top of a loss does not mend it
            return replace(fallen, sentence=f"{fallen.sentence}; {times}: {reason}")
        return Health("failing", _joined(f"{times}: {reason}", moved(moved_to)), holds=False)
    if not good:
        return Health("new", "not pulled yet", holds=False)
    judged = _by_items(good, counted, now)
    found = concerns(good, now=now, news=news, moved_to=moved_to)
    if not found:
        return judged
    state = judged.state if judged.state in ("emptied", "dropped") else found[0][0]
    return Health(state, _joined(judged.sentence, *(sentence for _, sentence in found)), judged.holds)


def _joined(*sentences: str | None) -> str:
    return "; ".join(sentence for sentence in sentences if sentence)


def _stale(age: timedelta, reason: str, *, ever: bool) -> str:
    told = f"no good pull for {spoken(age)}" if ever else f"never a good pull in {spoken(age)}"
    return f"{told}: {reason}" if reason else f"{told}; nothing has pulled it: is the scheduler running?"


def _by_items(good: Sequence[Pull], counted: bool, now: datetime) -> Health:
    items = good[0].items
    before = next((pull.items for pull in good if pull.items), 0)
    if items == 0 and before >= FEW:
        return Health("emptied", f"it has no items where it had {before}", counted)
    usual = _usual(good)
    if usual is not None and items < usual / 4:
        return Health("dropped", f"it has {items} items where it usually has {usual:g}", counted)
    if items == 0:
        return Health("quiet", "it has no items at present", holds=False)
    newest = next((pull.at for pull in good if pull.new), None)
    oldest = good[-1].at
    if newest is None and now - oldest < QUIET_AFTER:
        return Health("good", f"{_counted(items)}, none of them new", holds=False)
    quiet_for = now - (newest or oldest)
    if quiet_for >= QUIET_AFTER:
        return Health("quiet", f"nothing new published for {spoken(quiet_for)}; the feed itself is well", holds=False)
    return Health("good", _counted(items), holds=False)


def _usual(good: Sequence[Pull]) -> float | None:
    """The median of the eight good pulls before the items fell away; None where that tells nothing.

    Pulls as low as the newest are passed over: hourly ones would else make a loss usual by tomorrow."""
    low = good[0].items
    fallen = next((at for at, pull in enumerate(good) if pull.items / 4 > low), None)
    if fallen is None or fallen + HISTORY > len(good):
        return None
    if good[0].at - good[fallen - 1].at > SETTLED_AFTER:
        return None
    return median(pull.items for pull in good[fallen : fallen + HISTORY])


def _counted(items: int) -> str:
    return "1 item" if items == 1 else f"{items} items"


def spoken(age: timedelta) -> str:
    """A span of time in words: minutes up to two hours, hours up to two days, then days."""
    minutes = int(age.total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} minute{'' if minutes == 1 else 's'}"
    hours = minutes // 60
    return f"{hours} hours" if hours < 48 else f"{hours // 24} days"
