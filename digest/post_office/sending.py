"""Handing an edition to the outbox, and delivering what is due."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy.engine import Connection

from digest.app import App
from digest.delivery import claims, pace, sender
from digest.delivery.claims import Choice
from digest.delivery.message import Compiled
from digest.delivery.model import Delivery, Excluded, Outcome, Ready
from digest.delivery.run import Summary
from digest.editions import store as editions
from digest.editions.store import EditionRow
from digest.errors import RefusedError
from digest.post_office import holding, returns, seeding, signups, starting
from digest.post_office.books import books_of
from digest.post_office.last_look import look_again
from digest.post_office.mail import compiled_mail
from digest.post_office.pausing import paused_keys
from digest.post_office.settling import SendReport, settle_all, settle_up
from digest.post_office.spreading import Spreads
from digest.rendering import store as renditions
from digest.which import current


def send(
    app: App,
    slug: str | None,
    *,
    now: bool = False,
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
        rest_at = seeding.seed(app, row)
        if rest_at is not None and app.now < rest_at and not now:
            return _seeded(app, row, rest_at, deliver(app, key=seeding.key_of(app, row), stop=stop))
        _begin(app, row)
    stop = stop or threading.Event()
    return deliver_all(app, row.slug, row.slug, stop=stop)


def deliver_all(app: App, slug: str, key: str, *, stop: threading.Event) -> SendReport:
    """Deliver a key of an edition, its own or a correction's, until nothing is due; then whatever else is due."""
    report = settle_up(app, slug, deliver(app, key=key, stop=stop), key=key)
    while report.in_other_hands and not stop.is_set():
        time.sleep(_LOOK_AGAIN)
        report = settle_up(app, slug, deliver(app, key=key, stop=stop), key=key)
    if not stop.is_set() and not report.stopped:
        signups.answer_waiting(app)
        summary = deliver(app, stop=stop)  # the words to staff, and whatever else is due
        if settle_all(app, summary):  # of that, a correction or another edition has come to its end
            report = settle_up(app, slug, key=key)
            if summary.ended == "nothing due":
                deliver(app, stop=stop)  # the words to staff on it
    return report


def _seeded(app: App, row: EditionRow, rest_at: datetime, summary: Summary) -> SendReport:
    """What is said when only the seed list has it."""
    with app.database.read() as connection:
        head = editions.head_of(connection, row.slug)
        books = books_of(connection, head)
    words = summary.reason or (
        f"The seed list has it. Send again then, or now with --now; `digest hold {row.slug}` stops it"
    )
    return SendReport(row.slug, head.state, books, books.pending, rest_at, words)


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
    lead = app.config.staff.seed_lead if app.config.staff.seeds else timedelta(0)
    if not now and row.send_at is not None and app.now < row.send_at - lead:
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
        returns.answered(app, connection, delivery, outcome)

    return sender.run(
        app.database,
        relays=app.config.relays(),
        prepare=prepare,
        compiled=compiled,
        on_result=on_result,
        clock=app.clock,
        stop=stop,
        progress=progress,
        until=until,
        journal_dir=app.journals,
        only_key=key,
        except_keys=lambda connection: paused_keys(app, connection),
        rates=app.config.provider_rates(),
        spreads=Spreads(app),
    )


def has_work(app: App) -> bool:
    """Whether a run would find anything: a mail that is due, or a claim that may be a dead sender's."""
    with app.database.read() as connection:
        resting = frozenset(pace.resting(connection, now=app.now))
        choice = Choice(except_keys=paused_keys(app, connection), except_providers=resting)
        return claims.any_due(connection, now=app.now, choice=choice) or bool(claims.open_claims(connection))
