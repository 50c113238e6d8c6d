"""Keys rotate under the feet of whoever uses them, and no link ever breaks."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from digest.errors import ConfigError
from subscribers import tokens
from subscribers.keys import KeyFile, load_keys
from subscribers.rotation import rotate
from tests.support.command import run_here
from tests.support.workspace import workspace


def test_the_new_key_signs(tmp_path: Path) -> None:
    """After a rotation the new key signs, the old links work, and the suppression key is as it was."""
    path = tmp_path / "keys"
    before = load_keys(path)
    old = tokens.make(before, "unsubscribe", 7)
    assert rotate(path, remark="made on\n2026-11-27") == "2"
    assert rotate(path) == "3"
    after = load_keys(path)
    assert list(after.tokens) == ["1", "2", "3"]
    assert after.signing[0] == "3"
    assert after.suppression == before.suppression
    assert tokens.read(after, "unsubscribe", old) == 7
    assert tokens.make(after, "unsubscribe", 7).startswith("3-")
    assert [name.name for name in tmp_path.iterdir()] == ["keys"]


def test_mode_owner_and_place_stay(tmp_path: Path) -> None:
    """A file that is a link elsewhere, of a mode of its own, is rotated where it lies, and keeps both."""
    real = tmp_path / "vault" / "keys"
    load_keys(real)
    real.chmod(0o400)
    shown = tmp_path / "keys"
    shown.symlink_to(real)
    rotate(shown)
    assert shown.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o400
    assert real.stat().st_uid == os.geteuid()
    assert len(load_keys(shown).tokens) == 2


def test_rotating_at_once(tmp_path: Path) -> None:
    """Five rotations at once make five keys: none is lost to another."""
    path = tmp_path / "keys"
    load_keys(path)
    code = (
        "import sys, pathlib; from subscribers.rotation import rotate;"
        "sys.stdin.read(); rotate(pathlib.Path(sys.argv[1]))"
    )
    racing = [subprocess.Popen([sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE) for _ in range(5)]
    for process in racing:
        assert process.stdin
        process.stdin.close()
    assert [process.wait() for process in racing] == [0] * 5
    assert sorted(load_keys(path).tokens) == ["1", "2", "3", "4", "5", "6"]


def test_who_runs_takes_it_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that holds the keys sees a rotation, and keeps what it has where the file is broken or away."""
    monkeypatch.setattr(KeyFile, "LOOK_EVERY", 0.0)
    path = tmp_path / "keys"
    held = KeyFile(path)
    first = held.keys()
    assert held.keys() == first
    rotate(path)
    second = held.keys()
    assert second.signing[0] == "2"
    content = path.read_text()
    path.write_text("nothing that is a key\n")
    assert held.keys() == second
    path.unlink()
    assert held.keys() == second
    path.write_text(content)
    path.chmod(0o600)
    assert held.keys() == second


@pytest.mark.parametrize("content", [None, "hello\n"])
def test_nothing_to_rotate(tmp_path: Path, content: str | None) -> None:
    """Where there is no good key file, rotating is an error that names it, and makes nothing."""
    path = tmp_path / "keys"
    if content is not None:
        path.write_text(content)
        path.chmod(0o600)
    with pytest.raises(ConfigError, match="key_file"):
        rotate(path)
    assert not path.exists() or path.read_text() == content


def test_by_command(tmp_path: Path) -> None:
    """`digest keys rotate` and `digest keys list` do it for an operator, and never show a secret."""
    with workspace(tmp_path) as home:
        code, out, error = run_here("--config", home.path, "keys", "rotate", "--json")
        assert (code, json.loads(out)) == (0, {"id": "2"}), error
        code, out, _ = run_here("--config", home.path, "keys", "list")
        assert code == 0
        assert [line.split() for line in out.splitlines()] == [
            ["links", "1", "is", "accepted"], ["links", "2", "signs"], ["suppression", "-", "never", "changes"],
        ]  # fmt: skip
        secrets = re.findall(r"\S{40,}", (tmp_path / "keys").read_text())
        assert len(secrets) == 3
        assert not [secret for secret in secrets if secret in out]


def test_keys_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys that the environment gives are rotated there, and the command says how."""
    load_keys(tmp_path / "given")
    with workspace(tmp_path) as home:
        monkeypatch.setenv("DIGEST_SECRETS__KEYS", (tmp_path / "given").read_text().replace("\n", ";"))
        code, _, error = run_here("--config", home.path, "keys", "rotate")
    assert code == 2
    assert "DIGEST_SECRETS__KEYS" in error
