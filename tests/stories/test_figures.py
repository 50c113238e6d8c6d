"""What staff see while an edition goes out, and what they can do: the books, hold, stop, the dry run."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from digest import audience
from digest.database import Database
from digest.delivery import store as outbox
from digest.delivery.model import Books
from digest.editions.rows import head_of
from digest.errors import RefusedError
from digest.newsroom import editing
from digest.post_office import figures, pausing, starting
from digest.post_office.dry_run import dry_run
from tests.support.house import House, house
from tests.support.smtp import Fault, Sink
from tests.support.stories import EDITION, MINUTE, another_app, books, digests, mails, row

READERS = tuple(f"reader{n}@{'example.org' if n % 3 else 'example.net'}" for n in range(90))


def _stocked(h: House, *readers: str) -> None:
    h.subscribe(*((reader, ()) for reader in readers))
    h.publish(*(h.article(n) for n in range(3)))
    h.ready()


def test_the_books_balance_at_every_moment(tmp_path: Path, database_url: str) -> None:
    """Somebody who reads the books all the time finds them balanced, with the same candidates, from first to last."""
    seen: list[tuple[str, Books]] = []
    over = threading.Event()

    def watch() -> None:
        other = Database(database_url)
        while not over.is_set():
            with other.read() as connection:
                head = head_of(connection, EDITION)
                if head.candidates is not None:
                    seen.append((head.state, outbox.books(connection, EDITION, head.candidates)))
        other.close()

    with house(tmp_path, database_url=database_url, sink=Sink(delay=0.004)) as h:
        h.sink.faults = {READERS[1]: Fault("rcpt", "550 5.1.1 no such user")}
        _stocked(h, *READERS)
        thread = threading.Thread(target=watch)
        thread.start()
        try:
            h.send()
        finally:
            over.set()
            thread.join()
        states, found = {state for state, _ in seen}, [one for _, one in seen]
        assert {one.candidates for one in found} == {len(READERS)}
        assert [one for one in found if not one.balance] == []
        assert [one.sent for one in found] == sorted(one.sent for one in found)
        assert "sending" in states
        assert any(0 < one.sent < 89 for one in found)


def test_figures_add_up_to_the_books(tmp_path: Path, database_url: str) -> None:
    """By provider and by reply, every candidate is counted once; what is deferred is told with its moment."""
    with house(tmp_path, database_url=database_url) as h:
        h.sink.faults = {
            READERS[1]: Fault("rcpt", "550 5.1.1 no such user"),
            READERS[3]: Fault("rcpt", "451 4.7.1 greylisted", times=1),
        }
        _stocked(h, *READERS[:12])
        h.send()
        found = figures.look(h.app, EDITION)
        f = found.figures
        assert f.books == books(h)
        assert (f.deferred, f.books.pending, found.state) == (1, 1, "sending")
        assert f.next_due is not None
        assert f.next_due > h.clock.now
        assert sum(sum(counts.values()) for counts in f.providers.values()) == 12
        assert f.providers["example.net"] == {"sent": 3, "pending": 1}
        assert f.providers["example.org"] == {"sent": 7, "failed": 1}
        assert sum(f.replies.values()) == 12
        assert f.replies["550 5.1.1"] == 1
        assert f.replies["451 4.7.1"] == 1
        assert found.as_json()["edition"] == EDITION


def test_following_ends_with_the_edition(tmp_path: Path) -> None:
    """Whoever follows sees more and more done, then that it is over, without being told by the sender."""
    with house(tmp_path, sink=Sink(delay=0.01)) as h:
        _stocked(h, *READERS)
        seen: list[figures.Progress] = []
        watching = another_app(h)

        def follow() -> None:
            while not seen or not seen[-1].over or seen[-1].state != "sent":
                seen.extend(figures.follow(watching, EDITION, threading.Event().wait, every=0.01))

        thread = threading.Thread(target=follow)
        thread.start()
        h.send()
        thread.join(60)
        assert not thread.is_alive()
        assert [p.figures.done for p in seen] == sorted(p.figures.done for p in seen)
        assert seen[-1].figures.books.sent == len(READERS)
        assert any(p.rate for p in seen)


def test_hold_ends_a_running_send_and_resume_goes_on(tmp_path: Path, database_url: str) -> None:
    """Held from another terminal, a send ends with what is in flight, gives back what it claimed, and says so."""
    with house(tmp_path, database_url=database_url, sink=Sink(delay=0.05)) as h:
        _stocked(h, *READERS)
        other = another_app(h)

        def hold(_recipient: str) -> None:
            h.sink.on_data = None
            editing.hold(other, EDITION, by="Bo", reason="a wrong photo")

        h.sink.on_data = hold
        report = h.send()
        assert not report.finished
        assert "a wrong photo" in report.sentence(h.app.zone)
        found = books(h)
        assert 0 < found.sent < len(READERS)
        assert found.uncertain == 0
        assert found.sent == len(digests(h))
        h.sink.delay = 0
        pausing.resume(h.app, EDITION)
        assert h.send(EDITION).finished
        assert set(digests(h)) == set(READERS)


def test_what_is_paused_has_no_rate(tmp_path: Path) -> None:
    """Nobody is told when an edition that is paused will have gone; whoever was erased is of no known provider."""
    with house(tmp_path) as h:
        _stocked(h, *READERS[:3])
        h.sink.faults = {READERS[0]: Fault("rcpt", "451 4.7.1 later"), READERS[2]: Fault("rcpt", "451 4.7.1 later")}
        h.send()
        h.clock.now += 20 * MINUTE
        assert figures.look(h.app, EDITION).rate
        editing.hold(h.app, EDITION, by="Bo")
        audience.erase(h.app, READERS[1])
        for now in (figures.look(h.app, EDITION), next(figures.follow(h.app, EDITION, lambda _seconds: True))):
            assert (now.state, now.rate, now.seconds_left) == ("paused", None, None)
            said = now.lines(h.app.zone)
            assert not [line for line in said if "a second" in line]
            assert "  not known: 1 sent" in said


def test_stop_excludes_the_rest_for_good(tmp_path: Path, database_url: str) -> None:
    """Stopped while it goes: everyone who has not got it is excluded with the reason, and no later send mails them."""
    with house(tmp_path, database_url=database_url, sink=Sink(delay=0.03)) as h:
        _stocked(h, *READERS)
        h.sink.faults = {READERS[0]: Fault("rcpt", "451 4.7.1 later", times=1)}
        other = another_app(h)

        def stop(_recipient: str) -> None:
            h.sink.on_data = None
            pausing.stop(other, EDITION, by="Bo", reason="the wrong week")

        h.sink.on_data = stop
        h.send()
        found = books(h)
        assert (found.pending, found.uncertain, row(h).state) == (0, 0, "sent")
        assert 0 < found.sent < len(READERS)
        assert found.sent + found.excluded == len(READERS)
        with h.app.database.read() as connection:
            assert set(outbox.reasons(connection, EDITION)) == {("excluded", "stopped by Bo: the wrong week")}
        number = len(digests(h))
        h.clock.now += 60 * MINUTE
        h.send(EDITION)
        assert len(digests(h)) == number


def test_stop_of_a_paused_edition(tmp_path: Path) -> None:
    """What is on hold can be stopped as well; what has gone out, or has not begun, cannot."""
    with house(tmp_path) as h:
        _stocked(h, "one@example.org", "two@example.org")
        with pytest.raises(RefusedError, match="not going out"):
            pausing.stop(h.app, EDITION, by="Bo")
        h.sink.faults = {"*": Fault("mail", "550 5.7.1 you may not send here")}
        h.send()
        assert row(h).state == "paused"
        assert pausing.stop(h.app, EDITION, by="Bo").state == "sent"
        assert books(h).excluded == 2
        with pytest.raises(RefusedError, match="not going out"):
            pausing.stop(h.app, EDITION, by="Bo")


def test_dry_run_names_everything(tmp_path: Path) -> None:
    """Each rendition by the names of its regions with its subject; a region that is gone is named; nothing is sent."""
    changes = {"staff": {"seeds": ["desk@example.com"]}, "smtp": {"rate": "60/min", "spread": "2h"}}
    with house(tmp_path, changes=changes) as h:
        h.subscribe(("a@example.org", ()), ("b@example.org", ("africa",)), ("c@example.org", ("africa", "atlantis")))
        h.subscribe(("d@example.org", ("asia",)))
        h.publish(*(h.article(n) for n in range(3)))
        h.ready()
        plan = dry_run(h.app, None)
        said = plan.sentence()
        assert plan.readers["everything"] == 1
        assert plan.readers["Africa"] == 1
        assert plan.readers["Africa (chose atlantis too, which is no region now)"] == 1
        assert all(mailing.subject for mailing in plan.mailings)
        assert sum(plan.excluded.values()) == 1
        assert (plan.seconds, plan.bound) == (7200, "[smtp] spread")
        assert "about 2 h 00 min" in said
        assert "desk@example.com" in said
        assert plan.mailings[0].subject in said
        assert mails(h) == []


def test_dry_run_of_what_has_begun_counts_who_waits(tmp_path: Path, database_url: str) -> None:
    """A slow provider takes as long as its readers who wait for the edition: not those who came since, or get none."""
    with house(tmp_path, database_url=database_url, changes={"smtp": {"rates": {"example.net": "1/min"}}}) as h:
        _stocked(h, *READERS[:7])  # three of them at example.net
        reason = "the rate of example.net in [smtp] rates"
        before = dry_run(h.app, EDITION)
        assert (before.seconds, before.bound) == (180, reason)
        starting.start(h.app, row(h))
        h.subscribe(("late@example.net", ()))
        begun = dry_run(h.app, EDITION)
        assert (begun.seconds, begun.bound) == (180, reason)
        pausing.stop(h.app, EDITION, by="Bo")
        assert dry_run(h.app, EDITION).seconds == 0
