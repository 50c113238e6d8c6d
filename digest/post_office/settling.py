"""What a run leaves behind: an edition closed, or paused, staff told, and a report of it all."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from digest.app import App
from digest.database import one_at_a_time
from digest.delivery import store as outbox
from digest.delivery.model import Books
from digest.delivery.run import Summary
from digest.editions import corrections
from digest.editions import store as editions
from digest.editions.store import EditionRow
from digest.post_office import staff_mail, staff_words
from digest.post_office.books import books_of
from digest.post_office.holding import fresh


@dataclass(frozen=True, slots=True)
class SendReport:
    """What a `digest send` came to. `stopped` says why the run ended early, in a sentence, or ""."""

    slug: str
    state: str
    books: Books
    deferred: int = 0
    next_due: datetime | None = None
    stopped: str = ""

    @property
    def finished(self) -> bool:
        """Nothing is left that the operator must look at."""
        return not (self.books.pending or self.books.uncertain or self.stopped)

    @property
    def in_other_hands(self) -> bool:
        """Another process is sending the rest: wait for what it says; should it die, we take it up."""
        return self.state == "sending" and self.books.pending > self.deferred and not self.stopped

    def as_json(self) -> dict[str, Any]:
        return {
            "edition": self.slug,
            "state": self.state,
            **asdict(self.books),
            "deferred": self.deferred,
            "next_due": self.next_due.isoformat() if self.next_due else None,
            "stopped": self.stopped or None,
        }

    def sentence(self, zone: ZoneInfo) -> str:
        b = self.books
        candidates = staff_words.counted(b.candidates, "candidate")
        parts = [
            f"{self.slug}: {self.state}. {candidates}: {b.sent} sent, {b.excluded} excluded",
            f"{b.failed} failed",
        ]
        if b.uncertain:
            parts.append(f"{b.uncertain} uncertain (see `digest reconcile {self.slug.partition('#')[0]}`)")
        if self.deferred and self.next_due:
            parts.append(f"{self.deferred} deferred until {self.next_due.astimezone(zone):%H:%M}")
        elif b.pending:
            parts.append(f"{b.pending} pending")
        line = ", ".join(parts)
        return f"{line}. {self.stopped}" if self.stopped else f"{line}."


def settle_up(app: App, slug: str, summary: Summary | None = None, *, key: str = "") -> SendReport:
    """After a run: close the edition when nothing of it is pending, pause it when the run had to stop; tell staff.

    The report is of the edition's own books, or of those of `key`, a correction's."""
    key = key or slug
    stopped = summary.reason if summary and summary.ended in ("paused", "unreachable") else ""
    with app.database.begin() as connection:
        one_at_a_time(connection, f"settle {slug}")  # two senders finish at the same moment, and one closes the edition
        row = fresh(connection, slug)
        if summary and summary.ended == "paused" and row.state == "sending":
            editions.pause(connection, slug, reason=stopped, at=app.now)
            staff_mail.tell(
                app, connection, "staff-notice", key=f"{slug}-paused-{stopped}-{app.now:%Y-%m-%d-%H}",
                context=staff_words.notice(f"{slug} is paused", stopped, command=f"digest resume {slug}"),
            )  # fmt: skip
        elif row.state == "sending" and not outbox.unsettled(connection, corrections.keys_of(connection, slug)):
            editions.finish(connection, slug, at=app.now)
            _tell_the_end(app, connection, row)
        head = editions.head_of(connection, slug)
        books = books_of(connection, head) if key == slug else outbox.books(connection, key)
        count, next_due = outbox.due_later(connection, key=key, now=app.now)
    reason = head.held_reason if head.state == "paused" else ""
    return SendReport(key, head.state, books, count, next_due, stopped or reason)


def _tell_the_end(app: App, connection: Connection, row: EditionRow) -> None:
    """That it has gone or, of one that has gone before, that its correction has."""
    correction = corrections.in_force(connection, row.slug)
    if correction is None:
        context = staff_words.sent(app, row, books_of(connection, row))
        staff_mail.tell(app, connection, "staff-sent", key=f"{row.slug}-sent", context=context)
    else:
        context = staff_words.corrected(correction, outbox.books(connection, correction.key))
        staff_mail.tell(app, connection, "staff-notice", key=f"{correction.key}-sent", context=context)


def settle_all(app: App, summary: Summary | None = None) -> list[SendReport]:
    """The same for every edition that is going, where there is something to close or to pause."""
    with app.database.read() as connection:
        going = [head.slug for head in editions.list_editions(connection, states=("sending",))]
        if not (summary and summary.ended == "paused"):
            going = [s for s in going if not outbox.unsettled(connection, corrections.keys_of(connection, s))]
    return [settle_up(app, slug, summary) for slug in going]
