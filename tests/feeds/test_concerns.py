"""What is odd about a feed that can be read is told in a sentence, and never holds an edition."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from digest.feeds.health import Health, health
from digest.feeds.history import Pull, Shape, shape_of
from digest.feeds.model import Damage, Entry, Parsed

NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def pull(hours_ago: int, *, items: int = 10, newest: timedelta = DAY, damage: Damage = "", same: bool = False) -> Pull:
    """A pull of a feed that publishes once a day; `newest` is how old its newest entry is now."""
    shape = Shape(NOW - newest, NOW - newest - (items - 1) * DAY, same, damage)
    return Pull(NOW - hours_ago * HOUR, ok=True, items=items, shape=shape)


def judge(*pulls: Pull, news: list[datetime] | None = None, moved_to: str | None = None) -> Health:
    return health(pulls, role="articles", now=NOW, stale_after=DAY, news=news or [], moved_to=moved_to)


def days_ago(*days: int) -> list[datetime]:
    return [NOW - day * DAY for day in days]


def test_entries_lost_in_the_reading_are_told() -> None:
    """A document that is cut off, with fewer entries than usual, says how many of how many could be read."""
    well = [pull(hours) for hours in range(1, 6)]
    judged = judge(pull(0, items=4, damage="cut off"), *well)
    assert (judged.state, judged.holds, judged.notable) == ("incomplete", False, True)
    assert "cut off, and 4 of its usual 10 entries" in judged.sentence


def test_damage_that_costs_nothing_is_no_state() -> None:
    """A feed that was always ill-formed, or has all its entries all the same, is good."""
    well = [pull(hours) for hours in range(1, 6)]
    assert judge(pull(0, damage="ill-formed"), *well).state == "good"
    assert judge(*[pull(hours, items=4, damage="ill-formed") for hours in range(9)]).state == "good"


def test_an_old_copy_is_told() -> None:
    """When the newest entry is suddenly weeks older than before, both dates are named."""
    judged = judge(pull(0, newest=40 * DAY), pull(1), pull(2))
    assert (judged.state, judged.holds) == ("older", False)
    assert "18 Oct 2026" in judged.sentence
    assert "26 Nov 2026" in judged.sentence


def test_a_retraction_is_no_old_copy() -> None:
    """One article taken back, even from a feed that publishes once a month, or a future date put right, is ordinary."""
    assert judge(pull(0, newest=3 * DAY), pull(1)).state == "good"
    monthly = Shape(NOW - 2 * DAY, NOW - 272 * DAY)
    after = Shape(NOW - 32 * DAY, NOW - 272 * DAY)
    assert judge(replace(pull(0), shape=after), replace(pull(1), shape=monthly)).state == "good"
    assert judge(pull(0, newest=20 * DAY), pull(1, newest=-300 * DAY)).state == "good"


def test_after_a_week_older_is_how_the_feed_is() -> None:
    """The word about an old copy ends by itself, like that about a loss."""
    old = [pull(hours, newest=40 * DAY) for hours in range(0, 8 * 24, 6)]
    assert judge(*old[:4], pull(25, newest=2 * DAY)).state == "older"
    assert judge(*old, pull(8 * 24 + 6, newest=10 * DAY)).state != "older"


def test_one_date_for_all_is_told() -> None:
    """A system that dates every entry alike is named with that date."""
    judged = judge(pull(0, same=True))
    assert (judged.state, judged.holds) == ("one-date", False)
    assert "all 10 entries have the same date" in judged.sentence


def test_what_one_date_means() -> None:
    """All of five entries or more within a minute; not four, not where some have none, not a day of hourly ones."""

    def entries(*seconds: int | None) -> Parsed:
        made = [
            Entry(str(at), "", "x", published=None if s is None else NOW + timedelta(seconds=s))
            for at, s in enumerate(seconds)
        ]
        return Parsed("", "", "rss20", "", tuple(made))

    assert shape_of(entries(0, 0, 1, 2, 30)).same_dates
    assert not shape_of(entries(0, 0, 0, 0)).same_dates
    assert not shape_of(entries(0, 0, 0, 0, 0, None)).same_dates
    assert not shape_of(entries(0, 0, 0, 0, 3600)).same_dates
    assert shape_of(entries(0, 7)) == Shape(NOW + timedelta(seconds=7), NOW)
    assert shape_of(entries()) == Shape()


def test_a_silence_longer_than_any_before() -> None:
    """Judged by the feed's own gaps: twelve days are nothing to one that has paused for fifteen."""
    same = [pull(hours, newest=12 * DAY) for hours in range(0, 300, 6)]
    judged = judge(*same, news=days_ago(12, 14, 16, 25, 27, 30, 45))
    assert judged.state == "quiet"
    judged = judge(*same, news=days_ago(12, 14, 16, 20, 27, 30, 36, 42))
    assert (judged.state, judged.holds) == ("silent", False)
    assert "7 days" in judged.sentence
    assert "the feed itself is well" in judged.sentence


def test_a_short_history_tells_no_silence() -> None:
    """A feed that we have known for a few weeks, or that has seldom brought anything, is only quiet."""
    same = [pull(hours, newest=12 * DAY) for hours in range(0, 300, 6)]
    assert judge(*same, news=days_ago(12, 13, 14, 15, 16, 17, 18)).state == "quiet"
    assert judge(*same, news=days_ago(12, 18, 50)).state == "quiet"


def test_a_moved_feed_says_what_to_change() -> None:
    """The sentence names the new address and the place in the configuration, after a failure too."""
    judged = judge(pull(0), moved_to="https://new.example.org/feed")
    assert (judged.state, judged.holds) == ("moved", False)
    assert "url to https://new.example.org/feed in [[feeds]]" in judged.sentence
    failed = Pull(NOW, ok=False, reason="it did not answer")
    assert "https://new.example.org/feed" in judge(failed, pull(1), moved_to="https://new.example.org/feed").sentence


def test_several_things_are_all_said() -> None:
    """The most telling gives the state; no sentence hides another."""
    judged = judge(pull(0, newest=40 * DAY, same=True), pull(1), moved_to="https://new.example.org/feed")
    assert judged.state == "older"
    assert all(words in judged.sentence for words in ("newest entry", "same date", "moved"))


def test_a_loss_still_holds_whatever_else_is_odd() -> None:
    """An emptied feed that has moved holds the edition, and says both."""
    empty = Pull(NOW, ok=True, items=0)
    judged = judge(empty, pull(1), moved_to="https://new.example.org/feed")
    assert (judged.state, judged.holds) == ("emptied", True)
    assert "moved" in judged.sentence


shapes = st.builds(
    pull,
    st.integers(0, 500),
    items=st.integers(5, 12),
    newest=st.integers(-400, 4000).map(lambda hours: hours * HOUR),
    damage=st.sampled_from(["", "cut off", "ill-formed"]),
    same=st.booleans(),
)


@given(st.lists(shapes, min_size=1, max_size=12), st.lists(st.integers(0, 90), max_size=12), st.booleans())
def test_oddities_hold_nothing(pulls: list[Pull], news: list[int], moved: bool) -> None:
    """Whatever the dates, the damage, the silence or the address: with its items there, a feed never holds."""
    ordered = sorted(pulls, key=lambda one: one.at, reverse=True)
    known = {"news": days_ago(*sorted(set(news))), "moved_to": "https://new.example.org/" if moved else None}
    judged = health(ordered, role="articles", now=NOW, stale_after=100 * DAY, **known)  # type: ignore[arg-type]
    assert not judged.holds
    assert judged.sentence
