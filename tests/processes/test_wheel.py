"""The installed wheel: what it carries, and that it works from any folder without the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

from tests.support.workspace import PATIENCE, plain_environment

ROOT = Path(__file__).parents[2]
FOLDERS = ("templates/email", "templates/web", "digest", "subscribers")
DATA = (".html", ".txt", ".css", ".po", ".tsv", ".toml", ".jpg", ".mako", ".py", ".typed")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built with hatchling and without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=ROOT,
        env=plain_environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (made,) = folder.glob("*.whl")
    return made


def tracked() -> set[str]:
    """The files of the repository that the program is made of, under the names that the wheel gives them."""
    files = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in DATA)
    names = {path.relative_to(ROOT).as_posix() for path in files if "__pycache__" not in path.parts}
    return {
        name.replace("templates/", "digest/_templates/", 1) if name.startswith("templates/") else name for name in names
    }


def test_nothing_is_missing(wheel: Path) -> None:
    """Every module, template, catalogue, photo and table is in it, the example configuration too, and no test."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        metadata = next(name for name in names if name.endswith(".dist-info/METADATA"))
        described = Parser().parsestr(archive.read(metadata).decode())
    assert tracked() - names == set()
    assert "digest/_config.toml" in names
    assert {name.split("/")[0] for name in names} == {"digest", "subscribers", metadata.split("/")[0]}
    assert not [name for name in names if "__pycache__" in name or name.endswith((".sqlite3", ".pyc", "~"))]
    assert described["License-Expression"] == "MIT"
    assert described["Requires-Python"] == ">=3.11"


def test_works_where_it_is_installed(wheel: Path, tmp_path: Path) -> None:
    """Installed into an environment of its own, the demo runs from another folder and finds all that it needs."""
    home = tmp_path / "environment"
    venv.create(home, symlinks=True)
    paths = {"base": str(home), "platbase": str(home)}
    packages = Path(sysconfig.get_path("purelib", vars=paths))
    command = home / "bin" / "digest"
    install(wheel, packages, command, python=home / "bin" / "python")
    # What it stands on is reached in our own environment, after its own packages; the checkout's path entry is not.
    ours = sysconfig.get_path("purelib")
    (packages / "dependencies.pth").write_text(f"import sys; sys.path.append({ours!r})\n")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    environment = {name: value for name, value in plain_environment().items() if name != "PYTHONPATH"}

    def run(*arguments: str) -> str:
        done = subprocess.run(
            arguments, cwd=elsewhere, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    where = run(
        str(home / "bin" / "python"), "-c", "import digest, subscribers; print(digest.__file__, subscribers.__file__)"
    )
    assert all(Path(file).is_relative_to(packages) for file in where.split())
    run(str(command), "demo", "--subscribers", "2")
    assert len(list((elsewhere / "demo" / "inbox").iterdir())) == 2
    assert list((elsewhere / "demo" / "preview" / "photos").iterdir())
    assert (elsewhere / "demo" / "preview" / "edition.html").stat().st_size > 20_000
    run(str(command), "init", "workspace")
    assert (elsewhere / "workspace" / "config.toml").is_file()


def install(wheel: Path, packages: Path, command: Path, *, python: Path) -> None:
    """As an installer does it, without a network: pip where there is one, else by the wheel's own rules."""
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index"]
    done = subprocess.run(
        [*pip, str(wheel)], capture_output=True, text=True, timeout=PATIENCE, check=False, env=dict(os.environ)
    )
    if done.returncode == 0:
        return
    # A bare machine's environment may have no pip (see the Makefile). A pure wheel is its files (PEP 427) and scripts.
    assert "No module named pip" in done.stderr, done.stderr
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
        entry = next(name for name in archive.namelist() if name.endswith("entry_points.txt"))
        assert "digest = digest.cli:main" in archive.read(entry).decode()
    command.write_text(f"#!{python}\nfrom digest.cli import main\nmain()\n")
    command.chmod(0o755)
