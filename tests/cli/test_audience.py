"""The audience by command, as staff use it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command import run_here
from tests.support.terminal import at_a_terminal
from tests.support.workspace import Workspace, workspace

REGIONS = "africa, americas, asia, europe, middle-east, global"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Workspace]:
    with workspace(tmp_path) as made:
        yield made


def run(home: Workspace, *arguments: str) -> tuple[int, str, str]:
    return run_here("--config", home.path, "subscribers", *arguments)


def csv_file(home: Workspace, content: str) -> str:
    file = home.folder / "readers.csv"
    file.write_text(content)
    return str(file)


def test_a_dry_run_tells_every_line(home: Workspace) -> None:
    """A dry run tells of every line what would happen, and why; and the sum of it."""
    run(home, "add", "known@example.org")
    run(home, "suppress", "never@example.org", "--reason", "asked us not to")
    file = csv_file(
        home,
        "email,regions,optin_time,status\nann@example.org,Asia,2020-01-01,\nANN@example.org,,,\nbo@example.org,,,\n"
        "known@example.org,,2020-01-01,\nnever@example.org,,2020-01-01,\nleft@example.org,,,unsubscribed\n"
        "x@example.org,Atlantis,,\n",
    )
    code, out, error = run(home, "import", file, "--dry-run")
    assert code == 1
    assert out.splitlines()[:-1] == [
        "line 2: ann@example.org: active, asia",
        "line 3: ANN@example.org: known",
        "line 4: bo@example.org: pending, all regions",
        "line 5: known@example.org: known",
        "line 6: never@example.org: suppressed",
        "line 7: left@example.org: gone",
        "line 8: bad: there is no region 'Atlantis'; the regions are " + REGIONS,
    ]
    assert out.splitlines()[-1].startswith("7 rows: would be 1 active, 1 pending")
    assert error == ""
    code, out, _ = run(home, "import", file, "--dry-run", "--json")
    document = json.loads(out)
    assert (code, document["rows"], document["dry_run"]) == (1, 7, True)
    assert [line["outcome"] for line in document["lines"]] == [
        "active", "known", "pending", "known", "suppressed", "gone", "bad",
    ]  # fmt: skip
    assert json.loads(run(home, "list", "--json")[1])["address"] == "known@example.org"


def test_one_row(home: Workspace) -> None:
    """One row is one row, and an empty file is none; a dry run of nothing is a document, too."""
    code, out, _ = run(home, "import", csv_file(home, "email\nann@example.org\n"), "--consent", "a form")
    assert (code, out.split(":")[0]) == (0, "1 row")
    assert run(home, "import", csv_file(home, "email\n"))[1].startswith("0 rows")
    document = json.loads(run(home, "import", csv_file(home, "email\n"), "--dry-run", "--json")[1])
    assert (document["lines"], document["rows"]) == ([], 0)


def test_suppress_show_allow(home: Workspace) -> None:
    """Staff suppress with a reason, see it, and take it back with another; each is told."""
    run(home, "add", "ann@example.org", "--regions", "asia")
    code, out, _ = run(home, "suppress", "Ann@example.org", "--reason", "a typo")
    assert (code, out) == (0, "Ann@example.org: suppressed (staff: a typo)\n")
    assert "staff: a typo" in run(home, "show", "ann@example.org")[1]
    assert json.loads(run(home, "show", "ann@example.org", "--json")[1])["suppression"]["reason"] == "staff: a typo"
    assert run(home, "allow", "ann@example.org", "--reason", " ")[0] == 2
    code, out, _ = run(home, "allow", "ann@example.org", "--reason", "it was right after all")
    assert (code, out) == (0, "ann@example.org: allowed; the reader is active\n")
    assert run(home, "allow", "ann@example.org", "--reason", "again")[0] == 1
    assert json.loads(run(home, "show", "ann@example.org", "--json")[1])["suppression"] is None
    run(home, "suppress", "stranger@example.org", "--request")
    assert "no reader" in run(home, "show", "stranger@example.org")[1]
    assert run(home, "show", "nobody@example.org")[0] == 1


def test_list_is_in_columns(home: Workspace) -> None:
    """The list stands in columns, as wide as the longest address needs."""
    run(home, "add", "a@example.org", "--regions", "asia")
    run(home, "add", "somebody.with.a.long.name@example.org")
    lines = run(home, "list")[1].splitlines()
    assert [line.index("active") for line in lines] == [len("somebody.with.a.long.name@example.org") + 2] * 2
    assert [line.split()[2:] for line in lines] == [["asia"], ["all", "regions"]]


def test_erase(home: Workspace) -> None:
    """Erasing is told, and a stranger is an error."""
    run(home, "add", "ann@example.org")
    code, out, _ = run(home, "erase", "ann@example.org")
    assert (code, out.split(";")[0]) == (0, "erased")
    assert run(home, "erase", "nobody@example.org")[0] == 1


def test_a_bar_while_importing(home: Workspace) -> None:
    """At a terminal an import shows how many rows are in, how fast, and the time left; elsewhere it is quiet."""
    file = csv_file(home, "email\n" + "".join(f"reader-{n}@example.org\n" for n in range(3_000)))
    shown = at_a_terminal(home, "subscribers", "import", file, columns=120)
    assert "Importing" in shown
    assert "3,000 rows" in shown
    assert "3000 rows: 0 active, 3000 pending" in shown
    assert run(home, "import", file)[2] == ""
