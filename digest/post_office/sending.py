"""Handing an edition to the outbox, and delivering what is due."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from digest.app import App
from digest.database import one_at_a_time
from digest.delivery import sender
from digest.delivery import store as outbox
from digest.delivery.message import Compiled
from digest.delivery.model import Books, Delivery, Excluded, Outcome, Ready, Verdict
from digest.delivery.run import Summary
from digest.editions import store as editions
from digest.editions.model import State
from digest.editions.store import EditionRow
from digest.errors import RefusedError
from digest.post_office import holding, staff_mail, staff_words, starting
from digest.post_office.books import books_of
from digest.post_office.mail import compiled_mail
from digest.post_office.reader_links import dead_places, places_for
from digest.rendering import store as renditions
from digest.which import current
from subscribers import candidates, suppression

Follow = Callable[[int, int], None]
"""Told how many deliveries are done, of how many."""


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


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
        parts = [
            f"{self.slug}: {self.state}. {_counted(b.candidates, 'candidate')}: {b.sent} sent, {b.excluded} excluded",
            f"{b.failed} failed",
        ]
        if b.uncertain:
            parts.append(f"{b.uncertain} uncertain (see `digest reconcile {self.slug}`)")
        if self.deferred and self.next_due:
            parts.append(f"{self.deferred} deferred until {self.next_due.astimezone(zone):%H:%M}")
        elif b.pending:
            parts.append(f"{b.pending} pending")
        line = ", ".join(parts)
        return f"{line}. {self.stopped}" if self.stopped else f"{line}."


def send(
    app: App,
    slug: str | None,
    *,
    now: bool = False,
    progress: Follow | None = None,
    stop: threading.Event | None = None,
    before_start: Callable[[str], bool] | None = None,
) -> SendReport:
    """Start the edition (if it has not begun) and deliver until nothing is due. Again is harmless.

    `before_start` is asked right before an edition begins, and tells whether it has changed it.

    Raises RefusedError where the rules forbid it: not approved, held, before its moment or after its deadline without
    `now`; DigestError where the relay cannot be reached (what was begun stays in the outbox)."""
    row = current(app, slug)
    app.refuse_unlawful()
    if row.state not in ("sending", "sent"):
        _check_may_start(app, row, now=now)
        if before_start is not None and before_start(row.slug):
            row = current(app, row.slug)
            _check_may_start(app, row, now=now)
        _begin(app, row)
    stop = stop or threading.Event()
    with app.database.read() as connection:
        total = books_of(connection, _row(connection, row.slug)).pending

    def follow(so_far: Summary) -> None:
        if progress is not None:
            progress(so_far.sent + so_far.failed + so_far.excluded + so_far.uncertain, total)

    report = settle_up(app, row.slug, deliver(app, key=row.slug, progress=follow, stop=stop))
    while report.in_other_hands and not stop.is_set():
        time.sleep(_LOOK_AGAIN)
        report = settle_up(app, row.slug, deliver(app, key=row.slug, progress=follow, stop=stop))
    if not stop.is_set() and not report.stopped:
        deliver(app, stop=stop)  # the words to staff, and whatever else is due
    return report


_LOOK_AGAIN = 0.5  # seconds


def _begin(app: App, row: EditionRow) -> None:
    """Start it; where another process has just done so, help that one to deliver."""
    try:
        starting.start(app, row)
    except RefusedError:
        if current(app, row.slug).state not in ("sending", "sent"):
            raise


def _check_may_start(app: App, row: EditionRow, *, now: bool) -> None:
    if row.state == "paused":
        raise RefusedError(
            f"{row.slug} is paused: {row.held_reason}", mend=f"let it go on with `digest resume {row.slug}`"
        )
    if row.state == "skipped":
        raise RefusedError(f"{row.slug} was skipped; its articles come in the next edition")
    if row.state == "held":
        raise _held(row)
    if row.state == "approved" and holding.approval_is_void(app, row):
        holding.void(app, row)
        raise RefusedError(
            f"{row.slug} is not what was approved: the templates or the settings have changed since",
            mend="look at `digest preview`, then `digest approve` again",
        )
    if row.state == "draft" and not app.approves_itself:
        raise RefusedError(
            f"{row.slug} is not approved", mend=f"look at `digest preview`, then `digest approve {row.slug}`"
        )
    if not now and row.send_at is not None and app.now < row.send_at:
        when = f"{row.send_at.astimezone(app.zone):%A %d %B at %H:%M}"
        raise RefusedError(f"{row.slug} goes on {when}", mend="send it earlier with --now")
    if not now and row.deadline is not None and app.now > row.deadline:
        raise RefusedError(f"the deadline of {row.slug} has passed", mend="send it all the same with --now")
    why = [] if row.override_reason else holding.reasons(app, row.edition)
    if why:
        with app.database.begin() as connection:
            row = holding.hold(app, connection, row, why)
        raise _held(row)


def _held(row: EditionRow) -> RefusedError:
    return RefusedError(
        f"{row.slug} is held: {row.held_reason}",
        mend=f"mend that, or override it with `digest approve {row.slug} --reason TEXT`",
    )


def deliver(
    app: App,
    *,
    key: str | None = None,
    progress: Callable[[Summary], None] | None = None,
    stop: threading.Event | None = None,
    until: Literal["nothing due", "stopped"] = "nothing due",
) -> Summary:
    """Run the sender over the outbox (or over one key of it)."""

    def compiled(rendition_hash: str, delivery: Delivery) -> Compiled:
        with app.database.read() as connection:
            return compiled_mail(app, renditions.load(connection, rendition_hash), delivery)

    def prepare(connection: Connection, deliveries: Sequence[Delivery]) -> list[Ready | Excluded]:
        return look_again(app, connection, deliveries)

    def on_result(connection: Connection, delivery: Delivery, outcome: Outcome) -> None:
        if outcome.verdict is Verdict.HARD and delivery.subscriber is not None:
            suppression.suppress(connection, app.keys, delivery.address, reason=f"bounced: {outcome.text}", at=app.now)

    smtp = app.config.smtp
    return sender.run(
        app.database,
        relay=app.config.relay(),
        prepare=prepare,
        compiled=compiled,
        on_result=on_result,
        clock=app.clock,
        stop=stop,
        progress=progress,
        until=until,
        rate=smtp.rate_per_second(),
        connections=smtp.connections,
        journal_dir=app.journals,
        only_key=key,
        except_keys=lambda: paused_keys(app),
    )


def paused_keys(app: App) -> frozenset[str]:
    """The editions whose deliveries must wait, asked anew at each claim; all of them where it is unlawful to send."""
    waiting: tuple[State, ...] = ("paused", "sending") if app.config.lawful_for_sending else ("paused",)
    with app.database.read() as connection:
        return frozenset(head.slug for head in editions.list_editions(connection, states=waiting))


def look_again(app: App, connection: Connection, deliveries: Sequence[Delivery]) -> list[Ready | Excluded]:
    """Preferences and suppression of this very moment: whoever left since the start does not get it."""
    readers = candidates.current(connection, [d.subscriber for d in deliveries if d.subscriber is not None])
    prepared: list[Ready | Excluded] = []
    for delivery in deliveries:
        if delivery.subscriber is None and delivery.mail == "digest":
            # erased while a sender held it, and given back since
            prepared.append(Excluded(delivery, "erased since the edition began"))
            continue
        if delivery.subscriber is None:
            prepared.append(Ready(delivery, delivery.address, dead_places(app)))
            continue
        reader = readers.get(delivery.subscriber)
        if reader is None:
            prepared.append(Excluded(delivery, "erased since the edition began"))
        elif reader.status != "active":
            prepared.append(Excluded(delivery, f"{reader.status} since the edition began"))
        else:
            prepared.append(Ready(delivery, reader.address, places_for(app, reader)))
    return prepared


def settle_up(app: App, slug: str, summary: Summary | None = None) -> SendReport:
    """After a run: close the edition when nothing is pending, pause it when the run had to stop; tell staff."""
    stopped = summary.reason if summary and summary.ended in ("paused", "unreachable") else ""
    with app.database.begin() as connection:
        one_at_a_time(connection, f"settle {slug}")  # two senders finish at the same moment, and one closes the edition
        row = _row(connection, slug)
        books = books_of(connection, row)
        if summary and summary.ended == "paused" and row.state == "sending":
            editions.pause(connection, slug, reason=stopped, at=app.now)
            staff_mail.tell(
                app, connection, "staff-notice", key=f"{slug}-paused-{stopped}-{app.now:%Y-%m-%d-%H}",
                context=staff_words.notice(f"{slug} is paused", stopped, command=f"digest resume {slug}"),
            )  # fmt: skip
        elif row.state == "sending" and books.pending == 0:
            editions.finish(connection, slug, at=app.now)
            staff_mail.tell(
                app, connection, "staff-sent", key=f"{slug}-sent", context=staff_words.sent(app, row, books)
            )
        count, next_due = outbox.due_later(connection, key=slug, now=app.now)
        state = _row(connection, slug).state
    return SendReport(slug, state, books, count, next_due, stopped)


def settle_all(app: App, summary: Summary | None = None) -> list[SendReport]:
    """The same for every edition that is going."""
    with app.database.read() as connection:
        going = editions.list_editions(connection, states=("sending",))
    return [settle_up(app, head.slug, summary) for head in going]


def _row(connection: Connection, slug: str) -> EditionRow:
    row = editions.load(connection, slug)
    assert row is not None
    return row


def resume(app: App, slug: str | None) -> EditionRow:
    """Let a paused edition go on."""
    row = current(app, slug)
    with app.database.begin() as connection:
        editions.resume(connection, row.slug, at=app.now)
        return _row(connection, row.slug)
