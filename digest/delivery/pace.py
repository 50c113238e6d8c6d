"""Rates that hold across processes and restarts (the generic cell rate algorithm, on one row a rate).

A row says when the next mail may go. A process books some moments ahead by moving that on, and shares them out in
memory; so the database is asked once a batch and not once a mail. Here, too: the providers that said "slow down"."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from digest.database import Database, insert_or_ignore
from digest.delivery.tables import paces

_BATCH = 1.0  # seconds of moments that are booked in one go
_MOST_BOOKED = 500
_STALE = 0.25  # seconds; what nobody used by then is lost, or a pause would be followed by a burst
_PROCESSES = 60  # so many may have booked before us; more must come from a clock that was set back

FIRST_WAIT = timedelta(minutes=5)
_LONGEST_WAIT = timedelta(hours=1)
_SLOWED_RATE = 10.0  # messages a second, halved for each time
_LEAST_RATE = 0.1


@dataclass(frozen=True, slots=True)
class Slowness:
    """A provider that said "slow down": nothing until then, and after that only so many a second."""

    until: datetime | None
    times: int

    @property
    def rate(self) -> float:
        return max(_SLOWED_RATE * 0.5**self.times, _LEAST_RATE)


class Pace:
    """One rate, for all threads of this process. Moments are of `monotonic()`."""

    def __init__(self, database: Database, name: str, rate: float, clock: Callable[[], datetime]) -> None:
        """`rate`: mails a second."""
        self.name = name
        self.rate = rate
        self._database = database
        self._clock = clock
        self._moments: deque[float] = deque()
        self._lock = threading.Lock()

    def take(self, most: int, *, within: float) -> list[float]:
        """Up to `most` moments at which a mail may go, the last of them so many seconds from now; perhaps none."""
        with self._lock:
            now = monotonic()
            self._drop_stale(now)
            if not self._moments:
                self._book(now)
            taken: list[float] = []
            while self._moments and len(taken) < most and self._moments[0] <= now + within:
                taken.append(self._moments.popleft())
            return taken

    def give_back(self, moments: list[float]) -> None:
        """Moments that were not used, in their order."""
        with self._lock:
            self._moments.extendleft(reversed(moments))

    def wait(self, rest: Callable[[float], None], ending: Callable[[], bool]) -> bool:
        """Until one mail may go; False where the run ends before."""
        while not ending():
            if taken := self.take(1, within=0.05):
                while (left := taken[0] - monotonic()) > 0 and not ending():
                    rest(left)
                return not ending()
            rest(0.03)
        return False

    def _drop_stale(self, now: float) -> None:
        while self._moments and self._moments[0] < now - _STALE:
            self._moments.popleft()

    def _book(self, now: float) -> None:
        count = max(1, min(int(self.rate * _BATCH), _MOST_BOOKED))
        gap = timedelta(seconds=1 / self.rate)
        clock = self._clock()
        with self._database.begin() as connection:
            first = book(connection, self.name, count, gap=gap, now=clock)
        start = now + (first - clock).total_seconds()
        self._moments.extend(start + number / self.rate for number in range(count))


def book(connection: Connection, name: str, count: int, *, gap: timedelta, now: datetime) -> datetime:
    """Takes the next `count` moments of a rate, `gap` apart; the first of them."""
    row = paces.c.name == name
    statement = sa.select(paces.c.free_at).where(row).with_for_update()
    free_at = connection.execute(statement).scalar_one_or_none()
    if free_at is None:
        insert_or_ignore(connection, paces, {"name": name, "free_at": now})
        free_at = connection.execute(statement).scalar_one()
    first = first_moment(free_at, now, gap)
    connection.execute(sa.update(paces).where(row).values(free_at=first + gap * count))
    return first


def first_moment(free_at: datetime, now: datetime, gap: timedelta) -> datetime:
    """Now, or when what is booked has gone. Booked too far ahead, it comes from a clock that was set back."""
    ahead = max(timedelta(seconds=_BATCH), gap) * _PROCESSES
    return free_at if now <= free_at <= now + ahead else now


def provider_pace(provider: str) -> str:
    """The name of a provider's row."""
    return f"provider:{provider}"


def slow_down(connection: Connection, provider: str, *, now: datetime) -> Slowness:
    """It said so, once more: it is left alone for a while, twice as long each time, and gets less at a time then.

    What it says while it is left alone already was said before it could notice, and is not held against it."""
    name = provider_pace(provider)
    insert_or_ignore(connection, paces, {"name": name, "free_at": now})
    row = connection.execute(
        sa.select(paces.c.slow_until, paces.c.slowness).where(paces.c.name == name).with_for_update()
    ).one()
    if row.slow_until is not None and now < row.slow_until <= now + _LONGEST_WAIT:
        return Slowness(row.slow_until, row.slowness)
    times = min(row.slowness + 1, 30)
    slowness = Slowness(now + min(FIRST_WAIT * 2 ** (times - 1), _LONGEST_WAIT), times)
    connection.execute(
        sa.update(paces).where(paces.c.name == name).values(slow_until=slowness.until, slowness=slowness.times)
    )
    return slowness


def ease(connection: Connection, provider: str, times: int) -> None:
    """It has taken many mails in a row since it was slowed `times` times: it gets twice as many, or all of them."""
    connection.execute(
        sa.update(paces)
        .where(paces.c.name == provider_pace(provider), paces.c.slowness == times)
        .values(slowness=times - 1, slow_until=None)
    )


def resting(connection: Connection, *, now: datetime) -> dict[str, datetime]:
    """The providers that are left alone now, and until when."""
    return {name: one.until for name, one in slowed(connection, now=now).items() if one.until}


def slowed(connection: Connection, *, now: datetime) -> dict[str, Slowness]:
    """The providers that said "slow down" and have not been eased since. A wait longer than any that is given comes
    from a clock that was set back, and is over."""
    rows = connection.execute(sa.select(paces.c.name, paces.c.slow_until, paces.c.slowness).where(paces.c.slowness > 0))
    return {
        row.name.removeprefix("provider:"): Slowness(
            row.slow_until if row.slow_until is not None and now < row.slow_until <= now + _LONGEST_WAIT else None,
            row.slowness,
        )
        for row in rows
    }
