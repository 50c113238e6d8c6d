"""Events out of an iCalendar document (RFC 5545), within bounds that no document can leave.

A recurrence rule of a few bytes can keep an expander busy for ever (a daily one on the 30th of February), so
the expansion runs in a child process with limits of its own, which can be killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from digest.editions.model import Event
from digest.errors import DigestError

MAX_BYTES = 5 * 1024 * 1024
SECONDS = 10.0

_ROOT = str(Path(__file__).resolve().parents[2])
_START = "import sys; sys.path.insert(0, sys.argv[1]); from digest.editions.calendar_child import main; main()"


class CalendarError(DigestError):
    """A calendar that cannot be read, in one clear line."""


def read_calendar(
    body: bytes, *, zone: ZoneInfo, first: date, last: date, seconds: float = SECONDS
) -> tuple[Event, ...]:
    """The events that begin from `first` to `last`, both included, as local days of `zone`, in order.

    Each stands once. Recurring events are expanded; cancelled ones, and ones without a start or a title, are
    left out; a time without a known zone is taken as local. Raises CalendarError for what is no calendar, is
    over 5 MB, repeats by the second or the minute, or is not read within `seconds`."""
    if len(body) > MAX_BYTES:
        raise CalendarError(f"the calendar has {len(body):,} bytes, over the limit of {MAX_BYTES:,}")
    command = [sys.executable, "-I", "-c", _START, _ROOT, str(zone), first.isoformat(), last.isoformat()]
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter, on our own module
            command, input=body, capture_output=True, timeout=seconds, check=False, env=_environment()
        )
    except subprocess.TimeoutExpired:
        raise CalendarError(
            f"the calendar was not read within {seconds:g} s",
            mend="look for an event that repeats without end",
        ) from None
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        raise CalendarError(f"reading the calendar ended with code {done.returncode}") from None
    if "error" in answer:
        raise CalendarError(answer["error"], mend=answer["mend"])
    return tuple(Event(date.fromisoformat(day), title, link) for day, title, link in answer["events"])


def _environment() -> dict[str, str]:
    """What an interpreter needs to start; our secrets are not among it."""
    names = ("PATH", "LD_LIBRARY_PATH", "PYTHONTZPATH", "SYSTEMROOT")
    return {name: os.environ[name] for name in names if name in os.environ}
