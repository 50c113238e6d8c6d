"""What each reader received is, octet by octet, what the ledger's hash says; signed, returnable, fit for the wire."""

from __future__ import annotations

import email
import email.policy
import re
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from digest.delivery import signing_keys, verp
from digest.delivery.canonical import split_fields
from digest.delivery.message import verify
from digest.delivery.tables import DELIVERY, deliveries, delivery_of
from digest.post_office import sending
from digest.post_office.mail import compiled_mail
from digest.rendering import store as renditions
from tests.support.dkim import dkimpy_verifies, records
from tests.support.house import House, house
from tests.support.smtp import Fault, Received, Sink

PAST = datetime(2024, 3, 7, 22, 0, tzinfo=UTC)
"""A Thursday; no verifier takes a signature of the future."""
RETURNED: dict[str, Any] = {"bounces": {"address": "bounces@back.news.example.org"}}
READERS = ("one@example.org", "two@example.org", "three@example.org")


@pytest.fixture
def signing(tmp_path: Path) -> dict[str, Any]:
    for kind in ("rsa", "ed25519"):
        signing_keys.make(tmp_path / f"{kind}.pem", kind)
    keys = [{"selector": kind, "key_file": str(tmp_path / f"{kind}.pem")} for kind in ("rsa", "ed25519")]
    return {**RETURNED, "dkim": {"keys": keys}}


def ready(h: House, *readers: str, **article: Any) -> str:
    h.subscribe(*((address, ()) for address in readers or READERS))
    h.publish(*(h.article(number) for number in range(3)), h.article(9, **article))
    return h.ready()


def ledger(h: House) -> dict[str, tuple[str, str]]:
    """Status and content hash by address."""
    with h.app.database.read() as connection:
        rows = connection.execute(
            sa.select(deliveries.c.address, deliveries.c.status, deliveries.c.content_hash).where(
                deliveries.c.mail == "digest"
            )
        )
        return {row.address: (row.status, row.content_hash) for row in rows}


def hash_of(h: House, one: Received, address: str = "") -> str | None:
    """What the message itself says, with the rendition that is stored."""
    with h.app.database.read() as connection:
        row = connection.execute(sa.select(*DELIVERY).where(deliveries.c.address == (address or one.recipient))).one()
        delivery = delivery_of(row)
        return verify(one.data, compiled_mail(h.app, renditions.load(connection, delivery.rendition), delivery))


def digests(h: House) -> list[Received]:
    return [one for one in h.sink.received if one.recipient != "editors@example.org"]


def parsed(one: Received) -> EmailMessage:
    made = email.message_from_bytes(one.data, policy=email.policy.default)
    assert isinstance(made, EmailMessage)
    assert not made.defects
    return made


def test_the_ledger_says_what_left(tmp_path: Path, database_url: str, signing: dict[str, Any]) -> None:
    """Every digest in the sink is the one that its row's hash tells, and both of its signatures hold."""
    with house(tmp_path, now=PAST, database_url=database_url, changes=signing) as h:
        ready(h)
        assert h.send().books.sent == len(READERS)
        said = ledger(h)
        assert sorted(said) == h.digests() == sorted(READERS)
        assert len({content_hash for _, content_hash in said.values()}) == len(READERS)
        signer = h.app.signer
        assert signer is not None
        for one in digests(h):
            assert ("sent", hash_of(h, one)) == said[one.recipient]
            assert dkimpy_verifies(one.data, records(signer), 0)
            assert not dkimpy_verifies(one.data.replace(b"Unsubscribe", b"Unsubscribed"), records(signer), 0)


def test_each_comes_back_to_its_own_address(tmp_path: Path, signing: dict[str, Any]) -> None:
    """The envelope sender tells the delivery, the mailto the reader, https stands first; staff's likewise."""
    with house(tmp_path, now=PAST, changes=signing) as h:
        ready(h)
        h.send()
        path = h.app.return_path
        assert path is not None
        with h.app.database.read() as connection:
            rows = connection.execute(sa.select(deliveries.c.id, deliveries.c.address, deliveries.c.subscriber)).all()
        for one in h.sink.received:
            number = verp.read(path, "bounce", one.sender)
            (row,) = [row for row in rows if row.id == number]
            assert row.address == one.recipient
            if row.subscriber is not None:
                https, mailto = str(parsed(one)["List-Unsubscribe"]).strip().split(", ")
                assert https.startswith("<https://")
                leaving = re.fullmatch(r"<mailto:([^?]+)\?subject=unsubscribe>", mailto)
                assert leaving is not None
                assert verp.read(path, "leave", leaving[1]) == row.subscriber


def test_without_a_bounce_address(tmp_path: Path) -> None:
    """Where nothing reads what comes back, the envelope sender is From's, and there is only the https way to leave."""
    with house(tmp_path) as h:
        ready(h)
        h.send()
        for one in digests(h):
            assert one.sender == "roundup@news.example.org"
            assert "mailto:" not in str(parsed(one)["List-Unsubscribe"])
            assert ("sent", hash_of(h, one)) == ledger(h)[one.recipient]


def test_what_was_in_flight(tmp_path: Path) -> None:
    """A mail whose fate is unknown has the hash of what went; one that was refused before its body has none."""
    faults = {READERS[0]: Fault("lost", "drop"), READERS[1]: Fault("rcpt", "550 5.1.1 user unknown")}
    with house(tmp_path, sink=Sink(faults=faults)) as h:
        ready(h)
        h.send()
        (kept,) = [one for one in digests(h) if one.recipient == READERS[0]]
        assert ledger(h)[READERS[0]] == ("uncertain", hash_of(h, kept))
        assert ledger(h)[READERS[1]] == ("failed", "")


def test_a_retry_is_the_same_mail(tmp_path: Path, signing: dict[str, Any]) -> None:
    """What is sent again, an hour later and signed anew, is the same octet by octet below its signatures."""
    with house(tmp_path, now=PAST, changes=signing, sink=Sink(faults={READERS[0]: Fault("lost", "drop", 1)})) as h:
        ready(h)
        h.send()
        _, before = ledger(h)[READERS[0]]
        h.clock.now += timedelta(hours=1)
        with h.app.database.begin() as connection:
            from digest.delivery import store

            (doubtful,) = store.uncertain(connection)
            store.resolve(connection, [doubtful.delivery.id], "resend", now=h.clock.now)
        sending.deliver(h.app)
        first, second = (one for one in digests(h) if one.recipient == READERS[0])
        assert first.sender == second.sender
        assert ledger(h)[READERS[0]] == ("sent", before)
        unsigned = [b"".join(part for part in split_fields(one.data.partition(b"\r\n\r\n")[0] + b"\r\n")
                             if not part.startswith(b"DKIM")) + one.data.partition(b"\r\n\r\n")[2]
                    for one in (first, second)]  # fmt: skip
        assert unsigned[0] == unsigned[1]
        assert first.data != second.data


def test_an_unusable_key_stops_it_before_it_begins(tmp_path: Path, signing: dict[str, Any]) -> None:
    """A key that others can read holds the edition: not one delivery is written."""
    with house(tmp_path, now=PAST, changes=signing) as h:
        ready(h)
        (tmp_path / "rsa.pem").chmod(0o644)
        with pytest.raises(Exception, match="chmod 600"):
            h.send()
        assert ledger(h) == {}
        assert h.digests() == []


LONG = "https://observatory.example.org/" + "a/very-long-way-" * 60 + "end"


def test_the_odd_ones_arrive_right(tmp_path: Path, signing: dict[str, Any]) -> None:
    """An emoji in the subject, a line that begins with a dot, a URL of 1,000 characters, an international domain and an
    address that needs SMTPUTF8: each as it was meant, on lines that RFC 5322 allows."""
    readers = ("reader@bücher.example.org", "żaneta@example.org")
    odd = Sink(extensions=("PIPELINING", "SIZE 1000000", "8BITMIME", "SMTPUTF8"))
    with house(tmp_path, now=PAST, changes=signing, sink=odd) as h:
        h.subscribe(*((address, ()) for address in readers))
        title = "🕊 Peace, at last? “Żółć” 和平"
        text = ".hidden words begin with a dot here. And then they go on for a while."
        h.publish(h.article(9, title=title, link=LONG, description=text), *(h.article(n) for n in range(3)))
        h.ready()
        assert h.send().books.sent == 2
        assert h.digests() == ["reader@xn--bcher-kva.example.org", "żaneta@example.org"]
        assert len(LONG) > 990
        signer = h.app.signer
        assert signer is not None
        for one in digests(h):
            mail = parsed(one)
            body = mail.get_body(("plain",))
            html = mail.get_body(("html",))
            assert body is not None
            assert html is not None
            assert f"\n{LONG}\n" in body.get_content().replace("\r\n", "\n")
            assert LONG in html.get_content()
            assert ".hidden words" in body.get_content()
            assert title in body.get_content()
            assert "🕊" in str(mail["Subject"])
            assert str(mail["To"]) == one.recipient
            assert dkimpy_verifies(one.data, records(signer), 0)
            long = [line for line in one.data.split(b"\r\n") if len(line) > 78]
            assert all(re.fullmatch(rb" <mailto:[^ ]{1,200}>", line) for line in long)  # a URI is never broken
            assert not re.search(rb"(?<!\r)\n|\r(?!\n)|\0", one.data)
        utf8 = [command for command in h.sink.commands if command.startswith("MAIL") and "SMTPUTF8" in command]
        assert len(utf8) == 1


def test_an_international_publication(tmp_path: Path, signing: dict[str, Any]) -> None:
    """A publication whose own domain is international sends, signs and takes back under its A-labels."""
    ours = {
        "publication": {"from": "Bücher <rundbrief@bücher.example.org>"},
        "bounces": {"address": "zurueck@bücher.example.org"},
    }
    with house(tmp_path, now=PAST, changes={**signing, **ours}) as h:
        ready(h)
        assert h.send().books.sent == len(READERS)
        signer, path = h.app.signer, h.app.return_path
        assert signer is not None
        assert path is not None
        assert signer.domain == "xn--bcher-kva.example.org"
        for one in digests(h):
            assert str(parsed(one)["Message-ID"]).endswith("@xn--bcher-kva.example.org>")
            assert one.sender.endswith("@xn--bcher-kva.example.org")
            assert verp.read(path, "bounce", one.sender) is not None
            assert dkimpy_verifies(one.data, records(signer), 0)
