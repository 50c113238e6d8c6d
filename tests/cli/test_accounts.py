"""What staff see and do by the command line while an edition goes out, and after it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.processes.test_killed_send import wait_for
from tests.support.smtp import Sink
from tests.support.workspace import PATIENCE, Workspace, workspace


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Workspace]:
    """An approved edition for forty readers."""
    with workspace(tmp_path, changes={"schedule": None}, sink=Sink()) as made:
        made.publish(6)
        made.subscribe(40)
        made.ready()
        yield made


def well(home: Workspace, *arguments: str, code: int = 0) -> str:
    ended, out, error = home.run(*arguments)
    assert ended == code, (out, error)
    return out


def document(home: Workspace, *arguments: str, code: int = 0) -> Any:
    return json.loads(well(home, *arguments, "--json", code=code))


def test_followed_from_another_terminal(home: Workspace) -> None:
    """While one process sends, another tells how far it is until it has gone; `status` keeps its shape."""
    home.sink.delay = 0.2
    sending = home.start("send")
    wait_for(home.sink, 3, sending)
    books = home.books()
    assert list(books) == ["edition", "state", "candidates", "sent", "excluded", "failed", "uncertain", "pending"]
    assert books["state"] == "sending"
    lines = [json.loads(line) for line in well(home, "status", "--follow", "--json").splitlines()]
    assert sending.communicate(timeout=PATIENCE)[0]
    assert sending.returncode == 0
    assert [line["sent"] for line in lines] == sorted(line["sent"] for line in lines)
    assert (lines[-1]["state"], lines[-1]["sent"], lines[-1]["pending"]) == ("sent", 40, 0)
    details = document(home, "status", "--details")
    assert details["providers"] == {"example.org": {"sent": 40}}
    assert sum(details["replies"].values()) == 40
    assert "example.org: 40 sent" in well(home, "status", "--details")


def test_held_and_stopped_from_another_terminal(home: Workspace) -> None:
    """`hold` ends a running send with 1 and the reason; `stop` asks first, and then nobody else ever gets it."""
    home.sink.delay = 1.0
    sending = home.start("send")
    wait_for(home.sink, 3, sending)
    assert "paused" in well(home, "hold", "--by", "Bo", "--reason", "a wrong photo")
    out, _ = sending.communicate(timeout=PATIENCE)
    assert sending.returncode == 1
    assert "paused" in out
    assert "a wrong photo" in out
    got = len(home.digests())
    assert 0 < got < 40
    home.run("stop", "--by", "Bo")  # nobody says yes
    assert home.books()["state"] == "paused"
    said = document(home, "stop", "--yes", "--by", "Bo", "--reason", "the wrong week")
    assert (said["state"], said["pending"], said["excluded"]) == ("sent", 0, 40 - got)
    assert well(home, "send").startswith(said["edition"])
    assert len(home.digests()) == got


def test_a_correction_by_command(home: Workspace) -> None:
    """Draft, look, approve, send: the words say what happens, and the books of a correction are asked by its name."""
    well(home, "send")
    article = document(home, "show")["sections"]
    first = next(section["articles"][0] for section in article if section["slug"] == "africa")
    code, _, error = home.run("correct")
    assert code == 1
    assert "no draft of a correction" in error
    made = document(
        home,
        "correct",
        "--title",
        f"{first['id']}=What is true of Africa",
        "--reason",
        "It was not true.",
        "--by",
        "Ada",
    )
    assert made["correction"].endswith("#correction-1")
    assert (made["approved"], sum(made["readers"].values()), made["unchanged"]) == (False, 27, 13)
    assert all(subject.startswith("Correction: ") for subject in made["readers"])
    well(home, "preview", "--correction")
    assert "What is true of Africa" in (home.folder / "preview" / "edition.txt").read_text()
    code, _, error = home.run("correct", "--send")
    assert code == 1
    assert "not approved" in error
    assert "27 sent" in well(home, "correct", "--approve", "--send")
    assert document(home, "status", made["correction"])["sent"] == 27
    assert home.books()["sent"] == 40
    assert len(home.digests()) == 67
