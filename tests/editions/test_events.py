"""Events out of calendars, well-formed and otherwise."""

from __future__ import annotations

import time
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from digest.editions.events import CalendarError, read_calendar
from digest.editions.model import Event

NEW_YORK = ZoneInfo("America/New_York")
FIRST, LAST = date(2013, 11, 29), date(2013, 12, 26)


def calendar(*events: str) -> bytes:
    """A calendar of these events, each given as its lines."""
    blocks = "".join(f"BEGIN:VEVENT\nUID:{n}@example.org\n{event}\nEND:VEVENT\n" for n, event in enumerate(events))
    text = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//example.org//EN\n{blocks}END:VCALENDAR\n"
    return text.replace("\n", "\r\n").encode()


def read(*events: str, zone: ZoneInfo = NEW_YORK) -> list[tuple[str, str]]:
    found = read_calendar(calendar(*events), zone=zone, first=FIRST, last=LAST)
    return [(event.day.isoformat(), event.title) for event in found]


def test_events_stand_on_their_local_day() -> None:
    """All-day ones on their day; timed ones on the day it is in the publication's zone."""
    assert read(
        "DTSTART;VALUE=DATE:20131203\nSUMMARY:All day",
        "DTSTART:20131205T030000Z\nSUMMARY:Evening before",
        "DTSTART;TZID=Europe/Paris:20131210T020000\nSUMMARY:Night in Paris",
        "DTSTART:20131212T233000\nSUMMARY:Floating",
    ) == [
        ("2013-12-03", "All day"),
        ("2013-12-04", "Evening before"),
        ("2013-12-09", "Night in Paris"),
        ("2013-12-12", "Floating"),
    ]


def test_only_the_asked_days_both_included() -> None:
    """An event of the day before or after is left out, whichever zone it was written in."""
    assert read(
        "DTSTART;VALUE=DATE:20131128\nDTEND;VALUE=DATE:20131203\nSUMMARY:Begun before",
        "DTSTART:20131129T045959Z\nSUMMARY:Just before",
        "DTSTART:20131129T050000Z\nSUMMARY:First moment",
        "DTSTART:20131227T045959Z\nSUMMARY:Last moment",
        "DTSTART:20131227T050000Z\nSUMMARY:Just after",
    ) == [("2013-11-29", "First moment"), ("2013-12-26", "Last moment")]


def test_recurring_events_are_expanded() -> None:
    """By rule, with exceptions, from years before."""
    assert read("DTSTART:20100105T150000Z\nRRULE:FREQ=WEEKLY;BYDAY=TU\nEXDATE:20131210T150000Z\nSUMMARY:Council") == [
        (f"2013-12-{day:02}", "Council") for day in (3, 17, 24)
    ]


def test_links_and_titles_are_safe_to_show() -> None:
    """A title is one line; a link is http or https or nothing."""
    body = calendar(
        "DTSTART;VALUE=DATE:20131203\nSUMMARY:Talks\\n at  the lake\nURL:https://example.org/e",
        "DTSTART;VALUE=DATE:20131204\nSUMMARY:Trap\nURL:javascript:alert(1)",
    )
    assert read_calendar(body, zone=NEW_YORK, first=FIRST, last=LAST) == (
        Event(date(2013, 12, 3), "Talks at the lake", "https://example.org/e"),
        Event(date(2013, 12, 4), "Trap", ""),
    )


def test_what_is_broken_in_one_event_spares_the_others() -> None:
    """No start, a bad start, a zone that nobody knows, no title, cancelled, twice: the good ones come."""
    assert read(
        "SUMMARY:Without a start",
        "DTSTART:yesterday\nSUMMARY:Bad start",
        "DTSTART:20131205T100000Z\nDTSTART:20131206T100000Z\nSUMMARY:Two starts",
        "DTSTART;VALUE=TIME:100000\nSUMMARY:A time alone",
        "DTSTART:20131209T100000Z\nRRULE:FREQ=DAILY;UNTIL=20131208\nSUMMARY:Over before it begins",
        "DTSTART;TZID=Mars/Olympus:20131205T100000\nSUMMARY:Unknown zone",
        "DTSTART;VALUE=DATE:20131206",
        "DTSTART;VALUE=DATE:20131206\nSTATUS:CANCELLED\nSUMMARY:Called off",
        "DTSTART;VALUE=DATE:20131207\nSUMMARY:Good",
        "DTSTART;VALUE=DATE:20131207\nSUMMARY:Good",
        "DTSTART;VALUE=DATE:20131208\nRRULE:FREQ=NEVER\nSUMMARY:Bad rule",
    ) == [
        ("2013-12-05", "Unknown zone"),
        ("2013-12-07", "Good"),
    ]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("FREQ=SECONDLY", "SECONDLY"),
        ("FREQ=MINUTELY;INTERVAL=5", "MINUTELY"),
        ("FREQ=DAILY;BYMINUTE=" + ",".join(map(str, range(60))), "60 times a day"),
    ],
)
def test_rules_that_repeat_without_sense_are_refused(rule: str, said: str) -> None:
    """By the second, by the minute, or a thousand times a day: an error that names the event."""
    with pytest.raises(CalendarError, match=said) as caught:
        read(f"DTSTART:20000101T000000Z\nRRULE:{rule}\nSUMMARY:Heartbeat")
    assert "Heartbeat" in str(caught.value)


def test_a_rule_that_never_ends_is_cut_off() -> None:
    """Ten thousand years of searching for the 30th of February end at the limit, with a clear line."""
    rules = "\n".join("RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30" for _ in range(3))
    events = [f"DTSTART:19700101T00000{n}Z\n{rules}\nSUMMARY:Never {n}" for n in range(9)]
    started = time.monotonic()
    with pytest.raises(CalendarError, match="within 2 s"):
        read_calendar(calendar(*events), zone=NEW_YORK, first=FIRST, last=LAST, seconds=2)
    assert time.monotonic() - started < 8


@pytest.mark.parametrize("body", [b"", b"<html>Not found</html>", b"\xff\xfe\x00", b"BEGIN:VEVENT\r\nEND:VEVENT\r\n"])
def test_what_is_no_calendar_says_so(body: bytes) -> None:
    """A page, nothing, or noise is an error, not an empty month."""
    with pytest.raises(CalendarError, match=r"the calendar cannot be read.*\.ics"):
        read_calendar(body, zone=NEW_YORK, first=FIRST, last=LAST)


def test_a_huge_calendar_is_not_read() -> None:
    """Over the limit in bytes, nothing is parsed."""
    with pytest.raises(CalendarError, match="over the limit"):
        read_calendar(b" " * (5 * 1024 * 1024 + 1), zone=NEW_YORK, first=FIRST, last=LAST)
