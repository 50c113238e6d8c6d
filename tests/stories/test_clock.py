"""One edition a date, however the clock rings: promise 6."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from digest import routine
from digest.app import App
from digest.database import Database
from digest.newsroom import drafts, editing
from digest.post_office import sending, settling
from tests.support.house import House, house
from tests.support.stories import (
    AUTOMATIC,
    COMPOSE,
    DEADLINE,
    EDITION,
    MINUTE,
    NEXT,
    SEND,
    WEEK,
    another_app,
    books,
    digests,
    mails,
    pull,
    ring,
    row,
    titles,
    words_to_staff,
)

READERS = [(f"reader{n}@example.org", ()) for n in range(6)]


def _stocked(h: House) -> None:
    h.subscribe(*READERS)
    h.publish(*(h.article(n, region=("africa", "asia", "europe")[n % 3]) for n in range(6)))
    pull(h, COMPOSE - MINUTE)


def test_a_ring_too_many_is_harmless(tmp_path: Path, database_url: str) -> None:
    """The clock may ring twice at every moment: one draft, one edition, one mail each, one word to staff."""
    with house(tmp_path, database_url=database_url, changes=AUTOMATIC) as h:
        _stocked(h)
        assert ring(h, COMPOSE - MINUTE) == []
        assert ring(h, COMPOSE) == [f"composed {EDITION}"]
        assert ring(h, COMPOSE) == []
        assert ring(h, SEND) == [f"started {EDITION}"]
        for _ in range(3):
            assert ring(h, SEND) == []
        assert set(digests(h)) == {address for address, _ in READERS}
        assert len([m for m in mails(h) if m.recipient == "editors@example.org"]) == 2


def test_rung_late_it_catches_up(tmp_path: Path) -> None:
    """Nothing ran from Thursday till Friday evening: draft and send are made up for, before the deadline."""
    with house(tmp_path, changes=AUTOMATIC) as h:
        _stocked(h)
        pull(h, DEADLINE - MINUTE)
        assert ring(h, DEADLINE) == [f"composed {EDITION}", f"started {EDITION}"]
        assert len(digests(h)) == len(READERS)


def test_two_schedulers_at_once(tmp_path: Path, database_url: str) -> None:
    """Two machines ring at the same moment, again and again: one edition, one mail each, and the books balance."""
    with house(tmp_path, database_url=database_url, changes=AUTOMATIC) as h:
        _stocked(h)
        other = App(h.app.config, Database(database_url), h.clock)
        try:
            for at in (COMPOSE, SEND):
                h.clock.now = at
                _both(h.app, other)
        finally:
            other.close()
        assert set(digests(h)) == {address for address, _ in READERS}
        assert books(h).sent == len(READERS)
        staff = [m.subject for m in mails(h) if m.recipient == "editors@example.org"]
        assert len(staff) == len(set(staff))


def _both(*apps: App) -> None:
    """Each app in a thread of its own, from one start line; what fails in a thread fails the test."""
    line = threading.Barrier(len(apps))
    failures: list[BaseException] = []

    def run(app: App) -> None:
        try:
            line.wait(10)
            for _ in range(3):
                routine.step(app)
                settling.settle_all(app, sending.deliver(app))
        except BaseException as error:  # noqa: BLE001 - it is raised below
            failures.append(error)

    threads = [threading.Thread(target=run, args=(app,)) for app in apps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if failures:
        raise failures[0]


def test_a_restart_in_the_middle(tmp_path: Path, database_url: str) -> None:
    """The process ends between the start and the sending; a new one sends the rest, and nothing twice."""
    with house(tmp_path, database_url=database_url, changes=AUTOMATIC) as h:
        _stocked(h)
        ring(h, COMPOSE)
        h.clock.now = SEND
        assert routine.step(h.app) == [f"started {EDITION}"]
        assert digests(h) == {}
        again = another_app(h, AUTOMATIC)
        ring(h, SEND + MINUTE, again)
        assert set(digests(h)) == {address for address, _ in READERS}
        assert row(h).state == "sent"


def test_a_passed_deadline_holds_and_tells(tmp_path: Path, database_url: str) -> None:
    """Nothing ran between the send moment and the deadline: it is held, staff are told, its articles come next week."""
    with house(tmp_path, database_url=database_url) as h:
        _stocked(h)
        ring(h, COMPOSE)
        editing.approve(h.app, EDITION, by="Ada")
        wanted = set(titles(row(h)))
        pull(h, DEADLINE + MINUTE)
        assert ring(h, DEADLINE + MINUTE) == [f"expired {EDITION}"]
        assert ring(h, DEADLINE + 2 * MINUTE) == []
        assert (row(h).state, digests(h)) == ("held", {})
        assert sum(subject.startswith("Not sent:") for subject in words_to_staff(h)) == 1
        told = next(m for m in mails(h) if m.subject.startswith("Not sent:"))
        assert "Ada had approved it" in " ".join(told.text.split())
        pull(h, COMPOSE + WEEK)
        ring(h, COMPOSE + WEEK)
        editing.approve(h.app, NEXT, by="Ada")
        ring(h, SEND + WEEK)
        assert set(titles(row(h, NEXT))) == wanted
        assert len(digests(h)) == len(READERS)


def test_a_week_without_even_a_draft_is_told(tmp_path: Path) -> None:
    """Where nothing ran from the moment to compose until the deadline, staff hear that an edition is missing, once."""
    with house(tmp_path, changes=AUTOMATIC) as h:
        _stocked(h)
        ring(h, COMPOSE)
        ring(h, SEND)
        later = DEADLINE + WEEK + timedelta(hours=3)
        for minutes in range(3):
            pull(h, later + minutes * MINUTE)
            ring(h, later + minutes * MINUTE)
        assert sum(subject.startswith("Not sent:") for subject in words_to_staff(h)) == 1


def test_a_new_installation_has_missed_nothing(tmp_path: Path) -> None:
    """Set up on a Saturday, it does not complain of the Friday before."""
    with house(tmp_path, now=DEADLINE + timedelta(hours=3)) as h:
        pull(h)
        assert ring(h, h.clock.now) == []
        assert words_to_staff(h) == []


def test_a_skipped_week_has_no_edition(tmp_path: Path) -> None:
    """A date in `skip` passes in silence, and its articles come the week after."""
    with house(tmp_path, changes={**AUTOMATIC, "schedule": {"skip": [EDITION]}}) as h:
        _stocked(h)
        for at in (COMPOSE, SEND, DEADLINE + MINUTE):
            assert ring(h, at) == []
        pull(h, COMPOSE + WEEK)
        assert ring(h, COMPOSE + WEEK) == [f"composed {NEXT}"]
        ring(h, SEND + WEEK)
        assert len(titles(row(h, NEXT))) == 6
        assert not any("Not sent" in subject for subject in words_to_staff(h))


def test_without_a_schedule_nothing_runs_by_itself(tmp_path: Path) -> None:
    """No `[schedule]`: the clock does nothing, and the edition due is today's."""
    with house(tmp_path, changes=AUTOMATIC) as h:
        _stocked(h)
        tables = h.app.config.tables.model_copy(update={"schedule": None})
        alone = App(type(h.app.config)(h.app.config.path, tables), h.app.database, h.clock)
        assert ring(h, SEND, alone) == []
        made = drafts.compose_draft(alone).row
        assert (made.slug, made.send_at) == (EDITION, None)
        assert sending.send(alone, None).finished
        assert len(digests(h)) == len(READERS)


DST: list[tuple[str, Mapping[str, Any], datetime, str]] = [
    (
        "the hour that comes twice",
        {"compose": "sat 16:00", "send": "sun 01:30", "deadline": "12h"},
        datetime(2026, 11, 1, 5, 30, tzinfo=UTC),  # 01:30 EDT, the first of the two
        "2026-11-01",
    ),
    (
        "the hour that is missing",
        {"compose": "sat 16:00", "send": "sun 02:30", "deadline": "12h"},
        datetime(2027, 3, 14, 7, 0, tzinfo=UTC),  # 03:00 EDT, the end of the gap
        "2027-03-14",
    ),
]


@pytest.mark.parametrize(("schedule", "send", "slug"), [case[1:] for case in DST], ids=[case[0] for case in DST])
def test_clocks_that_change(tmp_path: Path, schedule: Mapping[str, Any], send: datetime, slug: str) -> None:
    """When the clocks change over the send moment there is one edition, at one moment, with one mail each."""
    with house(tmp_path, now=send - timedelta(hours=10), changes={**AUTOMATIC, "schedule": schedule}) as h:
        h.subscribe(*READERS)
        h.publish(*(h.article(n, region=("africa", "asia", "europe")[n % 3]) for n in range(6)))
        pull(h)
        done = []
        for quarter in range(-4 * 10, 4 * 16):
            at = send + quarter * timedelta(minutes=15)
            h.clock.now = at
            done += [(at, what) for what in routine.step(h.app)]
        assert [what for _, what in done] == [f"composed {slug}", f"started {slug}"]
        assert done[1][0] == send
        settling.settle_all(h.app, sending.deliver(h.app))
        assert len(digests(h)) == len(READERS)
