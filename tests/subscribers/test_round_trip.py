"""What goes out comes in again, to the letter, whatever readers are called; and no spreadsheet runs it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digest.database import Database
from subscribers import csv_import, csv_rows, store, suppression, tables
from subscribers.csv_export import export_csv
from subscribers.csv_text import harmless, plain
from subscribers.model import Status, Subscriber
from tests.support.databases import create_all
from tests.support.subscribers import KEYS, NOW, REGIONS

FORMULAS = "=+-@＝＋－＠'\t"
words = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=10)
names = st.lists(words, max_size=3).map(" ".join) | st.builds("{}{}".format, st.sampled_from(FORMULAS[:-1]), words)
locals_ = st.text("abcXYZ019=+-'", min_size=1, max_size=12)
readers = st.fixed_dictionaries(
    {
        "address": st.builds("{}@{}example.org".format, locals_, st.sampled_from(["", "news.", "xn--bcher-kva."])),
        "name": names,
        "status": st.sampled_from([Status.ACTIVE, Status.PENDING, Status.LEFT]),
        "regions": st.sets(st.sampled_from([*sorted(REGIONS), "atlantis", "lemuria-2"])),
        "paused_until": st.sampled_from([None, NOW + timedelta(days=9)]),
        "language": st.sampled_from(["", "fr", "pt-BR"]),
        "since": st.integers(1_000_000_000, 1_700_000_000).map(lambda stamp: datetime.fromtimestamp(stamp, UTC)),
        "consent": st.builds("imported: {}".format, names.filter(str.strip)),
    }
)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path_factory.mktemp('round') / 'digest.sqlite3'}")
    create_all(database)
    yield database
    database.close()


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(readers, max_size=8, unique_by=lambda reader: str(reader["address"]).casefold()))
def test_there_and_back(kept: Database, many: list[dict[str, object]]) -> None:
    """Whoever is exported is imported elsewhere as they were: address, name, choice, language, times, consent, pause.

    A region that is configured no more stays chosen, and its line is told."""
    with kept.begin() as connection:
        for table in (tables.consents, tables.subscribers):
            connection.execute(table.delete())
        for reader in many:
            connection.execute(tables.subscribers.insert().values(**_row(reader)))
        before = [_told(reader) for reader in store.stream(connection)]
        out = io.StringIO(newline="")
        assert export_csv(connection, out) == len(before)
        connection.execute(tables.subscribers.delete())
    report = csv_import.ImportReport()
    raw = io.BytesIO(out.getvalue().encode())
    for batch in csv_rows.read(raw, regions=REGIONS, consent="", at=NOW, size=3):
        with kept.begin() as connection:
            report.count(csv_import.take(connection, KEYS, batch, at=NOW))
    with kept.read() as connection:
        assert [_told(reader) for reader in store.stream(connection)] == before
    lost = [n for n, reader in enumerate(many, 2) if reader["status"] is not Status.LEFT and _lost(reader)]
    assert [said.split(":")[0] for said in report.problems] == [f"line {n}" for n in lost]
    assert (report.rows, report.bad) == (len(before), 0)
    cells = [cell for line in csv.reader(io.StringIO(out.getvalue(), newline="")) for cell in line]
    assert not [cell for cell in cells if cell[:1] in set(FORMULAS) - {"'"}]


def _row(reader: dict[str, object]) -> dict[str, object]:
    status, regions, since = reader["status"], reader["regions"], reader["since"]
    assert isinstance(status, Status)
    assert isinstance(regions, set)
    made = store.new_row(
        str(reader["address"]),
        status,
        regions,
        str(reader["name"]),
        str(reader["language"]),
        str(reader["consent"]),
        NOW,
    )
    left_at = NOW if status is Status.LEFT else None
    return made | {"since": since, "left_at": left_at, "paused_until": reader["paused_until"]}


def _lost(reader: dict[str, object]) -> bool:
    regions = reader["regions"]
    assert isinstance(regions, set)
    return not regions <= set(REGIONS)


def _told(reader: Subscriber) -> tuple[object, ...]:
    return (
        reader.address, reader.status, reader.regions, reader.name, reader.language, reader.since, reader.consent,
        reader.paused_until,
    )  # fmt: skip


@given(st.text(FORMULAS + "ab", max_size=8))
def test_harmless(cell: str) -> None:
    """A cell that is made harmless begins no formula, and is given back as it was."""
    assert plain(harmless(cell)) == cell
    assert harmless(cell)[:1] not in set(FORMULAS) - {"'"}


@pytest.mark.parametrize(
    ("heading", "region", "taken"),
    [
        ("email,status,regions,name,language,since,consent", "atlantis", True),
        ("email,status,regions,name,language,since,consent", "Atlantis", False),
        ("email,status,regions", "atlantis", False),
    ],
)
def test_a_slip_is_no_region(heading: str, region: str, taken: bool) -> None:
    """Only an export of ours may name a region that there is no more, by its slug; elsewhere it is told, and the row
    left out."""
    raw = io.BytesIO(f'{heading}\r\nann@example.org,active,"asia,{region}"\r\n'.encode())
    ((row,),) = csv_rows.read(raw, regions=REGIONS, consent="", at=NOW, size=9)
    if taken:
        assert (row.regions, row.lost, row.problem) == (("asia", "atlantis"), ("atlantis",), "")
    else:
        assert "there is no region" in row.problem


@pytest.mark.parametrize(
    ("status", "pause", "problem"),
    [
        ("active", "Christmas", "paused until 'Christmas', which is no time"),
        ("active", "2026-12-24", ""),
        ("active", "", ""),
        ("left", "Christmas", ""),
    ],
)
def test_a_pause_that_cannot_be_read(status: str, pause: str, problem: str) -> None:
    """Nobody gets mail because a spreadsheet has rewritten until when they want none: the row is told, and left out.
    Whoever has left stays out, whatever is said there."""
    raw = io.BytesIO(f"email,status,consent,paused_until\r\nann@example.org,{status},a form,{pause}\r\n".encode())
    ((row,),) = csv_rows.read(raw, regions=REGIONS, consent="", at=NOW, size=9)
    assert row.problem.startswith(problem)
    assert bool(row.problem) is bool(problem)
    if status == "left":
        assert row.status is Status.LEFT


def test_the_suppressed_stay_out(database: Database) -> None:
    """An export that names a suppressed reader keeps them out wherever it is imported."""
    with database.begin() as connection:
        store.add(connection, KEYS, "ann@example.org", consent="a form", at=NOW)
        suppression.suppress(connection, KEYS, "ann@example.org", reason="bounced", at=NOW)
        out = io.StringIO(newline="")
        export_csv(connection, out)
        for table in (tables.subscribers, tables.suppressions, tables.consents):
            connection.execute(table.delete())
        for batch in csv_rows.read(io.BytesIO(out.getvalue().encode()), regions=REGIONS, consent="all", at=NOW, size=9):
            csv_import.take(connection, KEYS, batch, at=NOW)
        assert suppression.is_suppressed(connection, KEYS, "ann@example.org")
        assert store.find(connection, "ann@example.org") is None
