"""The sender against a real relay that misbehaves."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from digest.database import Database
from digest.delivery.model import Books
from tests.delivery.samples import books_of, fill_outbox, send
from tests.support.smtp import Sink


def test_everyone_gets_one_mail(database: Database, tmp_path: Path) -> None:
    """A run hands each recipient exactly one mail, over connections that carry several, and the books balance."""
    fill_outbox(database, 120)
    with Sink().serve() as sink:
        summary = send(database, sink.port, tmp_path, connections=3)
    assert (summary.sent, summary.ended) == (120, "nothing due")
    assert Counter(sink.recipients()) == Counter(f"reader-{n}@example.org" for n in range(120))
    assert sink.connections <= 4
    assert books_of(database) == Books(120, sent=120, excluded=0, failed=0, uncertain=0, pending=0)
    assert list((tmp_path / "journals").iterdir()) == []
