"""Clients that take their time, on a real server with little patience."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest

from digest.database import Database
from digest.web.app import create_app
from digest.web.promptness import Prompt
from digest.web.serve import Running, start
from tests.support.databases import create_all
from tests.support.subscribers import Site

PATIENCE = 30
"""Seconds after which a connection counts as held for ever."""


class Impatient(Prompt):
    """Seconds that are few for a client, and enough for a server whose machine has much else to do."""

    head = 2.0
    whole = 5.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    database = Database(f"sqlite:///{tmp_path / 'digest.sqlite3'}")
    create_all(database)
    running = start(create_app(Site(database)), "127.0.0.1", 0, protocol=Impatient)
    yield running
    running.stop()
    database.close()


def dripped(server: Running, request: bytes) -> bytes:
    """Send a byte at a time until the server has had enough; returns what it said before it hung up."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    end = time.monotonic() + PATIENCE
    with socket.create_connection((host, int(port))) as line:
        line.settimeout(0.05)
        said = b""
        for place in range(len(request)):
            assert time.monotonic() < end, "the connection was held"
            try:
                line.sendall(request[place : place + 1])
                got = line.recv(65_536)
            except TimeoutError:
                continue
            except OSError:
                return said
            if not got:
                return said
            said += got
    pytest.fail("it took all of it")


def test_a_dripped_head(server: Running) -> None:
    """A client that sends the head of its request byte by byte is hung up on, and others are served meanwhile."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    others = [socket.create_connection((host, int(port))) for _ in range(20)]
    try:
        for other in others:
            other.sendall(b"GET /archive HTTP/1.1\r\nHo")
        assert httpx2.get(f"{server.url}/health", trust_env=False).status_code == 200
        assert dripped(server, b"GET /archive HTTP/1.1\r\nHost: x\r\nX-Long: " + b"y" * 5_000) == b""
        for other in others:
            other.settimeout(PATIENCE)
            assert other.recv(100) == b""
    finally:
        for other in others:
            other.close()


def test_a_second_request_has_no_more_time(server: Running) -> None:
    """A connection that is kept open after an answer must begin and end its next request in time, too."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as line:
        line.settimeout(PATIENCE)
        line.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        said = b""
        while not said.endswith(b"ok\n"):
            said += line.recv(65_536)
        line.sendall(b"GET /hea")
        assert line.recv(65_536) == b""


def test_a_client_that_does_not_read(server: Running) -> None:
    """Many requests whose answers nobody takes end with the connection, not with the server."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
        line.settimeout(0.2)
        with pytest.raises(ConnectionError):
            _ask_and_ask(line)
    assert httpx2.get(f"{server.url}/health", trust_env=False).status_code == 200


def _ask_and_ask(line: socket.socket) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with suppress(TimeoutError):
            line.sendall(b"GET /style.css HTTP/1.1\r\nHost: x\r\n\r\n" * 50)
