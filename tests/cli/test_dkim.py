"""`digest dkim`: from nothing to a record that verifiers read."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from digest.config import load
from tests.support.command import run_here
from tests.support.workspace import Workspace, workspace

OURS = {"from": "The Roundup <roundup@news.gazette.localdomain>"}


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_a_key_is_made_and_published(tmp_path: Path, kind: str) -> None:
    """What `make` prints goes into config.toml as it is, and `record` then prints the same record."""
    with workspace(tmp_path, changes={"publication": OURS}) as home:
        code, said, _ = run_here("--config", home.path, "dkim", "make", "s2026", "--type", kind)
        assert code == 0
        table = re.search(r"\[\[dkim\.keys\]\]\n.*\n.*\n", said)
        assert table is not None
        home.path.write_text(home.path.read_text() + "\n" + table[0])
        assert load(home.path, {}).signing_keys() == {"s2026": tmp_path / "secrets" / "dkim-s2026.pem"}
        code, record, _ = run_here("--config", home.path, "dkim", "record")
        assert code == 0
        assert record in said
        assert record.startswith("s2026._domainkey.news.gazette.localdomain. IN TXT (")
        strings = re.findall(r'"([^"]*)"', record)
        assert all(len(one) <= 255 for one in strings)
        code, listed, _ = run_here("--config", home.path, "dkim", "record", "--json")
        (found,) = json.loads(listed)
        assert found["value"] == "".join(strings)
        assert found["value"].startswith(f"v=DKIM1; k={kind}; p=")


def refused(home: Workspace, *arguments: str) -> str:
    code, out, error = run_here("--config", home.path, "dkim", *arguments)
    assert code in (1, 2)
    assert out == ""
    assert error.count("\n") == 1
    return error


def test_what_cannot_be_done(tmp_path: Path) -> None:
    """A second key under one selector, a selector that is none, and a record without a key: one clear line each."""
    with workspace(tmp_path) as home:
        assert "digest dkim make" in refused(home, "record")
        assert run_here("--config", home.path, "dkim", "make", "s1", "--type", "ed25519")[0] == 0
        assert "is there already" in refused(home, "make", "s1")
        for wrong in ("a b", "../x", "-x", "x" * 64):
            assert "is no selector" in refused(home, "make", "--", wrong)
        assert [path.name for path in (tmp_path / "secrets").iterdir()] == ["dkim-s1.pem"]
