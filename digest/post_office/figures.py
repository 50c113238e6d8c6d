"""How far an edition has come, as staff follow it: from the database alone, so whoever sends it, and wherever."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from digest.app import App
from digest.delivery import store as outbox
from digest.delivery.figures import Figures, figures
from digest.editions import corrections
from digest.editions import store as editions
from digest.errors import NotFoundError
from digest.post_office.books import books_of
from digest.which import parse_day

OVER = 10.0
"""Seconds over which the rate is taken."""
PAUSED = "paused"
_SHARE = 20
"""A look waits this many times as long as the last one took: watching costs a twentieth at most."""


@dataclass(frozen=True, slots=True)
class Progress:
    """The figures of an edition, or of a correction, at one moment. `rate`: settled a second, None while unknown and
    while it is paused.

    `seconds_left` counts what is not deferred, at that rate."""

    key: str
    state: str
    reason: str
    figures: Figures
    rate: float | None = None

    @property
    def seconds_left(self) -> float | None:
        going = self.figures.books.pending - self.figures.deferred
        if not going:
            return 0.0
        return going / self.rate if self.rate else None

    @property
    def over(self) -> bool:
        """It has gone, or never goes."""
        return self.state in ("sent", "skipped")

    def as_json(self) -> dict[str, Any]:
        f = self.figures
        return {
            "edition": self.key,
            "state": self.state,
            **asdict(f.books),
            "deferred": f.deferred,
            "next_due": f.next_due.isoformat() if f.next_due else None,
            "in_hand": f.going,
            "rate": None if self.rate is None else round(self.rate, 1),
            "seconds_left": None if self.seconds_left is None else round(self.seconds_left),
            "providers": f.providers,
            "replies": f.replies,
            "reason": self.reason or None,
        }

    def lines(self, zone: ZoneInfo) -> list[str]:
        """By provider, and by reply, as people read them."""
        f = self.figures
        found = []
        if f.deferred and f.next_due:
            found.append(f"{f.deferred} deferred until {f.next_due.astimezone(zone):%H:%M}")
        if self.rate and not self.over:
            left = "" if self.seconds_left is None else f", about {duration(self.seconds_left)} left"
            found.append(f"{self.rate:.0f} a second{left}")
        largest = sorted(f.providers.items(), key=lambda item: (-sum(item[1].values()), item[0]))
        for provider, counts in largest[:10]:
            said = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
            found.append(f"  {provider or 'not known'}: {said}")
        if len(largest) > 10:
            rest = sum(sum(counts.values()) for _, counts in largest[10:])
            found.append(f"  {len(largest) - 10} more providers: {rest}")
        found += [f"  {count} × {reply}" for reply, count in f.replies.items()]
        return found


def duration(seconds: float) -> str:
    """`45 s`, `12 min`, `2 h 05 min`."""
    whole = max(1, round(seconds))
    if whole < 100:
        return f"{whole} s"
    minutes = round(whole / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02} min"


def look(app: App, key: str) -> Progress:
    """The figures now of an edition (`2026-11-27`) or a correction (`2026-11-27#correction-1`); the rate is the average
    since it began. Raises NotFoundError."""
    slug, sign, _ = key.partition("#")
    with app.database.read() as connection:
        head = editions.head_of(connection, parse_day(slug).isoformat())
        state: str = head.state
        started, candidates = head.started_at, head.candidates
        if sign:
            state, started = _correction(connection, slug, key)
            candidates = None
        found = figures(connection, key, now=app.now, candidates=candidates)
        if not sign and candidates is None:  # it has not begun
            found = Figures(books_of(connection, head))
    rate = None if state == PAUSED else _average(started, head.finished_at or app.now, found.done)
    return Progress(key, state, head.held_reason, found, rate)


def _correction(connection: Connection, slug: str, key: str) -> tuple[str, datetime | None]:
    one = next((one for one in corrections.every(connection, slug) if one.key == key), None)
    if one is None:
        raise NotFoundError(f"there is no {key}", mend="`digest correct EDITION` makes one")
    if one.started_at is None:
        return ("approved" if one.approved_hash else "draft"), None
    if not outbox.unsettled(connection, [key]):
        return "sent", one.started_at
    return editions.head_of(connection, slug).state, one.started_at


def _average(started: datetime | None, until: datetime, done: int) -> float | None:
    if started is None or until <= started:
        return None
    return done / (until - started).total_seconds()


def follow(app: App, key: str, rest: Callable[[float], bool], *, every: float = 1.0) -> Iterator[Progress]:
    """The figures again and again, with the rate of the last seconds, until it has gone.

    `rest` waits so many seconds; it returns True to end."""
    seen: deque[tuple[float, int]] = deque()
    while True:
        began = monotonic()
        now = look(app, key)
        seen.append((began, now.figures.done))
        while len(seen) > 2 and began - seen[1][0] > OVER:
            seen.popleft()
        (first, then), (last, done) = seen[0], seen[-1]
        rate = (done - then) / (last - first) if last > first and now.state != PAUSED else now.rate
        yield Progress(now.key, now.state, now.reason, now.figures, rate)
        if now.over or rest(max(every, _SHARE * (monotonic() - began))):
            return
