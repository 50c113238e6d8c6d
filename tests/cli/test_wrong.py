"""Whatever is wrong is one clear line on standard error, with exit code 2 or 1, and nothing is half done."""

from __future__ import annotations

import ctypes
import json
import os
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.command import run_here
from tests.support.databases import missing
from tests.support.workspace import COMMAND, Workspace, plain_environment, workspace


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """One workspace with a draft, for commands that change nothing in it."""
    with workspace(tmp_path_factory.mktemp("home"), changes={"schedule": None}) as made:
        made.publish(6)
        made.subscribe(2)
        made.ready()
        yield made


def said(result: tuple[int, str, str], code: int) -> str:
    """The one line that was said, without "digest: "; the exit code was this one."""
    got, out, error = result
    assert got == code, (out, error)
    assert out == ""
    assert error.startswith("digest: ")
    assert error.count("\n") == 1, error
    assert "Traceback" not in error
    assert not error.startswith("digest: unexpected"), error
    return error.removeprefix("digest: ").rstrip("\n")


def run(*arguments: str | Path, cwd: Path, before: Callable[[], None] | None = None) -> tuple[int, str, str]:
    done = subprocess.run(
        [COMMAND, *arguments],
        cwd=cwd,
        env=plain_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=before,
    )
    return done.returncode, done.stdout, done.stderr


def obey_modes() -> None:
    """Root passes over the modes of files; without these two capabilities it does not."""
    if os.geteuid() == 0:
        for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


def fill(file: Path) -> None:
    """Write until nothing more goes in."""
    with suppress(OSError), file.open("wb", buffering=0) as stream:
        while stream.write(b"x" * 4096):
            pass


BROKEN: list[tuple[str, str, list[str]]] = [
    ('"timezone" = ', '"timezon" = ', ["config.toml:", "`timezon`", "did you mean `timezone`?"]),
    ('"America/New_York"', '"America/New_Yrok"', ["config.toml:", "timezone", "did you mean 'America/New_York'?"]),
    ('"url" = "http://', '"url" = "htp://', ["config.toml:", "is no URL", "write the whole address"]),
    ("[publication]", "[publication", ["config.toml:", "not TOML", "correct that line"]),
    ('"section_limit" = 8', '"section_limit" = 0', ["config.toml:", "section_limit", "must be at least 1"]),
    (
        "[smtp]\n",
        '[smtp]\npassword = "secret"\n',
        ["config.toml:", "must not stand in the file", "DIGEST_SMTP__PASSWORD"],
    ),
]


@pytest.mark.parametrize(("old", "new", "words"), BROKEN, ids=["key", "zone", "url", "syntax", "range", "secret"])
def test_a_broken_configuration(home: Workspace, tmp_path: Path, old: str, new: str, words: list[str]) -> None:
    """A mistake in the configuration names the file, the line, the key and the mend; the command ends with 2."""
    text = home.path.read_text()
    assert old in text
    (tmp_path / "config.toml").write_text(text.replace(old, new, 1))
    line = said(run_here("--config", tmp_path / "config.toml", "pull"), 2)
    assert all(word in line for word in words), line
    assert "secret" not in line
    assert [path.name for path in tmp_path.iterdir()] == ["config.toml"]


def test_no_configuration(tmp_path: Path) -> None:
    """A missing file, and a folder in its place, are told with what to do."""
    assert "there is no such file; make one with `digest init`" in said(run("status", cwd=tmp_path), 2)
    assert "is a folder, not a file" in said(run("--config", tmp_path, "status", cwd=tmp_path), 2)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_variable(home: Workspace) -> None:
    """An environment variable with a typo is named, not passed over."""
    line = said(home.run("status", DIGEST_SMTP__PROT="25"), 2)
    assert "DIGEST_SMTP__PROT" in line
    assert "did you mean DIGEST_SMTP__PORT?" in line


USAGE: list[tuple[list[str], str]] = [
    (["frobnicate"], "no such command 'frobnicate'; see `digest --help`"),
    (["pul"], "no such command 'pul'. Did you mean 'pull'? See `digest --help`"),
    (["show", "--frob"], "no such option: --frob; see `digest show --help`"),
    (["explain"], "missing argument"),
    (["send", "a", "b"], "unexpected extra argument"),
    (["demo", "--subscribers", "many"], "'--subscribers': must be a whole number"),
    (["show", "27-11-2026"], "'27-11-2026' is not a date; write it as 2026-11-27"),
    (["compose", "--date", "tomorrow"], "'tomorrow' is not a date; write it as 2026-11-27"),
    (["preview", "--regions", "mars"], "there is no region 'mars'; the regions are africa, americas"),
    (["subscribers", "add", "x@example.org", "--regions", "mars"], "there is no region 'mars'"),
    (["subscribers", "add", "nobody"], "'nobody' is no address"),
    (["subscribers", "list", "--status", "asleep"], "it is one of pending, active, left, suppressed"),
    (["subscribers", "import", "missing.csv"], "missing.csv: No such file or directory; name a CSV file"),
    (["edit", "--title", "no sign"], "--title 'no sign' has no `=`; write --title ARTICLE=TEXT"),
    (["reconcile", "--sent", "x"], "'--sent': must be a whole number"),
]


@pytest.mark.parametrize(("arguments", "words"), USAGE, ids=["-".join(arguments[:3]) for arguments, _ in USAGE])
def test_wrong_usage(home: Workspace, arguments: list[str], words: str) -> None:
    """What cannot be meant is told with its mend, and ends with 2."""
    assert words in said(run_here("--config", home.path, *arguments), 2)


def test_what_is_not_there(home: Workspace) -> None:
    """An edition, an article, a reader that do not exist end with 1."""
    missing_things = {
        ("show", "2020-01-03"): "there is no edition 2020-01-03; make its draft",
        ("explain", "zebra"): "no article has the id, the link or the words 'zebra'",
        ("subscribers", "show", "ghost@example.org"): "ghost@example.org is no subscriber",
    }
    for arguments, words in missing_things.items():
        assert words in said(run_here("--config", home.path, *arguments), 1)


def test_an_unreachable_relay(tmp_path: Path) -> None:
    """A relay that does not answer loses nothing: the edition waits, and goes when the relay is back."""
    with workspace(tmp_path, changes={"schedule": None}) as made:
        made.publish(6)
        made.subscribe(3)
        made.ready()
        port = made.sink.port
        made.configure({"smtp": {"port": 1}})
        code, out, error = made.run("send", "--now")
        assert code == 1
        assert "127.0.0.1:1" in out + error
        assert (out + error).count("\n") == 1
        books = made.books()
        assert (books["candidates"], books["sent"], books["pending"]) == (3, 0, 3)
        made.configure({"smtp": {"port": port}})
        if made.books()["state"] == "paused":
            assert made.run("resume")[0] == 0
        code, out, error = made.run("send", "--now")
        assert code == 0, out + error
        assert made.digests() == [f"reader-{n}@example.org" for n in range(3)]


def test_a_read_only_folder(home: Workspace, tmp_path: Path) -> None:
    """Where this user may not write, the folder is named and nothing is made."""
    closed = tmp_path / "closed"
    closed.mkdir()
    text = home.path.read_text().replace(str(home.folder / "digest.sqlite3"), "var/digest.sqlite3")
    (closed / "config.toml").write_text(text)
    closed.chmod(0o500)
    line = said(run("status", cwd=closed, before=obey_modes), 1)
    assert str(closed) in line
    assert "give this user write access" in line
    assert "closed/new" in said(run("init", "closed/new", cwd=tmp_path, before=obey_modes), 1)
    line = said(
        run("--config", home.path, "preview", "--output", closed / "preview", cwd=tmp_path, before=obey_modes), 1
    )
    assert str(closed / "preview") in line
    assert [path.name for path in closed.iterdir()] == ["config.toml"]


def test_a_read_only_database(tmp_path: Path) -> None:
    """A database that this user may not write is named, with the mend."""
    with workspace(tmp_path, changes={"schedule": None}) as made:
        made.subscribe(1)
        for path in tmp_path.glob("digest.sqlite3*"):
            path.chmod(0o400)
        arguments = ("--config", made.path, "subscribers", "add", "new@example.org")
        line = said(run(*arguments, cwd=tmp_path, before=obey_modes), 1)
        assert "digest.sqlite3" in line
        assert "write access" in line


def test_a_full_disk(tmp_path: Path) -> None:
    """On a full disk nothing is half done: the command says so, and works when there is room again."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True).returncode:
        missing("no small disk can be mounted here")
    try:
        with workspace(disk, changes={"schedule": None}) as made:
            made.subscribe(1)
            filler = disk / "filler"
            fill(filler)
            lines = "email,consent\n" + "".join(f"reader-{n}@example.com,2026-01-01\n" for n in range(3000))
            (tmp_path / "many.csv").write_text(lines)
            line = said(made.run("subscribers", "import", str(tmp_path / "many.csv")), 1)
            assert "full" in line
            line = said(made.run("subscribers", "export", "--output", str(disk / "out.csv")), 1)
            assert "is the disk full" in line
            assert not [path.name for path in disk.iterdir() if "out.csv" in path.name]
            filler.unlink()
            code, out, _ = made.run("subscribers", "list", "--json")
            assert code == 0
            assert [json.loads(row)["address"] for row in out.splitlines()] == ["reader-0@example.org"]
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def test_an_export_to_a_full_device(home: Workspace) -> None:
    """What cannot be written whole is an error, not a short file."""
    line = said(home.run("subscribers", "export", "--output", "/dev/full"), 1)
    assert "No space left on device" in line


@pytest.mark.slow
def test_a_locked_database(tmp_path: Path) -> None:
    """Another process that holds the database for over half a minute is told; looking goes on meanwhile."""
    with workspace(tmp_path, changes={"schedule": None}) as made:
        made.subscribe(1)
        holder = sqlite3.connect(tmp_path / "digest.sqlite3", isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        waiting = made.start("subscribers", "add", "new@example.org")
        assert made.run("subscribers", "list")[0] == 0
        out, error = waiting.communicate(timeout=60)
        line = said((waiting.returncode, out, error), 1)
        assert "locked" in line
        assert "another process" in line
        holder.execute("ROLLBACK")
        assert made.run("subscribers", "add", "new@example.org")[0] == 0


def test_a_broken_template(home: Workspace, tmp_path: Path) -> None:
    """A template with an error is named with its line."""
    folder = tmp_path / "templates" / "email" / "digest"
    folder.mkdir(parents=True)
    (folder / "subject.txt").write_text("first line\n{% if %}\n")
    (tmp_path / "config.toml").write_text(home.path.read_text())
    line = said(run("preview", cwd=tmp_path), 1)
    assert "email/digest/subject.txt" in line
    assert "2" in line
    assert not (tmp_path / "preview").exists()


def test_keys_that_others_can_read(tmp_path: Path) -> None:
    """A key file open to others is refused, with the command that closes it."""
    with workspace(tmp_path, changes={"schedule": None}) as made:
        made.subscribe(1)
        (tmp_path / "keys").chmod(0o644)
        line = said(made.run("subscribers", "suppress", "reader-0@example.org"), 2)
        assert f"run `chmod 600 {tmp_path / 'keys'}`" in line
