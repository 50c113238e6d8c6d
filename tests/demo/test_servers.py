"""The demo's web site, readers and mailbox, over real connections."""

from __future__ import annotations

import smtplib
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path

import httpx2
from email_validator import validate_email

from digest.config import bundled
from digest.demo.inbox import Inbox
from digest.demo.readers import REGIONS, readers
from digest.demo.server import serve

NOW = datetime(2026, 11, 26, 15, tzinfo=UTC)


def test_every_feed_is_served_with_an_etag() -> None:
    """Each address answers 200, then 304 to its own ETag; another moment is another ETag; what is not there is 404."""
    with serve(NOW) as server, httpx2.Client(trust_env=False) as client:
        for url in [feed["url"] for feed in server.feeds()] + [server.calendar_url, f"{server.url}/photos/dunes.jpg"]:
            first = client.get(url)
            assert first.status_code == 200
            again = client.get(url, headers={"If-None-Match": first.headers["etag"]})
            assert (again.status_code, again.content) == (304, b"")
        now = client.get(f"{server.url}/feed/")
        asked = client.get(f"{server.url}/feed/", params={"at": (NOW - timedelta(days=8)).isoformat()})
        server.set_now(NOW - timedelta(days=8))
        then = client.get(f"{server.url}/feed/", headers={"If-None-Match": now.headers["etag"]})
        assert then.status_code == 200
        assert then.content == asked.content != now.content
        for path in ("/", "/photos/none.jpg", "/photos/../content.py", "/reading/none.xml", "/feed/?at=yesterday"):
            assert client.get(server.url + path).status_code == 404


def test_the_servers_tables_are_a_configuration() -> None:
    """What the server says of its feeds goes over the example as it is."""
    with serve(NOW) as server:
        config = bundled(overrides={"feeds": server.feeds(), "events": {"calendar": server.calendar_url}})
    assert [feed.role for feed in config.feed_list()] == ["articles", "articles", "reading", "reading"]
    assert tuple(region.slug for region in config.region_list()) == REGIONS


def test_readers_are_many_and_always_the_same() -> None:
    """As many as asked for, each with a valid address of its own on an example domain, and every choice among them."""
    made = list(readers(200))
    assert made == list(readers(200))
    assert len({address for address, _, _ in made}) == 200
    for address, name, _ in made:
        assert validate_email(address, check_deliverability=False).domain.startswith("example.")
        assert name
    chosen = {regions for _, _, regions in made}
    assert () in chosen
    assert all(pair in chosen for count in range(1, 6) for pair in combinations(REGIONS, count))
    few = [regions for _, _, regions in readers(6)]
    assert set(few) == {(), *((region,) for region in REGIONS)}


def test_the_inbox_keeps_every_byte(tmp_path: Path) -> None:
    """A message is kept exactly as it came over the wire, one file a recipient, staff apart, nothing half written."""
    message = b"Subject: =?utf-8?q?Caf=C3=A9?=\r\n\r\n.dot\r\ncaf\xc3\xa9 " + b"x" * 900 + b"\r\n"
    with Inbox(tmp_path / "inbox", tmp_path / "staff", {"Editors@example.org"}) as inbox:
        with smtplib.SMTP(inbox.host, inbox.port, timeout=10) as client:
            client.sendmail("a@example.org", ["reader@example.org"], message)
            client.sendmail("a@example.org", ["editors@example.org"], message)
            client.sendmail("a@example.org", ["../etc/x@example.org"], message)
        hanging = smtplib.SMTP(inbox.host, inbox.port, timeout=10)
        hanging.ehlo()
        assert inbox.received == 3
    hanging.close()
    assert sorted(p.name for p in (tmp_path / "inbox").iterdir()) == [
        "0001-reader@example.org.eml",
        "0002-.._etc_x@example.org.eml",
    ]
    assert (tmp_path / "inbox/0001-reader@example.org.eml").read_bytes() == message
    assert (tmp_path / "staff/0001-editors@example.org.eml").read_bytes() == message
