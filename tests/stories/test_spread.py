"""An edition that is spread over hours ends when its window does, whatever was lost of it."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from digest.app import App
from digest.delivery.tables import deliveries
from digest.post_office import sending, starting
from digest.post_office.dry_run import dry_run
from digest.post_office.spreading import Spreads
from tests.support.house import FRIDAY, House, house
from tests.support.stories import EDITION, books, row

HOUR = timedelta(hours=1)
SPREAD = {"smtp": {"spread": "4h", "connections": 1}}
READERS = 8


def begun(h: House) -> None:
    """An edition to eight readers that has begun at `FRIDAY`; nothing has left."""
    h.subscribe(*((f"reader{n}@example.org", ()) for n in range(READERS)))
    h.publish(*(h.article(n) for n in range(3)))
    h.ready()
    h.clock.now = FRIDAY
    starting.start(h.app, row(h))


def rates(h: House, after: timedelta) -> dict[str, float]:
    """What a run would see that begins so long after the start, in mails an hour."""
    h.clock.now = FRIDAY + after
    return {key: round(rate * 3600, 6) for key, rate in Spreads(h.app)().items()}


def test_lost_time_is_made_up_for(tmp_path: Path, database_url: str) -> None:
    """What is left goes evenly over what is left of the window, and after it at once, by any clock."""
    with house(tmp_path, database_url=database_url, changes=SPREAD) as h:
        begun(h)
        assert rates(h, timedelta(0)) == {EDITION: 2}
        assert rates(h, 2 * HOUR) == {EDITION: 4}
        with h.app.database.begin() as connection:
            some = deliveries.c.recipient.in_([f"s:{number}" for number in range(1, 5)])
            connection.execute(deliveries.update().where(some).values(due_at=FRIDAY + 5 * HOUR))
        assert rates(h, 2 * HOUR) == {EDITION: 2}  # four wait for a time that is after the window
        assert rates(h, -3 * HOUR) == {EDITION: 1}  # the clock was set back: no longer than the window is
        assert rates(h, 4 * HOUR) == {}
        h.clock.now = FRIDAY + 3 * HOUR
        plan = dry_run(h.app, EDITION)
        assert (plan.seconds, plan.bound) == (3600, "[smtp] spread")
        h.clock.now = FRIDAY + 9 * HOUR
        assert dry_run(h.app, EDITION).seconds < 60


def test_one_run_notices_what_was_lost_on_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that goes on counts what is left now and then, and at once where the clock was set back."""
    ticks = [1000.0]
    monkeypatch.setattr("digest.post_office.spreading.monotonic", lambda: ticks[0])
    with house(tmp_path, changes=SPREAD) as h:
        begun(h)
        spreads = Spreads(h.app)
        seen = [spreads()[EDITION]]
        for tick, moment in ((5, 2 * HOUR), (11, 2 * HOUR), (12, HOUR)):
            ticks[0], h.clock.now = 1000.0 + tick, FRIDAY + moment
            seen.append(spreads()[EDITION])
        assert [round(rate * 3600, 6) for rate in seen] == [2, 2, 4, round(8 / 3, 6)]


@pytest.mark.parametrize("lost", [timedelta(hours=3, minutes=59, seconds=57), 6 * HOUR])
def test_after_an_outage(tmp_path: Path, lost: timedelta) -> None:
    """A sender that comes back three seconds before the end of the window, or after it, delivers the rest by then."""
    with house(tmp_path, changes=SPREAD) as h:
        begun(h)
        offset = FRIDAY - datetime.now(UTC)
        stop = threading.Event()
        first = running(h.app, offset)
        h.sink.on_data = lambda _recipient: stop.set()
        sending.deliver(first, key=EDITION, stop=stop)
        assert books(h).sent == 1
        h.sink.on_data = None
        second, given_up = running(h.app, offset + lost), threading.Event()
        timer = threading.Timer(60, given_up.set)
        timer.start()
        sending.deliver(second, key=EDITION, stop=given_up)
        timer.cancel()
        assert (books(h).sent, given_up.is_set()) == (READERS, False)


def running(app: App, offset: timedelta) -> App:
    """The same with a clock that goes."""
    return replace(app, clock=lambda: datetime.now(UTC) + offset)
