"""RFC 8058, as the providers of mailboxes press it: odd requests, old links, keys that have been rotated."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from digest.post_office.reader_links import places_for
from subscribers import rotation
from subscribers import store as subscribers
from subscribers.model import Status
from tests.support.house import House, house
from tests.support.stories import another_app
from tests.web.test_reader_pages import link, pages

ANN = "ann@example.org"
MULTIPART = b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'


@pytest.fixture
def h(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path) as made:
        made.subscribe((ANN, ()), ("bo@example.org", ()))
        yield made


def status(h: House, address: str = ANN) -> Status:
    with h.app.database.read() as connection:
        found = subscribers.find(connection, address)
    assert found is not None
    return found.status


HEADERS = [
    {}, {"Origin": "https://mail.example.org", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"},
    {"Cookie": "session=1; other=%00; third"}, {"Origin": "null", "Referer": "https://mail.example.org/x"},
    {"Authorization": "Bearer x", "X-Forwarded-Host": "evil.example.org", "Host": "evil.example.org"},
    {"User-Agent": "", "Accept": "image/png", "Accept-Language": "\u0439".encode().decode("latin-1")},
]  # fmt: skip
BODIES = [
    ("application/x-www-form-urlencoded", b"List-Unsubscribe=One-Click"),
    ("multipart/form-data; boundary=b", MULTIPART),
    ("application/x-www-form-urlencoded", b"List-Unsubscribe=Two-Clicks&a=%ff%fe"),
    ("multipart/form-data; boundary=other", MULTIPART[:20]),
    ("text/plain", bytes(range(256))),
]


def test_every_way_to_press(h: House) -> None:
    """Both encodings, odd bodies, any Origin, any cookie, again and again: 200 each time, and nothing but 200."""
    with pages(h.app) as http:
        path = link(h, ANN, "UNSUBSCRIBE")
        for headers in HEADERS:
            for kind, body in BODIES:
                sent = {name: value.encode("latin-1") for name, value in {**headers, "Content-Type": kind}.items()}
                answer = http.post(path, content=body, headers=sent)  # type: ignore[arg-type]
                assert (answer.status_code, status(h)) == (200, Status.LEFT)
                assert not {"set-cookie", "location", "refresh"} & set(answer.headers)
        assert status(h, "bo@example.org") is Status.ACTIVE


def test_looking_at_it(h: House) -> None:
    """GET, HEAD, OPTIONS and the rest change nothing, and those that are not there say which are."""
    with pages(h.app) as http:
        path = link(h, ANN, "UNSUBSCRIBE")
        for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "PROPFIND"):
            answer = http.request(method, path, headers={"List-Unsubscribe": "One-Click", "Purpose": "prefetch"})
            if method in ("GET", "HEAD"):
                assert answer.status_code == 200
            else:
                assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, POST")
            assert status(h) is Status.ACTIVE


def test_a_link_of_three_years_ago(h: House) -> None:
    """A link outlives three years and three rotations of the keys; the newest link works beside it."""
    old = link(h, ANN, "UNSUBSCRIBE")
    path = h.app.config.key_path()
    for _ in range(3):
        h.clock.now += timedelta(days=365)
        rotation.rotate(path)
    h.app = another_app(h)  # a process that was started since
    new = link(h, ANN, "UNSUBSCRIBE")
    assert (old.split("-")[0], new.split("-")[0]) == ("/u/1", "/u/4")
    with pages(h.app) as http:
        assert http.get(old).status_code == http.get(new).status_code == 200
        assert http.post(old, content=b"List-Unsubscribe=One-Click").status_code == 200
    assert status(h) is Status.LEFT


def test_guessing(h: House) -> None:
    """Thousands of guesses near a real link open nothing: a link of somebody else cannot be made from one's own."""
    with h.app.database.read() as connection:
        reader = subscribers.find(connection, ANN)
    assert reader is not None
    real = places_for(h.app, reader)["UNSUBSCRIBE"].rsplit("/", 1)[1]
    with pages(h.app) as http:
        for place in range(len(real)):
            guess = real[:place] + ("A" if real[place] != "A" else "B") + real[place + 1 :]
            assert http.post(f"/u/{guess}", content=b"List-Unsubscribe=One-Click").status_code == 404
    assert status(h) is Status.ACTIVE
    assert httpx2.URL(places_for(h.app, reader)["UNSUBSCRIBE"]).scheme == "https"
