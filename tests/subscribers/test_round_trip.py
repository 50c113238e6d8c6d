"""What goes out comes in again, to the letter, whatever readers are called; and no spreadsheet runs it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime

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
        "regions": st.sets(st.sampled_from(sorted(REGIONS))),
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
    """Whoever is exported is imported elsewhere as they were: address, name, choice, language, times, consent."""
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
    assert (report.rows, report.problems) == (len(before), [])
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
    return made | {"since": since, "left_at": NOW if status is Status.LEFT else None}


def _told(reader: Subscriber) -> tuple[object, ...]:
    return (
        reader.address, reader.status, reader.regions, reader.name, reader.language, reader.since, reader.consent
    )  # fmt: skip


@given(st.text(FORMULAS + "ab", max_size=8))
def test_harmless(cell: str) -> None:
    """A cell that is made harmless begins no formula, and is given back as it was."""
    assert plain(harmless(cell)) == cell
    assert harmless(cell)[:1] not in set(FORMULAS) - {"'"}


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
