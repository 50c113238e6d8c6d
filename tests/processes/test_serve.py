"""`digest serve` as a process: the week by the clock, a clean stop, a changed configuration, faults that pass."""

from __future__ import annotations

import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from digest.logs import configure
from digest.serve import Serving
from digest.serve.rounds import attempt
from tests.support.house import SetClock
from tests.support.smtp import Sink
from tests.support.workspace import PATIENCE, STAFF, Workspace, workspace

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERYONE = Counter(f"reader-{number}@example.org" for number in range(40))


def due_now() -> dict[str, Any]:
    """A week whose moment to send was a minute ago, so that this very minute is between send and deadline."""
    local = datetime.now(UTC) - timedelta(minutes=1)
    before = local - timedelta(minutes=2)
    return {
        "publication": {"timezone": "UTC"},
        "web": {"listen": "127.0.0.1:0"},
        "editions": {"approval": "automatic"},
        "schedule": {
            "pull": "every 1h",
            "compose": f"{DAYS[before.weekday()]} {before:%H:%M}",
            "send": f"{DAYS[local.weekday()]} {local:%H:%M}",
            "deadline": "12h",
        },
    }


def wait_until(true: Callable[[], bool], *processes: subprocess.Popen[str]) -> None:
    until = time.monotonic() + PATIENCE
    while not true():
        for process in processes:
            assert process.poll() is None, process.communicate()
        assert time.monotonic() < until, "it never came"
        time.sleep(0.02)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Ask it to stop; its exit code and its log."""
    process.send_signal(signal.SIGTERM)
    _, error = process.communicate(timeout=PATIENCE)
    return process.returncode, error


@contextmanager
def running(house: Workspace, count: int = 1) -> Iterator[list[subprocess.Popen[str]]]:
    made = [house.start("serve") for _ in range(count)]
    try:
        yield made
    finally:
        for process in made:
            if process.poll() is None:
                process.kill()
                process.communicate()


def test_sends_by_the_clock(tmp_path: Path) -> None:
    """Left alone, `serve` pulls, composes, sends to every reader, tells staff, and stops cleanly when asked."""
    with workspace(tmp_path, changes=due_now()) as house:
        house.publish(6)
        house.subscribe(40)
        with running(house) as (process,):
            wait_until(lambda: house.sink.recipients().count(STAFF) >= 2, process)
            code, log = ended(process)
        assert code == 0, log
        assert "'error'" not in log
        assert Counter(house.digests()) == EVERYONE
        assert house.books()["state"] == "sent"


def test_stopped_in_the_middle(tmp_path: Path) -> None:
    """SIGTERM in the middle of a send: the mails in flight finish, the rest is pending, and the next start sends it."""
    with workspace(tmp_path, changes=due_now(), sink=Sink(delay=0.2)) as house:
        house.publish(6)
        house.subscribe(40)
        with running(house) as (process,):
            wait_until(lambda: len(house.digests()) >= 3, process)
            code, log = ended(process)
        assert code == 0, log
        books = house.books()
        assert (books["uncertain"], books["sent"]) == (0, len(house.digests()))
        assert 0 < books["pending"] < 40
        house.sink.delay = 0
        with running(house) as (process,):
            wait_until(lambda: len(house.digests()) >= 40, process)
            wait_until(lambda: house.sink.recipients().count(STAFF) >= 2, process)
            assert ended(process)[0] == 0
        assert Counter(house.digests()) == EVERYONE
        assert house.books()["state"] == "sent"


def test_two_at_once(database_url: str, tmp_path: Path) -> None:
    """Two `serve` on one database at the same moment: one edition, one mail each, each word to staff once."""
    with workspace(tmp_path, changes=due_now(), database_url=database_url) as house:
        house.publish(6)
        house.subscribe(40)
        with running(house, 2) as both:
            wait_until(lambda: house.sink.recipients().count(STAFF) >= 2, *both)
            time.sleep(1)
            ends = [ended(process) for process in both]
        assert [code for code, _ in ends] == [0, 0], ends
        assert Counter(house.digests()) == EVERYONE
        assert house.sink.recipients().count(STAFF) == 2  # the draft is ready; it has gone
        assert "unexpected" not in ends[0][1] + ends[1][1]


def test_port_taken(tmp_path: Path) -> None:
    """Where another program listens at `[web] listen`, one clear line says so, and nothing runs."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with workspace(tmp_path, changes={**due_now(), "web": {"listen": f"127.0.0.1:{port}"}}) as house:
            code, out, error = house.run("serve")
    assert code == 1
    assert out == ""
    assert error.count("\n") == 1
    assert f"127.0.0.1:{port} is already taken" in error
    assert "[web] listen" in error


def logged(capfd: pytest.CaptureFixture[str]) -> str:
    return capfd.readouterr().err


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Workspace]:
    """A workspace whose week is that of the example: composed on Thursday at 16:00, sent on Friday at 09:00."""
    configure(verbose=True)
    changes = {"editions": {"approval": "automatic"}, "web": {"listen": "127.0.0.1:0"}}
    with workspace(tmp_path, changes=changes) as made:
        made.publish(6)
        made.subscribe(5)
        yield made


def friday() -> datetime:
    """Five minutes after the moment to send, in the week that is now."""
    today = datetime.now(UTC)
    day = today + timedelta(days=(4 - today.weekday()) % 7)
    return day.replace(hour=14, minute=5)


def test_a_week(house: Workspace) -> None:
    """By a clock that is set: nothing before its moment, the draft on Thursday, the mails on Friday, and only once."""
    clock = SetClock(datetime.now(UTC))
    serving = Serving(house.path, clock=clock, environ={})
    serving.pull()
    if clock.now < friday() - timedelta(hours=18):
        serving.look()
        serving.deliver()
        assert house.sink.recipients() == []
    clock.now = friday() - timedelta(hours=12)
    serving.pull()
    serving.look()
    serving.deliver()
    assert house.sink.recipients() == [STAFF]
    clock.now = friday()
    for _ in range(3):
        serving.look()
        serving.deliver()
    assert house.digests() == [f"reader-{number}@example.org" for number in range(5)]
    serving.app.close()


def test_changed_configuration(house: Workspace) -> None:
    """A changed `config.toml` is taken up without a restart: its name in the pages, its interval at the next ring."""
    serving = Serving(house.path, environ={})
    stop = threading.Event()
    thread = threading.Thread(target=serving.run, args=(lambda _line: None, stop.wait))
    thread.start()
    try:
        wait_until(lambda: len(house.site.requests["/feed/"]) >= 1)
        before = len(house.site.requests["/feed/"])
        house.configure({"publication": {"name": "The Other Observatory"}, "schedule": {"pull": "every 2h"}})
        serving.look()
        assert serving.app.publication.name == "The Other Observatory"
        job = serving.rings.scheduler.get_job("pull")
        assert job.trigger.interval == timedelta(hours=2)
        wait_until(lambda: len(house.site.requests["/feed/"]) > before)
        old = serving.pages
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        house.configure({"web": {"listen": f"127.0.0.1:{port}"}})
        with ThreadPoolExecutor(4) as rings:  # a sweep, the moment to compose and the one to send may come at once
            for looked in [rings.submit(serving.look) for _ in range(4)]:
                looked.result()
        assert serving.pages is not None
        assert serving.pages is not old
        assert serving.pages.url.endswith(f":{port}")
    finally:
        stop.set()
        thread.join(PATIENCE)
    assert not thread.is_alive()


@pytest.mark.parametrize(
    "broken",
    [
        "[publication",
        "[publication]\nnames = 'x'\n",
        "",
    ],
)
def test_broken_configuration(house: Workspace, broken: str, capfd: pytest.CaptureFixture[str]) -> None:
    """A broken `config.toml` is refused with its line: the old one stays, and staff are told once."""
    clock = SetClock(friday() - timedelta(hours=30))
    serving = Serving(house.path, clock=clock, environ={})
    serving.pull()
    good = house.path.read_text(encoding="utf-8")
    for text in (broken, broken + "\n"):
        house.path.write_text(text, encoding="utf-8")
        serving.look()
        serving.look()
    serving.deliver()
    assert serving.app.config.publication.name == "The Global Observatory"
    assert str(house.path) in logged(capfd)
    told = [one for one in house.sink.received if b"configuration was refused" in one.data]
    assert len(told) == 1
    house.path.write_text(good.replace("The Global Observatory", "Another"), encoding="utf-8")
    serving.look()
    assert serving.app.config.publication.name == "Another"
    serving.app.close()


def test_named_weekdays(house: Workspace) -> None:
    """The clock counts weekdays by name: "fri 09:00" rings on Friday at nine, local to the publication."""
    serving = Serving(house.path, environ={})
    serving.rings.start(serving.app)
    try:
        job = serving.rings.scheduler.get_job("send")
        rings = job.next_run_time
        assert (rings.strftime("%A %H:%M"), str(rings.tzinfo)) == ("Friday 09:00", "America/New_York")
        assert job.misfire_grace_time >= 3600
        assert type(serving.rings.scheduler._lookup_jobstore("default")).__name__ == "MemoryJobStore"
        house.configure({"schedule": {"send": "sat 08:30"}})
        serving.look()
        assert serving.rings.scheduler.get_job("send").next_run_time.strftime("%A %H:%M") == "Saturday 08:30"
    finally:
        serving.rings.stop()
        serving.app.close()


def test_relay_away(house: Workspace, capfd: pytest.CaptureFixture[str]) -> None:
    """Where the relay cannot be reached the reason is logged, no mail is touched, and a later ring sends them all."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    right = house.settings["smtp"]["port"]
    house.configure({"smtp": {"port": port}})
    clock = SetClock(friday())
    serving = Serving(house.path, clock=clock, environ={})
    serving.pull()
    serving.look()
    assert not attempt("send", serving.deliver)
    assert f"127.0.0.1:{port} cannot be reached" in logged(capfd)
    house.configure({"smtp": {"port": right}})
    serving.look()
    assert attempt("send", serving.deliver)
    assert len(house.digests()) == 5
    serving.app.close()


def test_database_away(house: Workspace, capfd: pytest.CaptureFixture[str]) -> None:
    """Where the database is away every ring says so and goes on; when it is back the next one does its work."""
    serving = Serving(house.path, clock=SetClock(friday()), environ={})
    serving.app.close()
    file = serving.app.database.path
    assert file is not None
    aside = file.with_suffix(".aside")
    file.rename(aside)
    file.mkdir()
    serving.pull()
    serving.look()
    assert not attempt("send", serving.deliver)
    said = logged(capfd)
    assert "unable to open" in said
    assert "unexpected" not in said
    file.rmdir()
    aside.rename(file)
    serving.pull()
    serving.look()
    assert attempt("send", serving.deliver)
    assert len(house.digests()) == 5
    serving.app.close()


def test_unexpected_fault(house: Workspace, capfd: pytest.CaptureFixture[str]) -> None:
    """A fault of the program's own is logged with its traceback, and the next ring comes."""
    serving = Serving(house.path, environ={})

    def fail() -> None:
        raise ZeroDivisionError("as it happens")

    assert not attempt("look", fail)
    said = logged(capfd)
    assert "ZeroDivisionError" in said
    assert "Traceback" in said
    serving.app.close()
