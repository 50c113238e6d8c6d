"""Leaving, coming back and choosing regions, over real HTTP and a real database."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from digest.database import Database
from subscribers import erasure, store, suppression, tokens
from subscribers.model import Status, Subscriber
from tests.support.databases import create_all
from tests.support.subscribers import KEYS, NOW, Site, add_reader, consents_of, running, status_of

ONE_CLICK = "List-Unsubscribe=One-Click"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    database = Database(f"sqlite:///{tmp_path / 'digest.sqlite3'}")
    create_all(database)
    yield Site(database)
    database.close()


@pytest.fixture
def http(site: Site) -> Iterator[httpx2.Client]:
    with running(site) as server, httpx2.Client(base_url=server.url, trust_env=False, timeout=20) as client:
        yield client


@pytest.fixture
def ann(site: Site) -> Subscriber:
    return add_reader(site.database, "ann@example.org", ["africa", "asia"])


def link(reader: Subscriber, purpose: tokens.Purpose) -> str:
    letter = {"unsubscribe": "u", "preferences": "p"}[purpose]
    return f"/{letter}/{tokens.make(KEYS, purpose, reader.id)}"


FORM = "application/x-www-form-urlencoded"
BODIES = {
    "urlencoded": (FORM, ONE_CLICK.encode()),
    "multipart": ("multipart/form-data; boundary=b",
                  b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'),
    "broken multipart": ("multipart/form-data", b"--nothing of the kind"),
    "nothing": ("", b""),
    "JSON": ("application/json", b'{"a": ['),
    "no text": (FORM, bytes(range(256))),
    "large": (FORM, b"x=" + b"y" * 3_000_000),
    "larger than we read": (FORM, b"y" * 20_000_000),
}  # fmt: skip


@pytest.mark.parametrize("kind", BODIES)
def test_one_click(http: httpx2.Client, site: Site, ann: Subscriber, kind: str) -> None:
    """One-click (RFC 8058) works with any body from anywhere: 200, at once, no redirect, no cookie; twice as once."""
    content_type, body = BODIES[kind]
    headers = {"Content-Type": content_type, "Origin": "https://mail.example.org", "Sec-Fetch-Site": "cross-site"}
    for _ in range(2):
        try:
            answer = http.post(link(ann, "unsubscribe"), content=body, headers=headers)
        except httpx2.TransportError:
            assert kind == "larger than we read"  # we hang up on it; the reader has left all the same
        else:
            assert answer.status_code == 200
            assert "set-cookie" not in answer.headers
            assert "location" not in answer.headers
        assert status_of(site.database, ann.id) is Status.LEFT
    assert consents_of(site.database, ann.id) == ["added", "left"]


def test_leaving_does_not_wait_for_the_body(http: httpx2.Client, site: Site, ann: Subscriber) -> None:
    """Somebody whose mail provider never finishes its request has left all the same."""
    where = urlsplit(str(http.base_url))
    with socket.create_connection((where.hostname or "", where.port or 0)) as line:
        head = f"POST {link(ann, 'unsubscribe')} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\nList-"
        line.sendall(head.encode())
        end = time.monotonic() + 3
        while status_of(site.database, ann.id) is Status.ACTIVE and time.monotonic() < end:
            time.sleep(0.02)
    assert status_of(site.database, ann.id) is Status.LEFT


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"])
def test_looking_changes_nothing(http: httpx2.Client, site: Site, ann: Subscriber, method: str) -> None:
    """Whatever a link scanner tries, short of posting the form, changes nothing."""
    token = tokens.make(KEYS, "preferences", ann.id)
    for path in (
        link(ann, "unsubscribe"),
        f"/p/{token}",
        f"/p/{token}/leave",
        f"/c/{token}",
        f"/p/{token}?region=europe",
    ):
        answer = http.request(method, path, params={"List-Unsubscribe": "One-Click"})
        assert answer.status_code in (200, 405)
        if answer.status_code == 405:
            there = {"POST"} if path.endswith("/leave") else {"GET", "HEAD", "POST"}
            assert set(answer.headers["allow"].split(", ")) == there
        assert "<script" not in answer.text
    assert consents_of(site.database, ann.id) == ["added"]


def test_by_hand(http: httpx2.Client, site: Site, ann: Subscriber) -> None:
    """The page of the link has a button; after it the page offers the way back, which works."""
    form = http.get(link(ann, "unsubscribe")).text
    assert f'action="{link(ann, "unsubscribe")}"' in form
    left = http.post(link(ann, "unsubscribe"), data={}).text
    back = f"/c/{tokens.make(KEYS, 'preferences', ann.id)}"
    assert f'action="{back}"' in left
    assert http.post(back).status_code == 200
    assert status_of(site.database, ann.id) is Status.ACTIVE


def test_choosing(http: httpx2.Client, site: Site, ann: Subscriber) -> None:
    """A choice is kept, in whatever order; all regions is no choice; none at all changes nothing and says so."""
    path = link(ann, "preferences")
    answer = http.post(path, data={"region": ["europe", "asia", "atlantis"]})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{path}?saved")

    def regions() -> tuple[str, ...]:
        with site.database.read() as connection:
            found = store.get(connection, ann.id)
            assert found
            return found.regions

    assert regions() == ("asia", "europe")
    page = http.get(f"{path}?saved").text
    assert [slug for slug in site.publication.region_names if f'value="{slug}" checked' in page] == ["asia", "europe"]
    for body in ({}, {"region": ["atlantis"]}):
        assert http.post(path, data=body or {"x": "y"}).status_code == 422
    assert regions() == ("asia", "europe")
    http.post(path, data={"region": list(site.publication.region_names)})
    assert regions() == ()


def test_leaving_from_the_choice(http: httpx2.Client, site: Site, ann: Subscriber) -> None:
    """The page of choices has a button to leave."""
    assert http.post(f"{link(ann, 'preferences')}/leave").status_code == 200
    assert status_of(site.database, ann.id) is Status.LEFT


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "https://roundup.example.org"},
        {"Origin": "https://elsewhere.example.org"},
        {"Origin": "https://roundup.example.org.elsewhere.example.org"},
    ],
)
def test_other_sites(http: httpx2.Client, site: Site, ann: Subscriber, headers: dict[str, str]) -> None:
    """No other site's form changes a choice or brings anybody back, whatever Host is claimed."""
    path = link(ann, "preferences")
    for target in (path, f"{path}/leave", path.replace("/p/", "/c/")):
        for host in ("roundup.example.org", "elsewhere.example.org"):
            answer = http.post(target, data={"region": "europe"}, headers=headers | {"Host": host})
            assert answer.status_code == 403
    assert consents_of(site.database, ann.id) == ["added"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "https://roundup.example.org"},
    ],
)
def test_our_own_form(http: httpx2.Client, ann: Subscriber, headers: dict[str, str]) -> None:
    """Our own form is taken as browsers old and new send it."""
    assert http.post(link(ann, "preferences"), data={"region": "europe"}, headers=headers).status_code == 303


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("text/plain", b"region=europe", 415),
        ("multipart/form-data; boundary=b", b"--b--", 415),
        (FORM, b"region=" + b"e" * 20_000, 413),
        (FORM, b"&".join([b"a=b"] * 600), 400),
        (FORM, b"region=\xff", 400),
    ],
)
def test_odd_forms(
    http: httpx2.Client, site: Site, ann: Subscriber, content_type: str, body: bytes, status: int
) -> None:
    """A choice that is not what our form sends is refused and changes nothing."""
    answer = http.post(link(ann, "preferences"), content=body, headers={"Content-Type": content_type})
    assert answer.status_code == status
    assert consents_of(site.database, ann.id) == ["added"]


def test_one_404(http: httpx2.Client, site: Site, ann: Subscriber) -> None:
    """Forged, malformed, another purpose's, an erased reader's: one and the same answer, by GET and by POST."""
    bo = add_reader(site.database, "bo@example.org")
    with site.database.begin() as connection:
        erasure.erase(connection, KEYS, "bo@example.org", at=NOW)
    good = tokens.make(KEYS, "unsubscribe", ann.id)
    bad = [
        good[:-1] + ("A" if good[-1] != "A" else "B"), "x", "%00", "a" * 5_000, "é", "1-",
        tokens.make(KEYS, "preferences", ann.id), tokens.make(KEYS, "unsubscribe", bo.id),
        tokens.make(KEYS, "unsubscribe", 10**9),
    ]  # fmt: skip
    pages = set()
    for token in bad:
        for answer in (http.get(f"/u/{token}"), http.post(f"/u/{token}", content=ONE_CLICK)):
            assert answer.status_code == 404
            pages.add(answer.text)
    other = tokens.make(KEYS, "unsubscribe", ann.id)
    for path in (f"/p/{other}", f"/c/{other}"):
        assert http.get(path).status_code == 404
        assert http.post(path, data={"region": "asia"}).status_code == 404
    assert len(pages) == 1
    assert consents_of(site.database, ann.id) == ["added"]


def test_suppressed(http: httpx2.Client, site: Site, ann: Subscriber) -> None:
    """Somebody whose address is suppressed can leave, and is not brought back by a click."""
    with site.database.begin() as connection:
        suppression.suppress(connection, KEYS, "ann@example.org", reason="complaint", at=NOW)
    assert http.post(link(ann, "unsubscribe"), content=ONE_CLICK).status_code == 200
    assert http.post(link(ann, "preferences").replace("/p/", "/c/")).status_code == 409
    assert status_of(site.database, ann.id) is Status.SUPPRESSED
