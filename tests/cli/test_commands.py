"""A week as it is typed: what each command prints for people, gives to programs, and ends with."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import run_here
from tests.support.smtp import Fault, Sink
from tests.support.terminal import at_a_terminal
from tests.support.workspace import Workspace, workspace

ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
ARTICLE = {"id", "title", "link", "author", "published", "region", "reason"}
BOOKS = ["edition", "state", "candidates", "sent", "excluded", "failed", "uncertain", "pending"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """One workspace, in which the tests of this file live through one edition, in their order."""
    with workspace(tmp_path_factory.mktemp("week"), changes={"schedule": None}) as made:
        made.publish(6)
        yield made


def well(home: Workspace, *arguments: str) -> str:
    """Standard output of a command that ends with 0 and says nothing on standard error."""
    code, out, error = run_here("--config", home.path, *arguments)
    assert (code, error) == (0, ""), (arguments, out, error)
    return out


def document(home: Workspace, *arguments: str) -> Any:
    return json.loads(well(home, *arguments, "--json"))


def test_the_week(home: Workspace) -> None:
    """Pull, compose, look, arrange, approve, send, account: each ends with 0, in the shapes that are promised."""
    table = well(home, "pull").splitlines()
    assert table[0].split() == ["Feed", "Status", "New", "Changed", "Unchanged", "Left", "out"]
    assert table[1].split() == ["The", "Observatory", "ok", "6", "0", "0", "0"]
    assert document(home, "pull")[0]["state"] == "not-modified"
    slug = document(home, "compose")["edition"]
    shown = document(home, "show")
    assert {"edition", "state", "subject", "focus", "sections", "waiting"} <= set(shown)
    assert (shown["edition"], shown["state"]) == (slug, "draft")
    articles = [article for section in shown["sections"] for article in section["articles"]]
    assert len(articles) == 6
    assert all({"slug", "title", "articles"} <= set(section) for section in shown["sections"])
    assert all(set(article) >= ARTICLE and article["reason"] for article in articles)
    assert "It stands under Africa" in well(home, "explain", "Report 0")
    pinned = articles[-1]["id"]
    assert f"* {pinned}  " in well(home, "edit", "--pin", pinned)
    added = well(home, "subscribers", "add", "ada@example.org", "--regions", "africa")
    assert added == "ada@example.org: active, africa\n"
    assert document(home, "subscribers", "add", "bob@example.org")["status"] == "active"
    assert "index.html" in well(home, "preview", "--output", str(home.folder / "preview"))
    assert well(home, "test", "editor@example.org") == "1 of 1 test mail sent\n"
    assert list(document(home, "status")) == BOOKS
    assert well(home, "hold", "--reason", "a doubt").startswith(f"{slug}: held")
    assert well(home, "approve", "--by", "Ada", "--reason", "no doubt").startswith(f"{slug}: approved by Ada")
    plan = document(home, "send", "--dry-run")
    assert sum(plan["readers"].values()) == 2
    assert home.digests() == ["editor@example.org"]
    assert well(home, "send") == f"{slug}: sent. 2 candidates: 2 sent, 0 excluded, 0 failed.\n"
    assert well(home, "send") == f"{slug}: sent. 2 candidates: 2 sent, 0 excluded, 0 failed.\n"
    assert home.digests() == ["ada@example.org", "bob@example.org", "editor@example.org"]
    assert document(home, "status") == dict(zip(BOOKS, [slug, "sent", 2, 2, 0, 0, 0, 0], strict=True))
    assert f"{slug}: sent" in well(home, "status", slug)
    assert well(home, "reconcile") == f"{slug}: 0 uncertain\n"
    assert "revision" in well(home, "db", "upgrade")


def test_hold_and_resume_for_programs(tmp_path: Path) -> None:
    """Whoever pauses an edition by a program lets it go on by one: both tell its state as JSON."""
    with workspace(tmp_path, sink=Sink(faults={"*": Fault("rcpt", "451 4.7.1 later")})) as made:
        made.publish(6)
        made.subscribe(2)
        slug = made.ready()
        assert run_here("--config", made.path, "send", "--now")[0] == 1
        assert document(made, "hold", "--by", "Bo")["state"] == "paused"
        assert document(made, "resume") == {"edition": slug, "state": "sending"}


def test_a_test_mail_says_so_once(home: Workspace) -> None:
    """A test's subject begins with "[Test]", once."""
    data = next(one.data for one in home.sink.received if one.recipient == "editor@example.org")
    subject = next(line for line in data.decode().splitlines() if line.startswith("Subject:"))
    assert subject.count("[Test]") == 1


def test_at_a_terminal(home: Workspace) -> None:
    """On a narrow terminal lines hang under their beginning and nothing is cut; in a pipe no line is broken."""
    shown = at_a_terminal(home, "show", columns=40)
    assert "\x1b[" in shown
    assert max(len(line) for line in ANSI.sub("", shown).splitlines()) <= 40
    plain = well(home, "show")
    assert "\x1b[" not in plain
    assert max(len(line) for line in plain.splitlines()) > 40
    assert "…" not in shown
    assert "Fetching 1 feed" in at_a_terminal(home, "pull", columns=100)


def test_a_bar_while_sending(tmp_path: Path) -> None:
    """At a terminal a send shows how far it is."""
    with workspace(tmp_path, changes={"schedule": None}) as made:
        made.publish(6)
        made.subscribe(40)
        made.ready()
        shown = at_a_terminal(made, "send", columns=100)
        assert "40/40" in shown
        assert "example.org: 40 sent" in shown
        assert "40 sent, 0 excluded, 0 failed." in shown


def test_every_row(home: Workspace) -> None:
    """`subscribers list --json` streams one document a line, every reader; the others have shapes of their own."""
    rows = [json.loads(line) for line in well(home, "subscribers", "list", "--json").splitlines()]
    assert [row["address"] for row in rows] == ["ada@example.org", "bob@example.org"]
    assert rows[0]["regions"] == ["africa"]
    assert document(home, "subscribers", "show", "ada@example.org")["consent"] == "added by staff"
    assert well(home, "subscribers", "list", "--status", "left") == ""
    out = home.folder / "readers.csv"
    code, _, error = run_here("--config", home.path, "subscribers", "export", "--output", str(out))
    assert (code, error) == (0, "2 subscribers\n")
    assert out.stat().st_mode & 0o777 == 0o600
    assert "ada@example.org,active,africa" in out.read_text()
    (home.folder / "new.csv").write_text("email,optin_time\ncy@example.com,2026-01-02\nnot an address,\n")
    code, said, error = run_here("--config", home.path, "subscribers", "import", str(home.folder / "new.csv"))
    assert code == 1
    assert "1 active" in said
    assert error.startswith("line 3: ")
    assert "suppressed" in well(home, "subscribers", "suppress", "cy@example.com")
    assert well(home, "subscribers", "erase", "bob@example.org").startswith("erased")
    assert len(well(home, "subscribers", "list").splitlines()) == 2


@pytest.mark.parametrize("arguments", [["--help"], ["subscribers", "--help"], ["edit", "--help"]])
def test_help(arguments: list[str]) -> None:
    """Help ends with 0, says everything in whole sentences, and imports nothing heavy."""
    code = (
        "import sys; sys.argv[1:] = " + repr(arguments) + "\n"
        "from digest.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code\n"
        "print(*sorted(m for m in sys.modules if m.partition('.')[0] in "
        "('sqlalchemy', 'email_validator', 'jinja2', 'babel', 'httpx2', 'lxml', 'structlog', 'starlette')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1] == ""
    assert "..." not in done.stdout.replace("COMMAND [ARGS]...", "").replace("ADDRESS...", "")


def test_status_imports_little(tmp_path: Path) -> None:
    """`status` is for a prompt and a monitor: it brings in nothing that only a pull, a rendering or a send needs."""
    with workspace(tmp_path, changes={"schedule": None}) as made:
        made.publish(6)
        made.ready()
    code = (
        f"import sys; sys.argv[1:] = ['--config', {str(made.path)!r}, 'status', '--json']\n"
        "from digest.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code\n"
        "print(*sorted({*sys.modules} & "
        "{'alembic', 'premailer', 'lxml', 'cssutils', 'httpx2', 'feedparser', 'structlog', 'rich', 'starlette', "
        "'apscheduler', 'icalendar', 'email_validator', 'sqlalchemy.dialects.postgresql'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == ""
