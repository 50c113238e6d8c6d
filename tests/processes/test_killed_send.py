"""Promise 7 by the real command: kill `digest send` at any moment, as often as you like; everyone once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

from tests.support.smtp import Sink
from tests.support.workspace import PATIENCE, Workspace, workspace

KILLS = int(os.environ.get("DIGEST_TESTS_KILLS", "20"))
READERS = max(300, 15 * KILLS)
CONNECTIONS = 2


def wait_for(sink: Sink, count: int, process: subprocess.Popen[str]) -> None:
    """Until the sink holds so many mails, or the process has ended."""
    until = time.monotonic() + PATIENCE
    while len(sink.received) < count and process.poll() is None and time.monotonic() < until:
        time.sleep(0.001)


def kill_at_random(house: Workspace, choose: random.Random) -> bool:
    """Start a send and kill it: while it starts, or after a few mails more. False where it was done before."""
    process = house.start("send", "--now")
    if choose.random() < 0.25:
        time.sleep(choose.uniform(0, 1.2))
    else:
        wait_for(house.sink, len(house.sink.received) + choose.randint(1, READERS // KILLS), process)
        time.sleep(choose.uniform(0, 0.02))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return process.returncode == -signal.SIGKILL


def assert_balanced(books: dict[str, int]) -> None:
    parts = ("sent", "excluded", "failed", "uncertain", "pending")
    assert books["candidates"] == READERS == sum(books[part] for part in parts)


def test_killed_at_random_moments(tmp_path: Path) -> None:
    """A send that is killed again and again reaches everyone once, but for those it calls uncertain; books balance."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # shown where it fails
    choose = random.Random(seed)
    settings = {"smtp": {"connections": CONNECTIONS}}
    with workspace(tmp_path, changes=settings, sink=Sink(delay=0.02)) as house:
        house.publish(6)
        house.subscribe(READERS)
        slug = house.ready()
        kills = 0
        for _ in range(KILLS):
            kills += kill_at_random(house, choose)
            books = house.books()
            assert books["edition"] == slug
            assert_balanced(books)
        code, _, error = house.run("send", "--now")
        books = house.books()
        assert_balanced(books)
        assert (books["state"], books["pending"]) == ("sent", 0), error
        assert code == (1 if books["uncertain"] else 0)
        assert books["uncertain"] <= CONNECTIONS * kills  # what was in flight on each connection, each time
        assert kills >= KILLS * 3 // 4
        assert_once(house)


def assert_once(house: Workspace) -> None:
    code, out, error = house.run("reconcile", "--json")
    assert code in (0, 1), error
    got = Counter(house.digests())
    everyone = {f"reader-{number}@example.org" for number in range(READERS)}
    missing = everyone - got.keys()
    assert got.keys() <= everyone
    assert not [who for who, count in got.items() if count > 1]
    assert all(address in out for address in missing)


def test_two_sends_at_once(database_url: str, tmp_path: Path) -> None:
    """Two `digest send` at the same moment share the edition: one mail each, on either database."""
    with workspace(tmp_path, database_url=database_url, sink=Sink(delay=0.001)) as house:
        house.publish(6)
        house.subscribe(200)
        house.ready()
        both = [house.start("send", "--now") for _ in range(2)]
        ends = [process.communicate(timeout=PATIENCE) for process in both]
        assert [process.returncode for process in both] == [0, 0], ends
        assert Counter(house.digests()) == Counter(f"reader-{number}@example.org" for number in range(200))
        assert house.books()["state"] == "sent"


def test_asked_to_stop(tmp_path: Path) -> None:
    """SIGTERM lets the mails in flight finish: none is uncertain, it ends with 1, and the next send does the rest."""
    with workspace(tmp_path, sink=Sink(delay=0.05)) as house:
        house.publish(6)
        house.subscribe(60)
        house.ready()
        process = house.start("send", "--now")
        wait_for(house.sink, 5, process)
        process.send_signal(signal.SIGTERM)
        out, error = process.communicate(timeout=PATIENCE)
        assert (process.returncode, error) == (1, "")
        books = house.books()
        assert books["uncertain"] == 0
        assert 0 < books["pending"] < 60
        assert f"{books['pending']} pending" in out
        assert house.run("send", "--now")[0] == 0
        assert Counter(house.digests()) == Counter(f"reader-{number}@example.org" for number in range(60))
