"""The publication's own systems subscribe, look up and unsubscribe readers; nobody else does."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from statistics import median

import httpx2
import pytest
import sqlalchemy as sa

from digest.post_office import api_keys
from subscribers import suppression, tables, wishes
from subscribers.model import Status
from tests.support.api import ApiHouse, api_house
from tests.support.command import run_here
from tests.support.subscribers import consents_of, status_of
from tests.support.workspace import workspace

CONSENT = {"text": "the form on https://example.org/fair", "at": "2026-11-01T10:00:00+01:00"}
SQL = "'; DROP TABLE subscribers; --"


@pytest.fixture
def at(tmp_path: Path, database_url: str) -> Iterator[ApiHouse]:
    with api_house(tmp_path, database_url=database_url) as made:
        yield made


@pytest.fixture
def here(tmp_path: Path) -> Iterator[ApiHouse]:
    """Where the database is of no matter."""
    with api_house(tmp_path) as made:
        yield made


def problem(answer: httpx2.Response, status: int) -> str:
    """The detail of an error, whose shape is looked at."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    found = answer.json()
    assert set(found) - {"errors"} == {"type", "title", "status", "detail"}
    assert (found["status"], found["type"]) == (status, "about:blank")
    assert answer.headers["cache-control"] == "no-store"
    return str(found["detail"])


def number_of(at: ApiHouse, address: str) -> int:
    with at.house.app.database.read() as connection:
        statement = sa.select(tables.subscribers.c.id).where(tables.subscribers.c.match_key == address)
        return int(connection.execute(statement).scalar_one())


def test_with_consent(at: ApiHouse) -> None:
    """With evidence of consent somebody is active at once, and the evidence is kept; again changes nothing."""
    body = {
        "address": "Ann@Example.org",
        "regions": ["asia", "africa"],
        "language": "fr",
        "name": "Ann",
        "consent": CONSENT,
    }
    made = at.post("", body)
    wanted = {
        "address": "Ann@example.org", "status": "active", "regions": ["africa", "asia"], "language": "fr",
        "name": "Ann", "since": "2026-11-01T09:00:00Z",
    }  # fmt: skip
    assert (made.status_code, made.json()) == (201, wanted)
    again = at.post("", body | {"regions": []})
    assert (again.status_code, again.json()) == (200, wanted)
    assert at.post("/lookup", {"address": "ann@EXAMPLE.org"}).json() == wanted
    assert consents_of(at.house.app.database, number_of(at, "ann@example.org")) == ["added"]


def test_without_consent(at: ApiHouse) -> None:
    """Without evidence nobody is subscribed: a wish waits to be asked by mail, with one answer for everybody."""
    at.post("", {"address": "known@example.org", "consent": CONSENT})
    answers = [at.post("", {"address": f"{who}@example.org", "regions": ["asia"]}) for who in ("known", "new", "abuse")]
    assert [answer.status_code for answer in answers] == [202] * 3
    assert {answer.json()["status"] for answer in answers} == {"asked"}
    assert at.post("/lookup", {"address": "new@example.org"}).status_code == 404
    with at.house.app.database.read() as connection:
        assert wishes.count(connection) == 3


def test_leaving(at: ApiHouse) -> None:
    """Unsubscribing is at once and the same twice; a list that is told every night brings nobody back."""
    at.post("", {"address": "ann@example.org", "consent": CONSENT})
    for _ in range(2):
        answer = at.post("/unsubscribe", {"address": "ANN@example.org"})
        assert (answer.status_code, answer.json()["status"]) == (200, "left")
    assert "left" in problem(at.post("", {"address": "ann@example.org", "consent": CONSENT}), 409)
    assert "left" in problem(at.post("", {"address": "ann@example.org", "consent": {"text": "the list"}}), 409)
    at.house.clock.now += timedelta(days=3)
    later = {"text": "a form", "at": (at.house.clock.now - timedelta(days=1)).isoformat()}
    assert at.post("", {"address": "ann@example.org", "consent": later}).status_code == 201
    number = number_of(at, "ann@example.org")
    assert status_of(at.house.app.database, number) is Status.ACTIVE
    assert consents_of(at.house.app.database, number) == ["added", "left", "added"]


def test_what_is_forbidden(at: ApiHouse) -> None:
    """Suppressed addresses, functions, addresses that cannot be and consent of tomorrow are refused in clear words."""
    app = at.house.app
    with app.database.begin() as connection:
        suppression.suppress(connection, app.keys, "hard@example.org", reason="bounced", at=app.now)
    for address, word in (
        ("Hard@example.org", "suppressed"), ("postmaster@example.org", "function"), ("ann@localhost", "no address"),
    ):  # fmt: skip
        assert word in problem(at.post("", {"address": address, "consent": CONSENT}), 409)
    tomorrow = {"text": "a form", "at": (app.now + timedelta(days=1)).isoformat()}
    assert "to come" in problem(at.post("", {"address": "ann@example.org", "consent": tomorrow}), 409)
    assert problem(at.post("/lookup", {"address": "hard@example.org"}), 404)
    assert problem(at.post("/unsubscribe", {"address": "nobody@example.org"}), 404)


def test_keys(here: ApiHouse) -> None:
    """No key, a key of another's, a changed one and a revoked one get one and the same answer."""
    body = {"address": "ann@example.org"}
    secret = here.secret
    changed = secret[:-1] + ("A" if secret[-1] != "A" else "B")
    wrong = [
        "",
        "Bearer",
        f"Bearer {changed}",
        f"Basic {secret}",
        f"Bearer {secret} x",
        "Bearer digest_" + "0" * 16,
        "é",
    ]
    refused = {here.http.post(PATHS[1], json=body, headers={b"Authorization": value.encode()}).text for value in wrong}
    assert len(refused) == 1
    assert here.post("/lookup", body).status_code == 404
    api_keys.revoke(here.house.app, here.key_id)
    answer = here.post("/lookup", body)
    assert problem(answer, 401)
    assert answer.text in refused
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_key_is_kept_as_a_hash(here: ApiHouse) -> None:
    """The secret is nowhere in the database; when it was used is."""
    here.post("/lookup", {"address": "ann@example.org"})
    with here.house.app.database.read() as connection:
        row = connection.execute(sa.select(tables.api_keys)).one()
    assert here.secret.rpartition("_")[2] not in str(row)
    assert row.used_at == here.house.clock.now


def test_unknown_keys_take_as_long(here: ApiHouse) -> None:
    """The time of an answer does not tell whether a key's first half is known."""
    known = f"Bearer digest_{here.key_id}_{'A' * 40}"
    unknown = f"Bearer digest_{'0' * 16}_{'A' * 40}"
    times: dict[str, list[float]] = {known: [], unknown: []}
    for _ in range(150):
        for header, taken in times.items():
            began = time.perf_counter()
            here.http.post(PATHS[1], json={"address": "ann@example.org"}, headers={"Authorization": header})
            taken.append(time.perf_counter() - began)
    slower, quicker = sorted((median(taken) for taken in times.values()), reverse=True)
    assert slower < quicker * 1.5  # one more look-up by another key would double it


def test_often(tmp_path: Path) -> None:
    """A key that asks too often is told when to come again, and another key is not slowed."""
    with api_house(tmp_path, often="5/minute") as at:
        _, other = api_keys.add(at.house.app, "another")
        codes = [at.post("/lookup", {"address": "ann@example.org"}).status_code for _ in range(7)]
        assert codes == [404] * 5 + [429] * 2
        answer = at.post("/lookup", {"address": "ann@example.org"})
        assert problem(answer, 429)
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert at.post("/lookup", {"address": "a@example.org"}, Authorization=f"Bearer {other}").status_code == 404


PATHS = ("/api/v1/subscribers", "/api/v1/subscribers/lookup", "/api/v1/subscribers/unsubscribe")


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400), (b"{", 400), (b"\xff\xfe", 400), (b"NaN", 400), (b'{"address": "", "address": ""}', 400),
        (b'{"address": "\\ud800@example.org"}', 400), (b"[" * 10_000, 400), (b'{"a": ' + b"9" * 6_000 + b"}", 400),
        (b"null", 422), (b"[]", 422), (b"{}", 422), (b'"ann@example.org"', 422), (b'{"address": 7}', 422),
        (b'{"address": ["ann@example.org"]}', 422), (b'{"address": "ann@example.org", "more": 1}', 422),
        (b'{"address": "ann@example.org\\r\\nBcc: b@x.org"}', 422), (b'{"address": "a\\u0000@example.org"}', 422),
        (b'{"address": "' + b"a" * 300 + b'@example.org"}', 422), (b" " * 20_000, 413),
    ],
)  # fmt: skip
def test_malformed_bodies(here: ApiHouse, content: bytes, status: int) -> None:
    """No body whatever gets anything but its problem, at every address, and changes nothing."""
    for path in PATHS:
        answer = here.http.post(path, content=content, headers={"Content-Type": "application/json"})
        assert problem(answer, status)
        if status == 422:
            assert answer.json()["errors"][0]["detail"]
    with here.house.app.database.read() as connection:
        assert wishes.count(connection) == 0


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16"]
)
def test_content_types(here: ApiHouse, kind: str) -> None:
    """What does not say that it is JSON is not read: no form of another site can be one."""
    answer = here.http.post(PATHS[0], content=b'{"address": "ann@example.org"}', headers={"Content-Type": kind})
    assert problem(answer, 415)


def test_methods(here: ApiHouse) -> None:
    """Only POST is known, no other method changes anything, and no answer lets a browser's page read it."""
    for method in ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE"):
        for path in PATHS:
            answer = here.http.request(method, path, headers={"Origin": "https://elsewhere.example.net"})
            assert answer.status_code == 405
            assert answer.headers["allow"] == "POST"
            assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert problem(here.http.get("/api/v1/subscribers/ann@example.org"), 404)


@pytest.mark.parametrize("name", ["Ann\r\nBcc: bo@example.org", "Ann\nLee", "Ann\0", "Ann\u2028Lee", "x" * 201])
def test_names(here: ApiHouse, name: str) -> None:
    """A name that could end a header's line, or is a novel, is refused where it is given."""
    answer = here.post("", {"address": "ann@example.org", "name": name, "consent": CONSENT})
    assert problem(answer, 422)
    assert answer.json()["errors"][0]["pointer"] == "/name"


def test_sql_in_every_field(at: ApiHouse) -> None:
    """SQL is text like any other: kept as it is where text may be, refused where it may not."""
    text = {"address": "ann@example.org", "name": SQL, "consent": {"text": SQL}}
    assert at.post("", text).json()["name"] == SQL
    for field in ("address", "language"):
        assert problem(at.post("", text | {field: SQL}), 422)
    assert problem(at.post("", text | {"regions": [SQL]}), 422)
    assert problem(at.post("", text | {"consent": {"text": "a form", "at": SQL}}), 422)
    assert problem(at.post("/lookup", {"address": "ann'--@example.org"}), 404)
    assert at.post("/lookup", {"address": "ann@example.org"}).status_code == 200


def test_slow_and_broken_clients(here: ApiHouse) -> None:
    """Somebody who sends half a body and goes away leaves nothing, and nobody waits for them."""
    host, port = str(here.http.base_url.host), int(here.http.base_url.port or 0)
    head = (
        f"POST {PATHS[0]} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {here.secret}\r\n"
        "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"address\": "
    )  # fmt: skip
    slow = [socket.create_connection((host, port)) for _ in range(20)]
    for one in slow:
        one.sendall(head.encode())
    assert here.post("/lookup", {"address": "ann@example.org"}).status_code == 404
    for one in slow:
        one.close()
    with here.house.app.database.read() as connection:
        assert wishes.count(connection) == 0


def test_database_away(here: ApiHouse) -> None:
    """Where the database does not answer, the problem is ours, passes, and says when to come again."""
    with here.house.app.database.begin() as connection:
        connection.execute(sa.text("ALTER TABLE api_keys RENAME TO away"))
    answer = here.post("/lookup", {"address": "ann@example.org"})
    assert problem(answer, 503)
    assert answer.headers["retry-after"] == "60"
    assert "api_keys" not in answer.text


def test_by_command(tmp_path: Path) -> None:
    """Keys are made, listed and revoked by command; the secret is shown once."""
    with workspace(tmp_path) as home:
        code, secret, told = run_here("--config", home.path, "api-keys", "add", "our shop")
        assert (code, secret.startswith("digest_")) == (0, True)
        assert "not shown again" in told
        code, out, _ = run_here("--config", home.path, "api-keys", "list")
        assert "our shop" in out
        assert "never used" in out
        assert secret.strip().rpartition("_")[2] not in out
        run_here("--config", home.path, "api-keys", "add", "our shop")
        code, _, error = run_here("--config", home.path, "api-keys", "revoke", "our shop")
        assert (code, "2 keys" in error) == (2, True)
        key_id = secret.split("_")[1]
        code, out, _ = run_here("--config", home.path, "api-keys", "revoke", key_id)
        assert (code, "is revoked" in out) == (0, True)
        _, out, _ = run_here("--config", home.path, "api-keys", "list", "--json")
        assert [key["revoked_at"] is not None for key in json.loads(out)] == [True, False]
        assert run_here("--config", home.path, "api-keys", "revoke", "nobody")[0] == 1
        assert run_here("--config", home.path, "api-keys", "add", " ")[0] == 2
