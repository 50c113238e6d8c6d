"""When an edition is composed, sent and too late: wall clocks turned into moments. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from digest.editions.model import Period
from digest.errors import UsageError

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FULL = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WEEK = timedelta(days=7)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class ScheduleError(UsageError, ValueError):
    """A time, a duration or a schedule that cannot be. (A ValueError too: settings models take it as one.)"""


@dataclass(frozen=True, slots=True)
class Weekly:
    """A weekday (0 is Monday) and a local time of day."""

    weekday: int
    at: time

    def __str__(self) -> str:
        return f"{WEEKDAYS[self.weekday]} {self.at:%H:%M}"


@dataclass(frozen=True, slots=True)
class Schedule:
    """The week of a publication, in its local time. `skip`: publication dates without an edition.

    `deadline` counts from `send`, more than nothing, less than a week: never are two editions due at once."""

    compose: Weekly
    send: Weekly
    deadline: timedelta
    skip: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        if not timedelta(0) < self.deadline < _WEEK:
            raise ScheduleError(
                f"a deadline of {self.deadline} is not between nothing and a week",
                mend='write a duration such as "12h" or "2d"',
            )


def parse_weekly(text: str) -> Weekly:
    """`"thu 16:00"` (or "Thursday 16:00") as a Weekly. Raises ScheduleError, which says how to write it."""
    found = re.fullmatch(r"\s*([A-Za-z]+)\s+(\d{1,2}):(\d{2})\s*", text)
    name = found[1].lower() if found else ""
    if found and (name in WEEKDAYS or name in _FULL) and int(found[2]) < 24 and int(found[3]) < 60:
        return Weekly(WEEKDAYS.index(name[:3]), time(int(found[2]), int(found[3])))
    raise ScheduleError(
        f"{text!r} is not a weekday and a time",
        mend=f'write it as "thu 16:00", with one of {", ".join(WEEKDAYS)} and 00:00 to 23:59',
    )


def parse_duration(text: str) -> timedelta:
    """`"90s"`, `"15m"`, `"12h"`, `"7d"`, `"2w"`. Raises ScheduleError, which says how to write it."""
    found = re.fullmatch(r"\s*(\d{1,6})\s*([smhdw])\s*", text)
    if not found:
        raise ScheduleError(f"{text!r} is not a duration", mend='write it as "30m", "12h" or "7d"')
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def parse_every(text: str) -> timedelta:
    """`"every 1h"` as a timedelta of a minute or more. Raises ScheduleError, which says how to write it."""
    found = re.fullmatch(r"\s*every\s+(\S+)\s*", text)
    if not found:
        raise ScheduleError(f"{text!r} is not an interval", mend='write it as "every 1h" or "every 15m"')
    interval = parse_duration(found[1])
    if interval < timedelta(minutes=1):
        raise ScheduleError(f"{text!r} is oftener than once a minute", mend='write "every 1m" or more')
    return interval


def period_due(now: datetime, schedule: Schedule, zone: ZoneInfo) -> Period:
    """The edition due: the next `send` moment whose deadline has not passed; `skip` dates are passed over."""
    return next(periods(now, schedule, zone))


def periods(start: datetime, schedule: Schedule, zone: ZoneInfo) -> Iterator[Period]:
    """Every edition from the one due at `start` on, one a week, in order, without end."""
    first = (start - schedule.deadline).astimezone(zone).date() - _WEEK
    first += timedelta(days=(schedule.send.weekday - first.weekday()) % 7)
    for week in count():
        day = first + week * _WEEK
        if day in schedule.skip:
            continue
        period = _period(day, schedule, zone)
        if period.deadline is None or period.deadline >= start:
            yield period


def period_on(day: date, schedule: Schedule, zone: ZoneInfo) -> Period:
    """The edition of a named day: with its moments where the schedule has one on it, else a day alone."""
    if day.weekday() != schedule.send.weekday or day in schedule.skip:
        return Period(day)
    return _period(day, schedule, zone)


def today(now: datetime, zone: ZoneInfo) -> Period:
    """The edition due where there is no schedule: today's, with no moments of its own."""
    return Period(now.astimezone(zone).date())


def moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    """A local wall clock as a moment in UTC: in the autumn fold the first, in the spring gap its end."""
    wall = datetime.combine(day, at)
    usual = wall.replace(tzinfo=zone).astimezone(UTC)
    if usual.astimezone(zone).replace(tzinfo=None) == wall:
        return usual
    # The wall clock was never read that day. The gap's end lies between its two readings; find it by halving.
    before = int(wall.replace(tzinfo=zone, fold=1).astimezone(UTC).timestamp())
    after = int(usual.timestamp())
    while after - before > 1:
        middle = (before + after) // 2
        local = datetime.fromtimestamp(middle, zone).replace(tzinfo=None)
        before, after = (before, middle) if local >= wall else (middle, after)
    return datetime.fromtimestamp(after, UTC)


def _period(day: date, schedule: Schedule, zone: ZoneInfo) -> Period:
    send_at = moment(day, schedule.send.at, zone)
    return Period(day, _compose_before(day, send_at, schedule.compose, zone), send_at, send_at + schedule.deadline)


def _compose_before(day: date, send_at: datetime, compose: Weekly, zone: ZoneInfo) -> datetime:
    back = timedelta(days=(day.weekday() - compose.weekday) % 7)
    composed = moment(day - back, compose.at, zone)
    return composed if composed < send_at else moment(day - back - _WEEK, compose.at, zone)
