"""The child process that expands a calendar: bytes on its input, JSON on its output, and then it ends.

It answers `{"events": [[day, title, link], …]}` or `{"error": …, "mend": …}`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import recurring_ical_events
from icalendar import Calendar, Event
from icalendar.prop import vBroken

EXPANDED_BY = ("DTSTART", "DTEND", "DURATION", "RRULE", "EXRULE", "RDATE", "EXDATE", "RECURRENCE-ID")
REFUSED = ("SECONDLY", "MINUTELY")
MAX_EVENTS = 5000
MAX_TIMES_A_DAY = 48
MEMORY = 1024**3
CPU_SECONDS = 30


class _RefusedRuleError(Exception):
    """A recurrence rule that no publication means."""


def answer(body: bytes, zone: ZoneInfo, first: date, last: date) -> dict[str, Any]:
    """What the child says for these bytes."""
    try:
        calendar = Calendar.from_ical(body)
    except (ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
        what = str(error).splitlines()[0] if str(error) else type(error).__name__
        return _failed(f"it is no iCalendar document ({what[:120]})", "give the address of an .ics file")
    if calendar.name != "VCALENDAR":
        return _failed("it has no VCALENDAR", "give the address of an .ics file")
    try:
        return {"events": _events(_with_start(calendar), zone, first, last)}
    except (ValueError, TypeError, OverflowError) as error:
        return _failed(f"one of its events makes no sense ({str(error)[:120]})", "look at its dates and rules")
    except _RefusedRuleError as error:
        return _failed(str(error), "change how that event repeats, or take it out of the calendar")


def _events(calendar: Calendar, zone: ZoneInfo, first: date, last: date) -> list[list[str]]:
    query = recurring_ical_events.of(calendar, skip_bad_series=True)
    found: set[tuple[str, str, str]] = set()
    # A day more on either side: a moment of one zone is another day in the next.
    for event in query.between(first - timedelta(days=1), last + timedelta(days=2)):
        day = _local_day(event["DTSTART"].dt, zone)
        title = " ".join(str(event.get("SUMMARY", "")).split())
        if title and first <= day <= last and str(event.get("STATUS", "")).upper() != "CANCELLED":
            found.add((day.isoformat(), title, _link(event)))
    return [list(event) for event in sorted(found)]


def _with_start(calendar: Calendar) -> Calendar:
    """The calendar without the events that cannot be expanded, or need not be."""
    kept: list[Any] = []
    for part in calendar.subcomponents:
        if isinstance(part, Event):
            if not _can_be_expanded(part):
                continue
            for rule in _rules(part):
                _refuse(rule, str(part.get("SUMMARY", "an event")))
        elif part.name != "VTIMEZONE":
            continue
        kept.append(part)
    if len(kept) > MAX_EVENTS:
        raise _RefusedRuleError(f"it has {len(kept):,} events, over the limit of {MAX_EVENTS:,}")
    calendar.subcomponents = kept
    return calendar


def _can_be_expanded(event: Event) -> bool:
    if any(_broken(event.get(name)) for name in EXPANDED_BY):
        return False
    return isinstance(getattr(event.get("DTSTART"), "dt", None), date)  # none, two of them, or a time alone


def _broken(value: Any) -> bool:
    return any(isinstance(one, vBroken) for one in (value if isinstance(value, list) else [value]))


def _rules(event: Event) -> Iterator[Any]:
    for name in ("RRULE", "EXRULE"):
        rules = event.get(name, [])
        yield from rules if isinstance(rules, list) else [rules]


def _refuse(rule: Any, title: str) -> None:
    frequency = str(next(iter(rule.get("FREQ", [])), "")).upper()
    if frequency in REFUSED:
        raise _RefusedRuleError(f"“{title[:80]}” repeats {frequency}")
    times = 1
    for part in ("BYHOUR", "BYMINUTE", "BYSECOND"):
        times *= max(1, len(rule.get(part, [])))
    if times > MAX_TIMES_A_DAY:
        raise _RefusedRuleError(f"“{title[:80]}” repeats {times:,} times a day")


def _local_day(start: date | datetime, zone: ZoneInfo) -> date:
    if not isinstance(start, datetime):
        return start
    return start.date() if start.tzinfo is None else start.astimezone(zone).date()


def _link(event: Event) -> str:
    link = str(event.get("URL", "")).strip()
    return link if link.lower().startswith(("https://", "http://")) and not any(c.isspace() for c in link) else ""


def _failed(error: str, mend: str) -> dict[str, Any]:
    return {"error": f"the calendar cannot be read: {error}", "mend": mend}


def _limit_ourselves() -> None:
    try:
        import resource
    except ImportError:  # Windows: the parent's clock is the limit
        return
    for kind, limit in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, CPU_SECONDS)):
        _soft, hard = resource.getrlimit(kind)
        if hard == resource.RLIM_INFINITY or limit < hard:
            resource.setrlimit(kind, (limit, hard))


def main() -> None:
    """`ZONE FIRST LAST` are the last three arguments; the calendar is on the standard input."""
    _limit_ourselves()
    zone, first, last = sys.argv[-3:]
    days = date.fromisoformat(first), date.fromisoformat(last)
    sys.stdout.write(json.dumps(answer(sys.stdin.buffer.read(), ZoneInfo(zone), *days)))
