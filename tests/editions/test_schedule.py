"""Wall clocks turned into moments, in every zone and through every change of the clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.editions.model import Period
from digest.editions.schedule import (
    Schedule,
    ScheduleError,
    Weekly,
    moment,
    parse_duration,
    parse_every,
    parse_weekly,
    period_due,
    period_on,
    periods,
    today,
)

NEW_YORK = ZoneInfo("America/New_York")
WEEKLY = Schedule(parse_weekly("thu 16:00"), parse_weekly("fri 09:00"), timedelta(hours=12))
# Half hours, southern summers, changes at midnight, a day that never was (Apia), a gap of half an hour.
ZONES = [
    ZoneInfo(name)
    for name in (
        "America/New_York", "America/Sao_Paulo", "Europe/Berlin", "Europe/Dublin", "Africa/Casablanca",
        "Asia/Beirut", "Asia/Kathmandu", "Asia/Tehran", "Australia/Lord_Howe", "Pacific/Apia",
        "Pacific/Kiritimati", "UTC",
    )
]  # fmt: skip

weeklies = st.builds(Weekly, st.integers(0, 6), st.times().map(lambda t: t.replace(second=0, microsecond=0)))
schedules = st.builds(Schedule, weeklies, weeklies, st.timedeltas(timedelta(minutes=1), timedelta(days=6)))
moments = st.datetimes(datetime(2005, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
zones = st.sampled_from(ZONES)


@settings(max_examples=150, deadline=None)
@given(moments, schedules, zones)
def test_every_week_has_exactly_one_edition(start: datetime, schedule: Schedule, zone: ZoneInfo) -> None:
    """Through two years: one edition a week, no date twice, composed before sent, a deadline after it."""
    run = list(islice(periods(start, schedule, zone), 104))
    assert [b.day - a.day for a, b in pairwise(run)] == [timedelta(days=7)] * 103
    for period in run:
        assert period.day.weekday() == schedule.send.weekday
        assert period.compose_at is not None
        assert period.send_at is not None
        assert period.deadline is not None
        assert period.compose_at < period.send_at < period.deadline
        assert period.send_at - period.compose_at <= timedelta(days=8, hours=2)
    sends = [period.send_at for period in run if period.send_at]
    assert sends == sorted(set(sends))


@settings(max_examples=150, deadline=None)
@given(moments, schedules, zones)
def test_the_edition_due_is_the_next_whose_deadline_stands(now: datetime, schedule: Schedule, zone: ZoneInfo) -> None:
    """Its deadline has not passed, that of the week before has, and it stays due until the very moment."""
    due = period_due(now, schedule, zone)
    assert due.deadline is not None
    assert due.deadline >= now
    assert period_due(due.deadline, schedule, zone) == due
    assert period_due(due.deadline + timedelta(seconds=1), schedule, zone).day == due.day + timedelta(days=7)
    earlier = period_due(now - timedelta(days=9), schedule, zone)
    assert earlier.day < due.day


@settings(max_examples=300, deadline=None)
@given(st.dates(date(1975, 1, 1), date(2035, 1, 1)), st.times(), zones)
def test_a_wall_clock_is_its_first_real_moment(day: date, clock: time, zone: ZoneInfo) -> None:
    """No earlier moment shows that clock, and the clock at the moment is never behind it."""
    at = clock.replace(second=0, microsecond=0)
    wall = datetime.combine(day, at)
    when = moment(day, at, zone)
    local = when.astimezone(zone).replace(tzinfo=None)
    assert local >= wall
    just_before = (when - timedelta(seconds=1)).astimezone(zone).replace(tzinfo=None)
    assert just_before < wall or local == wall


@pytest.mark.parametrize(
    ("day", "clock", "zone", "moment_utc"),
    [
        (date(2026, 3, 8), "02:30", "America/New_York", "2026-03-08T07:00:00+00:00"),  # the gap ends at 03:00
        (date(2026, 11, 1), "01:30", "America/New_York", "2026-11-01T05:30:00+00:00"),  # the first of two
        (
            date(2026, 10, 4),
            "02:15",
            "Australia/Lord_Howe",
            "2026-10-03T15:30:00+00:00",
        ),  # a gap of half an hour
        (date(2011, 12, 30), "09:00", "Pacific/Apia", "2011-12-30T10:00:00+00:00"),  # a day that never was
    ],
)
def test_a_clock_that_was_skipped_or_repeated(day: date, clock: str, zone: str, moment_utc: str) -> None:
    """In the spring gap the next real moment, in the autumn fold the first of the two."""
    assert moment(day, time.fromisoformat(clock), ZoneInfo(zone)).isoformat() == moment_utc


@pytest.mark.parametrize("weekday_time", ["sun 01:30", "sun 02:30"])
def test_a_change_of_clocks_makes_no_second_edition(weekday_time: str) -> None:
    """Asked every ten minutes through the night when clocks change: one edition, one send moment."""
    schedule = Schedule(parse_weekly("sat 12:00"), parse_weekly(weekday_time), timedelta(hours=12))
    for night in (datetime(2026, 11, 1, 0, tzinfo=UTC), datetime(2026, 3, 8, 0, tzinfo=UTC)):
        asked = {period_due(night + timedelta(minutes=10 * n), schedule, NEW_YORK) for n in range(80)}
        assert len(asked) == 1


def test_a_skipped_date_has_no_edition() -> None:
    """In the week of a skipped date the edition due is that of the week after."""
    schedule = Schedule(WEEKLY.compose, WEEKLY.send, WEEKLY.deadline, frozenset({date(2026, 12, 25)}))
    due = period_due(datetime(2026, 12, 20, tzinfo=UTC), schedule, NEW_YORK)
    assert due.slug == "2027-01-01"
    assert due.compose_at == datetime(2026, 12, 31, 21, tzinfo=UTC)


def test_a_late_edition_is_due_until_its_deadline() -> None:
    """On Friday evening at nine the edition of the morning is due; a second later it is next week's."""
    evening = datetime(2026, 11, 27, 21, tzinfo=NEW_YORK)
    assert period_due(evening, WEEKLY, NEW_YORK).slug == "2026-11-27"
    assert period_due(evening + timedelta(seconds=1), WEEKLY, NEW_YORK).slug == "2026-12-04"


def test_composing_at_the_time_of_sending_means_the_week_before() -> None:
    """Compose and send at one clock: the draft is of the week before, never of the same moment."""
    schedule = Schedule(WEEKLY.send, WEEKLY.send, timedelta(hours=1))
    due = period_due(datetime(2026, 11, 25, tzinfo=UTC), schedule, NEW_YORK)
    assert due.compose_at == datetime(2026, 11, 20, 14, tzinfo=UTC)


def test_a_named_day_has_its_moments_or_none() -> None:
    """The day of an edition has that edition's moments; any other day is a day alone."""
    due = period_due(datetime(2026, 11, 26, tzinfo=UTC), WEEKLY, NEW_YORK)
    assert period_on(date(2026, 11, 27), WEEKLY, NEW_YORK) == due
    assert period_on(date(2026, 11, 25), WEEKLY, NEW_YORK) == Period(date(2026, 11, 25))


def test_without_a_schedule_the_edition_is_todays() -> None:
    """The local date counts, and nothing has a moment."""
    period = today(datetime(2026, 11, 28, 3, tzinfo=UTC), NEW_YORK)
    assert (period.slug, period.send_at) == ("2026-11-27", None)


@pytest.mark.parametrize("text", ["thu 16:00", " Thu 16:00 ", "Thursday 16:00", "THU 16:00"])
def test_a_weekday_and_time_as_people_write_them(text: str) -> None:
    """Short or long names, any case."""
    assert parse_weekly(text) == Weekly(3, time(16))
    assert str(parse_weekly(text)) == "thu 16:00"


@pytest.mark.parametrize("text", ["", "16:00", "thur 16:00", "thu 24:00", "thu 16:60", "thu 4pm", "4 16:00", "fri  9"])
def test_a_wrong_weekday_or_time_says_how_to_write_it(text: str) -> None:
    """The error names what was written and shows a right one."""
    with pytest.raises(ScheduleError, match="thu 16:00") as caught:
        parse_weekly(text)
    assert repr(text) in str(caught.value)


def test_intervals_and_durations() -> None:
    """Seconds to weeks; an interval is a minute at least; what is wrong says how to write it."""
    assert parse_every("every 1h") == timedelta(hours=1)
    assert parse_every(" every  15m ") == timedelta(minutes=15)
    assert parse_duration("2w") == timedelta(days=14)
    for wrong in ("1h", "every", "every hour", "every 30s", "every 0h", "every -1h"):
        with pytest.raises(ScheduleError, match=r"every|30m"):
            parse_every(wrong)


@pytest.mark.parametrize("deadline", [timedelta(0), timedelta(days=7), timedelta(hours=-1)])
def test_a_deadline_is_within_the_week(deadline: timedelta) -> None:
    """With a longer one, two editions would be due at once."""
    with pytest.raises(ScheduleError, match="deadline"):
        Schedule(WEEKLY.compose, WEEKLY.send, deadline)
