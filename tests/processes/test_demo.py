"""`digest demo`: the whole job, on any day, in any folder of its own, and in the browser."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from digest.demo import job
from digest.demo.browse import Browser
from digest.errors import UsageError
from tests.support.workspace import COMMAND, PATIENCE, plain_environment


def demo(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, "demo", *arguments],
        cwd=folder,
        env=plain_environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def regions_of(mail: Path) -> frozenset[str]:
    """The region sections of a mail, by the headings of its text part."""
    message = message_from_bytes(mail.read_bytes(), EmailMessage, policy=default)
    part = message.get_body(("plain",))
    assert part is not None
    lines = {line.strip().casefold() for line in part.get_content().splitlines()}
    return frozenset(name for name in ("africa", "americas", "asia", "europe", "middle east") if name in lines)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo of nine readers, made once, in a folder whose `config.toml` is of another program."""
    folder = tmp_path_factory.mktemp("demo")
    (folder / "config.toml").write_text("nothing = 'of ours'\n")
    done = demo(folder, "--subscribers", "9")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "9 of 9 readers" in done.stdout
    return folder / "demo"


def test_what_it_leaves(made: Path) -> None:
    """The preview in four files, one mail a reader and no more, the word to staff, each whole."""
    assert {"index.html", "edition.html", "edition.txt", "edition.eml"} <= {
        f.name for f in (made / "preview").iterdir()
    }
    mails = sorted((made / "inbox").iterdir())
    readers = [message_from_bytes(mail.read_bytes())["To"] for mail in mails]
    assert len(mails) == len(set(readers)) == 9
    assert len(list((made / "staff").iterdir())) == 2  # the draft is ready; it has gone
    for mail in mails:
        body = mail.read_bytes()
        assert body.endswith(b"\r\n")
        assert b"\n" not in body.replace(b"\r\n", b"")


def test_mails_differ_by_region(made: Path) -> None:
    """A reader of one region gets that region alone; somebody gets them all."""
    kinds = {regions_of(mail) for mail in (made / "inbox").iterdir()}
    assert frozenset({"africa"}) in kinds
    assert frozenset({"africa", "americas", "asia", "europe", "middle east"}) in kinds
    assert len(kinds) >= 6


def test_again(made: Path) -> None:
    """Run again into its own folder it takes the earlier one's place: exactly as many mails as readers now."""
    done = demo(made.parent, "--output", str(made), "--subscribers", "3", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["candidates"], told["sent"]) == (3, 3)
    assert len(list((made / "inbox").iterdir())) == 3


def test_foreign_folder(tmp_path: Path) -> None:
    """A folder that holds something else is refused in one line, and nothing in it is touched."""
    (tmp_path / "inbox").mkdir()
    letter = tmp_path / "inbox" / "letter.eml"
    letter.write_text("mine")
    done = demo(tmp_path, "--output", str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "no demo made it" in done.stderr
    assert letter.read_text() == "mine"
    with pytest.raises(UsageError, match="no demo made it"):
        job.run(letter, 1, say=print)


@pytest.mark.parametrize(
    ("now", "why"),
    [
        ("2026-11-30T12:00", "the last day of a month, and the edition is of the next"),
        ("2026-11-27T13:00", "Friday 08:00 in New York, before the send moment"),
        ("2026-11-27T15:00", "Friday 10:00, after it"),
        ("2026-11-28T02:30", "Friday 21:30, after the deadline"),
        (
            "2026-11-07T01:30",
            "Friday 20:30, summer time ended this week: seven times 24 hours ago the deadline had passed",
        ),
        ("2026-11-01T05:30", "the hour that is there twice"),
        ("2026-03-08T07:30", "right after the hour that is not"),
        ("2026-12-31T18:00", "the last day of a year"),
        ("2026-12-25T15:00", "a week that the example skips"),
        ("2026-08-01T00:30", "August in UTC, still July in New York"),
        ("2028-02-29T23:59", "a day that most years lack"),
    ],
)
def test_any_day(now: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On whatever day it runs it sends one edition, with its focus first, to exactly its readers."""
    monkeypatch.setattr(job, "HISTORY_WEEKS", 1 if "summer" in why else 0)
    moment = datetime.fromisoformat(now).replace(tzinfo=UTC)
    summary = job.run(tmp_path / "made", 2, say=lambda _line: None, now=moment)
    assert summary.sent == summary.candidates == 2
    assert next(iter(summary.sections)) == summary.focus == "Peace Processes"
    assert summary.sections["Peace Processes"] >= 3
    assert len(list((tmp_path / "made" / "inbox").iterdir())) == 2


def test_in_the_browser(made: Path) -> None:
    """The index lists every mail; each opens with its headers, its HTML with the bundled photos, and its text."""
    browser = Browser(made)
    index = browser.answer("/")
    assert index is not None
    pages = re.findall(r'href="(/mail/inbox/[^"]+)"', index[1].decode())
    assert len(pages) == len(list((made / "inbox").iterdir()))
    for page in pages:
        shown = browser.answer(page)
        assert shown is not None
        assert "List-Unsubscribe" in shown[1].decode()
        assert "<pre" in shown[1].decode()
        html = browser.answer(page + "/html")
        assert html is not None
        photos = re.findall(r'src="([^"]+)"', html[1].decode())
        assert photos
        assert all(photo.startswith("/photos/") for photo in photos)
        found = browser.answer(photos[0])
        assert found is not None
        assert found[0] == "image/jpeg"
    assert browser.answer("/preview/index.html")
    assert browser.answer("/preview/edition.html")
    for path in (
        "/var/keys",
        "/../config.toml",
        "/inbox/..%2fvar%2fkeys",
        "/preview/..%2f..%2fconfig.toml",
        "/.digest-demo",
    ):
        assert browser.answer(path) is None


def test_serve(tmp_path: Path) -> None:
    """`--serve` stays up on loopback until Ctrl-C, and then ends well."""
    process = subprocess.Popen(
        [COMMAND, "demo", "--output", tmp_path / "made", "--subscribers", "1", "--serve"],
        env=plain_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # a shell in the background ignores Ctrl-C
    )
    assert process.stdout is not None
    try:
        line = next(line for line in process.stdout if line.startswith("Look at http"))
        where = urlsplit(line.split()[2])
        assert where.hostname == "127.0.0.1"
        connection = http.client.HTTPConnection("127.0.0.1", where.port or 0, timeout=10)
        for path, status in (("/", 200), ("/preview/", 200), ("/var/keys", 404)):
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == status
        connection.close()
        os.kill(process.pid, signal.SIGINT)
        _, error = process.communicate(timeout=PATIENCE)
        assert (process.returncode, error) == (0, "")
    finally:
        process.kill()
        process.communicate()
