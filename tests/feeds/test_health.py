"""Promise 10: a broken feed is not an empty week, and a quiet one is not a broken feed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from digest.feeds.health import Health, Pull, health
from digest.feeds.model import Role

NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)


def history(*items: int | None, new: int = 1) -> list[Pull]:
    """Hourly pulls, the newest first; None is one that failed."""
    return [
        Pull(NOW - at * HOUR, ok=count is not None, reason="it did not answer" if count is None else "",
             items=count or 0, new=new if count else 0)
        for at, count in enumerate(items)
    ]  # fmt: skip


def judge(
    pulls: list[Pull],
    role: Role = "articles",
    *,
    known_since: datetime | None = None,
    last_good_at: datetime | None = None,
) -> Health:
    return health(
        pulls,
        role=role,
        now=NOW,
        stale_after=timedelta(hours=24),
        known_since=known_since,
        last_good_at=last_good_at,
    )


def test_a_feed_that_brings_items_is_good() -> None:
    """The ordinary case holds nothing."""
    assert judge(history(10, 10, 9)).state == "good"


def test_one_bad_pull_never_holds() -> None:
    """A failure after a good pull is told with its reason, and nothing waits for it."""
    judged = judge(history(None, 10, 10))
    assert (judged.state, judged.holds) == ("failing", False)
    assert "did not answer" in judged.sentence


def test_a_day_without_a_good_pull_holds() -> None:
    """After `stale_after` the feed is stale, holds the edition, and says for how long and why."""
    judged = judge(history(*[None] * 26, 10))
    assert (judged.state, judged.holds) == ("stale", True)
    assert "26 hours" in judged.sentence
    assert "did not answer" in judged.sentence


def test_a_feed_that_never_worked_holds_after_a_while() -> None:
    """A new feed with a wrong address has until `stale_after` to be put right."""
    assert judge(history(None), known_since=NOW - HOUR).state == "failing"
    judged = judge(history(None), known_since=NOW - 30 * HOUR)
    assert (judged.state, judged.holds) == ("stale", True)


def test_a_scheduler_that_stands_still_is_noticed() -> None:
    """No pulls at all are as bad as failed ones, and the sentence asks the right question."""
    judged = judge([], known_since=NOW - 90 * HOUR, last_good_at=NOW - 80 * HOUR)
    assert (judged.state, judged.holds) == ("stale", True)
    assert "scheduler" in judged.sentence


def test_a_feed_that_was_never_pulled_is_new() -> None:
    """Configured a moment ago, it is neither good nor bad."""
    assert judge([], known_since=NOW).state == "new"


def test_an_emptied_feed_holds() -> None:
    """Nothing where there were five items is a broken site, not a quiet week."""
    judged = judge(history(0, 0, 5, 5))
    assert (judged.state, judged.holds) == ("emptied", True)
    assert judge(history(0, 4, 4)).holds is False


def test_a_feed_that_lost_most_of_its_items_holds() -> None:
    """Under a quarter of the median of eight pulls; a quarter is enough."""
    assert judge(history(4, *[20] * 8)).state == "dropped"
    assert judge(history(4, *[20] * 8)).holds is True
    assert judge(history(5, *[20] * 8)).state == "good"
    assert judge(history(4, *[20] * 7)).state == "good"


def test_a_loss_still_holds_a_day_later() -> None:
    """Hourly pulls do not make a loss the usual thing overnight; a week does."""
    assert judge(history(*[2] * 24, *[30] * 8)).holds is True
    assert judge(history(*[2] * 24 * 8, *[30] * 8)).holds is False


def test_nothing_published_is_not_broken() -> None:
    """The same items for eight days: the feed is well and quiet, and the edition goes."""
    judged = judge(history(*[10] * 24 * 8, new=0))
    assert (judged.state, judged.holds) == ("quiet", False)
    assert "well" in judged.sentence


@given(st.lists(st.none() | st.integers(0, 40), max_size=40))
def test_a_partner_never_holds_anything(items: list[int | None]) -> None:
    """Whatever happens to a feed of further reading, the edition goes."""
    assert judge(history(*items), "reading", known_since=NOW - 100 * HOUR).holds is False


@given(st.lists(st.integers(5, 40), min_size=1, max_size=30))
def test_a_single_failure_never_holds(items: list[int]) -> None:
    """Whatever a feed brought before, one bad pull changes nothing about the edition."""
    assert judge(history(None, *items)).holds is judge(history(*items)).holds
