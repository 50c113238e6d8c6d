"""An import may be killed at any moment, and run again; and the readers' pages go on while it works."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from digest.database import Database
from subscribers import choosing
from tests.support.workspace import Workspace, workspace

ROWS = 30_000
PATIENCE = 60


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Workspace]:
    with workspace(tmp_path) as made:
        yield made


def write(file: Path, rows: int) -> None:
    lines = (f"reader-{n}@mail{n % 50}.example.org,2019-03-02 10:11:12\n" for n in range(rows))
    file.write_text("email,optin_time\n" + "".join(lines))


def stored(database: Database) -> tuple[int, int, int]:
    """Readers, addresses that differ, entries in the consent record."""
    with database.read() as connection:
        statement = "SELECT count(*), count(DISTINCT match_key), (SELECT count(*) FROM consents) FROM subscribers"
        return tuple(connection.execute(sa.text(statement)).one())


def wait_for(database: Database, rows: int) -> None:
    until = time.monotonic() + PATIENCE
    while stored(database)[0] < rows:
        assert time.monotonic() < until
        time.sleep(0.01)


def test_killed_and_run_again(home: Workspace) -> None:
    """Killed at random moments and run again: no row is lost, none is doubled, each has its record of consent."""
    file = home.folder / "readers.csv"
    write(file, ROWS)
    with home.app() as app:
        before = 0
        for _ in range(4):
            process = home.start("subscribers", "import", str(file))
            wait_for(app.database, before + 1)
            time.sleep(random.uniform(0, 0.4))
            process.kill()
            process.communicate()
            readers, addresses, consents = stored(app.database)
            assert readers == addresses == consents
            assert before < readers
            before = readers
        code, out, error = home.run("subscribers", "import", str(file), "--json")
        assert code == 0, error
        report = json.loads(out)
        assert (report["rows"], report["known"], report["active"]) == (ROWS, before, ROWS - before)
        assert stored(app.database) == (ROWS, ROWS, ROWS)


def test_two_at_once(home: Workspace) -> None:
    """Two imports of the same readers at once take each of them once."""
    write(home.folder / "one.csv", 8_000)
    write(home.folder / "two.csv", 9_000)
    racing = [home.start("subscribers", "import", str(home.folder / name), "--json") for name in ("one.csv", "two.csv")]
    reports = [json.loads(process.communicate(timeout=PATIENCE)[0]) for process in racing]
    assert sum(report["active"] for report in reports) == 9_000
    with home.app() as app:
        assert stored(app.database) == (9_000, 9_000, 9_000)


def test_leaving_meanwhile(home: Workspace) -> None:
    """Whoever leaves while an import runs has left at once, and the import does not bring them back."""
    write(home.folder / "readers.csv", ROWS)
    with home.app() as app:
        process = home.start("subscribers", "import", str(home.folder / "readers.csv"))
        wait_for(app.database, 1)
        for number in range(1, 20):
            with app.database.begin() as connection:
                assert choosing.leave(connection, number, at=app.now)
        assert process.poll() is None  # it was still at work
        process.communicate(timeout=PATIENCE)
        code, out, _ = home.run("subscribers", "import", str(home.folder / "readers.csv"), "--json")
        assert (code, json.loads(out)["gone"]) == (0, 19)
