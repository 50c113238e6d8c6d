"""What staff are told: each event once, to everybody on the list."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from digest.newsroom import editing
from tests.support.house import House, house
from tests.support.stories import (
    COMPOSE,
    DEADLINE,
    EDITION,
    MINUTE,
    SEND,
    digests,
    mails,
    pull,
    ring,
    row,
    words_to_staff,
)

LIST = ["editors@example.org", "desk@example.org"]
CHANGES = {"staff": {"mail": LIST}}


def _told(h: House, beginning: str) -> None:
    """Everybody on the list has exactly one mail whose subject begins so."""
    for address in LIST:
        subjects = words_to_staff(h, address)
        assert sum(subject.startswith(beginning) for subject in subjects) == 1, (address, subjects)


def _text(h: House, beginning: str) -> str:
    return " ".join(next(m.text for m in mails(h) if m.subject.startswith(beginning)).split())


def test_a_week_told_from_draft_to_books(tmp_path: Path, database_url: str) -> None:
    """A draft is ready, then it has gone: each is told once, with what is in it and the books."""
    with house(tmp_path, database_url=database_url, changes=CHANGES) as h:
        h.subscribe(("all@example.org", ()), ("asia@example.org", ("asia",)))
        h.publish(*(h.article(n, title=f"Bridge {n} of the valley") for n in range(3)))
        for at in (COMPOSE, COMPOSE + MINUTE):
            pull(h, at)
            ring(h, at)
        _told(h, "Draft ready")
        assert "Bridge 1 of the valley" in _text(h, "Draft ready")
        editing.approve(h.app, EDITION, by="Ada")
        for at in (SEND, SEND + MINUTE):
            ring(h, at)
        _told(h, "Sent")
        said = _text(h, "Sent")
        assert "Bridge 1 of the valley" in said
        assert "Readers counted: 2 Sent: 1 Excluded: 1 Failed: 0" in said
        assert len(mails(h)) == len(digests(h)) + 2 * len(LIST)


def test_held_says_why(tmp_path: Path) -> None:
    """Too few articles: held, with the reason, told once though the clock looks again and again."""
    with house(tmp_path, changes=CHANGES) as h:
        h.publish(h.article(1))
        for hours in range(4):
            pull(h, COMPOSE + timedelta(hours=hours))
            ring(h, COMPOSE + timedelta(hours=hours))
        _told(h, "Held")
        assert "fewer than the 3" in _text(h, "Held")


def test_missed_says_when_it_was_due(tmp_path: Path) -> None:
    """Nobody approved it before the deadline: staff hear that it has not gone, and why."""
    with house(tmp_path, changes=CHANGES) as h:
        h.publish(*(h.article(n) for n in range(3)))
        pull(h, COMPOSE)
        for at in (COMPOSE, SEND, DEADLINE + MINUTE, DEADLINE + 2 * MINUTE):
            ring(h, at)
        _told(h, "Not sent")
        assert "9:00" in _text(h, "Not sent")
        assert "nobody has approved it" in _text(h, "Not sent").lower()
        assert row(h).state == "held"


@pytest.mark.parametrize("status", [404, 500])
def test_a_broken_feed_says_which_and_why(tmp_path: Path, status: int) -> None:
    """A feed without a good pull for `stale_after`: its name and its answer, once."""
    with house(tmp_path, changes=CHANGES) as h:
        h.publish(*(h.article(n) for n in range(3)))
        pull(h, COMPOSE - timedelta(days=3))
        h.site.status("/feed/", status)
        for hours in (1, 30, 36, 42):
            pull(h, COMPOSE - timedelta(days=3) + timedelta(hours=hours))
        _told(h, "A feed is broken")
        assert str(status) in _text(h, "A feed is broken")
        assert "The Observatory" in _text(h, "A feed is broken")


def test_without_addresses_the_log_must_do(tmp_path: Path) -> None:
    """With `[staff] mail` empty nothing is mailed to staff, and nothing fails."""
    with house(tmp_path, changes={"staff": {"mail": []}}) as h:
        h.subscribe(("all@example.org", ()))
        h.publish(*(h.article(n) for n in range(3)))
        pull(h, COMPOSE)
        ring(h, COMPOSE)
        editing.approve(h.app, EDITION, by="Ada")
        ring(h, SEND)
        assert [m.recipient for m in mails(h)] == ["all@example.org"]


def test_the_end_of_the_focus_calendar_is_told_once(tmp_path: Path) -> None:
    """Two weeks before a month that has no focus staff are told, once."""
    with house(tmp_path, changes=CHANGES, now=COMPOSE + timedelta(days=28)) as h:
        pull(h)
        for minutes in range(3):
            ring(h, h.clock.now + minutes * MINUTE)
        _told(h, "The focus calendar ends")
        assert "2027-01" in _text(h, "The focus calendar ends")
