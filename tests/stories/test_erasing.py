"""Erasing a reader leaves nothing of them in any table and nothing on the disk; and nobody brings them back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from digest import audience
from digest.bounces import store as bounces
from digest.database import Database, metadata
from digest.errors import NotFoundError, RefusedError
from digest.post_office import moving, sending, signups, trial_run
from subscribers import confirmations, store, strikes, tables
from subscribers.strikes import Strike
from subscribers.wishes import Wish
from tests.support.house import FRIDAY, House, house

WHO = "Ann.Lee@erased.example.org"
WORDS = (b"ann.lee", b"erased.example")
EVIDENCE = {"ip": "192.0.2.77", "user_agent": "Browser of Ann.Lee", "form": "/", "wording": "Yes"}


@pytest.fixture
def home(tmp_path: Path, database_url: str) -> Iterator[House]:
    with house(tmp_path, database_url=database_url) as made:
        yield made


def everything(database: Database) -> bytes:
    """All that all tables hold, as text."""
    with database.read() as connection:
        rows = [str(row) for table in metadata.sorted_tables for row in connection.execute(sa.select(table))]
    return "\n".join(rows).lower().encode()


def lead_a_life(h: House) -> int:
    """A reader who signs up, is sent a digest and a test, bounces, is struck, and asks to move; returns the number."""
    app = h.app
    signups.ask(app, Wish(WHO, ("africa",), "en", EVIDENCE, app.now))
    signups.answer_waiting(app)
    signups.ask(app, Wish(WHO.upper(), ("asia",), "en", EVIDENCE, app.now))
    with app.database.begin() as connection:
        store.add(connection, app.keys, WHO, regions=["africa"], name="Ann Lee", consent=f"{WHO} said so", at=app.now)
    h.publish(*[h.article(number) for number in range(4)])
    slug = h.ready()
    trial_run.send_test(app, slug, [WHO])
    h.clock.now = FRIDAY
    h.send()
    with app.database.begin() as connection:
        reader = store.find(connection, WHO)
        assert reader is not None
        strikes.add(connection, reader.id, Strike("soft", slug, app.now))
        bounces.add(connection, "an event", kind="bounce", source="imap", at=app.now)
        connection.execute(
            sa.update(bounces.bounces).values(
                subscriber=reader.id, diagnostic=f"550 no {WHO}", provider="erased.example"
            )
        )
        confirmations.issue(
            connection, app.keys, "change", address=WHO, subscriber=reader.id, detail={"to": WHO}, at=app.now
        )
    return reader.id


def test_nothing_is_left(home: House) -> None:
    """After erasing, no column of any table and no file has a trace of the reader; the deliveries still count."""
    lead_a_life(home)
    assert all(word in everything(home.app.database) for word in WORDS)
    assert audience.erase(home.app, WHO.lower())
    found = everything(home.app.database)
    assert not [word for word in (*WORDS, b"192.0.2.77", b"ann lee") if word in found]
    folder = home.app.config.key_path().parent
    held = [path for path in folder.rglob("*") if path.is_file() and any(w in path.read_bytes().lower() for w in WORDS)]
    assert held == []
    with home.app.database.read() as connection:
        counts = connection.execute(sa.text("SELECT status, count(*) FROM deliveries GROUP BY status")).all()
    assert sum(count for _, count in counts) >= 3


def test_nobody_brings_them_back(home: House) -> None:
    """Neither staff nor an import bring an erased reader back; erasing again is harmless, of a stranger an error."""
    lead_a_life(home)
    audience.erase(home.app, WHO)
    with pytest.raises(RefusedError):
        audience.add(home.app, WHO)
    file = home.app.config.key_path().with_name("again.csv")
    file.write_text(f"email,consent\n{WHO},a form\nbo@example.org,a form\n")
    report = audience.import_file(home.app, file)
    assert (report.suppressed, report.active) == (1, 1)
    assert audience.erase(home.app, WHO)
    with pytest.raises(NotFoundError):
        audience.erase(home.app, "nobody@example.org")


def test_somebody_who_only_asked(home: House) -> None:
    """Who only signed up and never confirmed is erased as well."""
    signups.ask(home.app, Wish(f" {WHO} ", (), "en", EVIDENCE, home.app.now))
    audience.erase(home.app, WHO)
    assert not [word for word in WORDS if word in everything(home.app.database)]


@pytest.mark.parametrize("known", [True, False])
def test_an_address_that_others_moved_to(home: House, known: bool) -> None:
    """Who moved to an address, or only asked to, or moved away from it, holds no trace of it once it is erased."""
    app = home.app
    home.subscribe(("bo@example.org", ()), ("cy@example.org", ()), *([(WHO, ())] if known else []))
    for address, goes in (("bo@example.org", True), ("cy@example.org", False)):
        with app.database.read() as connection:
            reader = store.find(connection, address)
        assert reader is not None
        moving.ask(app, reader.id, WHO)
        sending.deliver(app)
        with app.database.read() as connection:
            table = tables.confirmations.c
            made = connection.execute(sa.select(table.token_id).where(table.purpose == "address").order_by(table.id))
            asked = confirmations.by_token_id(connection, made.scalars().all()[-1])
        assert asked is not None
        if goes:
            token = confirmations.token_of(app.keys, asked)
            assert token is not None
            assert moving.confirm(app, token)
    audience.erase(app, WHO)
    assert not [word for word in WORDS if word in everything(app.database)]


def test_old_copies_on_the_disk(tmp_path: Path) -> None:
    """What a row once held is gone from the file, also where SQLite had moved it about before it was erased."""
    with house(tmp_path) as h:
        h.subscribe(*[(f"reader-{n}@example.org", ()) for n in range(300)], (WHO, ("africa",)))
        with h.app.database.begin() as connection:
            for text in ("x" * 900, "", "y" * 3_000, "z"):
                connection.execute(sa.text("UPDATE subscribers SET name = :text"), {"text": text})
        assert audience.erase(h.app, WHO)
        held = [path.name for path in tmp_path.iterdir() if path.is_file() and WORDS[0] in path.read_bytes().lower()]
        assert held == []


def test_a_longer_address(tmp_path: Path) -> None:
    """An address that is part of another reader's is erased, and the other reader stays."""
    with house(tmp_path) as h:
        h.subscribe((WHO, ("africa",)), (f"jo{WHO}", ()))
        assert audience.erase(h.app, WHO)
        assert [reader.address for reader in audience.stream(h.app)] == [f"jo{WHO}"]


def test_others_at_work(tmp_path: Path) -> None:
    """Where somebody reads the database for long, erasing is done and says that the disk may hold traces."""
    with house(tmp_path) as h:
        h.subscribe((WHO, ("africa",)))
        with h.app.database.engine.connect() as reading:
            reading = reading.execution_options(digest_read=True)
            reading.exec_driver_sql("PRAGMA busy_timeout=200")
            reading.execute(sa.text("SELECT count(*) FROM subscribers")).scalar()
            sa.event.listen(h.app.database.engine, "checkout", _impatient)
            assert audience.erase(h.app, WHO) is False
        assert audience.erase(h.app, WHO) is True
        assert not [word for word in WORDS if word in everything(h.app.database)]


def _impatient(connection: object, *_: object) -> None:
    connection.execute("PRAGMA busy_timeout=200")  # type: ignore[attr-defined]
