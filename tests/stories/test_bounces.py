"""What comes back changes who is mailed, and only by the word of whoever got our mail."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest

from digest import audience
from digest.bounces import store as bounces
from digest.bounces.model import Kind
from digest.editions import store as editions
from digest.post_office import pausing, returned, returns
from digest.post_office.hooks import hooks
from digest.post_office.returns import Taken
from subscribers.model import Status
from tests.support import hooks as calls
from tests.support.house import House, house
from tests.support.returned import RETURN, complaint, dsn, leaving
from tests.support.smtp import Fault
from tests.support.stories import words_to_staff
from tests.support.workspace import PATIENCE, workspace

READER = "reader@example.org"
BOUNCES: Mapping[str, Any] = {"bounces": {"address": RETURN}, "schedule": {"skip": []}}
MARK = timedelta(minutes=1)


@pytest.fixture
def h(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path, changes=BOUNCES) as made:
        made.subscribe((READER, ()), ("other@example.org", ()))
        made.publish(*(made.article(n) for n in range(3)))
        yield made


def sent(h: House) -> str:
    """An edition has gone out."""
    slug = h.ready()
    h.send(slug)
    return slug


def next_week(h: House) -> str:
    """A week later another has gone out."""
    h.clock.now += timedelta(weeks=1)
    first = len(h.items)
    h.publish(*(h.article(n) for n in range(first, first + 3)))
    slug = h.ready()
    h.send(slug)
    return slug


def address_of(h: House, slug: str, reader: str = READER) -> str:
    """The return address of a reader's mail, as the relay was told it."""
    return next(mail.sender for mail in reversed(h.sink.received) if mail.recipient == reader)


def comes_back(h: House, slug: str, status: str = "5.1.1", said: str = "no such user", reader: str = READER) -> Taken:
    to = address_of(h, slug, reader)
    raw = dsn(status, f"smtp; {status[0]}50 {status} {said}", to=to, Message_ID=f"<{slug}.{status}@mx.example.org>")
    return returns.take_mail(h.app, raw, source="maildir")


def status(h: House, reader: str = READER) -> Status:
    return audience.find(h.app, reader).status


def test_a_hard_bounce_suppresses_at_once(h: House) -> None:
    """Whose address does not exist gets no other mail, and stays out of an import."""
    taken = comes_back(h, sent(h))
    assert (taken.kind, taken.verdict) == (Kind.BOUNCE, "hard")
    assert status(h) is Status.SUPPRESSED
    assert status(h, "other@example.org") is Status.ACTIVE
    next_week(h)
    assert h.digests().count(READER) == 1


def test_what_the_relay_says_at_once_counts_in_the_same_way(h: House) -> None:
    """Two refusals in the session, a week apart, are the same two words."""
    h.sink.faults[READER] = Fault("rcpt", "550 5.2.1 the mailbox is disabled")
    sent(h)
    assert status(h) is Status.ACTIVE
    next_week(h)
    assert status(h) is Status.SUPPRESSED


def test_the_session_and_the_mailbox_share_one_score(h: House) -> None:
    """One refusal in the session and one bounce a week later are two."""
    h.sink.faults[READER] = Fault("rcpt", "550 5.2.1 the mailbox is disabled", times=1)
    sent(h)
    comes_back(h, next_week(h), "5.2.1", "account is disabled")
    assert status(h) is Status.SUPPRESSED


def test_postmark_names_the_mail_by_what_it_carried(tmp_path: Path) -> None:
    """From the wire to the webhook: what a mail of last week's carried comes back in Postmark's call, and that mail has
    bounced, not the last one. Without the webhook nothing is carried."""
    with house(tmp_path, changes=BOUNCES) as h:
        h.subscribe((READER, ()))
        h.publish(*(h.article(n) for n in range(3)))
        sent(h)
        assert not any(b"X-PM-" in mail.data for mail in h.sink.received)
    (tmp_path / "postmark").write_text(calls.LOGIN)
    over = {"bounces": {"address": RETURN, "webhooks": {"postmark_file": str(tmp_path / "postmark")}}}
    folder = tmp_path / "second"
    folder.mkdir()
    with house(folder, changes={**BOUNCES, **over}) as h:
        h.subscribe((READER, ()))
        h.publish(*(h.article(n) for n in range(3)))
        slug = sent(h)
        mail = next(message_from_bytes(one.data) for one in h.sink.received if one.recipient == READER)
        next_week(h)
        carried = {"message-id": mail["X-PM-Metadata-message-id"]}
        body = calls.postmark(email=READER, details="smtp;550 5.1.1 no such user", Metadata=carried)
        headers = {name.lower(): value for name, value in calls.login().items()}
        assert hooks(lambda: h.app).called("postmark", headers, body)[0] == 200
        (one,) = returned.listed(h.app, limit=9)
        with h.app.database.read() as connection:
            bounced = bounces.delivery(connection, one.delivery or 0)
        assert bounced is not None
        assert (bounced.key, bounced.message_id) == (slug, mail["Message-ID"])
        assert status(h) is Status.SUPPRESSED


def test_a_mail_to_the_leaving_address_leaves(h: House) -> None:
    """The mailto: way out needs no words: its address says who leaves, and what waits in the outbox is taken out."""
    sent(h)
    mail = next(one for one in h.sink.received if one.recipient == READER)
    found = re.search(rb"mailto:([^?>]+)", mail.data.replace(b"\r\n ", b""))
    assert found is not None, "List-Unsubscribe has its mailto:"
    to = found[1].decode()
    taken = returns.take_mail(h.app, leaving(to, sender="someone@else.example.org"), source="lmtp")
    assert (taken.kind, taken.why) == (Kind.LEAVE, "left by mail")
    assert status(h) is Status.LEFT
    next_week(h)
    assert h.digests().count(READER) == 1


def test_complaints_stop_the_edition_and_staff_resume_it(tmp_path: Path) -> None:
    """Over a thousandth, and more than two: the rest waits, staff hear why, and their word is not overruled by the
    next complaint."""
    with house(tmp_path, changes=BOUNCES) as h:
        readers = [f"reader-{n}@example.org" for n in range(8)]
        h.subscribe(*((reader, ()) for reader in readers), ("late@slow.example.org", ()))
        h.publish(*(h.article(n) for n in range(3)))
        h.sink.faults["late@slow.example.org"] = Fault("rcpt", "451 4.7.1 greylisted")
        slug = sent(h)
        for reader in readers[:2]:
            returns.take_mail(h.app, complaint(return_path=address_of(h, slug, reader)), source="imap")
        assert state(h, slug) == "sending"
        returns.take_mail(h.app, complaint(return_path=address_of(h, slug, readers[2])), source="imap")
        assert state(h, slug) == "paused"
        assert f"{slug} is paused" in " ".join(words_to_staff(h))
        h.clock.now += MARK
        pausing.resume(h.app, slug)
        h.clock.now += MARK
        returns.take_mail(h.app, complaint(return_path=address_of(h, slug, readers[3])), source="imap")
        assert state(h, slug) == "sending"


def state(h: House, slug: str) -> str:
    with h.app.database.read() as connection:
        return editions.head_of(connection, slug).state


def test_the_service_reads_the_mailbox_by_itself(tmp_path: Path) -> None:
    """`digest serve` finds a bounce in the maildir, and its reader is suppressed without anybody's hand."""
    box = tmp_path / "mail"
    for part in ("new", "cur", "tmp"):
        (box / part).mkdir(parents=True)
    with workspace(tmp_path, changes={**BOUNCES, "bounces": {"address": RETURN, "maildir": str(box)}}) as w:
        w.subscribe(1)
        w.publish(4)
        w.ready()
        assert w.run("send", "--now")[0] == 0
        to = next(one.sender for one in w.sink.received if one.recipient == "reader-0@example.org")
        (box / "new" / "1795788000.M1.mx").write_bytes(dsn(to=to))
        process = w.start("serve")
        try:
            until = time.monotonic() + PATIENCE
            while list((box / "new").iterdir()) and time.monotonic() < until:
                time.sleep(0.05)
        finally:
            process.terminate()
            process.communicate(timeout=PATIENCE)
        with w.app() as app:
            assert audience.find(app, "reader-0@example.org").status is Status.SUPPRESSED
