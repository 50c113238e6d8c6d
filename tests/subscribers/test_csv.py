"""The audience comes in from any program's CSV and goes out again, and nobody is mailed who must not be."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from digest.database import Database
from digest.errors import UsageError
from subscribers import choosing, csv_import, csv_rows, erasure, store, suppression, tables
from subscribers.csv_export import export_csv
from subscribers.csv_import import ImportReport, Rehearsal
from subscribers.csv_text import records
from subscribers.model import Status, Subscriber
from tests.support.subscribers import KEYS, NOW, REGIONS, add_reader, status_of


def take(
    database: Database, content: str | bytes, *, consent: str = "", dry_run: bool = False, size: int = 500
) -> ImportReport:
    """As the use case does it: a batch a transaction."""
    raw = content.encode() if isinstance(content, str) else content
    report = ImportReport(dry_run=dry_run)
    rehearsal = Rehearsal() if dry_run else None
    for batch in csv_rows.read(io.BytesIO(raw), regions=REGIONS, consent=consent, at=NOW, size=size):
        with database.begin() as connection:
            report.count(csv_import.take(connection, KEYS, batch, at=NOW, rehearsal=rehearsal))
    if rehearsal:
        rehearsal.close()
    return report


def everybody(database: Database) -> list[Subscriber]:
    with database.read() as connection:
        return list(store.stream(connection))


def only(database: Database) -> Subscriber:
    [found] = everybody(database)
    return found


def test_mailchimp(database: Database) -> None:
    """Mailchimp's export gives active readers with their time of consent; its unsubscribed ones stay out for good."""
    report = take(
        database,
        '"Email Address","First Name","Last Name",Address,Regions,MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME,TAGS\n'
        'ann@Example.org,Ann,"Le, Roy","1 Street\nTown","Africa, Middle East",2,"2019-03-02 09:00:00",'
        '"2019-03-02 10:11:12",""\nbo@example.org,Bo,,,,2,,,\n',
    )
    ann, bo = everybody(database)
    assert (ann.address, ann.name, ann.regions) == ("ann@example.org", "Ann Le, Roy", ("africa", "middle-east"))
    assert (ann.status, ann.since) == (Status.ACTIVE, datetime(2019, 3, 2, 10, 11, 12, tzinfo=UTC))
    assert (bo.status, bo.since) == (Status.PENDING, None)
    assert (report.rows, report.active, report.pending) == (2, 1, 1)
    take(database, "Email Address,OPTIN_TIME,UNSUB_TIME\ncy@example.org,2019-01-01 00:00:00,2020-01-01 00:00:00\n")
    take(database, "email,consent\ncy@example.org,paper form\n")
    assert [reader.status for reader in everybody(database)][2:] == [Status.LEFT]


def test_where_readers_live_is_not_what_they_chose(database: Database) -> None:
    """Mailchimp's REGION is a place on the map, not a choice of regions: its rows are taken."""
    report = take(
        database,
        '"Email Address","First Name","Last Name",MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,CONFIRM_IP,LATITUDE,'
        "LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,TAGS\n"
        'ann@example.org,Ann,Lee,2,,,"2019-03-02 10:11:12",192.0.2.1,40.7,-74.0,-5,-4,America/New_York,US,NY,'
        '"2019-03-02 10:11:12",1,a1,,\n',
    )
    assert (report.active, report.problems, only(database).regions) == (1, [], ())


def test_listmonk_and_keila(database: Database) -> None:
    """What other programs call blocklisted or unreachable goes to the suppression list, whatever comes later."""
    report = take(
        database, "uuid,email,name,attributes,status\n1,a@example.org,A,{},enabled\n2,b@example.org,B,{},blocklisted\n"
    )
    assert (report.pending, report.gone) == (1, 1)
    assert take(database, "Email;First name;Status\nB@example.org;B;active\n", consent="fair 2019").suppressed == 1
    assert [reader.address for reader in everybody(database)] == ["a@example.org"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_encodings_and_separators(encoding: str, separator: str) -> None:
    """Every encoding and separator that spreadsheets write is read, also where the first accent comes late."""
    lines = [["email", "name"], *[[f"r{n}@example.org", "Ann"] for n in range(5_000)], ["zoe@example.org", "Zoë Ñandú"]]
    content = "\r\n".join(separator.join(line) for line in lines)
    assert [record.cells for record in records(io.BytesIO(content.encode(encoding)))] == lines


def test_lines_are_told(database: Database) -> None:
    """Each bad row is told with the line where it begins, and the good ones go in."""
    report = take(
        database,
        'email,name,regions\ngood@example.org,"two\nlines",\nnot an address,,\n\n'
        'abuse@example.org,,\nx@example.org,,Atlantis\ny@example.org,"a"b,\nlast@example.org,,asia\n',
        consent="fair",
    )
    assert [problem.split(":")[0] for problem in report.problems] == ["line 4", "line 6", "line 7", "line 8"]
    assert [reader.address for reader in everybody(database)] == ["good@example.org", "last@example.org"]
    assert (report.rows, report.active, report.bad) == (6, 2, 4)


def test_open_quote(database: Database) -> None:
    """A quotation mark that is never closed is told with all the lines that it swallowed."""
    report = take(database, 'email,name\na@example.org,"open\nb@example.org,\nc@example.org,\n', consent="fair")
    assert report.problems[0].startswith("line 2: it and the lines up to")
    assert everybody(database) == []


@pytest.mark.parametrize("cell", ["no", "0", "FALSE", "never", r"\N", "-", "0000-00-00 00:00:00", "2199-01-01", ""])
def test_no_evidence(database: Database, cell: str) -> None:
    """A cell that says no, or names a time to come, is no evidence of consent: the reader is pending."""
    take(database, f"email,OPTIN_TIME\na@example.org,{cell}\n")
    assert only(database).status is Status.PENDING


def test_evidence_activates_pending(database: Database) -> None:
    """A pending reader becomes active when a file brings the evidence, and is then left as they are."""
    add_reader(database, "a@example.org", active=False)
    assert take(database, "email,regions\nA@example.org,asia\n", consent="fair 2019").active == 1
    assert (only(database).status, only(database).regions) == (Status.ACTIVE, ("asia",))
    assert take(database, "email,regions\na@example.org,europe\n", consent="fair 2019").known == 1
    assert only(database).regions == ("asia",)


def test_nobody_comes_back(database: Database) -> None:
    """Importing never brings back who left, who was suppressed or who was erased."""
    left = add_reader(database, "left@example.org")
    add_reader(database, "hard@example.org")
    add_reader(database, "erased@example.org")
    with database.begin() as connection:
        choosing.leave(connection, left.id, at=NOW)
        suppression.suppress(connection, KEYS, "hard@example.org", reason="bounced", at=NOW)
        suppression.suppress(connection, KEYS, "never@example.org", reason="complaint", at=NOW)
        erasure.erase(connection, KEYS, "erased@example.org", at=NOW)
    rows = "".join(f"{name}@EXAMPLE.org,2020-01-01\n" for name in ("Left", "hard", "never", "Erased"))
    report = take(database, f"email,optin_time\n{rows}", consent="fair")
    assert (report.active, report.suppressed, report.gone) == (0, 3, 1)
    assert {reader.status for reader in everybody(database)} == {Status.LEFT, Status.SUPPRESSED}


def test_dry_run(database: Database) -> None:
    """A dry run tells what would happen, to the same figures, and changes nothing."""
    content = "email,consent\na@example.org,yes\nA@example.org,yes\nb@example.org,\nnobody\n"
    rehearsal = take(database, content, dry_run=True)
    assert everybody(database) == []
    real = take(database, content)
    assert (rehearsal.active, rehearsal.pending, rehearsal.known, rehearsal.problems) == (
        real.active, real.pending, real.known, real.problems,
    )  # fmt: skip


def test_not_csv(database: Database) -> None:
    """A file without a column of addresses, or that is no text at all, is one clear error."""
    for content in (b"", b"name,town\nAnn,Paris\n", b"PK\x03\x04\x00\x00 a zipped spreadsheet", b"email,email\na,b\n"):
        with pytest.raises(UsageError):
            take(database, content)


def test_round_trip(database: Database) -> None:
    """What is exported can be imported elsewhere: the same readers, choices, times and evidence, and no formula."""
    add_reader(database, "=cmd@example.org", ["asia"])
    add_reader(database, "plus+tag@bücher.example.org")
    take(database, "email,name,language,confirm_time\nz@example.org,=HYPERLINK(1),fr,2019-03-02T10:00:00Z\n")
    before = everybody(database)
    out = io.StringIO(newline="")
    with database.begin() as connection:
        assert export_csv(connection, out) == 3
        connection.execute(tables.subscribers.delete())
    cells = [cell for row in csv.reader(io.StringIO(out.getvalue(), newline="")) for cell in row]
    assert not [cell for cell in cells if cell[:1] in ("=", "+", "-", "@")]
    assert take(database, out.getvalue()).active == 3

    def told(reader: Subscriber) -> tuple[object, ...]:
        return (reader.address, reader.status, reader.regions, reader.name, reader.language, reader.since)

    assert [told(reader) for reader in everybody(database)] == [told(reader) for reader in before]


@settings(max_examples=150, deadline=timedelta(seconds=2), suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.lists(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12),
            min_size=2,
            max_size=4,
        ),
        min_size=1,
        max_size=6,
    )
)
def test_any_cells(rows: list[list[str]]) -> None:
    """Whatever a spreadsheet quotes as the standard says is read as it was written."""
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([["email", "name"], *rows])
    wanted = [row for row in rows if any(cell.strip() for cell in row)]
    assert [record.cells for record in records(io.BytesIO(text.getvalue().encode()))][1:] == wanted


@settings(max_examples=150, deadline=timedelta(seconds=2))
@given(st.binary(max_size=400))
def test_any_bytes(content: bytes) -> None:
    """No bytes whatever end in anything but records or one clear error."""
    try:
        lines = [record.line for record in records(io.BytesIO(content))]
    except UsageError:
        return
    assert lines == sorted(set(lines))


def test_status_is_kept(database: Database) -> None:
    """A file that says that an active reader has left changes nothing, and says so."""
    reader = add_reader(database, "a@example.org")
    report = take(database, "email,status\na@example.org,unsubscribed\n")
    assert status_of(database, reader.id) is Status.ACTIVE
    assert "unsubscribed there" in report.problems[0]
