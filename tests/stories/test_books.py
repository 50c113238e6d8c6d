"""Everyone once, and the books balance: promise 7, reconciling, pausing; and what must not be sent at all."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from digest.delivery import tables
from digest.errors import RefusedError, UsageError
from digest.newsroom import editing
from digest.post_office import pausing, sending
from digest.post_office.dry_run import dry_run
from digest.post_office.reconcile import reconcile
from subscribers import store as subscribers
from tests.support.house import House, house
from tests.support.smtp import DROP, Fault, Sink
from tests.support.stories import EDITION, MINUTE, another_app, books, digests, mails, row, words_to_staff

DOUBT = ("one@example.org", "two@example.org", "three@example.org")


def _stocked(h: House, *readers: str) -> None:
    h.subscribe(*((reader, ()) for reader in readers))
    h.publish(*(h.article(n) for n in range(3)))
    h.ready()


def _doubtful(h: House) -> list[int]:
    """Three mails lost after the final dot (the relay has two of them, though), and one that went well."""
    h.sink.faults = {
        "one@example.org": Fault("lost", DROP, times=1),
        "two@example.org": Fault("dot", DROP, times=1),
        "three@example.org": Fault("lost", DROP, times=1),
    }
    _stocked(h, *DOUBT, "fine@example.org")
    report = h.send()
    assert not report.finished
    assert "3 uncertain" in report.sentence(h.app.zone)
    found = books(h)
    assert (found.sent, found.uncertain, found.pending) == (1, 3, 0)
    listed = reconcile(h.app, EDITION).uncertain
    by_address = {one.address: one for one in listed}
    assert all(one.evidence for one in listed)
    return [by_address[address].id for address in DOUBT]


def test_uncertain_is_never_sent_again_by_itself(tmp_path: Path, database_url: str) -> None:
    """A mail whose fate is unknown stays as it is, however often `send` runs and however long one waits."""
    with house(tmp_path, database_url=database_url) as h:
        _doubtful(h)
        number = len(mails(h))
        for _ in range(3):
            h.clock.now += 60 * MINUTE
            h.send(EDITION)
        assert books(h).uncertain == 3
        assert [m for m in mails(h)[number:] if m.recipient in DOUBT] == []


def test_reconcile_settles_by_log_by_hand_and_by_resending(tmp_path: Path, database_url: str) -> None:
    """A relay's log, a person's word, a second sending: each settles one, and the books balance at every step."""
    with house(tmp_path, database_url=database_url) as h:
        one, two, three = _doubtful(h)
        with h.app.database.read() as connection:
            named = connection.execute(
                sa.select(tables.deliveries.c.message_id).where(tables.deliveries.c.id == one)
            ).scalar_one()
        log = tmp_path / "mail.log"
        log.write_text(
            "Nov 27 09:00:01 mx postfix/cleanup[1]: 4F2: message-id=<other@news.example.org>\n"
            f"Nov 27 09:00:02 mx postfix/cleanup[1]: 4F3A2: message-id={named}\n"
            "Nov 27 09:00:02 mx postfix/qmgr[1]: 4F3A2: from=<x@example.org>, size=9, nrcpt=1 (queue active)\n"
        )
        assert reconcile(h.app, EDITION, log=log).sent == 1
        assert (books(h).sent, books(h).uncertain) == (2, 2)
        assert reconcile(h.app, EDITION, sent=(three,)).sent == 1
        assert (books(h).sent, books(h).uncertain) == (3, 1)
        again = reconcile(h.app, EDITION, resend=(two,))
        assert (again.resend, again.uncertain) == (1, ())
        assert books(h).pending == 1
        assert row(h).state == "sending"
        assert h.send(EDITION).finished
        assert row(h).state == "sent"
        assert books(h).sent == 4
        assert set(digests(h)) == {*DOUBT, "fine@example.org"}


def test_a_line_that_rejects_settles_nothing(tmp_path: Path) -> None:
    """A log that names a message to say that it was refused is no proof that it was accepted."""
    with house(tmp_path) as h:
        one, _, _ = _doubtful(h)
        with h.app.database.read() as connection:
            named = connection.execute(
                sa.select(tables.deliveries.c.message_id).where(tables.deliveries.c.id == one)
            ).scalar_one()
        log = tmp_path / "mail.log"
        log.write_text(
            f"Nov 27 09:00:02 mx postfix/cleanup[1]: 4F3A2: message-id={named}\n"
            "Nov 27 09:00:02 mx postfix/cleanup[1]: 4F3A2: milter-reject: END-OF-MESSAGE from us: 5.7.1 no\n"
        )
        assert reconcile(h.app, EDITION, log=log).sent == 0
        assert books(h).uncertain == 3


def test_reconcile_refuses_what_is_not_uncertain(tmp_path: Path) -> None:
    """An unknown number, two words on one, or a log that cannot be read: one clear error, and nothing is settled."""
    with house(tmp_path) as h:
        one, _, _ = _doubtful(h)
        with pytest.raises(UsageError, match="no uncertain delivery 999"):
            reconcile(h.app, EDITION, sent=(one, 999))
        with pytest.raises(UsageError, match=f"{one} is named as sent and to be sent again"):
            reconcile(h.app, EDITION, sent=(one,), resend=(one,))
        with pytest.raises(UsageError, match=r"nowhere\.log"):
            reconcile(h.app, EDITION, sent=(one,), log=tmp_path / "nowhere.log")
        assert books(h).uncertain == 3


def test_refused_for_now_is_sent_later_once(tmp_path: Path) -> None:
    """A mail that the relay defers goes at its next attempt, and the edition is open until then."""
    with house(tmp_path) as h:
        h.sink.faults = {"slow@example.org": Fault("rcpt", "451 4.7.1 greylisted", times=1)}
        _stocked(h, "slow@example.org", "fine@example.org")
        report = h.send()
        assert (report.deferred, report.state) == (1, "sending")
        assert report.next_due is not None
        h.clock.now = report.next_due + MINUTE
        assert h.send(EDITION).finished
        assert set(digests(h)) == {"slow@example.org", "fine@example.org"}


def test_a_hard_bounce_fails_and_suppresses(tmp_path: Path) -> None:
    """An address that does not exist counts as failed and is not a candidate of the next edition."""
    with house(tmp_path) as h:
        h.sink.faults = {"gone@example.org": Fault("rcpt", "550 5.1.1 no such user")}
        _stocked(h, "gone@example.org", "fine@example.org")
        assert h.send().finished
        assert (books(h).failed, books(h).sent) == (1, 1)
        assert dry_run(h.app, EDITION).readers == {}, "nobody is left who would get it"
        with h.app.database.read() as connection:
            assert subscribers.counts(connection) == {"active": 1, "suppressed": 1}


def test_pausing_stops_further_claims_and_resuming_goes_on(tmp_path: Path, database_url: str) -> None:
    """`hold` while an edition goes out stops it after what is in hand; `resume` sends the rest, everyone once."""
    readers = [f"reader{n}@example.org" for n in range(260)]
    with house(tmp_path, database_url=database_url) as h:
        _stocked(h, *readers)

        def pause(_recipient: str) -> None:
            h.sink.on_data = None
            editing.hold(h.app, EDITION, by="Bo", reason="a wrong photo")

        h.sink.on_data = pause
        report = h.send()
        assert report.state == "paused"
        found = books(h)
        assert 0 < found.sent < 260
        assert found.pending == 260 - found.sent
        with pytest.raises(RefusedError, match="paused: by Bo: a wrong photo"):
            h.send(EDITION)
        sending.deliver(h.app)
        assert books(h) == found
        assert sum(dry_run(h.app, EDITION).readers.values()) == found.pending, "those who have it get nothing more"
        pausing.resume(h.app, EDITION)
        assert h.send(EDITION).finished
        assert set(digests(h)) == set(readers)
        assert row(h).state == "sent"


def test_a_relay_that_refuses_us_pauses_the_edition(tmp_path: Path) -> None:
    """Where the relay turns us away nothing is lost: the edition is paused, staff are told, and it can go on."""
    with house(tmp_path) as h:
        h.sink.faults = {"*": Fault("mail", "550 5.7.1 you may not send here")}
        _stocked(h, "one@example.org", "two@example.org")
        report = h.send()
        assert report.stopped
        assert report.state == "paused"
        assert books(h).pending == 2
        h.sink.faults.clear()
        pausing.resume(h.app, EDITION)
        assert h.send(EDITION).finished
        assert set(digests(h)) == {"one@example.org", "two@example.org"}
        assert f"{EDITION} is paused" in words_to_staff(h)


def test_public_url_must_be_https_to_send(tmp_path: Path) -> None:
    """Without an https `public_url` nobody could leave by one click: a real relay gets nothing, the key is named."""
    with house(tmp_path) as h:
        plain = {"publication": {"public_url": "http://roundup.example.org"}}
        real = another_app(h, {**plain, "smtp": {"host": "relay.example.org"}})
        local = another_app(h, plain)
        h.subscribe(("one@example.org", ()))
        h.publish(*(h.article(n) for n in range(3)))
        House(local, h.clock, h.site, h.sink).ready()
        with pytest.raises(UsageError, match=r"\[publication\] public_url"):
            sending.send(real, EDITION, now=True)
        assert books(h).pending == 1
        assert row(h).state == "approved"
        assert sending.send(local, EDITION, now=True).finished


def test_message_ids_stay_the_same_on_every_attempt(tmp_path: Path) -> None:
    """A mail that is sent again by a person's word has the Message-ID and the Date of the first attempt."""
    sink = Sink(faults={"one@example.org": Fault("lost", DROP, times=1)})
    with house(tmp_path, sink=sink) as h:
        _stocked(h, "one@example.org")
        h.send()
        (doubt,) = reconcile(h.app, EDITION).uncertain
        reconcile(h.app, EDITION, resend=(doubt.id,))
        h.clock.now += 60 * MINUTE
        h.send(EDITION)
        first, second = (m.message for m in mails(h) if m.recipient == "one@example.org")
        assert first["Message-ID"] == second["Message-ID"] == doubt.message_id
        assert first["Date"] == second["Date"]
