"""Dates as feeds write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.feeds.dates import read_date


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("Tue, 05 Nov 2013 12:00:00 GMT", 12),
        ("Tue, 05 Nov 2013 12:00:00", 12),
        ("Tue, 05 Nov 2013 12:00 CEST", 10),
        ("Tue,5 Nov 2013 12:0:0 GMT+9", 3),
        ("05 Nov 13 12:00:00 -0800", 20),
        ("Tue, 05 Nov 2013 07:00:00 EST", 12),
        ("Fri, 05 Nov 2013 12:00:00 +0530 (IST)", 6.5),
        ("2013-11-05T12:00:00Z", 12),
        ("2013-11-05 12:00:00.123 +02:00", 10),
        ("2013-11-05T12:00:00+0200", 10),
        ("2013-11-05", 0),
        ("November 5, 2013 3:30 PM", 15.5),
        ("mar., 05 nov. 2013 12:00:00 +0100", 11),
        ("5 décembre 2013 12:00", 12 + 30 * 24),
        ("Tue, 05 Nov 2013 24:00:00 GMT", 24),
        ("Tue, 05 Nov 2013 23:59:60 GMT", 24 - 1 / 3600),
    ],
)
def test_dates_are_read_as_they_are_meant(text: str, hours: float) -> None:
    """All the ways of writing a moment of that day, zones by name included."""
    assert read_date(text) == datetime(2013, 11, 5, tzinfo=UTC) + timedelta(hours=hours)


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)).map(lambda moment: moment.replace(microsecond=0)),  # noqa: DTZ001
    st.integers(-12 * 60, 14 * 60),
)
def test_every_standard_date_is_read_exactly(moment: datetime, offset: int) -> None:
    """RFC 2822 and RFC 3339, any zone: the same moment, in UTC."""
    local = moment.replace(tzinfo=timezone(timedelta(minutes=offset)))
    for text in (format_datetime(local), local.isoformat()):
        found = read_date(text)
        assert found == local
        assert found is not None
        assert found.utcoffset() == timedelta()


@given(st.text(max_size=60))
def test_no_text_breaks_the_reading_of_dates(text: str) -> None:
    """Nonsense is None or a date, never an error."""
    found = read_date(text)
    assert found is None or found.tzinfo is UTC
