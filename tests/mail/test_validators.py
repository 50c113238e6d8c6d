"""What programs that judge mail and HTML say of the demo's mail."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.databases import missing
from tests.support.demo_mail import Mail, Received


def test_spamassassin(received: Received, tmp_path: Path) -> None:
    """SpamAssassin gives every mail less than one point."""
    program = shutil.which("spamassassin")
    if program is None:
        missing("SpamAssassin is not installed")
    mails = (*received.readers, received.staff_mail("Draft ready"), received.staff_mail("Sent"))
    box = tmp_path / "all.mbox"  # one process for all: starting it is the slow part
    box.write_bytes(
        b"".join(
            b"From sender@example.org Fri Nov 27 14:00:00 2026\n"
            + mail.raw.replace(b"\r\n", b"\n").replace(b"\nFrom ", b"\n>From ")
            + b"\n"
            for mail in mails
        )
    )
    told = subprocess.run(
        [str(program), "-t", "-L", "--mbox", str(box)],
        capture_output=True, check=True, timeout=300, env={**os.environ, "HOME": str(tmp_path)},
    )  # fmt: skip
    scores = [float(score) for score in re.findall(rb"X-Spam-Status: \w+, score=(-?[\d.]+)", told.stdout)]
    assert len(scores) == len(mails)
    assert max(scores) < 1.0


def judged(received: Received) -> tuple[Mail, ...]:
    return (received.everything, received.staff_mail("Draft ready"), received.staff_mail("Sent"))


def test_html_validate(received: Received, tmp_path: Path) -> None:
    """html-validate has nothing to say but that mail clients want inline styles, MSO comments and table attributes.

    The program comes from npm, which the tests do not need: they look for it on the path."""
    program = shutil.which("html-validate")
    if program is None:
        pytest.skip("html-validate is not installed")
    shutil.copy(Path(__file__).with_name("html-validate.json"), tmp_path / ".htmlvalidate.json")
    for mail in judged(received):
        (tmp_path / f"{mail.name}.html").write_text(mail.html, encoding="utf-8")
    pages = sorted(path.name for path in tmp_path.glob("*.html"))
    told = tmp_path / "told.json"
    with told.open("wb") as out:  # to a file: it ends without emptying a full pipe
        subprocess.run([str(program), "--formatter", "json", *pages], stdout=out, timeout=120, cwd=tmp_path)
    found = [message["message"] for page in json.loads(told.read_text()) for message in page["messages"]]
    assert [text for text in found if not re.match(r'Attribute "cell(padding|spacing)" is deprecated', text)] == []


def test_nu_checker(received: Received, tmp_path: Path) -> None:
    """The Nu checker has nothing to say but that mso- properties and the attributes of layout tables are not HTML.

    `VNU_JAR` in the environment names its file."""
    jar = os.environ.get("VNU_JAR")
    if jar is None or shutil.which("java") is None:
        pytest.skip("VNU_JAR does not name the Nu checker")
    for mail in judged(received):
        (tmp_path / f"{mail.name}.html").write_text(mail.html, encoding="utf-8")
    told = subprocess.run(
        ["java", "-jar", jar, "--format", "json", *map(str, sorted(tmp_path.glob("*.html")))],
        capture_output=True, timeout=120,
    )  # fmt: skip
    allowed = re.compile(r"CSS: “mso-|The “cell(padding|spacing)” attribute on the “table” element is obsolete")
    found = [message["message"] for message in json.loads(told.stderr)["messages"]]
    assert [text for text in found if not allowed.match(text)] == []
