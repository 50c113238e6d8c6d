"""The books of an edition, as staff read them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.engine import Connection

from digest.app import App
from digest.delivery import store as outbox
from digest.delivery.model import Books
from digest.editions.store import EditionHead
from digest.which import current
from subscribers import store as subscribers


@dataclass(frozen=True, slots=True)
class EditionStatus:
    """An edition's state and books; before it begins every active subscriber is a pending candidate."""

    slug: str
    state: str
    books: Books
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        return {"edition": self.slug, "state": self.state, **asdict(self.books)}

    def sentence(self) -> str:
        b = self.books
        why = f" ({self.reason})" if self.reason else ""
        return (
            f"{self.slug}: {self.state}{why}\n{b.candidates} candidates = {b.sent} sent + {b.excluded} excluded + "
            f"{b.failed} failed + {b.uncertain} uncertain + {b.pending} pending"
        )


def books_of(connection: Connection, row: EditionHead) -> Books:
    """The account: counted at the start; before it, whoever would be a candidate now."""
    if row.candidates is None:
        waiting = subscribers.counts(connection).get("active", 0)
        return Books(candidates=waiting, sent=0, excluded=0, failed=0, uncertain=0, pending=waiting)
    return outbox.books(connection, row.slug, candidates=row.candidates)


def status_of(app: App, slug: str | None) -> EditionStatus:
    """Raises NotFoundError where there is no such edition, DigestError where its books do not balance."""
    if slug and "#" in slug:  # a correction has books of its own
        from digest.post_office.figures import look

        found = look(app, slug)
        return EditionStatus(slug, found.state, found.figures.books)
    row = current(app, slug)
    with app.database.read() as connection:
        books = books_of(connection, row)
    return EditionStatus(row.slug, row.state, books, row.held_reason)
