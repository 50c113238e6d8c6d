"""The roles in processes of their own: pages, scheduler, and as many workers as one likes, on one database."""

from __future__ import annotations

import http.client
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.processes.test_serve import due_now, wait_until
from tests.support.smtp import Sink
from tests.support.workspace import PATIENCE, STAFF, Workspace, workspace


@contextmanager
def processes(house: Workspace, *roles: str) -> Iterator[list[subprocess.Popen[str]]]:
    made = [house.start(role) for role in roles]
    try:
        yield made
    finally:
        for process in made:
            if process.poll() is None:
                process.kill()
                process.communicate()


def ends(made: list[subprocess.Popen[str]]) -> list[tuple[int, str]]:
    """Ask them all to stop; exit codes and logs."""
    for process in made:
        process.send_signal(signal.SIGTERM)
    return [(process.returncode, error) for process in made for _, error in [process.communicate(timeout=PATIENCE)]]


def test_two_schedulers_and_two_workers(database_url: str, tmp_path: Path) -> None:
    """Apart, the roles do what `serve` does: one edition, one mail each, each word to staff once, a clean end."""
    with workspace(tmp_path, changes=due_now(), database_url=database_url, sink=Sink(delay=0.01)) as house:
        house.publish(6)
        house.subscribe(60)
        with processes(house, "scheduler", "scheduler", "worker", "worker") as made:
            wait_until(lambda: house.sink.recipients().count(STAFF) >= 2, *made)
            time.sleep(1)
            ended = ends(made)
        assert [code for code, _ in ended] == [0, 0, 0, 0], ended
        assert "unexpected" not in "".join(log for _, log in ended)
        assert Counter(house.digests()) == Counter(f"reader-{number}@example.org" for number in range(60))
        assert house.sink.recipients().count(STAFF) == 2
        assert house.books()["state"] == "sent"


@pytest.mark.parametrize("role", ["web", "scheduler", "worker"])
def test_each_ends_cleanly(tmp_path: Path, role: str) -> None:
    """Asked to stop, a role that has nothing to do ends with 0 and says nothing that went wrong."""
    with workspace(tmp_path, changes={"web": {"listen": "127.0.0.1:0"}}) as house, processes(house, role) as made:
        assert made[0].stdout is not None
        line = made[0].stdout.readline()
        assert "Ctrl-C ends it" in line
        (code, log) = ends(made)[0]
        assert code == 0, log
        assert "error" not in log


def test_the_pages_alone(tmp_path: Path) -> None:
    """`web` answers on its address, and sends nothing that is due."""
    with workspace(tmp_path, changes=due_now()) as house:
        house.publish(6)
        house.subscribe(3)
        house.ready()
        with processes(house, "web") as made:
            assert made[0].stdout is not None
            line = made[0].stdout.readline()
            port = int(re.findall(r"127\.0\.0\.1:(\d+)", line)[0])
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
            client.request("GET", "/health")
            assert client.getresponse().status == 200
            assert ends(made)[0][0] == 0
        assert house.sink.recipients() == []


def test_a_worker_takes_up_what_another_began(tmp_path: Path) -> None:
    """A worker that is killed leaves at most one uncertain mail a connection; the next one sends the rest, unasked."""
    with workspace(tmp_path, changes={**due_now(), "smtp": {"connections": 2}}, sink=Sink(delay=0.05)) as house:
        house.publish(6)
        house.subscribe(60)
        with processes(house, "scheduler", "worker") as made:
            wait_until(lambda: len(house.digests()) >= 5, *made)
            made[1].kill()
            made[1].communicate()
            made[1] = house.start("worker")
            wait_until(lambda: house.sink.recipients().count(STAFF) >= 2, *made)
            ends(made)
        books = house.books()
        assert (books["state"], books["pending"]) == ("sent", 0)
        assert books["uncertain"] <= 2
        assert max(Counter(house.digests()).values()) == 1
        assert len(house.digests()) >= 60 - books["uncertain"]
