"""The same input gives the same bytes, and nothing in them watches the reader: promises 11 and 13."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from digest.newsroom import preview
from digest.post_office.content import content_hash, rendition
from digest.rendering import store as renditions
from tests.support.house import House, house
from tests.support.stories import COMPOSE, EDITION, WEEK, Read, another_app, digests, pull, row

PERSONAL = re.compile(r"/(u|p)/[\w-]+")


def _sent(h: House) -> None:
    h.subscribe(("one@example.org", ()), ("two@example.org", ()), ("asia@example.org", ("asia",)))
    h.publish(
        *(
            h.article(n, region=("africa", "asia")[n % 2], image=f"https://observatory.example.org/{n}.jpg")
            for n in range(4)
        )
    )
    h.ready()
    h.send()


def test_a_past_edition_is_rebuilt_to_the_byte(tmp_path: Path, database_url: str) -> None:
    """Weeks later, after the feed has changed, every rendition of an edition is made again with the same hash."""
    with house(tmp_path, database_url=database_url) as h:
        _sent(h)
        h.items[:] = [h.article(1, title="All is different now")]
        h.serve_feed()
        pull(h, COMPOSE + 5 * WEEK)
        again = another_app(h)
        with again.database.read() as connection:
            stored = renditions.for_edition(connection, EDITION)
            assert set(stored) == {(), ("asia",)}
            for choice, digest in stored.items():
                made = rendition(again, row(h).edition, choice)
                assert made is not None
                assert made.hash == digest
                assert made == renditions.load(connection, digest)
        assert content_hash(again, row(h).edition) == row(h).approved_hash


def test_two_houses_make_the_same_bytes(tmp_path: Path) -> None:
    """The same feed on two machines gives the same renditions."""
    hashes = []
    for number in range(2):
        folder = tmp_path / str(number)
        folder.mkdir()
        with house(folder) as h:
            h.publish(*(h.article(n) for n in range(3)))
            h.ready()
            made = rendition(h.app, row(h).edition)
            assert made is not None
            hashes.append(made.hash)
    assert hashes[0] == hashes[1]


def test_the_preview_is_what_goes_out(tmp_path: Path) -> None:
    """But for the personal places the mail is the previewed one."""
    with house(tmp_path) as h:
        _sent(h)
        shown = preview.make(h.app, EDITION)
        assert digests(h)["one@example.org"].subject == shown.rendition.subject
        with h.app.database.read() as connection:
            assert renditions.for_edition(connection, EDITION)[()] == shown.rendition.hash


def _plain(mail: Read) -> tuple[str, str, str]:
    return mail.subject, PERSONAL.sub("/PLACE", mail.html), PERSONAL.sub("/PLACE", mail.text)


def test_only_the_personal_links_differ(tmp_path: Path) -> None:
    """Two readers of one choice have the same mail, byte for byte, but for unsubscribe and preferences."""
    with house(tmp_path) as h:
        _sent(h)
        one, two = (digests(h)[f"{name}@example.org"] for name in ("one", "two"))
        assert one.html != two.html
        assert _plain(one) == _plain(two)


def test_nothing_watches_the_reader(tmp_path: Path) -> None:
    """No pixel, no script, no link by which a click could be told: only leaving and choosing know the reader."""
    with house(tmp_path) as h:
        _sent(h)
        for mail in digests(h).values():
            for tag in re.findall(r"<img[^>]*>", mail.html):
                assert 'width="1"' not in tag
                assert 'height="1"' not in tag
                source = re.search(r'src="([^"]+)"', tag)
                assert source is not None
                assert urlsplit(source[1]).hostname == "observatory.example.org"
                assert not urlsplit(source[1]).query
            assert "<script" not in mail.html
            assert "url(" not in mail.html
            articles = [u for u in re.findall(r'href="([^"]+)"', mail.html) if "observatory.example.org" in u]
            assert articles
            assert not any("utm_" in url or "redirect" in url for url in articles)
            ours = {u for u in re.findall(r'href="(https://roundup\.[^"]+)"', mail.html) if "/e/" not in u}
            assert {urlsplit(url).path.split("/")[1] for url in ours} <= {"u", "p"}
            assert mail.recipient not in mail.html + mail.text


def test_a_week_apart_the_same_edition_is_the_same(tmp_path: Path) -> None:
    """The hour at which an edition is rendered does not show in it."""
    with house(tmp_path) as h:
        _sent(h)
        made = rendition(h.app, row(h).edition)
        h.clock.now += timedelta(days=7)
        assert rendition(another_app(h), row(h).edition) == made
